"""{% url %}: addresses without arguments, and those of a row by its number, are looked up once."""

from collections.abc import Callable
from functools import lru_cache

from django.template.defaulttags import URLNode
from django.urls import NoReverseMatch, get_script_prefix, get_urlconf, reverse

from .values import Context, escaped, expression

# Stands for the number of a row while its address is looked up; no address has it in it otherwise.
_NUMBER = 7919191919191917


def url(node: URLNode) -> Callable[[Context], str]:
    """The address; those with names for their arguments, texts among them or in a namespace are looked up by Django."""
    view = node.view_name
    is_known = not view.is_var and not view.filters and ":" not in view.var
    if not is_known or node.kwargs or len(node.args) > 1 or (node.args and node.asvar):
        return node.render
    name, asvar = str(view.var), node.asvar
    argument = expression(node.args[0]) if node.args else None

    def part(context: Context) -> str:
        if argument is None:
            address = _alone(name, get_script_prefix(), get_urlconf())
        else:
            number = argument(context)
            if type(number) is not int or number < 0:
                return node.render(context)
            before, after = _around(name, get_script_prefix(), get_urlconf())
            address = f"{before}{number}{after}"
        return escaped(address) if context.autoescape and not asvar else address

    return part if not asvar else _kept(part, node)


def _kept(address: Callable[[Context], str], node: URLNode) -> Callable[[Context], str]:
    """``{% url … as name %}``, in which an address may be none."""

    def part(context: Context) -> str:
        try:
            context.dicts[-1][node.asvar] = address(context)
        except NoReverseMatch:
            context.dicts[-1][node.asvar] = ""
        return ""

    return part


@lru_cache(1024)
def _alone(name: str, prefix: str, urlconf: str | None) -> str:
    return reverse(name, urlconf)


@lru_cache(1024)
def _around(name: str, prefix: str, urlconf: str | None) -> tuple[str, str]:
    before, _number, after = reverse(name, urlconf, args=[_NUMBER]).partition(str(_NUMBER))
    return before, after
