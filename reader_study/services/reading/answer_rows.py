"""The rows of a file of answers, held against a study: who, which photo, and what was said."""

import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from django.db.models import TextChoices

from reader_study import asked
from reader_study.models import Reader, Reading, Study, StudyImage, StudySession
from reader_study.models.asked import Management, NoDiagnosis, Quality
from reader_study.statistics.tables import bare_file
from skinclinic.archive.formats.problems import Problem
from skinclinic.archive.formats.tables import Record
from skinclinic.archive.formats.words import diseases
from skinclinic.archive.formats.words.folding import bare
from skinclinic.services.refused import Refused
from skinclinic.vocabulary.diseases import BY_KEY
from skinclinic.web.counts import gettext as _

COLUMNS = ("number", "image", "answer", "reader", "session", "second", "confidence", "management", "quality")


@dataclass(frozen=True)
class Typed:
    """One answer of the file; ``line`` is its row."""

    line: int
    reading: int
    image: int
    choice: str
    second: str = ""
    confidence: int | None = None
    management: str = ""
    quality: str = ""


class RowRefused(Refused):
    """``message`` has named places, by which rows that are wrong in the same way are known."""

    def __init__(self, field: str, message: str, params: Mapping[str, object] = MappingProxyType({})):
        super().__init__(field, message % params)
        self.problem = Problem(field, message, params=params)


class Readers:
    """Finds the reading that a row belongs to."""

    def __init__(self, study: Study, reader: Reader | None, session: StudySession | None):
        self.reader, self.session = reader, session
        self.by_name: dict[str, list[Reader]] = defaultdict(list)
        for row in study.readers.counted():
            for name in {plain(row.code), plain(row.name), plain(row.email)} - {""}:
                self.by_name[name].append(row)
        self.near = {bare(row.code): row.code for rows in self.by_name.values() for row in rows}
        self.sessions = {plain(row.key): row for row in study.sessions.all()}
        self.sessions |= {str(row.number): row for row in study.sessions.all()}
        self.only_session = study.sessions.first() if study.sessions.count() == 1 else None
        self.readings = {
            (row.reader_id, row.session_id): row.pk for row in Reading.objects.filter(reader__study=study)
        }

    def find(self, reader_text: str, session_text: str) -> int:
        reader, session = self._reader(reader_text), self._session(session_text)
        pk = self.readings.get((reader.pk, session.pk))
        if pk is None:
            raise RowRefused(
                "reader", _("%(reader)s does not read in this session."), {"reader": reader.code}
            )
        return pk

    def _reader(self, text: str) -> Reader:
        if not text:
            if self.reader is None:
                raise RowRefused("reader", _("The row names no reader, and none is chosen for the file."))
            return self.reader
        found = self.by_name.get(plain(text), [])
        if len(found) != 1:
            if not found and (near := self.near.get(bare(text))):
                said = _("There is no reader “%(text)s” in this study; did you mean “%(near)s”?")
                raise RowRefused("reader", said, {"text": text[:80], "near": near})
            many = _("More than one reader is called “%(text)s”; write the code.")
            none = _("There is no reader “%(text)s” in this study.")
            raise RowRefused("reader", (many if found else none), {"text": text[:80]})
        return found[0]

    def _session(self, text: str) -> StudySession:
        found = self.sessions.get(plain(text)) if text else self.session or self.only_session
        if found is None:
            if text:
                raise RowRefused("session", _("There is no session “%(text)s”."), {"text": text[:80]})
            raise RowRefused("session", _("The row names no session, and none is chosen for the file."))
        return found


