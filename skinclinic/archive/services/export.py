"""Writing a frozen version out: de-identified photos and tables, as a stream of ZIP bytes or to a folder.

Nothing that leads to a person leaves: no code, no file name, no date; a patient is a pseudonym, a day is
counted from that patient's first photo.
"""

import csv
import io
import json
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.db.models import Min
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from skinclinic import imaging
from skinclinic.archive import labels
from skinclinic.archive.models import DatasetVersion
from skinclinic.archive.services import freezing, pseudonyms
from skinclinic.archive.services.datasets import Refused
from skinclinic.diseases import BY_KEY
from skinclinic.services import files

COLUMNS = (
    "photo", "file", "sha256", "label", "label_name", "tier", "subtype", "icd10", "impression", "text",
    "proven", "confirmed_by", "patient", "lesion", "age", "sex", "skin_type", "ethnicity", "site", "year",
    "day", "kind", "split", "source", "synthetic",
)  # fmt: skip
ISIC_COLUMNS = (
    "isic_id", "patient_id", "lesion_id", "age_approx", "sex", "anatom_site_general", "diagnosis_1",
    "diagnosis_2", "diagnosis_confirm_type", "fitzpatrick_skin_type", "image_type",
)  # fmt: skip
_ISIC_GROUPS = {"malignant": "Malignant", "premalignant": "Indeterminate", "benign": "Benign"}
_ISIC_SITES = {
    **dict.fromkeys(("scalp", "forehead", "nose", "periorbital", "cheek", "ear", "lip", "chin", "neck"), "head/neck"),
    **dict.fromkeys(("chest", "abdomen"), "anterior torso"),
    **dict.fromkeys(("shoulder", "upper_arm", "forearm", "hand", "finger"), "upper extremity"),
    **dict.fromkeys(("buttock", "thigh", "lower_leg", "foot", "toe"), "lower extremity"),
    **dict.fromkeys(("palm", "sole"), "palms/soles"),
    "back": "posterior torso",
    "genital": "oral/genital",
}  # fmt: skip
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Options:
    thumbnails: bool = False
    isic: bool = False


def defused(value) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def check(version: DatasetVersion) -> None:
    """Raise Refused unless the version can be exported whole."""
    if not version.is_frozen:
        raise Refused(_("Only a frozen version can be exported. Freeze it first."))
    if version.items.filter(entry=None).exists():
        raise Refused(
            _("Photos of this version were deleted; it cannot be exported any more. Make a new version.")
        )
    if n := freezing.bad_files(version):
        raise Refused(
            ngettext("The file of %d photo is gone.", "The files of %d photos are gone.", n) % n
            + " "
            + _("Restore them from a backup, then export again.")
        )


def stream(version: DatasetVersion, options: Options) -> Iterator[bytes]:
    """The ZIP, a photo at a time: memory stays flat whatever its size."""
    check(version)
    out = _Buffer()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, read in _photos(version, options):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), read())
            yield out.take()
        for name, chunks in _tables(version, options):
            with archive.open(zipfile.ZipInfo(name, _EPOCH), "w", force_zip64=True) as file:
                for chunk in chunks:
                    file.write(chunk)
                    yield out.take()
    yield out.take()


def to_folder(version: DatasetVersion, folder: Path, options: Options, say=lambda name: None) -> int:
    """Write into a folder; files that are there whole are passed over. Returns how many were written."""
    check(version)
    (folder / "photos").mkdir(parents=True, exist_ok=True)
    written = 0
    for name, read in _photos(version, options):
        target = folder / name
        if not (target.is_file() and imaging.sha256(target.read_bytes()) == (
            target.stem if not options.thumbnails else imaging.sha256(read()))
        ):  # fmt: skip
            _replace(target, [read()])
            written += 1
        say(name)
    for name, chunks in _tables(version, options):
        _replace(folder / name, chunks)
    return written


