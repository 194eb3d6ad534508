"""Making one patient of two, and taking that back while the other lies in the bin.

Lesions go over one by one through ``records.change``, so that everything that follows a lesion's patient does; then
the other patient, with nothing left of it, goes to the bin, and its code leads to the one that stays.
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Model

from skinclinic.engine import clock
from skinclinic.models import (
    BinItem,
    BinnedRow,
    Document,
    FormerCode,
    Lesion,
    Note,
    Patient,
    Photo,
    RecordChange,
    User,
)
from skinclinic.models.columns import field_of
from skinclinic.services import audit, records
from skinclinic.services.binning import items, places, rows
from skinclinic.services.binning.bin import hold_patients
from skinclinic.services.binning.restoring import Restored, require_free_code
from skinclinic.services.merging import Unit
from skinclinic.services.refused import Refused
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext

KEEP, OTHER = "keep", "other"
# The code of the one that stays is its code.
UNITS = tuple(unit for unit in records.UNITS[Patient] if unit != ("code",))
# What is a patient's own and goes over as it is, by the name under which ``BinItem.moved`` has its keys.
GIVEN: dict[str, type[Model]] = {
    "changes": RecordChange,
    "former": FormerCode,
    "notes": Note,
    "documents": Document,
}
CONSENT = "research_consent"
# From the strictest on.
_STRICT = (Patient.Consent.REFUSED, Patient.Consent.NOT_ASKED, Patient.Consent.GIVEN)


class ChangedMeanwhile(Exception):
    """One of the two is not as the person saw it; nothing was done."""


def seen(keep: Patient, other: Patient) -> list[dict[str, Any]]:
    """The values of both, JSON-safe: what a person looks at before the two are one."""
    return [records.values_of(patient) for patient in (keep, other)]


def differing(keep: Patient, other: Patient) -> list[Unit]:
    """What the two do not say alike."""
    mine, theirs = seen(keep, other)
    return [unit for unit in UNITS if any(mine[name] != theirs[name] for name in unit)]


def suggested(unit: Unit, keep: Patient, other: Patient) -> str:
    """Whose value holds unless a person says otherwise: the stricter consent, else the only one there is; "" where
    both say something."""
    mine, theirs = (getattr(patient, unit[0]) for patient in (keep, other))
    if unit[0] == CONSENT and mine != theirs:
        return KEEP if _STRICT.index(mine) < _STRICT.index(theirs) else OTHER
    said = [mine not in ("", None), theirs not in ("", None)]
    return {(True, False): KEEP, (False, True): OTHER}.get((said[0], said[1]), "")


def why_not(keep: Patient, other: Patient) -> str:
    """Why these two cannot be one, in words; "" if they can."""
    if keep.pk == other.pk:
        return _("This is the same patient already.")
    if keep.clinic_id != other.clinic_id:
        return _("There is no such patient in this clinic.")
    if keep.is_archived or other.is_archived:
        return _("Patients of an imported archive are as their source names them; they cannot be merged.")
    return ""


@transaction.atomic
def merge(keep: Patient, other: Patient, chosen: Mapping[str, str], user: User, *, looked: Any) -> BinItem:
    """Let ``keep`` have everything of ``other``, which goes to the bin. ``chosen`` {first field of a unit: KEEP or
    OTHER} for all that differ; ``looked``: ``seen`` of what the person saw. Raises Refused, ChangedMeanwhile, Gone."""
    held = hold_patients([keep.pk, other.pk])
    if len(held) < 2 and keep.pk != other.pk:
        raise items.Gone
    keep, other = held[keep.pk], held[other.pk]
    if why := why_not(keep, other):
        raise Refused("", why)
    if looked != seen(keep, other):
        raise ChangedMeanwhile
    units = differing(keep, other)
    if any(chosen.get(unit[0]) not in (KEEP, OTHER) for unit in units):
        raise Refused("choose", _("Choose whose value holds, for each."))
    lesions = list(Lesion.objects.filter(patient=other).order_by("pk"))
    item = BinItem(
        clinic_id=keep.clinic_id, kind=BinItem.Kind.MERGE, key=other.pk, into=keep, by=user,
        reason=BinItem.Reason.DUPLICATE, told={"code": other.code, "into": keep.code},
        until=clock.now() + items.KEPT_FOR, counts=_counts(lesions),
    )  # fmt: skip
    own = list(Lesion.objects.filter(patient=keep).values_list("pk", flat=True))
    taken = {name: getattr(other, name) for unit in units if chosen[unit[0]] == OTHER for name in unit}
    before = records.values_of(keep)
    saved = records.change(keep, taken, user)
    effects = [*places.still_two(keep, other), *saved.effects]
    for lesion in lesions:
        effects += records.change(lesion, {"patient": keep}, user).effects
    after = records.values_of(Patient.objects.get(pk=keep.pk))
    item.effects = [effect.to_json() for effect in effects]
    item.moved = {
        "lesions": [lesion.pk for lesion in lesions],
        "own": own,
        "fields": {name: [before[name], after[name]] for name in after if before[name] != after[name]},
        **{name: _give(model, other, keep) for name, model in GIVEN.items()},
        "code": FormerCode.objects.create(clinic_id=keep.clinic_id, patient=keep, code=other.code).pk,
    }
    gathered = rows.gather({Patient: [other.pk]})
    item.cut = gathered.cut
    item.save()
    rows.keep(item, gathered)
    audit.record(
        "patient.merge", keep, by=user, facts={"merged": other.pk, "bin": item.pk, "counts": item.counts}
    )
    Patient.objects.filter(pk=other.pk).delete()
    _note(keep, user, "", item.told["code"])
    return item


@transaction.atomic
def undo(item: BinItem, user: User) -> Restored:
    """Let the two be two again: what still stands as the merge left it goes back, the rest is named. Raises Gone, and
    Refused where the patient that stayed is not there."""
    item = items.held(item)
    keep = hold_patients([item.into_id]).get(item.into_id) if item.into_id else None
    if keep is None:
        raise Refused(
            "",
            _("The patient that stayed lies in the bin, or was merged into another. Take that back first."),
        )
    require_free_code(item, item.told["code"])
    rows.put_back(item, {})
    other, moved = Patient.objects.get(pk=item.key), item.moved
    for name, model in GIVEN.items():
        model._default_manager.filter(pk__in=moved.get(name, ()), patient=keep).update(patient=other)
    FormerCode.objects.filter(pk=moved["code"], patient=keep).delete()
    stays = [*_fields_back(keep, moved["fields"], user), *_lesions_back(item, keep, other, user)]
    _note(keep, user, other.code, "")
    items.end(item, BinItem.Ended.RESTORED, user)
    return Restored(item, 0, stays)


def _counts(lesions: list[Lesion]) -> dict[str, int]:
    found = {"lesions": len(lesions), "photos": Photo.objects.filter(lesion__in=lesions).count()}
    return {name: count for name, count in found.items() if count}


def _give(model: type[Model], other: Patient, keep: Patient) -> list[int]:
    theirs = model._default_manager.filter(patient=other)
    keys = list(theirs.values_list("pk", flat=True))
    theirs.update(patient=keep)
    return keys


def _note(patient: Patient, user: User, before: str, after: str) -> None:
    """Put into the patient's history which other it became one with, or was parted from."""
    fields = {"merged_with": [before, after]}
    RecordChange.objects.create(clinic_id=patient.clinic_id, patient=patient, by=user, fields=fields)


