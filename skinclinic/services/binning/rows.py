"""Taking rows, with everything that hangs on them, out of their tables, and putting them back as they were.

What is deleted is really gone from every table, so that no list, search, count or file can show it; a copy of each row
lies in the bin. This knows no model by name: it follows the relations that the models declare.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from django.apps import apps
from django.core import serializers
from django.db import models
from django.db.models import ForeignKey, Model

from skinclinic.models import BinItem, BinnedRow

AT_ONCE = 500
# What nobody else may take while it lies in the bin.
NAMES = {
    "skinclinic.photo": "sha256",
    "skinclinic.photocover": "content_sha256",
    "skinclinic.patient": "code",
}


@dataclass
class Gathered:
    """Rows by model, parents first; ``cut``: [model, field, key, target] of other rows that name them and lose it."""

    rows: dict[type[Model], dict[int, Model]] = field(default_factory=dict)
    cut: list[tuple[str, str, int, int]] = field(default_factory=list)

    def of(self, model: type[Model]) -> dict[int, Model]:
        return self.rows.get(model, {})

    def count(self, model: type[Model]) -> int:
        return len(self.of(model))


def gather(wanted: Mapping[type[Model], Iterable[int]]) -> Gathered:
    """The rows of these keys and all that would be deleted with them."""
    found = Gathered()
    waiting = [(model, "pk", list(keys)) for model, keys in wanted.items()]
    while waiting:
        asked, by, keys = waiting.pop(0)
        known = found.rows.setdefault(asked, {})
        fresh = {row.pk: row for row in _those(asked, by, keys) if row.pk not in known}
        known |= fresh
        for relation in _relations(asked) if fresh else ():
            if relation.on_delete is models.CASCADE:
                waiting.append((relation.related_model, relation.field.name, list(fresh)))
            elif relation.on_delete is models.SET_NULL:
                found.cut += _naming(relation.related_model, relation.field, list(fresh))
    return found


def keep(item: BinItem, gathered: Gathered) -> None:
    """Copy the rows into the bin."""
    copies = []
    for model, rows in gathered.rows.items():
        label = model._meta.label_lower
        for data in serializers.serialize("python", rows.values()):
            name = data["fields"].get(NAMES.get(label, ""), "")
            copies.append(
                BinnedRow(item=item, model=label, key=data["pk"], name=name.lower(), data=data["fields"])
            )
    BinnedRow.objects.bulk_create(copies, batch_size=AT_ONCE)


def put_back(item: BinItem, instead: dict[str, dict[int, int]]) -> tuple[list[Model], int]:
    """Insert the rows again, and what else named them where that names nothing yet; return the rows, and how many
    others stay away because something they belong to is gone. ``instead`` {model: {key: key}}: what took the place of
    what they named."""
    rows = [_model_of(copy, instead) for copy in item.rows.order_by("id")]
    rows, lost = _with_all_they_need(rows)
    for row in rows:
        # As a loaddata does: exactly the values kept, no dates of today, nobody told.
        row.save_base(raw=True, force_insert=True)
    here = {(type(row)._meta.label_lower, row.pk) for row in rows}
    for label, name, key, target in item.cut:
        model = apps.get_model(label)
        targeted = model._meta.get_field(name).related_model
        if (targeted._meta.label_lower, target) in here:
            model._base_manager.filter(pk=key, **{f"{name}__isnull": True}).update(**{name: target})
    return rows, lost


def _those(model: type[Model], by: str, keys: list[int]) -> Iterator[Model]:
    for start in range(0, len(keys), AT_ONCE):
        yield from model._base_manager.filter(**{f"{by}__in": keys[start : start + AT_ONCE]}).order_by("pk")


def _relations(model: type[Model]) -> Iterator:
    """What points to the model from elsewhere, also what has no name back."""
    for relation in model._meta.get_fields(include_hidden=True):
        if relation.auto_created and not relation.concrete and (relation.one_to_one or relation.one_to_many):
            yield relation


def _naming(model: type[Model], column: ForeignKey, keys: list[int]) -> Iterator[tuple[str, str, int, int]]:
    for start in range(0, len(keys), AT_ONCE):
        rows = model._base_manager.filter(**{f"{column.name}__in": keys[start : start + AT_ONCE]})
        for key, target in rows.order_by("pk").values_list("pk", column.attname):
            yield model._meta.label_lower, column.name, key, target


def _model_of(copy: BinnedRow, instead: dict[str, dict[int, int]]) -> Model:
    data = {"model": copy.model, "pk": copy.key, "fields": copy.data}
    # A column that an update of the software has removed since is passed over.
    (found,) = serializers.deserialize("python", [data], ignorenonexistent=True)
    row = found.object
    for column in _foreign(type(row)):
        other = instead.get(column.related_model._meta.label_lower, {})
        value = getattr(row, column.attname)
        setattr(row, column.attname, other.get(value, value))
    return row


def _with_all_they_need(rows: list[Model]) -> tuple[list[Model], int]:
    """Those whose targets are all there or come with them; a column that may be empty is emptied instead."""
    lost = 0
    there = _targets_there(rows)
    while True:
        coming = {(type(row), row.pk) for row in rows}
        kept = []
        for row in rows:
            missing = [
                column
                for column in _foreign(type(row))
                if (target := (column.related_model, getattr(row, column.attname)))[1] is not None
                and target not in there
                and target not in coming
            ]
            if any(not column.null for column in missing):
                lost += 1
                continue
            for column in missing:
                setattr(row, column.attname, None)
            kept.append(row)
        if len(kept) == len(rows):
            return rows, lost
        rows = kept


def _targets_there(rows: list[Model]) -> set[tuple[type[Model], int]]:
    named: dict[type[Model], set[int]] = defaultdict(set)
    for row in rows:
        for column in _foreign(type(row)):
            if (value := getattr(row, column.attname)) is not None:
                named[column.related_model].add(value)
    return {(model, row.pk) for model, keys in named.items() for row in _those(model, "pk", sorted(keys))}


def _foreign(model: type[Model]) -> list[ForeignKey]:
    return [column for column in model._meta.concrete_fields if isinstance(column, ForeignKey)]
