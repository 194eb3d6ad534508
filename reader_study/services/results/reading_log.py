"""A long table of every answer with how it came about: order, time, changes, screen or paper."""

from collections.abc import Iterator

from reader_study.models import Answer, Reader, Study

COLUMNS = (
    "reader", "group", "session", "dataset", "image", "truth", "answer", "second", "confidence", "first_answer",
    "position", "answered_at", "changed_at", "seconds", "changes", "from_paper", "timing",
    "knows_patient", "saw_model", "device", "viewport",
)  # fmt: skip


def rows(study: Study) -> Iterator[tuple[object, ...]]:
    """A row an answer of the readers who count; ``position`` in the reader's own order, from 1; ``changes`` after
    the first answer. A photo that came a second time is named “…-again”. A replay from files has no order and no
    times: what it does not know stays empty."""
    is_run = study.origin == Study.Origin.RUN
    found = (
        Answer.objects.filter(
            reading__reader__in=Reader.objects.filter(study=study).counted(), image__is_practice=False
        )
        .select_related("reading__reader__group", "reading__session", "image")
        .order_by("reading__session__number", "reading__reader__pk", "image__number")
    )
    places: dict[int, dict[int, int]] = {}
    for answer in found.iterator(2000):
        reading, image = answer.reading, answer.image
        if reading.pk not in places:
            places[reading.pk] = {number: place for place, number in enumerate(reading.order, 1)}
        group = reading.reader.group
        yield (
            reading.reader.code, group.key if group else "", reading.session.key, image.dataset, image.name,
            image.truth, answer.choice, answer.second, answer.confidence, answer.first_choice,
            places[reading.pk].get(image.number) if is_run else None,
            answer.answered_at.isoformat() if is_run else None,
            answer.changed_at.isoformat() if is_run else None,
            answer.seconds, answer.number - 1 if is_run else None,
            int(answer.is_from_paper) if is_run else None,
            answer.timing, int(answer.knows_patient), None if answer.saw_model is None else int(answer.saw_model),
            answer.device, answer.viewport,
        )  # fmt: skip
