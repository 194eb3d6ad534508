"""Blocks of photos, photos that come twice, and what each reader is drawn to."""

import random
from collections import Counter

import pytest

from reader_study import allocation
from reader_study.allocation import Plan

ARMS = (("unaided",), ("aided",))


def test_blocks_are_equally_large_and_hold_every_disease_alike():
    strata = {number: ("A", "bcc") if number <= 37 else ("A", "mm") for number in range(1, 83)}
    block = allocation.deal(strata, 4, seed=3)
    assert sorted(Counter(block.values()).values()) == [20, 20, 21, 21]
    for disease in ("bcc", "mm"):
        counts = Counter(block[number] for number, its in strata.items() if its[1] == disease).values()
        assert max(counts) - min(counts) <= 1
    assert allocation.deal(strata, 4, seed=3) == block != allocation.deal(strata, 4, seed=4)


def test_photos_of_one_patient_are_never_parted():
    strata = {number: "bcc" if number % 3 else "mm" for number in range(1, 121)}
    # Patients of 1 to 5 photos, one of 11; a third of the photos are of patients nobody knows.
    chance, line, together = random.Random(5), list(range(1, 81)), [list(range(1, 12))]
    line = line[11:]
    while line:
        n = chance.randint(1, 5)
        together.append(line[:n])
        line = line[n:]
    for seed in range(10):
        block = allocation.deal(strata, 4, seed, together)
        assert all(len({block[number] for number in group}) == 1 for group in together)
        assert sorted(Counter(block.values()).values()) == [30] * 4, "single photos level what patients leave"
        for disease in ("bcc", "mm"):
            counts = Counter(block[number] for number, its in strata.items() if its == disease).values()
            assert max(counts) - min(counts) <= 2
        twice = allocation.repeated(block, 5, seed, together)
        patients = [
            next((place for place, group in enumerate(together) if one in group), one + 999) for one in twice
        ]
        assert len(set(patients)) == len(twice) == 20
    # As many as there are where a block has fewer patients than photos that come twice.
    assert len(allocation.repeated(dict.fromkeys(range(6), 1), 3, 1, [range(6)])) == 3


def test_readers_are_balanced_in_each_group_and_over_all():
    groups = ["professors", "clinicians", "professors"] * 8
    for seed in range(20):
        plan = Plan(ARMS, blocks=4)
        found = allocation.places(plan, groups, seed)
        assert found[:7] == allocation.places(plan, groups[:7], seed)
        for group, most in (("professors", 0), ("clinicians", 0)):
            counts = Counter(one.arm for one in found if one.group == group)
            assert abs(counts[ARMS[0]] - counts[ARMS[1]]) <= most
        cells = Counter((one.arm, one.blocks) for one in found)
        assert set(cells.values()) == {3}
    drawn = {tuple(one.arm for one in allocation.places(Plan(ARMS), ["g"] * 4, seed)) for seed in range(40)}
    assert len(drawn) == 4, "all ways to balance every two readers occur, and no other"


def test_a_reader_of_several_blocks_reads_different_ones():
    found = allocation.places(Plan((("unaided",),), blocks=5, blocks_a_reader=2), ["g"] * 10, 1)
    assert all(len(set(one.blocks)) == 2 for one in found)
    assert set(Counter(block for one in found for block in one.blocks).values()) == {4}


@pytest.mark.parametrize(("photos", "twice", "apart"), [(120, 12, 20), (10, 5, 5), (1, 0, 0), (0, 0, 0)])
def test_a_repeated_photo_comes_well_after_the_first_time(photos, twice, apart):
    numbers = list(range(1, photos + 1))
    twins = {1000 + number: number for number in numbers[:twice]}
    for seed in range(30):
        found = allocation.order(numbers, twins, random.Random(seed))
        assert sorted(found) == sorted([*numbers, *twins])
        assert all(found.index(twin) - found.index(number) > apart for twin, number in twins.items())


def test_repeats_are_of_every_block_and_at_most_half_of_it():
    block = {number: number % 3 + 1 for number in range(30)}
    chosen = allocation.repeated(block, 4, seed=1)
    assert Counter(block[number] for number in chosen) == {1: 4, 2: 4, 3: 4}
    with pytest.raises(ValueError, match="cannot come twice"):
        allocation.repeated(block, 6, seed=1)
