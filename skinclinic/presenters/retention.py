"""What the rules of a clinic will take, in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import QueryDict
from django.urls import reverse

from skinclinic.services.retention import PATIENTS, Foreseen
from skinclinic.web.counts import ngettext
from skinclinic.web.inputs import is_key

# Of an address that goes on looking: what was counted, and the last patient who was looked at.
_PARTS = ("now", "soon", "after")


@dataclass(frozen=True)
class Line:
    """Of one rule: what goes ``now`` and what within the weeks to come (``soon``), in words; ``further``: where the
    next patients are looked at, "" where these are all."""

    now: str
    soon: str
    further: str = ""


def told(found: Sequence[Foreseen], sent: QueryDict) -> list[Line]:
    """A line for each rule. ``sent``: rules that are not saved, as the form has them."""
    return [Line(_said(one.name, one.now), _said(one.name, one.soon), _further(one, sent)) for one in found]


def begun(sent: QueryDict) -> Foreseen | None:
    """What an address says was counted of patients; None where it says nothing, or nonsense."""
    told = [sent.get(part, "") for part in _PARTS]
    return Foreseen(PATIENTS, *map(int, told)) if all(map(is_key, told)) else None


def _further(one: Foreseen, sent: QueryDict) -> str:
    if one.after is None:
        return ""
    query = sent.copy()
    query.pop("csrfmiddlewaretoken", None)
    for part in _PARTS:
        query[part] = str(getattr(one, part))
    return f"{reverse('retention')}?{query.urlencode()}"


def _said(name: str, n: int) -> str:
    words = {
        PATIENTS: lambda: ngettext("%(n)d patient", "%(n)d patients", n),
        "exports_days": lambda: ngettext("tables of %(n)d export", "tables of %(n)d exports", n),
        "imports_days": lambda: ngettext("%(n)d unfinished import", "%(n)d unfinished imports", n),
        "readers_months": lambda: ngettext(
            "name and address of %(n)d reader", "names and addresses of %(n)d readers", n
        ),
    }
    return words[name]() % {"n": n}
