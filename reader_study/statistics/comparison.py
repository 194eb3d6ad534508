"""Who is better: the model against readers, one session against another, the model against each reader."""

from collections.abc import Collection, Mapping
from itertools import combinations
from types import MappingProxyType
from typing import Any

import numpy as np

from classifier.metrics import mcnemar as tests
from classifier.metrics import notes
from classifier.metrics.listing import is_listed
from reader_study import mrmc
from reader_study.statistics import by_design, one_shot, patterns
from reader_study.statistics.by_design import BALANCED_ACCURACY, SENSITIVITY, SPECIFICITY
from reader_study.statistics.coded import AS_READ, MISSING_IS_WRONG, Part, Session, other_readers, read_by
from reader_study.statistics.differences import (
    later_minus_earlier,
    model_by_design,
    model_minus_readers,
    no_model,
    no_pair,
)
from reader_study.statistics.points import too_few
from reader_study.statistics.small_sample import Right
from skinclinic.vocabulary.diseases import DISEASE_KEYS

_MERITS = {SENSITIVITY: mrmc.sensitivity, SPECIFICITY: mrmc.specificity}
AT_THRESHOLD = "at_threshold"


def holm(p_values: Mapping[str, float | None]) -> dict[str, float | None]:
    """Holm's adjusted p of a family of tests; those without a p are no part of it."""
    ordered = sorted((p, name) for name, p in p_values.items() if p is not None)
    adjusted: dict[str, float | None] = dict.fromkeys(p_values)
    highest = 0.0
    for place, (p, name) in enumerate(ordered):
        highest = max(highest, min(1.0, (len(ordered) - place) * p))
        adjusted[name] = highest
    return adjusted


def add_holm(tests: Mapping[str, dict[str, Any]], family: Collection[str], p: str = "p") -> None:
    """Put the adjusted p beside each test's own; None for what is not of the family."""
    adjusted = holm({name: test[p] for name, test in tests.items() if name in family})
    for name, test in tests.items():
        test[f"{p}_holm"] = adjusted.get(name)


# The model against readers


def ai_vs_readers(
    part: Part,
    session: Session,
    limits: dict[str, float],
    margin: float | None,
    family: Collection[str],
    fixed: Mapping[str, float] = MappingProxyType({}),
) -> dict[str, dict[str, Any]]:
    """By disease: the model that decides by its threshold of these images, held fixed, against the readers of a
    session, as ``argmax`` the model's first choice, and as ``at_threshold`` the one that decides by the ``fixed``
    thresholds of the protocol. Each with missing answers counted as wrong, and ``as_read``.

    Each reader is compared with the model on the images that the reader was given, or has answered.
    """
    who = session.who_read()
    who = who.of(who.given.any(1))
    found = {key: _ai(part, who, key, limits.get(key), margin, fixed) for key in DISEASE_KEYS}
    points = (
        {key: one[point] for key, one in found.items() if one[point]} for point in ("argmax", AT_THRESHOLD)
    )
    for ways in (found, *points):
        add_holm(ways, family)
        add_holm({key: one[AS_READ] for key, one in ways.items() if one[AS_READ]}, family)
    return found


def _ai(
    part: Part, who: Session, key: str, limit: float | None, margin: float | None, fixed: Mapping[str, float]
) -> dict[str, Any]:
    place = DISEASE_KEYS.index(key)
    shown = part.truth == place
    given = who.given.any(0)
    positives, negatives = int((given & shown).sum()), int((given & ~shown).sum())
    found = {
        "figure_of_merit": BALANCED_ACCURACY,
        "threshold": limit,
        **no_model(),
        "n_readers": len(who.readers),
        "n_positives": positives,
        "n_negatives": negatives,
        "too_few": too_few(positives, negatives),
        AS_READ: None,
        "argmax": None,
        "fixed_threshold": fixed.get(key),
        AT_THRESHOLD: None,
        "note": _why_not(part, who, key, shown),
    }
    if found["note"] or part.scores is None or part.argmax is None or limit is None:
        return found
    scores = part.scores[:, place]
    points = {"argmax": _by_rules(part, who, key, part.argmax == place, margin)}
    if key in fixed:
        points[AT_THRESHOLD] = _by_rules(part, who, key, is_listed(scores, fixed[key]), margin)
    return found | _by_rules(part, who, key, is_listed(scores, limit), margin) | points


