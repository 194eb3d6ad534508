"""{% translate %} and {% blocktranslate %}: what a template says is looked up once in each language."""

from collections.abc import Callable
from copy import copy
from decimal import Decimal
from typing import Any

from django.template.base import FilterExpression
from django.templatetags.i18n import BlockTranslateNode, LanguageNode, TranslateNode
from django.utils import translation
from django.utils.safestring import mark_safe

from .values import MISSING, Context, expression, written

Part = Callable[[Context], str]
# What is said of this number, with places for values.
Pattern = Callable[[Context, Any], str]


def language_of(context: Context) -> str | None:
    """The language of a page, which is asked for once; {% language %} has a page of its own within it."""
    try:
        return context.quick_language
    except AttributeError:
        context.quick_language = translation.get_language()
        return context.quick_language


def language(node: LanguageNode, inner: Part) -> Part:
    """A part in another language."""
    code = expression(node.language)

    def part(context: Context) -> str:
        before = language_of(context)
        with translation.override(code(context)):
            context.quick_language = translation.get_language()
            try:
                return inner(context)
            finally:
                context.quick_language = before

    return part


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
        language = language_of(context)
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
    extra = [(name, expression(found)) for name, found in node.extra_context.items()]
    names = [
        name for tokens in (node.singular, node.plural or []) for name in node.render_token_list(tokens)[1]
    ]
    is_counted = bool(node.plural and node.countervar and node.counter)
    counter = expression(node.counter) if node.counter and is_counted else None
    pattern = _counted(node) if is_counted else _alone(node)

    def part(context: Context) -> str:
        values = {name: find(context) for name, find in extra}
        count = counter(context) if counter else 0
        if not isinstance(count, Decimal | float | int):
            return node.render(context)  # which says what is wrong
        if counter and node.countervar:
            values[node.countervar] = count
        data = {name: _text(name, values, context) for name in names}
        try:
            said = pattern(context, count) % data
        except (KeyError, ValueError):
            return node.render(context)  # in the language of the source
        if node.asvar:
            context.dicts[-1][node.asvar] = mark_safe(said)
            return ""
        return said

    return part


def _alone(node: BlockTranslateNode) -> Pattern:
    about, text = _about(node), node.render_token_list(node.singular)[0]
    known: dict[str | None, str] = {}

    def pattern(context: Context, _count: Any) -> str:
        language = language_of(context)
        said = known.get(language)
        if said is None:
            said = known[language] = translation.pgettext(about, text) if about else translation.gettext(text)
        return said

    return pattern


def _counted(node: BlockTranslateNode) -> Pattern:
    about = _about(node)
    one, many = node.render_token_list(node.singular)[0], node.render_token_list(node.plural)[0]
    if about:
        return lambda _context, count: translation.npgettext(about, one, many, count)
    return lambda _context, count: translation.ngettext(one, many, count)


def _about(node: BlockTranslateNode) -> str | None:
    return node.message_context.var if node.message_context else None


def _text(name: str, values: dict[str, Any], context: Context) -> str:
    value = values[name] if name in values else _found(context, name)
    return "" if value is MISSING else written(value, context)


def _is_constant(found: FilterExpression | None) -> bool:
    return not found or (not found.is_var and not found.filters)


def _found(context: Context, name: str) -> Any:
    for level in reversed(context.dicts):
        if name in level:
            return level[name]
    return MISSING
