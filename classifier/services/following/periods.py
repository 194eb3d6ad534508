"""Months, or quarters where there are many: the time of a record in parts. Pure."""

from dataclasses import dataclass
from datetime import date

MOST_MONTHS = 18


@dataclass(frozen=True)
class Periods:
    """``months`` at a time, from the first day of the first one."""

    first: date
    count: int
    months: int

    @classmethod
    def between(cls, start: date, end: date) -> "Periods":
        """Those from the one of ``start`` to the one of ``end``, both included."""
        months = 1 if _number(end) - _number(start) < MOST_MONTHS else 3
        first = _number(start) // months * months
        count = max((_number(end) - first) // months + 1, 1)
        return cls(date(first // 12, first % 12 + 1, 1), count, months)

    def place(self, day: date) -> int:
        """Which of them a day is in; days outside are taken to the nearest."""
        return min(max((_number(day) - _number(self.first)) // self.months, 0), self.count - 1)

    def names(self) -> list[str]:
        """“2026-03”, or “2026 Q1”."""
        found = []
        for place in range(self.count):
            number = _number(self.first) + place * self.months
            year, month = number // 12, number % 12
            found.append(f"{year}-{month + 1:02}" if self.months == 1 else f"{year} Q{month // 3 + 1}")
        return found


def _number(day: date) -> int:
    return day.year * 12 + day.month - 1
