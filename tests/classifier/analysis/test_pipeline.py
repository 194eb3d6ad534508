"""From crops to outcomes and a differential."""

import numpy as np
import pytest
from PIL import Image

from classifier.analysing.batches import analyse_all
from classifier.analysing.pipeline import NonFiniteScores, analyse, differential
from classifier.networks.cam import to_heatmaps
from classifier.networks.preprocess import to_array
from classifier.runtimes import open_runtime
from classifier.runtimes.base import Computed, Raw, Runtime
from skinclinic.imaging.quality import assess
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests.classifier import lively


def crop(seed: int, side: int = 160) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
    return Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)


@pytest.fixture(scope="module")
def runtime(lite_dir, cache_dir):
    return open_runtime(lite_dir, cache_dir=cache_dir, prefer="cpu")


class Answering(Runtime):
    """Gives fixed logits and maps, whatever it sees."""

    device = "cpu"
    max_batch = 10
    computed = Computed("nothing", "f32")

    def __init__(self, logits, maps=None, background_classes=(), features=None):
        self.manifest = lively.manifest("efficientnet_lite0", background_classes=tuple(background_classes))
        self._logits = np.float32(logits)
        self._maps = np.ones((*self._logits.shape, 2, 2), np.float32) if maps is None else maps
        self._features = np.ones((len(self._logits), 4), np.float32) if features is None else features

    def compute_feature_maps(self, image):
        raise NotImplementedError

    def compute(self, batch):
        return Raw(self._logits[: len(batch)], self._maps[: len(batch)], self._features[: len(batch)])


def test_outcomes_are_what_the_network_says_of_each_crop(runtime):
    crops = [crop(1), crop(2, side=301), crop(3, side=96)]
    outcomes = analyse(runtime, crops)
    assert len(outcomes) == 3
    for outcome, seen in zip(outcomes, crops, strict=True):
        images = to_array(seen, runtime.manifest.preprocessing)[None]
        probabilities, maps = runtime.forward(images)
        assert tuple(outcome.scores) == DISEASE_KEYS
        np.testing.assert_allclose(list(outcome.scores.values()), probabilities[0, :12], atol=1e-5)
        assert outcome.background == pytest.approx(probabilities[0, 12:].sum(), abs=1e-5)
        assert sum(outcome.scores.values()) + outcome.background == pytest.approx(1, abs=1e-5)
        assert outcome.computed == runtime.computed
        assert outcome.maps.dtype == np.float16
        np.testing.assert_allclose(outcome.maps, to_heatmaps(maps[0, :12]), atol=2e-3)
        assert outcome.quality == assess(seen)
        assert outcome.forward_seconds > 0
    assert outcomes[0].scores != outcomes[1].scores


def test_scores_are_plain_numbers(runtime):
    outcome = analyse(runtime, [crop(1)])[0]
    assert {type(score) for score in outcome.scores.values()} == {float}
    assert type(outcome.background) is float


def test_background_is_kept_apart():
    logits = np.zeros((1, 14))
    logits[0, 12:] = np.log([3, 9])
    outcome = analyse(Answering(logits, background_classes=("bare_skin", "cloth")), [crop(1)])[0]
    assert outcome.background == pytest.approx(12 / 24)
    assert outcome.scores == pytest.approx(dict.fromkeys(DISEASE_KEYS, 1 / 24))
    assert len(outcome.maps) == 12


def test_without_background_classes_it_is_nothing():
    assert analyse(Answering(np.zeros((1, 12))), [crop(1)])[0].background == 0


def test_nothing_in_nothing_out(runtime):
    assert analyse(runtime, []) == []


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_score_that_is_no_number_is_never_given_out(value):
    logits = np.zeros((2, 12))
    logits[1, 4] = value
    runtime = Answering(logits)
    with pytest.raises(NonFiniteScores, match="lively"):
        analyse(runtime, [crop(1), crop(2)])
    assert analyse(runtime, [crop(1)])[0].scores["bcc"] == pytest.approx(1 / 12)


def test_a_map_that_is_no_number_is_never_given_out():
    maps = np.ones((1, 12, 2, 2), np.float32)
    maps[0, 3, 1, 1] = np.nan
    with pytest.raises(NonFiniteScores):
        analyse(Answering(np.zeros((1, 12)), maps), [crop(1)])


def test_a_disease_is_listed_when_its_score_exceeds_its_threshold_likeliest_first():
    scores = {"bcc": 0.2, "scc": 0.5, "mm": 0.1, "sk": 0.2}
    thresholds = {"bcc": 0.19, "scc": 0.3, "mm": 0.1, "sk": 0.4}
    assert differential(scores, thresholds) == [
        {"disease": "scc", "score": 0.5, "threshold": 0.3},
        {"disease": "bcc", "score": 0.2, "threshold": 0.19},
    ]


def test_without_thresholds_nothing_is_listed():
    assert differential({"bcc": 1.0}, {}) == []


def test_photos_side_by_side_come_in_order_with_the_answers_they_get_alone(runtime, lite_dir, cache_dir):
    """And with those that cannot be read among them."""
    many = open_runtime(lite_dir, cache_dir=cache_dir, prefer="cpu", threads=2, many=True)
    if many.computed.runtime.startswith("OpenVINO "):
        assert many.side_by_side == many._network.get_property("NUM_STREAMS") == 2

    def opened(seed: int) -> Image.Image:
        if seed % 5 == 3:
            raise OSError(f"photo {seed} is lost")
        return crop(seed)

    (done,) = zip(*analyse_all(many, range(12), opened), strict=True)
    assert [seed for seed, _outcome in done] == list(range(12))
    for seed, outcome in done:
        if seed % 5 == 3:
            assert str(outcome) == f"photo {seed} is lost"
            continue
        (alone,) = analyse(runtime, [crop(seed)])
        np.testing.assert_allclose(list(outcome.scores.values()), list(alone.scores.values()), atol=1e-6)
        np.testing.assert_allclose(outcome.maps, alone.maps, atol=2e-3)


def test_an_answer_is_the_same_whatever_is_computed_beside_it(lite_dir, cache_dir):
    many = open_runtime(lite_dir, cache_dir=cache_dir, prefer="cpu", threads=2, many=True)
    first, again = ([o.scores for batch in analyse_all(many, [4] * 6, crop) for _s, o in batch] for _ in "12")
    assert all(scores == first[0] for scores in [*first, *again])
