"""Where a photo goes that was taken of a known patient: into one of the patient's lesions, or a new one at a place.

It may come days after it was taken, when the patient or the lesion is no longer there: then it goes nowhere by itself.
"""

from dataclasses import dataclass

from skinclinic.models import Lesion, Patient, Photo, User
from skinclinic.services.cases import hold


class Gone(Exception):
    """The lesion was removed or is another patient's now, or the patient was removed; nothing is stored."""


@dataclass(frozen=True)
class Place:
    """``lesion``: the key of a lesion of the patient; None: a new one at ``site``, which the photos that come with
    the same ``key`` share."""

    patient: Patient
    lesion: int | None = None
    key: str = ""
    site: str = ""
    site_x: float | None = None
    site_y: float | None = None

    def home(self, user: User) -> Lesion:
        """The lesion a photo goes to, held; a new one is not saved, but with its first photo. Asked in the transaction
        that stores the photo: the patient is held, so that two photos of one place open one lesion. Raises Gone."""
        patient = Patient.objects.select_for_update(no_key=True).filter(pk=self.patient.pk).first()
        if patient is None:
            raise Gone
        own = hold(patient.lesions.order_by("pk"))
        if self.lesion is not None:
            if (lesion := own.filter(pk=self.lesion).first()) is None:
                raise Gone
            return lesion
        known = own.filter(place_key=self.key).first() if self.key else None
        return known or Lesion(
            clinic=patient.clinic,
            patient=patient,
            place_key=self.key,
            site=self.site,
            site_x=self.site_x,
            site_y=self.site_y,
            created_by=user,
        )

    def holds(self, photo: Photo) -> bool:
        """Whether the photo lies where this says."""
        lesion = photo.lesion
        if lesion.patient_id != self.patient.pk:
            return False
        return lesion.pk == self.lesion if self.lesion is not None else lesion.place_key == self.key
