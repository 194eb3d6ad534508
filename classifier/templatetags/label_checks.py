"""What archive pages show of the model's look at their labels."""

from django import template

from classifier.presenters.work import LabelCheckProgress
from classifier.services.evaluation import label_checks
from skinclinic.models import Member

register = template.Library()


@register.simple_tag(takes_context=True)
def last_label_check(context) -> LabelCheckProgress | None:
    """The newest check of the clinic that the page is about, and how far it is."""
    membership: Member | None = getattr(context["request"], "membership", None)
    check = label_checks.last(membership.clinic) if membership else None
    return LabelCheckProgress(check, membership) if membership and check else None
