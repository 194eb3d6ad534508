"""The training code on a handful of tiny drawings: that it runs, repeats and keeps patients apart."""

import csv

import numpy as np
import pytest
import torch

from classifier.networks import weights
from classifier.networks.preprocess import Preprocessing
from classifier.training import demo, demo_manifest, unfinished
from classifier.training.augment import random_input, random_view
from classifier.training.crossval import OutOfFold
from classifier.training.examples import Examples, draw, patient_folds, read_pad_ufes_20
from classifier.training.features import Back, front_of
from classifier.training.loop import Features, fine_tune, pooled, predict
from classifier.training.settings import Settings
from classifier.training.thresholds import choose
from skinclinic.vocabulary.diseases import DISEASE_KEYS

TINY = demo.Recipe(
    input_size=48,
    views=1,
    drawn_views=1,
    rand_augment=7,
    drawn_each=1,
    drawn_others=1,
    held_out_each=1,
    held_out_others=1,
    settings=Settings(epochs=1, batch=4, drawn_in_batch=2),
)


def few_photos() -> Examples:
    """Drawings in place of photos: two patients of each of two diseases, two pictures each."""
    drawn = draw(4, 0, 0, 64)
    kept = [i for i, label in enumerate(drawn.labels) if DISEASE_KEYS[label] in ("bcc", "nevus")]
    return Examples(
        [drawn.pictures[i] for i in kept], drawn.labels[kept], [f"patient {n // 2}" for n in range(len(kept))]
    )


def train_tiny(tmp_path, name, jobs=1, folds=2, say=lambda text: None):
    scratch = tmp_path / name
    scratch.mkdir(exist_ok=True)
    network = demo.new_network(TINY, 3)
    return demo.train(TINY, few_photos(), network, folds=folds, seed=3, jobs=jobs, scratch=scratch, say=say)


def test_a_training_repeats_for_a_seed_whatever_the_number_of_processes(tmp_path):
    first, second = train_tiny(tmp_path, "a"), train_tiny(tmp_path, "b", jobs=2)
    assert all(torch.equal(value, second.state[name]) for name, value in first.state.items())
    assert np.array_equal(first.out_of_fold.photos, second.out_of_fold.photos)
    assert first.out_of_fold.photos.sum(axis=1) == pytest.approx(1)
    assert np.array_equal(first.out_of_fold.distances, second.out_of_fold.distances)
    assert (first.out_of_fold.distances > 0).all()

    manifest = demo_manifest.write_manifest(TINY, few_photos(), first, "init.pth", 3)
    saved = weights.save(tmp_path / "model", manifest, first.state)
    assert weights.load_verified(tmp_path / "model")[0] == saved
    assert saved.demo and saved.validated_on["cohorts"][0]["n"] == 8
    assert set(saved.thresholds) == {"balanced", "screening"}
    assert "bcc: n = 4" in demo_manifest.summary(saved)


def test_a_training_goes_on_with_what_was_finished_when_it_was_stopped(tmp_path):
    whole = train_tiny(tmp_path, "a")
    kept = tmp_path / "a"
    # Stopped in the third of six trainings, with the features stored.
    finished = sorted(kept.glob("training-*.pt"))
    assert len(finished) == TINY.members * 3
    for path in finished[2:]:
        path.unlink()
    (kept / "held_out.npy").rename(kept / "held_out.part")
    before, said = {path: path.stat().st_mtime_ns for path in finished[:2]}, []
    again = train_tiny(tmp_path, "a", say=said.append)
    assert all(torch.equal(value, again.state[name]) for name, value in whole.state.items())
    assert np.array_equal(whole.out_of_fold.photos, again.out_of_fold.photos)
    assert {path: path.stat().st_mtime_ns for path in finished[:2]} == before
    assert any("2 of 6 trainings are there already" in text for text in said)


