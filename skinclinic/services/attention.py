"""What needs an admin's attention in a clinic. Apps register their own; each asks the database once or twice, and what
is many is not counted out."""

import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from skinclinic.engine import clock, jobs
from skinclinic.engine.readiness import obstacle
from skinclinic.models import ApiToken, Clinic, Invitation, Lesion, Member
from skinclinic.services import quotas, second_factor
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import grouped, ngettext

MOST_COUNTED = 1000
NEARLY_FULL = 0.9
SOON = timedelta(days=14)
CLOCK_WRONG_SECONDS = 60
# As in the worklist (``plans``): a result that is three weeks late.
RESULT_LATE = timedelta(weeks=3)


@dataclass(frozen=True)
class Item:
    """In words, and where it is seen to; ``is_serious``: something does not work until it is."""

    words: str
    address: str
    is_serious: bool = False


# f(clinic) -> what needs attention.
Source = Callable[[Clinic], Iterator[Item]]
sources: list[Source] = []


def source(function: Source) -> Source:
    """Register a function that tells what needs attention."""
    sources.append(function)
    return function


def items(clinic: Clinic) -> list[Item]:
    """All of it, what is serious first."""
    found = [item for function in sources for item in function(clinic)]
    return sorted(found, key=lambda item: not item.is_serious)


def count(rows: QuerySet) -> int:
    """How many rows there are, MOST_COUNTED + 1 for any more than that."""
    return rows.order_by()[: MOST_COUNTED + 1].count()


def written(counted: int) -> int | str:
    """What ``count`` has counted, for a text: 1,000+ where there are more."""
    return f"{grouped(MOST_COUNTED)}+" if counted > MOST_COUNTED else counted


@source
def _engine(clinic: Clinic) -> Iterator[Item]:
    if not jobs.engine_online():
        yield Item(
            _("No worker runs: photos wait. Tell whoever runs the server."),
            reverse("help-page", args=["operating"]),
            True,
        )
    elif problem := obstacle(clinic):
        yield Item(problem, reverse("models"), True)


@source
def _clock(clinic: Clinic) -> Iterator[Item]:
    if abs(ahead := clock.known_ahead()) >= CLOCK_WRONG_SECONDS:
        words = _(
            "The clock of the web server %(name)s is %(minutes)d min wrong: signing in at the hospital's provider may "
            "fail. Tell whoever runs the server."
        )
        named = {"name": platform.node(), "minutes": round(abs(ahead) / 60)}
        yield Item(words % named, reverse("help-page", args=["operating"]), True)


@source
def _rooms(clinic: Clinic) -> Iterator[Item]:
    for room in quotas.all_rooms(clinic):
        if room.share >= NEARLY_FULL:
            words = _("%(what)s: full") if room.share >= 1 else _("%(what)s: nearly full")
            yield Item(words % {"what": room.name}, reverse("clinic-settings"), room.share >= 1)


@source
def _cases(clinic: Clinic) -> Iterator[Item]:
    today = timezone.localdate()
    lesions, worklist = Lesion.objects.filter(clinic=clinic, is_archived=False), reverse("worklist")
    if n := count(lesions.filter(state=Lesion.State.FAILED)):
        words = ngettext("%(n)d case could not be analysed", "%(n)d cases could not be analysed", n)
        yield Item(words % {"n": written(n)}, f"{worklist}?show=all&state=failed", True)
    if n := count(lesions.filter(biopsy_on__lt=today - RESULT_LATE)):
        words = ngettext("%(n)d result of a biopsy is late", "%(n)d results of biopsies are late", n)
        yield Item(words % {"n": written(n)}, f"{worklist}?show=biopsy")
    if n := count(lesions.filter(follow_up_on__lt=today)):
        words = ngettext("%(n)d follow-up is overdue", "%(n)d follow-ups are overdue", n)
        yield Item(words % {"n": written(n)}, f"{worklist}?show=follow-up")
    if n := count(lesions.filter(to_decide=True)):
        words = ngettext("%(n)d case to decide", "%(n)d cases to decide", n)
        yield Item(words % {"n": written(n)}, worklist)


@source
def _people(clinic: Clinic) -> Iterator[Item]:
    now, members = timezone.now(), reverse("members")
    waiting = Invitation.objects.filter(clinic=clinic, accepted_at=None, revoked_at=None)
    if n := count(waiting.filter(expires_at__gt=now)):
        words = ngettext("%(n)d invitation waits for an answer", "%(n)d invitations wait for an answer", n)
        yield Item(words % {"n": written(n)}, members)
    active = Member.objects.filter(clinic=clinic, is_active=True, user__service_of=None)
    have = second_factor.who_of(clinic)
    lacking = [one for one in active.select_related("clinic") if second_factor.is_required(one)]
    if n := len([one for one in lacking if one.user_id not in have]):
        words = ngettext(
            "%(n)d member has not set up the second factor yet",
            "%(n)d members have not set up the second factor yet",
            n,
        )
        yield Item(words % {"n": written(n)}, members)
    ending = ApiToken.objects.filter(clinic=clinic, revoked_at=None, expires_at__gt=now)
    if n := count(ending.filter(expires_at__lte=now + SOON)):
        words = ngettext("%(n)d token ends within two weeks", "%(n)d tokens end within two weeks", n)
        yield Item(words % {"n": written(n)}, reverse("service-accounts"))
