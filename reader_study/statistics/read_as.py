"""What was made of a study's files that is not there to the letter: said beside the results, never silent."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from skinclinic.archive.formats.problems import _

UNREAD = _("%(file)s, %(column)s %(words)s: %(why)s; taken as not known (rows: %(count)s)")
AGE_RANGES = _(
    "%(file)s: an age given as a range stays a range, and its photo is in an age group only where the whole range "
    "lies in it: %(words)s"
)
NO_AGE_GROUP = _("%(file)s: these ages lie in no single age group and count as not known there: %(words)s")
PERCENT = _(
    "%(file)s: the scores are percentages from 0 to 100 (the highest: %(highest)s); they were divided by 100"
)
PERCENT_SIGNS = _("%(file)s: scores written with a percent sign were divided by 100 (cells: %(count)s)")
SIGNS_AND_NONE = _(
    "%(file)s: beside scores with a percent sign stand others without, up to %(highest)s, which were taken as they are"
)
ENCODING = _("%(file)s was read as %(encoding)s text")
COLUMNS_UNREAD = _("%(file)s: these columns are not read: %(names)s")
MAPPED = _("“%(word)s” was read as %(disease)s, as the mapping says (rows: %(count)s)")
MAPPED_COLUMN = _("%(file)s: the column “%(word)s” was read as the scores of %(disease)s")
NO_ANSWER = _("“%(word)s” was taken as no answer, as the mapping says (rows: %(count)s)")
LEFT_OUT = _(
    "%(file)s: photos called “%(word)s” were left out, as the mapping says (photos: %(photos)s, their answers: "
    "%(answers)s)"
)
OTHER_SCORES = _(
    "%(file)s: rows of scores for images that are not in the study are not used (rows: %(count)s)"
)
UNAIDED_FIRST = _(
    "%(file)s: “%(aided)s” stands before “%(unaided)s”; differences are “%(aided)s” − “%(unaided)s” all the same"
)
NOT_MET = _("the mapping has words that the files do not have: %(words)s")


@dataclass(frozen=True)
class Note:
    """``message`` has named places filled by ``params``, of which some may be such a text themselves
    (``{"message", "params"}``). ``is_doubt``: it may well be a mistake in the file."""

    message: str
    params: Mapping[str, Any] = field(default_factory=dict)
    is_doubt: bool = False

    def text(self, translate: Callable[[str], str] = str) -> str:
        return _filled(self.message, self.params, translate)

    def __str__(self) -> str:
        return self.text()

    def to_json(self) -> dict[str, Any]:
        return {"message": self.message, "params": dict(self.params), "is_doubt": self.is_doubt}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Note":
        return cls(kept["message"], kept["params"], kept["is_doubt"])


def _filled(message: str, params: Mapping[str, Any], translate: Callable[[str], str]) -> str:
    words = {
        name: _filled(value["message"], value["params"], translate) if isinstance(value, Mapping) else value
        for name, value in params.items()
    }
    return translate(message) % words
