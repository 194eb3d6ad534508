"""One session of one dataset: each reader, all readers, their groups."""

from typing import Any

import numpy as np

from classifier.metrics import notes
from classifier.metrics.operating import Truth
from classifier.metrics.proportions import proportion
from classifier.metrics.ranking import Confusion
from reader_study import mrmc
from reader_study.statistics import agreement, changes, points
from reader_study.statistics.agreement import Agreement
from reader_study.statistics.coded import MISSING, Part, Session
from reader_study.statistics.model import divisions, interval
from skinclinic.vocabulary.diseases import DISEASE_KEYS

MISSED_SHOWN = 20
NO_ANSWER = "missing"
_NO_ACCURACY = {
    "mean_accuracy": None, "sd_accuracy": None, "mean_accuracy_ci": None, "mean_accuracy_note": notes.NO_ANSWERS,
}  # fmt: skip


def session(part: Part, read: Session) -> dict[str, Any]:
    """Everything about one session. Readers who answered nothing in it, in no dataset, are named and take part in
    nothing else."""
    who = read.who_read()
    of_readers = points.points(who, part.truth, part.choices)
    # Who was given nothing of this dataset is named like one who never answered.
    by_reader = {
        name: _reader(part, who, place, of_readers[place])
        for place, name in enumerate(who.readers)
        if who.given[place].any()
    }
    of_readers = [of_readers[place] for place, name in enumerate(who.readers) if name in by_reader]
    who = who.of(who.given.any(1))
    found = {
        "readers": {
            name: by_reader.get(name) or _silent(part, read, place) for place, name in enumerate(read.readers)
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
        "confusion": _confusion(part, who.codes, who.given),
        # On what both have answered.
        "pairwise_kappa": {
            "readers": list(who.readers),
            "kappa": agreement.pairwise(who.codes, who.codes != MISSING),
        },
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
        "q1": float(np.quantile(known, 0.25)),
        "q3": float(np.quantile(known, 0.75)),
        "total": float(known.sum()),
    }


def _reader(part: Part, who: Session, place: int, of_disease: dict[str, dict[str, Any]]) -> dict[str, Any]:
    codes, truth, given = who.codes[place], part.truth, who.given[place]
    answered, right = codes != MISSING, codes == truth
    n = int(given.sum())
    share = proportion(right.sum(), n)
    kept = proportion(right.sum(), answered.sum())
    kappa = agreement.cohen_estimate(truth[answered], codes[answered])
    second = who.second[place]
    confidence = who.confidence[place]
    known = np.isfinite(confidence)
    return {
        "group": who.groups[place],
        "n": n,
        "answered": int(answered.sum()),
        "missing": n - int(answered.sum()),
        "skipped": int((given & ~answered & who.reached[place]).sum()),
        "not_reached": int((given & ~answered & ~who.reached[place]).sum()),
        **_outside(part, len(truth) - n),
        "right": share.count,
        "accuracy": share.value,
        "accuracy_ci": interval(share),
        "kappa_vs_truth": kappa.value,
        "kappa_ci": kappa.ci,
        "kappa_p": kappa.p,
        "kappa_missing_as_category": agreement.cohen(truth[given], codes[given]),
        "answered_only": {
            "accuracy": kept.value,
            "accuracy_ci": interval(kept),
            "kappa_vs_truth": kappa.value,
        },
        "note": "" if kappa.value is not None else notes.ONE_ANSWER if kappa.images else notes.NO_ANSWERS,
        "points": of_disease,
        "confusion": _confusion(part, codes[None], who.given[place][None]),
        "seconds": seconds(who.seconds[place]),
        "second_choice": _second(right[given], (second == truth)[given], second != MISSING),
        "confidence": {
            "right": _mean(confidence[known & right]),
            "wrong": _mean(confidence[known & ~right]),
        }
        if known.any()
        else None,
        "first_answer": changes.within(who, place, truth),
    }


def _silent(part: Part, read: Session, place: int) -> dict[str, Any]:
    """A reader without any answer in this session, or who was given nothing of this dataset."""
    nothing = dict.fromkeys(
        ("right", "accuracy", "accuracy_ci", "kappa_vs_truth", "kappa_ci", "kappa_p", "kappa_missing_as_category",
         "answered_only", "confusion", "seconds", "second_choice", "confidence", "first_answer")
    )  # fmt: skip
    given, reached = read.given[place], read.reached[place]
    n = int(given.sum())
    missing = {"skipped": int((given & reached).sum()), "not_reached": int((given & ~reached).sum())}
    why = notes.NOT_ASSIGNED if part.by_design and not n else notes.NO_ANSWERS
    point = {"sensitivity": None, "specificity": None, "note": why}
    empty = {key: dict(point) for key in DISEASE_KEYS if key in part.choices}
    return {
        "group": read.groups[place], "n": n, "answered": 0, "missing": n, **missing,
        **_outside(part, len(part.truth) - n), **nothing, "note": why, "points": empty,
    }  # fmt: skip


def _outside(part: Part, n: int) -> dict[str, int]:
    """Images that a reader was not given, by whether the protocol says so."""
    return {"never_shown": 0 if part.by_design else n, "not_assigned": n if part.by_design else 0}


def _second(right: np.ndarray, second_right: np.ndarray, given: np.ndarray) -> dict[str, Any] | None:
    """How often one of two choices was right; None where nobody asked for a second."""
    if not given.any():
        return None
    share = proportion((right | second_right).sum(), len(right))
    return {"given": int(given.sum()), "right_in_two": share.value, "right_in_two_ci": interval(share)}


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if values.size else None


def _summary(part: Part, who: Session, of_readers: list[dict[str, dict[str, Any]]]) -> dict[str, Any]:
    """Readers together, all or a group. Fleiss's kappa takes the images that all of them answered;
    ``fleiss_missing_as_category`` those that all were given, with a missing answer as an answer of its own.
    Krippendorff's alpha takes every answer to an image that two have answered. ``as_read`` is the accuracy without
    missing answers."""
    count, right = len(who.readers), who.codes == part.truth
    found: dict[str, Any] = {
        "n_readers": count,
        **_NO_ACCURACY,
        "as_read": {"n_readers": 0, **_NO_ACCURACY},
        **_agreement(None, None, None),
        "note": notes.NO_ANSWERS,
    }
    if count:
        complete, by_all = (who.codes != MISSING).all(0), np.asarray(who.given.all(0))
        kappa = agreement.fleiss_estimate(who.codes[:, complete], _some(part.patients, complete))
        with_missing = kappa
        if (complete != by_all).any():
            with_missing = agreement.fleiss_estimate(who.codes[:, by_all], _some(part.patients, by_all))
        found |= {
            **_accuracy(right, who.given),
            "as_read": _as_read(right, who.codes != MISSING),
            **_agreement(kappa, with_missing, agreement.krippendorff(who.codes, part.patients)),
            "note": _kappa_note(count, by_all, complete, kappa.value),
        }
    return found | {"average": points.average(who, part.truth, part.choices, of_readers)}


def _some(patients: np.ndarray | None, chosen: np.ndarray) -> np.ndarray | None:
    return None if patients is None else patients[chosen]


def _agreement(
    kappa: Agreement | None, with_missing: Agreement | None, alpha: Agreement | None
) -> dict[str, Any]:
    none = Agreement(None, None, None, None, 0)
    kappa, with_missing, alpha = kappa or none, with_missing or none, alpha or none
    return {
        "fleiss_kappa": kappa.value,
        "fleiss_ci": kappa.ci,
        "fleiss_p": kappa.p,
        "fleiss_answered_only": {"kappa": kappa.value, "images": kappa.images},
        "fleiss_missing_as_category": {
            "kappa": with_missing.value,
            "ci": with_missing.ci,
            "p": with_missing.p,
            "images": with_missing.images,
        },
        "krippendorff": {"alpha": alpha.value, "ci": alpha.ci, "images": alpha.images},
    }


def _accuracy(right: np.ndarray, cells: np.ndarray) -> dict[str, Any]:
    """The mean over readers of the share that is right [J, n] of the images that count for each."""
    merit = mrmc.accuracy(right, cells)
    single = mrmc.single(merit)
    return {
        "mean_accuracy": single.mean,
        "sd_accuracy": float(merit.value.std(ddof=1)) if len(right) > 1 else None,
        "mean_accuracy_ci": points.clipped(single),
        "mean_accuracy_note": single.note,
    }


def _as_read(right: np.ndarray, answered: np.ndarray) -> dict[str, Any]:
    able = answered.any(1)
    if not able.any():
        return {"n_readers": 0, **_NO_ACCURACY}
    return {"n_readers": int(able.sum()), **_accuracy(right[able], answered[able])}


def _kappa_note(readers: int, by_all: np.ndarray, complete: np.ndarray, kappa: float | None) -> str:
    if readers == 1:
        return notes.ONE_READER
    if not by_all.any():
        return notes.OTHER_IMAGES
    if not complete.any():
        return notes.NO_COMMON_ANSWERS
    return notes.ONE_ANSWER if kappa is None else ""


def _confusion(part: Part, codes: np.ndarray, given: np.ndarray) -> Confusion:
    """Answers [J, n] by truth to what was given, pooled; the last column counts missing ones."""
    columns = (*(key for key in DISEASE_KEYS if key in part.choices), NO_ANSWER)
    place = np.full(len(DISEASE_KEYS) + 1, len(columns) - 1, np.intp)
    for column, key in enumerate(columns[:-1]):
        place[DISEASE_KEYS.index(key)] = column
    truth = np.broadcast_to(part.truth, codes.shape)
    counts = np.bincount(
        (truth * len(columns) + place[codes])[given], minlength=len(DISEASE_KEYS) * len(columns)
    ).reshape(len(DISEASE_KEYS), len(columns))
    photos = Truth.of([image.truth for image in part.images], DISEASE_KEYS).photos
    present = [row for row, key in enumerate(DISEASE_KEYS) if photos[key]]
    return Confusion(
        tuple(DISEASE_KEYS[row] for row in present), columns, tuple(map(tuple, counts[present].tolist()))
    )


def _most_missed(part: Part, who: Session) -> list[dict[str, Any]]:
    """The images that most readers got wrong, with what they said and what the model said."""
    wrong = ((who.codes != part.truth) & who.given).sum(0)
    argmax = part.argmax
    worst = [int(place) for place in np.argsort(-wrong, kind="stable")[:MISSED_SHOWN] if wrong[place]]
    found = []
    for place in worst:
        given = who.given[:, place]
        answers = np.bincount(who.codes[given, place] + 1, minlength=len(DISEASE_KEYS) + 1)
        said = {
            key: int(answers[column + 1]) for column, key in enumerate(DISEASE_KEYS) if answers[column + 1]
        }
        found.append(
            {
                "image": part.images[place].name,
                "truth": part.images[place].truth,
                "wrong": int(wrong[place]),
                "of": int(given.sum()),
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
            right = (who.codes == part.truth)[:, chosen][who.given[:, chosen]]
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
