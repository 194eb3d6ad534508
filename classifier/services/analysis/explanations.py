"""Asking for other explanations of an answer, and storing what comes back."""

from typing import TYPE_CHECKING

from django.db import transaction

from classifier.models import Analysis, Explanation
from classifier.services.analysis.analyses import DELETED
from skinclinic.engine import jobs, work
from skinclinic.models import User, WorkState
from skinclinic.services import audit
from skinclinic.services.cases import hold_lesion_of
from skinclinic.services.refused import Refused
from skinclinic.web.counts import gettext as _

if TYPE_CHECKING:
    from classifier.analysing.explaining import Explained

JOB = "explain"
# Codes of jobs that will fail again however often they are tried: the method does not fit the network.
REFUSED = ("no_such_stage",)
COVERED = "covered"
# Score-CAM of a large network takes minutes of a processor.
MOST_AT_ONCE = 4
Method = Explanation.Method
_BUSY = (WorkState.WAITING, WorkState.RUNNING)


@transaction.atomic
def ask(analysis: Analysis, method: str, user: User) -> Explanation:
    """Have an answer explained by this method; asking twice gives the same explanation. Raises Refused.

    Whether the person may see the answer is the caller's to ask.
    """
    if method not in Method.values:
        raise Refused("method", _("There is no such method. There are: %(names)s.") % {"names": _names()})
    _hold(user)
    if hold_lesion_of(analysis.photo) is None:
        raise Refused("", _("The photo was deleted."))
    if why := obstacle(analysis):
        raise Refused("", why)
    row = Explanation.objects.filter(analysis=analysis, method=method).first()
    if row is None:
        _check_room(user)
        row = Explanation.objects.create(
            clinic=analysis.clinic, analysis=analysis, method=method, asked_by=user
        )
        work.ask(JOB, row.pk, analysis.clinic)
        audit.record("explanation.ask", row, by=user, facts={"method": method})
    elif row.can_go_on:
        go_on(row, user)
    row.refresh_from_db()
    return row


@transaction.atomic
def go_on(row: Explanation, user: User) -> bool:
    """Take one up again that was stopped or failed; False where it has not. Raises Refused."""
    _hold(user)
    job = work.last([JOB], row.pk)
    if job is None or not row.can_go_on:
        return False
    _check_room(user)
    Explanation.objects.filter(pk=row.pk).update(asked_by=user)
    return jobs.retry(job)


def obstacle(analysis: Analysis) -> str:
    """Why an answer cannot be explained, in words, or ""."""
    if not analysis.is_done:
        return _("This photo is not analysed yet.")
    if analysis.before_cover:
        return _("Part of the analysed square was covered since; what the model saw is there no more.")
    if analysis.set_aside:
        return _("The model's answer to this photo does not count, and is not explained.")
    return ""


def _names() -> str:
    return ", ".join(Method.values)


def _hold(user: User) -> None:
    """One request of a person at a time, so that they are counted rightly; nobody else waits for it."""
    User.objects.select_for_update(no_key=True).filter(pk=user.pk).first()


def _check_room(user: User) -> None:
    if Explanation.objects.filter(asked_by=user, state__in=_BUSY).count() >= MOST_AT_ONCE:
        raise Refused(
            "",
            _(
                "%(n)d explanations that you asked for are not done yet. Wait for one of them, or stop one, then "
                "ask again."
            )
            % {"n": MOST_AT_ONCE},
        )


def store(row: Explanation, found: "Explained") -> None:
    """Keep what was computed. Raises JobError where the photo was deleted or covered meanwhile."""
    analysis = row.analysis
    if hold_lesion_of(analysis.photo) is None:
        raise jobs.JobError(DELETED, "The photo was deleted.")
    if Analysis.objects.filter(pk=analysis.pk, before_cover=True).exists():
        raise covered()
    height, width = found.maps.shape[1:]
    Explanation.objects.filter(pk=row.pk).update(
        maps=found.maps.astype("<f2").tobytes(),
        map_height=height,
        map_width=width,
        layer=found.layer[:200],
        runtime=found.computed.runtime[:120],
        precision=found.computed.precision,
    )


def covered() -> jobs.JobError:
    return jobs.JobError(
        COVERED, "Part of the analysed square was covered since; what the model saw is there no more."
    )
