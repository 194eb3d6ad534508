"""Mails that follow-ups are due: once for each due day, with a count and a link, and nothing of any patient."""

from collections import defaultdict
from datetime import time

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from skinclinic.engine.housekeeping import broom
from skinclinic.models import FollowUp, Member, User
from skinclinic.services import letters, mail

# Nobody is mailed at night.
FROM = time(7)
TOGETHER = 1000


@broom
def remind() -> None:
    """Mail those who see to cases whose follow-up is due; where no mail is set up, the worklist alone tells."""
    now = timezone.localtime()
    if not mail.can_mail() or now.time() < FROM:
        return
    due = FollowUp.objects.filter(
        ended_at=None, reminded_at=None, due_on__lte=now.date(), lesion__is_archived=False
    )
    if due.exists():
        _post(due.select_related("lesion__assignee", "created_by", "clinic").order_by("due_on", "pk"))


@transaction.atomic
def _post(due) -> None:
    by_person = defaultdict(list)
    told: dict[tuple[int, int | None, int | None], User | None] = {}
    for row in due.select_for_update(of=("self",))[:TOGETHER]:
        who = (row.clinic_id, row.lesion.assignee_id, row.created_by_id)
        if who not in told:
            told[who] = _person(row)
        if person := told[who]:
            by_person[row.clinic, person].append(row.pk)
    for (clinic, person), steps in by_person.items():
        if letters.post(clinic, person.email, *_words(len(steps))):
            FollowUp.objects.filter(pk__in=steps).update(reminded_at=timezone.now())


def _person(row: FollowUp) -> User | None:
    """The assignee, else whoever planned it, else an admin: the first who is still a member and has an address."""
    members = Member.objects.filter(clinic=row.clinic_id, is_active=True).exclude(user__email="")
    for user in (row.lesion.assignee_id, row.created_by_id):
        member = members.filter(user=user).select_related("user").first() if user else None
        if member:
            return member.user
    admin = members.filter(role="admin").select_related("user").order_by("pk").first()
    return admin.user if admin else None


def _words(count: int) -> tuple[str, str]:
    """Subject and text, in every language of the product: none is known of somebody who is not here."""
    subjects, texts = [], []
    for language, _title in settings.LANGUAGES:
        with override(language):
            subjects.append(
                ngettext("%(count)d follow-up is due", "%(count)d follow-ups are due", count)
                % {"count": count}
            )
            where = f"{settings.PUBLIC_ADDRESS}{reverse('worklist')}?show=follow-up&mine=1"
            texts.append(
                f"{subjects[-1]}.\n"
                + (
                    _("Open the list:") + f"\n{where}"
                    if settings.PUBLIC_ADDRESS
                    else _("They are in the worklist, under Follow-up due.")
                )
            )
    return "SkinClinic: " + " / ".join(dict.fromkeys(subjects)), "\n\n".join(dict.fromkeys(texts)) + "\n"
