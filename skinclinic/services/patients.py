"""Finding patients by code, and what is shown beside it."""

from typing import TYPE_CHECKING, TypedDict

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from skinclinic.models import Clinic, FormerCode, Lesion, Patient
from skinclinic.services import kept_counts, patient_codes
from skinclinic.services.held import holding
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext
from skinclinic.web.inputs import storable

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

MOST_OFFERED = 8
# A request looks through the photos and patients of so many proven lesions: each costs as much as ten entries of an
# index.
FEW_PROVEN = 500
_TO_ASK = "patients to ask"


class Counts(TypedDict):
    """What ``matching`` counts of a patient; None for none."""

    lesion_count: int | None
    cover: int | None


def with_code(clinic: Clinic, code: str) -> Patient | None:
    """The clinic's patient of this code, whatever its case and spacing; of a merged one's, the one it became."""
    code = patient_codes.tidy(code) if storable(code) else ""
    if not code:
        return None
    patients = Patient.objects.filter(clinic=clinic)
    return (
        patients.filter(code__iexact=code).first()
        or patients.filter(pk__in=formerly(clinic, code__iexact=code)).first()
    )


def codes_of(patient: Patient | None) -> list[str]:
    """The codes under which the patient is and was known."""
    if patient is None:
        return []
    return [patient.code, *patient.former_codes.values_list("code", flat=True)]


def formerly(clinic: Clinic, **such: str) -> QuerySet[FormerCode, int]:
    """Keys of patients that had such a code until they were merged with another: ``code__iexact="P-1"``. Beside other
    conditions it is to be read first: with a subquery among alternatives the database would read all patients."""
    return FormerCode.objects.filter(clinic=clinic, **such).order_by().values_list("patient", flat=True)


def matching(clinic: Clinic, text: str) -> "QuerySet[WithAnnotations[Patient, Counts]]":
    """The clinic's patients whose code holds the text, with ``lesion_count`` and ``cover`` (a photo's key)."""
    patients = Patient.objects.filter(clinic=clinic, is_archived=False)
    text = patient_codes.tidy(text) if storable(text) else ""
    if text:
        former = list(formerly(clinic, code__icontains=text))
        patients = patients.filter(holding(patients, "code", text) | Q(pk__in=former))
    lesions = Lesion.objects.filter(clinic=clinic, patient=OuterRef("pk")).order_by()
    newest = Lesion.objects.filter(clinic=clinic, patient=OuterRef("pk"), cover__isnull=False)
    counts = lesions.values("patient").annotate(count=Count("pk")).values("count")
    return patients.annotate(
        lesion_count=Subquery(counts),
        cover=Subquery(newest.order_by("-created_at", "-id").values("cover")[:1]),
    )


def to_ask(clinic: Clinic) -> QuerySet[Patient]:
    """Patients who were not asked yet whether the archive may have the photos of a lesion that is proven."""
    return _to_ask().filter(clinic=clinic)


def how_many_to_ask(clinic: Clinic) -> kept_counts.Counted:
    """Their number; of many, those who were asked lately are still among them."""
    return kept_counts.of(clinic, _TO_ASK)[_TO_ASK]


def proven_lesions() -> QuerySet[Lesion]:
    """Those of cases that are proven by pathology, of all clinics."""
    return Lesion.objects.filter(is_proven=True, is_archived=False)


def _to_ask() -> QuerySet[Patient]:
    # Of the patient's clinic, as it goes without saying to all but databases, which have lesions in order of theirs.
    theirs = proven_lesions().filter(photo_count__gt=0, patient=OuterRef("pk"), clinic=OuterRef("clinic"))
    return Patient.objects.filter(
        Exists(theirs), is_archived=False, research_consent=Patient.Consent.NOT_ASKED
    )


kept_counts.kinds[_TO_ASK] = kept_counts.Kind(_to_ask, among=proven_lesions, few=FEW_PROVEN)


def codes_like(clinic: Clinic, text: str) -> "list[WithAnnotations[Patient, Counts]]":
    """Up to 8 patients for a type-ahead: those whose code begins with the text before those that hold it."""
    text = patient_codes.tidy(text) if storable(text) else ""
    found = matching(clinic, "")
    begins = list(found.filter(code__istartswith=text).order_by("code")[:MOST_OFFERED])
    if len(begins) == MOST_OFFERED or not text:
        return begins
    held = holding(Patient.objects.filter(clinic=clinic), "code", text) | Q(
        pk__in=list(formerly(clinic, code__icontains=text))
    )
    rest = found.filter(held).exclude(code__istartswith=text).order_by("code")
    return begins + list(rest[: MOST_OFFERED - len(begins)])


def in_short(patient: "WithAnnotations[Patient, Counts]") -> str:
    """The patient in a few words for a list of choices."""
    count = patient.lesion_count or 0
    parts = [
        str(patient.birth_year or ""),
        str(patient.get_sex_display()),
        _("skin type %(type)s") % {"type": patient.get_skin_type_display()} if patient.skin_type else "",
        ngettext("%(count)s lesion", "%(count)s lesions", count) % {"count": count},
    ]
    return " · ".join(part for part in parts if part)


def lesions_of(patient: Patient) -> QuerySet[Lesion]:
    """The patient's lesions, newest first, with their cover photos and those whose answers they carry."""
    return (
        Lesion.objects.filter(clinic=patient.clinic_id, patient=patient)
        .select_related("cover", "answer_photo")
        .order_by("-created_at", "-id")
    )
