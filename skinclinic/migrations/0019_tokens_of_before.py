"""Tokens that were kept in clear are kept as hashes, and work on for 90 days. Their table, which the version of before
reads until it is stopped, goes an hour later (``services/former_tables.py``)."""

import hashlib
from datetime import UTC, datetime, timedelta

from django.db import migrations
from django.utils import timezone

FORMER = "authtoken_token"


def take_over(apps, schema_editor):
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        if FORMER not in connection.introspection.table_names(cursor):
            return
        cursor.execute(f"SELECT key, created, user_id FROM {FORMER}")
        rows = cursor.fetchall()
    Token = apps.get_model("skinclinic", "ApiToken")
    expires = timezone.now() + timedelta(days=90)
    for key, created, owner in rows:
        made = created if isinstance(created, datetime) else datetime.fromisoformat(created)
        Token.objects.create(
            owner_id=owner,
            created_by_id=owner,
            name="from before",
            scope="write",
            sha256=hashlib.sha256(key.encode()).hexdigest(),
            begins=key[:4],
            created_at=made if made.tzinfo else made.replace(tzinfo=UTC),
            expires_at=expires,
        )


class Migration(migrations.Migration):
    dependencies = [("skinclinic", "0018_tokens")]

    operations = [migrations.RunPython(take_over, migrations.RunPython.noop)]
