"""Ages in words; a range where the source tells no more, never a guess within it."""

from django.utils.translation import gettext as _

OLDEST = 120


def name(first: int | None, last: int | None = None) -> str:
    """'45 years', '30–39 years', '85 years and older', or '' where it is not known."""
    if first is None:
        return ""
    if last is None:
        return _("%(age)d years") % {"age": first}
    if last >= OLDEST:
        return _("%(age)d years and older") % {"age": first}
    return _("%(first)d–%(last)d years") % {"first": first, "last": last}


def written(first: int | None, last: int | None = None) -> str:
    """As tables write it, to be read back: '45', '30-39', '85+'."""
    if first is None:
        return ""
    if last is None:
        return str(first)
    return f"{first}+" if last >= OLDEST else f"{first}-{last}"
