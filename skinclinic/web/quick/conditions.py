"""What {% if %} asks, by the rules of ``django.template.smartif``: what cannot be compared is not so."""

import operator
from collections.abc import Callable
from typing import Any

from django.template.base import FilterExpression

from .values import Context, Value, expression

_COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "in": lambda one, other: one in other,
    "not in": lambda one, other: one not in other,
    "is": operator.is_,
    "is not": operator.is_not,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def condition(asked: Any) -> Value:
    """A function that gives whether (or a value that says whether) it is so."""
    if isinstance(getattr(asked, "value", None), FilterExpression):
        return expression(asked.value, if_missing=None)
    if asked.id == "not":
        return _not(condition(asked.first))
    if asked.id in ("and", "or"):
        return _joined(asked.id == "and", condition(asked.first), condition(asked.second))
    if asked.id in _COMPARED:
        return _compared(_COMPARED[asked.id], condition(asked.first), condition(asked.second))
    return asked.eval


def _not(first: Value) -> Value:
    def is_so(context: Context) -> Any:
        try:
            return not first(context)
        except Exception:  # noqa: BLE001  # as in Django
            return False

    return is_so


def _joined(is_and: bool, first: Value, second: Value) -> Value:
    def both(context: Context) -> Any:
        try:
            return first(context) and second(context)
        except Exception:  # noqa: BLE001  # as in Django
            return False

    def either(context: Context) -> Any:
        try:
            return first(context) or second(context)
        except Exception:  # noqa: BLE001  # as in Django
            return False

    return both if is_and else either


def _compared(compare: Callable[[Any, Any], Any], first: Value, second: Value) -> Value:
    def is_so(context: Context) -> Any:
        try:
            return compare(first(context), second(context))
        except Exception:  # noqa: BLE001  # as in Django
            return False

    return is_so
