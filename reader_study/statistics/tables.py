"""A reader study as tables: images, the model's scores, readers' answers. From files or from anywhere else."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from reader_study import asked
from reader_study.statistics.age_ranges import AgeRanges
from reader_study.statistics.disease_words import DiseaseWords, WordRead
from reader_study.statistics.problem_groups import RowProblem
from reader_study.statistics.read_as import LEFT_OUT, OTHER_SCORES, UNAIDED_FIRST, Note
from reader_study.statistics.reading import FileRefused, Reading, TablesRefused, named, word
from reader_study.statistics.score_columns import Scores
from skinclinic.archive.formats import values
from skinclinic.archive.formats.columns import LEAVE_OUT
from skinclinic.archive.formats.problems import CellError, Problem, _
from skinclinic.archive.formats.values import sex, skin_type
from skinclinic.archive.formats.words.facts import is_unknown
from skinclinic.archive.formats.words.folding import bare, fold
from skinclinic.vocabulary.diseases import DISEASE_KEYS

# Names of sessions of which the first is read without the model.
_UNAIDED = (("unaided", "aided"), ("without ai", "with ai"), ("unassisted", "assisted"))
_ENDING = re.compile(r"\.(jpe?g|png|webp|tiff?|heic|avif|bmp)$", re.IGNORECASE)


@dataclass(frozen=True)
class Image:
    """A photo of the study and what it shows. ``sex``, ``age``, ``skin_type``, ``patient``: "" or None where not
    known. Photos of one ``patient`` are no independent cases."""

    name: str
    dataset: str
    truth: str
    sex: str = ""
    age: int | None = None
    skin_type: int | None = None
    patient: str = ""
    # The last year where the age is a range.
    age_to: int | None = None

    @property
    def age_text(self) -> str:
        """As tables write it, to be read back: "45", "30-39", "85+"."""
        if self.age is None or self.age_to is None:
            return "" if self.age is None else str(self.age)
        return f"{self.age}+" if self.age_to >= values.OLDEST else f"{self.age}-{self.age_to}"


# What a reader would do. To take a biopsy is the right answer for what is malignant.
BIOPSY = "biopsy"
# What the reading page asks, and in files any other.
MANAGEMENTS = (*asked.MANAGEMENT, "other")


@dataclass(frozen=True)
class Answer:
    """What a reader said of an image in a session. ``answer`` "": none; the reader skipped the image, or never came
    to it (``reached`` False) although it was theirs to read. What no reader was given has no row.

    ``first_answer``: what was said before the model's answer was shown. ``confidence`` is from 0 to 100. ``kind``, one
    of ``asked.KINDS``: why there is no diagnosis; or, for a patient the reader knew, that the answer counts nowhere.
    ``management`` is one of MANAGEMENTS, "" where none was given or nobody asked, ``quality`` one of ``asked.QUALITY``.
    """

    session: str
    reader: str
    group: str
    image: str
    answer: str
    second: str = ""
    confidence: float | None = None
    seconds: float | None = None
    first_answer: str = ""
    reached: bool = True
    kind: str = ""
    management: str = ""
    quality: str = ""
    comment: str = ""

    @property
    def counts(self) -> bool:
        """Whether it is the reader's to be counted at all."""
        return self.kind != asked.KNOWS_PATIENT


@dataclass(frozen=True)
class WholeSet:
    """The test set from which the images were drawn: ``scores`` [m, 12], truth and dataset of each photo."""

    scores: np.ndarray
    truth: tuple[str, ...]
    datasets: tuple[str, ...]

    def __post_init__(self) -> None:
        if not len(self.scores) == len(self.truth) == len(self.datasets):
            raise ValueError("scores, truth and datasets of the whole test set must be of one length")
        _check_scores(self.scores)


