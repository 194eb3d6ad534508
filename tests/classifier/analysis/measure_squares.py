"""Would squares proposed by the network beat the middle of a photo? Not a test: it measures, and prints a table.

    python -m tests.classifier.analysis.measure_squares PAD-UFES-20-1006 [SCENES]

Scenes are photos of patients whom the demo model has not learnt from, shrunk to 30 to 90 % of the short side and pasted
with soft edges and matched colour onto skin of other photos, anywhere or in the middle. One pass of the network over
the whole scene gives its exact maps; squares of several sizes are held against what surrounds them. And the same photos
as they are: how well the model does on the square it proposes instead of the middle. `docs/squares.md` has the figures.
"""

import csv
import hashlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image

from classifier.analysing import squares
from classifier.analysing.squares import overlap
from classifier.metrics import roc
from classifier.networks import training_photos, weights
from classifier.networks.network import restore
from classifier.networks.preprocess import to_array
from classifier.runtimes import open_runtime
from classifier.training.examples import PAD_UFES_20
from skinclinic.imaging import Box
from skinclinic.vocabulary.diseases import DISEASE_KEYS

# left, top, side
Square = tuple[int, int, int]
FOLDER = weights.SHIPPED_DIR / "skinclinic-demo"
SHORT = (224, 320, 448)
SHAPES = ((480, 640), (640, 480), (512, 512))


class Proposer:
    """The demo model as it proposes squares, and as it answers."""

    def __init__(self):
        self.manifest, state = weights.load_verified(FOLDER)
        self.network = restore(self.manifest, state).eval()
        self.mean, self.std = (
            np.array(one) for one in (self.manifest.preprocessing.mean, self.manifest.preprocessing.std)
        )
        self.runtime = open_runtime(
            FOLDER, cache_dir=Path(tempfile.gettempdir()) / "measured-squares", prefer="cpu"
        )

    def suggested(self, picture: np.ndarray) -> list[Square]:
        """What the product suggests."""
        found = squares.suggest(self.runtime, Image.fromarray(picture))
        return [(one.x, one.y, one.size) for one in found] or [middle(*picture.shape[:2])]

    def signals(self, picture: np.ndarray, short: int) -> dict[str, np.ndarray]:
        """Of a whole photo [H, W, 3], shrunk to ``short`` pixels: by name a signal [h, w] that is high on a lesion."""
        height, width = picture.shape[:2]
        scale = short / min(height, width)
        size = [max(32, round(side * scale / 32) * 32) for side in (width, height)]
        shrunk = (cv2.resize(picture, size, interpolation=cv2.INTER_AREA) / 255 - self.mean) / self.std
        with torch.inference_mode():
            features = self.network.backbone(torch.from_numpy(shrunk.transpose(2, 0, 1)[None]).float())
            maps = (self.network.head(features)[0] + self.network.bias[:, None, None]).numpy()
        units = features[0].numpy()
        units = units / (np.linalg.norm(units, axis=0, keepdims=True) + 1e-6)
        highest = maps[:12].max(0)
        return {
            "any of the 12 against none": np.log(np.exp(maps[:12] - highest).sum(0)) + highest - maps[12],
            "highest map": highest,
            "unlike the photo's median": np.linalg.norm(
                units - np.median(units, axis=(1, 2), keepdims=True), axis=0
            ),
        }

    def scores(self, picture: np.ndarray, square: Square) -> np.ndarray:
        """Softmax scores of one square."""
        left, top, side = square
        crop = np.ascontiguousarray(picture[top : top + side, left : left + side])
        image = torch.from_numpy(to_array(Image.fromarray(crop), self.manifest.preprocessing))
        with torch.inference_mode():
            return self.network(image[None])[0].softmax(1)[0].numpy()


def propose(signal: np.ndarray, height: int, width: int) -> list[Square]:
    """Up to five squares of a photo by a signal, the best first."""
    cell = min(height, width) / 40
    fine = cv2.resize(signal.astype(np.float32), (round(width / cell), round(height / cell)))
    return [(one.x, one.y, one.size) for one in squares.best(fine, width, height)]


def _common(one: Square, other: Square) -> int:
    sides = (min(one[axis] + one[2], other[axis] + other[2]) - max(one[axis], other[axis]) for axis in (0, 1))
    across, down = (max(0, side) for side in sides)
    return across * down


def middle(height: int, width: int, share: float = 1.0) -> Square:
    side = int(share * min(height, width))
    return (width - side) // 2, (height - side) // 2, side


