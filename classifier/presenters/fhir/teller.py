"""For whom resources are made and where they are read."""

from collections.abc import Iterable
from functools import cached_property

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from classifier.models import Analysis
from classifier.services.analysis import assessments
from skinclinic.fhir.parts import Json, concept, reference
from skinclinic.models import Lesion, Photo, User
from skinclinic.permissions import member_of
from skinclinic.services import codes
from skinclinic.vocabulary import sites
from skinclinic.vocabulary.codes import SITE

# The extension of FHIR R4 by which a coded site names the structure it is of.
BODY_SITE = "http://hl7.org/fhir/StructureDefinition/bodySite"


def base_of(request: HttpRequest) -> str:
    """The address of the FHIR server, without a slash at its end."""
    return request.build_absolute_uri(reverse("api-fhir-metadata")).removesuffix("/metadata")


class Teller:
    """``base``: the address of the FHIR server, without a slash at its end. Keeps what many resources share."""

    def __init__(self, user: User, base: str):
        self.user, self.base = user, base
        self._tables: dict[int, codes.Table] = {}

    @cached_property
    def own_codes(self) -> str:
        """The URI of the codes that only this product has."""
        return f"{self.base}/CodeSystem/skinclinic"

    def own(self, code: str, text: str) -> Json:
        """A concept that only this product has."""
        return concept(text, {"system": self.own_codes, "code": code})

    def codes(self, clinic_id: int) -> codes.Table:
        """The clinic's codes, read once."""
        if clinic_id not in self._tables:
            self._tables[clinic_id] = codes.table(clinic_id)
        return self._tables[clinic_id]

    def hidden(self, rows: Iterable[Analysis]) -> set[int]:
        """Photos whose answers are kept back until the person's own impression."""
        by_clinic: dict[int, set[int]] = {}
        for row in rows:
            by_clinic.setdefault(row.clinic_id, set()).add(row.photo_id)
        return {
            photo
            for clinic, photos in by_clinic.items()
            for photo in assessments.hidden_photo_ids(self.user, member_of(self.user, clinic), photos)
        }

    def subject(self, lesion: Lesion) -> Json | None:
        """Whose it is; None for a lesion that is not filed yet."""
        return reference("Patient", lesion.patient_id) if lesion.patient_id else None

    def structure(self, lesion: Lesion) -> Json | None:
        """The lesion; FHIR has none without a patient."""
        return reference("BodyStructure", lesion.pk) if lesion.patient_id else None

    def body_site(self, lesion: Lesion) -> Json | None:
        """Where it lies, coded as far as there are codes, and which lesion it is."""
        found = [code.coding() for code in self.codes(lesion.clinic_id).of(SITE, lesion.site)]
        said = sites.name(lesion.site) if lesion.site else _("Site not given")
        structure = self.structure(lesion)
        if structure is None:
            return concept(said, *found) if lesion.site else None
        return {**concept(said, *found), "extension": [{"url": BODY_SITE, "valueReference": structure}]}


def taken(photo: Photo) -> str:
    """When a photo was taken, as the camera said; when it was stored, where the camera said nothing."""
    if photo.captured_at is None:
        return photo.created_at.isoformat()
    at = timezone.localtime(photo.captured_at)
    if photo.captured_offset is not None:
        zone = timezone.get_fixed_timezone(photo.captured_offset)
        at = timezone.make_naive(photo.captured_at).replace(tzinfo=zone)
    return at.isoformat()
