"""Who is better: the model against readers, one session against another, the model against each reader."""

from collections.abc import Callable, Collection, Mapping
from itertools import combinations
from typing import Any

import numpy as np

from classifier.metrics import notes
from classifier.metrics.proportions import inside
from reader_study import mrmc
from reader_study.statistics import mcnemar as tests
from reader_study.statistics.coded import AS_READ, MISSING_IS_WRONG, Part, Session
from reader_study.statistics.points import too_few
from skinclinic.vocabulary.diseases import DISEASE_KEYS

BALANCED_ACCURACY = "balanced_accuracy"


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
    part: Part, session: Session, limits: dict[str, float], margin: float | None, family: Collection[str]
) -> dict[str, dict[str, Any]]:
    """By disease: the model that decides by its threshold, held fixed, against the readers of a session, and as
    ``argmax`` the model's first choice. Both with missing answers counted as wrong, and ``as_read``.

    Each reader is compared with the model on the images that the reader was given, or has answered.
    """
    who = session.who_read()
    who = who.of(who.given.any(1))
    found = {key: _ai(part, who, key, limits.get(key), margin) for key in DISEASE_KEYS}
    by_argmax = {key: one["argmax"] for key, one in found.items() if one["argmax"]}
    for ways in (found, by_argmax):
        add_holm(ways, family)
        add_holm({key: one[AS_READ] for key, one in ways.items() if one[AS_READ]}, family)
    return found


def _ai(part: Part, who: Session, key: str, limit: float | None, margin: float | None) -> dict[str, Any]:
    place = DISEASE_KEYS.index(key)
    shown = part.truth == place
    given = who.given.any(0)
    positives, negatives = int((given & shown).sum()), int((given & ~shown).sum())
    found = {
        "figure_of_merit": BALANCED_ACCURACY,
        "threshold": limit,
        **_against(None),
        "n_readers": len(who.readers),
        "n_positives": positives,
        "n_negatives": negatives,
        "too_few": too_few(positives, negatives),
        AS_READ: None,
        "argmax": None,
        "note": _why_not(part, who, key, shown),
    }
    if found["note"] or part.scores is None or part.argmax is None:
        return found
    by_threshold = _by_rules(who, key, shown, part.scores[:, place] > limit, margin)
    return found | by_threshold | {"argmax": _by_rules(who, key, shown, part.argmax == place, margin)}


def _by_rules(
    who: Session, key: str, shown: np.ndarray, decided: np.ndarray, margin: float | None
) -> dict[str, Any]:
    """The model that has ``decided`` [n] against the readers, by either way to count missing answers."""
    wrong, read = (_by_rule(who, key, shown, decided, margin, rule) for rule in (MISSING_IS_WRONG, AS_READ))
    return wrong | {AS_READ: read}


def _by_rule(
    who: Session, key: str, shown: np.ndarray, decided: np.ndarray, margin: float | None, rule: str
) -> dict[str, Any]:
    cells = who.cells(rule)
    able = (cells & shown).any(1) & (cells & ~shown).any(1)
    if not able.any():
        why = notes.missing_class(int((cells & shown).sum()), int((cells & ~shown).sum()))
        return _against(None) | {"n_readers": 0, "note": why or notes.OTHER_IMAGES}
    said, cells = who.codes[able] == DISEASE_KEYS.index(key), cells[able]
    readers = mrmc.balanced_accuracy(said, shown, cells)
    model = mrmc.balanced_accuracy(np.broadcast_to(decided, said.shape), shown, cells)
    found = mrmc.ai_against_readers(model, readers, margin=margin)
    return _against(found) | {"n_readers": int(able.sum())}


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


def _against(found: mrmc.AiAgainstReaders | None) -> dict[str, Any]:
    if found is None:
        nothing = ("ai", "readers_mean", "difference", "ci", "t", "df", "p", "se", "ms_r", "cov2")
        return dict.fromkeys((*nothing, "non_inferiority")) | {"note": ""}
    return {
        "ai": found.ai,
        "readers_mean": found.readers_mean,
        "difference": found.difference,
        "ci": inside(found.low, found.high),
        "t": found.t,
        "df": found.df,
        "p": found.p,
        "se": found.se,
        "ms_r": found.ms_r,
        "cov2": found.cov2,
        "non_inferiority": found.non_inferiority,
        "note": found.note,
    }


