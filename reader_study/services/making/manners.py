"""How each reader answered, from the stored answers; nothing of it says what was answered.

The page of the readers asks every few seconds, while few of them answer: what was found out of a reading is kept in the
cache until one of its answers is another.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from django.core.cache import cache
from django.db.models import Count, Max, Q, QuerySet, Sum

from reader_study.asked import OUT_OF_TIME
from reader_study.models import Answer, Reading, Study
from reader_study.statistics.manner import Manner, manner

KEPT_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Stand:
    """What a reading holds now: ``given`` answers, ``from_paper`` of them; any change of an answer is another
    ``changed`` or another number of ``changes``."""

    given: int
    from_paper: int
    changed: datetime
    changes: int


@dataclass(frozen=True)
class Told:
    """``seconds``: the median time a photo took; ``manner`` is of answers on the screen, None without any."""

    seconds: float | None
    manner: Manner | None


def stands(study: Study) -> dict[int, Stand]:
    """By reading, of those with answers: one query, counted by the database."""
    rows = _answers(study).order_by().values("reading")
    counted = rows.annotate(
        n=Count("pk"),
        paper=Count("pk", filter=Q(is_from_paper=True)),
        at=Max("changed_at"),
        changes=Sum("number"),
    )
    return {pk: Stand(*found) for pk, *found in counted.values_list("reading", "n", "paper", "at", "changes")}


def of_readings(
    study: Study, orders: Mapping[int, Sequence[int]], now: Mapping[int, Stand]
) -> dict[int, Told]:
    """By reading. ``orders``: the photos' numbers of each; ``now``: how each stands. No answer is read of those that
    stand as they stood."""
    key = f"reader-study-manners-{study.pk}"
    kept: dict[int, tuple[Stand, Told]] = cache.get(key) or {}
    there = {pk: kept[pk] for pk, stand in now.items() if pk in kept and kept[pk][0] == stand}
    if others := [pk for pk in now if pk not in there and pk in orders]:
        found = _told(_answers(study).filter(reading__in=others), orders)
        there |= {pk: (now[pk], found[pk]) for pk in others if pk in found}
        cache.set(key, there, KEPT_SECONDS)
    return {pk: told for pk, (_stand, told) in there.items()}


def totals(study: Study) -> dict[str, int]:
    """Of the readers who count, for the methods: answers on the screen, very fast ones, readings with a long run or
    one confidence."""
    counted = Reading.objects.filter(reader__in=study.readers.counted())
    orders = dict(counted.values_list("pk", "order"))
    found = _told(_answers(study).filter(reading__in=counted), orders)
    rows = [one.manner for one in found.values() if one.manner]
    return {
        "timed": sum(one.timed for one in rows),
        "fast": sum(one.fast for one in rows),
        "readings": len(rows),
        "runs": sum(bool(one.run) for one in rows),
        "same": sum(bool(one.confidence) for one in rows),
    }


def _answers(study: Study) -> QuerySet[Answer]:
    return Answer.objects.given().filter(reading__reader__study=study, image__is_practice=False)


def _told(rows: QuerySet[Answer], orders: Mapping[int, Sequence[int]]) -> dict[int, Told]:
    given: dict[int, dict[int, tuple]] = defaultdict(dict)
    times: dict[int, list[float]] = defaultdict(list)
    for reading, number, choice, seconds, first, confidence, is_from_paper in rows.order_by().values_list(
        "reading", "image__number", "choice", "seconds", "first_seconds", "confidence", "is_from_paper"
    ):
        if seconds is not None:
            times[reading].append(seconds)
        on_screen = given[reading]
        # A photo whose time was over was not answered.
        if not is_from_paper and choice != OUT_OF_TIME:
            # In an aided session the own answer is what takes the time.
            on_screen[number] = (choice, seconds if first is None else first, confidence)
    return {
        pk: Told(median(times[pk]) if times[pk] else None, _manner(of_reading, orders.get(pk, ())))
        for pk, of_reading in given.items()
    }


def _manner(given: Mapping[int, tuple], order: Sequence[int]) -> Manner | None:
    """In the order in which the photos were shown."""
    told = [given[number] for number in order if number in given]
    if not given:
        return None
    return manner(*zip(*told, strict=True)) if told else manner((), ())
