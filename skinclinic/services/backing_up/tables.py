"""Rows of every table as text that any database reads again: a line of JSON for each, compressed in parts.

Rows whose keys are numbers are cut into parts by their keys, so that what does not change stays the same part, and is
stored once for all backups.
"""

import base64
import gzip
import json
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from decimal import Decimal
from itertools import groupby, islice
from typing import Any
from uuid import UUID

from django.apps.registry import Apps
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, IntegerField, JSONField, Model, Value, sql
from django.db.models.fields.related import ForeignKey

from skinclinic.backups.repository import packed
from skinclinic.services.backing_up.snapshot import ALIAS

ROWS = 4096
# What nobody needs back: who was signed in signs in again, and a session that was ended stays so.
LEFT_OUT = frozenset({"skinclinic.session"})
# Kept in another form.
MIGRATIONS = "django_migrations"


def names(connection: BaseDatabaseWrapper) -> set[str]:
    """Every table but those that SQLite keeps for itself."""
    return {name for name in connection.introspection.table_names() if not name.startswith("sqlite_")}


def models_of(apps: Apps) -> list[type[Model]]:
    """Those whose rows are saved, tables between others included."""
    return [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy and model._meta.label_lower not in LEFT_OUT
    ]


def columns_of(model: type[Model]) -> list[Field]:
    return [field for field in model._meta.local_concrete_fields if not getattr(field, "generated", False)]


def parts_of(model: type[Model]) -> Iterator[tuple[int, bytes]]:
    """(rows, compressed lines) of the table, read through ALIAS."""
    names = [field.attname for field in columns_of(model)]
    rows = model._base_manager.using(ALIAS).order_by("pk").values_list("pk", *names).iterator(ROWS)
    for part in _cut(model, rows):
        lines = [json.dumps([_as_json(value) for value in row[1:]], ensure_ascii=False) for row in part]
        yield len(lines), packed("\n".join(lines).encode("utf-8", "surrogatepass"))


def rows_of(part: bytes) -> Iterator[list[Any]]:
    """The values of each row of a part."""
    return map(json.loads, gzip.decompress(part).decode("utf-8", "surrogatepass").split("\n"))


def load(model: type[Model], columns: list[str], part: bytes) -> int:
    """Write the rows of a part through ALIAS as they were, past everything that saving a row sets off; how many."""
    by_name = {field.attname: field for field in columns_of(model)}
    fields = [by_name[name] for name in columns]
    rows = [
        model(**{field.attname: _as_value(field, value) for field, value in zip(fields, row, strict=True)})
        for row in rows_of(part)
    ]
    size = max(1, min(1000, connections[ALIAS].ops.bulk_batch_size(fields, rows)))
    for some in _batched(rows, size):
        query = sql.InsertQuery(model)
        query.insert_values(fields, some, raw=True)
        query.get_compiler(using=ALIAS).execute_sql(None)
    return len(rows)


def counters(connection: BaseDatabaseWrapper, models: Iterable[type[Model]]) -> dict[str, int]:
    """{table: the highest key it has ever given}, so that no key is given twice."""
    found = {}
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, seq FROM sqlite_sequence")
            return dict(cursor.fetchall())
        for model in models:
            if sequence := _sequence_of(cursor, model):
                cursor.execute(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}")
                found[model._meta.db_table] = cursor.fetchone()[0]
    return found


def set_counters(
    connection: BaseDatabaseWrapper, models: Iterable[type[Model]], known: dict[str, int]
) -> None:
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        for model in models:
            table, key = model._meta.db_table, model._meta.pk
            if not isinstance(key, IntegerField) or isinstance(key, ForeignKey):
                continue
            cursor.execute(f"SELECT COALESCE(MAX({quote(key.column or key.name)}), 0) FROM {quote(table)}")
            last = max(known.get(table, 0), cursor.fetchone()[0])
            if connection.vendor == "sqlite":
                cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
                cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, last])
            elif sequence := _sequence_of(cursor, model):
                cursor.execute("SELECT setval(%s, %s, %s)", [sequence, max(last, 1), last > 0])


def _sequence_of(cursor: Any, model: type[Model]) -> str | None:
    """PostgreSQL's counter of the table's keys."""
    key = model._meta.pk
    if not isinstance(key, IntegerField):
        return None
    cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [f'"{model._meta.db_table}"', key.column])
    return cursor.fetchone()[0]


def _batched(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    rows = iter(rows)
    while some := list(islice(rows, size)):
        yield some


def _cut(model: type[Model], rows: Iterable[tuple]) -> Iterator[Iterable[tuple]]:
    key = model._meta.pk
    if isinstance(key, IntegerField):
        for _number, part in groupby(rows, lambda row: row[0] // ROWS):
            yield part
    else:
        yield from _batched(rows, ROWS)


def _as_json(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, UUID | Decimal):
        return str(value)
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(value).decode()
    if isinstance(value, dict | list):
        return value
    raise TypeError(f"nothing is known of values like {type(value).__name__}")


def _as_value(field: Field, value: Any) -> Any:
    if isinstance(field, JSONField):
        # A column that is never empty holds JSON's own null.
        return Value(None, JSONField()) if value is None and not field.null else value
    return field.to_python(value)
