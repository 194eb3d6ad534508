"""What a reader of a format gives: rows, or what is wrong with them."""

import re
from dataclasses import dataclass
from datetime import date

from skinclinic.archive.formats.problems import CellError, _

HISTOPATHOLOGY = "histopathology"
CONFIRMED_BY = (
    HISTOPATHOLOGY,
    "confocal microscopy with consensus dermoscopy",
    "serial imaging showing no change",
    "single image expert consensus",
    "single contributor clinical assessment",
)
SEXES = {"female": "female", "f": "female", "male": "male", "m": "male", "other": "other"}
UNKNOWN = {"", "na", "n/a", "nan", "none", "null", "unknown", "unk", "-"}
_SKIN_TYPES = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, **{str(n): n for n in range(1, 7)}}
OLDEST = 120


@dataclass(frozen=True)
class Row:
    """One photo as a table or folder describes it. ``number``: its row as a spreadsheet shows it (the header
    is row 1); for folders, its place. ``label``: the source's own word for the disease; ``file``: the name of
    the photo below the photos' folder. Empty text or None: not known."""

    number: int
    file: str
    external_id: str
    label: str
    patient: str = ""
    lesion: str = ""
    age: int | None = None
    sex: str = ""
    skin_type: int | None = None
    ethnicity: str = ""
    site: str = ""
    taken_on: date | None = None
    kind: str = "close_up"
    is_proven: bool = False
    confirmed_by: str = ""
    subtype: str = ""
    icd10: str = ""
    impression: str = ""
    text: str = ""
    # What an export of this product tells besides: the stored file's hash, the side of a split, a drawing.
    sha256: str = ""
    split: str = ""
    is_synthetic: bool = False


def is_unknown(text: str) -> bool:
    return text.strip().casefold() in UNKNOWN


def age(text: str) -> int | None:
    """Years, 0 to 120. Raises CellError."""
    if is_unknown(text):
        return None
    # float() would also read 1_0, infinity and other scripts' digits.
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]*)?", text.strip()) or float(text) > OLDEST:
        raise CellError(_("not an age in years from 0 to %(oldest)s"), oldest=OLDEST)
    return int(float(text))


def sex(text: str) -> str:
    """'female', 'male', 'other' or ''. Raises CellError."""
    if is_unknown(text):
        return ""
    try:
        return SEXES[text.strip().casefold()]
    except KeyError:
        raise CellError(_("none of female, male, other")) from None


def skin_type(text: str) -> int | None:
    """Fitzpatrick skin type, 1 to 6, from a number or a Roman numeral. Raises CellError."""
    text = text.strip().casefold().removesuffix(".0")
    if is_unknown(text):
        return None
    try:
        return _SKIN_TYPES[text]
    except KeyError:
        raise CellError(_("not a Fitzpatrick skin type from I to VI")) from None


def yes(text: str) -> bool:
    """Whether a cell says yes. Raises CellError."""
    folded = text.strip().casefold()
    if folded in ("true", "yes", "y", "1", "1.0", "예"):
        return True
    if folded in ("false", "no", "n", "0", "0.0", "아니오") or is_unknown(text):
        return False
    raise CellError(_("neither yes nor no"))


def day(text: str) -> date | None:
    """A date as YYYY-MM-DD, YYYY/MM/DD or YYYYMMDD. Raises CellError."""
    if is_unknown(text):
        return None
    match = re.fullmatch(r"(\d{4})[-/.]?(\d{2})[-/.]?(\d{2})(?:[T ].*)?", text.strip(), re.ASCII)
    try:
        found = date(*map(int, match.groups())) if match else None
    except ValueError:
        found = None
    if found is None or not 1826 <= found.year <= 2200:
        raise CellError(_("not a date written as YYYY-MM-DD"))
    return found


def side(text: str) -> str:
    """'train', 'test' or ''. Raises CellError."""
    if is_unknown(text):
        return ""
    if text.strip().casefold() not in ("train", "test"):
        raise CellError(_("is neither train nor test"))
    return text.strip().casefold()


def confirmed_by(text: str) -> str:
    """A way of confirmation of the ISIC vocabulary, or ''. Raises CellError."""
    if is_unknown(text):
        return ""
    folded = " ".join(text.casefold().split())
    if folded not in CONFIRMED_BY:
        raise CellError(_("no way of confirmation of the ISIC vocabulary"))
    return folded


def icd10(text: str) -> str:
    """An ICD-10 code such as C44.3, or ''. Raises CellError."""
    if is_unknown(text):
        return ""
    code = text.strip().upper()
    if not re.fullmatch(r"[A-Z][0-9][0-9A-Z](\.?[0-9A-Z]{1,4})?", code) or len(code) > 8:
        raise CellError(_("not an ICD-10 code such as C44.3"))
    return code
