"""What is to be known of a language: told in its menu, at the foot of pages and of what is printed in it."""

from django.conf import settings
from django.utils.translation import get_language, gettext, override

from skinclinic.vocabulary import languages


def mark(code: str = "") -> str:
    """In that language: that a machine drafted it, how much of it there is; '' of one that a person has read whole.
    ``code``: the active one where none is given."""
    code = code or get_language() or settings.LANGUAGE_CODE
    share, marks = languages.share_translated(code), []
    with override(code):
        if languages.is_drafted(code):
            marks.append(gettext("machine-drafted, not yet read by a native clinician"))
        if share < 100:
            marks.append(gettext("%(share)s %% translated") % {"share": share})
    return " · ".join(marks)


def marked(footer: str) -> str:
    """The footer of a printed page in the active language, with what is to be known of that."""
    return " · ".join(part for part in (footer, mark()) if part)
