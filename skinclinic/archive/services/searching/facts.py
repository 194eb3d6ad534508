"""What a search finds by the facts of a photo: age, sex, skin type, site, kind, proof, lesion, tags, source columns.

A range finds what lies in it as a whole: a photo of somebody 65 to 75 years old is none of somebody 60 to 70. In the
same way a site finds the narrower ones, and none that are wider. ``unknown`` finds what nobody has said.
"""

from collections.abc import Callable

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from skinclinic.archive.models import Entry
from skinclinic.models import Clinic, Diagnosis, Lesion, Patient, Photo
from skinclinic.services import held
from skinclinic.vocabulary import sites, skin_types, tags
from skinclinic.vocabulary.matching import plain

NOTHING = Q(pk__in=())
_UNKNOWN = (("unknown", _("unknown")), ("none", _("none")))
_YES_NO = (("yes", _("yes")), ("no", _("no")))
_ROMAN = {skin_types.name(one).casefold(): str(one) for one in skin_types.SINGLE}
_OLDEST = 150
_MOST_LESIONS = 500


def age_in(first: int | None, last: int | None) -> Q:
    """Photos of people who were as old as that, in years."""
    found = Q(age__isnull=False)
    if first is not None:
        found &= Q(age__gte=first)
    if last is not None:
        found &= Q(age__lte=last) & (Q(age_to=None) | Q(age_to__lte=last))
    return found


def skin_in(first: int, last: int) -> Q:
    """Photos of people whose Fitzpatrick type is one of these."""
    pairs = {one: divmod(one, 10) if one > 10 else (one, one) for one in skin_types.SKIN_TYPES}
    return Q(skin_type__in=[one for one, (low, high) in pairs.items() if first <= low and high <= last])


def site_in(site: str) -> Q:
    """Photos of a site or of one that lies in it."""
    return Q(site__in=sorted(sites.within(site)))


def tagged(key: str) -> Q:
    """Photos with this tag; the first condition lets an index serve it."""
    return ~Q(tags="") & Q(tags__contains=f",{key},")


def kind_is(clinic: Clinic, kinds: list[str]) -> Q:
    """Photos taken in one of these ways."""
    return Q(photo__in=Photo.objects.filter(clinic=clinic, kind__in=kinds).order_by().values("pk"))


def range_of(text: str, most: int) -> tuple[int | None, int | None] | None:
    """(60, 70) of "60..70", (60, 60) of "60", (60, None) of "60.." or "60+"; None if it is no range."""
    text = f"{text[:-1]}.." if text.endswith("+") else text
    first, dots, last = (part.strip() for part in text.partition(".."))
    if not (first or last) or not all(part == "" or _is_number(part, most) for part in (first, last)):
        return None
    if not dots:
        return int(first), int(first)
    return int(first) if first else None, int(last) if last else None


def _is_number(text: str, most: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 5 and int(text) <= most


def _named(text: str, choices) -> list[str]:
    """The keys of those choices that the text names, in any language of the product: whole, else by their beginning."""
    wanted = plain(text.replace("_", " "))
    whole, begun = set(), set()
    for language, _title in settings.LANGUAGES:
        with override(language):
            for key, name in choices:
                for said in (plain(str(name)), plain(str(key).replace("_", " "))):
                    if said == wanted:
                        whole.add(key)
                    elif said.startswith(wanted):
                        begun.add(key)
    return sorted(whole or begun)


def _is_unknown(text: str) -> bool:
    return plain(text) in {plain(word) for key, name in _UNKNOWN for word in (key, *_in_all_languages(name))}


def _in_all_languages(name) -> list[str]:
    found = []
    for language, _title in settings.LANGUAGES:
        with override(language):
            found.append(str(name))
    return found


def _age(clinic: Clinic, text: str) -> Q:
    if _is_unknown(text):
        return Q(age=None)
    found = range_of(text, _OLDEST)
    return age_in(*found) if found else NOTHING


def _sex(clinic: Clinic, text: str) -> Q:
    if _is_unknown(text):
        return Q(sex="")
    found = _named(text, Patient.Sex.choices)
    return Q(sex__in=found) if found else NOTHING


def _skin(clinic: Clinic, text: str) -> Q:
    if _is_unknown(text):
        return Q(skin_type=None)
    first, dots, last = (part.strip().casefold() for part in text.replace("–", "..").partition(".."))
    text = f"{_ROMAN.get(first, first)}{dots}{_ROMAN.get(last, last)}"
    # A group as it is stored: 12 for I to II.
    if text.isascii() and text.isdigit() and len(text) == 2:
        text = f"{text[0]}..{text[1]}"
    found = range_of(text, skin_types.SINGLE[-1])
    if not found:
        return NOTHING
    low, high = found
    return skin_in(
        skin_types.SINGLE[0] if low is None else low, skin_types.SINGLE[-1] if high is None else high
    )


def _site(clinic: Clinic, text: str) -> Q:
    if _is_unknown(text):
        return Q(site="")
    found: set[str] = set().union(*(sites.within(key) for key in _named(text, sites.SITES)))
    return Q(site__in=sorted(found)) if found else NOTHING


def _kind(clinic: Clinic, text: str) -> Q:
    found = _named(text, Photo.Kind.choices)
    return kind_is(clinic, found) if found else NOTHING


def _proof(clinic: Clinic, text: str) -> Q:
    if said := _named(text, _YES_NO):
        return Q(is_proven=said == ["yes"])
    if _is_unknown(text):
        return Q(is_proven=False, confirmed_by="")
    found = _named(text, Diagnosis.ConfirmedBy.choices)
    return Q(confirmed_by__in=found) if found else NOTHING


def _lesion(clinic: Clinic, text: str) -> Q:
    """By its name in the source, or #key of its page."""
    if text.startswith("#"):
        key = text[1:]
        return Q(photo__lesion=int(key)) if key.isascii() and key.isdigit() and len(key) < 19 else NOTHING
    # Few lesions but those of sources have a note, and the index is of those that have.
    found = Lesion.objects.filter(clinic=clinic, note__gt="", note__iendswith=f": lesion {text}")
    keys = list(found.order_by().values_list("pk", flat=True)[:_MOST_LESIONS])
    photos = Photo.objects.filter(lesion__in=keys).order_by().values_list("pk", flat=True)
    return Q(photo__in=list(photos)) if keys else NOTHING


def _tag(clinic: Clinic, text: str) -> Q:
    if _is_unknown(text):
        return Q(tags="")
    found = NOTHING
    for key in tags.like(text):
        found |= tagged(key)
    return found


def _column(clinic: Clinic, text: str) -> Q:
    """A column of the source's table: "smoke=yes"; "smoke" alone finds the photos that have anything there."""
    name, equals, value = (part.strip() for part in text.partition("="))
    if not name:
        return NOTHING
    if not equals:
        return Q(columns__has_any_keys=sorted(held.spelt(name)))
    return held.saying(Entry.objects.filter(clinic=clinic), "columns", name, value)


FIELDS: dict[str, Callable[[Clinic, str], Q]] = {
    "age": _age,
    "sex": _sex,
    "skin": _skin,
    "site": _site,
    "kind": _kind,
    "proof": _proof,
    "lesion": _lesion,
    "tag": _tag,
    "column": _column,
}
