"""Days, months and years as people write them."""

from datetime import UTC, date, datetime

import pytest

from skinclinic.vocabulary.days import day, moment, span


@pytest.mark.parametrize(
    ("text", "first", "after"),
    [
        ("2024", date(2024, 1, 1), date(2025, 1, 1)),
        ("2024-05", date(2024, 5, 1), date(2024, 6, 1)),
        ("2024-5", date(2024, 5, 1), date(2024, 6, 1)),
        ("2024/12", date(2024, 12, 1), date(2025, 1, 1)),
        ("2024-02-29", date(2024, 2, 29), date(2024, 3, 1)),
        ("2024.5.31.", date(2024, 5, 31), date(2024, 6, 1)),
        (" 2024년 5월 31일 ", date(2024, 5, 31), date(2024, 6, 1)),
        ("2024년 5월", date(2024, 5, 1), date(2024, 6, 1)),
        ("2200-12-31", date(2200, 12, 31), date(2201, 1, 1)),
    ],
)
def test_what_is_named(text, first, after):
    assert span(text) == (first, after)


@pytest.mark.parametrize(
    "text",
    ["", "24", "20240531", "2024-13", "2023-02-29", "2024-00", "2024-05-32", "1825", "2201", "0000", "9999-12-31",
     "31.12.2024", "2024-05-31-01", "2024-x", "٢٠٢٤", "-2024", "2024 05"],
)  # fmt: skip
def test_what_names_none(text):
    assert span(text) is None


def test_a_day_of_an_address_is_one_whose_neighbours_are_days_too():
    assert day(" 2024-02-29 ") == day("2024-2-29") == date(2024, 2, 29)
    wrong = (
        "",
        "x",
        "2023-02-29",
        "20240229",
        "2024-W09-4",
        "2024-02",
        "2024-02-29T00:00",
        "0001-01-01",
        "9999-12-31",
    )
    assert [text for text in wrong if day(text)] == []
    assert moment("2024-02-29T10:00:00Z") == datetime(2024, 2, 29, 10, tzinfo=UTC)
    wrong = ("", "x", "2024-02-29T10:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00")
    assert [text for text in wrong if moment(text)] == []
