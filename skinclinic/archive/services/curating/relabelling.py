"""What comes with another label: its code; no subtype, no proof unless the new proof is stated, a new review."""

from skinclinic.archive import labels
from skinclinic.archive.models import LABEL_LENGTH, BackgroundDisease, Review
from skinclinic.archive.services.curating import vocabulary
from skinclinic.models import Clinic, Diagnosis, User
from skinclinic.vocabulary.diseases import BY_KEY
from skinclinic.web.inputs import storable

NOTE_LENGTH = 400
PROOFS = Diagnosis.ConfirmedBy


class ReviewError(ValueError):
    """What was asked makes no sense; ``code``: no_reason, no_label, long_label, bad_code, changed_since, no_why,
    bad_proof, no_tag, own_label, had_opinion, no_consent."""

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code


def tidy_label(clinic: Clinic, user: User | None, label: str) -> str:
    """The label in its one spelling. Raises ReviewError."""
    label = labels.tidy(label)
    if not label or not storable(label):
        raise ReviewError("no_label")
    if len(label) > LABEL_LENGTH:
        raise ReviewError("long_label")
    return vocabulary.label(clinic, user, label)


def tidy_reason(text: str) -> str:
    """Why a photo gets another label. Raises ReviewError for none."""
    text = " ".join(text.split())[:NOTE_LENGTH]
    if not text or not storable(text):
        raise ReviewError("no_why")
    return text


def icd10_of(clinic: Clinic, label: str) -> str:
    """The code of a label: of the 12 the disease's, else what the clinic's vocabulary says; '' for none."""
    if label in BY_KEY:
        return BY_KEY[label].icd10
    codes = BackgroundDisease.objects.filter(clinic=clinic, name=label).values_list("icd10", flat=True)
    return codes.first() or ""


def fields_of(clinic: Clinic, label: str, proof: str = "") -> dict:
    """The fields of an entry that gets this label instead of another. ``proof``: how the new label was confirmed.
    Raises ReviewError."""
    if proof and proof not in PROOFS.values:
        raise ReviewError("bad_proof")
    return {
        "label": label,
        "icd10": icd10_of(clinic, label),
        "subtype": "",
        "is_proven": proof == PROOFS.HISTOPATHOLOGY,
        "confirmed_by": proof,
        "review": str(Review.PENDING),
        "reject_reason": "",
        "disagreement": None,
        "is_settled": False,
    }
