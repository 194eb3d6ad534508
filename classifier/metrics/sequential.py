"""Looking at a share after every new case, for as long as one likes, with false alarms bounded. Pure.

Cases come one after another; each is a hit or not. Held against is that every case, given those before it, is a hit
with a probability of at least its ``reference`` p. For a factor f < 1 the product over cases s..t of (f for a hit,
(1 - f p) / (1 - p) for a miss) is then a supermartingale: it is fair at p and loses where hits are more frequent. The
evidence is a mixture of them, over the factors of a fixed grid with equal weights (Robbins' method of mixtures) and
over the case s from which on the share may have fallen, with the weights 1 / (s (s + 1)), which sum to 1:

    M_t = mean over f of sum over s <= t of w_s K_s..t(f), plus 1 / (t + 1) for the cases that are still to come

M is a nonnegative supermartingale that begins at 1, so the probability that it EVER reaches 1 / alpha is at most alpha:
Ville 1939, Étude critique de la notion de collectif. An alarm at that value is therefore false in at most a share alpha
of all records, however many cases they have and however often they are looked at. Betting on the mean of bounded
values: Waudby-Smith and Ramdas 2024 (J R Stat Soc B 86:1, doi 10.1093/jrsssb/qkad009); e-processes: Ramdas, Grünwald,
Vovk, Shafer 2023 (Stat Sci 38:576, doi 10.1214/23-STS894). Mixing over the beginning of a change keeps what was won
by many good cases from having to be lost first, as e-detectors do: Shin, Ramdas, Rinaldo 2023 (arXiv 2203.03532).
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import scipy

# The alternatives: the share has fallen to f of its reference.
FACTORS = np.arange(1, 20) / 20
# A reference nearer to 0 or to 1 cannot be held against: every miss would be an alarm.
LEAST_REFERENCE, MOST_REFERENCE = 0.05, 0.995
# Evidence is not counted further than this; it is far above any alarm.
_MOST = 1e100


def lower_limit(count: int, of: int, risk: float) -> float:
    """What the share is below with a probability of at most ``risk``, whatever it is, once ``count`` of ``of``
    independent ones are known: the exact one-sided limit (Clopper and Pearson 1934, Biometrika 26:404)."""
    return float(scipy.special.betaincinv(count, of - count + 1, risk)) if count else 0.0


@dataclass(frozen=True)
class Evidence:
    """What ``cases``, of them ``hits``, say against the reference. ``sums`` [factors]: those weighted products.

    ``highest``: the most that the evidence has been after any case.
    """

    cases: int = 0
    hits: int = 0
    sums: tuple[float, ...] = (0.0,) * len(FACTORS)
    highest: float = 1.0

    @property
    def value(self) -> float:
        """M: 1 at the beginning, the greater the more speaks against the reference."""
        return float(np.mean(self.sums)) + 1 / (self.cases + 1)

    def after(self, hit: bool, reference: float) -> Self:
        """With one more case. ValueError for a reference that cannot be held against."""
        check(reference)
        cases = self.cases + 1
        sums = _step(np.array(self.sums), cases, np.array([hit]), reference)
        value = float(sums.mean()) + 1 / (cases + 1)
        return type(self)(cases, self.hits + bool(hit), tuple(map(float, sums)), max(self.highest, value))

    def to_json(self) -> dict[str, Any]:
        return {"cases": self.cases, "hits": self.hits, "sums": list(self.sums), "highest": self.highest}

    @classmethod
    def of_json(cls, kept: dict[str, Any] | None) -> Self:
        """What ``to_json`` gave; None: before the first case."""
        if not kept:
            return cls()
        return cls(kept["cases"], kept["hits"], tuple(kept["sums"]), kept["highest"])


def check(reference: float) -> None:
    """Raises ValueError for a reference that cannot be held against."""
    if not LEAST_REFERENCE <= reference <= MOST_REFERENCE:
        raise ValueError(f"a reference of {reference} is not from {LEAST_REFERENCE} to {MOST_REFERENCE}")


def _step(sums: np.ndarray, case: int, hit: np.ndarray, reference: float) -> np.ndarray:
    factor = np.where(hit, FACTORS, (1 - FACTORS * reference) / (1 - reference))
    return np.minimum((sums + 1 / (case * (case + 1))) * factor, _MOST)
