"""Similar proven photos in words: what was found, how near, and what it was found among."""

from dataclasses import dataclass

from classifier.models import Analysis
from classifier.services.similar import making, neighbours
from skinclinic.models import Member
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext


@dataclass(frozen=True)
class Tile:
    """A proven photo. ``facts``: where it comes from, and what else is to be known of it."""

    neighbour: neighbours.Neighbour
    likeness: str
    facts: list[str]


def context(row: Analysis, member: Member) -> dict:
    """What the part of the result page needs. It is for the caller to ask whether the answer may be seen."""
    found = neighbours.of_analysis(row)
    at_work = making.at_work(row.clinic_id, row.model_version) is not None
    is_own_square = row.box == row.photo.box
    return {
        "analysis": row,
        "state": found.state,
        "tiles": [_tile(one, row) for one in found.neighbours],
        "among": _among(found),
        "lacking": _lacking(found),
        "own": _own(found),
        "at_work": at_work,
        "may_make": member.can_curate and bool(found.lacking) and not at_work,
        "may_make_own": member.can_edit and found.state == neighbours.NO_FEATURES and is_own_square,
    }


def _tile(one: neighbours.Neighbour, row: Analysis) -> Tile:
    entry = one.entry
    facts = [entry.source.name]
    if entry.photo.kind != row.photo.kind:
        facts.append(entry.photo.get_kind_display())
    if not one.is_reviewed:
        facts.append(_("not reviewed yet"))
    if entry.photo.is_synthetic:
        facts.append(_("synthetic"))
    return Tile(one, f"{one.likeness:.2f}", facts)


def _among(found: neighbours.Found) -> str:
    text = ngettext(
        "Looked for among %(n)d proven photo of the archive.",
        "Looked for among %(n)d proven photos of the archive.",
        found.compared,
    )
    return text % {"n": found.compared}


def _lacking(found: neighbours.Found) -> str:
    if not found.lacking:
        return ""
    text = ngettext(
        "%(n)d more cannot be compared: the model has not looked at it yet.",
        "%(n)d more cannot be compared: the model has not looked at them yet.",
        found.lacking,
    )
    return text % {"n": found.lacking}


def _own(found: neighbours.Found) -> str:
    if not found.own:
        return ""
    text = ngettext(
        "%(n)d proven photo of the same patient is left out.",
        "%(n)d proven photos of the same patient are left out.",
        found.own,
    )
    return text % {"n": found.own}
