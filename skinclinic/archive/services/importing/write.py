"""Writing a checked import: a photo at a time, so that it can be paused, killed and taken up again."""

import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from skinclinic import imaging
from skinclinic.archive.formats.photo_sets import FileTooLarge, PhotoSet, Unreadable, open_photos
from skinclinic.archive.formats.problems import PhotosRefused
from skinclinic.archive.formats.rows import Row
from skinclinic.archive.models import Entry, EntryChange, Import, Review, Source
from skinclinic.archive.services.curating import vocabulary
from skinclinic.archive.services.curating.entries import Content, create_entry, is_known
from skinclinic.archive.services.importing.check import fields_of, is_same
from skinclinic.engine.jobs import JobError
from skinclinic.files import store
from skinclinic.models import Lesion, Patient
from skinclinic.services.photos import insert, written

CODE_LENGTH = 64


def write(row: Import, plan: Path, go_on: Callable[[int], bool]) -> int:
    """Write the rows of the plan that are not there yet; return how many rows are done.

    ``go_on(done)`` is asked before each row; False stops. Rows that another run has written are passed over.
    Raises JobError when a photo is not what was checked or the disk is full; whole rows are written until there.
    """
    writer = _Writer(row)
    try:
        photos = open_photos(Path(row.photos))
    except PhotosRefused as refused:
        raise JobError("photos_changed", _(refused.message) % refused.params) from None
    done = 0
    try:
        for line in lines(plan):
            if not go_on(done):
                return done
            writer.write(line, lambda name, sha256: _as_checked(photos, name, sha256))
            done += 1
    except store.StorageFull as error:
        raise JobError(
            "disk_full",
            _("The disk is full. Photo %(number)s was not stored; make room and go on.")
            % {"number": done + 1},
        ) from error
    finally:
        photos.close()
    return done


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


class _Writer:
    def __init__(self, row: Import):
        if row.source is None:
            raise ValueError(f"import {row.pk} has no source yet")
        self.row, self.clinic, self.user, self.source = row, row.clinic, row.created_by, row.source
        self._lesions: dict[str, int] = {}

    def write(self, line: dict, read: Callable[[str, str], bytes]) -> None:
        upload_sha256, label = line.pop("upload_sha256"), line["label"]
        taken_on = date.fromisoformat(line["taken_on"]) if line["taken_on"] else None
        row = Row(**line | {"taken_on": taken_on})
        entry = Entry.objects.filter(source=self.source, external_id=row.external_id).first()
        if entry is not None:
            if not is_same(entry, row, label):
                self._change(entry, row, label)
            return
        if not is_known(self.clinic, upload_sha256):
            self._store(row, label, imaging.accept(read(row.file, upload_sha256)))

    def _store(self, row: Row, label: str, accepted: imaging.AcceptedPhoto) -> None:
        """Store a photo and its entry: first the files and everything else that takes long, then the rows, so that
        nobody waits for more than the rows. What comes of a kill in between is noted and swept away."""
        content = Content.of(accepted.jpeg)
        try:
            with written(
                accepted, clinic=self.clinic, user=self.user, name=row.file, kind=row.kind,
                is_synthetic=row.is_synthetic or self.source.is_synthetic,
            ) as photo, transaction.atomic():  # fmt: skip
                self._name(label, row.subtype)
                insert(photo, self._lesion(row))
                create_entry(
                    photo=photo, content=content, source=self.source, external_id=row.external_id, user=self.user,
                    taken_on=row.taken_on, source_lesion=row.lesion, **fields_of(row, label),
                )  # fmt: skip
        except IntegrityError:
            # Somebody uploaded the same file meanwhile, so that it stays the clinic's; or a worker that this one
            # took over from was still alive.
            if not is_known(self.clinic, accepted.sha256):
                raise
        else:
            if row.lesion:
                self._lesions[_lesion_key(row)] = photo.lesion_id

    def _name(self, label: str, subtype: str) -> None:
        """What is new to the clinic's vocabulary is added to it."""
        vocabulary.label(self.clinic, self.user, label)
        vocabulary.subtype(self.clinic, self.user, label, subtype)

    def _lesion(self, row: Row) -> Lesion:
        patient = self._patient(row)
        if row.lesion and (known := self._lesions.get(_lesion_key(row))):
            return Lesion.objects.get(pk=known)
        note = f"{self.source.name}: lesion {row.lesion}"[:400] if row.lesion else ""
        # A new one is stored with its photo.
        return self._stored_lesion(row, patient) or Lesion(
            clinic=self.clinic, patient=patient, site=row.site, note=note, created_by=self.user,
            is_archived=True,
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
        code = f"{self.source.name}/{row.patient}"
        # A code that is too long, could be read two ways, or is the code of a patient of the clinic.
        if (
            len(code) > CODE_LENGTH
            or "/" in self.source.name
            or Patient.objects.filter(clinic=self.clinic, code=code, is_archived=False).exists()
        ):
            code = imaging.sha256(f"{self.source.name}\n{row.patient}".encode())[:32]
        return Patient.objects.get_or_create(
            clinic=self.clinic, code=code,
            defaults={
                "sex": row.sex, "skin_type": row.skin_type, "ethnicity": row.ethnicity,
                "is_archived": True, "created_by": self.user,
            },
        )[0]  # fmt: skip

    @transaction.atomic
    def _change(self, entry: Entry, row: Row, label: str) -> None:
        """The source says something else now: kept in the history; another label is to be reviewed again."""
        self._name(label, row.subtype)
        after = fields_of(row, label)
        if entry.label != label:
            after |= {"review": Review.PENDING, "reject_reason": "", "reviewed_by": None, "reviewed_at": None}
        changed = {
            name: [_plain(getattr(entry, name)), _plain(value)]
            for name, value in after.items()
            if getattr(entry, name) != value
        }
        Entry.objects.filter(pk=entry.pk).update(**after)
        EntryChange.objects.create(
            clinic_id=entry.clinic_id,
            entry=entry,
            action=EntryChange.Action.IMPORTED,
            by=self.user,
            fields=changed,
        )


def _lesion_key(row: Row) -> str:
    return f"{row.patient}\n{row.lesion}"


def _plain(value):
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)
