"""Where a photo goes that a program sends with all that is known of it: a patient's code, a lesion, a site."""

from dataclasses import dataclass, field

from django.db import IntegrityError, transaction

from skinclinic.models import Clinic, Lesion, Patient, Photo, User
from skinclinic.services import capture, patients


class Elsewhere(Exception):
    """What was said does not fit what stands; ``field`` names it, ``photo`` the photo that is here already."""

    def __init__(self, field: str, photo: Photo | None = None):
        super().__init__(field)
        self.field, self.photo = field, photo


@dataclass
class Arrival:
    """``lesion``: one that is there; else a new one at ``site``, under the patient of this ``code``, who is made with
    the photo where the clinic has none. ``patient_is_new`` says so afterwards."""

    clinic: Clinic
    user: User
    lesion: Lesion | None = None
    code: str = ""
    site: str = ""
    patient_is_new: bool = field(default=False, init=False)

    def require_fit(self) -> None:
        """Raise Elsewhere where the lesion is another patient's or lies at another site than was said."""
        if self.lesion is not None:
            self._require(self.lesion, None)

    def require_same(self, photo: Photo) -> None:
        """Raise Elsewhere where a photo that is here already lies elsewhere than was said."""
        if self.lesion is not None and photo.lesion_id != self.lesion.pk:
            raise Elsewhere("lesion", photo)
        self._require(photo.lesion, photo)

    def _require(self, lesion: Lesion, photo: Photo | None) -> None:
        if self.code and self._known() != lesion.patient:
            raise Elsewhere("patient_code", photo)
        if self.code and lesion.patient is None:
            raise Elsewhere("patient_code", photo)
        if self.site and lesion.site != self.site:
            raise Elsewhere("site", photo)

    def home(self) -> Lesion:
        """The lesion, saved or to be saved with its first photo. Asked in the transaction that stores the photo. Raises
        capture.Gone where lesion or patient was removed meanwhile, and Elsewhere for a patient of an imported archive,
        whose photos come by imports alone."""
        if self.lesion is not None:
            return self.lesion
        if not self.code:
            return Lesion(clinic=self.clinic, site=self.site, created_by=self.user)
        return capture.Place(self._patient(), site=self.site).home(self.user)

    def _known(self) -> Patient | None:
        return patients.with_code(self.clinic, self.code)

    def _patient(self) -> Patient:
        if found := self._known():
            if found.is_archived:
                raise Elsewhere("patient_code")
            return found
        try:
            with transaction.atomic():
                made = Patient.objects.create(clinic=self.clinic, code=self.code, created_by=self.user)
        except IntegrityError:
            if found := self._known():
                return found
            raise
        self.patient_is_new = True
        return made
