"""Days, months and years as people write them: 2024, 2024-05, 2024.5.31., 2024년 5월 31일."""

import re
from datetime import date, datetime, timedelta

# Since there are photographs.
FIRST_YEAR, LAST_YEAR = 1826, 2200
_ISO = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_WRITTEN = re.compile(r"([0-9]{4})(?:\s*[-./년]\s*([0-9]{1,2})\s*(?:[-./월]\s*([0-9]{1,2})?\s*[.일]?)?)?")


def day(text: str) -> date | None:
    """The day that a date field or an address says, YYYY-MM-DD; None for anything else, and for years without
    photographs, at whose ends there is no day before or after."""
    match = _ISO.fullmatch(text.strip())
    try:
        found = date(*map(int, match.groups())) if match else None
    except ValueError:
        return None
    return found if found and FIRST_YEAR <= found.year <= LAST_YEAR else None


def moment(text: str) -> datetime | None:
    """The moment that a page says, as ISO 8601 with a zone; None for anything else, and as ``day`` has it."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo and FIRST_YEAR <= found.year <= LAST_YEAR else None


def span(text: str) -> tuple[date, date] | None:
    """First day and day after the last of what a text names; None for what names none."""
    match = _WRITTEN.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day = match.groups()
    try:
        first = date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        return None
    if not FIRST_YEAR <= first.year <= LAST_YEAR:
        return None
    if day:
        return first, first + timedelta(days=1)
    if month:
        return first, date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return first, date(first.year + 1, 1, 1)


def months_later(day: date, months: int) -> date:
    """The same day so many months later; the last of a month that is too short for it."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    first_of_next = date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    return date(year, month + 1, min(day.day, (first_of_next - timedelta(days=1)).day))