def read(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def scenes(files: list[Path], count: int, *, centred: bool) -> Iterator[tuple[np.ndarray, Square]]:
    """Scenes with the square that the lesion's photo was pasted into."""
    random = np.random.default_rng(1)
    for number in range(count):
        height, width = SHAPES[random.integers(len(SHAPES))]
        ground = _skin(read(files[random.integers(len(files))]), height, width)
        photo = read(files[3 * number % len(files)])
        left, top, side = middle(*photo.shape[:2])
        side_then = int(random.uniform(0.3, 0.9) * min(height, width))
        pasted = cv2.resize(photo[top : top + side, left : left + side], (side_then, side_then)).astype(float)
        x, y = (int(random.integers(0, most - side_then + 1)) for most in (width, height))
        if centred:
            x, y = (width - side_then) // 2, (height - side_then) // 2
        rows, columns = np.mgrid[:side_then, :side_then]
        off = np.maximum(abs(columns - side_then / 2), abs(rows - side_then / 2)) / (side_then / 2)
        weight = np.clip((1 - off) / 0.2, 0, 1)[..., None]
        pasted = np.clip(pasted + 0.7 * (ground.mean((0, 1)) - pasted[off > 0.85].mean(0)), 0, 255)
        scene = ground.astype(float)
        here = scene[y : y + side_then, x : x + side_then]
        here[:] = weight * pasted + (1 - weight) * here
        yield scene.astype(np.uint8), (x, y, side_then)


def _skin(photo: np.ndarray, height: int, width: int) -> np.ndarray:
    """The calmest corner of a photo, mirrored until it is large enough."""
    left, top, side = middle(*photo.shape[:2])
    square, part = photo[top : top + side, left : left + side], side // 4
    corners = [square[:part, :part], square[:part, -part:], square[-part:, :part], square[-part:, -part:]]
    calm = min(corners, key=lambda one: float(one.std()))
    more = ((0, max(0, height - part)), (0, max(0, width - part)), (0, 0))
    return np.pad(calm, more, mode="symmetric")[:height, :width]


def measure_scenes(proposer: Proposer, files: list[Path], count: int, *, centred: bool) -> None:
    found: dict[str, list[tuple[bool, bool, bool]]] = {}

    def note(name: str, squares: list[Square], truth: Square) -> None:
        whole = _common(squares[0], truth) >= 0.9 * truth[2] ** 2
        hits = [overlap(Box(*one), Box(*truth)) >= 0.5 for one in squares]
        found.setdefault(name, []).append((hits[0], whole, any(hits)))

    for picture, truth in scenes(files, count, centred=centred):
        size = picture.shape[:2]
        note("middle, whole", [middle(*size)], truth)
        note("middle, 60 %", [middle(*size, 0.6)], truth)
        note("suggested by the product", proposer.suggested(picture), truth)
        for short in SHORT:
            for name, signal in proposer.signals(picture, short).items():
                note(f"{name}, {short}", propose(signal, *size), truth)
    print(f"{count} scenes, lesion {'in the middle' if centred else 'anywhere'}")
    for name, rows in found.items():
        first, whole, any_of_five = np.mean(rows, axis=0)
        print(
            f"  {name:36} IoU >= 0.5: {first:.3f}; nine tenths inside: {whole:.3f}; of five: {any_of_five:.3f}"
        )


def measure_answers(proposer: Proposer, photos: list[tuple[Path, int]]) -> None:
    labels = np.array([label for _path, label in photos])
    scores: dict[str, list[np.ndarray]] = {}
    for path, _label in photos:
        picture = read(path)
        size = picture.shape[:2]
        chosen = {"middle, whole": middle(*size)}
        chosen["suggested by the product"] = proposer.suggested(picture)[0]
        chosen |= {name: propose(one, *size)[0] for name, one in proposer.signals(picture, 224).items()}
        for name, square in chosen.items():
            scores.setdefault(name, []).append(proposer.scores(picture, square))
    print(f"{len(photos)} photos as they are")
    for name, rows in scores.items():
        found = np.stack(rows)
        aucs = [roc.auc(found[:, label], labels == label) for label in np.unique(labels)]
        right = (found[:, :12].argmax(1) == labels).mean()
        print(f"  {name:36} macro AUC {np.mean(aucs):.3f}; the first right: {right:.3f}")


def main(folder: str, count: str = "150") -> None:
    known = {one.upload_sha256 for one in training_photos.read(FOLDER, weights.read_manifest(FOLDER))}
    with (Path(folder) / "metadata.csv").open(newline="", encoding="utf-8") as file:
        rows = [(Path(folder) / "images" / row["file_name"], row) for row in csv.DictReader(file)]
    seen = {row["patient_id"] for path, row in rows if hashlib.sha256(path.read_bytes()).hexdigest() in known}
    other = [(path, row) for path, row in rows if row["patient_id"] not in seen]
    if not other:
        raise SystemExit(f"{folder} holds no photo of a patient whom the model has not learnt from")
    proposer = Proposer()
    fine = [path for path, row in other if not row["copy"]]
    measure_answers(
        proposer, [(path, DISEASE_KEYS.index(PAD_UFES_20[row["diagnostic"]])) for path, row in other]
    )
    for centred in (False, True):
        measure_scenes(proposer, fine, int(count), centred=centred)


if __name__ == "__main__":
    main(*(sys.argv[1:] or [os.environ["SKINCLINIC_UNSEEN_PHOTOS"]]))
