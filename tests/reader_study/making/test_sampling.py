"""The pure sampler: same seed same sample, one photo a unit, and full wherever it can be."""

import random
from collections import Counter
from itertools import combinations

from reader_study.sampling import Candidate, draw, replacement
from skinclinic.vocabulary.diseases import BY_KEY, DISEASE_KEYS
from tests.cases import each


def pool(seed: int, n: int = 120, patients: int = 60, datasets=("A", "B")) -> list[Candidate]:
    chance = random.Random(seed)
    return [
        Candidate(f"k{i:04d}", chance.choice(datasets), chance.choice(DISEASE_KEYS), f"p{chance.randrange(patients)}")
        for i in range(n)
    ]  # fmt: skip


def random_alike(seed: int, photos: list[Candidate], n: int = 10) -> list[tuple[str, str]]:
    chance = random.Random(seed + 1000)
    return [tuple(one.key for one in chance.sample(photos, 2)) for _ in range(n)]


WANTED = {(dataset, key): 3 for dataset in "AB" for key in DISEASE_KEYS}


@each("seed", range(8))
def test_the_order_of_the_rows_does_not_matter(seed):
    photos = pool(seed)
    alike = random_alike(seed, photos)
    first = draw(photos, WANTED, seed=seed, practice=4, alike=alike)
    random.Random(seed).shuffle(photos)
    second = draw(photos + photos[:7], WANTED, seed=seed, practice=4, alike=alike[::-1])
    assert first == second
    assert draw(photos, WANTED, seed=seed + 1, practice=4, alike=alike) != first


@each("seed", range(8))
def test_no_unit_serves_twice_and_practice_is_of_others(seed):
    photos = pool(seed)
    alike = random_alike(seed, photos)
    for one_per_patient in (True, False):
        drawn = draw(
            photos, WANTED, seed=seed, practice=5, one_per_patient=one_per_patient, alike=alike
        )  # fmt: skip
        keys = {one.key for one in (*drawn.photos, *drawn.practice)}
        assert len(keys) == len(drawn.photos) + len(drawn.practice)
        assert not any({a, b} <= keys for a, b in alike)
        sample, practice = ({one.patient for one in part} for part in (drawn.photos, drawn.practice))
        assert not sample & practice
        if one_per_patient:
            assert len(sample) == len(drawn.photos)


@each("seed", range(8))
def test_counts_add_up_to_what_was_wanted(seed):
    drawn = draw(pool(seed), WANTED, seed=seed)
    counts = Counter((one.dataset, one.disease) for one in drawn.photos)
    short = {(one.dataset, one.group): one for one in drawn.unfilled}
    for stratum, wanted in WANTED.items():
        assert counts[stratum] == (short[stratum].found if stratum in short else wanted)
        assert counts[stratum] <= wanted


def best(photos: list[Candidate], wanted: dict) -> int:
    """The largest sample there is, by trying all."""
    strata = list(wanted)
    for size in range(len(photos), 0, -1):
        for chosen in combinations(photos, size):
            counts = Counter((one.dataset, one.disease) for one in chosen)
            if len({one.patient for one in chosen}) == size and all(
                counts[one] <= wanted.get(one, 0) for one in {*counts, *strata}
            ):
                return size
    return 0


@each("seed", range(25))
def test_as_much_is_drawn_as_can_be(seed):
    """A patient with photos of two diseases is given to the one that needs it."""
    chance = random.Random(seed)
    photos = [
        Candidate(f"k{i}", "A", chance.choice(["bcc", "mm", "sk"]), f"p{chance.randrange(5)}")
        for i in range(9)
    ]
    wanted = {("A", "bcc"): 2, ("A", "mm"): 2, ("A", "sk"): 1}
    assert len(draw(photos, wanted, seed=seed).photos) == best(photos, wanted)


def test_a_tier_is_drawn_from_all_its_diseases():
    photos = pool(3, n=400, patients=400, datasets=("A",))
    drawn = draw(photos, {("A", "malignant"): 30, ("A", "benign"): 20, ("A", "premalignant"): 2}, seed=1)
    assert Counter(BY_KEY[one.disease].tier for one in drawn.photos) == {
        "malignant": 30, "benign": 20, "premalignant": 2,
    }  # fmt: skip
    assert len({one.disease for one in drawn.photos}) > 6


def test_every_patient_has_the_same_chance():
    """One with fifty photos is not drawn fifty times as often."""
    photos = [Candidate(f"a{i}", "A", "bcc", "many") for i in range(50)]
    photos += [Candidate(f"b{i}", "A", "bcc", f"p{i}") for i in range(9)]
    hits = sum(draw(photos, {("A", "bcc"): 1}, seed=seed).photos[0].patient == "many" for seed in range(600))
    assert 30 < hits < 95  # 60 expected; five standard deviations


def test_numbers_do_not_tell_the_disease():
    """Photos are numbered at random, not stratum by stratum."""
    drawn = draw(pool(5, n=600, patients=600, datasets=("A",)), {("A", "bcc"): 20, ("A", "sk"): 20}, seed=9)
    diseases = [one.disease for one in drawn.photos]
    assert diseases != sorted(diseases)
    assert 5 <= Counter(diseases[:20])["bcc"] <= 15


def test_a_replacement_fits_beside_the_others():
    photos = pool(7, n=200, patients=120)
    drawn = draw(photos, WANTED, seed=7)
    gone = next(one for one in drawn.photos if one.disease == "bcc")
    new = replacement(photos, drawn.photos, gone, seed=7)
    kept = [one for one in drawn.photos if one != gone]
    assert new is not None and new != gone and (new.dataset, new.disease) == (gone.dataset, gone.disease)
    assert new.patient not in {one.patient for one in kept}
    for one in drawn.photos:
        other = replacement(photos, drawn.photos, one, seed=7)
        assert other is None or other.patient not in {kept.patient for kept in drawn.photos if kept != one}
    random.Random(1).shuffle(photos)
    assert replacement(photos, drawn.photos, gone, seed=7) == new
    assert replacement(drawn.photos, drawn.photos, gone, seed=7) is None


def test_nothing_to_draw_is_said():
    drawn = draw([], {("A", "bcc"): 2}, seed=0, practice=1)
    assert (drawn.photos, drawn.practice) == ((), ())
    assert [(one.group, one.wanted, one.found) for one in drawn.unfilled] == [("bcc", 2, 0)]