def _by_rules(
    part: Part, who: Session, key: str, decided: np.ndarray, margin: float | None
) -> dict[str, Any]:
    """The model that has ``decided`` [n] against the readers, by either way to count missing answers."""
    wrong = _by_rule(part, who, key, decided, margin, MISSING_IS_WRONG)
    read = dict(wrong) if who.is_complete else _by_rule(part, who, key, decided, margin, AS_READ)
    return wrong | {AS_READ: read}


def _by_rule(
    part: Part, who: Session, key: str, decided: np.ndarray, margin: float | None, rule: str
) -> dict[str, Any]:
    shown = part.truth == DISEASE_KEYS.index(key)
    cells = who.cells(rule)
    able = (cells & shown).any(1) & (cells & ~shown).any(1)
    if not able.any():
        why = notes.missing_class(int((cells & shown).sum()), int((cells & ~shown).sum()))
        return no_model() | {"n_readers": 0, "note": why or notes.OTHER_IMAGES}
    said, cells = who.codes[able] == DISEASE_KEYS.index(key), cells[able]
    decided = np.broadcast_to(decided, said.shape)
    named = by_design.named(cells[None], who.given[able][None])
    if named["method"] == patterns.U_STATISTICS:
        found = model_by_design(
            by_design.kernel(BALANCED_ACCURACY, decided, shown, cells),
            by_design.kernel(BALANCED_ACCURACY, said, shown, cells),
            margin,
        )
    else:
        model, readers = (mrmc.balanced_accuracy(one, shown, cells) for one in (decided, said))
        right = Right(decided == shown, said == shown, cells, (shown, ~shown))
        found = model_minus_readers(model, readers, margin, part.patients, right=right)
    return found | named | {"n_readers": int(able.sum())}


def _why_not(part: Part, who: Session, key: str, shown: np.ndarray) -> str:
    if part.scores is None:
        return notes.NO_SCORES
    if not len(who.readers):
        return notes.NO_ANSWERS
    if key not in part.choices:
        return notes.NOT_A_CHOICE
    if note := notes.missing_class(int(shown.sum()), int((~shown).sum())):
        return note
    scores = part.scores[:, DISEASE_KEYS.index(key)]
    return notes.CONSTANT_SCORES if scores.min() == scores.max() else ""


# One session against another


def compare(part: Part, family: Collection[str]) -> dict[str, dict[str, Any]]:
    """By pair of sessions and disease: sensitivity and specificity of those who read both, RRRC; where each session
    has readers of its own, of all, by U-statistics. With missing answers counted as wrong, and ``as_read``.
    Differences are those of the later minus the earlier session."""
    return {f"{a.name}_vs_{b.name}": _sessions(part, a, b, family) for a, b in combinations(part.sessions, 2)}


def _sessions(part: Part, a: Session, b: Session, family: Collection[str]) -> dict[str, dict[str, Any]]:
    a, b = read_by(a, b)
    found = {key: _pair(part, a, b, key) for key in DISEASE_KEYS}
    for name in ("sensitivity", "specificity"):
        shares = {key: one[name] for key, one in found.items()}
        add_holm(shares, family)
        add_holm({key: one[AS_READ] for key, one in shares.items()}, family)
    return found


def _pair(part: Part, a: Session, b: Session, key: str) -> dict[str, dict[str, Any]]:
    shown = part.truth == DISEASE_KEYS.index(key)
    return {
        "sensitivity": _both_rules(part, a, b, key, shown, SENSITIVITY, notes.NO_POSITIVES),
        "specificity": _both_rules(part, a, b, key, ~shown, SPECIFICITY, notes.NO_NEGATIVES),
    }


def _both_rules(
    part: Part, a: Session, b: Session, key: str, among: np.ndarray, merit: str, missing: str
) -> dict[str, Any]:  # fmt: skip
    wrong = _share(part, a, b, key, among, merit, missing, MISSING_IS_WRONG)
    if a.is_complete and b.is_complete:
        return wrong | {AS_READ: dict(wrong)}
    read = _share(part, a, b, key, among, merit, missing, AS_READ)
    return wrong | {AS_READ: read}


