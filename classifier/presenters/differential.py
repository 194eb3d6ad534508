"""What a result page says of 12 scores: which diseases are listed, in what order, in what words.

It knows neither rows nor requests, so a photo without a record is shown by the same pieces.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from classifier.metrics.listing import is_listed
from classifier.services.models.promises import Promise
from skinclinic.presenters import scores
from skinclinic.vocabulary.diseases import DISEASES, MALIGNANT_KEYS, Disease
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext

# From this share on, "not among these 12" is said before the scores.
LARGE_BACKGROUND = 0.5
LOG_FLOOR = 1e-4
KEY_CAPS = dict(zip((disease.key for disease in DISEASES), "1234567890-=", strict=True))

# Each axis maps a probability to a share of the bar's length. The even one is the first choice: half as long is half as
# much. Thresholds are often below 0.01, which it crams into its first pixels; the others show those.
_AXES = {
    "root": (math.sqrt, (0, 0.01, 0.1, 0.25, 0.5, 1)),
    "even": (lambda score: score, (0, 0.25, 0.5, 0.75, 1)),
    "log": (
        lambda score: 1 - math.log10(max(score, LOG_FLOOR)) / math.log10(LOG_FLOOR),
        (0.0001, 0.001, 0.01, 0.1, 1),
    ),
}
DEFAULT_AXIS = "even"


@dataclass(frozen=True)
class Place:
    """Where a probability lies on each axis, as SVG lengths ("34.20%")."""

    root: str
    even: str
    log: str


@dataclass(frozen=True)
class Tick:
    """One mark of an axis: its number, where it lies, and the text anchor that keeps it inside."""

    text: str
    place: str
    anchor: str


@dataclass(frozen=True)
class Row:
    """One disease of the result. ``place``: its place (from 0) in the fixed order, ``key_cap`` the key of that
    place; ``basis``: what its threshold was measured on, where the manifest says so; ``unpromised``: that the
    thresholds promise nothing of it, where they do of others."""

    disease: Disease
    name: str
    place: int
    key_cap: str
    score: float
    threshold: float | None
    listed: bool
    basis: str = ""
    unpromised: str = ""

    # Worked out where they are shown: a card shows three of the 12 rows, and no bars.

    @property
    def score_text(self) -> str:
        return score_text(self.score, beside=self.threshold)

    @property
    def bar(self) -> Place:
        return _place(self.score)

    @property
    def threshold_text(self) -> str:
        return "" if self.threshold is None else limit_text(self.threshold)

    @property
    def tick(self) -> Place | None:
        """Where its threshold lies."""
        return None if self.threshold is None else _place(self.threshold)


@dataclass(frozen=True)
class ThresholdFacts:
    """What is known of the thresholds in use. ``promise``: of those that cover the truth."""

    name: str
    purpose: str = ""
    cohort: str = ""
    n: int | None = None
    date: str = ""
    auc: float | None = None
    optimistic: bool = False
    basis: Mapping[str, str] = field(default_factory=dict)
    promise: Promise | None = None


@dataclass(frozen=True)
class ResultView:
    """A result in words and places. ``rows`` are all 12: listed ones first, each group by score."""

    rows: tuple[Row, ...]
    thresholds: ThresholdFacts | None
    malignant_sum: float
    malignant_text: str
    background: float | None
    background_percent: int | None
    background_text: str
    background_is_large: bool
    warnings: tuple[str, ...]
    # Why the answer does not count, so that nothing is listed: see metrics.counting.
    set_aside: str = ""

    @cached_property
    def listed(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.listed)

    @property
    def verdict(self) -> str:
        """How many candidates are above their thresholds, in words; "" where there are no thresholds."""
        if self.set_aside:
            return _("Not listed: the answer to this photo does not count")
        if self.listed:
            count = len(self.listed)
            return ngettext(
                "%(n)s candidate above its threshold", "%(n)s candidates above their thresholds", count
            ) % {"n": count}
        return _("No candidate above its threshold") if self.thresholds else ""

    @property
    def axes(self) -> dict[str, tuple[Tick, ...]]:
        return AXES


def is_large(background: float | None) -> bool:
    """Whether so much goes to "not among these 12" that it is said before the scores."""
    return background is not None and background >= LARGE_BACKGROUND


def result_view(
    scores: Mapping[str, float],
    thresholds: Mapping[str, float],
    *,
    facts: ThresholdFacts | None = None,
    background: float | None = None,
    quality: Mapping | None = None,
    set_aside: str = "",
    language: str = "en",
) -> ResultView:
    """Describe ``scores`` ({disease key: probability} over the 12) against ``thresholds``.

    ``background`` is None for a model without background classes. ``quality`` is Quality.to_json(). With
    ``set_aside`` nothing is listed.
    """
    limits = {} if set_aside else thresholds
    known = None if set_aside else facts
    rows = [
        _row(place, disease, scores[disease.key], limits.get(disease.key), known, language)
        for place, disease in enumerate(DISEASES)
    ]
    rows.sort(key=lambda row: (not row.listed, -row.score))
    malignant = sum(scores[key] for key in MALIGNANT_KEYS)
    return ResultView(
        rows=tuple(rows),
        thresholds=facts,
        malignant_sum=malignant,
        malignant_text=score_text(malignant),
        background=background,
        background_percent=None if background is None else round(background * 100),
        background_text="" if background is None else score_text(background),
        background_is_large=is_large(background),
        warnings=tuple(quality["warnings"]) if quality else (),
        set_aside=set_aside,
    )


def _row(
    place: int,
    disease: Disease,
    score: float,
    threshold: float | None,
    facts: ThresholdFacts | None,
    language: str,
) -> Row:
    promise = facts.promise if facts else None
    return Row(
        disease=disease,
        name=disease.name(language),
        place=place,
        key_cap=KEY_CAPS[disease.key],
        score=score,
        threshold=threshold,
        listed=threshold is not None and bool(is_listed(score, threshold)),
        basis=facts.basis.get(disease.key, "") if facts and not promise else "",
        unpromised=promise.short_of.get(disease.key, "") if promise else "",
    )


def score_text(score: float, *, beside: float | None = None) -> str:
    """A score as it is written everywhere, but for one that stands beside a threshold as small as itself."""
    if beside is not None and beside < 0.001 and LOG_FLOOR <= score < 0.001:
        return _significant(score)
    return scores.score_text(score)


def limit_text(threshold: float) -> str:
    """A threshold as it is written everywhere; below 0 is one that every score exceeds."""
    return "<0" if threshold < 0 else _significant(threshold)


def _significant(value: float) -> str:
    """Two significant digits without an exponent: 0.35, 0.012, 0.0003."""
    if value <= 0:
        return "0"
    return f"{value:.{max(2, 1 - math.floor(math.log10(value)))}f}".rstrip("0").rstrip(".")


def _place(score: float) -> Place:
    return Place(**{name: _percent(scale(score)) for name, (scale, _marks) in _AXES.items()})


def _percent(share: float) -> str:
    return f"{100 * min(max(share, 0.0), 1.0):.2f}%"


def _ticks(scale, marks) -> tuple[Tick, ...]:
    anchors = ["start", *["middle"] * (len(marks) - 2), "end"]
    return tuple(
        Tick(f"{mark:g}" if mark >= LOG_FLOOR else "0", _percent(scale(mark)), anchor)
        for mark, anchor in zip(marks, anchors, strict=True)
    )


AXES = {name: _ticks(scale, marks) for name, (scale, marks) in _AXES.items()}
