"""The columns of a model by name."""

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field, Model


def field_of(model: type[Model], name: str) -> Field:
    """A column with its words, choices and lengths; FieldDoesNotExist, also for what points back from elsewhere."""
    field = model._meta.get_field(name)
    if not isinstance(field, Field):
        raise FieldDoesNotExist(f"{model.__name__}.{name} is no column")
    return field
