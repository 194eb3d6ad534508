"""Whether an error says that a disk is full: of files, or of the database."""

import errno

from django.db import DatabaseError


def is_disk_full(error: BaseException | None) -> bool:
    """Whether something was not written for want of room, or of what may be used of it; a database answers all the
    same."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    # 53100: PostgreSQL's disk_full.
    by_number = getattr(error.__cause__, "sqlstate", "") if error else ""
    return isinstance(error, DatabaseError) and ("disk is full" in str(error) or by_number == "53100")
