"""Who is better: the model against readers, one session against another, the model against each reader."""

from collections.abc import Collection, Mapping
from itertools import combinations
from typing import Any

import numpy as np

from classifier.metrics import notes
from reader_study import mrmc
from reader_study.statistics import mcnemar as tests
from reader_study.statistics.coded import Part, Session
from reader_study.statistics.points import merits
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
    """By disease: the model that decides by its threshold, held fixed, against the readers of a session."""
    who = session.who_read()
    found = {key: _ai(part, who, key, limits.get(key), margin) for key in DISEASE_KEYS}
    add_holm(found, family)
    return found


def _ai(part: Part, who: Session, key: str, limit: float | None, margin: float | None) -> dict[str, Any]:
    place = DISEASE_KEYS.index(key)
    shown = part.truth == place
    found = {
        "figure_of_merit": BALANCED_ACCURACY,
        "threshold": limit,
        "n_readers": len(who.readers),
        **_against(None),
        "argmax": None,
        "note": _why_not(part, who, key, shown),
    }
    if found["note"] or part.scores is None:
        return found
    readers = mrmc.balanced_accuracy(who.codes == place, shown)
    by_threshold = mrmc.balanced_accuracy(part.scores[:, place] > limit, shown)
    by_argmax = mrmc.balanced_accuracy(part.argmax == place, shown)
    return (
        found
        | _against(mrmc.ai_against_readers(by_threshold, readers, margin=margin))
        | {"argmax": _against(mrmc.ai_against_readers(by_argmax, readers, margin=margin))}
    )


def _why_not(part: Part, who: Session, key: str, shown: np.ndarray) -> str:
    if part.scores is None:
        return notes.NO_SCORES
    if not len(who.readers):
        return notes.NO_ANSWERS
    if key not in part.choices:
        return notes.NOT_A_CHOICE
    return notes.missing_class(int(shown.sum()), int((~shown).sum()))


def _against(found: mrmc.AiAgainstReaders | None) -> dict[str, Any]:
    if found is None:
        nothing = ("ai", "readers_mean", "difference", "ci", "t", "df", "p", "se", "ms_r", "cov2")
        return dict.fromkeys((*nothing, "non_inferiority")) | {"note": ""}
    return {
        "ai": found.ai,
        "readers_mean": found.readers_mean,
        "difference": found.difference,
        "ci": None if found.low is None else [found.low, found.high],
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
    """By pair of sessions and disease: sensitivity and specificity of those who read both, RRRC."""
    return {f"{a.name}_vs_{b.name}": _sessions(part, a, b, family) for a, b in combinations(part.sessions, 2)}


def _sessions(part: Part, a: Session, b: Session, family: Collection[str]) -> dict[str, dict[str, Any]]:
    a, b = a.who_read(), b.who_read()
    both = [reader for reader in a.readers if reader in b.readers]
    a, b = (one.of(np.array([one.readers.index(reader) for reader in both], np.intp)) for one in (a, b))
    found = {key: _pair(part, a, b, key) for key in DISEASE_KEYS}
    for name in ("sensitivity", "specificity"):
        add_holm({key: one[name] for key, one in found.items()}, family)
    return found


def _pair(part: Part, a: Session, b: Session, key: str) -> dict[str, dict[str, Any]]:
    note = ""
    if not a.readers:
        note = notes.NO_ANSWERS
    elif key not in part.choices:
        note = notes.NOT_A_CHOICE
    found = {}
    of_a, of_b = merits(a, part.truth, key), merits(b, part.truth, key)
    for name, missing in (("sensitivity", notes.NO_POSITIVES), ("specificity", notes.NO_NEGATIVES)):
        first, second = of_a[name], of_b[name]
        if note or first is None or second is None:
            found[name] = _difference(None, len(a.readers)) | {"note": note or missing}
        else:
            found[name] = _difference((first, second), len(a.readers))
    return found


def _difference(pair: tuple[mrmc.Merit, mrmc.Merit] | None, readers: int) -> dict[str, Any]:
    found = dict.fromkeys(("a", "b", "difference", "ci", "f", "df1", "df2", "p", "frrc", "components"))
    found |= {"n_readers": readers, "note": ""}
    if pair is None:
        return found
    first, second = pair
    means = [float(merit.value.mean()) for merit in pair]
    found |= {"a": means[0], "b": means[1], "difference": means[0] - means[1]}
    if first.deviations is None or second.deviations is None:
        return found | {"note": notes.ONE_IN_CLASS}
    both = mrmc.Merit(np.stack([first.value, second.value]), np.stack([first.deviations, second.deviations]))
    analysis = mrmc.compare(both)
    rrrc, frrc = analysis.pairs[0].rrrc, analysis.pairs[0].frrc
    return found | {
        "ci": None if rrrc.low is None else [rrrc.low, rrrc.high],
        "f": rrrc.f,
        "df1": rrrc.df1,
        "df2": rrrc.df2,
        "p": rrrc.p,
        "frrc": {
            "z": frrc.z,
            "p": frrc.p,
            "ci": None if frrc.low is None else [frrc.low, frrc.high],
            "note": frrc.note,
        },
        "components": analysis.components,
        "note": rrrc.note,
    }


# The model against each reader


def mcnemar(part: Part, session: Session) -> dict[str, dict[str, Any]]:
    """By reader: images on which the model's one answer alone, or the reader's alone, was right.

    Holm's family are the readers of the session.
    """
    found = {
        reader: _mcnemar(part, codes if has_read else None)
        for reader, codes, has_read in zip(session.readers, session.codes, session.read, strict=True)
    }
    add_holm(found, tuple(found), "exact_p")
    return found


def _mcnemar(part: Part, codes: np.ndarray | None) -> dict[str, Any]:
    found = dict.fromkeys(("ai_only", "reader_only", "both", "neither", "exact_p", "corrected_p"))
    if part.scores is None:
        return found | {"note": notes.NO_SCORES}
    if codes is None:
        return found | {"note": notes.NO_ANSWERS}
    ai, reader = part.argmax == part.truth, codes == part.truth
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
