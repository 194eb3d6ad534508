"""The resources that are searched for: from which rows, by which parameters, how they are told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from classifier.api.fhir.searching import (
    Parameter,
    days,
    keys,
    moments,
    number,
    of_system,
    patient_codes,
    referenced,
    words,
    years,
)
from classifier.presenters.fhir import answers, people, photos, rows
from classifier.presenters.fhir.teller import Teller
from classifier.services import size
from skinclinic.fhir.parts import Json
from skinclinic.models import Patient, User
from skinclinic.services import kept_counts

Rows = Callable[[User], QuerySet]


@dataclass(frozen=True)
class Kind:
    """``of_answers``: rows are analyses, whose answers may be kept back. ``sorts``: {parameter of ``_sort``: the column
    or expression, never null}. ``counted_as``: what all rows of a clinic are among ``kept_counts.kinds``; "" of few."""

    name: str
    rows: Rows
    tell: Callable[[Any, Teller], Json]
    parameters: dict[str, Parameter]
    sorts: Mapping[str, str | Combinable]
    operations: tuple[str, ...] = ()
    of_answers: bool = False
    counted_as: str = ""


def _whose(column: str) -> dict[str, Parameter]:
    """By patient: ``patient``, its other name, and ``patient.identifier``, by which a record system finds its own."""
    one, code = referenced(column, "Patient"), patient_codes(column)
    return {"patient": one, "subject": one, "patient.identifier": code, "subject.identifier": code}


_ANY = {"_id": keys(), "_lastUpdated": moments("updated")}
_SORTS = {"_id": "id", "_lastUpdated": "updated"}
_TAKEN = moments("photo__captured_at", "photo__created_at")
PATIENT = Kind(
    "Patient",
    lambda user: rows.own(rows.patients(), user),
    people.patient,
    {
        **_ANY,
        "identifier": patient_codes("pk"),
        "gender": words(
            "sex",
            {key: key for key in Patient.Sex.values},
            "http://hl7.org/fhir/administrative-gender",
        ),
        "birthdate": years("birth_year"),
    },
    {**_SORTS, "identifier": "code", "birthdate": Coalesce("birth_year", Value(0))},
    ("match",),
    counted_as=kept_counts.PATIENTS,
)
BODY_STRUCTURE = Kind(
    "BodyStructure",
    lambda user: rows.own(rows.lesions(), user),
    people.body_structure,
    {
        **_ANY,
        "identifier": number("pk", "lesion"),
        "patient": referenced("patient", "Patient"),
        "patient.identifier": patient_codes("patient"),
    },
    _SORTS,
    ("everything",),
    counted_as=size.FILED,
)
MEDIA = Kind(
    "Media",
    lambda user: rows.own(rows.photos(), user),
    photos.media,
    {
        **_ANY,
        "identifier": number("pk", "photo"),
        **_whose("lesion__patient"),
        "created": moments("captured_at", "created_at"),
    },
    {**_SORTS, "created": Coalesce("captured_at", "created_at")},
    counted_as=kept_counts.CASE_PHOTOS,
)
REPORT = Kind(
    "DiagnosticReport",
    lambda user: rows.own(rows.analyses(), user),
    answers.report,
    {
        **_ANY,
        "identifier": number("pk", "analysis"),
        **_whose("photo__lesion__patient"),
        "date": _TAKEN,
        "issued": moments("analysed_at"),
        "media": referenced("photo", "Media"),
    },
    {**_SORTS, "date": Coalesce("photo__captured_at", "photo__created_at"), "issued": "updated"},
    of_answers=True,
    counted_as=size.ASKED,
)
PROVENANCE = Kind(
    "Provenance",
    lambda user: rows.own(rows.analyses(), user).filter(analysed_at__isnull=False),
    answers.provenance,
    {
        **_ANY,
        "target": referenced("pk", "DiagnosticReport"),
        "patient": referenced("photo__lesion__patient", "Patient"),
        "recorded": moments("analysed_at"),
        "agent": referenced("model_version", "Device"),
    },
    {**_SORTS, "recorded": "updated"},
    of_answers=True,
    counted_as=size.ANSWERED,
)
DEVICE = Kind(
    "Device",
    rows.models_of,
    answers.device,
    {**_ANY, "identifier": Parameter("token", lambda found, sent, teller: found.filter(
        weights_sha256__in=of_system(sent, f"{teller.base}/NamingSystem/model")
    ))},
    _SORTS,
)  # fmt: skip
OBSERVATION = "Observation"
# Observations are of two kinds of rows, each with these parameters.
OF_PATHOLOGY = {
    "_id": keys(prefix="pathology-"),
    "_lastUpdated": moments("updated"),
    **_whose("lesion__patient"),
    "date": days("diagnosed_on", "created_at"),
}
OF_SCORES = {"_lastUpdated": moments("updated"), **_whose("photo__lesion__patient"), "date": _TAKEN}
SEARCHED = {kind.name: kind for kind in (PATIENT, BODY_STRUCTURE, MEDIA, REPORT, PROVENANCE, DEVICE)}
