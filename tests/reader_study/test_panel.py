"""What the votes of a panel say, without a database."""

from reader_study.panel import Agreement, Vote, agreement, finding, findings


def votes(*said: str, settles: str = "", image: int = 1) -> list[Vote]:
    given = [Vote(image, f"Dr {place}", key) for place, key in enumerate(said)]
    return given + ([Vote(image, "Chair", settles, is_adjudication=True)] if settles else [])


def test_more_than_half_hold_or_the_vote_that_settles(subtests):
    cases = [
        (votes("bcc", "bcc", "bcc"), "bcc", (3, 3), False),
        (votes("bcc", "bcc", "mm"), "bcc", (3, 2), False),
        (votes("bcc", "mm"), "", (2, 1), False),
        (votes("bcc", "mm", settles="mm"), "mm", (2, 1), True),
        # A third opinion may settle it, too.
        (votes("bcc", "mm", settles="sk"), "sk", (2, 0), True),
        (votes("bcc"), "bcc", (1, 1), False),
        ([], "", (0, 0), False),
    ]
    for given, diagnosis, (members, agreeing), is_settled in cases:
        with subtests.test(given):
            found = finding(given)
            assert (found.diagnosis, found.members, found.agreeing, found.is_settled) == (
                diagnosis, members, agreeing, is_settled,
            )  # fmt: skip


def test_how_far_a_panel_agrees():
    given = [*votes("bcc", "bcc", "mm", image=1), *votes("sk", "sk", image=2), *votes("nevus", image=3)]
    given += votes("bcc", "mm", settles="mm", image=4)
    assert list(findings(given)) == [1, 2, 3, 4]
    # Pairs: 1 of 3, 1 of 1, 0 of 1; the photo with one vote has none.
    assert agreement(given) == Agreement(3, 1, 1, 4, 2 / 5)
    assert agreement(votes("bcc")).pairs is None
