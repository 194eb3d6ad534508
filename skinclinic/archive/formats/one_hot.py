"""Tables of any kind that have a column for each disease, 1 in the one and 0 in the others. Pure."""

from skinclinic.archive.formats.tables import Table
from skinclinic.archive.formats.words import diseases

# What a curator chooses as the column of the diagnosis instead of one column.
EACH_ITS_OWN = "0/1"


def columns_of(table: Table) -> tuple[str, ...]:
    """The columns that are named by a disease and say 0, 1 or nothing in every row; () for fewer than two."""
    named = [column for column in table.columns if column and diseases.known(column)]
    for record in table.records() if len(named) > 1 else ():
        named = [column for column in named if _says_0_or_1(record.cells.get(column, ""))]
        if len(named) < 2:
            break
    return tuple(named) if len(named) > 1 else ()


def _says_0_or_1(text: str) -> bool:
    return text.strip() in ("", "0", "1", "0.0", "1.0")
