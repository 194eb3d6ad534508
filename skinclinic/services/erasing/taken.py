"""Everything that is a patient's: rows in their tables, and copies of rows in the bin."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model, Q

from skinclinic.models import BinItem, BinnedRow, Document, Job, Lesion, Patient, Photo, RecordChange
from skinclinic.models.columns import field_of
from skinclinic.services.binning import rows
from skinclinic.services.erasing.trace import Trace

PATIENT, LESION, PHOTO = (model._meta.label_lower for model in (Patient, Lesion, Photo))
# What patients and photos are called, and hashes of their files, by model.
CODES = {PATIENT: ("code",), "skinclinic.formercode": ("code",)}
NAMES = {
    PHOTO: ("original_name",),
    "archive.entry": ("external_id",),
}
HASHES = {
    PHOTO: ("sha256",),
    "skinclinic.photocover": ("content_sha256",),
    "archive.entry": ("content_sha256",),
}
FILES = ("file_key", "thumbnail_key")
# What a row of these can never lose, as far as it tells the row from a later one with the same key.
STAYS = {PATIENT: "created_at", LESION: "created_at", PHOTO: "sha256"}


@dataclass
class Taken:
    """``patients``, ``lesions``, ``photos``: keys, in their tables or in the bin."""

    clinic_id: int
    patients: set[int]
    lesions: set[int] = field(default_factory=set)
    photos: set[int] = field(default_factory=set)
    gathered: rows.Gathered = field(default_factory=rows.Gathered)
    items: list[BinItem] = field(default_factory=list)
    trace: Trace = field(default_factory=Trace)

    def keys(self, model: type[Model]) -> set[int]:
        """Keys of all rows of a model, in its table or in the bin."""
        label = model._meta.label_lower
        binned = BinnedRow.objects.filter(item__in=self.items, model=label).values_list("key", flat=True)
        return {*self.gathered.of(model), *binned}

    def cut_off(self, model: type[Model]) -> set[int]:
        """Keys of rows of a model that named something of it until that went to the bin."""
        label = model._meta.label_lower
        return {key for item in self.items for name, _field, key, _target in item.cut if name == label}

    def values(self, model: type[Model], *names: str) -> list[tuple]:
        """Values of all rows of a model, in its table or in the bin."""
        label = model._meta.label_lower
        copies = BinnedRow.objects.filter(item__in=self.items, model=label)
        columns = [field_of(model, name).attname for name in names]
        return [
            *(tuple(getattr(row, name) for name in columns) for row in self.gathered.of(model).values()),
            *(tuple(copy.data.get(name) for name in names) for copy in copies),
        ]


def look(
    clinic_id: int, patients: Iterable[int], lesions: Iterable[int] = (), photos: Iterable[int] = ()
) -> Taken:
    """Everything of these patients and, in a backup from before they were filed, of these lesions and photos."""
    taken = Taken(clinic_id, set(patients), set(lesions), set(photos))
    size = -1
    while size != (size := sum(map(len, (taken.patients, taken.lesions, taken.photos, taken.items)))):
        of_patients = Lesion.objects.filter(clinic=clinic_id, patient__in=taken.patients)
        taken.lesions |= set(of_patients.order_by().values_list("pk", flat=True))
        of_lesions = Photo.objects.filter(clinic=clinic_id, lesion__in=taken.lesions)
        taken.photos |= set(of_lesions.order_by().values_list("pk", flat=True))
        taken.lesions |= _left_empty(taken)
        taken.items = _in_bin(taken)
        for label, keys in ((PATIENT, taken.patients), (LESION, taken.lesions), (PHOTO, taken.photos)):
            copies = BinnedRow.objects.filter(item__in=taken.items, model=label)
            keys |= set(copies.order_by().values_list("key", flat=True))
    documents = Document.objects.filter(lesion__in=taken.lesions).values_list("pk", flat=True)
    taken.gathered = rows.gather(
        {Photo: taken.photos, Lesion: taken.lesions, Patient: taken.patients, Document: list(documents)}
    )
    _note(taken)
    return taken


def as_text(value: Any) -> str:
    """A moment or a hash as it is marked: of a row and of its copy alike."""
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def jobs_of(taken: Taken) -> set[int]:
    """Jobs that worked for what is erased, and are told by it: those that rows of it name."""
    found: set[int] = set()
    for model, known in taken.gathered.rows.items():
        for column in model._meta.concrete_fields:
            if column.related_model is Job:
                found |= {key for row in known.values() if (key := getattr(row, column.attname))}
    for copy in BinnedRow.objects.filter(item__in=taken.items, data__has_key="job"):
        if copy.data["job"]:
            found.add(copy.data["job"])
    return found


def _left_empty(taken: Taken) -> set[int]:
    """Lesions of nobody that hold no other photo."""
    alone = Lesion.objects.filter(clinic=taken.clinic_id, patient=None, photos__in=taken.photos)
    others = Photo.objects.filter(lesion__in=alone.values("pk")).exclude(pk__in=taken.photos)
    return set(alone.exclude(pk__in=others.values("lesion")).order_by().values_list("pk", flat=True))


def _in_bin(taken: Taken) -> list[BinItem]:
    """What lies in the bin of it, a patient that was merged into one of these among it."""
    copies = BinnedRow.objects.filter(
        Q(model=PATIENT, key__in=taken.patients)
        | Q(model=LESION, key__in=taken.lesions)
        | Q(model=PHOTO, key__in=taken.photos)
        | Q(model=LESION, data__patient__in=list(taken.patients))
        | Q(model=PHOTO, data__lesion__in=list(taken.lesions)),
        item__clinic=taken.clinic_id,
    )
    # What it became may lie in the bin as well.
    merged = Q(kind=BinItem.Kind.MERGE) & (Q(into__in=taken.patients) | Q(pk__in=taken.cut_off(BinItem)))
    found = BinItem.objects.filter(Q(pk__in=copies.values("item")) | merged, ended_at=None)
    return list(found.filter(clinic=taken.clinic_id).order_by("pk"))


def _note(taken: Taken) -> None:
    trace = taken.trace
    for label, values in _everything(taken):
        trace.note_codes(str(values.get(name) or "") for name in CODES.get(label, ()))
        trace.note_names(str(values.get(name) or "") for name in NAMES.get(label, ()))
        trace.note_hashes(str(values.get(name) or "") for name in HASHES.get(label, ()))
        if label in STAYS:
            trace.note_row(label, values["pk"], as_text(values[STAYS[label]]))
        if label == PHOTO:
            trace.files |= {values[name] for name in FILES}
    # Codes of before, too.
    for change in taken.gathered.of(RecordChange).values():
        trace.note_codes(map(str, filter(None, getattr(change, "fields", {}).get("code", ()))))
    for item in taken.items:
        trace.note_codes([item.told.get("code", "")])
        trace.note_names([item.told.get("name", "")])


def _everything(taken: Taken) -> Iterator[tuple[str, dict[str, Any]]]:
    """(model, values) of all rows that have a name, a hash or a file."""
    wanted = {*CODES, *NAMES, *HASHES}
    for model, known in taken.gathered.rows.items():
        if (label := model._meta.label_lower) in wanted:
            for row in known.values():
                yield label, {"pk": row.pk, **_plain(row)}
    for copy in BinnedRow.objects.filter(item__in=taken.items, model__in=wanted):
        yield copy.model, {**copy.data, "pk": copy.key}


def _plain(row: Model) -> dict[str, Any]:
    return {column.name: getattr(row, column.attname) for column in row._meta.concrete_fields}