# One session against another


def compare(part: Part, family: Collection[str]) -> dict[str, dict[str, Any]]:
    """By pair of sessions and disease: sensitivity and specificity of those who read both, RRRC; with missing
    answers counted as wrong, and ``as_read``. Differences are those of the later minus the earlier session."""
    return {f"{a.name}_vs_{b.name}": _sessions(part, a, b, family) for a, b in combinations(part.sessions, 2)}


def _sessions(part: Part, a: Session, b: Session, family: Collection[str]) -> dict[str, dict[str, Any]]:
    a, b = a.who_read(), b.who_read()
    both = [reader for reader in a.readers if reader in b.readers]
    a, b = (one.of(np.array([one.readers.index(reader) for reader in both], np.intp)) for one in (a, b))
    found = {key: _pair(part, a, b, key) for key in DISEASE_KEYS}
    for name in ("sensitivity", "specificity"):
        shares = {key: one[name] for key, one in found.items()}
        add_holm(shares, family)
        add_holm({key: one[AS_READ] for key, one in shares.items()}, family)
    return found


def _pair(part: Part, a: Session, b: Session, key: str) -> dict[str, dict[str, Any]]:
    shown = part.truth == DISEASE_KEYS.index(key)
    return {
        "sensitivity": _both_rules(part, a, b, key, shown, mrmc.sensitivity, notes.NO_POSITIVES),
        "specificity": _both_rules(part, a, b, key, ~shown, mrmc.specificity, notes.NO_NEGATIVES),
    }


def _both_rules(
    part: Part, a: Session, b: Session, key: str, among: np.ndarray, merit: Callable[..., mrmc.Merit], missing: str
) -> dict[str, Any]:  # fmt: skip
    wrong, read = (
        _share(part, a, b, key, among, merit, missing, rule) for rule in (MISSING_IS_WRONG, AS_READ)
    )
    return wrong | {AS_READ: read}


def _share(
    part: Part, a: Session, b: Session, key: str, among: np.ndarray, merit: Callable[..., mrmc.Merit], missing: str,
    rule: str,
) -> dict[str, Any]:  # fmt: skip
    """On the images that a reader was given, or has answered, in both sessions."""
    cells = a.cells(rule) & b.cells(rule)
    able = (cells & among).any(1)
    n_cases = int((cells & among).any(0).sum())
    found = _nothing() | {"n_readers": int(able.sum()), "n_cases": n_cases, "too_few": too_few(n_cases)}
    if not a.readers:
        return found | {"note": notes.OTHER_READERS if part.by_design else notes.NO_ANSWERS}
    if key not in part.choices:
        return found | {"note": notes.NOT_A_CHOICE}
    if not able.any():
        return found | {"note": missing if cells.any() or not among.any() else notes.NO_COMMON_IMAGES}
    place = DISEASE_KEYS.index(key)
    said = np.stack([one.codes[able] == place for one in (a, b)])
    return found | _difference(merit(said, part.truth == place, cells[able]))


def _nothing() -> dict[str, Any]:
    names = ("a", "b", "difference", "ci", "f", "df1", "df2", "p", "frrc", "components")
    return dict.fromkeys(names) | {"note": ""}


def _difference(both: mrmc.Merit) -> dict[str, Any]:
    """Of two sessions [2, J], later - earlier."""
    first, second = (float(one) for one in both.value.mean(1))
    found: dict[str, Any] = {"a": first, "b": second, "difference": second - first}
    if both.deviations is None:
        return found | {"note": notes.ONE_IN_CLASS}
    # The later session first, for Obuchowski and Rockette's pairs are first - second.
    analysis = mrmc.compare(both[::-1])
    rrrc, frrc = analysis.pairs[0].rrrc, analysis.pairs[0].frrc
    return found | {
        "ci": inside(rrrc.low, rrrc.high),
        "f": rrrc.f,
        "df1": rrrc.df1,
        "df2": rrrc.df2,
        "p": rrrc.p,
        "frrc": {"z": frrc.z, "p": frrc.p, "ci": inside(frrc.low, frrc.high), "note": frrc.note},
        "components": analysis.components,
        "note": rrrc.note,
    }


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
