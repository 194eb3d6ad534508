"""What somebody is told is stored is on the disk, on SQLite too.

PostgreSQL brings a commit to the disk before it says so. SQLite, as it is set here (``synchronous=NORMAL``), comes
whole through a power cut but may lose its last commits, and with them a photo whose sender was told that it is there.
Bringing each commit to the disk would cost jobs as much, which do their work again anyway; so its log of what is
written is brought there once, before the answer to a request that changes something.
"""

import os
from pathlib import Path

from django.db import OperationalError, connection

from skinclinic.files.whole import fsync
from skinclinic.web.sessions import READING

# The log whose name is on the disk.
_known_log = 0


class DurableMiddleware:
    """Comes round everything that writes rows: sessions, audit, the view."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        # Whoever is told that it failed is told of nothing that is stored.
        if request.method not in READING and response.status_code < 400 and connection.vendor == "sqlite":
            try:
                _flush(Path(f"{connection.settings_dict['NAME']}-wal"))
            except FileNotFoundError:
                pass  # without a log all of it is in the file itself, which SQLite has brought to the disk
            except OSError as error:
                raise OperationalError("the database's log cannot be brought to the disk") from error
        return response


def _flush(log: Path) -> None:
    global _known_log
    descriptor = os.open(log, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        number = os.fstat(descriptor).st_ino
    finally:
        os.close(descriptor)
    if number != _known_log:
        fsync(log.parent)
        _known_log = number
