"""An empty answer sheet: a line for each reader and photo, with the columns that ``answer_files`` reads back."""

from collections.abc import Iterator

from reader_study.models import Reading, Study, StudyImage
from skinclinic.web.csv_table import table_csv


def empty(study: Study, reading: Reading | None = None) -> bytes:
    """A table that spreadsheet programs open: who, in which session, which photo, and room for what is asked; of all
    readers by number, or of one ``reading`` in its own order, as the prints are. It holds no answer that was given,
    and photos for practice are not in it."""
    columns = (
        "reader", "session", "number", "answer", *("second",) * study.asks_second,
        *("confidence",) * study.asks_confidence, *("management",) * bool(study.management_choices),
        *("quality",) * study.asks_quality,
    )  # fmt: skip
    room = ("",) * (len(columns) - 3)
    return table_csv(columns, ((*line, *room) for line in _lines(study, reading)))


def _lines(study: Study, only: Reading | None) -> Iterator[tuple[str, str, int]]:
    """Reader, session and photo."""
    readings = (
        [only]
        if only
        else (
            Reading.objects.filter(reader__in=study.readers.counted())
            .select_related("reader", "session")
            .order_by("reader", "session__number")
        )
    )
    photos = StudyImage.with_repeats.filter(study=study, is_practice=False)
    known = set(photos.values_list("number", flat=True))
    for reading in readings:
        numbers = [number for number in reading.order if number in known]
        for number in numbers if only else sorted(numbers):
            yield reading.reader.code, reading.session.key, number
