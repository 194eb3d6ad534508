"""Mails on follow-ups that are due and results that are late: once each, with a count and a link, and of no patient."""

from collections import defaultdict
from datetime import time

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from skinclinic.engine import clock
from skinclinic.engine.housekeeping import broom
from skinclinic.models import Biopsy, FollowUp, Member, User
from skinclinic.services import letters, mail
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext

# Nobody is mailed at night.
FROM = time(7)
TOGETHER = 1000


@broom
def remind() -> None:
    """Mail those who see to cases whose follow-up is due; where no mail is set up, the worklist alone tells."""
    now = timezone.localtime(clock.now())
    if not mail.can_mail() or now.time() < FROM:
        return
    today = now.date()
    for kind, due in (
        (FollowUp, FollowUp.objects.filter(due_on__lte=today)),
        (Biopsy, Biopsy.objects.filter(taken_on__lte=today - Biopsy.LATE_AFTER)),
    ):
        rows = due.filter(ended_at=None, reminded_at=None, lesion__is_archived=False)
        if rows.exists():
            _post(kind, rows.select_related("lesion__assignee", "created_by", "clinic").order_by("pk"))


@transaction.atomic
def _post(kind: type[FollowUp | Biopsy], due: QuerySet) -> None:
    by_person = defaultdict(list)
    told: dict[tuple[int, int | None, int | None], User | None] = {}
    for row in due.select_for_update(of=("self",))[:TOGETHER]:
        who = (row.clinic_id, row.lesion.assignee_id, row.created_by_id)
        if who not in told:
            told[who] = _person(row)
        if person := told[who]:
            by_person[row.clinic, person].append(row.pk)
    for (clinic, person), steps in by_person.items():
        if letters.post(clinic, person.email, *_words(kind, len(steps))):
            kind._default_manager.filter(pk__in=steps).update(reminded_at=timezone.now())


def _person(row: FollowUp | Biopsy) -> User | None:
    """The assignee, else whoever planned it, else an admin: the first who is still a member and has an address."""
    members = Member.objects.filter(clinic=row.clinic_id, is_active=True).exclude(user__email="")
    for user in (row.lesion.assignee_id, row.created_by_id):
        member = members.filter(user=user).select_related("user").first() if user else None
        if member:
            return member.user
    admin = members.filter(role="admin").select_related("user").order_by("pk").first()
    return admin.user if admin else None


def _said(kind: type[FollowUp | Biopsy], count: int) -> tuple[str, str]:
    """What is due, and where it is found without a link."""
    if kind is Biopsy:
        late = ngettext(
            "The result of %(count)d biopsy is late", "The results of %(count)d biopsies are late", count
        )
        return late, _("They are in the worklist, under Biopsy awaited.")
    due = ngettext("%(count)d follow-up is due", "%(count)d follow-ups are due", count)
    return due, _("They are in the worklist, under Follow-up due.")


def _words(kind: type[FollowUp | Biopsy], count: int) -> tuple[str, str]:
    """Subject and text, in every language of the product: none is known of somebody who is not here."""
    subjects, texts = [], []
    for language, _title in settings.LANGUAGES:
        with override(language):
            said, without_link = _said(kind, count)
            subjects.append(said % {"count": count})
            view = "biopsy" if kind is Biopsy else "follow-up"
            where = f"{settings.PUBLIC_ADDRESS}{reverse('worklist')}?show={view}&mine=1"
            texts.append(
                f"{subjects[-1]}.\n"
                + (_("Open the list:") + f"\n{where}" if settings.PUBLIC_ADDRESS else without_link)
            )
    return "SkinClinic: " + " / ".join(dict.fromkeys(subjects)), "\n\n".join(dict.fromkeys(texts)) + "\n"
