"""Names for patients and lesions that tell them apart and lead nowhere without this server's key."""

from django.utils.crypto import salted_hmac

LENGTH = 16


def person(clinic_id: int, patient_id: int | None) -> str:
    """The patient's pseudonym, the same in every dataset of the clinic; "" for an unknown patient."""
    return _name("person", clinic_id, patient_id)


def lesion(clinic_id: int, lesion_id: int | None) -> str:
    """The lesion's pseudonym."""
    return _name("lesion", clinic_id, lesion_id)


def _name(kind: str, clinic_id: int, pk: int | None) -> str:
    if pk is None:
        return ""
    return salted_hmac(f"skinclinic.archive.{kind}.{clinic_id}", str(pk), algorithm="sha256").hexdigest()[
        :LENGTH
    ]