def _fields_back(keep: Patient, fields: Mapping[str, list], user: User) -> list[str]:
    """Give back what the merge took over, unit by unit; say what was changed since."""
    now, stays = records.values_of(keep), []
    wanted: dict[str, Any] = {}
    for unit in UNITS:
        changed = [name for name in unit if name in fields]
        if any(now[name] != fields[name][1] for name in changed):
            label = field_of(Patient, unit[0]).verbose_name
            stays.append(_("“%(field)s” was changed since the merge and stays as it is.") % {"field": label})
            continue
        wanted |= {name: field_of(Patient, name).to_python(fields[name][0]) for name in changed}
    records.change(keep, wanted, user)
    return stays


def _lesions_back(item: BinItem, keep: Patient, other: Patient, user: User) -> list[str]:
    """Give back the lesions that are still where the merge brought them; say which are not."""
    elsewhere = gone = 0
    for key in item.moved["lesions"]:
        lesion = Lesion.objects.filter(pk=key).first()
        if lesion is None:
            gone += not _binned_back(item, key, keep, other)
        elif lesion.patient_id != keep.pk:
            elsewhere += 1
        else:
            records.change(lesion, {"patient": other}, user)
    since = keep.lesions.exclude(pk__in=[*item.moved["own"], *item.moved["lesions"]]).count()
    said = [
        (gone, ngettext(
            "%(n)d lesion was deleted for good since the merge.",
            "%(n)d lesions were deleted for good since the merge.", gone,
        )),
        (elsewhere, ngettext(
            "%(n)d lesion was given to another patient since the merge and stays there.",
            "%(n)d lesions were given to other patients since the merge and stay there.", elsewhere,
        )),
        (since, ngettext(
            "%(n)d lesion opened since the merge stays with %(code)s.",
            "%(n)d lesions opened since the merge stay with %(code)s.", since,
        )),
    ]  # fmt: skip
    return [text % {"n": n, "code": keep.code} for n, text in said if n]


def _binned_back(item: BinItem, key: int, keep: Patient, other: Patient) -> bool:
    """Let a lesion that was deleted since come back to the other patient, if it lies in the bin."""
    copy = BinnedRow.objects.filter(item__clinic=item.clinic_id, model="skinclinic.lesion", key=key).first()
    if copy is None or copy.data["patient"] != keep.pk:
        return copy is not None
    copy.data["patient"] = other.pk
    copy.save(update_fields=["data"])
    BinItem.objects.filter(pk=copy.item_id, patient_key=keep.pk).update(patient_key=other.pk)
    return True
