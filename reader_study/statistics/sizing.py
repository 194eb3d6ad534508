"""How many readers and cases a comparison needs, before anything is read: Obuchowski and Rockette's model, as Hillis,
Obuchowski and Berbaum (Acad Radiol 2011;18:129) size a study by it.

What is known of the variances, stated or from a pilot study, is a ``Spread``. From it follow the power for J readers
and K cases and the smallest K for each J: readers and cases random (RRRC), readers fixed (FRRC), cases fixed (RRFC).
"""

import math
from dataclasses import dataclass

import numpy as np
import scipy

from classifier.metrics import notes
from classifier.metrics.proportions import proportion
from reader_study import mrmc
from skinclinic.archive.formats.problems import Said, _

RRRC, FRRC, RRFC = ANALYSES = ("rrrc", "frrc", "rrfc")
SESSIONS, MODEL = DESIGNS = ("sessions", "model")
ALPHA, POWER = 0.05, 0.8
LEAST_CASES, MOST_CASES = 2, 20_000
MOST_READERS = 200


class CannotSize(Said):
    """No study can be sized by these values; the message says why."""


@dataclass(frozen=True)
class Spread:
    """What moves a difference that J readers found on K cases. Its squared standard error is
    ``factor`` / J · [``readers`` + ``cases`` / K · (``own`` + (J - 1)·``shared``)].

    ``readers``: variance from reader to reader that no number of cases lessens; ``own``: error variance of one
    reader's difference for ``cases`` cases; ``shared``: the part of it that readers have in common, because they read
    the same cases. ``clipped`` names what came out negative in a pilot and counts as 0.
    """

    design: str
    readers: float
    own: float
    shared: float
    cases: int
    factor: int
    clipped: tuple[str, ...] = ()

    def variances(self, readers: int, cases: np.ndarray, analysis: str) -> tuple[np.ndarray, np.ndarray]:
        """The denominator of F, and the mean square within it from which its degrees of freedom come."""
        scale = self.cases / cases
        varied = 0.0 if analysis == FRRC else self.readers
        shared = 0.0 if analysis == RRFC else self.shared
        within = varied + scale * max(self.own - self.shared, 0.0)
        return within + readers * scale * shared, within


@dataclass(frozen=True)
class Power:
    """``df`` None is infinite (readers fixed) or there is no test; ``note`` says why there is no power."""

    readers: int
    cases: int
    analysis: str
    power: float | None
    noncentrality: float | None
    df: float | None
    note: str = ""


@dataclass(frozen=True)
class Size:
    """The fewest ``cases`` with which ``readers`` readers reach a power; None where no number up to MOST_CASES does.
    ``most_power``: what that many cases reach."""

    readers: int
    analysis: str
    cases: int | None
    power: float | None
    most_power: float | None
    note: str = ""


# What is known of the variances


def stated(
    design: str, var_error: float, rho1: float, rho2: float, rho3: float, var_readers: float, cases: int
) -> Spread:
    """From an error variance for ``cases`` cases and the correlations of errors: ``rho1`` same reader, other test;
    ``rho2`` other reader, same test; ``rho3`` both other. ``var_readers``: of tests within readers (TR) where sessions
    are compared, of readers (R) where the model is compared with them. Raises CannotSize."""
    for value in (var_error, var_readers):
        if not (math.isfinite(value) and value >= 0):
            raise CannotSize(
                _("A variance of %(value)s cannot be: it must not be negative."), value=f"{value:g}"
            )
    for value in (rho1, rho2, rho3):
        if not -1 <= value <= 1:
            raise CannotSize(_("A correlation of %(value)s must be from -1 to 1."), value=f"{value:g}")
    if cases < 1:
        raise CannotSize(_("The error variance must be that of one case at least."))
    found = _spread(
        design, var_error, rho1 * var_error, rho2 * var_error, rho3 * var_error, var_readers, cases
    )
    # A little more is rounding.
    if found.shared > found.own * (1 + 1e-9):
        raise CannotSize(
            _("These correlations cannot be: readers would share more error than each of them has.")
        )
    return found


