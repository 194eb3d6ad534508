"""What the files of a study call the diseases: keys, names that imports know too, and words somebody has explained."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reader_study.statistics.read_as import MAPPED, NO_ANSWER, NOT_MET, Note
from skinclinic.archive.formats.columns import LEAVE_OUT
from skinclinic.archive.formats.problems import CellError, _
from skinclinic.archive.formats.words import diseases
from skinclinic.archive.formats.words.folding import bare
from skinclinic.vocabulary.diseases import DISEASE_KEYS

# At the end of a column's name: its numbers are percentages.
PERCENT = re.compile(r"(?<!\s)\s*+(?:[(\[]\s*+)?[%\uff05]\s*+[)\]]?$")


class UnknownDisease(CellError):
    """A word for a disease that nobody has explained."""


@dataclass(frozen=True)
class WordRead:
    """A word that is no key, the key it was read as, and in how many rows."""

    word: str
    means: str
    is_mapped: bool
    count: int


class DiseaseWords:
    """Reads words, and counts what was met. ``labels``: {word: disease key, a name of it, or LEAVE_OUT}."""

    def __init__(self, labels: Mapping[str, str]):
        self.labels = labels
        self._bare = {bare(word): meaning for word, meaning in labels.items()}
        self._met: Counter[tuple[str, str, bool]] = Counter()
        self._no_answer: Counter[str] = Counter()
        self._asked: set[str] = set()

    def truth(self, text: str) -> str:
        """A key, or LEAVE_OUT for a photo nobody wants. Raises CellError."""
        said = self._said(text)
        if said == LEAVE_OUT:
            return LEAVE_OUT
        if (key := _key(text if said is None else said)) is None:
            if said is not None:
                raise CellError(
                    _("the mapping says “%(said)s”, which is none of %(keys)s"), said=said, keys=_KEYS
                )
            raise UnknownDisease(_("is none of %(keys)s"), keys=_KEYS)
        if text.casefold() != key:
            self._met[text, key, said is not None] += 1
        return key

    def answer(self, text: str) -> str:
        """A key; "" for what the mapping says is no answer. Raises CellError."""
        if (found := self.truth(text)) != LEAVE_OUT:
            return found
        self._no_answer[text] += 1
        return ""

    def column(self, name: str) -> str | None:
        """The disease whose scores a column of this name holds; LEAVE_OUT: none; None: nobody has said."""
        said = self._said(name)
        if said == LEAVE_OUT:
            return LEAVE_OUT
        return _key(PERCENT.sub("", name) if said is None else said)

    def is_mapped(self, word: str) -> bool:
        """Whether somebody has explained it, which is then a word that the files have."""
        return self._said(word) is not None

    def _said(self, text: str) -> str | None:
        """To the letter, or but for what people write in two ways."""
        if not self.labels:
            return None
        found = self.labels.get(text, self._bare.get(bare(text)))
        if found is not None:
            self._asked.add(bare(text))
        return found

    def read(self) -> tuple[WordRead, ...]:
        """Every word that is no key, the frequent ones first."""
        return tuple(WordRead(*what, count) for what, count in self._met.most_common())

    def notes(self) -> Iterator[Note]:
        """What the mapping has done, and words of it that no file has."""
        for one in self.read():
            if one.is_mapped:
                yield Note(MAPPED, {"word": one.word, "disease": one.means, "count": one.count})
        for word, count in self._no_answer.most_common():
            yield Note(NO_ANSWER, {"word": word, "count": count})
        if unmet := [word for word in self.labels if bare(word) not in self._asked]:
            yield Note(NOT_MET, {"words": ", ".join(f"“{word}”" for word in unmet)}, is_doubt=True)


_KEYS = ", ".join(DISEASE_KEYS)


def _key(text: str) -> str | None:
    """A key, or a word that means one of the twelve beyond doubt, as imports know them."""
    if (key := text.casefold()) in DISEASE_KEYS:
        return key
    found = diseases.known(text)
    return found[0] if found else None
