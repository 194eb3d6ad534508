"""The answers of one dataset as arrays, session by session."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from reader_study.statistics.tables import MANAGEMENTS, Image, StudyTables
from skinclinic.vocabulary.diseases import DISEASE_KEYS

MISSING = -1
# Two ways to count answers that are missing. What a reader was never shown counts in neither.
MISSING_IS_WRONG, AS_READ = "missing_is_wrong", "as_read"
_MANAGED = {"": MISSING, **{key: place for place, key in enumerate(MANAGEMENTS)}}
_PLACE = {"": MISSING, **{key: place for place, key in enumerate(DISEASE_KEYS)}}


@dataclass(frozen=True)
class Session:
    """What J readers, all those of the study, answered on n images: ``codes``, ``second`` and ``first`` [J, n] are
    places in DISEASE_KEYS, MISSING where there is none. ``seconds`` and ``confidence`` [J, n] are NaN where not known.
    ``read`` [J]: who answered anything in the session, be it in another dataset. ``given`` [J, n]: the images that
    were a reader's to read; all others the reader was never shown. ``reached`` [J, n]: those the reader came to.
    ``management`` [J, n] are places in MANAGEMENTS."""

    name: str
    readers: tuple[str, ...]
    groups: tuple[str, ...]
    read: np.ndarray
    codes: np.ndarray
    second: np.ndarray
    first: np.ndarray
    seconds: np.ndarray
    confidence: np.ndarray
    given: np.ndarray
    reached: np.ndarray
    management: np.ndarray

    def cells(self, rule: str) -> np.ndarray:
        """The images [J, n] that count for each reader by a rule: with MISSING_IS_WRONG all that were given, with
        AS_READ those answered."""
        return self.given if rule == MISSING_IS_WRONG else self.codes != MISSING

    @cached_property
    def is_complete(self) -> bool:
        """Whether all that was given was answered, so that both ways to count missing answers are one."""
        return not (self.given & (self.codes == MISSING)).any()

    def of(self, chosen: ArrayLike) -> "Session":
        """Some readers; ``chosen`` [J] booleans or places."""
        places = np.arange(len(self.readers))[np.asarray(chosen)]
        return Session(
            self.name,
            tuple(self.readers[place] for place in places),
            tuple(self.groups[place] for place in places),
            *(
                values[places]
                for values in (
                    self.read, self.codes, self.second, self.first, self.seconds, self.confidence, self.given,
                    self.reached, self.management,
                )
            ),
        )  # fmt: skip

    def who_read(self) -> "Session":
        """The readers who answered anything in the session."""
        return self.of(self.read)


def read_by(a: Session, b: Session) -> tuple[Session, Session]:
    """Two sessions of those who read both. Where nobody did, as in parallel arms, of those who read either."""
    both = a.read & b.read
    chosen = both if both.any() else a.read | b.read
    return a.of(chosen), b.of(chosen)


def other_readers(a: Session, b: Session) -> bool:
    """Whether each of two sessions was read, and by nobody who read the other."""
    return bool(a.read.any() and b.read.any() and not (a.read & b.read).any())


@dataclass(frozen=True)
class Part:
    """The images of one dataset: ``truth`` [n] places in DISEASE_KEYS, ``scores`` [n, 12], and the sessions."""

    name: str
    images: tuple[Image, ...]
    truth: np.ndarray
    scores: np.ndarray | None
    sessions: tuple[Session, ...]
    choices: tuple[str, ...]
    # What readers were not given was another's to read, as the protocol says.
    by_design: bool = False

    @cached_property
    def patients(self) -> np.ndarray | None:
        """A number for each image's patient [n]; None where no patient is known. Who is not known is nobody else."""
        if not any(image.patient for image in self.images):
            return None
        names = [image.patient or f"\0{place}" for place, image in enumerate(self.images)]
        numbers: np.ndarray = np.unique(names, return_inverse=True)[1]
        return numbers

    @property
    def argmax(self) -> np.ndarray | None:
        """The model's answer to the readers' question [n]: the choice with the highest score, of equal ones the
        first in the fixed order."""
        if self.scores is None:
            return None
        places = np.array([_PLACE[key] for key in DISEASE_KEYS if key in self.choices])
        answers: np.ndarray = places[self.scores[:, places].argmax(1)]
        return answers


# What is asked for by each part of a report is worked out once, and kept as long as the tables are.
_known: WeakKeyDictionary[StudyTables, tuple["Part", ...]] = WeakKeyDictionary()


def parts(tables: StudyTables) -> tuple[Part, ...]:
    """The study by dataset, datasets, sessions and readers in the order in which they first occur."""
    if (found := _known.get(tables)) is None:
        datasets = dict.fromkeys(image.dataset for image in tables.images)
        found = _known[tables] = _parts(tables, {name: name for name in datasets})
    return found


def together(tables: StudyTables, name: str) -> Part:
    """All datasets of the study as one, in which each image counts alike."""
    (whole,) = _parts(tables, {name: None})
    return whole


def _parts(tables: StudyTables, datasets: Mapping[str, str | None]) -> tuple[Part, ...]:
    """``datasets``: the dataset whose images are in the part of a name; None: those of all."""
    read: dict[str, set[str]] = {answer.session: set() for answer in tables.answers}
    for answer in tables.answers:
        if answer.answer and answer.counts:
            read[answer.session].add(answer.reader)
    return tuple(_part(tables, name, of, read) for name, of in datasets.items())


def _part(tables: StudyTables, name: str, of: str | None, read: Mapping[str, Set[str]]) -> Part:
    places = [place for place, image in enumerate(tables.images) if of in (None, image.dataset)]
    images = tuple(replace(tables.images[place], dataset=name) for place in places)
    return Part(
        name,
        images,
        np.array([_PLACE[image.truth] for image in images], np.intp),
        None if tables.scores is None else np.asarray(tables.scores, float)[places],
        tuple(_session(tables, session, images, who) for session, who in read.items()),
        tables.choices,
        tables.by_design,
    )


def _session(tables: StudyTables, name: str, images: tuple[Image, ...], read: Set[str]) -> Session:
    column = {image.name: place for place, image in enumerate(images)}
    answers = [
        answer
        for answer in tables.answers
        if answer.session == name and answer.image in column and answer.counts
    ]
    groups = {answer.reader: answer.group for answer in tables.answers}
    row = {reader: place for place, reader in enumerate(groups)}
    shape = len(groups), len(images)
    rows = np.array([row[answer.reader] for answer in answers], np.intp)
    columns = np.array([column[answer.image] for answer in answers], np.intp)

    def filled(values: Sequence[float], empty: float, kind: DTypeLike) -> np.ndarray:
        table = np.full(shape, empty, kind)
        table[rows, columns] = values
        return table

    return Session(
        name,
        tuple(groups),
        tuple(groups.values()),
        np.array([reader in read for reader in groups], bool),
        *(
            filled([_PLACE[getattr(answer, field)] for answer in answers], MISSING, np.int8)
            for field in ("answer", "second", "first_answer")
        ),
        *(
            filled(
                [np.nan if getattr(answer, field) is None else getattr(answer, field) for answer in answers],
                np.nan,
                float,
            )
            for field in ("seconds", "confidence")
        ),
        *(
            filled(values, empty, kind)
            for values, empty, kind in (
                ([True] * len(answers), False, bool),
                ([bool(answer.answer) or answer.reached for answer in answers], False, bool),
                ([_MANAGED[answer.management] for answer in answers], MISSING, np.int8),
            )
        ),
    )
