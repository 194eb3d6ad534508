"""What an import would change of what the archive has already: counted for the report, listed in a file one by one."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TextIO

from skinclinic.archive.formats.rows import Row
from skinclinic.archive.models import Entry, Import
from skinclinic.archive.services.importing import changes


class Comparing:
    """Compares rows with the entries of the import's source; writes a line for each changed field to ``listed``."""

    def __init__(self, row: Import, listed: TextIO):
        self.row, self.listed = row, listed
        self.fields: dict[str, Counter[str]] = {}
        self.kept = 0
        self.chosen = Counter({"changed": 0, "stay": 0})

    def entries(self, external_ids: list[str]) -> dict[str, Entry]:
        if not self.row.source_id:
            return {}
        found = Entry.objects.filter(source=self.row.source_id, external_id__in=external_ids)
        return {
            entry.external_id: entry
            for entry in found.select_related("photo__lesion", "patient", "source").defer("phash")
        }

    def compare(self, rows: list[tuple[Entry, Row, str]]) -> int:
        """How many of these entries the source would change."""
        if not rows:
            return 0
        found = changes.of(rows, rows[0][0].source)
        changed = 0
        for entry, row, _label in rows:
            listed = [one for one in found.get(entry.pk, []) if one.is_new]
            self.kept += bool(len(found.get(entry.pk, [])) - len(listed))
            changed += bool(listed)
            if listed:
                self.chosen[_what_becomes(listed, entry.external_id, self.row.decisions)] += 1
            for one in listed:
                counts = self.fields.setdefault(one.field, Counter())
                counts["count"] += 1
                counts["decided"] += one.decided
                line = {
                    "id": entry.external_id, "entry": entry.pk, "row": row.number, "field": one.field,
                    "old": one.old, "new": one.new, "by": one.by, "decided": one.decided,
                }  # fmt: skip
                self.listed.write(json.dumps(line, ensure_ascii=False) + "\n")
        return changed

    def report(self) -> dict:
        """``kept``: photos of which something that a person decided here stays, the source being as it was;
        ``chosen``: see ``as_chosen``."""
        return {
            "kept": self.kept,
            "chosen": dict(self.chosen),
            "changes": {name: dict(counts) for name, counts in sorted(self.fields.items())},
        }


def as_chosen(path: Path, decisions: dict) -> dict[str, int]:
    """{"changed", "stay"}: photos of the list that change, and those of which all stays, as a curator chose."""
    counts = Counter({"changed": 0, "stay": 0})
    for external_id, found in groupby(lines(path), lambda line: line["id"]):
        listed = [
            changes.Change(one["field"], one["old"], one["new"], decided=one["decided"]) for one in found
        ]
        counts[_what_becomes(listed, external_id, decisions)] += 1
    return dict(counts)


def _what_becomes(listed: list[changes.Change], external_id: str, decisions: dict) -> str:
    return "changed" if changes.which_wanted(listed, external_id, decisions) else "stay"


def lines(path: Path) -> Iterator[dict]:
    """The changes that a check listed; none where the file is gone."""
    try:
        file = path.open(encoding="utf-8")
    except FileNotFoundError:
        return
    with file:
        for text in file:
            yield json.loads(text)
