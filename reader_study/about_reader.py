"""What readers are asked about themselves: choices only, so that nothing said names a person."""

from collections.abc import Iterable, Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SPECIALTY = {
    "dermatologist": _("Dermatologist"),
    "resident": _("Dermatology resident"),
    "other": _("Physician of another specialty"),
    "nurse": _("Nurse or physician assistant"),
    "student": _("Student"),
    "none": _("None of these"),
}
DERMOSCOPY = {
    "none": _("No experience"),
    "little": _("Less than 1 year"),
    "some": _("1 to 5 years"),
    "much": _("More than 5 years"),
}
DEVICE = {
    "monitor": _("Computer with a monitor"),
    "laptop": _("Laptop"),
    "tablet": _("Tablet"),
    "phone": _("Phone"),
}
# Years are typed in and counted in bands.
YEARS = ((0, 4), (5, 9), (10, 19), (20, 70))
QUESTIONS: dict[str, str | Promise] = {
    "specialty": _("Specialty"),
    "years": _("Years of practice"),
    "dermoscopy": _("Experience with dermoscopy"),
    "device": _("Device you read on"),
}
CHOICES: dict[str, Mapping[str, str | Promise]] = {
    "specialty": SPECIALTY,
    "dermoscopy": DERMOSCOPY,
    "device": DEVICE,
}


def band(years: int | None) -> str:
    """The band of a number of years; "" for none."""
    if years is None:
        return ""
    return next(
        (f"{low}–{high}" if high < 70 else f"{low}+" for low, high in YEARS if low <= years <= high), ""
    )


def counts(said: Iterable[Mapping]) -> list[tuple[str, str, int]]:
    """(question, answer, number of readers) for every answer that was given; "" counts those who gave none.

    ``said``: what each reader says, by question.
    """
    rows = list(said)
    found = []
    for question in QUESTIONS:
        given = [band(row["years"]) if question == "years" else row[question] for row in rows]
        order = [band(low) for low, _high in YEARS] if question == "years" else list(CHOICES[question])
        found += [(question, answer, given.count(answer)) for answer in [*order, ""] if answer in given]
    return found


def answer_name(question: str, answer: str) -> str:
    """An answer in words."""
    if not answer:
        return str(_("not said"))
    return answer if question == "years" else str(CHOICES[question][answer])
