"""What a study asks besides the diagnosis, in pages."""

from collections.abc import Mapping

from django import template
from django.utils.translation import get_language

from reader_study.models import Study
from reader_study.presenters import asked

register = template.Library()


@register.filter
def asked_besides(study: Study) -> list[tuple[str, str]]:
    """(setting, its value) of everything that is asked besides."""
    return list(asked.besides(study))


@register.simple_tag
def asked_counts(study: Study, about: Mapping) -> list[tuple[str, list[str]]]:
    """(session, lines) of what was said besides the diagnosis and what was left out."""
    return list(asked.said(study, about))


@register.filter
def choice_name(key: str) -> str:
    """A diagnosis, or what stands in its place, in words."""
    return asked.choice_name(key, get_language() or "en")
