"""One door to all formats: photos and a table in, rows and problems out."""

from collections.abc import Iterator
from dataclasses import replace

from skinclinic.archive.formats import known
from skinclinic.archive.formats.columns import NEEDED, READERS, Layout, read
from skinclinic.archive.formats.photo_sets import PhotoSet
from skinclinic.archive.formats.problems import Problem, TableRefused, _
from skinclinic.archive.formats.rows import Row
from skinclinic.archive.formats.tables import Table

PAD_UFES_20, ISIC, MED_NODE, FOLDER = "pad-ufes-20", "isic", "med-node", "folder"
CSV, OWN_EXPORT = "csv", "skinclinic"
WITHOUT_TABLE = (MED_NODE, FOLDER)

# (row number, the row or None, what keeps it out)
Read = tuple[int, Row | None, list[Problem]]


def layout_of(format: str, columns: dict[str, str], table: Table) -> Layout:
    """How this table is read. Raises TableRefused when a column it needs is not there."""
    layout = {PAD_UFES_20: known.PAD_UFES_20, ISIC: known.ISIC, OWN_EXPORT: known.OWN_EXPORT}.get(format)
    if layout is None:
        # In one order: a database may give them in any.
        columns = {name: columns[name] for name in READERS if columns.get(name)}
        if missing := [name for name in NEEDED if name not in columns]:
            raise TableRefused(_("Say which column holds: %(fields)s."), fields=", ".join(missing))
        layout = Layout(columns, sites=known.SITES)
        table.require(*columns.values())
    if format == ISIC and "diagnosis" not in table.columns:
        table.require("isic_id", known.ISIC_LEVELS[-1])
        levels = [name for name in known.ISIC_LEVELS if name in table.columns]
        layout = replace(layout, columns=layout.columns | {"label": levels[-1]})
    table.require(*layout.needed)
    return layout


def rows(format: str, photos: PhotoSet, table: Table | None, columns: dict[str, str]) -> Iterator[Read]:
    """All rows in their order. Raises TableRefused and PhotosRefused for the whole."""
    if table is None:
        for row in known.folder_rows(photos):
            yield row.number, row, []
        return
    layout = layout_of(format, columns, table)
    levels = [name for name in known.ISIC_LEVELS if name in table.columns] if format == ISIC else []
    for record in table.records():
        if format == ISIC and levels:
            deepest = next((record.cells[name] for name in levels if record.cells.get(name)), "")
            diagnosis = deepest or record.cells.get("diagnosis", "")
            record = replace(record, cells=record.cells | {layout.columns["label"]: diagnosis})
        found, problems = read(record, layout)
        if found and format == ISIC:
            found = replace(found, label=known.isic_leaf(found.label))
        yield record.number, found, problems


def own_labels(format: str) -> dict[str, str]:
    """The source's words, folded, that mean one of the 12 without anybody's decision."""
    return {
        PAD_UFES_20: known.PAD_UFES_20.labels,
        ISIC: known.ISIC.labels,
        MED_NODE: known.MED_NODE_LABELS,
    }.get(format, {})
