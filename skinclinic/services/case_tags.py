"""A clinic's own words for its cases: put on lesions, and kept in order by its admins."""

from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.db.models import Count, QuerySet

from skinclinic.models import CaseTag, Clinic, Lesion, LesionTag, User
from skinclinic.services.refused import Refused
from skinclinic.web.counts import gettext as _

LONGEST = 40


def of_clinic(clinic: Clinic) -> QuerySet[CaseTag]:
    """The clinic's tags by name, with how many lesions have each."""
    return clinic.case_tags.annotate(count=Count("tagged"))


def like(clinic: Clinic, typed: str, most: int = 12) -> list[CaseTag]:
    """The tags that a text begins or is part of, those that it begins first."""
    wanted = " ".join(typed.split())[:LONGEST].removeprefix("#").casefold()
    found = [tag for tag in clinic.case_tags.all() if wanted in tag.name.casefold()]
    return sorted(found, key=lambda tag: not tag.name.casefold().startswith(wanted))[:most]


def named(clinic: Clinic, name: str, user: User) -> CaseTag:
    """The clinic's tag of this name, made where there is none yet. Raises Refused."""
    name = _tidy(name)
    known = clinic.case_tags.filter(name__iexact=name).first()
    if known:
        return known
    try:
        with transaction.atomic():
            return clinic.case_tags.create(name=name, created_by=user)
    except IntegrityError:
        # Somebody has made it a moment ago.
        return clinic.case_tags.get(name__iexact=name)


def put(lesions: Iterable[Lesion], tag: CaseTag, user: User) -> list[int]:
    """Put the tag on those lesions that have it not; return their keys."""
    wanted = {lesion.pk for lesion in lesions}
    new = sorted(wanted - set(tag.tagged.filter(lesion__in=wanted).values_list("lesion", flat=True)))
    LesionTag.objects.bulk_create(
        [LesionTag(clinic_id=tag.clinic_id, lesion_id=pk, tag=tag, created_by=user) for pk in new],
        ignore_conflicts=True,
    )
    return new


def take_off(lesions: Iterable[Lesion], tag: CaseTag) -> list[int]:
    """Take the tag off those lesions that have it; return their keys."""
    rows = tag.tagged.filter(lesion__in=[lesion.pk for lesion in lesions])
    had = sorted(rows.values_list("lesion", flat=True))
    rows.delete()
    return had


@transaction.atomic
def rename(tag: CaseTag, name: str) -> None:
    """Give it another name. Raises Refused; one that another tag has already can be merged with instead."""
    name = _tidy(name)
    if tag.clinic.case_tags.filter(name__iexact=name).exclude(pk=tag.pk).exists():
        raise Refused("name", _("There is a tag “%(name)s” already. Merge the two instead.") % {"name": name})
    tag.name = name
    tag.save(update_fields=["name"])


@transaction.atomic
def merge(tag: CaseTag, into: CaseTag) -> int:
    """Let ``into`` stand on every lesion that has ``tag``, which goes, and in searches that ask for it; return how many
    get it. Raises Refused."""
    if tag.pk == into.pk or tag.clinic_id != into.clinic_id:
        raise Refused("into", _("Choose another tag of this clinic."))
    known = list(into.tagged.values_list("lesion", flat=True))
    for search in tag.clinic.saved_searches.filter(filters__tag=str(tag.pk)):
        search.filters = search.filters | {"tag": str(into.pk)}
        search.save(update_fields=["filters"])
    moved = tag.tagged.exclude(lesion__in=known).update(tag=into)
    tag.delete()
    return moved


def _tidy(name: str) -> str:
    name = " ".join(name.split()).removeprefix("#").strip()
    if not name or not name.isprintable():
        raise Refused("name", _("Name the tag."))
    if len(name) > LONGEST:
        message = _("Shorten this to %(longest)s characters; it has %(count)s.")
        raise Refused("name", message % {"longest": LONGEST, "count": len(name)})
    return name
