"""A stored photo as DICOM. Reads its file: not in a transaction."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone, translation

from skinclinic.dicom.codes import Coded
from skinclinic.dicom.facts import PhotoFacts
from skinclinic.files import store
from skinclinic.models import Photo
from skinclinic.services import codes, visits
from skinclinic.vocabulary import laterality, sites
from skinclinic.vocabulary.codes import Code

if TYPE_CHECKING:
    from skinclinic.dicom.objects import Made


def facts_of(photo: Photo) -> PhotoFacts:
    """All that is told of it. Raises OSError where its file is gone."""
    lesion, known = photo.lesion, codes.table(photo.clinic)
    is_dermoscopic = photo.kind == Photo.Kind.DERMOSCOPIC
    patient = lesion.patient
    day = visits.day_of(photo.captured_at, photo.created_at)
    age = day.year - patient.birth_year if patient and patient.birth_year else None
    with translation.override("en"):
        site_name = sites.name(lesion.site)
    return PhotoFacts(
        namespace=photo.clinic.uid_namespace,
        clinic=photo.clinic.name,
        patient=patient.pk if patient else None,
        patient_code=patient.code if patient else "",
        sex=patient.sex if patient else "",
        age=age if age is not None and 0 <= age <= 120 else None,
        lesion=lesion.pk,
        photo=photo.pk,
        kind=photo.kind,
        site=lesion.site,
        site_name=site_name,
        site_code=coded(known.site(lesion.site)),
        procedure_code=coded(known.procedure("dermoscopy" if is_dermoscopic else "photography")),
        laterality=laterality.side_of(lesion.site, lesion.site_x, lesion.site_y),
        day=day,
        taken=timezone.make_naive(photo.captured_at) if photo.captured_at else None,
        offset=photo.captured_offset,
        jpeg=store.read(photo.file_key),
        is_covered=photo.covers.exists(),
        is_synthetic=photo.is_synthetic,
        software=str(settings.SPECTACULAR_SETTINGS["VERSION"]),
    )


def coded(code: Code | None) -> Coded | None:
    """A code of the clinic's table as DICOM has it; None where it has none."""
    triple = code.triple() if code else None
    return Coded(*triple) if triple else None


def made_of(photo: Photo) -> "Made":
    """The photo's object. Raises OSError where its file is gone."""
    # Most processes make none.
    from skinclinic.dicom import objects

    return objects.photo(facts_of(photo))
