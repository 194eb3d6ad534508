"""What people have attached to a lesion beside photos, diagnoses and plans: comments, calls, questions to colleagues,
tags, who saw to it. It goes with the photos where they are filed into another lesion, and comes back when that is
undone."""

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from skinclinic.models import Call, CaseTag, Comment, Lesion, LesionTag, RecordChange, SecondOpinion

KINDS = {"comment": Comment, "call": Call, "opinion": SecondOpinion, "assignee": RecordChange}


def any_of(lesion: Lesion) -> bool:
    """Whether anything that people said would be lost with the lesion."""
    return lesion.comments.exists() or lesion.second_opinions.exists()


def hand_over(source: Lesion, home: Lesion) -> None:
    """Let ``home``, into which the photos of ``source`` went, take it over; a tag it has already stays once."""
    for name in KINDS:
        _rows(name).filter(lesion=source).update(lesion=home)
    known = list(LesionTag.objects.filter(lesion=home).values_list("tag", flat=True))
    LesionTag.objects.filter(lesion=source).exclude(tag__in=known).update(lesion=home)


def places(lesions: Iterable[int]) -> dict[str, Any]:
    """Which lesion each belongs to, for ``put_back``, plain JSON: {"comment": {key: lesion}, …, "tags": [[lesion, tag,
    who]]}."""
    wanted = list(lesions)
    found: dict[str, Any] = {}
    for name in KINDS:
        rows = _rows(name).filter(lesion__in=wanted).values_list("pk", "lesion")
        found[name] = {str(pk): lesion for pk, lesion in rows}
    tags = LesionTag.objects.filter(lesion__in=wanted).values_list("lesion", "tag", "created_by")
    return found | {"tags": [list(row) for row in tags]}


def put_back(before: dict[str, Any], lesions: dict[int, Lesion]) -> None:
    """Give each back to its lesion, by the key it had. What was attached since stays where it is."""
    for name in KINDS:
        for pk, lesion in before.get(name, {}).items():
            _rows(name).filter(pk=pk).update(lesion=lesions[lesion])
    stood = {(lesions[lesion].pk, tag): who for lesion, tag, who in before.get("tags", [])}
    # A tag may have been deleted, or made one with another, since.
    there = set(CaseTag.objects.filter(pk__in=[tag for _lesion, tag in stood]).values_list("pk", flat=True))
    stood = {(lesion, tag): who for (lesion, tag), who in stood.items() if tag in there}
    handed = {tag for _lesion, tag in stood}
    for row in LesionTag.objects.filter(lesion__in=[one.pk for one in lesions.values()], tag__in=handed):
        if (row.lesion_id, row.tag_id) not in stood:
            row.delete()
    for (lesion, tag), who in stood.items():
        clinic = next(one.clinic_id for one in lesions.values() if one.pk == lesion)
        LesionTag.objects.get_or_create(
            lesion_id=lesion, tag_id=tag, defaults={"clinic_id": clinic, "created_by_id": who}
        )


def _rows(name: str) -> QuerySet:
    rows = KINDS[name]._default_manager.all()
    return rows.filter(fields__has_key="assignee") if name == "assignee" else rows