def of_sessions(both: mrmc.Merit, cases: int) -> Spread:
    """From a pilot of two tests [2, J] on ``cases`` cases. ValueError where there is no variance to take."""
    if both.deviations is None or both.value.shape[1] < 2:
        raise ValueError("a pilot needs two readers, and two cases of each class")
    found = mrmc.components(both)
    assert found.var_tr is not None and found.cov1 is not None
    assert found.cov2 is not None and found.cov3 is not None
    # As RJafroc: a negative covariance left of the readers' is not taken off their variance.
    var_tr = found.var_tr - min(found.cov2 - found.cov3, 0.0)
    return _spread(SESSIONS, found.var, found.cov1, found.cov2, found.cov3, var_tr, cases)


def of_model(differences: mrmc.Merit, cases: int) -> Spread:
    """From a pilot of J readers minus the model [J], on ``cases`` cases. ValueError as above."""
    count = differences.value.size
    if differences.deviations is None or count < 2:
        raise ValueError("a pilot needs two readers, and two cases of each class")
    covariance = differences.covariance()
    var = float(np.trace(covariance)) / count
    cov2 = float(covariance.sum() - np.trace(covariance)) / (count * (count - 1))
    var_r = float(differences.value.var(ddof=1)) - var + max(cov2, 0.0)
    return _clipped(MODEL, {"var_r": var_r}, var, cov2, cases, 1)


def _spread(
    design: str, var: float, cov1: float, cov2: float, cov3: float, var_readers: float, cases: int
) -> Spread:
    if design == SESSIONS:
        return _clipped(SESSIONS, {"var_tr": var_readers}, var - cov1, cov2 - cov3, cases, 2)
    # The model is one more test with a reader of its own: the errors of two differences share the model's.
    return _clipped(MODEL, {"var_r": var_readers}, 2 * (var - cov3), var + cov2 - 2 * cov3, cases, 1)


def _clipped(
    design: str, readers: dict[str, float], own: float, shared: float, cases: int, factor: int
) -> Spread:
    parts = {**readers, "own": own, "shared": shared}
    below = tuple(name for name, value in parts.items() if value < 0)
    (varied,) = readers.values()
    return Spread(design, max(varied, 0.0), max(own, 0.0), max(shared, 0.0), cases, factor, below)


# Power and size


def power(
    spread: Spread, readers: int, cases: int, effect: float, analysis: str, *, alpha: float = ALPHA,
    margin: float | None = None,
) -> Power:  # fmt: skip
    """Of a true difference ``effect``, tested two-sided; with a ``margin``, of showing one-sided with half of
    ``alpha`` (as a two-sided interval does) that the difference lies above -margin."""
    check(effect, alpha, margin)
    found, noncentrality, df, note = _powers(
        spread, readers, np.array([cases]), effect, analysis, alpha, margin
    )
    if found is None:
        return Power(readers, cases, analysis, None, None, None, note)
    infinite = bool(np.isinf(df[0]))
    return Power(
        readers, cases, analysis, float(found[0]), float(noncentrality[0]), None if infinite else float(df[0])
    )


def size(
    spread: Spread, readers: int, effect: float, analysis: str, *, wanted: float = POWER, alpha: float = ALPHA,
    margin: float | None = None,
) -> Size:  # fmt: skip
    """The fewest cases with which ``readers`` readers reach the power ``wanted``."""
    check(effect, alpha, margin)
    if not 0 < wanted < 1:
        raise CannotSize(_("The power %(value)s must lie between 0 and 1."), value=f"{wanted:g}")
    least, most = LEAST_CASES, 1024
    last = None
    while least <= MOST_CASES:
        cases = np.arange(least, min(most, MOST_CASES) + 1)
        found, _noncentrality, _df, note = _powers(spread, readers, cases, effect, analysis, alpha, margin)
        if found is None:
            return Size(readers, analysis, None, None, None, note)
        if (enough := found >= wanted).any():
            place = int(enough.argmax())
            return Size(readers, analysis, int(cases[place]), float(found[place]), None)
        last = float(found[-1])
        least, most = most + 1, most * 8
    return Size(readers, analysis, None, None, last, notes.NO_SIZE)