@dataclass(frozen=True, eq=False)
class StudyTables:
    """A study. ``scores`` [n, 12] are those of ``images``, columns as DISEASE_KEYS; None: there is no model.

    ``choices``: the diseases that readers could choose from. ``by_design``: what a reader has no row of was another's
    to read, as the protocol says. ValueError for what does not fit together. Two of
    them are never the same, so that what is worked out from one can be kept beside it.
    """

    images: tuple[Image, ...]
    scores: np.ndarray | None
    answers: tuple[Answer, ...]
    choices: tuple[str, ...] = DISEASE_KEYS
    whole: WholeSet | None = None
    # What was made of the files that is not there to the letter, and the words that are no keys.
    notes: tuple[Note, ...] = ()
    words: tuple[WordRead, ...] = ()
    by_design: bool = False

    def __post_init__(self) -> None:
        if self.scores is not None:
            if len(self.scores) != len(self.images):
                raise ValueError(f"{len(self.scores)} rows of scores for {len(self.images)} images")
            _check_scores(self.scores)
        names = {image.name for image in self.images}
        if len(names) < len(self.images):
            raise ValueError("an image is there twice")
        if unknown := {image.truth for image in self.images} - set(DISEASE_KEYS):
            raise ValueError(f"no disease keys: {', '.join(sorted(unknown))}")
        if unknown := set(self.choices) - set(DISEASE_KEYS):
            raise ValueError(f"no disease keys: {', '.join(sorted(unknown))}")
        faults = _Faults(names, self.choices)
        for answer in self.answers:
            if found := faults.of(answer):
                raise ValueError(f"{answer}: {found.message % found.params}")


def _check_scores(scores: np.ndarray) -> None:
    if scores.ndim != 2 or scores.shape[1] != len(DISEASE_KEYS):
        raise ValueError(f"scores {scores.shape} must have {len(DISEASE_KEYS)} columns")
    if not np.isfinite(scores).all():
        raise ValueError("scores must be finite")


_MANAGEMENTS = {"keys": ", ".join(MANAGEMENTS)}


class _Faults:
    """Says what is wrong with one answer after the other."""

    def __init__(self, images: set[str], choices: Sequence[str]):
        self.images, self.choices = images, set(choices)
        self.near = {bare_file(name): name for name in images}
        self.groups: dict[str, str] = {}
        self.given: set[tuple[str, str, str]] = set()

    def of(self, answer: Answer) -> Problem | None:
        key = (answer.session, answer.reader, answer.image)
        group = self.groups.setdefault(answer.reader, answer.group)
        if answer.image not in self.images:
            if near := self.near.get(bare_file(answer.image)):
                message = _("not among the images of the study; did you mean %(near)s?")
                return Problem("image", message, answer.image, {"near": near})
            return Problem("image", _("not among the images of the study"), answer.image)
        for column in ("answer", "second", "first_answer"):
            if (value := getattr(answer, column)) and value not in self.choices:
                return Problem(column, _("not one of the choices"), value)
        if answer.management and answer.management not in MANAGEMENTS:
            return Problem("management", _("is none of %(keys)s"), answer.management, _MANAGEMENTS)
        if group != answer.group:
            params = {"reader": answer.reader, "group": group}
            return Problem(
                "group", _("reader %(reader)s is in group %(group)s in a row above"), answer.group, params
            )
        if key in self.given:
            params = {"reader": answer.reader, "session": answer.session}
            return Problem(
                "image",
                _("reader %(reader)s answered it in a row above in session %(session)s"),
                answer.image,
                params,
            )
        self.given.add(key)
        return None


def read_tables(
    images_csv: Path,
    scores_csv: Path | None,
    answers_csv: Path,
    whole_images_csv: Path | None = None,
    whole_scores_csv: Path | None = None,
    *,
    labels: Mapping[str, str] = MappingProxyType({}),
    encodings: Mapping[str, str] = MappingProxyType({}),
    is_own: bool = False,
) -> StudyTables:
    """Read a study from CSV files.

    Columns: images ``image, dataset, truth`` (and ``sex, age, skin_type, patient``); scores ``image`` and the 12
    diseases, by key or name; answers ``session, reader, group, image, answer`` (and ``second, confidence, seconds,
    first_answer, reached, kind, management, quality, comment``). A row without an answer is a photo that was skipped,
    or with ``reached`` 0 one that the reader never came to; no row at all is a photo that the reader was never shown.
    The whole test set has the columns of images and scores. Rows of scores for other images are passed over.
    ``labels``: disease keys of the files' own words, or LEAVE_OUT. ``encodings``: by file name, "" for all others, of
    files that do not tell theirs. ``is_own``: this product wrote them, so that scores stand there as they are.

    Raises TablesRefused with all problems of all files, FileRefused for a file that is no such table, OSError.
    """
    how = _How([], [], DiseaseWords(labels), encodings, is_own)
    images, left_out = _images(images_csv, how)
    scores = _scores(scores_csv, images, how) if scores_csv else None
    answers = _answers(answers_csv, images, left_out, how)
    whole = None
    if whole_images_csv and whole_scores_csv:
        photos, left_out = _images(whole_images_csv, how)
        found = _scores(whole_scores_csv, photos, how)
        how.say_left_out(whole_images_csv, left_out, Counter())
        if not how.problems:
            whole = WholeSet(
                found, tuple(photo.truth for photo in photos), tuple(photo.dataset for photo in photos)
            )
    if how.problems:
        raise TablesRefused(how.problems)
    return StudyTables(
        tuple(images), scores, tuple(answers), whole=whole, notes=(*how.notes, *how.words.notes()),
        words=how.words.read(),
    )  # fmt: skip


