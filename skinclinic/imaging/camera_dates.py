"""When a photo was taken, by the text a camera or program wrote: EXIF's own spelling and the common others."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from email.utils import parsedate_tz

# Year first, as the standard has it; day first cannot be told from month first, so it is not read.
_DATE = re.compile(
    r"(?P<year>\d{4})(?P<mark>[:/.\- ]) ?(?P<month>\d{1,2})(?P=mark) ?(?P<day>\d{1,2})"
    r"(?:(?:\s*[T_]\s*|\s+|\s*-\s*)(?P<time>[\d오午上下].*))?",
    re.IGNORECASE | re.DOTALL,
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})((?:\d{6})?)(?=\D|$)")
# 2021年7月8日, 2021년 7월 8일.
_EAST_ASIAN = re.compile(r"(\d{4})\s*[年년]\s*(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日일]")
# A month by its English name can be told from the day wherever it stands.
_NAMED_MONTH = re.compile(r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b", re.IGNORECASE)
_MONTH_FIRST = re.compile(r"([a-z]{3})[a-z]*\.? (\d{1,2}),? (\d{4})(.*)", re.IGNORECASE | re.DOTALL)
_TIME = re.compile(
    r"(?:(?P<early>오전|午前|上午)|(?P<late>오후|午後|下午))?\s*"
    r"(?P<hour>\d{1,2})(?P<mark>[:.\-]?)(?P<minute>\d{2})(?:(?:(?P=mark)|[:.])(?P<second>\d{2})(?:[.,]\d+)?)?"
    r"\s*(?P<half>[AP]M)?\s*(?P<zone>Z|[+\-−]\d{1,2}:?\d{0,2}|[A-Z]{3,4})?",
    re.IGNORECASE,
)
_ZONE = re.compile(r"\s*([+\-−])?(\d{1,2}):?(\d{2})?\s*")
# Where no hour is known: the middle of the day is that day wherever a zone moves it.
_NOON = time(12)
_EPOCH = date(1970, 1, 1)
_FARTHEST_ZONE = 14 * 60
# A camera that stands east of the server is ahead of it.
_AHEAD = timedelta(days=1)


@dataclass(frozen=True)
class Taken:
    """`at`: by the camera's clock, without zone. `offset`: minutes by which that clock is ahead of UTC, if known."""

    at: datetime
    offset: int | None = None


def as_text(raw: bytes) -> str:
    """The text of an EXIF field: what stands before the first NUL, without the blanks around it.

    ASCII by the standard; some phones write the digits and words of their owner's language.
    """
    return raw.partition(b"\0")[0].decode("utf-8", "replace").strip()


def says_nothing(text: str) -> bool:
    """Whether a field is empty as the standard writes it: blanks or zeros between its marks."""
    return not text.strip(" :0/-.T")


def read(text: str, offset: str = "") -> Taken | None:
    """The moment that a text names, or None. `offset` is what a field of its own says of the zone."""
    if _NAMED_MONTH.search(text):
        return _with_named_month(text, offset)
    plain = _EAST_ASIAN.sub(r"\1:\2:\3", text, count=1)
    found = _DATE.fullmatch(_COMPACT.sub(r"\1:\2:\3 \4", plain, count=1).strip())
    if not found:
        return None
    clock = _time(found["time"] or "")
    if clock is None:
        return None
    moment, zone = clock
    try:
        day = date(int(found["year"]), int(found["month"]), int(found["day"]))
    except ValueError:
        return None
    return Taken(datetime.combine(day, moment), zone if zone is not None else _minutes(offset))


def _with_named_month(text: str, offset: str) -> Taken | None:
    """'Thu, 08 Jul 2021 23:30:11 +0200', 'Thu Jul  8 23:30:11 2021', '8 July 2021'."""
    if found := _MONTH_FIRST.fullmatch(text):
        text = f"{found[2]} {found[1]} {found[3]} {found[4]}"
    try:
        parts = parsedate_tz(text if ":" in text else f"{text.rstrip()} 12:00:00")
        if parts is None:
            return None
        at = datetime.combine(date(*parts[:3]), time(*parts[3:6]))
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
    zone = parts[9]
    is_said = zone is not None and bool(re.search(r"[+\-]\d{4}|GMT|UTC", text))
    return Taken(at, zone // 60 if zone is not None and is_said else _minutes(offset))


def is_plausible(taken: Taken, now: datetime) -> bool:
    """Whether a photo can have been taken then: clocks that were never set show 1970, others years to come.

    `now` is naive.
    """
    return taken.at.year >= _EPOCH.year and taken.at.date() != _EPOCH and taken.at <= now + _AHEAD


def _time(text: str) -> tuple[time, int | None] | None:
    if not text:
        return _NOON, None
    found = _TIME.fullmatch(text.strip())
    if not found:
        return None
    hour, minute, second = (int(found[name] or 0) for name in ("hour", "minute", "second"))
    half = (found["half"] or "").upper() or ("PM" if found["late"] else "AM" if found["early"] else "")
    if half and 1 <= hour <= 12:
        hour = hour % 12 + (12 if half == "PM" else 0)
    # Hours counted from 1 to 24 call the day's first one 24; a leap second is the minute's 61st.
    hour, second = 0 if hour == 24 else hour, min(second, 59) if second <= 60 else second
    try:
        return time(hour, minute, second), _minutes(found["zone"] or "")
    except ValueError:
        return None


def _minutes(zone: str) -> int | None:
    """Minutes east of UTC: '+02:00', '+0200', '-3', 'Z'. None for names of zones, of which many mean several."""
    if zone.strip().upper() in ("Z", "UTC", "GMT"):
        return 0
    found = _ZONE.fullmatch(zone)
    if not found:
        return None
    minutes = int(found[2]) * 60 + int(found[3] or 0)
    if minutes > _FARTHEST_ZONE or int(found[3] or 0) > 59:
        return None
    return minutes if found[1] in (None, "+") else -minutes
