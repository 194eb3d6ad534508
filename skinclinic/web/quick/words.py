"""{% translate %} and {% blocktranslate %}: what a template says is looked up once in each language."""

from collections.abc import Callable
from copy import copy
from decimal import Decimal
from typing import Any

from django.template.base import FilterExpression
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.utils import translation
from django.utils.safestring import mark_safe

from .values import MISSING, Context, expression, written

Part = Callable[[Context], str]


def translate(node: TranslateNode) -> Part:
    """A word or sentence that stands in the template; what a variable holds is looked up by Django."""
    found = node.filter_expression
    is_literal = not found.filters and found.is_var and found.var.lookups is None
    if not is_literal or not _is_constant(node.message_context):
        return node.render
    plain, name = copy(node), node.asvar
    plain.asvar = None
    known: dict[str | None, str] = {}

    def part(context: Context) -> str:
        language = translation.get_language()
        said = known.get(language)
        if said is None:
            said = known[language] = plain.render(context)
        if name:
            context.dicts[-1][name] = said
            return ""
        return said

    return part


def blocktranslate(node: BlockTranslateNode) -> Part:
    """A sentence with values in it, which may depend on a number."""
    if not _is_constant(node.message_context):
        return node.render
    about = node.message_context and node.message_context.var
    extra = [(name, expression(found)) for name, found in node.extra_context.items()]
    singular, names = node.render_token_list(node.singular)
    plural = ""
    is_counted = bool(node.plural and node.countervar and node.counter)
    if is_counted:
        plural, more = node.render_token_list(node.plural)
        names = [*names, *more]
    counter = expression(node.counter) if is_counted else None
    known: dict[str | None, str] = {}

    def pattern(count: Any) -> str:
        if counter is not None:
            if about:
                return translation.npgettext(about, singular, plural, count)
            return translation.ngettext(singular, plural, count)
        language = translation.get_language()
        said = known.get(language)
        if said is None:
            said = translation.pgettext(about, singular) if about else translation.gettext(singular)
            known[language] = said
        return said

    def part(context: Context) -> str:
        values = {name: find(context) for name, find in extra}
        if counter is not None:
            count = values[node.countervar] = counter(context)
            if not isinstance(count, Decimal | float | int):
                return node.render(context)  # which says what is wrong
        else:
            count = None
        data = {}
        for name in names:
            value = values[name] if name in values else _found(context, name)
            data[name] = "" if value is MISSING else written(value, context)
        try:
            said = pattern(count) % data
        except (KeyError, ValueError):
            return node.render(context)  # in the language of the source
        if node.asvar:
            context.dicts[-1][node.asvar] = mark_safe(said)
            return ""
        return said

    return part


def _is_constant(found: FilterExpression | None) -> bool:
    return not found or (not found.is_var and not found.filters)


def _found(context: Context, name: str) -> Any:
    for level in reversed(context.dicts):
        if name in level:
            return level[name]
    return MISSING
