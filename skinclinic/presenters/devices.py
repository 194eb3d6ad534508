"""On what somebody is signed in, in words: what a browser says of itself, which is little and may be false."""

import re
from dataclasses import dataclass

from django.utils.translation import gettext as _

from skinclinic.models import Session
from skinclinic.services import signing_out

# The first that is found; others name these as well.
BROWSERS = (
    ("Edge", r"Edg(?:e|A|iOS)?/"), ("Opera", r"OPR/"), ("Samsung Internet", r"SamsungBrowser/"), ("Whale", r"Whale/"),
    ("Firefox", r"Firefox/|FxiOS/"), ("Chrome", r"Chrome/|CriOS/"), ("Safari", r"Safari/"),
)  # fmt: skip
SYSTEMS = (
    ("iPhone", r"iPhone"), ("iPad", r"iPad"), ("Android", r"Android"), ("Windows", r"Windows"),
    ("ChromeOS", r"CrOS"), ("macOS", r"Mac OS X|Macintosh"), ("Linux", r"Linux|X11"),
)  # fmt: skip


@dataclass(frozen=True)
class SignedIn:
    """A session as its person sees it."""

    session: Session
    is_this: bool

    @property
    def name(self) -> str:
        return signing_out.name_of(self.session)

    @property
    def device(self) -> str:
        return device_in_words(self.session.device)


def device_in_words(agent: str) -> str:
    browser, system = _first(BROWSERS, agent), _first(SYSTEMS, agent)
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or _("Unknown device")


def signed_in(user, own_key: str | None) -> list[SignedIn]:
    """The sessions of a person, this one first, then the one that was used last."""
    rows = [SignedIn(row, row.pk == own_key) for row in Session.objects.filter(user=user).living()]
    return sorted(rows, key=lambda row: not row.is_this)


def _first(known: tuple[tuple[str, str], ...], agent: str) -> str:
    return next((name for name, pattern in known if re.search(pattern, agent)), "")
