"""Whether an error says that a disk is full: of files, or of the database."""

import errno

from django.db import DatabaseError

_POSTGRESQL_FULL = "53100"


def is_disk_full(error: BaseException | None) -> bool:
    """Whether something was not written for want of room, or of what may be used of it; a database answers all the
    same."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return is_database_full(error)


def is_database_full(error: BaseException | None) -> bool:
    """Whether it is the database that has no room: nobody who asks it has."""
    if not isinstance(error, DatabaseError):
        return False
    # PostgreSQL says so by a number, as whose attribute its driver has it.
    numbers = {getattr(error.__cause__, name, None) for name in ("pgcode", "sqlstate")}
    return _POSTGRESQL_FULL in numbers or "disk is full" in str(error)
