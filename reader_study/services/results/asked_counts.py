"""What readers said besides the diagnosis, and what they left out: counted by session, and said in sentences."""

from collections import Counter
from collections.abc import Iterator, Mapping

from reader_study import asked
from reader_study.models import Answer, Reader, Study, StudyEvent
from reader_study.models.asked import Management, Quality
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext


def count(study: Study) -> dict[str, dict]:
    """By session, of the readers who count: {answers, no_confidence, cannot_judge, out_of_time, …}. JSON-safe."""
    rows = (
        Answer.objects.given()
        .filter(
            reading__reader__in=Reader.objects.filter(study=study).counted(), image__in=study.images.counted()
        )
        .order_by("reading__session__number")
        .values_list(
            "reading__session__key", "choice", "confidence", "management", "quality", "knows_patient", "timing",
            "saw_model", "is_from_paper",
        )
    )  # fmt: skip
    found: dict[str, dict] = {}
    for session, choice, confidence, management, quality, knows, timing, saw, paper in rows.iterator(2000):
        one = found.setdefault(
            session, {"answers": 0, "management": Counter(), "quality": Counter()} | _none()
        )
        one["answers"] += 1
        is_late = timing == asked.LATE or choice == asked.OUT_OF_TIME
        one["no_confidence"] += bool(
            study.asks_confidence and confidence is None and choice not in asked.NO_DIAGNOSIS
        )
        one["cannot_judge"] += choice == asked.CANNOT_JUDGE
        one["out_of_time"] += is_late
        one["early"] += timing == asked.EARLY
        one["knows_patient"] += knows
        one["model_not_in_view"] += saw is False
        one["from_paper"] += paper
        one["management"].update([management] if management else [])
        one["quality"].update([quality] if quality else [])
    return {
        session: {name: dict(n) if isinstance(n, Counter) else int(n) for name, n in one.items()}
        for session, one in found.items()
    }


def _none() -> dict[str, int]:
    names = (
        "no_confidence", "cannot_judge", "out_of_time", "early", "knows_patient", "model_not_in_view", "from_paper",
    )  # fmt: skip
    return dict.fromkeys(names, 0)


def refused(study: Study) -> int:
    """How many answers came too late to be taken, as far as the devices told."""
    events = study.events.filter(kind=StudyEvent.Kind.ANSWER_REFUSED)
    return sum(int(details.get("n", 1)) for details in events.values_list("details", flat=True))


def sentences(study: Study, one: Mapping) -> Iterator[str]:
    """One session in words; nothing of what was not asked and did not happen."""
    n = one["answers"]
    if study.asks_confidence:
        yield _("Confidence: missing in %(n)d of %(all)d answers.") % {"n": one["no_confidence"], "all": n}
    for name, text in _single().items():
        if one[name]:
            yield text % {"n": one[name], "all": n}
    for heading, key, words in (
        (_("What readers would do"), "management", dict(Management.choices)),
        (_("Quality of the photo"), "quality", dict(Quality.choices)),
    ):
        if one[key]:
            told = ", ".join(f"{words[name]} {one[key][name]}" for name in words if name in one[key])
            yield f"{heading}: {told}."


def _single() -> dict[str, str]:
    return {
        "cannot_judge": _("“Cannot judge”: %(n)d of %(all)d answers; they count like skipped photos."),
        "out_of_time": _("Not answered in time: %(n)d of %(all)d; they count like skipped photos."),
        "early": _("Answered before the choices were shown long enough: %(n)d of %(all)d; they count."),
        "knows_patient": _("Patient known to the reader: %(n)d of %(all)d answers; they are left out."),
        "model_not_in_view": _(
            "Answered without the model's list of diagnoses in view: %(n)d of %(all)d; they count."
        ),
        "from_paper": _("Typed in from paper: %(n)d of %(all)d answers."),
    }


def refused_words(n: int) -> str:
    return ngettext(
        "%(n)d answer came after the end and was not taken.",
        "%(n)d answers came after the end and were not taken.",
        n,
    ) % {"n": n}
