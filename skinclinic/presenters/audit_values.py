"""What a row of the audit says of a subject's columns and of facts, in words: names, choices, dates."""

import json
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from skinclinic.models.columns import field_of

# Of what has no name for people in its model. What is missing here is shown as it is written.
WORDS: dict[str, str | Promise] = {
    "begins": gettext_lazy("begins with"),
    "bin": gettext_lazy("number in the bin"),
    "clinic": gettext_lazy("clinic"),
    "code": gettext_lazy("code"),
    "concept": gettext_lazy("what it stands for"),
    "display": gettext_lazy("what the system calls it"),
    "counts": gettext_lazy("how many"),
    "is_active": pgettext_lazy("audit", "access"),
    "member": gettext_lazy("member"),
    "merged": gettext_lazy("merged"),
    "model": gettext_lazy("model"),
    "name": gettext_lazy("name"),
    "owner": gettext_lazy("whose, by number"),
    "page": pgettext_lazy("audit", "page"),
    "photos": gettext_lazy("photos"),
    "reader": gettext_lazy("reader"),
    "role": gettext_lazy("role"),
    "source": gettext_lazy("where it was looked up"),
    "system": gettext_lazy("system"),
    "version": gettext_lazy("version"),
    "service": gettext_lazy("service account"),
    "weights": gettext_lazy("weights"),
    "why": gettext_lazy("why"),
}
# Facts that are named otherwise than the column whose choices they are.
AS_COLUMN = {("skinclinic.apitoken", "why"): "revoked_why"}


def word(kind: str, name: str) -> str:
    """What a column of ``kind``, as "skinclinic.photo", or a fact is called."""
    column = _column(kind, name)
    if column is not None and isinstance(column.verbose_name, Promise):
        return str(column.verbose_name)
    return str(WORDS.get(name, name))


def said(kind: str, name: str, value: Any) -> str:
    """The value in words: "–" for none, the label of a choice, a date as people write it."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if value == "changed":
        return _("changed")
    column = _column(kind, AS_COLUMN.get((kind, name), name))
    labels = dict(column.flatchoices) if column is not None else {}
    if isinstance(value, str | int) and value in labels:
        return str(labels[value])
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return _date(value) or value


def _column(kind: str, name: str) -> Field | None:
    try:
        return field_of(apps.get_model(kind), name) if kind else None
    except (LookupError, ValueError, FieldDoesNotExist):  # of a software that was removed
        return None


def _date(text: str) -> str:
    try:
        at = parse_datetime(text) if "T" in text else None
    except ValueError:
        return ""
    return date_format(localtime(at), "DATETIME_FORMAT") if at is not None and at.tzinfo else ""
