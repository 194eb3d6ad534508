"""Tags in the worklist: what a text means by one, and those of the rows shown."""

from collections.abc import Iterable

from django.db.models import QuerySet

from skinclinic.models import Clinic, LesionTag

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
    for lesion, name in LesionTag.objects.filter(lesion__in=list(lesions)).values_list("lesion", "tag__name"):
        found.setdefault(lesion, []).append(name)
    return found
