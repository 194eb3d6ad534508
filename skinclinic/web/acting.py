"""Who acts now: the person, program, link, job or command on whose behalf this thread works. The audit and the logs
ask for it; the middleware, readers' pages, workers and commands say it."""

import getpass
import re
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from django.db.models import Model
from django.http import HttpRequest

from skinclinic.models import User
from skinclinic.models.audit import AuditEvent
from skinclinic.web.requests import client_address
from skinclinic.web.working import current

Via = AuditEvent.Via
# What a proxy may send as the id of a request; anything else could forge lines of a log.
_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}")


@dataclass
class Acting:
    """``via`` "" means: ask the request, which knows who is signed in or whose token came once that was checked."""

    via: str = ""
    key: int | None = None
    name: str = ""
    user: User | None = None
    request: HttpRequest | None = None
    request_id: str = ""
    job: str = ""
    # The rows of clinics that this request was let to, in that order.
    found: list[Model] = field(default_factory=list)

    @cached_property
    def address(self) -> str:
        """Where the request came from, as the lock after wrong passwords counts it."""
        return client_address(self.request) if self.request else ""

    def person(self) -> User | None:
        """Who is signed in, or whose token it is."""
        if self.user is not None or self.via:
            return self.user
        found = getattr(self.request, "user", None)
        return found if isinstance(found, User) else None

    def for_logs(self) -> dict[str, str]:
        """Whose work a line of a log is: keys and ids, never a name, and nothing that must be looked up first."""
        said = {"request": self.request_id, "job": self.job, "kind": self.name if self.job else ""}
        if (user := self.user or self._user_in_hand()) is not None:
            said["user"] = str(user.pk)
        if self.via in (Via.READER, Via.OPINION):
            said[str(self.via)] = str(self.key)
        return {name: value for name, value in said.items() if value}

    def _user_in_hand(self) -> User | None:
        found = vars(self.request) if self.request else {}
        user = found.get("_cached_user") or found.get("user")
        # Of the real class: one that is still to be looked up would do so when asked.
        return user if issubclass(type(user), User) else None

    def through(self) -> tuple[str, int | None, str]:
        """By what: kind, key and name of a token, a link or a job."""
        if self.via:
            return self.via, self.key, self.name
        token = getattr(self.request, "auth", None)
        if token is not None:
            key = token.pk if isinstance(getattr(token, "pk", None), int) else None
            return Via.TOKEN, key, str(getattr(token, "name", ""))
        return (Via.SESSION if self.person() else Via.VISITOR), None, ""


def now() -> Acting:
    """Who acts; outside of requests and jobs the command that was typed on the server."""
    return known() or _command()


def known() -> Acting | None:
    """Who acts, if anything has said it."""
    found = current.get()
    return found if isinstance(found, Acting) else None


@contextmanager
def acting(who: Acting) -> Iterator[Acting]:
    """Whatever is done in the block is done by this one."""
    token = current.set(who)
    try:
        yield who
    finally:
        current.reset(token)


def by_link(via: str, row: Model, name: str = "") -> None:
    """From here on this request acts by a link that was shown: that of a reader, or for a second opinion."""
    if (who := known()) is not None:
        who.via, who.key, who.name = via, row.pk, name
        who.found.append(row)


def let_to(row: Model) -> None:
    """Remember that this request was let to a row."""
    if (who := known()) is not None:
        who.found.append(row)


def job(kind: str, keys: list[int]) -> Acting:
    """Jobs that a worker has claimed; several of one kind are worked on together."""
    name = ",".join(map(str, keys[:8])) + ("…" if len(keys) > 8 else "")
    return Acting(via=Via.JOB, key=keys[0] if len(keys) == 1 else None, name=kind, job=name)


def _command() -> Acting:
    program = Path(sys.argv[0]).name if sys.argv else ""
    typed = " ".join([program, *sys.argv[1:2]]) if program == "manage.py" else program
    try:
        whose = f" ({getpass.getuser()})"
    except (KeyError, OSError):  # a container's user may have no name
        whose = ""
    return Acting(via=Via.COMMAND, name=f"{typed}{whose}")


def request_id_of(request: HttpRequest) -> str:
    """The id that a proxy gave the request, or a new one."""
    sent = request.headers.get("X-Request-ID", "")
    return sent if _WELL_FORMED.fullmatch(sent) else uuid.uuid4().hex


class ActingMiddleware:
    """Says for the time of a request who acts, gives it an id and sends that back as ``X-Request-ID``."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.id = request_id_of(request)
        with acting(Acting(request=request, request_id=request.id)):
            response = self.get_response(request)
        response["X-Request-ID"] = request.id
        return response
