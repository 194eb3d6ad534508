"""``get_…_display`` without looking at every other choice.

To find the name of one choice Django makes all of them hashable, and so has each translated: on a worklist a thousand
words a page. Here the names are found by the value, and only the one that is shown is translated.
"""

from functools import cache, partialmethod
from typing import Any

from django.db.models import Field, Model
from django.db.models.signals import class_prepared
from django.utils.encoding import force_str


def quickly(sender: type[Model], **_signal: Any) -> None:
    """Give a model's fields with choices their names this way, where the model has no way of its own."""
    for field in sender._meta.local_fields:
        name = f"get_{field.name}_display"
        own = sender.__dict__.get(name)
        if isinstance(own, partialmethod) and own.func is Model.__dict__["_get_FIELD_display"]:
            setattr(sender, name, partialmethod(_display, field=field))


def _display(row: Model, field: Field) -> Any:
    value = getattr(row, field.attname)
    if not isinstance(value, str | int | None):
        return row._get_FIELD_display(field)  # type: ignore[attr-defined]
    names = _names(field) if isinstance(field.choices, list) else dict(field.flatchoices)
    return force_str(names.get(value, value), strings_only=True)


@cache
def _names(field: Field) -> dict[Any, Any]:
    return dict(field.flatchoices)


class_prepared.connect(quickly, dispatch_uid="choice_names.quickly")
