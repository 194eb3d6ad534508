"""The fields of an import in words: their names, what they may hold, what a word of the table was read as."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from skinclinic.archive.formats import values
from skinclinic.archive.formats.columns import LEAVE_OUT, MAPPABLE
from skinclinic.archive.formats.problems import CellError
from skinclinic.models import Diagnosis, Patient, Photo
from skinclinic.vocabulary import sites, skin_types

UNKNOWN = "unknown"


def field_names() -> dict[str, str]:
    """What a column of a table may hold, in words."""
    return {
        "file": _("Photo file"), "external_id": _("Name in the source"), "label": _("Diagnosis"),
        "patient": _("Patient"), "lesion": _("Lesion"), "age": _("Age"), "sex": _("Sex"),
        "skin_type": _("Fitzpatrick skin type"), "ethnicity": _("Ethnicity"), "site": _("Site"),
        "taken_on": _("Date of the photo"), "kind": _("Kind of photo"), "is_proven": _("Biopsy-proven"),
        "confirmed_by": _("Confirmed by"), "subtype": _("Subtype"), "icd10": _("ICD-10"),
        "impression": _("Clinical impression"), "text": _("Pathology text"), "sha256": _("SHA-256 of the file"),
        "split": _("Training or test"), "is_synthetic": _("Synthetic"), "tags": _("Tags"),
        "columns": _("Other columns"),
    }  # fmt: skip


_YES_NO = (("yes", gettext_lazy("Yes")), ("no", gettext_lazy("No")))


def allowed(field: str) -> list[tuple[str, str]]:
    """(value, name) of all that a field may hold; of ages some ways to write them."""
    choices: dict[str, list] = {
        "site": [(key, sites.name(key)) for key, _label in sites.SITES],
        "sex": list(Patient.Sex.choices),
        "skin_type": [(str(number), skin_types.name(number)) for number in skin_types.SKIN_TYPES],
        "kind": list(Photo.Kind.choices),
        "confirmed_by": list(Diagnosis.ConfirmedBy.choices),
        "is_proven": list(_YES_NO),
        "is_synthetic": list(_YES_NO),
        "age": [(text, age_name(text)) for text in ("45", "30-39", "85+")],
    }
    return [(value, str(name)) for value, name in choices[field] if value]


def value_name(field: str, value: str) -> str:
    """A value as people call it: that of a mapping, or what a word was read as."""
    if value == LEAVE_OUT:
        return _("Leave out")
    if value == UNKNOWN:
        return _("Not known")
    if field == "age":
        return age_name(value)
    return dict(allowed(field)).get(value, value)


def age_name(value: str) -> str:
    """'45', '30–39' or '85 and older' of an age as a mapping writes it; any other text as it is."""
    try:
        first, last = values.age(value)
    except CellError:
        return value
    if first is None or last is None:
        return value if first is None else str(first)
    return _("%(years)d and older") % {"years": first} if last == values.OLDEST else f"{first}–{last}"


def value_of(field: str, typed: str) -> str:
    """The value whose name was typed; else the text itself."""
    wanted = typed.strip().casefold()
    offered = [*allowed(field), (UNKNOWN, _("Not known")), (LEAVE_OUT, _("Leave out"))]
    return next((value for value, name in offered if name.casefold() == wanted), typed.strip())


def terms(field: str, query: str) -> list[dict]:
    """What a type-ahead offers for a field."""
    wanted = query.strip().casefold()
    found = [
        {"value": value, "label": name, "detail": ""}
        for value, name in allowed(field)
        if wanted in name.casefold() or wanted == value
    ]
    if field == "age" and wanted and not found:
        found = _ages(wanted)
    found += [
        {"value": value, "label": name, "detail": detail}
        for value, name, detail in (
            (UNKNOWN, _("Not known"), _("the photos come in without it")),
            (LEAVE_OUT, _("Leave out"), _("its rows are not imported")),
        )
        if not wanted or wanted in name.casefold() or wanted == value
    ]
    return found


def _ages(text: str) -> list[dict]:
    """Any age that can be read is offered as it was understood."""
    try:
        first, _last = values.age(text)
    except CellError:
        return []
    return [] if first is None else [{"value": text, "label": age_name(text), "detail": ""}]


def is_mappable(field: str) -> bool:
    return field in MAPPABLE
