"""What a row of a source sets in the archive, and under which names its patient and its lesion are known there."""

from datetime import date

from skinclinic import imaging
from skinclinic.archive.formats.rows import Row
from skinclinic.archive.models import Entry, Source
from skinclinic.models import Photo
from skinclinic.vocabulary import tags
from skinclinic.vocabulary.diseases import BY_KEY

CODE_LENGTH = 64
NOTE_LENGTH = 400
# What a photo has and its entry repeats nowhere.
OF_PHOTO = ("kind", "is_synthetic")
# Fields that go with another one: taken or kept together.
GOES_WITH = {"age_to": "age"}


def fields_of(row: Row, label: str) -> dict:
    """The fields of an entry that a row sets."""
    return {
        "label": label,
        "age": row.age,
        "age_to": row.age_to,
        "sex": row.sex,
        "skin_type": row.skin_type,
        "ethnicity": row.ethnicity,
        "site": row.site,
        "columns": row.columns,
        "is_proven": row.is_proven,
        "confirmed_by": row.confirmed_by,
        "subtype": row.subtype,
        "icd10": row.icd10 or (BY_KEY[label].icd10 if label in BY_KEY else ""),
        "impression": row.impression,
        "text": row.text,
        "tags": tags.join(tags.parts(row.tags)),
    }


def all_of(row: Row, label: str, source: Source) -> dict:
    """Everything that a row says and importing it again may change; what it does not say is not among it."""
    said = fields_of(row, label)
    for name in row.silent:
        # The subtype and the code go with the label (``changes.of``).
        if name not in ("label", "subtype", "icd10"):
            said.pop(name, None)
    if "age" not in said:
        said.pop("age_to", None)
    if not row.tags:
        said.pop("tags", None)
    if row.taken_on:
        said["taken_on"] = row.taken_on
    if row.kind:
        said["kind"] = row.kind
    if "is_synthetic" not in row.silent or source.is_synthetic:
        said["is_synthetic"] = row.is_synthetic or source.is_synthetic
    if row.patient:
        said["patient"] = row.patient
    if row.lesion:
        said["lesion"] = row.lesion
    return said


def held(entry: Entry, row: Row) -> dict:
    """The same fields as the archive holds them (select photo, its lesion, patient and source with the entry)."""
    found = {name: getattr(entry, name) for name in (*fields_of(row, ""), "taken_on")}
    found |= {name: getattr(entry.photo, name) for name in OF_PHOTO}
    code, note = entry.patient.code if entry.patient else "", entry.photo.lesion.note
    own_codes = patient_codes(entry.source, row.patient) if row.patient else ()
    found["patient"] = row.patient if code in own_codes else code.removeprefix(f"{entry.source.name}/")
    is_same = row.lesion and note == lesion_note(entry.source, row.lesion)
    found["lesion"] = row.lesion if is_same else note.removeprefix(lesion_note(entry.source, ""))
    return found


def patient_codes(source: Source, patient: str) -> tuple[str, ...]:
    """The codes a source's patient may have here: the plain one, unless it is too long or could be read in two ways;
    and the one that is the clinic's own patient's under no circumstances."""
    plain = f"{source.name}/{patient}"
    hidden = imaging.sha256(f"{source.name}\n{patient}".encode())[:32]
    return (hidden,) if len(plain) > CODE_LENGTH or "/" in source.name else (plain, hidden)


def lesion_note(source: Source, lesion: str) -> str:
    """How a source's lesion is named here."""
    return f"{source.name}: lesion {lesion}"[:NOTE_LENGTH]


def kind_of(row: Row) -> str:
    """The kind of a new photo."""
    return row.kind or Photo.Kind.CLOSE_UP


def plain(value):
    """A value as history keeps it."""
    if isinstance(value, date):
        return value.isoformat()
    return value if isinstance(value, str | int | float | bool | dict) or value is None else str(value)
