"""How the engine stands, in a few words for the head of each page, and in a sentence for whoever points at them."""

from typing import TypedDict

from skinclinic.engine import health
from skinclinic.engine.standing import Standing
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext

# Photos that have waited for less are just in line.
_SAID_FROM_SECONDS = 60


class Words(TypedDict):
    """``level``: ready, busy or offline; ``more``: a sentence, or ""."""

    level: str
    words: str
    more: str


def words_of(engine: Standing) -> Words:
    """What matters most first: a full disk, at which photos are refused, before an engine at rest."""
    if engine.disk_full:
        more = _("The server's disk is full: new photos are not stored. Tell your administrator.")
        return Words(level="offline", words=_("Disk full"), more=more)
    if not engine.online:
        words = _("Engine at rest") if engine.trouble else _("Engine offline")
        if engine.waiting:
            words = _("%(state)s, %(n)d waiting") % {"state": words, "n": engine.waiting}
        return Words(level="offline", words=words, more=trouble_words(engine.trouble))
    if engine.problem:
        return Words(level="offline", words=_("Not ready"), more=engine.problem)
    if engine.idle:
        named = {"n": engine.waiting, "minutes": _minutes(engine.idle.total_seconds())}
        words = _("%(n)d waiting, none finished for %(minutes)d min") % named
        more = _("The photos are safe. Nothing comes out of the engine: tell your administrator.")
        return Words(level="offline", words=words, more=more)
    if engine.waiting:
        words = ngettext("%(n)d photo in line", "%(n)d photos in line", engine.waiting) % {
            "n": engine.waiting
        }
        seconds = engine.oldest.total_seconds()
        if seconds >= _SAID_FROM_SECONDS:
            words = _("%(words)s, for %(minutes)d min") % {"words": words, "minutes": _minutes(seconds)}
        return Words(level="busy", words=words, more="")
    return Words(level="ready", words=_("Engine ready"), more="")


def trouble_words(code: str) -> str:
    """Why a worker takes no photos, by a code of ``engine.health``; "" for none."""
    return {
        "": "",
        health.NO_MEMORY: _(
            "The engine has too little memory. The photos are safe; tell your administrator."
        ),
        health.NO_PHOTOS: _("The engine does not see the photos. They are safe; tell your administrator."),
        health.STORAGE_AWAY: _(
            "The engine does not reach the storage of the photos. They are safe; tell your administrator."
        ),
        health.DISK_FULL: _("The engine's disk is full. The photos are safe; tell your administrator."),
    }.get(code, _("The engine cannot read its disk. The photos are safe; tell your administrator."))


def _minutes(seconds: float) -> int:
    return int(seconds // 60)