def to_file(version: DatasetVersion, target: Path, options: Options) -> None:
    """Write the ZIP; the name appears only when it is whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    _replace(target, stream(version, options))


def _replace(target: Path, chunks) -> None:
    draft = target.with_name(f"{target.name}.part")
    try:
        with draft.open("wb") as file:
            for chunk in chunks:
                file.write(chunk)
        os.replace(draft, target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


class _Buffer(io.RawIOBase):
    """What zipfile has written since the last look; it cannot be sought, so nothing is held back."""

    def __init__(self):
        self._data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        self._data += data
        return len(data)

    def take(self) -> bytes:
        data, self._data = bytes(self._data), bytearray()
        return data


def _photos(version: DatasetVersion, options: Options):
    key = "entry__photo__thumbnail_key" if options.thumbnails else "entry__photo__file_key"
    seen = set()
    for sha256, file_key in (
        version.items.order_by("content_sha256").values_list("content_sha256", key).iterator(2000)
    ):
        if sha256 in seen:
            continue
        seen.add(sha256)
        frozen = "" if options.thumbnails else sha256
        yield f"photos/{sha256}.jpg", lambda file_key=file_key, frozen=frozen: _as_frozen(file_key, frozen)


def _as_frozen(file_key: str, sha256: str) -> bytes:
    """The stored file. Raises Refused if it is not the one that was frozen (``sha256``; "" for any)."""
    data = files.read(file_key)
    if sha256 and imaging.sha256(data) != sha256:
        raise Refused(
            _(
                "The file of photo %(name)s was changed since the version was frozen. Restore it from a backup."
            )
            % {"name": sha256[:16]}
        )
    return data


def _tables(version: DatasetVersion, options: Options):
    if options.isic:
        yield "isic.csv", _csv(ISIC_COLUMNS, map(_isic_row, _items(version)))
    first_days = dict(
        version.items.exclude(person="").order_by().values_list("person").annotate(day=Min("taken_on"))
    )
    yield "photos.csv", _csv(COLUMNS, (_row(item, first_days) for item in _items(version)))
    about = {
        "format": 1,
        "name": version.dataset.name,
        "version": version.number,
        "role": version.dataset.role,
        "sha256": version.sha256,
        "split": version.split,
        "sources": version.provenance,
        "count": version.items.count(),
    }
    if options.thumbnails:
        about["thumbnails"] = True
    yield "dataset.json", [json.dumps(about, ensure_ascii=False, indent=1).encode()]


def _items(version: DatasetVersion):
    related = ("entry__photo__lesion",)
    return version.items.select_related(*related).order_by("content_sha256", "pk").iterator(2000)


def _csv(columns, rows) -> Iterator[bytes]:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\r\n")
    text.write("\ufeff")
    writer.writeheader()
    for number, row in enumerate(rows, start=1):
        writer.writerow({name: defused(value) for name, value in row.items()})
        if number % 500 == 0:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def _row(item, first_days: dict) -> dict:
    entry, photo = item.entry, item.entry.photo
    first = first_days.get(item.person)
    return {
        "photo": item.content_sha256[:16],
        "file": f"photos/{item.content_sha256}.jpg",
        "sha256": item.content_sha256,
        "label": item.label,
        "label_name": labels.name(item.label),
        "tier": BY_KEY[item.label].tier if item.label in BY_KEY else "",
        "subtype": item.subtype,
        "icd10": entry.icd10,
        "impression": entry.impression,
        "text": entry.text,
        "proven": "yes" if item.is_proven else "no",
        "confirmed_by": entry.confirmed_by,
        "patient": item.person,
        "lesion": pseudonyms.lesion(entry.clinic_id, photo.lesion_id),
        "age": item.age,
        "sex": item.sex,
        "skin_type": item.skin_type,
        "ethnicity": item.ethnicity,
        "site": item.site,
        "year": item.taken_on.year if item.taken_on else "",
        "day": (item.taken_on - first).days if item.taken_on and first else "",
        "kind": photo.kind,
        "split": item.split,
        "source": item.source_name,
        "synthetic": "yes" if photo.is_synthetic else "no",
    }


def _isic_row(item) -> dict:
    entry = item.entry
    disease = BY_KEY.get(item.label)
    return {
        "isic_id": item.content_sha256[:16],
        "patient_id": item.person,
        "lesion_id": pseudonyms.lesion(entry.clinic_id, entry.photo.lesion_id),
        "age_approx": 5 * ((item.age + 2) // 5) if item.age is not None else "",
        "sex": item.sex if item.sex in ("male", "female") else "",
        "anatom_site_general": _ISIC_SITES.get(item.site, ""),
        "diagnosis_1": _ISIC_GROUPS[disease.tier] if disease else "",
        "diagnosis_2": disease.isic if disease else item.label,
        "diagnosis_confirm_type": entry.confirmed_by or ("histopathology" if item.is_proven else ""),
        "fitzpatrick_skin_type": ["", "I", "II", "III", "IV", "V", "VI"][item.skin_type or 0],
        "image_type": "dermoscopic" if entry.photo.kind == "dermoscopic" else "clinical: close-up",
    }
