"""What an import would change of what the archive has already: counted for the report, listed in a file one by one."""

import json
from collections import Counter
from collections.abc import Iterator
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
        """``kept``: photos of which something that a person decided here stays, the source being as it was."""
        return {
            "kept": self.kept,
            "changes": {name: dict(counts) for name, counts in sorted(self.fields.items())},
        }


def lines(path: Path) -> Iterator[dict]:
    """The changes that a check listed; none where the file is gone."""
    try:
        file = path.open(encoding="utf-8")
    except FileNotFoundError:
        return
    with file:
        for text in file:
            yield json.loads(text)
