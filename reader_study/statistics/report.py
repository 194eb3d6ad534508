"""The whole report of a reader study as one dictionary that JSON can hold."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any

from classifier.metrics.groups import AS_BENIGN, AS_MALIGNANT
from classifier.metrics.plain import plain
from reader_study.statistics import changes, comparison, model, verdicts
from reader_study.statistics import endpoints as kinds
from reader_study.statistics.coded import AS_READ, MISSING_IS_WRONG, Part, Session, parts, together
from reader_study.statistics.design import MOST_MISSING, added, design
from reader_study.statistics.doubts import against_model, against_verdicts, doubts, of_endpoints
from reader_study.statistics.matched import matched
from reader_study.statistics.points import LEAST_CASES, LEAST_IMAGES
from reader_study.statistics.questions import questions, tests_of
from reader_study.statistics.sessions import session
from reader_study.statistics.small_sample import LEAST_READERS
from reader_study.statistics.tables import StudyTables, WholeSet
from reader_study.statistics.verdicts import FIRST_CHOICE, POINTS
from skinclinic.vocabulary.diseases import DISEASE_KEYS

FORMAT = 5
POLICIES = (AS_BENIGN, AS_MALIGNANT)
# Verdicts on the model.
_OF_MODEL = ("verdicts", "question_verdicts")
# What gives the results of functions, in their order.
Compute = Callable[[Sequence[Callable[[], Any]]], list[Any]]


def _one_by_one(parts: Sequence[Callable[[], Any]]) -> list[Any]:
    return [part() for part in parts]


@dataclass(frozen=True)
class Wishes:
    """How a report is to be made; see ``report``."""

    ak: str
    margin: float | None
    primary: tuple[str, ...]
    is_fixed: bool
    point: str
    thresholds: Mapping[str, float]


def report(
    tables: StudyTables,
    *,
    ak: str = AS_BENIGN,
    margin: float | None = None,
    endpoints: Sequence[str] = (),
    is_fixed: bool = False,
    operating_point: str = FIRST_CHOICE,
    thresholds: Mapping[str, float] | None = None,
    names_differ: bool = False,
    compute: Compute = _one_by_one,
) -> dict[str, Any]:
    """Every figure of the study, by dataset; the questions of all diseases also with the datasets together.

    ``ak``: where actinic keratosis goes when two groups are needed, "benign" or "malignant"; the alternative
    stands beside it. ``margin`` (0 to 1): non-inferiority of the model's balanced accuracy. ``endpoints``: the
    primary ones, which make up the families of Holm's correction (all diseases where none is named); every p is also
    given without correction. ``is_fixed``: endpoints, margin and the model were fixed in a protocol before the
    answers, without which nothing is concluded. ``operating_point``: what a conclusion on the model rests on, its
    "first_choice" or the protocol's "thresholds" by disease, which must be of another cohort. ``names_differ``: names
    that nearly match, as R1 and r1, are known to be of two; else nothing is concluded while there are such.
    ``compute``: calls the parts of the report, which need nothing of each other, side by side perhaps.
    """
    if ak not in POLICIES:
        raise ValueError(f"ak {ak!r} must be one of {', '.join(POLICIES)}")
    if margin is not None and not 0 <= margin <= 1:
        raise ValueError(f"margin {margin} must be from 0 to 1")
    if (point := operating_point.replace(" ", "_")) not in POINTS:
        raise ValueError(f"operating_point {operating_point!r} must be one of {', '.join(POINTS)}")
    if point != FIRST_CHOICE and not thresholds:
        raise ValueError("the operating point needs thresholds")
    primary = kinds.chosen(endpoints)
    family = kinds.of_model(primary) or DISEASE_KEYS
    wishes = Wishes(ak, margin, primary, is_fixed, point, thresholds or {})
    of_datasets = [partial(_dataset, part, tables.whole, wishes) for part in parts(tables)]
    of_all = [partial(_pooled, tables, wishes)] if len(of_datasets) > 1 else []
    computed = compute([*of_datasets, *of_all])
    datasets = {part.name: one for part, one in zip(parts(tables), computed, strict=False)}
    pooled: dict[str, Any] | None = computed[-1] if of_all else None
    groups = {answer.reader: answer.group for answer in tables.answers}
    has_model = tables.scores is not None
    doubted = [*doubts(tables, datasets), *of_endpoints(primary, datasets, has_model)]
    for name, one in datasets.items():
        if against_model(doubted, name):
            _open(one, _OF_MODEL, verdicts.SCORES_DOUBTED)
        if not names_differ and against_verdicts(doubted):
            _open(one, (*_OF_MODEL, "session_verdicts"), verdicts.NAMES_ALIKE)
    return plain(
        {
            "format": FORMAT,
            "settings": {
                "ak": ak,
                "margin": margin,
                "choices": tables.choices,
                "has_model": has_model,
                "has_whole": tables.whole is not None,
                # How to read the figures; pages and the methods paragraph say it in words.
                "missing_answers": "wrong",
                "rules": [MISSING_IS_WRONG, AS_READ],
                "primary": primary,
                "is_fixed": is_fixed,
                "operating_point": point,
                "thresholds": dict(thresholds or {}) or None,
                "differences": "later_minus_earlier",
                "most_missing": MOST_MISSING,
                "least_cases": LEAST_CASES,
                "least_images": LEAST_IMAGES,
                "least_readers": LEAST_READERS,
                "names_differ": names_differ,
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
            "doubts": doubted,
            "read_as": [note.to_json() for note in tables.notes if not note.is_doubt],
            "pooled": pooled,
        }
    )


def _open(dataset: dict[str, Any], kinds_of: Sequence[str], reason: str) -> None:
    """Nothing is concluded from what is doubted."""
    for kind in kinds_of:
        dataset[kind] = {of: verdicts.opened(found, reason) for of, found in dataset[kind].items()}


def _dataset(part: Part, whole: WholeSet | None, wishes: Wishes) -> dict[str, Any]:
    family = kinds.of_model(wishes.primary) or DISEASE_KEYS
    designs = {read.name: design(part, read) for read in part.sessions}
    diseases = model.diseases(part, wishes.ak, whole)
    limits = model.thresholds(diseases)

    def against(read: Session) -> dict[str, dict[str, Any]]:
        return comparison.ai_vs_readers(part, read, limits, wishes.margin, family, wishes.thresholds)

    tests = {read.name: against(read) for read in part.sessions}
    asked = _questions(part, wishes)
    found = {name: _verdicts(tests[name], asked, name, designs[name], wishes) for name in tests}
    sessions = {read.name: session(part, read) for read in part.sessions}
    return {
        "n": len(part.images),
        "design": designs,
        "diseases": diseases,
        **model.overall(part, limits),
        "sessions": sessions,
        "matched": matched(part, sessions),
        "ai_vs_readers": tests,
        "questions": asked,
        "verdicts": {name: {key: found[name][key] for key in DISEASE_KEYS} for name in found},
        "question_verdicts": {
            name: {key: one for key, one in found[name].items() if key not in DISEASE_KEYS} for name in found
        },
        "session_verdicts": _session_verdicts(part, asked, designs, wishes),
        "ai_vs_groups": {
            read.name: {
                group: against(read.of([one == group for one in read.groups]))
                for group in dict.fromkeys(read.groups)
            }
            for read in part.sessions
        },
        "compare": comparison.compare(part, kinds.of_model(wishes.primary) or DISEASE_KEYS),
        "changes": {
            f"{a.name}_vs_{b.name}": changes.between(part, a, b) for a, b in combinations(part.sessions, 2)
        },
        "mcnemar": {read.name: comparison.mcnemar(part, read) for read in part.sessions},
    }


def _questions(part: Part, wishes: Wishes) -> dict[str, dict[str, Any]]:
    return questions(part, wishes.ak, wishes.margin, wishes.point, wishes.thresholds)


def _verdicts(
    tests: dict[str, dict[str, Any]],
    asked: dict[str, dict[str, Any]],
    name: str,
    found: dict[str, Any],
    wishes: Wishes,
) -> dict[str, dict[str, Any]]:
    """On each disease and question, the model against the readers of the session ``name``. One family."""
    of_questions = {
        key: test for key, test in tests_of(asked, "ai_vs_readers", name) if key in kinds.OF_MODEL
    }
    primary = kinds.of_model(wishes.primary)
    return verdicts.verdicts(
        {**tests, **verdicts.of_questions(of_questions)},
        found,
        primary,
        wishes.margin,
        is_fixed=wishes.is_fixed,
        point=wishes.point,
        families=kinds.kinds(wishes.primary),
    )


def _session_verdicts(
    part: Part, asked: dict[str, dict[str, Any]], designs: dict[str, dict[str, Any]], wishes: Wishes
) -> dict[str, dict[str, Any]]:
    """On each question, by pair of sessions; every pair is a family of its own."""
    pairs = list(combinations((read.name for read in part.sessions), 2))
    return {
        f"{a}_vs_{b}": verdicts.of_sessions(
            dict(tests_of(asked, "compare", f"{a}_vs_{b}")),
            (designs[a], designs[b]),
            kinds.of_sessions(wishes.primary),
            is_fixed=wishes.is_fixed,
            families=len(pairs) * kinds.kinds(wishes.primary),
        )
        for a, b in pairs
    }


def _pooled(tables: StudyTables, wishes: Wishes) -> dict[str, Any]:
    """The questions of all datasets together, each image counting alike. ``strata``: how many images of each."""
    part = together(tables, "")
    return {
        "n": len(part.images),
        "strata": dict(Counter(image.dataset for image in tables.images)),
        "weights": "images",
        "questions": _questions(part, wishes),
    }
