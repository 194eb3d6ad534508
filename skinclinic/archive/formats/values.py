"""How a cell becomes a value: each raises CellError, whose message says what is expected. Pure."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from skinclinic.archive.formats.problems import CellError, _
from skinclinic.archive.formats.words import facts, sites
from skinclinic.archive.formats.words.facts import is_unknown
from skinclinic.archive.formats.words.folding import fold
from skinclinic.vocabulary.skin_types import RANGES, SINGLE

OLDEST = 120
_UNIT = r"(?:\s*(?:y|yr|yrs|year|years|yo|y/o|years?[\s-]old|j|jahre?|ans?|años?|anos?|세|살))?\.?"
_NUMBER = r"([0-9]{1,3})(?:\.[0-9]*|,[0-9]{1,2})?"
_AGES: tuple[tuple[str, Callable[[int], tuple[int, int | None]]], ...] = (
    (rf"(?:만\s*)?{_NUMBER}{_UNIT}", lambda years: (years, None)),
    (rf"{_NUMBER}(?:\s*(?:months?|mo|mos|개월))", lambda months: (months // 12, None)),
    (rf"{_NUMBER}{_UNIT}\s*\+", lambda years: (years, OLDEST)),
    (rf"(?:≥|>=|at least)\s*{_NUMBER}{_UNIT}", lambda years: (years, OLDEST)),
    (rf"{_NUMBER}{_UNIT}\s*(?:or|and) (?:above|older|over|more|up)", lambda years: (years, OLDEST)),
    (rf"{_NUMBER}{_UNIT}\s*(?:or|and) (?:below|younger|under|less)", lambda years: (0, years)),
    (rf"{_NUMBER}{_UNIT}\s*이상", lambda years: (years, OLDEST)),
    (rf"(?:>|over|older than|above|more than)\s*{_NUMBER}{_UNIT}", lambda years: (years + 1, OLDEST)),
    (rf"{_NUMBER}{_UNIT}\s*초과", lambda years: (years + 1, OLDEST)),
    (rf"(?:<|under|younger than|below|less than)\s*{_NUMBER}{_UNIT}", lambda years: (0, years - 1)),
    (rf"{_NUMBER}{_UNIT}\s*미만", lambda years: (0, years - 1)),
    (rf"(?:≤|<=|up to|at most)\s*{_NUMBER}{_UNIT}", lambda years: (0, years)),
    (rf"{_NUMBER}{_UNIT}\s*이하", lambda years: (0, years)),
    (r"([0-9]{1,2}0)(?:s|대)", lambda years: (years, years + 9)),
)
_AGE_RANGE = re.compile(rf"{_NUMBER}{_UNIT}\s*(?:-|–|—|~|\u223c|to|bis)\s*{_NUMBER}{_UNIT}")


def age(text: str) -> tuple[int | None, int | None]:
    """(years, None), or the first and last year of a range; (None, None): not known. 85+ is 85 to 120."""
    if is_unknown(text):
        return None, None
    folded = text.strip().casefold()
    if folded.startswith("age"):
        folded = folded.removeprefix("age").replace("_", " ").strip()
        if is_unknown(folded):
            return None, None
    found: tuple[int | None, int | None] | None = None
    if match := _AGE_RANGE.fullmatch(folded):
        found = int(match[1]), int(match[2])
    else:
        for pattern, meaning in _AGES:
            if match := re.fullmatch(pattern, folded):
                found = meaning(int(match[1]))
                break
    first, last = found or (None, None)
    if first is None or not 0 <= first <= OLDEST or (last is not None and not first <= last <= OLDEST):
        raise CellError(_("not an age in years from 0 to %(oldest)s"), oldest=OLDEST)
    return first, (None if last == first else last)


def sex(text: str) -> str:
    """'female', 'male', 'other' or ''."""
    if is_unknown(text):
        return ""
    try:
        return facts.SEXES[fold(text)]
    except KeyError:
        raise CellError(_("none of female, male, other")) from None


_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6}
_SKIN_WORDS = re.compile(r"^(?:fitzpatrick|phototype|fst|skin|photo|type|제|\s)+|(?<![형\s])(?:형|\s)+$")


def skin_type(text: str) -> int | None:
    """A Fitzpatrick skin type from 1 to 6, or a range as ``vocabulary.skin_types`` writes it: 12 for I to II."""
    if is_unknown(text) or text.strip() in ("-1", "-1.0", "−1") or fold(text) == "none selected":
        return None
    folded = _SKIN_WORDS.sub("", text.strip().casefold().replace("_", " ")).removesuffix(".0")
    parts = [_one_type(part.strip()) for part in re.split(r"-|–|—|~|/|to|and", folded)]
    number = parts[0] if len(parts) == 1 else 0
    if len(parts) == 2 and parts[0] and parts[1]:
        number = parts[0] * 10 + parts[1] if parts[0] in SINGLE and parts[1] in SINGLE else 0
    if number not in SINGLE and number not in RANGES:
        raise CellError(_("not a Fitzpatrick skin type from I to VI"))
    return number


def _one_type(text: str) -> int:
    if text in _ROMAN:
        return _ROMAN[text]
    return int(text) if re.fullmatch(r"[1-6]{1,2}", text) else 0


def site(text: str) -> str:
    """A key of ``vocabulary.sites``, or ''."""
    if is_unknown(text):
        return ""
    if (found := sites.known(text)) is not None:
        return found
    raise CellError(_("no body site that is known"))


def kind(text: str) -> str:
    """'close_up', 'overview', 'dermoscopic', or '' where nothing is said."""
    if is_unknown(text):
        return ""
    try:
        return facts.KINDS[fold(text)]
    except KeyError:
        raise CellError(_("none of clinical, overview, dermoscopic")) from None


def yes(text: str) -> bool | None:
    """Whether a cell says yes; None where nothing is said."""
    folded = text.strip().casefold()
    if folded in facts.YES:
        return True
    if folded in facts.NO:
        return False
    if is_unknown(text):
        return None
    raise CellError(_("neither yes nor no"))


def side(text: str) -> str:
    """'train', 'test' or ''."""
    if is_unknown(text):
        return ""
    if text.strip().casefold() not in ("train", "test"):
        raise CellError(_("is neither train nor test"))
    return text.strip().casefold()


def confirmed_by(text: str) -> str:
    """A way of confirmation of the ISIC vocabulary, or ''."""
    if is_unknown(text):
        return ""
    try:
        return facts.PROOFS[fold(text)]
    except KeyError:
        raise CellError(_("no way of confirmation of the ISIC vocabulary")) from None


def icd10(text: str) -> str:
    """An ICD-10 code such as C44.3, or ''."""
    if is_unknown(text):
        return ""
    code = text.strip().upper()
    if not re.fullmatch(r"[A-Z][0-9][0-9A-Z](\.?[0-9A-Z]{1,4})?", code) or len(code) > 8:
        raise CellError(_("not an ICD-10 code such as C44.3"))
    return code


_SHEET_ERROR = re.compile(r"#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|SPILL!|CALC!|#+)", re.IGNORECASE)
_ROUNDED = re.compile(r"[0-9](?:[.,][0-9]+)?E\+[0-9]+", re.IGNORECASE)


def words(most: int) -> Callable[[str], str]:
    """Text of at most so many characters; unknown is ''."""

    def read(text: str) -> str:
        if _SHEET_ERROR.fullmatch(text.strip()):
            raise CellError(_("an error of the spreadsheet, not a value; mend or empty the cell"))
        if len(text) > most:
            raise CellError(_("longer than %(most)s characters"), most=most)
        return "" if is_unknown(text) else text

    return read


def name(most: int) -> Callable[[str], str]:
    """What something is called, of at most so many characters: told apart by every one of them; unknown is ''."""
    read_words = words(most)

    def read(text: str) -> str:
        if _ROUNDED.fullmatch(text.strip()):
            raise CellError(
                _(
                    "a number that a spreadsheet program has rounded; format the column as text and save it again"
                )
            )
        return read_words(text)

    return read


DAY_FIRST, MONTH_FIRST = "day-first", "month-first"
_YEAR_FIRST = re.compile(
    r"(\d{4})(?:(\d{2})(\d{2})|(?:\s*[-/.년]\s*|\s+)(\d{1,2})(?:\s*[-/.월]\s*|\s+)(\d{1,2})\s*[.일]?)(?:[T ].*)?",
    re.ASCII,
)
_YEAR_LAST = re.compile(
    r"(\d{1,2})(?:\s*[-/.]\s*|\s+)(\d{1,2})(?:\s*[-/.]\s*|\s+)(\d{4})(?:[T ].*)?", re.ASCII
)


def day(text: str, order: str = "") -> date | None:
    """A date: the year first with any separator, or last, the column then being read in ``order`` (DAY_FIRST,
    MONTH_FIRST; see ``orders``)."""
    if is_unknown(text):
        return None
    text = text.strip()
    found = None
    if match := _YEAR_FIRST.fullmatch(text):
        found = _date(match[1], match[2] or match[4], match[3] or match[5])
    elif match := _YEAR_LAST.fullmatch(text):
        if not order and orders(text):
            raise CellError(
                _("whether the day or the month comes first is not certain; write YYYY-MM-DD or say which")
            )
        first, second = (match[2], match[1]) if order == DAY_FIRST else (match[1], match[2])
        found = _date(match[3], first, second)
    if found is None:
        raise CellError(_("not a date written as YYYY-MM-DD"))
    if found > datetime.now(UTC).date() + timedelta(days=1):
        raise CellError(_("a day that has not come yet"))
    return found


def orders(text: str) -> set[str]:
    """In which orders a date with its year last can be read; both for any other text."""
    match = _YEAR_LAST.fullmatch(text.strip())
    if not match:
        return {DAY_FIRST, MONTH_FIRST}
    found = set()
    if _date(match[3], match[2], match[1]):
        found.add(DAY_FIRST)
    if _date(match[3], match[1], match[2]):
        found.add(MONTH_FIRST)
    return found


def _date(year: str, month: str, number: str) -> date | None:
    try:
        found = date(int(year), int(month), int(number))
    except ValueError:
        return None
    return found if 1826 <= found.year <= 2200 else None
