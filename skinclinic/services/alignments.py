"""How one photo of a lesion lies over another, kept for a while: finding it takes up to a second and a half."""

from dataclasses import dataclass

from django.core.cache import cache

from skinclinic.files import store
from skinclinic.imaging.alignment import METHOD, Alignment, CannotAlign, align, inverse
from skinclinic.models import Photo

GONE = "gone"
_KEPT_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True)
class Found:
    """How the second photo is brought onto the first (``imaging.alignment``), or why it is not."""

    alignment: Alignment | None
    reason: str = ""


def between(first: Photo, second: Photo) -> Found:
    """Slow where nobody asked before; never call it inside a transaction."""
    # In one direction only, so that both ways lay the photos alike.
    is_turned = first.pk > second.pk
    one, two = (second, first) if is_turned else (first, second)
    key = f"alignment:{METHOD}:{one.file_key}:{two.file_key}"
    found: Found | None = cache.get(key)
    if found is None:
        found = _find(one, two)
        if found.reason != GONE:
            cache.set(key, found, _KEPT_SECONDS)
    if found.alignment and is_turned:
        turned = inverse(found.alignment.matrix)
        return Found(Alignment(turned, found.alignment.points, found.alignment.error))
    return found


def _find(one: Photo, two: Photo) -> Found:
    try:
        return Found(align(store.read(one.file_key), store.read(two.file_key)))
    except CannotAlign as refused:
        return Found(None, refused.reason)
    except OSError:
        return Found(None, GONE)
