"""Which rows there are resources of, with all that these need, and when each was changed last (``updated``)."""

from datetime import datetime

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from classifier.models import Analysis, ModelVersion
from classifier.services import size
from skinclinic.models import Diagnosis, Lesion, Patient, Photo, RecordChange, User
from skinclinic.permissions import clinics_of


def _changed(of: str) -> Coalesce:
    """When people last changed a patient or a lesion: later than it was made, if they did."""
    last = RecordChange.objects.filter(**{of: OuterRef("pk")}).order_by("-at").values("at")[:1]
    return Coalesce(Subquery(last), F("created_at"))


def updated_of(row: Patient | Lesion) -> datetime:
    """When it was changed last, of rows that come from here."""
    at: datetime = row.updated  # type: ignore[union-attr]  # annotated below
    return at


def patients() -> "QuerySet[Patient]":
    """Of whichever clinic; who asks is let to one by ``permissions.get_for`` or ``own``."""
    rows = Patient.objects.filter(is_archived=False).annotate(updated=_changed("patient"))
    return rows.select_related("clinic").prefetch_related("former_codes").order_by("-id")


def lesions() -> "QuerySet[Lesion]":
    """Those that are filed: FHIR's BodyStructure has a patient."""
    return size.filed().annotate(updated=_changed("lesion")).select_related("clinic").order_by("-id")


def photos() -> "QuerySet[Photo]":
    rows = Photo.objects.filter(is_archived=False, lesion__is_archived=False).annotate(
        updated=F("created_at")
    )
    return rows.select_related("clinic", "lesion").order_by("-id")


def analyses() -> QuerySet[Analysis]:
    """Those that somebody asked for."""
    rows = size.asked().annotate(updated=Coalesce("analysed_at", "requested_at"))
    # The maps are the larger part of a row, and drawn alone.
    kept = rows.select_related("clinic", "job", "model_version", "photo__lesion").defer("maps")
    return kept.prefetch_related("model_version__threshold_sets").order_by("-id")


def pathologies() -> "QuerySet[Diagnosis]":
    rows = Diagnosis.objects.filter(kind=Diagnosis.Kind.PATHOLOGY, lesion__is_archived=False)
    rows = rows.annotate(updated=Coalesce("withdrawn_at", "created_at"))
    return rows.select_related("clinic", "lesion").order_by("-id")


def models_of(user: User) -> "QuerySet[ModelVersion]":
    """The product's and those of the person's clinics."""
    rows = ModelVersion.objects.filter(Q(clinic=None) | Q(clinic__in=clinics_of(user)))
    return rows.annotate(updated=F("registered_at")).order_by("-id")


def own(rows: QuerySet, user: User) -> QuerySet:
    """Of rows those of the person's clinics."""
    return rows.filter(clinic__in=clinics_of(user))
