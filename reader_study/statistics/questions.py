"""The questions asked of all diseases together: which share was named rightly, was malignant told from benign, was a
biopsy taken of what is malignant. Readers, the model against readers, and sessions, for all readers and by group.

Every question comes down to who was right on which image (``question``).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

from classifier.metrics import notes
from classifier.metrics.groups import AS_BENIGN, AS_MALIGNANT
from classifier.metrics.proportions import proportion
from reader_study import mrmc
from reader_study.statistics import by_design, patterns
from reader_study.statistics.by_design import BALANCED_ACCURACY, SENSITIVITY, SPECIFICITY
from reader_study.statistics.coded import (
    AS_READ,
    MISSING,
    MISSING_IS_WRONG,
    Part,
    Session,
    other_readers,
    read_by,
)
from reader_study.statistics.differences import (
    later_minus_earlier,
    model_by_design,
    model_minus_readers,
    no_model,
    no_pair,
)
from reader_study.statistics.endpoints import ACCURACY, MALIGNANCY, MANAGEMENT
from reader_study.statistics.model import interval
from reader_study.statistics.points import clipped, too_few
from reader_study.statistics.question import Question, accuracy, malignancy, management
from reader_study.statistics.small_sample import Right
from reader_study.statistics.verdicts import FIRST_CHOICE

# By question; the first is what a conclusion rests on.
MERITS = {
    ACCURACY: (ACCURACY,),
    MALIGNANCY: (BALANCED_ACCURACY, SENSITIVITY, SPECIFICITY),
    MANAGEMENT: (BALANCED_ACCURACY, SENSITIVITY, SPECIFICITY),
}


def questions(
    part: Part,
    ak: str,
    margin: float | None = None,
    operating_point: str = FIRST_CHOICE,
    thresholds: Mapping[str, float] | None = None,
) -> dict[str, dict[str, Any]]:
    """Every question that was put to the readers. Of those that need two groups, the ``alternative`` place of actinic
    keratosis stands beside."""
    other = AS_MALIGNANT if ak == AS_BENIGN else AS_BENIGN

    def both(make: Callable[[str], Question]) -> dict[str, Any]:
        found, alternative = ({"ak": policy, **figures(make(policy), margin)} for policy in (ak, other))
        return found | {"alternative": alternative}

    asked = {
        ACCURACY: {"ak": None, **figures(accuracy(part), margin), "alternative": None},
        MALIGNANCY: both(lambda policy: malignancy(part, policy, operating_point, thresholds)),
    }
    if any((session.management != MISSING).any() for session in part.sessions):
        asked[MANAGEMENT] = both(lambda policy: management(part, policy))
    return asked


def figures(asked: Question, margin: float | None) -> dict[str, Any]:
    """Of one question."""
    positive = asked.positive
    sessions: list[Session] = list(asked.part.sessions)
    if asked.name == MANAGEMENT:
        # Who answered this has read, with or without a diagnosis.
        sessions = [
            replace(one, read=one.read | asked.answered(one).any(1))
            for one in sessions
            if asked.answered(one).any()
        ]
    return {
        "n": len(asked.part.truth),
        "n_positives": None if positive is None else int(positive.sum()),
        "n_negatives": None if positive is None else int((~positive).sum()),
        "model": _model(asked),
        "readers": {one.name: _by_group(one, lambda who: _readers(asked, who)) for one in sessions},
        "ai_vs_readers": {
            one.name: _by_group(one, lambda who: _against_model(asked, who, margin)) for one in sessions
        },
        "compare": {f"{a.name}_vs_{b.name}": _compared(asked, a, b) for a, b in combinations(sessions, 2)},
    }


def _by_group(session: Session, of: Callable[[Session], dict[str, Any]]) -> dict[str, Any]:
    """All readers who read anything in the session, and each group of them that has a name."""
    who = session.who_read()
    groups = {
        name: of(who.of([one == name for one in who.groups])) for name in dict.fromkeys(who.groups) if name
    }
    return {"all": of(who), "groups": groups}


def _model(asked: Question) -> dict[str, Any]:
    found: dict[str, Any] = {"note": asked.model_note}
    if asked.model is None:
        return found
    for merit in MERITS[asked.name]:
        shares = [proportion((asked.model & one).sum(), one.sum()) for one in asked.among(merit)]
        values = [share.value for share in shares]
        found[merit] = (
            None if None in values else float(np.mean([value for value in values if value is not None]))
        )
        # A mean of two shares has no Wilson's interval.
        found[f"{merit}_ci"] = interval(shares[0]) if len(shares) == 1 else None
    return found


def _both(
    asked: Question, sessions: Sequence[Session], of: Callable[[str], dict[str, Any]]
) -> dict[str, Any]:
    """By either way to count missing answers, which are one where nothing is missing."""
    wrong = of(MISSING_IS_WRONG)
    is_complete = all(not (who.given & ~asked.answered(who)).any() for who in sessions)
    return wrong | {AS_READ: dict(wrong) if is_complete else of(AS_READ)}


def _readers(asked: Question, who: Session) -> dict[str, Any]:
    return {merit: _both(asked, [who], partial(_mean, asked, who, merit)) for merit in MERITS[asked.name]}


def _mean(asked: Question, who: Session, merit: str, rule: str) -> dict[str, Any]:
    able, cells, note = _able(asked, merit, asked.cells(who, rule))
    found: dict[str, Any] = {"n_readers": int(able.sum()), "mean": None, "sd": None, "ci": None, "note": note}
    if note:
        return found
    values = asked.merit(merit, asked.right(who)[able], cells[able])
    single = mrmc.single(values)
    sd = float(values.value.std(ddof=1)) if values.value.size > 1 else None
    return found | {"mean": single.mean, "sd": sd, "ci": clipped(single), "note": single.note}


def _able(asked: Question, merit: str, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray, str]:
    """Readers who have a case of each class, and why nobody has."""
    classes = asked.among(merit)
    able = np.ones(len(cells), bool)
    for one in classes:
        able &= (cells & one).any(1)
    if able.any():
        return able, cells, ""
    if not len(cells) or not cells.any():
        return able, cells, notes.NO_ANSWERS
    lacking = [one.any() for one in asked.among(BALANCED_ACCURACY)]
    note = notes.missing_class(*map(int, lacking)) if len(lacking) > 1 else ""
    return able, cells, note or notes.OTHER_IMAGES


def _cases(asked: Question, merit: str, cells: np.ndarray) -> dict[str, Any]:
    """How many images of each class anybody has; a class of too few has no conclusion."""
    counts = [int((cells & one).any(0).sum()) for one in asked.among(merit)]
    return {"n_cases": sum(counts), "too_few": too_few(*counts, least=asked.least)}


def _against_model(asked: Question, who: Session, margin: float | None) -> dict[str, Any]:
    return {
        merit: _both(asked, [who], partial(_one_against, asked, who, merit, margin))
        for merit in MERITS[asked.name]
    }


def _one_against(
    asked: Question, who: Session, merit: str, margin: float | None, rule: str
) -> dict[str, Any]:
    able, cells, note = _able(asked, merit, asked.cells(who, rule))
    found = no_model() | {
        "n_readers": int(able.sum()),
        "missing_share": asked.missing_share(who),
        **_cases(asked, merit, cells),
    }
    if (note := asked.model_note or note) or asked.model is None:
        return found | {"note": note}
    cells = cells[able]
    model, readers = np.broadcast_to(asked.model, cells.shape), asked.right(who)[able]
    # The margin is one of accuracy and balanced accuracy.
    limit = margin if merit == MERITS[asked.name][0] else None
    named = by_design.named(cells[None], who.given[able][None])
    if named["method"] == patterns.U_STATISTICS:
        of_model, of_readers = (asked.kernel(merit, right, cells) for right in (model, readers))
        return found | named | model_by_design(of_model, of_readers, limit)
    one, other = (asked.merit(merit, right, cells) for right in (model, readers))
    right = Right(model, readers, cells, asked.among(merit))
    return found | named | model_minus_readers(one, other, limit, asked.part.patients, right=right)


def _compared(asked: Question, a: Session, b: Session) -> dict[str, Any]:
    """Those who read both sessions, or where each has readers of its own, all of them; later - earlier."""
    group_of_one = [
        name
        for name, is_one in zip(a.groups, a.read ^ b.read, strict=True)
        if is_one and (a.read & b.read).any()
    ]
    a, b = read_by(a, b)

    def of(chosen: np.ndarray, left_out: int) -> dict[str, Any]:
        one, other = a.of(chosen), b.of(chosen)
        return {
            merit: _both(asked, [one, other], partial(_one_pair, asked, one, other, merit))
            | {"n_of_one_session": left_out}
            for merit in MERITS[asked.name]
        }

    groups = {
        name: of(np.array([one == name for one in a.groups]), group_of_one.count(name))
        for name in dict.fromkeys(a.groups)
        if name
    }
    return {"all": of(np.ones(len(a.readers), bool), len(group_of_one)), "groups": groups}


def _one_pair(asked: Question, a: Session, b: Session, merit: str, rule: str) -> dict[str, Any]:
    of_each = np.stack([asked.cells(one, rule) for one in (a, b)])
    able, cells, note = _able(asked, merit, np.asarray(of_each.all(0)))
    found = no_pair() | {
        "n_readers": int(able.sum()),
        "missing_share": asked.missing_share(a, b),
        **_cases(asked, merit, cells),
    }
    if not (a.read.any() and b.read.any()):
        return found | {"note": notes.NO_ANSWERS}
    if has_own := other_readers(a, b):
        note = next(filter(None, (_able(asked, merit, cells)[2] for cells in of_each)), "")
    elif note == notes.NO_ANSWERS and a.readers and (a.given.any() or b.given.any()):
        note = notes.NO_COMMON_IMAGES
    if note:
        return found | {"note": note}
    right = np.stack([asked.right(one) for one in (a, b)])
    named = by_design.named(of_each, np.stack([a.given, b.given]))
    if has_own or named["method"] == patterns.U_STATISTICS:
        kernel_of = partial(asked.kernel, merit)
        return found | named | by_design.of_either(kernel_of, right, of_each, asked.among(merit), asked.least)
    classes = [(cells[able] & one).any(0) for one in asked.among(merit)]
    both = asked.merit(merit, right[:, able], cells[able])
    return found | named | later_minus_earlier(both, asked.part.patients, classes)


def tests_of(
    found: Mapping[str, Mapping[str, Any]], kind: str, name: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The test that a conclusion on each question rests on: of all readers, of the question's first figure.
    ``kind``: "ai_vs_readers" with a session's name, "compare" with a pair's."""
    for question, one in found.items():
        if name in one[kind]:
            yield question, one[kind][name]["all"][MERITS[question][0]]
