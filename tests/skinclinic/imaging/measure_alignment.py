"""How often photos are laid over each other rightly and wrongly, on real photos; not a test, it takes minutes.

    SKINCLINIC_TEST_PHOTOS=FOLDER PAIRS=600 python -m tests.skinclinic.imaging.measure_alignment [QUESTION …]

FOLDER: a PAD-UFES-20 with metadata.csv and images/. Three questions, with a fixed seed:

- warped: a photo against itself turned, scaled, shifted, cropped, lit and compressed otherwise; the truth is known, so
  the error is told in pixels of a photo of 1,000. The same with a slight slant, which no similarity follows exactly.
- same lesion: two photos of one lesion_id; nobody has marked where they should lie, so only the answers are counted.
- different: photos of different patients; every one that is taken is wrong.
"""

import csv
import itertools
import os
import random
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

import cv2
import numpy as np

from skinclinic.imaging.alignment import SIDE, CannotAlign, align_grey


def load(path: Path) -> np.ndarray:
    grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    share = SIDE / max(grey.shape)
    return cv2.resize(grey, None, fx=share, fy=share, interpolation=cv2.INTER_CUBIC) if share < 1 else grey


def warped(grey: np.ndarray, chance: random.Random, slant: float) -> tuple[np.ndarray, np.ndarray]:
    """The photo taken otherwise, and the true way back (3 × 3)."""
    height, width = grey.shape
    turn, scale = chance.uniform(-60, 60), chance.uniform(0.65, 1.5)
    way = np.vstack([cv2.getRotationMatrix2D((width / 2, height / 2), turn, scale), [0, 0, 1]])
    way[0, 2] += chance.uniform(-0.12, 0.12) * width
    way[1, 2] += chance.uniform(-0.12, 0.12) * height
    if slant:
        way[2, :2] = [chance.uniform(-slant, slant) / width, chance.uniform(-slant, slant) / height]
    view = cv2.warpPerspective(grey, way, (width, height), flags=cv2.INTER_AREA)
    light = np.linspace(chance.uniform(0.6, 1.0), chance.uniform(1.0, 1.3), width)[None]
    gamma = chance.uniform(0.7, 1.4)
    view = 255 * np.clip((view / 255) * light, 0, 1) ** gamma
    noise = np.random.default_rng(chance.randrange(2**31)).normal(0, 4, view.shape)
    view = cv2.GaussianBlur(np.clip(view + noise, 0, 255).astype(np.uint8), (0, 0), chance.uniform(0.3, 1.5))
    packed = cv2.imencode(".jpg", view, [cv2.IMWRITE_JPEG_QUALITY, chance.randrange(60, 95)])[1]
    return cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE), np.linalg.inv(way)


def missed(matrix, truth: np.ndarray, shape: tuple[int, int]) -> float:
    """The root of the mean squared distance over the middle of the photo, in pixels of a photo of 1,000."""
    height, width = shape
    xs, ys = np.meshgrid(np.linspace(0.3, 0.7, 9) * width, np.linspace(0.3, 0.7, 9) * height)
    a, b, c, d, e, f = matrix
    right = truth @ np.stack([xs.ravel(), ys.ravel(), np.ones(xs.size)])
    x, y = right[:2] / right[2]
    found = np.stack([a * xs + c * ys + e, b * xs + d * ys + f]).reshape(2, -1)
    return float(np.sqrt(((found - [x, y]) ** 2).sum(0).mean())) / max(shape) * 1000


def told(pairs, name: str) -> None:
    answers, errors, started = Counter(), [], time.perf_counter()
    for one, two, truth in pairs:
        try:
            found = align_grey(one, two)
        except CannotAlign as refused:
            answers[refused.reason] += 1
            continue
        answers["taken"] += 1
        if truth is not None:
            errors.append(missed(found.matrix, truth, two.shape))
        elif name == "different":
            print("wrong:", found)
    total = sum(answers.values())
    seconds = (time.perf_counter() - started) / max(1, total)
    print(f"{name}: {answers['taken']} of {total} taken, {seconds:.2f} s a pair; {dict(answers)}")
    if errors:
        print(
            f"  error: median {np.median(errors):.1f}, 95 % {np.percentile(errors, 95):.1f}, most {max(errors):.1f}"
        )


def main() -> None:
    folder = Path(os.environ["SKINCLINIC_TEST_PHOTOS"])
    chance = random.Random(20)
    lesions, patients = defaultdict(list), defaultdict(list)
    with (folder / "metadata.csv").open() as table:
        for row in csv.DictReader(table):
            path = folder / "images" / row["file_name"]
            lesions[row["patient_id"], row["lesion_id"]].append(path)
            patients[row["patient_id"]].append(path)
    every = sorted(path for paths in patients.values() for path in paths)
    count = int(os.environ.get("PAIRS", "300"))
    asked = sys.argv[1:] or ["warped", "same", "different"]
    if "warped" in asked:
        for name, slant in (("warped", 0.0), ("warped, slanted", 0.15)):
            shown = [load(path) for path in chance.sample(every, min(count // 2, len(every)))]
            told(((grey, *warped(grey, chance, slant)) for grey in shown), name)
    if "same" in asked:
        same = [pair for paths in lesions.values() for pair in itertools.combinations(sorted(paths), 2)]
        told(((load(one), load(two), None) for one, two in same), "same lesion")
    if "different" in asked:
        people = sorted(patients)
        strangers = (
            [chance.choice(patients[who]) for who in chance.sample(people, 2)] for _n in range(count)
        )
        told(((load(one), load(two), None) for one, two in strangers), "different")


if __name__ == "__main__":
    main()
