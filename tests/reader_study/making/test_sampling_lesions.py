"""A lesion serves once in a sample, and never in practice as well."""

import random

from reader_study.sampling import Candidate, draw, replacement
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests.cases import each

WANTED = {("A", key): 3 for key in DISEASE_KEYS}


def pool(seed: int, lesions: int = 40) -> list[Candidate]:
    """120 photos of 40 lesions, of half of which the patient is not known; two lesions a patient."""
    chance = random.Random(seed)
    disease = [chance.choice(DISEASE_KEYS) for _lesion in range(lesions)]
    rows = []
    for n in range(120):
        lesion = n % lesions
        patient = f"p{lesion // 2}" if lesion < 20 else ""
        rows.append(Candidate(f"k{n:03d}", "A", disease[lesion], patient, f"l{lesion}"))
    return rows


@each("seed", range(6))
@each("one_per_patient", [True, False])
def test_at_most_one_photo_of_a_lesion_and_none_in_practice_too(seed, one_per_patient):
    drawn = draw(pool(seed), WANTED, seed=seed, practice=6, one_per_patient=one_per_patient)
    lesions = [photo.lesion for photo in (*drawn.photos, *drawn.practice)]
    assert len(lesions) == len(set(lesions)) > 20
    patients = [photo.patient for photo in drawn.photos if photo.patient]
    assert (len(patients) == len(set(patients))) or not one_per_patient


@each("seed", range(6))
def test_what_comes_in_a_photos_place_is_of_another_lesion(seed):
    photos = pool(seed)
    drawn = draw(photos, WANTED, seed=seed).photos
    gone = drawn[0]
    found = replacement(photos, drawn, gone, seed=seed)
    if found is not None:
        assert found.lesion not in {photo.lesion for photo in drawn if photo != gone}


def test_photos_alone_in_their_lesions_are_drawn_as_if_nothing_were_known_of_lesions():
    chance = random.Random(3)
    plain = [Candidate(f"k{n:03d}", "A", chance.choice(DISEASE_KEYS), f"p{n % 50}") for n in range(100)]
    named = [
        Candidate(one.key, one.dataset, one.disease, one.patient, f"l{n}") for n, one in enumerate(plain)
    ]
    for seed in range(5):
        first, second = (draw(rows, WANTED, seed=seed, practice=3) for rows in (plain, named))
        assert [one.key for one in first.photos] == [one.key for one in second.photos]
        assert [one.key for one in first.practice] == [one.key for one in second.practice]
