"""Asking for one action on many photos, doing it step by step, and taking it back.

The keys of the photos are fixed before the first step: the action itself must not change what its search finds, and
what comes to fit after it was asked for was not seen by the person. Of many the job gathers the keys. A step is one
transaction that does some photos and counts them as done, so that a worker that is killed, or one that takes over too
early, does nothing twice.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from skinclinic.archive.models import BulkChange, DatasetVersion, Entry, EntryChange
from skinclinic.archive.services.bulk import actions, gathering
from skinclinic.archive.services.curating import relabelling, review
from skinclinic.archive.services.curating.relabelling import ReviewError
from skinclinic.archive.services.searching import search
from skinclinic.archive.services.searching.query_text import QueryError
from skinclinic.archive.services.searching.selection import Selection, entries
from skinclinic.engine import clock, work
from skinclinic.engine.jobs import JobError, LeaseLost
from skinclinic.kept_queries import kept
from skinclinic.models import Clinic, User, WorkState
from skinclinic.services.refused import Refused
from skinclinic.vocabulary import tags

# The second gathers the photos first; a worker of a version that cannot leaves it to others.
JOB, GATHER_JOB = JOBS = ("bulk-change", "bulk-gather")
STEP = 500
# So many are done within the request.
AT_ONCE = STEP
Action = BulkChange.Action
_OVER = (WorkState.DONE, WorkState.STOPPED, WorkState.FAILED, WorkState.REFUSED)


def ask(
    clinic: Clinic,
    user: User,
    action: str,
    *,
    chosen: Selection | Sequence[int],
    values: dict,
    version: DatasetVersion | None = None,
    seen: datetime | None = None,
) -> BulkChange:
    """Do this to all a search finds, or to the entries of these keys: few at once, many as a job.

    ``values``: see ``check``. ``seen``: when the person saw the photos. Raises Refused,
    ReviewError, query_text.QueryError; then nothing is changed.
    """
    with transaction.atomic():
        values = check(clinic, user, action, values, version)
        now = clock.now()
        if isinstance(chosen, Selection):
            found, asked, most = entries(clinic, chosen), chosen.to_json(), gathering.NOTED
        else:
            found, asked, most = Entry.objects.filter(clinic=clinic, pk__in=list(chosen)), {}, len(chosen)
        keys = sorted(found.order_by().values_list("pk", flat=True)[: most + 1])
        if not keys:
            raise Refused("", _("Choose the photos first."))
        if is_late := len(keys) > most:
            keys = []
            values |= {gathering.UNTIL: gathering.newest(Entry.objects.filter(clinic=clinic))}
        row = BulkChange.objects.create(
            clinic=clinic, created_by=user, action=action, values=values, version=version, entries=keys,
            selection=asked, total=len(keys), created_at=now,
            seen=min(seen or now, now),
        )  # fmt: skip
    return _begin(row, is_late)


def check(clinic: Clinic, user: User, action: str, values: dict, version: DatasetVersion | None) -> dict:
    """What the action needs, tidied: ``reason`` to reject; ``label``, ``note`` (why) and ``proof`` to relabel;
    ``tags``; a draft. Raises Refused, ReviewError."""
    if action == Action.ACCEPT:
        return {}
    if action == Action.REJECT:
        return {"reason": review.decision("rejected", values.get("reason", ""))["reject_reason"]}
    if action == Action.RELABEL:
        label = relabelling.tidy_label(clinic, user, values.get("label", ""))
        note, proof = relabelling.tidy_reason(values.get("note", "")), values.get("proof", "")
        return {"label": label, "note": note, "fields": relabelling.fields_of(clinic, label, proof)}
    if action in (Action.TAG, Action.UNTAG):
        chosen = tags.split(tags.join(values.get("tags", ())))
        if not chosen:
            raise ReviewError("no_tag")
        return {"tags": chosen}
    if action in actions.OF_DATASETS:
        drafts = DatasetVersion.objects.filter(clinic=clinic, state=DatasetVersion.State.DRAFT)
        if version is None or not drafts.filter(pk=version.pk).exists():
            raise Refused("", _("Choose a dataset with a draft. A frozen version does not change."))
        return {"dataset": str(version)}
    raise Refused("", _("Choose what to do with the photos."))


def undo(done: BulkChange, user: User) -> BulkChange:
    """Take it back as a whole: few at once, many as a job. What was changed since stays as it is. Raises Refused."""
    with transaction.atomic():
        done = BulkChange.objects.defer("entries").select_for_update().get(pk=done.pk)
        if not can_undo(done):
            raise Refused("", _("There is nothing of this to take back, or it is being taken back."))
        is_late = done.changed > gathering.NOTED
        keys = [] if is_late else gathering.undone(done)
        row = BulkChange.objects.create(
            clinic_id=done.clinic_id, created_by=user, action=Action.UNDO, of=done, version_id=done.version_id,
            values={"dataset": done.values["dataset"]} if "dataset" in done.values else {},
            entries=keys, total=done.changed if is_late else len(keys), seen=clock.now(),
        )  # fmt: skip
    return _begin(row, is_late)


def can_undo(row: BulkChange) -> bool:
    """Whether it is over, has changed something, is no undo itself and was not taken back."""
    return (
        row.state in _OVER
        and bool(row.changed)
        and row.action != Action.UNDO
        and not BulkChange.objects.filter(of=row).exists()
    )


def run(row: BulkChange, go_on: Callable[[float], None] = lambda share: None) -> None:
    """Do what is not done yet. ``go_on(share)`` is called before each step; what it raises ends it there."""
    keys = row.entries or _gather(row)
    done, total = row.done, max(len(keys), 1)
    while done < len(keys):
        go_on(done / total)
        done = _step(row.pk, keys, done)


def _gather(row: BulkChange) -> list[int]:
    """Look for the keys and note them, unless another worker has."""
    keys = gathering.gather(row)
    with transaction.atomic():
        held = BulkChange.objects.select_for_update().get(pk=row.pk)
        if held.entries:
            keys = held.entries
        elif held.state in _OVER:
            raise LeaseLost
        else:
            BulkChange.objects.filter(pk=row.pk).update(entries=keys, total=len(keys))
    return keys


@transaction.atomic
def _step(pk: int, keys: Sequence[int], start: int) -> int:
    """Do the next photos; return how many are done by now."""
    row = BulkChange.objects.defer("entries").select_for_update().get(pk=pk)
    if row.state in _OVER:  # stopped by a person, who may be taking it back by now
        raise LeaseLost
    if row.done != start:  # another worker was here
        return row.done
    part = keys[start : start + STEP]
    found = Entry.objects.select_for_update().filter(clinic=row.clinic_id, pk__in=part).order_by("pk")
    there = {entry.pk: entry for entry in found}
    for key in _changed_meanwhile(row, part):
        there.pop(key, None)
    counts = actions.apply(row, there)
    left = len(part) - counts.changed - counts.same
    BulkChange.objects.filter(pk=pk).update(
        done=start + len(part), changed=F("changed") + counts.changed, same=F("same") + counts.same,
        left=F("left") + left,
    )  # fmt: skip
    return start + len(part)


def _changed_meanwhile(row: BulkChange, part: Sequence[int]) -> set[int]:
    """Entries somebody else has changed since the person saw them, or anybody since it was asked for."""
    if row.action == Action.UNDO:
        return set()
    since = EntryChange.objects.filter(entry__in=part, at__gt=row.seen)
    by_others = ~Q(by=row.created_by_id) | Q(by=None)
    return set(since.filter(by_others | Q(at__gt=row.created_at)).order_by().values_list("entry", flat=True))


def _begin(row: BulkChange, is_late: bool) -> BulkChange:
    """``is_late``: its photos are yet to be gathered."""
    if is_late or row.total > AT_ONCE:
        work.ask(GATHER_JOB if is_late else JOB, row.pk, row.clinic)
        return row
    try:
        run(row)
    except Refused as refused:
        BulkChange.objects.filter(pk=row.pk).update(
            state=WorkState.REFUSED, error=str(refused), finished_at=timezone.now()
        )
        raise
    BulkChange.objects.filter(pk=row.pk).update(state=WorkState.DONE, finished_at=timezone.now())
    row.refresh_from_db()
    return row


def run_job(row: BulkChange, go_on: Callable[[float], None]) -> None:
    """As a job. Raises JobError where a dataset can no longer be changed."""
    try:
        run(row, go_on)
    except Refused as refused:
        raise JobError("refused", str(refused)) from None
    except QueryError as error:
        raise JobError("refused", search.explain(error)) from None


def last_of(clinic: Clinic, user: User) -> BulkChange | None:
    """The newest that this person has asked for."""
    return next(iter(_last_of(clinic.pk, user.pk)), None)


@kept
def _last_of(clinic: int, user: int) -> QuerySet[BulkChange]:
    rows = BulkChange.objects.filter(clinic=clinic, created_by=user).defer("entries", "of__entries")
    return rows.select_related("of", "version").order_by("-pk")[:1]
