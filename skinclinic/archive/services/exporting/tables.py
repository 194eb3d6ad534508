"""The tables of an export: what a frozen version says of each photo, in words and in ISIC columns.

Nothing that leads to a person is in them: no code, no file name, no date; a patient is a pseudonym, a day is
counted from that patient's first photo.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from django.db.models import Min
from django.utils.translation import gettext as _

from skinclinic.archive import labels
from skinclinic.archive.formats import isic_fields
from skinclinic.archive.models import DatasetItem, DatasetVersion
from skinclinic.services.patient_codes import leads_to_person, without_codes
from skinclinic.services.refused import Refused
from skinclinic.vocabulary import ages, skin_types, tags
from skinclinic.vocabulary.diseases import BY_KEY
from skinclinic.web.csv_table import pieces

COLUMNS = (
    "photo", "file", "sha256", "label", "label_name", "tier", "subtype", "icd10", "impression", "text",
    "proven", "confirmed_by", "patient", "lesion", "age", "sex", "skin_type", "ethnicity", "site", "year",
    "day", "kind", "split", "source", "synthetic", "tags",
)  # fmt: skip
ISIC, PHOTOS, ABOUT = "isic.csv", "photos.csv", "dataset.json"
# In photos.csv only where a photo is there with several of its lesions.
SQUARE = "square"
# The ISIC Archive's, and at the end five of ours that tell what its own cannot.
ISIC_COLUMNS = (
    "isic_id", "attribution", "copyright_license", "patient_id", "lesion_id", "age_approx", "sex",
    "fitzpatrick_skin_type", "anatom_site_general", "anatom_site_special", *isic_fields.SITE, *isic_fields.DIAGNOSIS,
    "diagnosis_confirm_type", "image_type", "dermoscopic_type", "tbp_tile_type", "image_manipulation",
    "acquisition_day", "concomitant_biopsy", "clin_size_long_diam_mm", "melanocytic", "mel_thick_mm",
    "mel_mitotic_index", "mel_ulcer", "personal_hx_mm", "family_hx_mm", "label", "subtype", "site", "split", SQUARE,
)  # fmt: skip
# Made here, of hashes and numbers.
_OURS = {
    "photo", "file", "sha256", "isic_id", "patient", "patient_id", "lesion", "lesion_id", "day", "acquisition_day",
    SQUARE,
}  # fmt: skip
# What a curator wrote of a source, an address and a year of publication among it.
_UNCHECKED = _OURS | {"attribution", "copyright_license"}
_DAY = re.compile(r"(?<!\d)(19|20)\d\d[-./ ](0?[1-9]|1[0-2])[-./ ](0?[1-9]|[12]\d|3[01])(?!\d)")
# Of a member; what else its photo's entry says is not asked for.
_READ = tuple(column.name for column in DatasetItem._meta.concrete_fields)
_ISIC_OLDEST = 85
_ISIC_TYPES = {
    "dermoscopic": "dermoscopic",
    "overview": "clinical: overview",
    "close_up": "clinical: close-up",
}


@dataclass(frozen=True)
class Written:
    """A table as it was written: its size in bytes and its SHA-256."""

    size: int
    sha256: str


def columns_of(version: DatasetVersion) -> tuple[str, ...]:
    """The columns of ``photos.csv``."""
    held = version.items.exclude(entry=None).exclude(entry__photo__picture="")
    return (*COLUMNS, SQUARE) if held.exists() else COLUMNS


def photo_file(sha256: str) -> str:
    """The name of a photo in an export."""
    return f"photos/{sha256}.jpg"


def tables(
    version: DatasetVersion, *, thumbnails: bool, texts: bool
) -> Iterator[tuple[str, Iterator[bytes]]]:
    """(file name, its bytes in pieces) of each table.

    With thumbnails no hash is given, for it is not theirs. ``texts``: with what pathologists wrote, in which
    nobody can rule out a name.
    """
    first_days = dict(
        version.items.exclude(person="").order_by().values_list("person").annotate(day=Min("taken_on"))
    )
    licences = {
        source["name"]: (source.get("citation") or "", source.get("licence") or "")
        for source in _sources(version)
    }
    squares = _squares(version)
    isic = (
        _in_order(
            ISIC_COLUMNS,
            _checked(_isic_row(item, first_days, licences) | {SQUARE: squares.get(item.pk, "")}),
        )
        for item in _items(version)
    )
    yield ISIC, pieces(ISIC_COLUMNS, isic)
    left_out = ({"sha256": ""} if thumbnails else {}) | ({} if texts else {"text": ""})
    columns = (*COLUMNS, SQUARE) if squares else COLUMNS
    rows = (
        _in_order(columns, _checked(_row(item, first_days) | {SQUARE: squares.get(item.pk, "")} | left_out))
        for item in _items(version)
    )
    yield PHOTOS, pieces(columns, rows)
    about = {
        "format": 1,
        "name": version.dataset.name,
        "version": version.number,
        "role": version.dataset.role,
        "sha256": version.sha256,
        "split": version.split,
        "sources": version.provenance,
        "count": version.items.count(),
        "thumbnails": thumbnails,
    }
    yield ABOUT, iter([json.dumps(about, ensure_ascii=False, indent=1).encode()])


def _sources(version: DatasetVersion) -> list[dict]:
    """Where its photos come from, as it was when the version was frozen."""
    return [source for source in version.provenance if isinstance(source, dict)]


def _squares(version: DatasetVersion) -> dict[int, str]:
    """{item: "left top side" in pixels} of photos with several lesions: a line each, which the square tells apart."""
    held = version.items.exclude(entry=None).exclude(entry__photo__picture="")
    found = {}
    for item in held.select_related("entry__photo"):
        box = item.kept_entry.photo.box
        found[item.pk] = f"{box.x} {box.y} {box.size}"
    return found


def _items(version: DatasetVersion) -> Iterator[DatasetItem]:
    rows = version.items.select_related("entry__patient").order_by("content_sha256", "pk")
    return rows.only(*_READ, "entry__patient__code").iterator(2000)


def _checked(row: dict) -> dict:
    """The row, if nothing in it leads to a person or tells a day. Raises Refused, naming photo and column."""
    for name, value in row.items():
        if (
            isinstance(value, str)
            and name not in _UNCHECKED
            and (_DAY.search(value) or leads_to_person(value))
        ):
            message = _(
                "Photo %(photo)s is not exported: its column “%(column)s” holds a date, an address or a number that "
                "may lead to a person. Correct that in the archive and make a new version."
            )
            raise Refused("", message % {"photo": row.get("photo") or row.get("isic_id"), "column": name})
    return row


def _in_order(columns: Sequence[str], row: dict) -> list:
    return [row[name] for name in columns]


def _row(item: DatasetItem, first_days: dict) -> dict:
    first = first_days.get(item.person)
    return {
        "photo": item.content_sha256[:16],
        "file": photo_file(item.content_sha256),
        "sha256": item.content_sha256,
        "label": item.label,
        "label_name": labels.name(item.label),
        "tier": BY_KEY[item.label].tier if item.label in BY_KEY else "",
        "subtype": item.subtype,
        "icd10": item.icd10,
        "impression": item.impression,
        "text": _without_dates(item),
        "proven": "yes" if item.is_proven else "no",
        "confirmed_by": item.confirmed_by,
        "patient": item.person,
        "lesion": item.lesion,
        "age": ages.written(item.age, item.age_to),
        "sex": item.sex,
        "skin_type": item.skin_type,
        "ethnicity": item.ethnicity,
        "site": item.site,
        "year": item.taken_on.year if item.taken_on else "",
        "day": (item.taken_on - first).days if item.taken_on and first else "",
        "kind": item.kind,
        "split": item.split,
        "source": item.source_name,
        "synthetic": "yes" if item.is_synthetic else "no",
        "tags": " ".join(tags.split(item.tags)),
    }


def _without_dates(item: DatasetItem) -> str:
    """What the pathologist wrote, without days and the patient's own code."""
    entry = item.entry
    codes = [entry.patient.code] if entry and entry.patient else []
    return _DAY.sub("–", without_codes(item.text, codes)) if item.text else ""