def check(effect: float, alpha: float, margin: float | None) -> None:
    """Raises CannotSize for what no study can be sized by."""
    if not -1 <= effect <= 1:
        raise CannotSize(_("The difference %(value)s must be from -1 to 1."), value=f"{effect:g}")
    if not 0 < alpha < 1:
        raise CannotSize(_("Alpha %(value)s must lie between 0 and 1."), value=f"{alpha:g}")
    if margin is None and effect == 0:
        raise CannotSize(_("A difference of 0 cannot be shown. Give another, or a margin."))
    if margin is not None and not 0 <= margin <= 1:
        raise CannotSize(_("The margin %(value)s must be from 0 to 1."), value=f"{margin:g}")
    if margin is not None and effect + margin <= 0:
        raise CannotSize(
            _("A difference of %(effect)s does not lie above −%(margin)s: non-inferiority cannot be shown."),
            effect=f"{effect:g}",
            margin=f"{margin:g}",
        )


def _powers(
    spread: Spread, readers: int, cases: np.ndarray, effect: float, analysis: str, alpha: float,
    margin: float | None,
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray, str]:  # fmt: skip
    nothing = np.empty(0)
    if readers < 2 and analysis != FRRC:
        return None, nothing, nothing, notes.ONE_READER
    variance, within = spread.variances(readers, cases, analysis)
    if not variance.all():
        return None, nothing, nothing, notes.NO_VARIANCE
    if analysis == FRRC or not within.all():
        df = np.full(cases.shape, np.inf)
    else:
        df = variance**2 * (readers - 1) / within**2
    away = effect if margin is None else effect + margin
    distance = away / np.sqrt(spread.factor * variance / readers)
    if margin is None:
        return _two_sided(distance, df, alpha), distance**2, df, ""
    return _one_sided(distance, df, alpha / 2), distance**2, df, ""


def _two_sided(distance: np.ndarray, df: np.ndarray, alpha: float) -> np.ndarray:
    if np.isinf(df).any():
        limit = scipy.special.ndtri(1 - alpha / 2)
        both: np.ndarray = scipy.special.ndtr(distance - limit) + scipy.special.ndtr(-distance - limit)
        return both
    limit = scipy.special.stdtrit(df, 1 - alpha / 2)
    found: np.ndarray = np.clip(1 - scipy.special.ncfdtr(1, df, distance**2, limit**2), 0.0, 1.0)
    return found


def _one_sided(distance: np.ndarray, df: np.ndarray, alpha: float) -> np.ndarray:
    if np.isinf(df).any():
        above: np.ndarray = scipy.special.ndtr(distance - scipy.special.ndtri(1 - alpha))
        return above
    found: np.ndarray = np.clip(
        1 - scipy.special.nctdtr(df, distance, scipy.special.stdtrit(df, 1 - alpha)), 0.0, 1.0
    )
    return found


# The width of an interval


def expected_width(cases: int, share: float) -> float | None:
    """How wide Wilson's 95 % interval of a true ``share`` of ``cases`` is on average; None without a case."""
    if not 0 <= share <= 1:
        raise CannotSize(_("The sensitivity %(value)s must be from 0 to 1."), value=f"{share:g}")
    if cases < 1:
        return None
    counts = np.arange(cases + 1)
    # Beyond ten standard deviations a count adds nothing.
    middle, reach = cases * share, 10 * math.sqrt(cases * share * (1 - share)) + 1
    counts = counts[np.abs(counts - middle) <= reach]
    chances = _binomial(counts, cases, share)
    widths = np.array([_width(int(count), cases) for count in counts])
    return float(chances @ widths / chances.sum())


def _binomial(counts: np.ndarray, cases: int, share: float) -> np.ndarray:
    choose = (
        scipy.special.gammaln(cases + 1)
        - scipy.special.gammaln(counts + 1)
        - scipy.special.gammaln(cases - counts + 1)
    )
    chances: np.ndarray = np.exp(
        choose + scipy.special.xlogy(counts, share) + scipy.special.xlogy(cases - counts, 1 - share)
    )
    return chances


def _width(count: int, of: int) -> float:
    found = proportion(count, of)
    assert found.low is not None and found.high is not None
    return found.high - found.low
