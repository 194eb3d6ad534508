"""One session of one dataset: each reader, all readers, their groups."""

from typing import Any

import numpy as np

from classifier.metrics import notes
from classifier.metrics.operating import Truth
from classifier.metrics.proportions import proportion
from classifier.metrics.ranking import Confusion
from reader_study import mrmc
from reader_study.statistics import agreement, changes, points
from reader_study.statistics.coded import MISSING, Part, Session
from reader_study.statistics.model import divisions, interval
from skinclinic.vocabulary.diseases import DISEASE_KEYS

MISSED_SHOWN = 20
NO_ANSWER = "missing"


def session(part: Part, read: Session) -> dict[str, Any]:
    """Everything about one session. Readers who answered nothing in it, in no dataset, are named and take part in
    nothing else."""
    who = read.who_read()
    of_readers = points.points(who, part.truth, part.choices)
    by_reader = {name: _reader(part, who, place, of_readers[place]) for place, name in enumerate(who.readers)}
    found = {
        "readers": {
            name: by_reader.get(name) or _silent(part, group)
            for name, group in zip(read.readers, read.groups, strict=True)
        },
        **_summary(part, who, of_readers),
    }
    groups = np.array(read.groups)
    found["groups"] = {}
    for name in dict.fromkeys(read.groups):
        inside = [place for place, group in enumerate(who.groups) if group == name]
        found["groups"][name] = {
            "readers": [reader for reader, group in zip(read.readers, groups, strict=True) if group == name],
            **_summary(part, who.of(np.array(inside, np.intp)), [of_readers[place] for place in inside]),
        }
    return found | {
        "confusion": _confusion(part, who.codes),
        "pairwise_kappa": {"readers": list(who.readers), "kappa": agreement.pairwise(who.codes)},
        "most_missed": _most_missed(part, who),
        "seconds": seconds(who.seconds),
        "subgroups": _subgroups(part, who),
    }


def seconds(values: np.ndarray) -> dict[str, Any] | None:
    """Reading times; None where none is known."""
    known = values[np.isfinite(values)]
    if not known.size:
        return None
    return {
        "n": int(known.size),
        "mean": float(known.mean()),
        "median": float(np.median(known)),
        "total": float(known.sum()),
    }


def _reader(part: Part, who: Session, place: int, of_disease: dict[str, dict[str, Any]]) -> dict[str, Any]:
    codes, truth = who.codes[place], part.truth
    answered, right = codes != MISSING, codes == truth
    share = proportion(right.sum(), len(truth))
    kept = proportion(right.sum(), answered.sum())
    kappa = agreement.cohen(truth, codes)
    second = who.second[place]
    confidence = who.confidence[place]
    known = np.isfinite(confidence)
    return {
        "group": who.groups[place],
        "n": len(truth),
        "answered": int(answered.sum()),
        "missing": int((~answered).sum()),
        "right": share.count,
        "accuracy": share.value,
        "accuracy_ci": interval(share),
        "kappa_vs_truth": kappa,
        "answered_only": {
            "accuracy": kept.value,
            "accuracy_ci": interval(kept),
            "kappa_vs_truth": agreement.cohen(truth[answered], codes[answered]),
        },
        "note": notes.ONE_ANSWER if kappa is None else "",
        "points": of_disease,
        "confusion": _confusion(part, codes[None]),
        "seconds": seconds(who.seconds[place]),
        "second_choice": _second(right, second == truth, second != MISSING),
        "confidence": {
            "right": _mean(confidence[known & right]),
            "wrong": _mean(confidence[known & ~right]),
        }
        if known.any()
        else None,
        "first_answer": changes.within(who, place, truth),
    }


def _silent(part: Part, group: str) -> dict[str, Any]:
    """A reader without any answer in this session."""
    nothing = dict.fromkeys(
        ("right", "accuracy", "accuracy_ci", "kappa_vs_truth", "answered_only", "confusion", "seconds",
         "second_choice", "confidence", "first_answer")
    )  # fmt: skip
    n = len(part.truth)
    point = {"sensitivity": None, "specificity": None, "note": notes.NO_ANSWERS}
    empty = {key: dict(point) for key in DISEASE_KEYS if key in part.choices}
    return {
        "group": group, "n": n, "answered": 0, "missing": n, **nothing, "note": notes.NO_ANSWERS, "points": empty,
    }  # fmt: skip


