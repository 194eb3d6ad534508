"""Whoever must wait is told so, and for how long: too many tries to sign in, or too many people at once."""

import math

from skinclinic.web.come_back import ComeBack
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext


class MustWait(ComeBack):
    """Too many tries failed; another may be made after so many seconds."""

    status, code, template = 429, "locked", "registration/locked.html"

    def __init__(self, seconds: float):
        whole = max(1, math.ceil(seconds))
        self.wait = wait_in_words(whole)
        super().__init__(self.code, self.said(), whole)

    def said(self) -> str:
        return _("Too many tries have failed. %(wait)s") % {"wait": self.wait}


class Busy(MustWait):
    """More people sign in at this moment than the server looks at."""

    status, code, template = 503, "busy", "registration/busy.html"

    def said(self) -> str:
        return _("Many people are signing in at this moment. %(wait)s") % {"wait": self.wait}


def wait_in_words(seconds: int) -> str:
    if seconds < 60:
        text = ngettext(
            "Wait %(number)d second, then try again.", "Wait %(number)d seconds, then try again.", seconds
        )
        return text % {"number": seconds}
    minutes = math.ceil(seconds / 60)
    text = ngettext(
        "Wait %(number)d minute, then try again.", "Wait %(number)d minutes, then try again.", minutes
    )
    return text % {"number": minutes}
