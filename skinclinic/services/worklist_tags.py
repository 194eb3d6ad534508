"""Tags in the worklist: what a text means by one, and those of the rows shown."""

from collections.abc import Iterable

from django.db.models import QuerySet

from skinclinic.kept_queries import kept
from skinclinic.models import CaseTag, Clinic, LesionTag

PREFIX = "tag:"


def tagged_by(clinic: Clinic, term: str) -> QuerySet[LesionTag]:
    """What has a tag with a word that begins so: ``tag:teach``, or the bare word."""
    wanted = term.removeprefix(PREFIX).removeprefix("#").casefold()
    names = dict(clinic.case_tags.values_list("pk", "name")) if wanted else {}
    keys = [
        pk
        for pk, name in names.items()
        if name.casefold().startswith(wanted)
        or any(word.startswith(wanted) for word in name.casefold().split())
    ]
    return LesionTag.objects.filter(clinic=clinic, tag__in=keys)


def names_of(lesions: Iterable[int]) -> dict[int, list[str]]:
    """The names of the tags of each lesion, by name."""
    found: dict[int, list[str]] = {}
    for lesion, name in _names(list(lesions)):
        found.setdefault(lesion, []).append(name)
    return found


def all_of(clinic: Clinic) -> list[CaseTag]:
    """Every tag that the clinic has, by name."""
    return _tags(clinic.pk)


@kept
def _names(lesions: list[int]) -> QuerySet[LesionTag, tuple[int, str]]:
    return LesionTag.objects.filter(lesion__in=lesions).values_list("lesion", "tag__name")


@kept
def _tags(clinic: int) -> QuerySet[CaseTag]:
    return CaseTag.objects.filter(clinic=clinic)
