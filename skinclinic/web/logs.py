"""Logs without secrets and without patients, each line with the ids of the request, the job and the person.

Whoever has the address of a reading, an invitation or a tried photo may use it, and only the hash of its secret is
stored; what people search for, and the codes of patients, stand in the queries of addresses and in what a database says
of a row that it refuses. None of it reaches a log. What nginx writes is masked in its own configuration.
"""

import json
import logging
import re
from datetime import UTC, datetime

from skinclinic.web.working import current

# Parts of addresses that a secret follows.
BEFORE_SECRETS = ("reading", "join", "try", "opinion", "reset", "new-email")
# As in an address, or inside a question mark part (…?next=%2Fjoin%2F…).
_SECRET = re.compile(
    rf"((?:/|%2F)(?:{'|'.join(BEFORE_SECRETS)})(?:/|%2F))[^/%?&#\s\"'<>\\]+", flags=re.IGNORECASE
)
# The query of an address: what stands behind a path and its question mark.
_QUERY = re.compile(r"(?<=[\w/.%~-])\?[\w.\[\]%~+-]*=[^\s\"'<>#\\)]*")
# What PostgreSQL says of the row that it refuses.
_ROW = re.compile(r"^(\s*(?:DETAIL|CONTEXT):).*$|(Failing row contains ).*$", flags=re.MULTILINE)


def masked(text: str) -> str:
    """The text with "***" for each secret of a link."""
    return _SECRET.sub(r"\1***", text)


def fit_for_logs(text: str) -> str:
    """The text without secrets, queries of addresses and values of rows."""
    text = _QUERY.sub("?***", masked(text))
    return _ROW.sub(lambda found: f"{found[1] or found[2]} ***", text)


class MaskingFormatter(logging.Formatter):
    """A line for people to read: masked message, arguments and traceback alike, and whose work it was."""

    def format(self, record: logging.LogRecord) -> str:
        line = fit_for_logs(super().format(record))
        about = about_work()
        if not about:
            return line
        first, newline, rest = line.partition("\n")
        return f"{first} [{' '.join(f'{name}={value}' for name, value in about.items())}]{newline}{rest}"


class JsonFormatter(logging.Formatter):
    """The same as one line of JSON for machines that gather logs."""

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": fit_for_logs(record.getMessage()),
            **about_work(),
            **getattr(record, "told", {}),
        }
        if record.exc_info:
            told["traceback"] = fit_for_logs(self.formatException(record.exc_info))
        return json.dumps(told, ensure_ascii=False)


def about_work() -> dict[str, str]:
    """The ids of the request or the job that this thread works on, and the key of its person."""
    work = current.get()
    return dict(work.for_logs()) if work else {}
