"""From the clinic to the archive: proven photos of patients who consent; a curator adds them, nobody else can."""

from collections.abc import Callable, Iterable
from datetime import date

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from skinclinic.archive import labels
from skinclinic.archive.models import Entry, EntryChange, Review, Source
from skinclinic.archive.services.curating import vocabulary
from skinclinic.archive.services.curating.entries import Content, create_entry
from skinclinic.archive.services.curating.own_facts import facts_of
from skinclinic.models import Clinic, Diagnosis, Patient, Photo, User
from skinclinic.services import kept_counts, visits
from skinclinic.services.kept_counts import Kind
from skinclinic.services.patients import FEW_PROVEN, proven_lesions
from skinclinic.services.refused import Refused
from skinclinic.vocabulary import listed

WAITING, OF_OTHER_KINDS = "photos for the archive", "of other kinds for it"

# f(photo) -> whether there is nothing to judge on it. An app that has looked registers its function when it starts.
unfit: list[Callable[[Photo], bool]] = []


def candidates(clinic: Clinic) -> QuerySet[Photo]:
    """The clinic's photos that may go into the archive and are not there yet."""
    return _allowed().filter(clinic=clinic, kind=Photo.Kind.CLOSE_UP).select_related("lesion__patient")


def _allowed() -> QuerySet[Photo]:
    return Photo.objects.filter(
        lesion__is_archived=False,
        lesion__is_proven=True,
        lesion__patient__research_consent=Patient.Consent.GIVEN,
        # As the photo's: so a database knows that another clinic's lesions are none of these.
        lesion__clinic=F("clinic"),
        archive_entry=None,
    )


# As many more there would be if overviews and dermoscopic photos counted.
kept_counts.kinds |= {
    WAITING: Kind(
        lambda: _allowed().filter(kind=Photo.Kind.CLOSE_UP),
        among=proven_lesions,
        few=FEW_PROVEN,
        listed_by=("pk",),
    ),
    OF_OTHER_KINDS: Kind(
        lambda: _allowed().exclude(kind=Photo.Kind.CLOSE_UP), among=proven_lesions, few=FEW_PROVEN
    ),
}


def why_not(photo: Photo, clinic: Clinic) -> str:
    """Why a photo may not be added, in words; "" if it may."""
    lesion = photo.lesion
    if photo.clinic_id != clinic.pk:
        return _("The photo belongs to another clinic.")
    if lesion.is_archived or Entry.objects.filter(photo=photo).exists():
        return _("The photo is in the archive already.")
    if not lesion.is_proven:
        return _("The diagnosis is not proven by pathology.")
    if lesion.patient is None or lesion.patient.research_consent != Patient.Consent.GIVEN:
        return _("The patient has not given consent to the archive.")
    if photo.kind != Photo.Kind.CLOSE_UP:
        return _("It is an overview or a dermoscopic photo; models are evaluated on clinical close-ups.")
    if any(shows_nothing(photo) for shows_nothing in unfit):
        return _("There is nothing to judge on this photo.")
    return ""


def after_treatment(photos: Iterable[Photo]) -> dict[int, date]:
    """Of those of ``photos`` that were taken after their lesion's first biopsy, by key, the day on which it last was as
    its pathology found it: they may show a wound or a scar, or what grew again. A curator looks."""
    among = list(photos)
    last = visits.last_before_treatment({photo.lesion_id for photo in among})
    return {
        photo.pk: last[photo.lesion_id]
        for photo in among
        if photo.lesion_id in last
        and visits.day_of(photo.captured_at, photo.created_at) > last[photo.lesion_id]
    }


def own_source(clinic: Clinic, user: User | None) -> Source:
    """The source of the clinic's own photos, made when it is first needed."""
    source = Source.objects.filter(clinic=clinic, is_own=True).first()
    if source:
        return source
    name = clinic.name
    while Source.objects.filter(clinic=clinic, name=name).exists():
        name = f"{name} *"[-120:]
    return Source.objects.create(clinic=clinic, name=name, is_own=True, created_by=user)


def label_of(diagnosis: Diagnosis) -> str:
    """The pathology as a label: one of the 12, or a background disease by its name in the list, else by its text or
    ICD-10 code."""
    if not diagnosis.disease and (entry := listed.recorded(diagnosis.icd10, diagnosis.text)):
        return entry.key
    return diagnosis.disease or labels.tidy(diagnosis.text)[:120] or diagnosis.icd10


def add(photo: Photo, clinic: Clinic, user: User) -> Entry:
    """Add one photo, accepted by this curator. Raises Refused with the reason."""
    if reason := why_not(photo, clinic):
        raise Refused("", reason)
    try:
        content = Content.of_stored(photo)
    except OSError as error:
        raise Refused("", _("The file of the photo cannot be read; restore it from a backup.")) from error
    return _add(photo, clinic, user, content)


@transaction.atomic
def _add(photo: Photo, clinic: Clinic, user: User, content: Content) -> Entry:
    # Holds back a consent that is withdrawn at the same moment, and a second click.
    photo = Photo.objects.select_related("lesion").select_for_update().get(pk=photo.pk)
    if photo.lesion.patient_id:
        photo.lesion.patient = Patient.objects.select_for_update().get(pk=photo.lesion.patient_id)
    if reason := why_not(photo, clinic):
        raise Refused("", reason)
    diagnosis = photo.lesion.diagnoses.filter(kind=Diagnosis.Kind.PATHOLOGY, withdrawn_at=None).first()
    label = label_of(diagnosis) if diagnosis else ""
    if diagnosis is None or not label:
        raise Refused("", _("The pathology names no diagnosis."))
    label = vocabulary.label(clinic, user, label, icd10=diagnosis.icd10)
    patient = photo.lesion.patient
    day = timezone.localdate(photo.captured_at) if photo.captured_at else None
    entry = create_entry(
        photo=photo, content=content, source=own_source(clinic, user), external_id=f"photo-{photo.pk}",
        label=label, user=user, action=EntryChange.Action.ADDED, taken_on=day,
        age=max(day.year - patient.birth_year, 0) if day and patient and patient.birth_year else None,
        icd10=diagnosis.icd10, text=diagnosis.text, is_proven=True, **facts_of(photo.lesion),
        confirmed_by=diagnosis.confirmed_by or Diagnosis.ConfirmedBy.HISTOPATHOLOGY,
    )  # fmt: skip
    entry.review, entry.reviewed_by, entry.reviewed_at = Review.ACCEPTED, user, timezone.now()
    entry.save(update_fields=["review", "reviewed_by", "reviewed_at"])
    kept_counts.changed(clinic, [WAITING], [photo.pk], -1)
    return entry
