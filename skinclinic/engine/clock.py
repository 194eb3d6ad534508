"""What time it is where rows are.

What one process writes and another compares with, such as the end of a lease or the age of what is swept, goes by the
database's clock: a machine whose own clock is wrong takes nothing from others and keeps nothing for hours. In a query
that is ``Now()``; this is for whoever needs the moment itself.
"""

import time
from datetime import UTC, datetime

from django.db import connection


def now() -> datetime:
    """The moment, by the database's clock."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW')")
            return datetime.fromisoformat(cursor.fetchone()[0]).replace(tzinfo=UTC)
        cursor.execute("SELECT CLOCK_TIMESTAMP()")
        return cursor.fetchone()[0]


def ahead() -> float:
    """Seconds that the clock of this machine is ahead of the database's; less than 0: behind."""
    return time.time() - now().timestamp()
