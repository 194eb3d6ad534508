"""How well readers agree with themselves: photos that came twice in one session, which count for nothing else."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from classifier.metrics.proportions import inside, proportion
from reader_study.statistics import agreement
from reader_study.statistics.points import too_few


@dataclass(frozen=True)
class Twice:
    """What a reader said of a photo the first and the second time; "" where there is no answer."""

    session: str
    reader: str
    group: str
    image: str
    first: str
    second: str


def agreement_with_self(pairs: Iterable[Twice]) -> dict[str, dict[str, Any]]:
    """By session: of each reader the share of photos that were answered alike and Cohen's kappa, and the mean of the
    readers with its interval over readers. Photos without both answers are counted and left out. Below LEAST_CASES
    photos, and where no answer differs, the large-sample interval of kappa would promise too much: there is none."""
    found: dict[str, dict[str, list[Twice]]] = {}
    for pair in pairs:
        found.setdefault(pair.session, {}).setdefault(pair.reader, []).append(pair)
    return {session: _session(of_reader) for session, of_reader in found.items()}


def _session(of_reader: dict[str, list[Twice]]) -> dict[str, Any]:
    readers = {name: _reader(pairs) for name, pairs in of_reader.items()}
    known = [one for one in readers.values() if one["photos"]]
    return {
        "readers": readers,
        "n_readers": len(known),
        "photos": sum(one["photos"] for one in known),
        "unanswered": sum(one["unanswered"] for one in readers.values()),
        "share": _mean([one["share"] for one in known], 0.0),
        "kappa": _mean([one["kappa"] for one in known if one["kappa"] is not None], -1.0),
    }


def _reader(pairs: Sequence[Twice]) -> dict[str, Any]:
    both = [pair for pair in pairs if pair.first and pair.second]
    same = proportion(sum(pair.first == pair.second for pair in both), len(both))
    names = {name: place for place, name in enumerate({one for p in both for one in (p.first, p.second)})}
    first, second = (np.array([names[getattr(p, one)] for p in both], np.intp) for one in ("first", "second"))
    kappa = agreement.cohen_estimate(first, second)
    # Where no answer differs, or too few were given, the large-sample interval would promise too much.
    is_known = kappa.value not in (None, 1) and kappa.low != kappa.high and not too_few(len(both))
    return {
        "group": pairs[0].group,
        "photos": len(both),
        "unanswered": len(pairs) - len(both),
        "same": same.count,
        "share": same.value,
        "share_ci": None if same.low is None else [same.low, same.high],
        "kappa": kappa.value,
        "kappa_ci": kappa.ci if is_known else None,
    }


def _mean(values: Sequence[float], least: float) -> dict[str, Any]:
    """The unweighted mean over readers with the interval of random readers."""
    if not values:
        return {"mean": None, "sd": None, "ci": None, "n_readers": 0}
    mean, n = float(np.mean(values)), len(values)
    if n < 2:
        return {"mean": mean, "sd": None, "ci": None, "n_readers": n}
    sd = float(np.std(values, ddof=1))
    half = float(scipy.special.stdtrit(n - 1, 0.975)) * sd / math.sqrt(n)
    return {"mean": mean, "sd": sd, "ci": inside(mean - half, mean + half, least), "n_readers": n}
