"""What is written down when it is looked at or fetched: every app names its addresses (``audited.py`` in its folder).

Lists and their thumbnails are not written row by row; ``tests/skinclinic/test_audited.py`` asks for a reason wherever
the address of a patient's row is missing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.http import HttpRequest


@dataclass(frozen=True)
class Look:
    """``action``: what the audit calls it. ``is_view``: again within minutes is the same look; a file that was fetched
    is written each time. ``asked``: parts of the address's query that say what was fetched. ``methods``: those that
    fetch it. ``of_care``: a document of one patient that a page shows as well, for which nobody is asked again in the
    midst of work (``web/leaving.py``)."""

    action: str | Callable[[HttpRequest], str]
    is_view: bool = True
    # The kind of row that was looked at, where it is not the one that the address names.
    of: str = ""
    asked: tuple[str, ...] = ()
    methods: tuple[str, ...] = ("GET",)
    of_care: bool = False

    def action_of(self, request: HttpRequest) -> str:
        return self.action(request) if callable(self.action) else self.action

    def facts_of(self, request: HttpRequest) -> dict[str, str]:
        return {name: value[:40] for name in self.asked if (value := request.GET.get(name))}


_LOOKS: dict[str, Look] = {}


def view(action: str | Callable[[HttpRequest], str], of: str = "") -> Look:
    """Something that is looked at."""
    return Look(action, of=of)


def fetched(action: str, *asked: str, methods: tuple[str, ...] = ("GET",), of_care: bool = False) -> Look:
    """A file that leaves the product."""
    return Look(action, is_view=False, asked=asked, methods=methods, of_care=of_care)


def register(looks: Mapping[str, Look]) -> None:
    """Name addresses, by the names of their routes."""
    _LOOKS.update(looks)


def look_of(route: str | None) -> Look | None:
    return _LOOKS.get(route or "")
