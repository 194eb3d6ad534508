"""The tags of Django's ``i18n``, in whose texts whole numbers are written as everywhere (``counts.py``)."""

from typing import Any

from django.template import Library
from django.template.base import Parser, Token, TokenType
from django.templatetags import i18n
from django.utils.safestring import SafeString

from skinclinic.web.counts import Whole

register = Library()
register.tags |= i18n.register.tags
register.filters |= i18n.register.filters


class CountedNode(i18n.BlockTranslateNode):
    """``{% blocktranslate count n=photos %}{{ n }} photo…``, and every other whole number in such a text."""

    def render(self, context: Any, nested: bool = False) -> str | SafeString:
        named = [
            token.contents
            for token in (*self.singular, *(self.plural or ()))
            if token.token_type == TokenType.VAR
        ]
        values = {name: context[name] for name in named if name in context}
        with context.push(**{name: Whole(value) for name, value in values.items() if type(value) is int}):
            written = super().render(context, nested)
            said = context.get(self.asvar) if self.asvar else None
        if self.asvar:
            context[self.asvar] = said
        return written


class _Counting:
    """An expression of a template whose whole numbers are written so."""

    def __init__(self, expression: Any):
        self.expression = expression

    def resolve(self, context: Any) -> Any:
        value = self.expression.resolve(context)
        return Whole(value) if type(value) is int else value


@register.tag("blocktranslate")
def blocktranslate(parser: Parser, token: Token) -> CountedNode:
    """As Django's."""
    node: Any = i18n.do_block_translate(parser, token)
    counter: Any = node.counter and _Counting(node.counter)
    extra: Any = {name: _Counting(value) for name, value in node.extra_context.items()}
    return CountedNode(
        extra,
        node.singular, node.plural, node.countervar, counter,
        message_context=node.message_context, trimmed=node.trimmed, asvar=node.asvar, tag_name=node.tag_name,
    )  # fmt: skip
