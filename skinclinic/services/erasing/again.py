"""Erasing again what an older database or older files have brought back."""

from collections.abc import Iterator

from django.db import transaction
from django.db.models import Model

from skinclinic.engine.readiness import readiness_check
from skinclinic.models import BinnedRow, Clinic, Erasure, Lesion, Patient, Photo
from skinclinic.services import audit
from skinclinic.services.binning.bin import hold_patients
from skinclinic.services.erasing import afterwards, erase, ledger, taken
from skinclinic.services.erasing.ledger import Line
from skinclinic.services.erasing.trace import Trace
from skinclinic.web.counts import ngettext

KINDS: tuple[type[Model], ...] = (Patient, Lesion, Photo)


def apply() -> Iterator[tuple[Line, dict[str, int]]]:
    """Erase what came back of each line of the list, rows and files; gives the line and {what: how many} came back."""
    for line in ledger.read():
        if not Clinic.objects.filter(pk=line.clinic).exists():
            yield line, {}
            continue
        erasure, counts = _rows(line)
        afterwards.finish(erasure)
        afterwards.note_done(erasure)
        yield line, counts
    afterwards.forget_deleted_rows()


@transaction.atomic
def _rows(line: Line) -> tuple[Erasure, dict[str, int]]:
    said = {"clinic_id": line.clinic, "reason": line.reason, "at": line.at, "counts": line.counts}
    erasure, _made = Erasure.objects.get_or_create(
        number=line.number, defaults={**said, "trace": line.trace.to_json()}
    )
    erasure.trace = (Trace.of_json(erasure.trace) | line.trace).to_json()
    patients, lesions, photos = (_back(line, kind) for kind in KINDS)
    hold_patients(sorted(patients))
    found = taken.look(line.clinic, patients, lesions, photos)
    counts = {"patients": len(patients), "lesions": len(found.keys(Lesion)), "photos": len(found.keys(Photo))}
    # Also without rows: what the apps above hold may have come back alone.
    erase.remove(found, erasure, None)
    if any(counts.values()):
        audit.record("patient.erase_again", erasure, clinic=line.clinic, reason=line.reason, facts=counts)
    return erasure, counts


def _back(line: Line, kind: type[Model]) -> set[int]:
    """Keys of rows that are those that were erased, in their table or in the bin; not others that got their keys."""
    label, name = kind._meta.label_lower, taken.STAYS[kind._meta.label_lower]
    known = line.trace.rows.get(label, {})
    keys = [int(key) for key in known]
    found: list[tuple[int, object]] = list(
        kind._base_manager.filter(pk__in=keys, clinic=line.clinic).values_list("pk", name)
    )
    copies = BinnedRow.objects.filter(item__clinic=line.clinic, model=label, key__in=keys)
    found += [(copy.key, copy.data[name]) for copy in copies]
    return {key for key, stays in found if line.trace.is_row(label, key, taken.as_text(stays))}


@readiness_check
def list_is_applied(clinic: Clinic) -> str:
    """A database from a backup may hold patients who were erased since."""
    return obstacle()


def obstacle() -> str:
    """Why nobody should work with this database now, or ""."""
    n = ledger.behind()
    text = ngettext(
        "This database is older than the list of erasures: %(n)d erased patient may be in it again. Run "
        "“manage.py apply_erasures” before anybody works with it.",
        "This database is older than the list of erasures: %(n)d erased patients may be in it again. Run "
        "“manage.py apply_erasures” before anybody works with it.",
        n,
    )
    return text % {"n": n} if n else ""