def _share(
    part: Part, a: Session, b: Session, key: str, among: np.ndarray, merit: str, missing: str, rule: str
) -> dict[str, Any]:
    """On the images that a reader was given, or has answered, in both sessions. In a design that is not crossed, on
    all of either session; where no image is in both, that alone, as ``independent`` samples."""
    of_each = np.stack([a.cells(rule), b.cells(rule)])
    cells = np.asarray(of_each.all(0))
    able = np.asarray((cells & among).any(1))
    n_cases = int((cells & among).any(0).sum())
    found = no_pair() | {"n_readers": int(able.sum()), "n_cases": n_cases, "too_few": too_few(n_cases)}
    if not (a.read.any() and b.read.any()):
        return found | {"note": notes.NO_ANSWERS}
    if key not in part.choices:
        return found | {"note": notes.NOT_A_CHOICE}
    place = DISEASE_KEYS.index(key)
    said = np.stack([one.codes == place for one in (a, b)])
    named = by_design.named(of_each, np.stack([a.given, b.given]))

    def of_either() -> dict[str, Any]:
        def kernel(one: np.ndarray, read: np.ndarray) -> one_shot.Kernel:
            return by_design.kernel(merit, one, part.truth == place, read)

        return by_design.of_either(kernel, said, of_each, (among,))

    if other_readers(a, b):
        return found | named | (of_either() or {"note": missing})
    if not able.any():
        if cells.any() or not among.any():
            return found | {"note": missing}
        apart = of_either()
        return found | {"note": notes.NO_COMMON_IMAGES, "independent": named | apart if apart else None}
    if named["method"] == patterns.U_STATISTICS:
        return found | named | of_either()
    both = _MERITS[merit](said[:, able], part.truth == place, cells[able])
    return found | named | later_minus_earlier(both, part.patients, [(cells[able] & among).any(0)])


# The model against each reader


def mcnemar(part: Part, session: Session) -> dict[str, dict[str, Any]]:
    """By reader: images that the reader was given on which the model's one answer alone, or the reader's alone, was
    right; ``as_read`` without missing answers. Holm's family are the readers of the session.
    """
    found = {
        reader: _mcnemar(part, session, place if session.read[place] else None)
        for place, reader in enumerate(session.readers)
    }
    add_holm(found, tuple(found), "exact_p")
    add_holm({name: one[AS_READ] for name, one in found.items() if one[AS_READ]}, tuple(found), "exact_p")
    return found


def _mcnemar(part: Part, session: Session, place: int | None) -> dict[str, Any]:
    names = ("ai_only", "reader_only", "both", "neither", "exact_p", "corrected_p", AS_READ)
    found = dict.fromkeys(names)
    if part.argmax is None:
        return found | {"note": notes.NO_SCORES}
    if part.scores is not None and part.scores.min() == part.scores.max():
        return found | {"note": notes.CONSTANT_SCORES}
    if place is None or not session.given[place].any():
        return found | {"note": notes.NO_ANSWERS}
    ai = np.asarray(part.argmax == part.truth)
    reader = np.asarray(session.codes[place] == part.truth)
    given, answered = (session.cells(rule)[place] for rule in (MISSING_IS_WRONG, AS_READ))
    return _discordant(ai[given], reader[given]) | {AS_READ: _discordant(ai[answered], reader[answered])}


def _discordant(ai: np.ndarray, reader: np.ndarray) -> dict[str, Any]:
    ai_only, reader_only = int((ai & ~reader).sum()), int((~ai & reader).sum())
    return {
        "ai_only": ai_only,
        "reader_only": reader_only,
        "both": int((ai & reader).sum()),
        "neither": int((~ai & ~reader).sum()),
        "exact_p": tests.exact_p(ai_only, reader_only),
        "corrected_p": tests.corrected_p(ai_only, reader_only),
        "note": "" if ai_only + reader_only else notes.NO_DISCORDANT,
    }
