"""Reader studies made of random numbers, as tables and as CSV files."""

import csv
from pathlib import Path

import numpy as np

from reader_study.statistics.tables import Answer, Image, StudyTables
from skinclinic.vocabulary.diseases import DISEASE_KEYS

NOT_IN_EDINBURGH = ("lentigo", "wart")


def made_study(
    n: int = 60,
    readers: int = 4,
    sessions: tuple[str, ...] = ("unaided", "aided"),
    datasets: tuple[str, ...] = ("asan", "edinburgh"),
    missing: float = 0.0,
    seed: int = 1,
) -> StudyTables:
    """``n`` images over the datasets (the second lacks two diseases), a model and readers who know something."""
    rng = np.random.default_rng(seed)
    images = []
    for place in range(n):
        dataset = datasets[place * len(datasets) // n]
        keys = [key for key in DISEASE_KEYS if dataset != "edinburgh" or key not in NOT_IN_EDINBURGH]
        images.append(
            Image(
                f"photo-{place:04d}",
                dataset,
                str(rng.choice(keys)),
                ("female", "male", "")[place % 3],
                None if place % 7 == 0 else 20 + place % 70,
                None if place % 5 == 0 else 1 + place % 6,
            )
        )
    truth = np.array([DISEASE_KEYS.index(image.truth) for image in images])

    def guesses(skill: float) -> np.ndarray:
        odds = rng.normal(size=(n, 12))
        odds[np.arange(n), truth] += skill
        return odds

    odds = guesses(1.8)
    scores = np.round(np.exp(odds) / np.exp(odds).sum(1, keepdims=True), 6)
    answers = []
    for number, session in enumerate(sessions):
        for reader in range(readers):
            said, lacking = guesses(1 + 0.1 * reader + 0.4 * number).argmax(1), rng.random(n) < missing
            group = "professor" if reader * 8 < readers * 5 else "clinician"
            for place, image in enumerate(images):
                answer = "" if lacking[place] else DISEASE_KEYS[said[place]]
                answers.append(Answer(session, f"reader-{reader:02d}", group, image.name, answer))
    return StudyTables(tuple(images), scores, tuple(answers))


def write(tables: StudyTables, folder: Path) -> dict[str, Path]:
    """images.csv, scores.csv and answers.csv."""
    paths = {name: folder / f"{name}.csv" for name in ("images", "scores", "answers")}
    names = ("name", "dataset", "truth", "sex", "age", "skin_type")
    _csv(
        paths["images"],
        ("image", *names[1:]),
        [[getattr(image, name) for name in names] for image in tables.images],
    )
    if tables.scores is None:
        del paths["scores"]
    else:
        rows = [
            [image.name, *map(repr, scores.tolist())]
            for image, scores in zip(tables.images, tables.scores, strict=True)
        ]
        _csv(paths["scores"], ("image", *DISEASE_KEYS), rows)
    names = (
        "session",
        "reader",
        "group",
        "image",
        "answer",
        "second",
        "confidence",
        "seconds",
        "first_answer",
    )
    _csv(paths["answers"], names, [[getattr(answer, name) for name in names] for answer in tables.answers])
    return paths


def _csv(path: Path, columns, rows) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
