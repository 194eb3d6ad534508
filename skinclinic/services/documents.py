"""Letters and reports: who made which, and letters as they were made."""

from typing import Any

from django.db import transaction

from skinclinic import imaging
from skinclinic.files import store
from skinclinic.models import BinnedRow, Clinic, Document, Lesion, Patient, User
from skinclinic.services import people, records
from skinclinic.services.refused import Refused
from skinclinic.web.counts import gettext as _

Kind = Document.Kind
# In pixels: 46 mm in print.
LOGO_SIDE = 600


def note_report(
    kind: str,
    user: User,
    *,
    language: str,
    tells_model: bool,
    patient: Patient | None,
    lesion: Lesion | None = None,
) -> Document:
    """Keep that somebody made a report, and when."""
    owner = lesion or patient
    if owner is None:
        raise ValueError("a report is on a lesion or on a patient")
    return Document.objects.create(
        clinic_id=owner.clinic_id,
        patient=patient,
        lesion=lesion,
        kind=kind,
        language=language,
        tells_model=tells_model,
        made_by=user,
    )


@transaction.atomic
def make_letter(
    patient: Patient,
    user: User,
    *,
    recipient: str,
    subject: str,
    body: str,
    signed: str,
    language: str,
    tells_model: bool,
) -> Document:
    """Keep a letter with its letterhead as it is now. The recipient is remembered as the patient's referrer. The same
    again (a double click) is one letter."""
    content = {
        "letterhead": letterhead(patient.clinic),
        "recipient": recipient,
        "subject": subject,
        "body": body,
        "signed": signed,
    }
    Patient.objects.select_for_update().get(pk=patient.pk)
    last = letters_of(patient).first()
    if last and last.content == content and last.made_by_id == user.pk and last.language == language:
        return last
    records.change(patient, {"referrer": recipient}, user)
    return Document.objects.create(
        clinic_id=patient.clinic_id,
        patient=patient,
        kind=Kind.LETTER,
        language=language,
        tells_model=tells_model,
        content=content,
        made_by=user,
    )


def letters_of(patient: Patient):
    """The letters on a patient, newest first."""
    return patient.documents.filter(kind=Kind.LETTER).select_related("made_by", "clinic")


def made_on(owner: Patient | Lesion) -> list[Document]:
    """Everything that was made on a patient or a lesion, newest first."""
    return list(owner.documents.select_related("made_by", "lesion"))


def letterhead(clinic: Clinic) -> dict[str, Any]:
    """The head of the clinic's letters as it is now."""
    return {
        "name": clinic.name,
        "address": clinic.letter_address,
        "phone": clinic.letter_phone,
        "logo": clinic.letter_logo,
    }


def logo_is_needed(clinic: Clinic, key: str) -> bool:
    """Whether a letter that was made before has this logo, also one that lies in the bin."""
    binned = BinnedRow.objects.filter(
        item__clinic=clinic, model="skinclinic.document", data__content__letterhead__logo=key
    )
    return Document.objects.filter(clinic=clinic, content__letterhead__logo=key).exists() or binned.exists()


def checked(words: str, longest: int, field: str, label: str, *, is_needed: bool = True) -> str:
    """The text of a form as it may be kept. Raises Refused."""
    words = "\n".join(words.replace("\0", "").splitlines()).strip()
    if is_needed and not words:
        raise Refused(field, _("Fill in: %(label)s.") % {"label": label})
    if len(words) > longest:
        message = _("Shorten this to %(longest)s characters; it has %(count)s.")
        raise Refused(field, message % {"longest": longest, "count": len(words)})
    return words


def save_letterhead(clinic: Clinic, logo: bytes | None, *, without_logo: bool = False) -> None:
    """Store the head of the clinic's letters; ``logo``: a stored picture's bytes, in place of the one before. That
    goes, unless a letter has it. Raises files.StorageFull."""
    before = clinic.letter_logo
    if logo is not None:
        clinic.letter_logo = store.save(f"clinic-{clinic.pk}", imaging.for_screen(logo, LOGO_SIDE))
    elif without_logo:
        clinic.letter_logo = ""
    people.save_settings(
        clinic, ["letter_address", "letter_phone", "letter_language", "letter_logo"], texts=["letter_logo"]
    )
    if before and before != clinic.letter_logo and not logo_is_needed(clinic, before):
        store.delete(before)
