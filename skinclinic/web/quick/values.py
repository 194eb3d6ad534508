"""Values of variables and filters, and how they are written, by the rules of ``django.template.base``."""

import html
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.template.base import FilterExpression, Variable, VariableDoesNotExist, render_value_in_context
from django.utils.safestring import SafeData, SafeString, mark_safe
from django.utils.timezone import template_localtime  # type: ignore[attr-defined]

Context = Any
Value = Callable[[Context], Any]

# What stands for a variable that there is none of.
MISSING = object()
# Whether values of a type are looked into by name alone, as ``value.name``.
_plain: dict[type, bool] = {}


def variable(var: Variable) -> Value:
    """A function that gives what the variable names, MISSING where there is no such thing."""
    if var.lookups is None:
        if var.translate:
            return var.resolve
        literal = var.literal
        return lambda _context: literal
    return _looked_up(var)


def _looked_up(var: Variable) -> Value:
    name, *bits = var.lookups or ()

    def value(context: Context) -> Any:
        for level in reversed(context.dicts):
            if name in level:
                current = level[name]
                break
        else:
            return MISSING
        try:
            if callable(current):
                current = _called(current)
            for bit in bits:
                current = _step(current, bit)
                if current is MISSING:
                    return MISSING
                if callable(current):
                    current = _called(current)
        except Exception:  # noqa: BLE001  # Django's own way tells what it means, or raises it
            return _as_django(var, context)
        return current

    return value


def _step(current: Any, bit: str) -> Any:
    """``current.bit`` as a template means it."""
    kind = type(current)
    if kind is dict:
        if bit in current:
            return current[bit]
        return getattr(current, bit, MISSING) if not bit.isdigit() else current[int(bit)]
    is_plain = _plain.get(kind)
    if is_plain is None:
        is_plain = _plain[kind] = not hasattr(kind, "__getitem__")
    return getattr(current, bit) if is_plain else current[bit]


def _called(current: Any) -> Any:
    if getattr(current, "do_not_call_in_templates", False):
        return current
    return "" if getattr(current, "alters_data", False) else current()


def _as_django(var: Variable, context: Context) -> Any:
    try:
        return var._resolve_lookup(context)  # type: ignore[attr-defined]
    except VariableDoesNotExist:
        return MISSING


def expression(found: FilterExpression, if_missing: Any = "") -> Value:
    """A function that gives the value of ``variable|filter:argument``; ``if_missing``: what stands for a variable that
    there is none of ("", and None where it is asked for in a condition or a loop)."""
    start = variable(found.var) if found.is_var else _constant(found.var)
    steps = [_filter(function, arguments) for function, arguments in found.filters]
    if not steps:

        def value(context: Context) -> Any:
            current = start(context)
            return if_missing if current is MISSING else current

    else:

        def value(context: Context) -> Any:
            current = start(context)
            if current is MISSING:
                current = if_missing
            for step in steps:
                current = step(current, context)
            return current

    return value


def _constant(value: Any) -> Value:
    return lambda _context: value


def _filter(function: Any, arguments: Any) -> Callable[[Any, Context], Any]:
    wants_local, wants_escape = (
        getattr(function, name, False) for name in ("expects_localtime", "needs_autoescape")
    )
    is_safe = getattr(function, "is_safe", False)
    takes = [
        argument.resolve if is_looked_up else _constant(mark_safe(argument))
        for is_looked_up, argument in arguments
    ]

    def step(current: Any, context: Context) -> Any:
        if wants_local:
            current = template_localtime(current, context.use_tz)
        more = [take(context) for take in takes]
        named = {"autoescape": context.autoescape} if wants_escape else {}
        result = function(current, *more, **named)
        return mark_safe(result) if is_safe and isinstance(current, SafeData) else result

    return step


def written(value: Any, context: Context) -> str:
    """The value as text of a page, escaped unless it is HTML or the template asks for none of that."""
    kind = type(value)
    if kind is SafeString:
        return value
    if kind is str:
        return html.escape(value) if context.autoescape else value
    if kind is int and not settings.USE_THOUSAND_SEPARATOR:
        return str(value)
    return render_value_in_context(value, context)


def escaped(value: Any) -> str:
    """``conditional_escape``, without asking first whether the text is a promise."""
    return html.escape(value) if type(value) is str else _written_html(value)


def _written_html(value: Any) -> str:
    if type(value) is SafeString:
        return value
    text = value if hasattr(value, "__html__") else str(value)
    return text.__html__() if hasattr(text, "__html__") else html.escape(text)
