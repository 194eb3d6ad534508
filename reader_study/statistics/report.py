"""The whole report of a reader study as one dictionary that JSON can hold."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from classifier.metrics.groups import AS_BENIGN, AS_MALIGNANT
from classifier.metrics.plain import plain
from reader_study.statistics import changes, comparison, model
from reader_study.statistics.coded import AS_READ, MISSING_IS_WRONG, Part, parts
from reader_study.statistics.design import MOST_MISSING, added, design
from reader_study.statistics.points import LEAST_CASES
from reader_study.statistics.sessions import session
from reader_study.statistics.tables import StudyTables, WholeSet
from reader_study.statistics.verdicts import FIRST_CHOICE, POINTS, verdicts
from skinclinic.vocabulary.diseases import DISEASE_KEYS

FORMAT = 2
POLICIES = (AS_BENIGN, AS_MALIGNANT)


def report(
    tables: StudyTables,
    *,
    ak: str = AS_BENIGN,
    margin: float | None = None,
    endpoints: Sequence[str] = (),
    is_fixed: bool = False,
    thresholds: Mapping[str, float] | None = None,
    operating_point: str = FIRST_CHOICE,
) -> dict[str, Any]:
    """Every figure of the study, by dataset.

    ``ak``: where actinic keratosis goes when two groups are needed, "benign" or "malignant"; the alternative
    stands beside it. ``margin`` (0 to 1): non-inferiority of the model's balanced accuracy. ``endpoints``: the
    primary ones, which make up the families of Holm's correction (all diseases where none is named); every p is also
    given without correction. ``is_fixed``: endpoints, margin and the model were fixed in a protocol before the
    answers, without which nothing is concluded. ``thresholds``: of another cohort, by disease; ``operating_point``:
    whether conclusions rest on them or on the model's first choice.
    """
    if ak not in POLICIES:
        raise ValueError(f"ak {ak!r} must be one of {', '.join(POLICIES)}")
    if margin is not None and not 0 <= margin <= 1:
        raise ValueError(f"margin {margin} must be from 0 to 1")
    if operating_point not in POINTS:
        raise ValueError(f"operating_point {operating_point!r} must be one of {', '.join(POINTS)}")
    primary = tuple(key for key in DISEASE_KEYS if key in endpoints)
    family = primary or DISEASE_KEYS
    datasets = {
        part.name: _dataset(part, tables.whole, ak, margin, primary, is_fixed, thresholds, operating_point)
        for part in parts(tables)
    }
    groups = {answer.reader: answer.group for answer in tables.answers}
    return plain(
        {
            "format": FORMAT,
            "settings": {
                "ak": ak,
                "margin": margin,
                "choices": tables.choices,
                "has_model": tables.scores is not None,
                "has_whole": tables.whole is not None,
                # How to read the figures; pages and the methods paragraph say it in words.
                "missing_answers": "wrong",
                "rules": [MISSING_IS_WRONG, AS_READ],
                "primary": primary,
                "is_fixed": is_fixed,
                "operating_point": operating_point,
                "thresholds": thresholds,
                "differences": "later_minus_earlier",
                "most_missing": MOST_MISSING,
                "least_cases": LEAST_CASES,
                "covariance": "jackknife",
                "threshold": "youden_same_images",
                "argmax_among": "choices",
                "p_values": "not_adjusted",
                "adjusted_p_values": "holm",
                "holm_family": family,
                "confidence": 0.95,
            },
            "n": len(tables.images),
            "sessions": list(dict.fromkeys(answer.session for answer in tables.answers)),
            "groups": list(dict.fromkeys(groups.values())),
            "readers": groups,
            "design": {
                name: added(one["design"][name] for one in datasets.values())
                for name in next((one["design"] for one in datasets.values()), {})
            },
            "datasets": datasets,
        }
    )


def _dataset(
    part: Part,
    whole: WholeSet | None,
    ak: str,
    margin: float | None,
    primary: tuple[str, ...],
    is_fixed: bool,
    thresholds: Mapping[str, float] | None,
    operating_point: str,
) -> dict[str, Any]:
    family = primary or DISEASE_KEYS
    designs = {read.name: design(part, read) for read in part.sessions}
    diseases = model.diseases(part, ak, whole)
    limits = model.thresholds(diseases)
    against = {
        read.name: comparison.ai_vs_readers(part, read, limits, margin, family, thresholds)
        for read in part.sessions
    }
    return {
        "n": len(part.images),
        "design": designs,
        "diseases": diseases,
        **model.overall(part, limits),
        "sessions": {read.name: session(part, read) for read in part.sessions},
        "ai_vs_readers": against,
        "verdicts": {
            name: verdicts(
                tests, designs[name], primary, margin, is_fixed=is_fixed, operating_point=operating_point
            )
            for name, tests in against.items()
        },
        "ai_vs_groups": {
            read.name: {
                group: comparison.ai_vs_readers(
                    part, read.of([one == group for one in read.groups]), limits, margin, family
                )
                for group in dict.fromkeys(read.groups)
            }
            for read in part.sessions
        },
        "compare": comparison.compare(part, family),
        "changes": {
            f"{a.name}_vs_{b.name}": changes.between(part, a, b) for a, b in combinations(part.sessions, 2)
        },
        "mcnemar": {read.name: comparison.mcnemar(part, read) for read in part.sessions},
    }
