"""Tables of a former version, which reads them while the new one migrates beside it. They go once it can run no more:
they hold keys of sessions, tokens in clear, names and addresses of who signed in."""

import logging
from datetime import timedelta

from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.functions import Now

from skinclinic.engine.housekeeping import broom

log = logging.getLogger(__name__)

# Nobody needs so long for starting everything anew.
KEPT_FOR = timedelta(hours=1)
# The migration since which nothing reads them.
_SINCE = {"app": "skinclinic", "name": "0019_tokens_of_before"}
TABLES = (
    "django_session", "axes_accessattemptexpiration", "axes_accessattempt", "axes_accessfailurelog",
    "axes_accesslog", "authtoken_token",
)  # fmt: skip


class _Seen:
    gone = False


@broom
def drop() -> None:
    """Drop those that are there, an hour after the migration; once it has looked it looks no more."""
    if _Seen.gone:
        return
    applied = MigrationRecorder(connection).migration_qs.filter(**_SINCE, applied__lt=Now() - KEPT_FOR)
    if not applied.exists():
        return
    there = set(connection.introspection.table_names()) & set(TABLES)
    with connection.cursor() as cursor:
        for name in TABLES:
            if name in there:
                cursor.execute(f"DROP TABLE {connection.ops.quote_name(name)}")
                log.warning("dropped %s, a table of the former version", name)
    _Seen.gone = True
