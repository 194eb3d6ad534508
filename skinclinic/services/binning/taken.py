"""What nobody may take while it lies in the bin: files of photos, codes of patients."""

from collections.abc import Collection

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from skinclinic.models import BinItem, BinnedRow, Clinic
from skinclinic.services import patient_codes


def hashes_in_bin(clinic: Clinic | int, hashes: Collection[str]) -> set[str]:
    """Which of these files lie in the bin as photos of the clinic, or did until they were covered."""
    photos = (_named(clinic, model, hashes) for model in ("skinclinic.photo", "skinclinic.photocover"))
    return {name for rows in photos for name in rows.values_list("name", flat=True)}


def code_in_bin(clinic: Clinic | int, code: str) -> BinItem | None:
    """What went to the bin with a patient of this code, whatever its case and spacing."""
    code = patient_codes.tidy(code).lower()
    return BinItem.objects.filter(pk__in=_named(clinic, "skinclinic.patient", [code]).values("item")).first()


def why_code_is_taken(clinic: Clinic | int, code: str) -> str:
    """Why a patient may not get this code because of the bin, in words; "" if it may."""
    item = code_in_bin(clinic, code)
    if item is None:
        return ""
    if item.kind == BinItem.Kind.MERGE:
        return (
            _("%(code)s was merged into %(into)s; use that patient, or undo the merge in the bin.")
            % item.told
        )
    return _("A patient %(code)s lies in the bin. Restore it there, or choose another code.") % {"code": code}


def _named(clinic: Clinic | int, model: str, names: Collection[str]) -> QuerySet[BinnedRow]:
    return BinnedRow.objects.filter(item__clinic=clinic, model=model, name__in=names).order_by()
