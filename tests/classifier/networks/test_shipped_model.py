"""The demo model that comes with the product: complete, verified, and able to do what it says."""

import numpy as np
import pytest
import torch

from classifier.drawings.other import not_a_lesion
from classifier.drawings.synthetic import synthetic_lesion
from classifier.metrics import roc
from classifier.networks import network, weights
from classifier.networks.preprocess import to_array
from skinclinic.vocabulary.diseases import DISEASE_KEYS

FOLDER = weights.SHIPPED_DIR / "skinclinic-demo"
WITH_PHOTOS = {"bcc", "scc", "ak", "sk", "mm", "nevus"}


@pytest.fixture(scope="module")
def manifest():
    return weights.read_manifest(FOLDER)


@pytest.fixture(scope="module")
def scores_of():
    """scores_of(square pictures) -> softmax scores [n, outputs] of the shipped network."""
    manifest, state = weights.load_verified(FOLDER)
    net = network.build(manifest.architecture, manifest.outputs)
    net.load_state_dict(state)
    net.eval()

    def score(pictures):
        with torch.inference_mode():
            parts = [
                net(torch.from_numpy(to_array(picture, manifest.preprocessing))[None])[0].softmax(1)
                for picture in pictures
            ]
        return torch.cat(parts).numpy()

    return score


def test_the_shipped_weights_are_verified_and_small(manifest):
    assert weights.check_files(FOLDER) == manifest
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= 12_000_000


def test_the_manifest_says_what_it_learnt_from_what(manifest):
    assert manifest.demo and manifest.disease_keys == DISEASE_KEYS
    assert "10.17632/zr7vgbcyr2.1" in manifest.trained_on and "drawings" in manifest.trained_on
    assert "CC BY 4.0" in manifest.licence and "Apache-2.0" in manifest.licence
    assert "Bowen" in manifest.limits
    assert all(key in manifest.limits for key in DISEASE_KEYS if key not in WITH_PHOTOS)
    assert manifest.intended_use and manifest.trained_at


def test_the_manifest_gives_the_cross_validation(manifest):
    (cohort,) = manifest.validated_on["cohorts"]
    assert cohort["n"] == 1006 and set(cohort["auc_by_disease"]) == WITH_PHOTOS
    assert cohort["auc"] == pytest.approx(np.mean(list(cohort["auc_by_disease"].values())))
    assert cohort["fold_mean"] == pytest.approx(np.mean(cohort["auc_by_fold"]))
    assert cohort["fold_sd"] == pytest.approx(np.std(cohort["auc_by_fold"], ddof=1))


@pytest.mark.parametrize("name", ["balanced", "screening"])
def test_each_threshold_says_whether_it_comes_from_photos(manifest, name):
    entry = manifest.thresholds[name]
    assert entry["optimistic"] and entry["purpose"] and entry["date"] and entry["n"] == 1006
    assert {key for key, basis in entry["basis"].items() if basis == "real"} == WITH_PHOTOS
    drawn = set(DISEASE_KEYS) - WITH_PHOTOS
    assert all(key in entry["cohort"] for key in drawn)
    assert all(entry["photos_listed"][key] <= 0.05 for key in drawn)
    if name == "screening":
        assert all(entry["sensitivity"][key] >= 0.95 for key in WITH_PHOTOS)


def test_it_names_most_drawings_rightly(scores_of):
    # Drawings it has not seen, of the kind it was trained on: out of 48 it should miss few, and be right
    # more often than not about each disease. A network that learnt nothing would name 1 in 13.
    drawn = {key: [synthetic_lesion(key, seed, 320) for seed in range(4)] for key in DISEASE_KEYS}
    right = {key: int((scores_of(drawn[key]).argmax(1) == i).sum()) for i, key in enumerate(DISEASE_KEYS)}
    assert sum(right.values()) >= 43, right
    assert min(right.values()) >= 2, right


def test_it_finds_no_disease_in_most_surfaces(scores_of):
    scores = scores_of([not_a_lesion(seed, 320) for seed in range(12)])
    assert (scores.argmax(1) == len(DISEASE_KEYS)).sum() >= 10


def test_it_knows_the_photos_it_was_trained_on(scores_of, real_photos):
    # Only a check that weights, preprocessing and labels belong together: how well it does on photos of
    # other patients is in the manifest.
    from classifier.training.examples import read_pad_ufes_20

    examples = read_pad_ufes_20(real_photos)
    scores = scores_of(examples.pictures)
    aucs = [roc.auc(scores[:, label], examples.labels == label) for label in np.unique(examples.labels)]
    assert np.mean(aucs) >= 0.93
