"""What a threshold set that was made here says of itself: written in English, like what a manifest says, and told in
the reader's language. It knows neither rows nor requests."""

import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_noop

from classifier.services.models.manifest_words import in_words
from classifier.services.models.promises import PATIENT, PHOTO, counted
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext

# What a disease's threshold rests on.
NEVER_LISTED = gettext_noop("not evaluable on these photos: never listed")
_FROM = re.compile("not evaluable on these photos: from “(.+)”")
_FEW = re.compile("([0-9]+) photos with it")
_TEST_SIDE, _NOT_KNOWN = "test side, ", "; whether the model had seen them is not known"
_MEASURED_ON = {"synthetic": gettext_noop("from synthetic photos"), "real": gettext_noop("from real photos")}


def written_cohort(dataset: Mapping[str, Any], *, is_known: bool) -> str:
    """A dataset of an evaluation's report as a cohort: name, side, photos and patients. ``is_known``: whether the model
    had seen them."""
    side = _TEST_SIDE if dataset["side"] == "test" else ""
    words = f"{dataset['title']}, {side}{dataset['photos']} photos of {dataset['patients']} patients"
    return words + ("" if is_known else _NOT_KNOWN)


def cohort(details: Mapping[str, Any], stored: str) -> str:
    """The cohort of a set in the current language; what came with a foreign model as it stands there."""
    said = {"title": details.get("dataset"), "photos": details.get("n"), "patients": details.get("patients")}
    for side in ("", "test"):
        for is_known in (True, False):
            if stored == written_cohort(said | {"side": side}, is_known=is_known):
                return _told_cohort(said, bool(side), is_known)
    return in_words(stored)


def _told_cohort(said: Mapping[str, Any], is_test: bool, is_known: bool) -> str:
    test_side, not_known = _("test side"), _("whether the model had seen them is not known")
    words = _("%(dataset)s, %(photos)s of %(patients)s") % {
        "dataset": f"{said['title']}, {test_side}" if is_test else said["title"],
        "photos": counted(PHOTO, said["photos"]),
        "patients": counted(PATIENT, said["patients"]),
    }
    return words if is_known else f"{words}; {not_known}"


def written_from(name: str) -> str:
    """Of a threshold that is that of another set, because the photos could not tell."""
    return f"not evaluable on these photos: from “{name}”"


def written_few(positives: int) -> str:
    """Of a threshold that few photos speak for."""
    return f"{positives} photos with it"


def basis(stored: object) -> str:
    """What a threshold rests on, in the current language; "" for what is no text."""
    if not isinstance(stored, str) or not stored:
        return ""
    if found := _FROM.fullmatch(stored):
        return _("not evaluable on these photos: from “%(name)s”") % {"name": _(found[1])}
    if found := _FEW.fullmatch(stored):
        n = int(found[1])
        return ngettext("%(n)d photo with it", "%(n)d photos with it", n) % {"n": n}
    return _(_MEASURED_ON.get(stored, stored))