@dataclass
class _How:
    """How the files are read, with what was found wrong and what is to be told."""

    problems: list[RowProblem]
    notes: list[Note]
    words: DiseaseWords
    encodings: Mapping[str, str]
    is_own: bool

    def reading(self, path: Path, *columns: str) -> Reading:
        encoding = self.encodings.get(path.name, self.encodings.get("", ""))
        return Reading(path, self.problems, columns, encoding)

    def say_left_out(self, path: Path, left_out: Mapping[str, str], answers: Counter[str]) -> None:
        """Of photos by name with the words for which they were left out, and how many answers each had."""
        for said, count in Counter(left_out.values()).items():
            lost = sum(answers[name] for name, one in left_out.items() if one == said)
            self.notes.append(
                Note(LEFT_OUT, {"file": path.name, "word": said, "photos": count, "answers": lost})
            )


def _images(path: Path, how: _How) -> tuple[list[Image], dict[str, str]]:
    """The photos, and by name those that the mapping leaves out with the word for which it does."""
    reading = how.reading(path, "image", "dataset", "truth")
    images: list[Image] = []
    seen: dict[str, int] = {}
    left_out: dict[str, str] = {}
    ages = AgeRanges(path)
    for record in reading:
        name = reading.cell("image", named) or ""
        truth = reading.cell("truth", how.words.truth) or ""
        first, last = reading.cell_or_note("age", values.age) or (None, None)
        image = Image(
            name,
            reading.cell("dataset", named) or "",
            truth,
            reading.cell_or_note("sex", sex) or "",
            first,
            reading.cell_or_note("skin_type", skin_type),
            reading.cell("patient", _patient) or "",
            last,
        )
        if name in seen:
            message = _("the image is in row %(row)s too")
            reading.say(Problem("image", message, name, {"row": seen[name]}))
        if name:
            seen.setdefault(name, record.number)
        if truth == LEAVE_OUT:
            left_out.setdefault(name, record.cells[reading.columns["truth"]])
            continue
        ages.add(image)
        images.append(image)
    if not images and not reading.found:
        if left_out:
            raise FileRefused(path, _("The mapping leaves out every photo."))
        raise FileRefused(path, _("There is no row below the names of the columns."))
    how.notes += [*reading.noted(), *([] if how.is_own else ages.notes())]
    return images, left_out


def _scores(path: Path, images: list[Image], how: _How) -> np.ndarray:
    reading = how.reading(path, "image")
    cells = Scores(reading, how.words)
    place = {image.name: row for row, image in enumerate(images)}
    scores = np.zeros((len(images), len(DISEASE_KEYS)))
    if not cells.find_columns():
        return scores
    seen: dict[str, int] = {}
    for record in reading:
        name = reading.cell("image", named)
        row = cells.row()
        if name in seen:
            message = _("the image is in row %(row)s too")
            reading.say(Problem("image", message, name, {"row": seen[name]}))
        if name:
            seen.setdefault(name, record.number)
        if name in place and row is not None:
            scores[place[name]] = row
    lacking = [image.name for image in images if image.name and image.name not in seen]
    there = {bare_file(name): name for name in seen}
    if lacking and not reading.found and (near := there.get(bare_file(lacking[0]))):
        raise FileRefused(
            path,
            _(
                "There are no scores for %(count)s of %(of)s images. The images have %(name)s, the scores %(near)s; "
                "did you mean the same?"
            ),
            count=len(lacking),
            of=len(images),
            name=lacking[0],
            near=near,
        )
    if lacking and not reading.found:
        raise FileRefused(
            path,
            _("There are no scores for %(count)s of %(of)s images: %(names)s."),
            count=len(lacking),
            of=len(images),
            names=", ".join(lacking[:5]) + (" …" if len(lacking) > 5 else ""),
        )
    how.notes += reading.noted()
    if not how.is_own and (others := seen.keys() - place.keys()):
        how.notes.append(Note(OTHER_SCORES, {"file": path.name, "count": len(others)}))
    if not how.is_own and not how.problems:
        scores, said = cells.as_shares(scores)
        how.notes += said
    return scores


