"""A crossover: what the order of the sessions did to the readers' accuracy.

Each reader gives the second minus the first period. Half the sum of both orders' means is what the period did, half
their difference what the session did, free of the period (Hills and Armitage 1979). Readers are random, photos fixed. A
carry-over from the first period cannot be told from either.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy

from classifier.metrics import notes
from classifier.metrics.proportions import inside
from reader_study.statistics.coded import AS_READ, MISSING_IS_WRONG, Part, Session


def periods(part: Part, orders: Mapping[str, tuple[str, ...]]) -> dict[str, Any] | None:
    """Of one dataset, of the readers who read in both periods. ``orders``: the two sessions of each reader in their
    order. None where there are not two sessions."""
    sessions = {session.name: session for session in part.sessions}
    both = {order for order in orders.values() if len(order) == 2 and set(order) <= set(sessions)}
    if not both:
        return None
    # Differences are those of the later session of the study minus the earlier.
    earlier, later = (name for name in sessions if name in next(iter(both)))
    return {"earlier": earlier, "later": later} | {
        rule: _by_rule(part, sessions, orders, (earlier, later), rule) for rule in (MISSING_IS_WRONG, AS_READ)
    }


def _by_rule(
    part: Part, sessions: Mapping[str, Session], orders: Mapping[str, tuple[str, ...]], names: tuple[str, str],
    rule: str,
) -> dict[str, Any]:  # fmt: skip
    found = {}
    for order in (names, names[::-1]):
        readers = [name for name, its in orders.items() if tuple(its) == order]
        values = np.array(
            [
                pair
                for reader in readers
                if None not in (pair := [_accuracy(part, sessions[name], reader, rule) for name in order])
            ],
            float,
        ).reshape(-1, 2)
        found[order] = values
    ahead, behind = (found[order][:, 1] - found[order][:, 0] for order in (names, names[::-1]))
    return {
        "orders": [
            {
                "order": list(order),
                "n_readers": len(values),
                "first": float(values[:, 0].mean()) if len(values) else None,
                "second": float(values[:, 1].mean()) if len(values) else None,
            }
            for order, values in found.items()
        ],
        "period": _effect(ahead, behind),
        "session": _effect(ahead, -behind),
    }


def _accuracy(part: Part, session: Session, reader: str, rule: str) -> float | None:
    if reader not in session.readers:
        return None
    place = session.readers.index(reader)
    cells = session.cells(rule)[place]
    if not session.read[place] or not cells.any():
        return None
    return float((session.codes[place] == part.truth)[cells].mean())


def _effect(one: np.ndarray, other: np.ndarray) -> dict[str, Any]:
    """Half the sum of two independent means, with the pooled variance."""
    nothing = {"value": None, "ci": None, "t": None, "df": None, "p": None, "note": notes.NO_ANSWERS}
    if not len(one) or not len(other):
        return nothing
    value, df = float(one.mean() + other.mean()) / 2, len(one) + len(other) - 2
    if df < 1:
        return nothing | {"value": value, "note": notes.ONE_READER}
    squares = sum(float(((values - values.mean()) ** 2).sum()) for values in (one, other))
    error = math.sqrt(squares / df * (1 / len(one) + 1 / len(other))) / 2
    half = float(scipy.special.stdtrit(df, 0.975)) * error
    found = {
        "value": value,
        "ci": inside(value - half, value + half),
        "df": df,
        "t": None,
        "p": None,
        "note": "",
    }
    if error:
        t = value / error
        found |= {"t": t, "p": float(2 * scipy.special.stdtr(df, -abs(t)))}
    return found
