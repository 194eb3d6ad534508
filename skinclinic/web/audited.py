"""What a request leaves in the audit beyond what services write: what was looked at or fetched, and that something was
changed where nobody wrote it more closely."""

import re
from typing import Any

from django.db import connection, transaction

from skinclinic.services import audit
from skinclinic.web import acting
from skinclinic.web.looks import look_of

_UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
_WRITES = re.compile(r'\s*(?:INSERT INTO|UPDATE|DELETE FROM) "(\w+)"')
_WORD = re.compile(r"[a-z][a-z_-]{0,30}")
_AUDIT = "skinclinic_auditevent"
# Nobody's work: who is signed in, who guessed, when a page was last open.
_ASIDE = ("django_session", "skinclinic_session", "skinclinic_signincount")
# Answers have a history of their own, which is never overwritten and tells each change with its time and device.
OWN_HISTORY = frozenset(
    {"reading-answer", "reading-practice-answer", "reading-state", "reading-keys", "reading-language"}
)


class AuditMiddleware:
    """Comes late: what it writes of an answer is written before that is sent."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.method not in _UNSAFE:
            response = self.get_response(request)
        else:
            writing = Writing()
            with connection.execute_wrapper(writing):
                response = self.get_response(request)
            if response.status_code < 400 and writing.is_untold and _route(request) not in OWN_HISTORY:
                audit.record("change", _subject(request), facts={"page": _route(request), **_act(request)})
        look = look_of(_route(request))
        if look and request.method in look.methods and response.status_code in (200, 206, 304):
            write = audit.viewed if look.is_view else audit.record
            subject, facts = _subject(request, look.of), look.facts_of(request)
            if subject is None:
                facts["page"] = _route(request)
            write(look.action_of(request), subject, facts=facts)
        return response


class Writing:
    """Notices what a request writes and does not take back: rows of the product, and rows of the audit."""

    def __init__(self) -> None:
        self.tables: set[str] = set()

    def __call__(self, execute, sql: str, params: Any, many: bool, context: dict[str, Any]):
        result = execute(sql, params, many, context)
        if (found := _WRITES.match(sql)) and not found[1].startswith(_ASIDE):
            # Forgotten with the part of a transaction that is rolled back.
            transaction.on_commit(_Written(self, found[1]))
        return result

    @property
    def is_untold(self) -> bool:
        """Whether rows were written and none of them in the audit."""
        waiting = (entry[1] for entry in connection.run_on_commit)
        tables = self.tables | {
            call.table for call in waiting if isinstance(call, _Written) and call.of is self
        }
        return bool(tables) and _AUDIT not in tables


class _Written:
    """A table that was written, once that is committed."""

    def __init__(self, of: Writing, table: str):
        self.of, self.table = of, table

    def __call__(self) -> None:
        self.of.tables.add(self.table)


def _act(request) -> dict[str, str]:
    """Which of its buttons a page with several was sent by."""
    act = request.POST.get("act", "") if request.resolver_match else ""
    return {"act": act} if _WORD.fullmatch(act) else {}


def _route(request) -> str:
    return (request.resolver_match.url_name or "") if request.resolver_match else ""


def _subject(request, kind: str = ""):
    """The row that the address names, which is the first that the request was let to; or the last one of a kind."""
    who = acting.known()
    if who is None or request.resolver_match is None or not request.resolver_match.kwargs:
        return None
    if kind:
        return next((row for row in reversed(who.found) if row._meta.label_lower == kind), None)
    return who.found[0] if who.found else None
