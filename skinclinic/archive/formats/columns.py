"""Tables whose columns are known, or named by a curator: from a record to a ``Row``."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from skinclinic.archive.formats import rows
from skinclinic.archive.formats.problems import CellError, Problem, _
from skinclinic.archive.formats.rows import Row
from skinclinic.archive.formats.tables import Record

KINDS = {
    "": "close_up", "close_up": "close_up", "clinical": "close_up", "clinical: close-up": "close_up",
    "overview": "overview", "clinical: overview": "overview", "tbp tile: close-up": "close_up",
    "tbp tile: overview": "overview", "dermoscopic": "dermoscopic",
}  # fmt: skip


def kind(text: str) -> str:
    """'close_up', 'overview' or 'dermoscopic'. Raises CellError."""
    try:
        return KINDS["" if rows.is_unknown(text) else " ".join(text.casefold().split())]
    except KeyError:
        raise CellError(_("none of clinical, overview, dermoscopic")) from None


def words(most: int) -> Callable[[str], str]:
    """Text of at most so many characters; unknown is ''."""

    def read(text: str) -> str:
        if len(text) > most:
            raise CellError(_("longer than %(most)s characters"), most=most)
        return "" if rows.is_unknown(text) else text

    return read


# How each field of a Row is read from text.
READERS: dict[str, Callable] = {
    "file": words(300), "external_id": words(200), "label": words(120), "patient": words(60),
    "lesion": words(60), "age": rows.age, "sex": rows.sex, "skin_type": rows.skin_type,
    "ethnicity": words(80), "site": words(80), "taken_on": rows.day, "kind": kind, "is_proven": rows.yes,
    "confirmed_by": rows.confirmed_by, "subtype": words(80), "icd10": rows.icd10, "impression": words(120),
    "text": words(2000), "sha256": words(64), "split": rows.side, "is_synthetic": rows.yes,
}  # fmt: skip
NEEDED = ("file", "label")


@dataclass(frozen=True)
class Layout:
    """Which column holds which field; ``codes`` are the source's own words for its values, folded.

    ``labels``: its words for diseases that need no mapping by a curator. ``sites``: for anatomic sites.
    """

    columns: dict[str, str]
    labels: dict[str, str] = field(default_factory=dict)
    sites: dict[str, str] = field(default_factory=dict)
    kind: str = "close_up"

    @property
    def needed(self) -> list[str]:
        return [self.columns[name] for name in NEEDED if name in self.columns]


def read(record: Record, layout: Layout) -> tuple[Row | None, list[Problem]]:
    """The row a record describes, or None and the problems that keep it from being one."""
    problems = list(record.problems)
    values = {}
    for name, column in layout.columns.items():
        text = record.cells.get(column, "")
        try:
            values[name] = READERS[name](text)
        except CellError as error:
            problems.append(Problem(column, error.message, text, error.params))
    for name in NEEDED:
        if not values.get(name) and not problems:
            problems.append(Problem(layout.columns[name], _("is empty")))
    site = values.get("site", "")
    values["site"] = layout.sites.get(" ".join(site.casefold().split()), "")
    if site and not values["site"]:
        problems.append(Problem(layout.columns["site"], _("no body site that is known"), site))
    if problems:
        return None, problems
    values["external_id"] = values.get("external_id") or PurePosixPath(values["file"]).name
    if values.get("confirmed_by") == rows.HISTOPATHOLOGY:
        values["is_proven"] = True
    elif values.get("is_proven") and not values.get("confirmed_by"):
        values["confirmed_by"] = rows.HISTOPATHOLOGY
    values.setdefault("kind", layout.kind)
    return Row(number=record.number, **values), []
