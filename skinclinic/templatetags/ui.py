"""Small parts of pages: icons, disease badges, state pills, the current section of the menu."""

from datetime import datetime
from functools import lru_cache
from typing import Any

from django import template
from django.conf import settings
from django.utils import timezone
from django.utils.formats import get_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import get_language, gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from skinclinic import jinja
from skinclinic.help.places import page_for
from skinclinic.presenters import answers
from skinclinic.presenters.scores import score_text
from skinclinic.services import first_steps as service
from skinclinic.services import language_marks
from skinclinic.vocabulary import sites
from skinclinic.vocabulary.diseases import BENIGN, BY_KEY, MALIGNANT, PREMALIGNANT
from skinclinic.web.addresses import static, url

register = template.Library()
language_mark = register.simple_tag(language_marks.mark, name="language_mark")
register.filter("notes_in_words", answers.notes_in_words)
register.filter("notes_worth_a_look", answers.notes_worth_a_look)

MINUTE = 60
SPRITE = "vendor/bootstrap-icons-1.13.2/icons.svg"

# tier: (icon, word)
TIERS = {
    MALIGNANT: ("exclamation-octagon-fill", _("Malignant")),
    PREMALIGNANT: ("exclamation-triangle-fill", _("Premalignant")),
    BENIGN: ("check2-circle", _("Benign")),
}

# state: (icon, word). The first five are those of a lesion, then come uploads and the engine.
STATES = {
    "empty": ("image", _("No photo")),
    "queued": ("hourglass-split", _("Queued")),
    "running": ("arrow-repeat", _("Analysing")),
    "done": ("check2-circle", _("Analysed")),
    "failed": ("exclamation-octagon", _("Failed")),
    "sending": ("cloud-arrow-up", _("Sending")),
    "checking": ("arrow-repeat", _("Checking")),
    "refused": ("x-octagon", _("Refused")),
    "proven": ("patch-check-fill", _("Proven")),
    "offline": ("cloud-slash", _("Engine offline")),
    # Of a reader study.
    "draft": ("pencil", _("Draft")),
    "open": ("unlock", pgettext_lazy("of a study", "Open")),
    "closed": ("lock", _("Closed")),
}

SIDES = {"right": _("%(site)s, right"), "left": _("%(site)s, left")}

# The first words of a page's URL name, and the menu item it belongs to.
SECTIONS = (
    ("upload", "upload"),
    ("patient", "patients"),
    ("try", "try"),
    ("archive", "archive"),
    ("review", "archive"),
    ("duplicate", "archive"),
    ("import", "archive"),
    ("dataset", "archive"),
    ("source", "archive"),
    ("vocabulary", "archive"),
    ("studies", "studies"),
    ("study", "studies"),
    ("worklist", "worklist"),
    ("case", "worklist"),
    ("lesion", "worklist"),
    ("photo", "worklist"),
    ("analysis", "worklist"),
)


@register.simple_tag
def icon(name: str, label: str = "", css_class: str = "icon") -> str:
    """Draw an icon of the sprite in the colour of the text; without a label screen readers skip it."""
    return _icon(static(SPRITE), name, str(label), css_class)


@lru_cache(2048)
def _icon(sprite: str, name: str, label: str, css_class: str) -> str:
    address = f"{sprite}#{name}"
    if label:
        return format_html(
            '<svg class="{}" role="img" aria-label="{}"><use href="{}"></use></svg>',
            css_class,
            label,
            address,
        )
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}"></use></svg>', css_class, address)


@register.simple_tag
def icon_sprite() -> str:
    """Return the address of the icon sprite, for scripts."""
    return static(SPRITE)


@register.simple_tag
def disease_name(key: str) -> str:
    """Return the disease's name in the current language; an unknown key comes back as it is."""
    disease = BY_KEY.get(key)
    return disease.name(get_language() or "en") if disease else key


