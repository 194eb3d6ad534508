"""Where a patient who is to be erased is named in what was written of others: that stays, and admins are told where."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Model, Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from skinclinic.models import Biopsy, Comment, Diagnosis, FollowUp, Lesion, Note, Patient
from skinclinic.services.patient_codes import in_text

# A shorter code stands in many texts by chance.
SHORTEST = 3
# The kind of text, the column, and the ways from its row to the patient whose it is.
PLACES: tuple[tuple[type[Model], str, tuple[str, ...], Promise], ...] = (
    (Note, "text", ("patient", "lesion__patient"), _("a note")),
    (Comment, "text", ("lesion__patient",), _("a comment")),
    (Diagnosis, "text", ("lesion__patient",), _("a diagnosis")),
    (Lesion, "note", ("patient",), _("the note of a lesion")),
    (FollowUp, "note", ("lesion__patient",), _("the note of a follow-up")),
    (Biopsy, "note", ("lesion__patient",), _("the note of a biopsy")),
)


@dataclass(frozen=True)
class Named:
    """``patient``: of whom it was written, None for a lesion that is under no patient yet; ``what``: in words."""

    patient: Patient | None
    what: Promise


def places(clinic_id: int, patient_key: int, code: str, most: int = 20) -> list[Named]:
    """The first of them, each patient and kind of text once. It reads many texts: not for a transaction."""
    if len(code) < SHORTEST:
        return []
    found: dict[Named, None] = {}
    for named in _places(clinic_id, patient_key, code):
        found[named] = None
        if len(found) >= most:
            break
    return list(found)


def _places(clinic_id: int, patient_key: int, code: str) -> Iterator[Named]:
    pattern = in_text(code)
    # However it is spelt, its longest part stands there as it is.
    part = max(re.findall(r"\d+|[^\W\d_]+", code) or [code], key=len)
    for model, column, ways, what in PLACES:
        own = Q()
        for way in ways:
            own |= Q(**{way: patient_key})
        rows = model._default_manager.filter(
            Q(**{"clinic": clinic_id, f"{column}__icontains": part})
        ).exclude(own)
        for values in rows.order_by("pk").values_list(column, *ways).iterator(500):
            text, *keys = values
            if pattern.search(text):
                key = next(filter(None, keys), None)
                yield Named(Patient.objects.filter(pk=key).first() if key else None, what)
