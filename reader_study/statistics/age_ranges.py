"""Ages that a file gives as ranges: told, with those that lie in no single age group of the tables."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from classifier.metrics.subgroups import UNKNOWN, age_band
from reader_study.statistics.read_as import AGE_RANGES, NO_AGE_GROUP, Note

# Of ranges that a note names.
MOST_NAMED = 8


class _Aged(Protocol):
    @property
    def age(self) -> int | None: ...
    @property
    def age_to(self) -> int | None: ...
    @property
    def age_text(self) -> str: ...


class AgeRanges:
    """Counts them over the photos of a file."""

    def __init__(self, path: Path):
        self.file = path.name
        self.within: Counter[str] = Counter()
        self.between: Counter[str] = Counter()

    def add(self, image: _Aged) -> None:
        if image.age_to is not None:
            lies = age_band(image.age, image.age_to) != UNKNOWN
            (self.within if lies else self.between)[image.age_text] += 1

    def notes(self) -> Iterator[Note]:
        if ranges := self.within + self.between:
            yield Note(AGE_RANGES, {"file": self.file, "words": _named(ranges)})
        if self.between:
            yield Note(NO_AGE_GROUP, {"file": self.file, "words": _named(self.between)}, is_doubt=True)


def _named(counts: Counter[str]) -> str:
    said = [f"{text} ({count})" for text, count in counts.most_common(MOST_NAMED)]
    return ", ".join(said) + (" …" if len(counts) > MOST_NAMED else "")
