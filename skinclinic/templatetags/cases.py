"""How cases are written: their age, and where a filter leads."""

from datetime import datetime

from django import template
from django.utils import timezone

from skinclinic.models import Member
from skinclinic.services import calls
from skinclinic.web.counts import gettext as _

register = template.Library()

MINUTE, HOUR, DAY = 60, 3600, 86400


@register.filter
def age(moment: datetime | None) -> str:
    """How long ago, in one short unit: "5 min", "3 h", "2 d", "6 wk", "4 y"."""
    if moment is None:
        return ""
    seconds = max(0, int((timezone.now() - moment).total_seconds()))
    if seconds < HOUR:
        return _("%(count)s min") % {"count": max(1, seconds // MINUTE)}
    if seconds < DAY:
        return _("%(count)s h") % {"count": seconds // HOUR}
    days = seconds // DAY
    if days < 28:
        return _("%(count)s d") % {"count": days}
    if days < 730:
        return _("%(count)s wk") % {"count": days // 7}
    return _("%(count)s y") % {"count": days // 365}


@register.filter
def years_old(birth_year: int | None) -> int | None:
    """The age this year; a year of birth says no more."""
    return timezone.localdate().year - birth_year if birth_year else None


@register.filter
def count_of(counts: dict[str, int], view: str) -> int:
    """How many cases a view holds."""
    return counts[view]


@register.simple_tag
def waiting_for(member: Member | None) -> int:
    """How many cases a member was called to."""
    return calls.waiting(member) if member and member.can_edit else 0


@register.simple_tag
def filtered(filters, **changes: str) -> str:
    """The address of the same list with some filters changed."""
    return filters.address(**changes) or "."
