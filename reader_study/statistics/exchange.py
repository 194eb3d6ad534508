"""Ratings as files of other programs: iMRMC, RJafroc and MRMCaov."""

import csv
import io
from collections.abc import Iterable, Sequence

from reader_study.statistics import imrmc_file
from reader_study.statistics.ratings import Ratings

COLUMNS = ("test", "reader", "case", "truth", "rating")


class NotWritten(ValueError):
    """The ratings cannot be written so; the message says why."""


def as_file(ratings: Ratings, suffix: str) -> str:
    """By the ``suffix`` of the file: .imrmc, or .csv with a row a rating as MRMCaov takes them."""
    if suffix.casefold() == ".csv":
        truth = dict(zip(ratings.cases, map(int, ratings.truth), strict=True))
        return plain_csv(
            COLUMNS,
            ((test, reader, case, truth[case], rating) for test, reader, case, rating in ratings.rows()),
        )
    if suffix.casefold() != imrmc_file.SUFFIX:
        raise NotWritten("the name must end in .imrmc or .csv")
    truths = zip(ratings.cases, map(bool, ratings.truth), strict=True)
    try:
        return imrmc_file.text(truths, ratings.rows())
    except ValueError as name:
        raise NotWritten(f"iMRMC cannot read the name {str(name)!r}") from None


def plain_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """For programs, not for spreadsheets: no mark in front, and every cell as it is."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def quoted(names: Iterable[str]) -> dict[str, str]:
    """Each name as ``plain_csv`` writes it."""
    return {name: plain_csv((name, ""), ()).removesuffix(",\n") for name in names}
