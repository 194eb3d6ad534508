"""Where a photo goes that was taken of a known patient: into one of the patient's lesions, or a new one at a place.

It may come days after it was taken, when the patient or the lesion is no longer there: then it goes nowhere by itself.
"""

from dataclasses import dataclass

from skinclinic.models import Lesion, Patient, Photo, User


class LesionGone(Exception):
    """The lesion was removed, or is another patient's now."""


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
        """The lesion a photo goes to; a new one is not saved, but with its first photo. Raises LesionGone."""
        own = self.patient.lesions.select_related("patient", "clinic")
        if self.lesion is not None:
            if (lesion := own.filter(pk=self.lesion).first()) is None:
                raise LesionGone
            return lesion
        known = own.filter(place_key=self.key).first() if self.key else None
        return known or Lesion(
            clinic=self.patient.clinic,
            patient=self.patient,
            place_key=self.key,
            site=self.site,
            site_x=self.site_x,
            site_y=self.site_y,
            created_by=user,
        )

    def require_here(self, photo: Photo) -> None:
        """In the transaction that stores the photo, when its lesion is held: see that it is still this patient's.
        Raises LesionGone."""
        if not Lesion.objects.filter(pk=photo.lesion_id, patient=self.patient).exists():
            raise LesionGone

    def holds(self, photo: Photo) -> bool:
        """Whether the photo lies where this says."""
        lesion = photo.lesion
        if lesion.patient_id != self.patient.pk:
            return False
        return lesion.pk == self.lesion if self.lesion is not None else lesion.place_key == self.key
