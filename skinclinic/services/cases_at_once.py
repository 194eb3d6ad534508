"""One action on many cases of the worklist: all of them, or those that can be and a word on each of the rest; and
taking it back."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone

from skinclinic.models import CasesChange, CaseTag, Lesion, LesionTag, Member, RecordChange, User
from skinclinic.services import case_tags, cases, worklist
from skinclinic.services.refused import Refused
from skinclinic.web.counts import gettext as _

# No more at once, so that nobody waits long for the rows.
MOST = 2000
# As many photos are filed together.
MOST_FILED = 100
Action = CasesChange.Action


@dataclass(frozen=True)
class Done:
    """How many changed and how many were so already; ``left``: (case, why) of those that were not touched."""

    changed: int = 0
    same: int = 0
    left: list[tuple[str, str]] = field(default_factory=list)
    change: CasesChange | None = None


def chosen(member: Member, user: User, filters: worklist.Filters, keys: Iterable[int] | None) -> list[int]:
    """The cases of these keys, or with None all that the list shows. Raises Refused."""
    if keys is None:
        answers_open = worklist.answers_are_open(member)
        rows = worklist.lesions(member.clinic, user, filters, answers_open=answers_open)
        found = list(rows.order_by("-pk").values_list("pk", flat=True)[: MOST + 1])
    else:
        found = list(dict.fromkeys(keys))
    if not found:
        raise Refused("", _("Choose cases first."))
    if len(found) > MOST:
        raise Refused("", _("At most %(most)s cases at once. Narrow the list first.") % {"most": MOST})
    return found


@transaction.atomic
def assign(member: Member, user: User, keys: list[int], person: User | None) -> Done:
    """Give the cases to a member of the clinic, or to nobody. Raises Refused."""
    if person is not None and not cases.deciders(member.clinic_id).filter(user=person).exists():
        raise Refused("assignee", _("Choose a member of this clinic who may decide cases."))
    held, left = _hold(member, keys)
    changing = [lesion for lesion in held if lesion.assignee_id != (person.pk if person else None)]
    before = {str(lesion.pk): lesion.assignee_id for lesion in changing}
    _give(changing, {lesion.pk: person.pk if person else None for lesion in changing}, user)
    change = _keep(member, user, Action.ASSIGN, person.pk if person else None, before)
    return Done(len(changing), len(held) - len(changing), left, change)


@transaction.atomic
def tag(member: Member, user: User, keys: list[int], name: str) -> Done:
    """Put the tag of this name on the cases. Raises Refused."""
    held, left = _hold(member, keys)
    row = case_tags.named(member.clinic, name, user)
    new = case_tags.put(held, row, user)
    change = _keep(member, user, Action.TAG, row.pk, {str(pk): None for pk in new})
    return Done(len(new), len(held) - len(new), left, change)


@transaction.atomic
def untag(member: Member, user: User, keys: list[int], name: str) -> Done:
    """Take the tag of this name off the cases. Raises Refused."""
    row = member.clinic.case_tags.filter(name__iexact=" ".join(name.split()).removeprefix("#")).first()
    if row is None:
        raise Refused("tag", _("There is no tag of this name."))
    held, left = _hold(member, keys)
    had = case_tags.take_off(held, row)
    change = _keep(member, user, Action.UNTAG, row.pk, {str(pk): None for pk in had})
    return Done(len(had), len(held) - len(had), left, change)


def to_file(member: Member, keys: list[int]) -> tuple[list[int], list[tuple[str, str]]]:
    """The photos of those cases that can be filed together, and (case, why) of the rest."""
    rows = Lesion.objects.filter(clinic=member.clinic, pk__in=keys, is_archived=False)
    photos: list[int] = []
    found, left = set(), []
    for lesion in rows.select_related("patient").prefetch_related("photos").order_by("-pk"):
        found.add(lesion.pk)
        own = [photo.pk for photo in lesion.photos.all()]
        if lesion.patient_id:
            left.append((str(lesion), _("filed already")))
        elif not own:
            left.append((str(lesion), _("has no photo")))
        elif len(photos) + len(own) > MOST_FILED:
            left.append((str(lesion), _("more than %(most)s photos at once") % {"most": MOST_FILED}))
        else:
            photos += own
    return photos, left + _gone(set(keys) - found)


@transaction.atomic
def undo(change: CasesChange, user: User) -> Done:
    """Put back what still stands as the action left it; what has changed since is left. Raises Refused."""
    held = CasesChange.objects.select_for_update().get(pk=change.pk)
    if held.undone_at:
        raise Refused("", _("This was undone already."))
    before = {int(key): value for key, value in held.receipt["before"].items()}
    value, action = held.receipt["value"], held.action
    row = None
    if action != Action.ASSIGN:
        row = CaseTag.objects.filter(pk=value, clinic=held.clinic_id).first()
        if row is None:
            raise Refused("", _("The tag is gone, so nothing was undone."))
    rows = cases.hold(
        Lesion.objects.filter(pk__in=before, clinic=held.clinic_id, is_archived=False).order_by("pk")
    )
    lesions = list(rows)
    tagged = (
        set(LesionTag.objects.filter(tag=row, lesion__in=before).values_list("lesion", flat=True))
        if row
        else set()
    )
    stands = {
        Action.ASSIGN: lambda lesion: lesion.assignee_id == value,
        Action.TAG: lambda lesion: lesion.pk in tagged,
        Action.UNTAG: lambda lesion: lesion.pk not in tagged,
    }[Action(action)]
    back = [lesion for lesion in lesions if stands(lesion)]
    left = [(str(lesion), _("changed since")) for lesion in lesions if not stands(lesion)]
    if row is None:
        _give(back, {lesion.pk: before[lesion.pk] for lesion in back}, user)
    elif action == Action.TAG:
        case_tags.take_off(back, row)
    else:
        case_tags.put(back, row, user)
    held.undone_at = timezone.now()
    held.save(update_fields=["undone_at"])
    return Done(len(back), 0, left + _gone(set(before) - {lesion.pk for lesion in lesions}))


def _hold(member: Member, keys: list[int]) -> tuple[list[Lesion], list[tuple[str, str]]]:
    rows = Lesion.objects.filter(clinic=member.clinic, pk__in=keys, is_archived=False)
    held = list(cases.hold(rows.order_by("pk")))
    return held, _gone(set(keys) - {lesion.pk for lesion in held})


def _gone(keys: set[int]) -> list[tuple[str, str]]:
    return [(f"#{key}", _("not there any more")) for key in sorted(keys)]


def _give(lesions: list[Lesion], people: dict[int, int | None], user: User) -> None:
    """Write who sees to each, a query for each of the people, and who has changed it."""
    for person in set(people.values()):
        of_person = [pk for pk, key in people.items() if key == person]
        Lesion.objects.filter(pk__in=of_person).update(assignee=person)
    changes = [
        RecordChange(
            clinic_id=lesion.clinic_id, lesion=lesion, by=user,
            fields={"assignee": [lesion.assignee_id, people[lesion.pk]]},
        )
        for lesion in lesions
    ]  # fmt: skip
    RecordChange.objects.bulk_create(changes)


def _keep(member: Member, user: User, action: str, value: Any, before: dict[str, Any]) -> CasesChange | None:
    if not before:
        return None
    receipt = {"value": value, "before": before}
    return CasesChange.objects.create(clinic=member.clinic, action=action, receipt=receipt, done_by=user)
