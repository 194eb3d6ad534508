"""How a template of Django shows a part that is drawn by Jinja2; every template knows this tag, and how
counts are written."""

from typing import Any

from django import template
from django.template import Context
from django.utils.safestring import SafeString

from skinclinic import jinja
from skinclinic.web.counts import grouped

register = template.Library()
register.filter("grouped", grouped)


@register.simple_tag(takes_context=True)
def part(context: Context, name: str, /, **more: Any) -> SafeString:
    """A part of ``templates/jinja2``, which knows what the template knows and ``more``."""
    return jinja.draw(name, context.flatten() | more)
