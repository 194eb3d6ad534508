"""A source says something else than the archive holds: what it changed itself, and what a person decided here.

A person's decision stays unless the source changed since; then both are listed, old and new with who had set it, and a
curator keeps or takes: all, a field, or one photo's field. What nobody here has touched is taken.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from skinclinic.archive.formats.rows import Row
from skinclinic.archive.models import Entry, EntryChange, Source
from skinclinic.archive.services.importing.fields import GOES_WITH, all_of, fields_of, held, plain

KEEP, TAKE = "keep", "take"
_BY_SOURCE = (EntryChange.Action.IMPORTED, EntryChange.Action.ADDED)


@dataclass(frozen=True)
class Change:
    """One field of one photo. ``by``: the name of the person who had set ``old``, "" for an import; ``decided``: a
    person had; ``is_new``: the source says something else than it did before."""

    field: str
    old: object
    new: object
    by: str = ""
    decided: bool = False
    is_new: bool = True


def of(rows: Iterable[tuple[Entry, Row, str]], source: Source) -> dict[int, list[Change]]:
    """{entry: its changes} of those rows that say something else than their entries. Two queries."""
    differing: dict[int, tuple[Entry, dict, dict]] = {}
    for entry, row, label in rows:
        now, said = held(entry, row), all_of(row, label, source)
        if "label" in said and not row.icd10 and now["label"] != label:
            # The code of the label goes with it.
            said.pop("icd10")
        if now["label"] == label:
            for name in {"subtype", "icd10"}.intersection(row.silent):
                if not getattr(row, name):
                    said.pop(name, None)
        different = {name: value for name, value in said.items() if now[name] != value}
        if different:
            differing[entry.pk] = entry, now, different
    history: dict[int, list[EntryChange]] = {}
    for change in EntryChange.objects.filter(entry__in=differing).select_related("by").order_by("pk"):
        history.setdefault(change.entry_id, []).append(change)
    return {
        pk: [_change(entry, name, now[name], new, history.get(pk, [])) for name, new in different.items()]
        for pk, (entry, now, different) in differing.items()
    }


def _change(entry: Entry, name: str, old: object, new: object, history: list[EntryChange]) -> Change:
    here: list[EntryChange] = []
    for change in history:
        if name in change.fields:
            here = [] if change.action in _BY_SOURCE else [*here, change]
    before = here[0].fields[name][0] if here else plain(old)
    before = entry.said.get(name, before)
    person = here[-1].by if here else None
    decided = bool(here) and before != plain(old)
    return Change(
        field=name, old=plain(old), new=plain(new), by=str(person) if person and decided else "",
        decided=decided, is_new=plain(new) != before,
    )  # fmt: skip


def wanted(change: Change, external_id: str, decisions: dict) -> bool:
    """Whether a change is taken: as a curator decided for this photo, this field or all, else as nobody had."""
    if not change.is_new:
        return False
    name = GOES_WITH.get(change.field, change.field)
    said = decisions.get("ones", {}).get(external_id, {}).get(name)
    said = said or decisions.get("fields", {}).get(name) or decisions.get("all")
    return said == TAKE if said else not change.decided


def which_wanted(changes: list[Change], external_id: str, decisions: dict) -> set[str]:
    """The fields of one photo that are taken; the subtype goes with another label."""
    by_field = {one.field: one for one in changes}
    return {
        one.field
        for one in changes
        if wanted(by_field.get("label", one) if one.field == "subtype" else one, external_id, decisions)
    }


def decided_fields(
    changes: list[Change], row: Row, label: str, decisions: dict
) -> tuple[dict[str, object], dict[str, object]]:
    """({field: new value} of what is taken, {field: what the source says} of what is kept). The subtype and the code
    go with another label."""
    wanted_here = which_wanted(changes, row.external_id, decisions)
    taken: dict[str, object] = {one.field: one.new for one in changes if one.field in wanted_here}
    kept: dict[str, object] = {one.field: one.new for one in changes if one.field not in wanted_here}
    if "label" in taken:
        taken["icd10"] = fields_of(row, label)["icd10"]
        kept.pop("icd10", None)
    return taken, kept
