"""How dates are written in each language, by the names that templates use (DATE_FORMAT, DATETIME_FORMAT …), and that
numbers have a decimal point everywhere, as in figures and files. Django reads them by FORMAT_MODULE_PATH: English here,
of every other language ``formats.py`` in its folder of ``locale``. ``static/js/dates.js`` writes them alike. The month
is a word, so that nobody takes it for the day, and a sentence ends with one full stop."""

from pathlib import Path

# ``skinclinic.dates.ko.formats`` is ``locale/ko/formats.py``.
__path__.append(str(Path(__file__).resolve().parents[2] / "locale"))
