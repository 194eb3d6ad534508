"""How dates are written in each language, by the names that templates use (DATE_FORMAT, DATETIME_FORMAT …). Django
reads them by FORMAT_MODULE_PATH. ``static/js/dates.js`` writes them alike. The month is a word, so that nobody takes it
for the day, and a sentence ends with one full stop."""
