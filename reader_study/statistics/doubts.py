"""What in a study's tables is allowed but looks like a mistake. ``services/results/doubt_texts.py`` says it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from classifier.metrics import notes
from reader_study.statistics.endpoints import BETWEEN_SESSIONS
from reader_study.statistics.rated_patterns import aucs
from reader_study.statistics.ratings import Ratings
from reader_study.statistics.score_columns import look_like_percent, look_like_shares
from reader_study.statistics.tables import StudyTables
from skinclinic.archive.formats.words.folding import bare
from skinclinic.vocabulary.diseases import DISEASE_KEYS

NAMES_ALIKE, CONSTANT, REVERSED, IN_PERCENT, COLUMNS_DIFFER, NO_THRESHOLD, UNREAD = (
    "names_alike", "constant_scores", "reversed_scores", "in_percent", "columns_differ", "no_threshold", "unread",
)  # fmt: skip
UNRATED, NO_ENDPOINT, NO_FIRST_CHOICE = "unrated", "no_endpoint", "no_first_choice"
LOW_CONFIDENCE = "low_confidence"
# Of so many confidences one would be above 1, had they been given from 0 to 100.
_ENOUGH_CONFIDENCES = 10
# A mean area below this is turned round rather than bad.
LEAST_AREA = 0.4
# Kinds of names by which it is known who read what; not groups, of which each reader is counted rightly still.
_WHO_READ_WHAT = ("readers", "sessions", "datasets", "images", "patients")
_WRONG_SCORES = (REVERSED, IN_PERCENT, COLUMNS_DIFFER, NO_FIRST_CHOICE)

Doubt = dict[str, Any]


def doubts(tables: StudyTables, datasets: Mapping[str, Mapping[str, Any]]) -> Iterator[Doubt]:
    """Each with its ``code`` and what it is about. ``datasets``: those of the report."""
    yield from of_tables(tables)
    for name, found in datasets.items():
        yield from _curves(name, found["diseases"])


def of_tables(tables: StudyTables) -> Iterator[Doubt]:
    """Those that can be had without computing anything."""
    yield from ({"code": UNREAD, **note.to_json()} for note in tables.notes if note.is_doubt)
    sure = [answer.confidence for answer in tables.answers if answer.confidence is not None]
    if len(sure) >= _ENOUGH_CONFIDENCES and max(sure) <= 1:
        yield {"code": LOW_CONFIDENCE, "n": len(sure)}
    named = {
        "readers": (answer.reader for answer in tables.answers),
        "sessions": (answer.session for answer in tables.answers),
        "groups": (answer.group for answer in tables.answers),
        "datasets": (image.dataset for image in tables.images),
        "images": (image.name for image in tables.images),
        "patients": (image.patient for image in tables.images if image.patient),
    }
    for kind, names in named.items():
        for alike in _alike(names):
            yield {"code": NAMES_ALIKE, "kind": kind, "names": alike}
    if tables.scores is not None:
        yield from _scales(tables, np.asarray(tables.scores, float))


def of_endpoints(
    primary: Iterable[str], datasets: Mapping[str, Mapping[str, Any]], has_model: bool
) -> Iterator[Doubt]:
    """Primary endpoints that nothing in the files answers."""
    for key in primary:
        if question := BETWEEN_SESSIONS.get(key):
            asked = any(
                question in found for one in datasets.values() for found in one["session_verdicts"].values()
            )
        else:
            asked = has_model
        if not asked:
            yield {"code": NO_ENDPOINT, "endpoint": key, "of_sessions": key in BETWEEN_SESSIONS}


def of_ratings(ratings: Ratings) -> Iterator[Doubt]:
    """Cases that nobody rated, names that nearly match, and tests whose readers rate the other way round."""
    if ratings.unrated:
        yield {"code": UNRATED, "names": list(ratings.unrated)}
    for kind in ("tests", "readers", "cases"):
        for names in _alike(getattr(ratings, kind)):
            yield {"code": NAMES_ALIKE, "kind": kind, "names": names}
    for name, values in zip(ratings.tests, ratings.values, strict=True):
        found = aucs(ratings.readers, values, ratings.truth).values()
        known = [area for area in found if area is not None]
        if known and (mean := sum(known) / len(known)) < LEAST_AREA:
            yield {"code": REVERSED, "dataset": name, "auc": mean, "diseases": []}


def against_verdicts(found: Iterable[Doubt]) -> bool:
    """Whether one of the doubts leaves open who read what, so that nothing may be concluded."""
    return any(one["code"] == NAMES_ALIKE and one["kind"] in _WHO_READ_WHAT for one in found)


def against_model(found: Iterable[Doubt], dataset: str) -> bool:
    """Whether the model's scores look so wrong that nothing may be concluded of it in this dataset."""
    return any(one["code"] in _WRONG_SCORES and one.get("dataset", dataset) == dataset for one in found)


def _curves(name: str, diseases: Mapping[str, Mapping[str, Any]]) -> Iterator[Doubt]:
    constant = [key for key, one in diseases.items() if one["auc_note"] == notes.CONSTANT_SCORES]
    if constant:
        yield {"code": CONSTANT, "dataset": name, "diseases": constant}
    ends = [
        key for key, one in diseases.items() if one["youden"] and not np.isfinite(one["youden"]["threshold"])
    ]
    if ends:
        yield {"code": NO_THRESHOLD, "dataset": name, "diseases": ends}
    known = {key: one["auc"] for key, one in diseases.items() if one["auc"] is not None and one["youden"]}
    if known and (mean := sum(known.values()) / len(known)) < LEAST_AREA:
        yield {"code": REVERSED, "dataset": name, "auc": mean, "diseases": list(known)}


def _scales(tables: StudyTables, scores: np.ndarray) -> Iterator[Doubt]:
    """Rows that sum up to a hundred times what other rows do, or diseases of which only some go beyond 1: some are in
    percent. None where all are."""
    flat = scores.min(1) == scores.max(1)
    if flat.any() and not flat.all():
        # What failed to compute and was filled: the first choice would be that of the fixed order.
        names = [tables.images[int(place)].name for place in np.flatnonzero(flat)]
        yield {"code": NO_FIRST_CHOICE, "names": names}
    if scores.min() < 0:
        return
    percent, shares = look_like_percent(scores), look_like_shares(scores)
    beyond = scores.max(0) > 1
    if beyond.any() and not beyond.all() and not (percent | shares).all():
        yield {
            "code": COLUMNS_DIFFER,
            "diseases": [key for key, is_beyond in zip(DISEASE_KEYS, beyond, strict=True) if is_beyond],
            "highest": float(scores.max()),
        }
    elif percent.any() and shares.any():
        few = percent if percent.sum() <= shares.sum() else shares
        yield {
            "code": IN_PERCENT,
            "percent": int(percent.sum()),
            "shares": int(shares.sum()),
            "is_percent": bool(few is percent),
            "images": [tables.images[int(place)].name for place in np.flatnonzero(few)[:5]],
        }


def _alike(names: Iterable[str]) -> list[list[str]]:
    """Names that differ by no more than case, form or leading zeros."""
    together: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        together.setdefault(bare(name), []).append(name)
    return [alike for alike in together.values() if len(alike) > 1]
