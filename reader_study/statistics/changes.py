"""How readers' answers changed: from one session to another, or after the model's answer was shown."""

from typing import Any

import numpy as np

from classifier.metrics.mcnemar import exact_p
from reader_study.statistics.coded import MISSING, Part, Session


def within(who: Session, place: int, truth: np.ndarray) -> dict[str, Any] | None:
    """From a reader's first answer to the last in one session; None where no first answer is known."""
    if (who.first[place] == MISSING).all():
        return None
    return _changes(who.first[place], who.codes[place], truth)


def between(part: Part, a: Session, b: Session) -> dict[str, Any]:
    """Of each reader of both sessions what changed from ``a`` to ``b``, on images answered in both."""
    a, b = a.who_read(), b.who_read()
    found = {
        reader: {
            "group": a.groups[place],
            **_changes(a.codes[place], b.codes[b.readers.index(reader)], part.truth),
        }
        for place, reader in enumerate(a.readers)
        if reader in b.readers
    }
    totals = (
        "images",
        "right_both",
        "wrong_both",
        "right_to_wrong",
        "wrong_to_right",
        "wrong_to_other_wrong",
    )
    return {
        "readers": found,
        "total": {name: sum(one[name] for one in found.values()) for name in totals},
    }


def _changes(before: np.ndarray, after: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    both = (before != MISSING) & (after != MISSING)
    before, after, truth = before[both], after[both], truth[both]
    was, now = before == truth, after == truth
    n = len(truth)
    lost, gained = int((was & ~now).sum()), int((~was & now).sum())
    return {
        "images": n,
        "changed": int((before != after).sum()),
        "right_both": int((was & now).sum()),
        "wrong_both": int((~was & ~now).sum()),
        "right_to_wrong": lost,
        "wrong_to_right": gained,
        "wrong_to_other_wrong": int((~was & ~now & (before != after)).sum()),
        "accuracy_before": float(was.mean()) if n else None,
        "accuracy_after": float(now.mean()) if n else None,
        "exact_p": exact_p(lost, gained),
    }
