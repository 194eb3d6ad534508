"""How far long work is, and what a member may do about it: one page part for every kind of it.

A page shows ``progress(...)`` with ``{% include work.template %}``; while the work is busy the part fetches itself
anew from ``skinclinic.views.work``, which finds it again by its kind and the key of its row.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar, Generic, Self, TypeVar, cast

from django.db.models import Model, QuerySet
from django.http import Http404
from django.utils import timezone

from skinclinic.engine import jobs, work
from skinclinic.models import Job, Member, User, WorkState
from skinclinic.permissions import CURATE, OfClinic, may
from skinclinic.presenters.job_errors import words_of
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext
from skinclinic.web.requests import SignedInRequest

R = TypeVar("R", bound=Model)
BUSY = (WorkState.WAITING, WorkState.RUNNING)


class Progress(Generic[R]):
    """Long work for a row, as a member of its clinic sees it. Every kind of work is a subclass."""

    # The word for it in addresses, the rows it is done for, and the right to stop it and take it up again.
    kind: ClassVar[str]
    rows: ClassVar[type[Model] | QuerySet]
    change: ClassVar[str] = CURATE
    # The kinds of job that do it, and the codes of those that were refused rather than failed.
    jobs: ClassVar[Sequence[str]] = ()
    refused: ClassVar[Sequence[str]] = ()
    template: ClassVar[str] = "components/work.html"
    # Whether the page is loaded anew once it is over; else the part shows what came of it.
    reloads: ClassVar[bool] = True

    def __init__(self, row: R, member: Member):
        self.row, self.member = row, member

    @classmethod
    def of(cls, request: SignedInRequest, row: R) -> Self:
        """As the person who asks sees it, who is a member of its clinic."""
        clinic = cast(OfClinic, row).clinic_id
        return cls(row, next(one for one in request.memberships if one.clinic_id == clinic))

    @property
    def key(self) -> str:
        """What its part of the page is called; another for each where a page shows several."""
        return self.kind

    @property
    def address(self) -> str:
        """The page that shows it."""
        raise NotImplementedError

    @property
    def is_shown(self) -> bool:
        """Whether the member may see it, beyond being a member."""
        return True

    @property
    def may_change(self) -> bool:
        return may(self.member, self.change)

    @property
    def doing(self) -> str:
        """What is being done, in a sentence or two."""
        return ""

    @property
    def counts(self) -> str:
        """How much is done, in words; "" where only the share is known."""
        return ""

    @property
    def query(self) -> str:
        """What the page tells of itself when it asks again, as the end of the address."""
        return ""

    @cached_property
    def job(self) -> Job | None:
        return work.last(self.jobs, self.row.pk)

    @cached_property
    def state(self) -> str:
        """One of WorkState; "" where nothing was asked for."""
        return work.state_of(self.job, self.refused) if self.job else ""

    @property
    def state_name(self) -> str:
        return str(WorkState(self.state).label) if self.state else ""

    @property
    def is_busy(self) -> bool:
        return self.state in BUSY

    @property
    def has_ended_early(self) -> bool:
        return self.state in (WorkState.FAILED, WorkState.STOPPED)

    @property
    def error(self) -> str:
        return words_of(self.job) if self.job and self.has_ended_early else ""

    @property
    def share(self) -> float:
        return self.job.progress if self.job else 0.0

    @property
    def percent(self) -> int:
        return round(100 * self.share)

    @property
    def left(self) -> str:
        """How long the rest may take, in words; "" while that cannot be said."""
        if self.state != WorkState.RUNNING or not self.job or not self.job.started_at:
            return ""
        return time_left((timezone.now() - self.job.started_at).total_seconds(), self.share)

    @property
    def waits_for(self) -> str:
        """What has to happen before it begins, in words."""
        if self.state != WorkState.WAITING or not self.job:
            return ""
        if not jobs.is_served(self.job.kind):
            return _(
                "The engine that does this is offline. It begins by itself once an administrator has started it."
            )
        if before := jobs.ahead(self.job):
            text = ngettext("%(n)d task comes before it.", "%(n)d tasks come before it.", before)
            return text % {"n": before}
        return _("It begins in a moment.")

    @property
    def can_cancel(self) -> bool:
        return self.may_change and self.is_busy

    @property
    def can_retry(self) -> bool:
        return self.may_change and self.has_ended_early

    def cancel(self, by: User) -> str:
        """Stop it; what to tell the person, or "" when it is over already."""
        stopped = self.job is not None and work.cancel(self.job, by)
        return _("It is stopped. What was done so far is kept.") if stopped else ""

    def retry(self) -> str:
        """Take it up again where it stopped; what to tell the person, or "" when it has not."""
        return _("It goes on where it stopped.") if self.job and jobs.retry(self.job) else ""

    def context(self, query) -> dict:
        """What the template needs; ``query``: what came with the address."""
        return {"work": self}


Kind = TypeVar("Kind", bound=type[Progress[Any]])
_kinds: dict[str, type[Progress[Any]]] = {}


def shown(progress: Kind) -> Kind:
    """Decorate a kind of work, so that its address exists."""
    _kinds[progress.kind] = progress
    return progress


def kind_named(name: str) -> type[Progress[Any]]:
    """Raises Http404."""
    try:
        return _kinds[name]
    except KeyError:
        raise Http404 from None


def kinds() -> list[type[Progress[Any]]]:
    return list(_kinds.values())


def time_left(elapsed: float, share: float) -> str:
    """The time that the rest may take at the speed so far, in words; "" while that cannot be said."""
    if not 0 < share < 1 or elapsed < 3:
        return ""
    seconds = elapsed * (1 - share) / share
    if seconds < 90:
        number = max(5, 5 * round(seconds / 5))
        return ngettext("about %(n)d second left", "about %(n)d seconds left", number) % {"n": number}
    number = round(seconds / 60)
    return ngettext("about %(n)d minute left", "about %(n)d minutes left", number) % {"n": number}