def _isic_age(item: DatasetItem) -> int | str:
    """Rounded to 5 years, 85 standing for all above, as the archive writes it; of another range nothing."""
    if item.age is None or (item.age_to is not None and not item.age >= _ISIC_OLDEST):
        return ""
    return min(5 * ((item.age + 2) // 5), _ISIC_OLDEST)


def _isic_row(item: DatasetItem, first_days: dict, licences: dict[str, tuple[str, str]]) -> dict:
    """What the ISIC Archive's columns hold of a photo; of what nobody said, nothing."""
    said: dict[str, str] = item.isic or {}
    row: dict[str, object] = dict.fromkeys(ISIC_COLUMNS, "")
    row |= {name: value for name, value in said.items() if name in row}
    is_melanoma = item.label == "mm"
    if not is_melanoma:
        row |= dict.fromkeys(isic_fields.OF_MELANOMA, "")
    row |= zip(isic_fields.DIAGNOSIS, isic_fields.diagnosis(item.label, said), strict=True)
    row |= zip(isic_fields.SITE, isic_fields.site(item.site), strict=True)
    attribution, licence = licences.get(item.source_name, ("", ""))
    confirmed_by = item.confirmed_by or ("histopathology" if item.is_proven else "")
    first = first_days.get(item.person)
    image_type = _ISIC_TYPES.get(item.kind, "")
    row |= {
        "isic_id": PurePosixPath(photo_file(item.content_sha256)).stem,
        "attribution": attribution,
        "copyright_license": licence,
        "patient_id": item.person,
        "lesion_id": item.lesion,
        "age_approx": _isic_age(item),
        "sex": item.sex if item.sex in ("male", "female") else "",
        "fitzpatrick_skin_type": skin_types.name(item.skin_type)
        if item.skin_type in skin_types.SINGLE
        else "",
        "anatom_site_general": isic_fields.general_site(item.site),
        "anatom_site_special": isic_fields.special_site(item.site, said.get("anatom_site_special", "")),
        "diagnosis_confirm_type": confirmed_by,
        "image_type": said.get("image_type", "") or image_type,
        "label": item.label,
        "subtype": item.subtype,
        "site": item.site,
        "split": item.split,
    }
    if item.is_synthetic:
        row["image_manipulation"] = "synthetic"
    if item.taken_on and first:
        row["acquisition_day"] = (item.taken_on - first).days
    if confirmed_by != "histopathology":
        row["concomitant_biopsy"] = ""
    if row["image_type"] != "dermoscopic":
        row["dermoscopic_type"] = ""
    return row