def _second(right: np.ndarray, second_right: np.ndarray, given: np.ndarray) -> dict[str, Any] | None:
    """How often one of two choices was right; None where nobody asked for a second."""
    if not given.any():
        return None
    share = proportion((right | second_right).sum(), len(right))
    return {"given": int(given.sum()), "right_in_two": share.value, "right_in_two_ci": interval(share)}


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if values.size else None


def _summary(part: Part, who: Session, of_readers: list[dict[str, dict[str, Any]]]) -> dict[str, Any]:
    """Readers together, all or a group. A missing answer is an answer of its own in Fleiss's kappa;
    ``fleiss_answered_only`` takes the images that all of them answered."""
    count, right = len(who.readers), who.codes == part.truth
    found: dict[str, Any] = {
        "n_readers": count,
        "mean_accuracy": None,
        "sd_accuracy": None,
        "mean_accuracy_ci": None,
        "fleiss_kappa": None,
        "fleiss_answered_only": {"kappa": None, "images": 0},
        "note": notes.NO_ANSWERS,
    }
    if count:
        single = mrmc.single(mrmc.accuracy(right))
        complete = (who.codes != MISSING).all(0)
        kappa = agreement.fleiss(who.codes)
        found |= {
            "mean_accuracy": single.mean,
            "sd_accuracy": float(right.mean(1).std(ddof=1)) if count > 1 else None,
            "mean_accuracy_ci": points.clipped(single),
            "fleiss_kappa": kappa,
            "fleiss_answered_only": {
                "kappa": agreement.fleiss(who.codes[:, complete]),
                "images": int(complete.sum()),
            },
            "note": notes.ONE_READER if count == 1 else notes.ONE_ANSWER if kappa is None else "",
        }
    return found | {"average": points.average(who, part.truth, part.choices, of_readers)}


def _confusion(part: Part, codes: np.ndarray) -> Confusion:
    """Answers [J, n] by truth, pooled; the last column counts missing ones."""
    columns = (*(key for key in DISEASE_KEYS if key in part.choices), NO_ANSWER)
    place = np.full(len(DISEASE_KEYS) + 1, len(columns) - 1, np.intp)
    for column, key in enumerate(columns[:-1]):
        place[DISEASE_KEYS.index(key)] = column
    truth = np.broadcast_to(part.truth, codes.shape)
    counts = np.bincount(
        (truth * len(columns) + place[codes]).ravel(), minlength=len(DISEASE_KEYS) * len(columns)
    ).reshape(len(DISEASE_KEYS), len(columns))
    photos = Truth.of([image.truth for image in part.images], DISEASE_KEYS).photos
    present = [row for row, key in enumerate(DISEASE_KEYS) if photos[key]]
    return Confusion(
        tuple(DISEASE_KEYS[row] for row in present), columns, tuple(map(tuple, counts[present].tolist()))
    )


def _most_missed(part: Part, who: Session) -> list[dict[str, Any]]:
    """The images that most readers got wrong, with what they said and what the model said."""
    wrong = (who.codes != part.truth).sum(0)
    argmax = part.argmax
    worst = [int(place) for place in np.argsort(-wrong, kind="stable")[:MISSED_SHOWN] if wrong[place]]
    found = []
    for place in worst:
        answers = np.bincount(who.codes[:, place] + 1, minlength=len(DISEASE_KEYS) + 1)
        said = {
            key: int(answers[column + 1]) for column, key in enumerate(DISEASE_KEYS) if answers[column + 1]
        }
        found.append(
            {
                "image": part.images[place].name,
                "truth": part.images[place].truth,
                "wrong": int(wrong[place]),
                "of": len(who.readers),
                "missing": int(answers[0]),
                "answers": dict(sorted(said.items(), key=lambda item: -item[1])),
                "model": None if argmax is None else DISEASE_KEYS[argmax[place]],
                "model_score": None
                if part.scores is None or argmax is None
                else float(part.scores[place, argmax[place]]),
            }
        )
    return found


def _subgroups(part: Part, who: Session) -> dict[str, list[dict[str, Any]]]:
    """Readers' mean accuracy, and the model's, by age band, sex and skin type."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name, labels_of_images in divisions(part).items():
        labels = np.array(labels_of_images)
        found[name] = []
        for label in np.unique(labels):
            chosen = labels == label
            right = who.codes[:, chosen] == part.truth[chosen]
            model = None if part.argmax is None else part.argmax[chosen] == part.truth[chosen]
            found[name].append(
                {
                    "label": str(label),
                    "n": int(chosen.sum()),
                    "mean_accuracy": float(right.mean()) if right.size else None,
                    "model_accuracy": None if model is None else float(model.mean()),
                }
            )
    return found
