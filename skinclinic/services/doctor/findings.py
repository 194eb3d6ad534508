"""What a check finds, and which checks there are. Words are for who runs the server, in English, as those of all
commands."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db import DatabaseError

OK, WARNING, FAILURE = "ok", "warning", "failure"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Finding:
    """``part``: what was looked at; ``level``: OK, WARNING or FAILURE; ``remedy``: what to do, unless it is OK."""

    part: str
    level: str
    said: str
    remedy: str = ""


Check = Callable[[], Iterator[Finding]]
# {part: check}, in their order.
checks: dict[str, Check] = {}


def check(part: str) -> Callable[[Check], Check]:
    """Register a check of a part."""

    def register(function: Check) -> Check:
        checks[part] = function
        return function

    return register


def all_findings() -> Iterator[Finding]:
    """Of every check; one that fails itself is a finding, and the others go on."""
    for part, function in checks.items():
        try:
            yield from function()
        except DatabaseError:
            yield failure(
                part, "the database does not answer, which has to be asked", "Mend the database first."
            )
        except Exception as error:
            log.exception("the check of %s failed", part)
            yield Finding(
                part, FAILURE, f"it could not be looked at: {type(error).__name__}: {error}",
                "That is a fault of the program: tell us, with the lines above. The other checks go on.",
            )  # fmt: skip


def ok(part: str, said: str) -> Finding:
    return Finding(part, OK, said)


def warn(part: str, said: str, remedy: str) -> Finding:
    return Finding(part, WARNING, said, remedy)


def failure(part: str, said: str, remedy: str) -> Finding:
    return Finding(part, FAILURE, said, remedy)