def _answers(path: Path, images: list[Image], left_out: Mapping[str, str], how: _How) -> list[Answer]:
    def choice(text: str) -> str:
        return "" if is_unknown(text) else how.words.answer(text)

    reading = how.reading(path, "session", "reader", "group", "image", "answer")
    faults = _Faults({image.name for image in images}, DISEASE_KEYS)
    answers = []
    lost: Counter[str] = Counter()
    for record in reading:
        if (name := record.cells.get(reading.columns["image"], "")) in left_out:
            lost[name] += 1
            how.words.is_mapped(record.cells.get(reading.columns["answer"], ""))
            continue
        answer = Answer(
            reading.cell("session", named) or "",
            reading.cell("reader", named) or "",
            reading.cell("group", word) or "",
            reading.cell("image", named) or "",
            reading.cell("answer", choice) or "",
            reading.cell("second", choice) or "",
            reading.cell("confidence", lambda text: _confidence(text, reading.number)),
            reading.cell("seconds", lambda text: _seconds(text, reading.number)),
            reading.cell("first_answer", choice) or "",
            reading.cell("reached", _reached) is not False,
            reading.cell("kind", lambda text: _one_of(text, asked.KINDS)) or "",
            reading.cell("management", _management) or "",
            reading.cell("quality", lambda text: _one_of(text, asked.QUALITY)) or "",
            reading.cell("comment", _comment) or "",
        )
        if not reading.row_has_problems and (found := faults.of(answer)):
            reading.say(found)
        answers.append(answer)
    how.notes += reading.noted()
    how.say_left_out(path, left_out, lost)
    return answers if how.is_own else _unaided_first(path, answers, how)


def _unaided_first(path: Path, answers: list[Answer], how: _How) -> list[Answer]:
    """Files sorted by name have "aided" first, which is still what the other is taken from."""
    names = list(dict.fromkeys(answer.session for answer in answers))
    by_word = {fold(name): name for name in reversed(names)}
    for before, after in _UNAIDED:
        unaided, aided = by_word.get(before), by_word.get(after)
        if unaided is not None and aided is not None and names.index(aided) < names.index(unaided):
            how.notes.append(Note(UNAIDED_FIRST, {"file": path.name, "aided": aided, "unaided": unaided}))
            names.remove(unaided)
            names.insert(names.index(aided), unaided)
            return sorted(answers, key=lambda answer: names.index(answer.session))
    return answers


def bare_file(name: str) -> str:
    """A photo's name without what people leave out or write in two ways."""
    return bare(_ENDING.sub("", name))


def _patient(text: str) -> str:
    return "" if is_unknown(text) else word(text)


def _management(text: str) -> str:
    """In any case, and with a blank or a hyphen between its words."""
    return _one_of(text.replace(" ", "_").replace("-", "_"), MANAGEMENTS)


def _one_of(text: str, keys: Sequence[str]) -> str:
    if is_unknown(text):
        return ""
    if (key := text.casefold()) not in keys:
        raise CellError(_("is none of %(keys)s"), keys=", ".join(keys))
    return key


def _comment(text: str) -> str:
    if len(text) > asked.LONGEST_COMMENT:
        raise CellError(_("longer than %(most)s characters"), most=asked.LONGEST_COMMENT)
    return text


def _reached(text: str) -> bool:
    return values.yes(text) is not False


def _confidence(text: str, number: Callable[[str], float]) -> float | None:
    if is_unknown(text):
        return None
    if not 0 <= (value := number(text.removesuffix("%").rstrip())) <= 100:
        raise CellError(_("is not from 0 to 100"))
    return value


def _seconds(text: str, number: Callable[[str], float]) -> float | None:
    if is_unknown(text):
        return None
    if (value := number(text)) < 0:
        raise CellError(_("is negative"))
    return value
