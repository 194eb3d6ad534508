"""What archive pages show of the model's look at their labels."""

from django import template

from classifier.models import LabelCheck
from classifier.services.evaluation import label_checks

register = template.Library()


@register.simple_tag(takes_context=True)
def last_label_check(context) -> LabelCheck | None:
    """The newest check of the clinic that the page is about."""
    membership = getattr(context["request"], "membership", None)
    return label_checks.last(membership.clinic) if membership else None
