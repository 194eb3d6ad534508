"""The whole report of a reader study as one dictionary that JSON can hold."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from classifier.metrics.groups import AS_BENIGN, AS_MALIGNANT
from classifier.metrics.plain import plain
from reader_study.statistics import changes, comparison, model
from reader_study.statistics.coded import Part, parts
from reader_study.statistics.sessions import session
from reader_study.statistics.tables import StudyTables, WholeSet
from skinclinic.vocabulary.diseases import DISEASE_KEYS

FORMAT = 1
POLICIES = (AS_BENIGN, AS_MALIGNANT)


def report(
    tables: StudyTables,
    *,
    ak: str = AS_BENIGN,
    margin: float | None = None,
    endpoints: Sequence[str] = DISEASE_KEYS,
) -> dict[str, Any]:
    """Every figure of the study, by dataset.

    ``ak``: where actinic keratosis goes when two groups are needed, "benign" or "malignant"; the alternative
    stands beside it. ``margin`` (0 to 1): non-inferiority of the model's balanced accuracy. ``endpoints``: the
    diseases that make up the families of Holm's correction; every p is also given without correction.
    """
    if ak not in POLICIES:
        raise ValueError(f"ak {ak!r} must be one of {', '.join(POLICIES)}")
    if margin is not None and not 0 <= margin <= 1:
        raise ValueError(f"margin {margin} must be from 0 to 1")
    family = tuple(key for key in DISEASE_KEYS if key in endpoints) or DISEASE_KEYS
    found = parts(tables)
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
            "datasets": {part.name: _dataset(part, tables.whole, ak, margin, family) for part in found},
        }
    )


def _dataset(
    part: Part, whole: WholeSet | None, ak: str, margin: float | None, family: tuple[str, ...]
) -> dict[str, Any]:
    diseases = model.diseases(part, ak, whole)
    limits = model.thresholds(diseases)
    return {
        "n": len(part.images),
        "diseases": diseases,
        **model.overall(part, limits),
        "sessions": {read.name: session(part, read) for read in part.sessions},
        "ai_vs_readers": {
            read.name: comparison.ai_vs_readers(part, read, limits, margin, family) for read in part.sessions
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