def test_parts_of_another_training_are_not_gone_on_with(tmp_path):
    folder, about = tmp_path / "parts", {"seed": 1, "recipe": {"views": 12}}
    with pytest.raises(KeyboardInterrupt), unfinished.parts(folder, about):
        (folder / "photos.npy").write_bytes(b"half a day")
        raise KeyboardInterrupt
    with (
        pytest.raises(unfinished.AnotherTraining, match="another seed"),
        unfinished.parts(folder, about | {"seed": 2}),
    ):
        raise AssertionError
    with unfinished.parts(folder, about) as scratch:
        assert (scratch / "photos.npy").read_bytes() == b"half a day"
    assert not folder.exists(), "the model is there"
    other = tmp_path / "photos of mine"
    other.mkdir()
    (other / "one.jpg").write_bytes(b"")
    with pytest.raises(unfinished.AnotherTraining, match="is not empty"), unfinished.parts(other, about):
        raise AssertionError
    assert (other / "one.jpg").exists()
    with (
        pytest.raises(unfinished.AnotherTraining, match="is no folder"),
        unfinished.parts(other / "one.jpg", about),
    ):
        raise AssertionError


def test_rand_augment_changes_a_view_repeats_for_a_seed_and_leaves_other_draws_alone():
    picture, expected = draw(1, 0, 0, 64).pictures[0], Preprocessing(48, (0.5,) * 3, (0.5,) * 3)

    def view(*strength: int) -> np.ndarray:
        return random_input(picture, expected, np.random.default_rng(5), *strength)

    assert np.array_equal(view(), view(0)) and np.array_equal(view(7), view(7))
    assert not np.array_equal(view(0), view(7)) and not np.array_equal(view(7), view(20))
    torch.manual_seed(1)
    drawn = torch.rand(3)
    torch.manual_seed(1)
    view(7)
    assert torch.equal(torch.rand(3), drawn)


