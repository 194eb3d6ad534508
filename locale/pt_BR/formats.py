"""28 nov 2026, 14:02. Numbers as in figures, tables and files: 0.42. As the point is taken, thousands stand apart by a
space that does not break: 1 958, as ISO 80000-1 has it."""

DATE_FORMAT = SHORT_DATE_FORMAT = "j M Y"
DATETIME_FORMAT = SHORT_DATETIME_FORMAT = "j M Y, H:i"
TIME_FORMAT = "H:i"
YEAR_MONTH_FORMAT = "F \\d\\e Y"
MONTH_DAY_FORMAT = "j \\d\\e F"
DECIMAL_SEPARATOR = "."
THOUSAND_SEPARATOR = "\u00a0"
