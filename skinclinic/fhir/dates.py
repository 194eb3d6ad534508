"""Dates of searches: ``ge2026-03``, ``2026-03-04``, ``lt2026-03-04T10:00:00Z``."""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo

PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb")
_SAID = re.compile(
    r"(?P<prefix>[a-z]{2})?(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)"
    r"(T(?P<time>\d\d:\d\d(:\d\d(\.\d{1,6})?)?)(?P<zone>Z|[+-]\d\d:\d\d)?)?)?)?"
)


def span(text: str, zone: tzinfo) -> tuple[str, datetime, datetime]:
    """(prefix, begin, end): the time that is said, the end not in it, as aware moments; what names no zone is in
    ``zone``. Raises ValueError for anything else, and for years that no patient has lived in."""
    found = _SAID.fullmatch(text)
    prefix = found["prefix"] or "eq" if found else ""
    if found is None or prefix not in PREFIXES or not 1800 <= int(found["year"]) <= 2999:
        raise ValueError(text)
    begin = datetime(int(found["year"]), int(found["month"] or 1), int(found["day"] or 1), tzinfo=zone)
    if found["time"]:
        clock = time.fromisoformat(found["time"])
        begin = datetime.combine(begin.date(), clock, _zone(found["zone"], zone))
        length = timedelta(minutes=1) if found["time"].count(":") == 1 else timedelta(seconds=1)
        return prefix, begin, begin + (timedelta(microseconds=1) if clock.microsecond else length)
    if found["day"]:
        end = begin.date() + timedelta(days=1)
    elif found["month"]:
        end = (begin.date().replace(day=1) + timedelta(days=32)).replace(day=1)
    else:
        end = date(begin.year + 1, 1, 1)
    return prefix, begin, datetime.combine(end, time(), zone)


def _zone(said: str | None, otherwise: tzinfo) -> tzinfo:
    if not said:
        return otherwise
    return UTC if said == "Z" else datetime.fromisoformat(f"2000-01-01T00:00{said}").tzinfo or otherwise