class SmallBack(torch.nn.Module):
    """Like Back, of a size at which learning takes no time."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.body = torch.nn.Sequential(torch.nn.Conv2d(4, 16, 1), torch.nn.ReLU())
        self.head = torch.nn.Conv2d(16, 2, 1, bias=False)
        self.bias = torch.nn.Parameter(torch.zeros(2))

    def forward(self, features):
        return self.head(self.body(features)).mean(dim=(2, 3)) + self.bias


def two_patterns(channels):
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 16)
    pattern = rng.normal(size=(2, 1, 1, channels))
    return Features(
        (pattern[labels] + rng.normal(0, 0.3, (3, 32, 2, 2, channels))).astype(np.float16), labels
    )


def test_fine_tuning_learns_what_it_is_shown():
    shown, back = two_patterns(4), SmallBack()
    settings = Settings(epochs=20, batch=8, drawn_in_batch=2, rate=5e-3, head_rate=5e-3, average=0.8)
    fine_tune(back, shown, shown, settings, 1)
    assert (predict(back, shown.values[0]).argmax(1) == shown.labels).all()


def test_fine_tuning_leaves_the_front_and_the_normalisation_statistics_alone():
    network = demo.new_network(TINY, 0)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    shown = two_patterns(88)
    fine_tune(Back(network, 8), shown, shown, Settings(epochs=1, batch=16, drawn_in_batch=2), 1)
    same = {name for name, value in network.state_dict().items() if torch.equal(before[name], value)}
    front = ("backbone.stem.", *(f"backbone.blocks.{n}." for n in range(8)))
    assert {name for name in before if name.startswith(front) or "running_" in name} <= same
    assert not {"head.weight", "backbone.top.0.weight", "backbone.blocks.8.layers.project_conv.weight"} & same


def test_front_and_back_together_are_the_network():
    network = demo.new_network(TINY, 5).eval()
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        split = Back(network, 8).eval()(front_of(network, 8)(images))
        assert torch.allclose(split, network(images)[0], atol=1e-5)
        stored = front_of(network, 8)(images).permute(0, 2, 3, 1).numpy()
        back = Back(network, 8)
        through = (
            back.head(torch.from_numpy(pooled(back, stored)).float()[:, :, None, None]).flatten(1) + back.bias
        )
    assert torch.allclose(through, split, atol=1e-4), "scores come of the pooled features"


def test_folds_keep_patients_together_and_share_out_each_label():
    rng = np.random.default_rng(1)
    patients = [f"p{n}" for n in rng.integers(0, 150, 200)]
    labels = rng.choice([0, 1, 5], 200, p=(0.6, 0.3, 0.1))
    folds = patient_folds(labels, patients, 5, seed=4)
    assert set(folds) == set(range(5))
    assert np.array_equal(folds, patient_folds(labels, patients, 5, seed=4))
    assert not np.array_equal(folds, patient_folds(labels, patients, 5, seed=5))
    for patient in set(patients):
        assert len({fold for fold, who in zip(folds, patients, strict=True) if who == patient}) == 1
    for label in (0, 1, 5):
        counts = np.bincount(folds[labels == label], minlength=5)
        assert counts.max() - counts.min() <= 4


def test_a_view_repeats_for_a_seed_and_stays_in_range():
    pixels = np.asarray(draw(1, 0, 1, 90).pictures[0])
    view = random_view(pixels, 64, np.random.default_rng(2))
    assert view.shape == (64, 64, 3) and view.min() >= 0 and view.max() <= 255
    assert np.array_equal(view, random_view(pixels, 64, np.random.default_rng(2)))
    assert not np.array_equal(view, random_view(pixels, 64, np.random.default_rng(3)))


def test_views_keep_the_colour_that_tells_diseases_apart():
    pixels = np.full((80, 80, 3), (200, 120, 90), np.uint8)
    views = [random_view(pixels, 48, np.random.default_rng(seed)) for seed in range(200)]
    medians = np.array([np.median(view, axis=(0, 1)) for view in views])
    assert (medians[:, 0] > medians[:, 2]).mean() > 0.98
    assert np.abs(medians.mean(axis=0) - (200, 120, 90)).max() < 12


def test_reading_photos_takes_the_centred_square(tmp_path):
    (tmp_path / "images").mkdir()
    wide = np.zeros((80, 120, 3), np.uint8)
    wide[:, 20:100] = 255
    from PIL import Image

    Image.fromarray(wide).save(tmp_path / "images" / "a.png")
    rows = [{"file_name": "a.png", "diagnostic": "ACK", "patient_id": "P1"}]
    write_metadata(tmp_path, rows)
    examples = read_pad_ufes_20(tmp_path)
    assert examples.pictures[0].size == (80, 80) and np.asarray(examples.pictures[0]).min() == 255
    assert (DISEASE_KEYS[examples.labels[0]], examples.patients) == ("ak", ["P1"])
    write_metadata(tmp_path, [{**rows[0], "diagnostic": "XYZ"}])
    with pytest.raises(ValueError, match="XYZ"):
        read_pad_ufes_20(tmp_path)


def write_metadata(folder, rows):
    with (folder / "metadata.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_thresholds_of_drawn_diseases_rarely_list_photos():
    rng = np.random.default_rng(6)
    photo_labels = np.repeat([0, 6], 60)
    photos = rng.dirichlet(np.ones(13), 120)
    photos[np.arange(120), photo_labels] += 0.5
    drawing_labels = np.repeat(np.arange(13), 5)
    drawings = rng.dirichlet(np.ones(13), (2, 65))
    drawings[:, np.arange(65), drawing_labels] += 0.05
    out = OutOfFold(photos, drawings, np.arange(120) % 2, np.zeros(120))
    for screening in (False, True):
        chosen = choose(out, photo_labels, drawing_labels, 12, screening=screening)
        assert [c.basis for c in chosen] == ["real" if i in (0, 6) else "synthetic" for i in range(12)]
        assert all(c.photos_listed <= 0.05 for c in chosen if c.basis == "synthetic")
        assert all(0 <= c.threshold <= 1 for c in chosen)
        if screening:
            assert all(c.sensitivity >= 0.95 for c in chosen if c.basis == "real")