class Sheet:
    """Reads rows of one study's answers."""

    def __init__(self, study: Study, columns: dict[str, str], readers: Readers):
        self.study, self.columns, self.readers = study, columns, readers
        images = list(StudyImage.with_repeats.filter(study=study))
        self.orders = dict(Reading.objects.filter(reader__study=study).values_list("pk", "order"))
        self.by_number = {image.number: image for image in images}
        self.by_name = {image.name: image for image in images}
        self.near = {bare_file(name): name for name in self.by_name}
        self.choices = _choices(study)

    def read(self, record: Record) -> Typed | None:
        """The answer of a row; None where the answer is empty. Raises RowRefused."""
        cell = {name: record.cells.get(column, "") for name, column in self.columns.items()}
        image = self._image(cell.get("number", ""), cell.get("image", ""))
        reading = self.readers.find(cell.get("reader", ""), cell.get("session", ""))
        if image.number not in self.orders[reading]:
            raise RowRefused(
                "number", _("Photo %(n)d is not among those this reader reads."), {"n": image.number}
            )
        if not cell["answer"]:
            if any(cell.get(name) for name in ("second", "confidence", "management", "quality")):
                raise RowRefused("answer", _("A second choice or a confidence without an answer."))
            return None
        choice = self._choice(cell["answer"])
        second = self._second(cell.get("second", ""), choice)
        confidence = self._confidence(cell.get("confidence", ""))
        if choice in asked.NO_DIAGNOSIS and (second or confidence is not None):
            raise RowRefused("answer", _("A second choice or a confidence without a diagnosis."))
        return Typed(
            record.number, reading, image.pk, choice, second, confidence,
            self._one_of("management", cell.get("management", ""), self.study.management_choices, Management),
            self._one_of("quality", cell.get("quality", ""), asked.QUALITY * self.study.asks_quality, Quality),
        )  # fmt: skip

    def _image(self, number: str, name: str) -> StudyImage:
        by_number = by_name = None
        if number:
            digits = number.removesuffix(".0")
            is_whole = digits.isascii() and digits.isdigit() and len(digits) < 7
            by_number = self.by_number.get(int(digits)) if is_whole else None
            if by_number is None:
                raise RowRefused("number", _("The study has no photo “%(text)s”."), {"text": number[:80]})
        if name:
            by_name = self.by_name.get(name)
            if by_name is None and (near := self.near.get(bare_file(name))):
                said = _("The study has no photo “%(text)s”; did you mean “%(near)s”?")
                raise RowRefused("image", said, {"text": name[:80], "near": near})
            if by_name is None:
                raise RowRefused("image", _("The study has no photo “%(text)s”."), {"text": name[:80]})
        found = by_number or by_name
        if found is None:
            raise RowRefused("number", _("The row names no photo."))
        if by_number and by_name and by_number != by_name:
            raise RowRefused("number", _("Number and image name two different photos."))
        if found.is_practice:
            raise RowRefused(
                "number", _("Photo %(n)d is for practice and does not count."), {"n": found.number}
            )
        return found

    def _choice(self, text: str) -> str:
        found = self.choices.get(plain(text))
        known = diseases.known(text)
        if found is None and known and known[0] in self.study.choices:
            return known[0]
        if found is None:
            no_choice = _("“%(text)s” is not one of this study's choices.")
            unknown = _("“%(text)s” is no diagnosis: write its key, its name or the number of the choice.")
            raise RowRefused("answer", (no_choice if known else unknown), {"text": text[:80]})
        return found

    def _second(self, text: str, choice: str) -> str:
        if not text:
            return ""
        if not self.study.asks_second:
            raise RowRefused("second", _("This study asks for no second choice."))
        second = self._choice(text)
        if second in asked.NO_DIAGNOSIS:
            raise RowRefused("second", _("“%(text)s” is no diagnosis."), {"text": text[:80]})
        if second == choice:
            raise RowRefused("second", _("The second choice is the same as the first."))
        return second

    def _one_of(self, name: str, text: str, keys: Sequence[str], words: type[TextChoices]) -> str:
        """An answer to a question with a few short answers: its key, or its name in the current language."""
        if not text:
            return ""
        if not keys:
            raise RowRefused(name, _("This study does not ask for “%(column)s”."), {"column": name})
        known = {plain(str(said)): one.value for one in words for said in (one.value, one.label)}
        found = known.get(plain(text), plain(text))
        if found not in keys:
            params = {"text": text[:80], "keys": ", ".join(keys)}
            raise RowRefused(name, _("“%(text)s” is none of %(keys)s."), params)
        return found

    def _confidence(self, text: str) -> int | None:
        if not text:
            return None
        if not self.study.asks_confidence:
            raise RowRefused("confidence", _("This study asks for no confidence."))
        digits = text.removesuffix("%").strip()
        if not (digits.isascii() and digits.isdigit() and len(digits) < 4 and int(digits) <= 100):
            raise RowRefused(
                "confidence", _("“%(text)s” is no whole number from 0 to 100."), {"text": text[:80]}
            )
        return int(digits)


def _choices(study: Study) -> dict[str, str]:
    """How each choice may be written: its key, its names, its number on paper."""
    found = {}
    for number, key in enumerate(study.choices, 1):
        disease = BY_KEY[key]
        short = disease.name_en.split(" (")[0]
        for name in (key, short, *disease.names.values(), str(number)):
            found[plain(name)] = key
    if study.offers_cannot_judge:
        for name in (asked.CANNOT_JUDGE, str(NoDiagnosis.CANNOT_JUDGE.label), str(len(study.choices) + 1)):
            found[plain(name)] = asked.CANNOT_JUDGE
    return found


def plain(text: str) -> str:
    """Spelling that people do not tell apart: composed, small letters, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