@register.simple_tag
def site_name(key: str, side: str = "") -> str:
    """Return the name of an anatomic site, with the patient's side ("right" or "left") if one is given."""
    name = sites.name(key)
    return SIDES[side] % {"site": name} if side else name


@register.simple_tag
def disease_badge(key: str, show_name: bool = True, show_tier: bool = True) -> SafeString:
    """Show a disease's name with the word and icon of its tier."""
    return badge(key, disease_name(key) if show_name else "", show_tier=show_tier)


def badge(key: str, name: str, *, show_tier: bool = True) -> SafeString:
    """The badge of a disease under this name; one that is not among the twelve has no tier."""
    return _badge(key, name, show_tier, get_language(), static(SPRITE))


@lru_cache(1024)
def _badge(key: str, name: str, show_tier: bool, _language: str | None, _sprite: str) -> SafeString:
    disease = BY_KEY.get(key)
    icon_name, word = TIERS.get(disease.tier, ("", "")) if disease else ("", "")
    tier = disease.tier if disease and show_tier else ""
    values = {"name": name, "tier": tier, "tier_icon": icon_name, "tier_word": word}
    return jinja.draw("components/disease_badge.html", values)


@register.simple_tag
def state_pill(state: str, text: str = "") -> SafeString:
    """Show the state of a lesion, photo or job by icon and word; ``text`` replaces the word."""
    return _pill(state, str(text), get_language(), static(SPRITE))


@lru_cache(1024)
def _pill(state: str, text: str, _language: str | None, _sprite: str) -> SafeString:
    state_icon, word = STATES.get(state, ("circle", state))
    values = {"state": state, "state_icon": state_icon, "word": text or word}
    return jinja.draw("components/state_pill.html", values)


@register.filter
def score(value: float | None) -> str:
    """Write a model's score as everywhere else."""
    return "–" if value is None else score_text(value)


@register.filter
def lasting(since: datetime) -> str:
    """How long something lasts by now: "7 minutes", "1 hour, 2 minutes", "less than a minute"."""
    if (timezone.now() - since).total_seconds() < MINUTE:
        return gettext("less than a minute")
    return timesince(since)


@register.filter
def in_words(text: str) -> str:
    """Text of a model's own description, in the current language where the catalogue knows it."""
    return gettext(text) if text else ""


@register.simple_tag(takes_context=True)
def menu_section(context) -> str:
    """Return which menu item the current page belongs to, or an empty string."""
    match = getattr(context.get("request"), "resolver_match", None)
    name = (match and match.url_name) or ""
    return next((section for start, section in SECTIONS if name.startswith(start)), "")


@register.simple_tag(takes_context=True)
def help_link(context: Any, in_new_tab: bool = False, with_words: bool = False) -> SafeString:
    """The "?" of a page, which leads to the page of help for it, else to the contents."""
    match = getattr(context.get("request"), "resolver_match", None)
    name = page_for((match and match.url_name) or "")
    address = url("help-page", name) if name else url("help")
    values = {"address": address, "name": name, "in_new_tab": in_new_tab, "with_words": with_words}
    return jinja.draw("components/help_link.html", values)


@register.simple_tag(takes_context=True)
def first_steps(context: Any, landing: str) -> str:
    """A new member's first steps, on the page where the member's work begins, until they are put away."""
    member = context.get("membership")
    if member is None or not member.first_steps or service.landing(member) != landing:
        return ""
    values = {"steps": service.told(member), "csrf_token": context.get("csrf_token")}
    return jinja.draw("components/first_steps.html", values)


@register.simple_tag
def service_worker_url() -> str:
    """The address of the service worker; "" while the product is being changed, which it would hide."""
    return "" if settings.DEBUG else url("service-worker")


@register.simple_tag
def thousands() -> str:
    """What stands between thousands in the page's language, for scripts."""
    return str(get_format("THOUSAND_SEPARATOR"))


@register.simple_tag
def day_and_time_format() -> str:
    """How the page's language writes day and time, for scripts."""
    return str(get_format("DATETIME_FORMAT"))
