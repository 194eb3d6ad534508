"""Files of iMRMC (.imrmc): free text, the line BEGIN DATA:, then lines of reader, case, test, score. The truth is
rated by the reader "truth" in the test "truth" (in files of older versions by the reader -1). Lines that begin with #
or // are remarks; empty cells at the end of a line are those of a spreadsheet program."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

SUFFIX = ".imrmc"
TRUTH = "truth"
_BEGIN, _REMARKS = "BEGIN DATA", ("#", "//")
_CELLS = 4
_OLD_TRUTH = ("-1", "0")


def lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """(number, cells) of each line below BEGIN DATA:. ValueError without that line, or where it is no UTF-8."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        begun = False
        for number, cells in enumerate(csv.reader(file), 1):
            cells = [cell.strip() for cell in cells]
            while len(cells) > _CELLS and not cells[-1]:
                cells.pop()
            if begun and any(cells) and not cells[0].startswith(_REMARKS):
                yield number, cells
            elif cells and cells[0].upper().startswith(_BEGIN):
                begun = True
    if not begun:
        raise ValueError(_BEGIN)


def is_truth(reader: str, test: str) -> bool:
    return TRUTH in (reader.casefold(), test.casefold()) or (reader, test) == _OLD_TRUTH


def text(truths: Iterable[tuple[str, bool]], ratings: Iterable[tuple[str, str, str, float]]) -> str:
    """A file of (case, truth) and (test, reader, case, rating). ValueError for a name that iMRMC could not read."""
    truths, ratings = list(truths), list(ratings)
    for name in {name for row in ratings for name in row[:3]} | {case for case, _truth in truths}:
        if "," in name or '"' in name or "\n" in name or name.casefold() == TRUTH:
            raise ValueError(name)
    positives = sum(shown for _case, shown in truths)
    readers, tests = {row[1] for row in ratings}, {row[0] for row in ratings}
    return "\n".join(
        [
            f"N0: {len(truths) - positives}",
            f"N1: {positives}",
            f"NR: {len(readers)}",
            f"NM: {len(tests)}",
            f"{_BEGIN}:",
            *(f"{TRUTH},{case},{TRUTH},{int(shown)}" for case, shown in truths),
            *(f"{reader},{case},{test},{rating!r}" for test, reader, case, rating in ratings),
            "",
        ]
    )
