"""How answers were given: fast, hasty, in one row, with one confidence; never which."""

from reader_study.about_reader import counts
from reader_study.statistics.manner import Manner, manner


def test_what_is_told_of_answers():
    slow = [20.0] * 30
    assert manner(["bcc", "mm"] * 15, slow) == Manner(30, 30, 0, 0, 0, 0)
    assert not manner(["bcc", "mm"] * 15, slow).is_told
    fast = manner(["bcc", "mm"] * 20, [0.4] * 31 + [8.0] * 9)
    assert (fast.fast, fast.timed, fast.hasty) == (31, 40, 0)
    # A fifth of the own median of 20 s is 4 s; what is below 1 s is told once.
    hasty = manner(["bcc", "mm"] * 15, [*slow[:26], 3.9, 4.0, 0.99, 1.0])
    assert (hasty.fast, hasty.hasty) == (1, 2)
    # A row is told from ten on, the longest; a time or a confidence that is not known counts for nothing.
    row = manner(["mm"] * 9 + ["bcc"] * 25 + ["mm"] * 9, [None] * 43, [50.0] * 9 + [None] * 34)
    assert (row.run, row.timed, row.confidence) == (25, 0, 0)
    assert manner(["mm"] * 9, [9.0] * 9).run == 0
    assert manner(["mm", "bcc"] * 5, [9.0] * 10, [70.0] * 10).confidence == 10
    assert manner(["mm", "bcc"] * 5, [9.0] * 10, [70.0] * 9 + [71.0]).confidence == 0
    assert not manner((), ()).is_told


def test_readers_are_counted_by_what_they_tell():
    said = [
        {"specialty": "resident", "years": 4, "dermoscopy": "", "device": "phone"},
        {"specialty": "resident", "years": 70, "dermoscopy": "", "device": ""},
    ]
    assert counts(said) == [
        ("specialty", "resident", 2), ("years", "0–4", 1), ("years", "20+", 1), ("dermoscopy", "", 2),
        ("device", "phone", 1), ("device", "", 1),
    ]  # fmt: skip
    assert counts([]) == []
