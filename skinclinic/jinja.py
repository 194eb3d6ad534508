"""Jinja2 for the parts of pages that are drawn most often: the frame of every page, and what stands in lists.

They lie in ``templates/jinja2`` and are found by their names as all templates are, by views too; a template of Django
shows one by ``{% part "NAME" word=value %}``. What our template libraries register has the same name here: a tag is a
function, a filter a filter. What is missing is empty, as in templates of Django.
"""

import inspect
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache
from importlib import import_module
from typing import Any

import jinja2
from django.conf import settings
from django.template import Context, defaultfilters, engines
from django.template.backends.django import get_installed_libraries
from django.utils import translation
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import template_localtime  # type: ignore[attr-defined]  # not in the stubs
from jinja2 import nodes
from jinja2.ext import InternationalizationExtension
from markupsafe import Markup

from skinclinic.web import addresses
from skinclinic.web.counts import grouped

# Of Django's filters those that parts use.
FILTERS = ("capfirst", "floatformat", "linebreaksbr", "truncatechars")
OURS = ("skinclinic", "classifier", "reader_study")


class CountedTexts(InternationalizationExtension):
    """``{% trans %}``, in whose texts whole numbers are written as everywhere (``counts.py``)."""

    def _make_node(
        self,
        singular: str,
        plural: str | None,
        context: str | None,
        variables: dict[str, nodes.Expr],
        *rest: Any,
    ) -> nodes.Output:
        written: dict[str, nodes.Expr] = {
            name: nodes.Filter(value, "grouped", [], [], None, None) for name, value in variables.items()
        }
        return super()._make_node(singular, plural, context, written, *rest)


def environment(**options: Any) -> jinja2.Environment:
    """What ``TEMPLATES`` of the settings asks for; ``options`` are those of Django's backend, which escape."""
    options |= {"undefined": jinja2.ChainableUndefined, "extensions": [CountedTexts]}
    made = jinja2.Environment(**options)
    made.install_gettext_callables(  # type: ignore[attr-defined]  # the extension brings it
        translation.gettext,
        translation.ngettext,
        pgettext=_in_context,
        npgettext=translation.npgettext,
    )
    made.globals |= {
        "_": _translated,
        "address_of": addresses.url,
        "address_around": addresses.around,
        "static": addresses.static,
        "csrf_field": csrf_field,
        "django_part": django_part,
        "language_code": translation.get_language,
        "language_codes": lambda: [code for code, _name in settings.LANGUAGES],
        "language_info": translation.get_language_info,
    }
    made.filters |= {name: getattr(defaultfilters, name) for name in FILTERS} | {
        "date": _in_local_time(defaultfilters.date),
        "time": _in_local_time(defaultfilters.time),
        "said": said,
        "grouped": grouped,
    }
    for path in get_installed_libraries().values():
        if path.partition(".")[0] in OURS and not path.endswith(".parts"):
            _take_over(path, made)
    return made


def _take_over(path: str, made: jinja2.Environment) -> None:
    """Have the tags and filters of a library. A tag that draws a template of its own is none of them."""
    module = import_module(path)
    made.filters |= module.register.filters
    for name in module.register.tags:
        function = getattr(module, name)
        takes_context = next(iter(inspect.signature(function).parameters), "") == "context"
        made.globals[name] = jinja2.pass_context(function) if takes_context else function


def in_use() -> jinja2.Environment:
    """The one of this process."""
    backend: Any = engines["jinja2"]
    return backend.env


def draw(name: str, values: Mapping[Any, Any]) -> SafeString:
    """A part as HTML."""
    return mark_safe(in_use().get_template(name).render(values))


@jinja2.pass_context
def django_part(context: jinja2.runtime.Context, name: str, /, **more: Any) -> SafeString:
    """A template of Django, for what is seldom drawn: work under way."""
    shown: Any = engines["django"].get_template(name)
    return shown.template.render(Context(context.get_all() | more))


def _translated(text: str) -> Markup:
    """What stands in a template, as translators wrote it. Looked up once a process and language: a list of a hundred
    rows says the same few words a hundred times."""
    if settings.DEBUG:  # Catalogues change.
        return Markup(translation.gettext(text))
    return _in_language(text, translation.get_language())


@lru_cache(8192)
def _in_language(text: str, _active: str | None) -> Markup:
    return Markup(translation.gettext(text))


def _in_context(context: str, text: str) -> Markup:
    return Markup(translation.pgettext(context, text))


def said(value: object) -> object:
    """The value; nothing for None."""
    return "" if value is None else value


def csrf_field(token: str) -> SafeString:
    """The hidden field of a form that changes something. ``token``: ``csrf_token``, which every page knows."""
    return format_html('<input type="hidden" name="csrfmiddlewaretoken" value="{}">', token)


def _in_local_time(written: Callable[..., str]) -> Callable[..., str]:
    """A filter of moments as templates of Django use it."""

    def filter(moment: Any, how: str) -> str:
        if type(moment) is date:
            return of_day(moment, how, translation.get_language())
        if how == "c" and isinstance(moment, datetime):
            return template_localtime(moment).isoformat()
        return written(template_localtime(moment), how) if moment else ""

    @lru_cache(2048)
    def of_day(day: date, how: str, _language: str | None) -> str:
        return written(day, how)

    return filter
