"""No cell of a table that the product writes becomes a formula where it is opened, and each reads back as it was."""

import csv
import io

from skinclinic.archive.formats import tables
from skinclinic.web.csv_table import table_csv, undefused

FORMULAS = [
    "=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "\n=1+1", "\v=1", " =1", "\u3000=1", "\u00a0@x", "\ufeff=1",
    "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20x", "\n\uff1d1", '=HYPERLINK("http://x";"y")', "\nplain", "\u200b=1",
]  # fmt: skip
PLAIN = ["nevus", "a=b", "'tis", "'=quoted", "5 - 6", "-inf", "", " left", "\u2212 a minus sign", "건선"]


def read(table: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(table.decode("utf-8-sig"), newline="")))


def test_cells_that_a_spreadsheet_takes_for_a_formula_are_defused_and_read_back():
    rows = read(table_csv(["=name"], [[text] for text in (*FORMULAS, *PLAIN)]))
    assert rows[0] == ["'=name"]
    written = [row[0] if row else "" for row in rows[1:]]
    assert written == [f"'{text}" for text in FORMULAS] + PLAIN
    assert [undefused(text) for text in written] == FORMULAS + [
        "=quoted" if text == "'=quoted" else None for text in PLAIN
    ]
    assert [tables._read(f"'{text}").value for text in FORMULAS] == FORMULAS


def test_numbers_stay_numbers():
    assert read(table_csv(["n"], [[-1], [-0.5], [None], ["-inf"]]))[1:] == [["-1"], ["-0.5"], [""], ["-inf"]]
