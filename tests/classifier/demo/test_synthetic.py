import numpy as np
import pytest

from classifier.drawings.other import not_a_lesion
from classifier.drawings.synthetic import plain_skin, synthetic_lesion
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests.cases import each


@each("disease", DISEASE_KEYS)
def test_a_drawing_is_the_same_for_the_same_seed_and_another_for_another(disease):
    first = np.asarray(synthetic_lesion(disease, 3, 96))
    assert first.shape == (96, 96, 3) and first.dtype == np.uint8
    assert np.array_equal(first, np.asarray(synthetic_lesion(disease, 3, 96)))
    assert not np.array_equal(first, np.asarray(synthetic_lesion(disease, 4, 96)))


def test_the_diseases_look_different_on_average():
    means = {
        key: np.mean(
            [np.asarray(synthetic_lesion(key, s, 64), float)[16:48, 16:48] for s in range(12)], axis=0
        )
        for key in DISEASE_KEYS
    }
    for key, mean in means.items():
        nearest = min(np.abs(mean - other).mean() for k, other in means.items() if k != key)
        assert nearest > 3, key


def test_a_lesion_stands_out_from_its_skin():
    for key in DISEASE_KEYS:
        contrast = []
        for seed in range(8):
            pixels = np.asarray(synthetic_lesion(key, seed, 128), float)
            border = np.concatenate([pixels[:8].reshape(-1, 3), pixels[-8:].reshape(-1, 3)])
            contrast.append(np.abs(pixels[40:88, 40:88] - border.mean(axis=0)).mean())
        plain = np.asarray(plain_skin(1, 128), float)
        ground = np.abs(plain[40:88, 40:88] - plain[:8].reshape(-1, 3).mean(axis=0)).mean()
        assert np.median(contrast) > ground, key


def test_skin_tones_range_from_dark_to_light():
    brightness = [np.asarray(plain_skin(seed, 64)).mean() for seed in range(40)]
    assert min(brightness) < 110 and max(brightness) > 190


@pytest.mark.parametrize(("disease", "size"), [("eczema", 96), ("bcc", 32)])
def test_unknown_diseases_and_tiny_sizes_are_refused(disease, size):
    with pytest.raises(ValueError, match="drawing"):
        synthetic_lesion(disease, 0, size)


def test_pictures_of_no_lesion_repeat_and_vary():
    pictures = [np.asarray(not_a_lesion(seed, 64)) for seed in range(24)]
    assert np.array_equal(pictures[5], np.asarray(not_a_lesion(5, 64)))
    assert len({picture.tobytes() for picture in pictures}) == len(pictures)
    assert np.array_equal(pictures[3], np.asarray(plain_skin(3, 64)))
