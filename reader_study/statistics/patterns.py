"""Which readers read which cases in which tests: what such a design is called, and how it is analysed."""

import numpy as np

# Every reader read every case in every test; or nearly so.
CROSSED, FEW_GAPS = "crossed", "few_gaps"
# Blocks of cases, each read by its own readers, some of them by several; each case read by one reader.
SPLIT_PLOT, CASES_IN_READERS = "split_plot", "cases_in_readers"
# Each case, or each reader, in one test only.
CASES_IN_TESTS, READERS_IN_TESTS = "cases_in_tests", "readers_in_tests"
# Any other pattern.
PARTLY_CROSSED = "partly_crossed"

OBUCHOWSKI_ROCKETTE, U_STATISTICS = "obuchowski_rockette", "u_statistics"
# Of more gaps than this share a crossed design is none any more.
MOST_GAPS = 0.05


def pattern(cells: np.ndarray) -> str:
    """The design of what was read, ``cells`` [tests, readers, cases]. Readers and cases of which nothing was read
    are no part of it."""
    cells = cells[:, cells.any((0, 2))][:, :, cells.any((0, 1))]
    if cells.all():
        return CROSSED
    if len(cells) > 1 and (cells.any(2).sum(0) == 1).all():
        return READERS_IN_TESTS
    if len(cells) > 1 and (cells.any(1).sum(0) == 1).all():
        return CASES_IN_TESTS
    if (cells == cells[0]).all() and len(found := blocks(cells[0])) > 1:
        return SPLIT_PLOT if any(len(readers) > 1 for readers in found) else CASES_IN_READERS
    return FEW_GAPS if 1 - cells.mean() <= MOST_GAPS else PARTLY_CROSSED


def blocks(cells: np.ndarray) -> list[list[int]]:
    """The readers (places) of each block of ``cells`` [readers, cases]: those of a block read the same cases, and
    no case lies in two blocks. Empty where readers share some of their cases and not others."""
    together: dict[bytes, list[int]] = {}
    for place, row in enumerate(cells):
        if row.any():
            together.setdefault(np.packbits(row).tobytes(), []).append(place)
    found = list(together.values())
    taken = sum(cells[readers[0]].astype(int) for readers in found)
    return found if np.max(taken, initial=0) <= 1 else []


def method(cells: np.ndarray, given: np.ndarray) -> str:
    """How ``cells`` [tests, readers, cases], those that count of what was ``given``, are analysed: what was left
    out now and then leaves a crossed design one; what was never shown, or much that is missing, does not."""
    used = given.any((0, 1))
    if not used.any():
        return OBUCHOWSKI_ROCKETTE
    if not given[:, :, used].all() or cells[:, :, used].mean() < 1 - MOST_GAPS:
        return U_STATISTICS
    return OBUCHOWSKI_ROCKETTE
