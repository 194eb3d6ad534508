"""Both versions of what two people have changed, field by field, in the words of the page."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from skinclinic.models import Patient, User
from skinclinic.services.merging import Unit, same
from skinclinic.services.records import UNITS, Clash, Record


@dataclass(frozen=True)
class Versions:
    """One thing that both have changed. ``by`` and ``at``: who saved the version that stands, if it is known."""

    name: str
    label: str
    theirs: str
    mine: str
    chosen: str = ""
    by: User | None = None
    at: datetime | None = None


def of_clashes(model: type[Record], clashes: Iterable[Clash]) -> list[Versions]:
    return [
        _versions(model, clash.unit, clash.theirs, clash.mine, last=clash.last) for clash in clashes
    ]  # fmt: skip


def of_asked(
    model: type[Record], asked: Mapping[str, str], theirs: Mapping[str, Any], mine: Mapping[str, Any]
) -> list[Versions]:
    """The same once more, of a form that came back without a choice or with a mistake elsewhere."""
    return [
        _versions(model, unit, theirs, mine, chosen=asked[unit[0]])
        for unit in UNITS[model]
        if unit[0] in asked
    ]


def _versions(
    model: type[Record],
    unit: Unit,
    theirs: Mapping[str, Any],
    mine: Mapping[str, Any],
    *,
    chosen="",
    last=None,
) -> Versions:
    field = model._meta.get_field(unit[0])
    return Versions(
        name=unit[0],
        label=str(getattr(field, "verbose_name", unit[0])),
        theirs=in_words(model, unit, theirs),
        mine=in_words(model, unit, mine),
        chosen=chosen,
        by=last and last.by,
        at=last and last.at,
    )  # fmt: skip


def in_words(model: type[Record], unit: Unit, values: Mapping[str, Any]) -> str:
    """The values of one unit as a person reads them; also values as a form sent them."""
    words = [_word(model, name, values.get(name)) for name in unit if name not in ("site_x", "site_y")]
    if values.get("site") and values.get("site_x") not in (None, ""):
        words.append(_place(values))
    return ", ".join(word for word in words if word) or "–"


def _word(model: type[Record], name: str, value: Any) -> str:
    if name == "patient":
        found = Patient.objects.filter(pk=value).values_list("code", flat=True).first() if value else None
        return found or ""
    field = model._meta.get_field(name)
    choices = field.flatchoices if isinstance(field, models.Field) else []
    named = next((str(word) for key, word in choices if str(key) == str(value) and value is not None), None)
    if named is None or same(named, ""):
        return "" if value is None else str(value)
    return named


def _place(values: Mapping[str, Any]) -> str:
    try:
        x, y = (round(100 * float(values[name])) for name in ("site_x", "site_y"))
    except (TypeError, ValueError):
        return ""
    return _("%(x)d %% from the left and %(y)d %% from the top of the body picture") % {"x": x, "y": y}
