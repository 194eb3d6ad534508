"""What the rules of a clinic will take, in words."""

from collections.abc import Sequence

from skinclinic.services.retention import Foreseen
from skinclinic.web.counts import ngettext


def told(found: Sequence[Foreseen]) -> list[tuple[str, str]]:
    """(what goes now, what goes within the weeks to come), a line for each rule."""
    return [(_said(one.name, one.now), _said(one.name, one.soon)) for one in found]


def _said(name: str, n: int) -> str:
    words = {
        "patients_years": lambda: ngettext("%(n)d patient", "%(n)d patients", n),
        "exports_days": lambda: ngettext("tables of %(n)d export", "tables of %(n)d exports", n),
        "imports_days": lambda: ngettext("%(n)d unfinished import", "%(n)d unfinished imports", n),
        "readers_months": lambda: ngettext(
            "name and address of %(n)d reader", "names and addresses of %(n)d readers", n
        ),
    }
    return words[name]() % {"n": n}
