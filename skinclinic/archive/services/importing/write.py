"""Writing a checked import: a few photos at a time, so that it can be paused, killed and taken up again."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from django.db import IntegrityError, transaction

from skinclinic import imaging
from skinclinic.archive.formats.photo_sets import FileTooLarge, PhotoSet, Unreadable
from skinclinic.archive.formats.problems import PhotosRefused
from skinclinic.archive.formats.rows import Row
from skinclinic.archive.models import Entry, Import, Source
from skinclinic.archive.services.curating import vocabulary
from skinclinic.archive.services.curating.entries import Content, create_entry, is_known
from skinclinic.archive.services.curating.own_facts import OF_PATIENT
from skinclinic.archive.services.importing import changes
from skinclinic.archive.services.importing.fields import fields_of, kind_of, lesion_note, patient_codes
from skinclinic.archive.services.importing.photos import photos_of
from skinclinic.archive.services.importing.taking import take
from skinclinic.engine.jobs import JobError
from skinclinic.files import store
from skinclinic.models import Lesion, Patient, Photo
from skinclinic.services import decoding
from skinclinic.services.photos import insert, shown_name, unsaved, written_together
from skinclinic.web.counts import gettext as _

AT_ONCE = 16
MOST_BYTES = 32 << 20


def write(row: Import, plan: Path, go_on: Callable[[int], bool]) -> int:
    """Write the rows of the plan that are not there yet; return how many rows are done.

    ``go_on(done)`` is asked before each row; False stops, and what was read and not stored is left for the next time.
    Photos are brought to the disk in groups, as that is what each would wait for most; only then do they get rows, so
    that a kill loses none. Rows that another run has written are passed over.
    Raises JobError when a photo is not what was checked or the disk is full; whole rows are written until there.
    """
    writer = _Writer(row)
    try:
        photos = photos_of(row)
    except PhotosRefused as refused:
        raise JobError("photos_changed", _(refused.message) % refused.params) from None
    number, done, group = 0, 0, _Group()
    try:
        for number, line in enumerate(lines(plan), start=1):
            if not go_on(done):
                return done
            try:
                new = writer.take(number, line, lambda name, sha256: _as_checked(photos, name, sha256))
            except JobError:
                writer.store(group)
                raise
            group += [new] if new else []
            if not group or group.is_full:
                writer.store(group)
                group, done = _Group(), number
        writer.store(group)
        return number
    except store.StorageFull as error:
        raise JobError(
            "disk_full",
            _("The disk is full. Photo %(number)s was not stored; make room and go on.")
            % {"number": writer.at},
        ) from error
    except store.StorageAway as error:
        raise JobError(
            error.code,
            _(
                "The storage of the photos does not answer. Photo %(number)s was not stored; go on when it is back."
            )
            % {"number": writer.at},
        ) from error
    finally:
        photos.close()


def _as_checked(photos: PhotoSet, name: str, sha256: str) -> bytes:
    """The bytes that were checked. Raises JobError if they are others by now."""
    try:
        data = photos.read(name, imaging.MAX_BYTES)
    except (Unreadable, FileTooLarge, KeyError) as error:
        why = _("“%(name)s” can no longer be read (%(error)s).") % {"name": name, "error": error}
    else:
        if imaging.sha256(data) == sha256:
            return data
        why = _("“%(name)s” was changed after the check.") % {"name": name}
    what_to_do = _("Put it back and go on, or check the import again.")
    raise JobError("photos_changed", f"{why} {what_to_do}")


def lines(plan: Path) -> Iterator[dict]:
    """The rows of a plan, in their order. Raises JobError."""
    try:
        file = plan.open(encoding="utf-8")
    except FileNotFoundError:
        raise JobError(
            "plan_gone", _("What was checked is no longer there. Check the import again.")
        ) from None
    with file:
        for text in file:
            yield json.loads(text)


@dataclass(frozen=True)
class _New:
    """A photo that was read and is not stored. ``number``: its row's place; ``of_patient`` and ``of_lesion``: what all
    rows together say of them."""

    number: int
    row: Row
    label: str
    accepted: imaging.AcceptedPhoto
    content: Content
    photo: Photo
    of_patient: dict
    of_lesion: dict


class _Group(list[_New]):
    """Photos that are brought to the disk together."""

    @property
    def is_full(self) -> bool:
        return len(self) >= AT_ONCE or sum(len(new.accepted.jpeg) for new in self) >= MOST_BYTES


class _Writer:
    # The place of the row that is stored now.
    at = 0

    def __init__(self, row: Import):
        if row.source is None:
            raise ValueError(f"import {row.pk} has no source yet")
        self.row, self.clinic, self.user, self.source = row, row.clinic, row.created_by, row.source
        self._lesions: dict[str, int] = {}

    def take(self, number: int, line: dict, read: Callable[[str, str], bytes]) -> _New | None:
        """Change what is there already; read what is new."""
        self.at = number
        upload_sha256, label = line.pop("upload_sha256"), line["label"]
        self.of_patient, self.of_lesion = line.pop("of_patient", {}), line.pop("of_lesion", {})
        taken_on = date.fromisoformat(line["taken_on"]) if line["taken_on"] else None
        row = Row(**line | {"taken_on": taken_on, "terms": ()})
        there = Entry.objects.filter(source=self.source, external_id=row.external_id)
        entry = there.select_related("photo__lesion", "patient", "source").first()
        if entry is not None:
            for found in changes.of([(entry, row, label)], self.source).values():
                self._change(entry, row, label, found)
            return None
        if is_known(self.clinic, upload_sha256):
            return None
        accepted = decoding.accept(read(row.file, upload_sha256), is_patient=True)
        photo = unsaved(
            accepted, clinic=self.clinic, user=self.user, name=row.file, kind=kind_of(row),
            is_synthetic=row.is_synthetic or self.source.is_synthetic,
        )  # fmt: skip
        photo.original_name = shown_name(row.file, numbers=False)
        content = Content.of(accepted.jpeg)
        return _New(number, row, label, accepted, content, photo, self.of_patient, self.of_lesion)

    def store(self, group: _Group) -> None:
        """Store new photos: first the files, then the rows, so that nobody waits for more than the rows. What comes of
        a kill in between is noted and swept away. On a disk without room for all, as many as there is room for."""
        try:
            self._store(group)
        except store.StorageFull:
            for new in group:
                self._store([new])

    def _store(self, group: Sequence[_New]) -> None:
        if not group:
            return
        self.at = group[0].number
        with written_together([(new.photo, new.accepted) for new in group]) as (stored, confirm):
            for new in group:
                if self._insert(new, confirm):
                    stored.add(new.photo.sha256)

    def _insert(self, new: _New, confirm: Callable[[Photo], None]) -> bool:
        """Give a photo whose files are there its rows; False if somebody was faster. Raises notes.NoteGone."""
        row, photo = new.row, new.photo
        self.of_patient, self.of_lesion = new.of_patient, new.of_lesion
        try:
            with transaction.atomic():
                self._name(new.label, row.subtype)
                insert(photo, self._lesion(row))
                create_entry(
                    photo=photo, content=new.content, source=self.source, external_id=row.external_id,
                    user=self.user, taken_on=row.taken_on, of_import=self.row,
                    source_lesion=row.lesion, **fields_of(row, new.label),
                )  # fmt: skip
                confirm(photo)
        except IntegrityError:
            # Somebody uploaded the same file meanwhile, so that it stays the clinic's; or a worker that this one
            # took over from was still alive.
            if not is_known(self.clinic, photo.sha256):
                raise
            return False
        if row.lesion:
            self._lesions[_lesion_key(row)] = photo.lesion_id
        return True

    def _name(self, label: str, subtype: str) -> None:
        """What is new to the clinic's vocabulary is added to it."""
        vocabulary.label(self.clinic, self.user, label)
        vocabulary.subtype(self.clinic, self.user, label, subtype)

    def _lesion(self, row: Row) -> Lesion:
        patient = self._patient(row)
        if row.lesion and (known := self._lesions.get(_lesion_key(row))):
            return Lesion.objects.get(pk=known)
        note = lesion_note(self.source, row.lesion) if row.lesion else ""
        # A new one is stored with its photo.
        return self._stored_lesion(row, patient) or Lesion(
            clinic=self.clinic, patient=patient, site=self.of_lesion.get("site", row.site), note=note,
            created_by=self.user, is_archived=True,
        )  # fmt: skip

    def _stored_lesion(self, row: Row, patient: Patient | None) -> Lesion | None:
        """The lesion that an earlier import of the source, or this one before a pause, made under this name."""
        if not row.lesion:
            return None
        # Held until the photo is stored, so that two imports at once do not make it twice.
        Source.objects.select_for_update(no_key=True).get(pk=self.source.pk)
        there = Entry.objects.filter(source=self.source, source_lesion=row.lesion, patient=patient)
        entry = there.select_related("photo__lesion").order_by("pk").first()
        return entry.photo.lesion if entry else None

    def _patient(self, row: Row) -> Patient | None:
        if not row.patient:
            return None
        codes = patient_codes(self.source, row.patient)
        # The plain code may be that of a patient of the clinic.
        own = Patient.objects.filter(clinic=self.clinic, code=codes[0], is_archived=False)
        code = codes[-1] if own.exists() else codes[0]
        patient, is_new = Patient.objects.get_or_create(
            clinic=self.clinic, code=code,
            defaults={**self.of_patient, "is_archived": True, "created_by": self.user},
        )  # fmt: skip
        missing = {} if is_new else {n: v for n, v in self.of_patient.items() if not getattr(patient, n)}
        if missing:
            Patient.objects.filter(pk=patient.pk).update(**missing)
        return patient

    def _change(self, entry: Entry, row: Row, label: str, found: list[changes.Change]) -> None:
        """The source says something else than is held here: what is taken of it, and what is kept beside it."""
        taken, kept = changes.decided_fields(found, row, label, self.row.decisions)
        # What the source does not say of a patient or a lesion, the photo knows.
        own = {
            name: getattr(entry, name) for name in OF_PATIENT if name not in taken and getattr(entry, name)
        }
        self.of_patient = own | {name: value for name, value in self.of_patient.items() if value}
        if entry.site and "site" not in taken:
            self.of_lesion = {"site": entry.site} | self.of_lesion
        mark = self._marked(entry) if taken.get("is_synthetic") else None
        with transaction.atomic():
            if "label" in taken or "subtype" in taken:
                self._name(label, row.subtype)
            lesion = self._lesion(row) if {"patient", "lesion"} & set(taken) else None
            take(
                entry, taken, kept, user=self.user, by=self.row, lesion=lesion, thumbnail=mark,
                of_patient=self.of_patient,
            )  # fmt: skip
        if mark:
            store.delete(entry.photo.thumbnail_key)

    def _marked(self, entry: Entry) -> str:
        """The key of a thumbnail that says that the photo is synthetic."""
        key = store.new_key(f"clinic-{self.clinic.pk}")
        store.write(key, imaging.mark_synthetic(store.read(entry.photo.thumbnail_key)))
        return key


def _lesion_key(row: Row) -> str:
    return f"{row.patient}\n{row.lesion}"
