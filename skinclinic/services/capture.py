"""Where a photo goes that was taken of a known patient: into one of the patient's lesions, or a new one at a place.

It may come days after it was taken, when the patient or the lesion is no longer there: then it goes nowhere by itself.
"""

from dataclasses import dataclass

from django.db import transaction

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
        patient, lesion = self._held()
        if patient is None or (lesion is None and self.lesion is not None):
            raise Gone
        return lesion or Lesion(
            clinic=patient.clinic,
            patient=patient,
            place_key=self.key,
            site=self.site,
            site_x=self.site_x,
            site_y=self.site_y,
            created_by=user,
        )

    def _held(self) -> tuple[Patient | None, Lesion | None]:
        """The patient and the lesion that is there already; lesions first, as everybody locks them who takes more."""
        own = Lesion.objects.filter(patient=self.patient.pk)
        if self.lesion is not None:
            own = own.filter(pk=self.lesion)
        else:
            own = own.filter(place_key=self.key) if self.key else own.none()
        while True:
            before = transaction.savepoint()
            lesion = hold(own.order_by("pk")).first()
            patient = Patient.objects.select_for_update(no_key=True).filter(pk=self.patient.pk).first()
            if own.order_by("pk").first() == lesion:
                transaction.savepoint_commit(before)
                return patient, lesion
            # Another photo has opened it while this waited for the patient.
            transaction.savepoint_rollback(before)

    def holds(self, photo: Photo) -> bool:
        """Whether the photo lies where this says."""
        lesion = photo.lesion
        if lesion.patient_id != self.patient.pk:
            return False
        return lesion.pk == self.lesion if self.lesion is not None else lesion.place_key == self.key
