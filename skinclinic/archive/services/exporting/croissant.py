"""What an export holds as Croissant metadata (MLCommons, version 1.0), so that loaders read it without being told how.

https://docs.mlcommons.org/croissant/docs/croissant-spec.html
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from skinclinic.archive import labels
from skinclinic.archive.formats import croissant
from skinclinic.archive.models import DatasetVersion
from skinclinic.archive.services.exporting.datasheet import fit
from skinclinic.archive.services.exporting.tables import PHOTOS, Written

FILE = croissant.FILE
CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_PICTURES, _RECORDS, _LABELS = "photo-files", "photos", "labels"
# Columns that are no text; an age may be a range, so it is.
_NUMBERS = ("year", "day")
_MEANS = {
    "photo": "The photo's name in this dataset: the first 16 characters of its SHA-256",
    "file": "Name of the photo’s file, in the folder photos",
    "sha256": "SHA-256 of the photo; empty where thumbnails were exported",
    "label": "The diagnosis: a key of the record set “labels”, or the name of another diagnosis",
    "label_name": "The diagnosis in words",
    "tier": "malignant, premalignant or benign; empty for other diagnoses",
    "subtype": "Subtype of the diagnosis",
    "icd10": "ICD-10 code of the diagnosis (WHO)",
    "impression": "Clinical impression before the diagnosis was confirmed",
    "text": "What the pathologist wrote; empty unless it was asked for",
    "proven": "yes: the diagnosis is proven by histopathology; no: it is not",
    "confirmed_by": "How the diagnosis was confirmed, in the words of the ISIC Archive",
    "patient": "Pseudonym of the patient; empty: not known",
    "lesion": "Pseudonym of the lesion; several photos may show one lesion",
    "age": "Age in years, or a range of years; empty: not known",
    "sex": "male, female or other; empty: not known",
    "skin_type": "Fitzpatrick skin type 1 to 6, or a range such as 12 for I to II; empty: not known",
    "ethnicity": "Ethnicity as the source names it; empty: not known",
    "site": "Anatomic site; empty: not known",
    "year": "Year in which the photo was taken; empty: not known",
    "day": "Days since the patient's first photo in this dataset; empty: not known",
    "kind": "close_up, overview or dermoscopic; empty: not said",
    "split": "train or test; empty: not divided",
    "source": "Name of the source the photo comes from",
    "synthetic": "yes: a drawing; no: a photo",
    "tags": "What else the photo shows, divided by blanks",
    "square": "The lesion's square in the photo: left, top and side in pixels; empty: the whole photo",
}


def of(version: DatasetVersion, written: Mapping[str, Written], columns: Sequence[str]) -> dict[str, Any]:
    """The description of a version's export. ``written``: its tables as they lie there; ``columns``: those of
    ``photos.csv``. What nobody has said of the photos' sources is left out."""
    table = written[PHOTOS]
    sources = [source for source in version.provenance if isinstance(source, dict)]
    found: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": version.dataset.name,
        "description": fit(version.dataset.description, _("the description of the dataset")) or str(version),
        "conformsTo": CONFORMS_TO,
        "version": f"{version.number}.0.0",
    }
    if version.frozen_at:
        found["datePublished"] = version.frozen_at.date().isoformat()
    # One address is all that it holds; those of several sources stand with their citations.
    if len(urls := _said(sources, "url")) == 1:
        found["url"] = urls[0]
    if licences := _said(sources, "licence"):
        found["license"] = licences[0] if len(licences) == 1 else licences
    if citations := _said(sources, "citation"):
        found["citeAs"] = "; ".join(citations)
    return found | {
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": PHOTOS,
                "name": PHOTOS,
                "description": "What is known of each photo, a line each",
                "contentUrl": PHOTOS,
                "contentSize": f"{table.size} B",
                "encodingFormat": "text/csv",
                "sha256": table.sha256,
            },
            {
                "@type": "cr:FileSet",
                "@id": _PICTURES,
                "name": _PICTURES,
                "description": "The photos, each named by its SHA-256",
                "encodingFormat": "image/jpeg",
                "includes": "photos/*.jpg",
            },
        ],
        "recordSet": [_enumeration(version), _records(columns)],
    }


def _said(sources: list[dict], name: str) -> list[str]:
    return list(dict.fromkeys(str(source[name]) for source in sources if source.get(name)))


def _enumeration(version: DatasetVersion) -> dict[str, Any]:
    """The labels that occur, with their names."""
    keys = sorted(version.items.order_by().values_list("label", flat=True).distinct(), key=labels.order)
    return {
        "@type": "cr:RecordSet",
        "@id": _LABELS,
        "name": _LABELS,
        "description": "The diagnoses that occur in this dataset",
        "dataType": "sc:Enumeration",
        "key": {"@id": f"{_LABELS}/key"},
        "field": [
            {"@type": "cr:Field", "@id": f"{_LABELS}/{name}", "name": name, "dataType": "sc:Text"}
            for name in ("key", "name")
        ],
        "data": [{f"{_LABELS}/key": key, f"{_LABELS}/name": str(labels.name(key))} for key in keys],
    }


def _records(columns: Sequence[str]) -> dict[str, Any]:
    fields = [_field(name) for name in columns]
    picture = {
        "@type": "cr:Field",
        "@id": f"{_RECORDS}/image",
        "name": "image",
        "description": "The photo itself",
        "dataType": "sc:ImageObject",
        "source": {"fileSet": {"@id": _PICTURES}, "extract": {"fileProperty": "content"}},
    }
    return {
        "@type": "cr:RecordSet",
        "@id": _RECORDS,
        "name": _RECORDS,
        "description": "A record a photo of a lesion",
        "field": [*fields, picture],
    }


def _field(name: str) -> dict[str, Any]:
    source: dict[str, Any] = {"fileObject": {"@id": PHOTOS}, "extract": {"column": name}}
    found: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": f"{_RECORDS}/{name}",
        "name": name,
        "description": _MEANS[name],
        "dataType": "sc:Integer" if name in _NUMBERS else "sc:Text",
        "source": source,
    }
    if name == "file":
        # Loaders give each file's bare name, and take the same out of both.
        source["transform"] = {"regex": "^(?:photos/)?(.*)$"}
        found["references"] = {"fileSet": {"@id": _PICTURES}, "extract": {"fileProperty": "filename"}}
    return found
