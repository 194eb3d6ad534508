"""Whether the audit is whole: goes through all rows in their order and names each that was changed, is missing, was put
in or moved. Constant memory, and no lock: rows are written meanwhile."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db.models import Count, Max

from skinclinic.models.audit import AuditEvent, AuditHead
from skinclinic.services import audit_chain
from skinclinic.services.audit_chain import Place

AT_ONCE = 2000
rows = audit_chain.rows


@dataclass
class Verdict:
    """``anchor``: the last place, to be noted elsewhere; ``waiting``: rows without a place yet."""

    anchor: Place = field(default_factory=lambda: Place(0, ""))
    placed: int = 0
    waiting: int = 0
    unfit: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def key_may_have_changed(self) -> bool:
        """Whether not one row fits its seal."""
        return self.unfit > 0 and self.unfit == self.placed + self.waiting


def verify(expected: Place | None = None, *, most: int = 100) -> Verdict:
    """Go through all rows; ``most``: after how many problems it stops."""
    verdict = Verdict()
    try:
        audit_chain.seal()
    except audit_chain.HeadBroken as error:
        verdict.problems.append(f"{error}.")
    try:
        for problem in _problems(verdict, expected):
            verdict.problems.append(problem)
            if len(verdict.problems) >= most:
                verdict.problems.append("There may be more; the rest was not looked at.")
                break
    except (TypeError, ValueError) as error:
        # SQLite keeps any text in a column of numbers or times.
        verdict.problems.append(f"Behind row {verdict.anchor.seq} stands what no row can say: {error}.")
    return verdict


def _problems(verdict: Verdict, expected: Place | None) -> Iterator[str]:
    head = _head()
    yield from _in_order(verdict, head.seq if head else _last())
    yield from _at_the_end(verdict, head)
    for event in rows().filter(seq__isnull=True).order_by("id").iterator(AT_ONCE):
        verdict.waiting += 1
        if not audit_chain.row_fits(event):
            verdict.unfit += 1
            yield f"{_named(event)} was changed or put in by hand: its seal does not fit what it says."
    copies = rows().values("nonce").annotate(times=Count("id")).filter(times__gt=1).order_by()
    for copy in copies[:AT_ONCE]:
        keys = ", ".join(str(key) for key in rows().filter(nonce=copy["nonce"]).values_list("id", flat=True))
        yield f"The same row stands there {copy['times']} times (ids {keys})."
    if expected is not None and not rows().filter(seq=expected.seq, chain=expected.chain).exists():
        yield f"The noted anchor {expected} is not there: row {expected.seq} is missing or another one."


def _in_order(verdict: Verdict, last: int) -> Iterator[str]:
    """The rows that have a place, up to the last one there was when we began."""
    at, chain = 0, ""
    while batch := list(rows().filter(seq__gt=at, seq__lte=last).order_by("seq")[:AT_ONCE]):
        for event in batch:
            seq = event.seq or 0
            verdict.placed += 1
            is_next = seq == at + 1
            if not is_next:
                yield _missing(at + 1, seq - 1)
            if not audit_chain.row_fits(event):
                verdict.unfit += 1
                yield f"{_named(event)} was changed or put in by hand: its seal does not fit what it says."
            # After a gap nobody knows what the chain was.
            if is_next and not audit_chain.link_fits(event, chain):
                yield f"{_named(event)} is not the row that stood there: rows were moved, taken out or put in here."
            at, chain = seq, event.chain
    verdict.anchor = Place(at, chain)
    if rows().filter(seq__lt=1).exists():
        yield "There are rows with a place before the first."


def _at_the_end(verdict: Verdict, head: AuditHead | None) -> Iterator[str]:
    if head is None:
        if verdict.placed:
            yield "The head, the row that keeps the last place, is missing."
        return
    if not audit_chain.head_fits(head):
        yield "The head, the row that keeps the last place, was changed."
    if head.seq > verdict.anchor.seq:
        yield _missing(verdict.anchor.seq + 1, head.seq)
    elif head.chain != verdict.anchor.chain:
        yield f"Row {head.seq}, the last one, is not the row that stood there."
    # In this order: rows that got their place meanwhile moved the head as well.
    last = _last()
    if (now := _head()) is not None and last > now.seq:
        yield f"Rows {now.seq + 1} to {last} were put in behind the last one."


def _head() -> AuditHead | None:
    return AuditHead.objects.filter(pk=1).first()


def _last() -> int:
    return rows().aggregate(last=Max("seq"))["last"] or 0


def _missing(first: int, last: int) -> str:
    return f"Row {first} is missing." if first == last else f"Rows {first} to {last} are missing."


def _named(event: AuditEvent) -> str:
    place = f"Row {event.seq}" if event.seq is not None else "A row without a place yet"
    return f"{place} (id {event.pk}, {event.at}, {event.action})"
