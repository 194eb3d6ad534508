"""Logs without the secrets of links: whoever has the address of a reading, an invitation or a tried photo may use it.

Only the hash of such a secret is stored, so no log may hold it in full. What nginx writes is masked in its own
configuration.
"""

import logging
import re

# Parts of addresses that a secret follows.
BEFORE_SECRETS = ("reading", "join", "try", "opinion", "reset", "new-email")
# As in an address, or inside a question mark part (…?next=%2Fjoin%2F…).
_SECRET = re.compile(
    rf"((?:/|%2F)(?:{'|'.join(BEFORE_SECRETS)})(?:/|%2F))[^/%?&#\s\"'<>\\]+", flags=re.IGNORECASE
)


def masked(text: str) -> str:
    """The text with "***" for each secret of a link."""
    return _SECRET.sub(r"\1***", text)


class MaskingFormatter(logging.Formatter):
    """Masks what would be written: message, arguments and traceback alike."""

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))
