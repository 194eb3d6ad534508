"""How each reader answered, from the stored answers; nothing of it says what was answered."""

from collections import defaultdict

from reader_study.asked import OUT_OF_TIME
from reader_study.models import Answer, Reading, Study
from reader_study.statistics.manner import Manner, manner


def of_study(study: Study) -> dict[int, Manner]:
    """By reading, of those with answers on the screen: two queries."""
    rows = (
        Answer.objects.given()
        .filter(reading__reader__study=study, image__is_practice=False, is_from_paper=False)
        # A photo whose time was over was not answered.
        .exclude(choice=OUT_OF_TIME)
    )
    given: dict[int, dict[int, tuple]] = defaultdict(dict)
    for reading, number, choice, seconds, first, confidence in rows.values_list(
        "reading", "image__number", "choice", "seconds", "first_seconds", "confidence"
    ):
        # In an aided session the own answer is what takes the time.
        given[reading][number] = (choice, seconds if first is None else first, confidence)
    found = {}
    for pk, order in Reading.objects.filter(pk__in=list(given)).values_list("pk", "order"):
        told = [given[pk][number] for number in order if number in given[pk]]
        found[pk] = manner(*zip(*told, strict=True)) if told else manner((), ())
    return found


def totals(study: Study) -> dict[str, int]:
    """Of the readers who count, for the methods: answers on the screen, very fast ones, readings with a long run or
    one confidence."""
    counted = set(Reading.objects.filter(reader__in=study.readers.counted()).values_list("pk", flat=True))
    rows = [one for pk, one in of_study(study).items() if pk in counted]
    return {
        "timed": sum(one.timed for one in rows),
        "fast": sum(one.fast for one in rows),
        "readings": len(rows),
        "runs": sum(bool(one.run) for one in rows),
        "same": sum(bool(one.confidence) for one in rows),
    }
