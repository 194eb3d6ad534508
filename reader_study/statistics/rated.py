"""AUCs of rated tests compared, as a dictionary that JSON can hold."""

from typing import Any

import numpy as np

from classifier.metrics import notes
from classifier.metrics.plain import plain
from classifier.metrics.proportions import inside
from reader_study import mrmc
from reader_study.statistics import nested_readers, patterns, rated_patterns
from reader_study.statistics.doubts import of_ratings
from reader_study.statistics.ratings import AiAndTests, AiRatings, Ratings, arranged


def compared(ratings: Ratings, method: str, margin: float | None = None) -> dict[str, Any]:
    """Compare the tests, or an AI with the readers of each test. ``method``: "jackknife" or "delong", of the
    covariance. ``margin``: of non-inferiority, of the AI or of the first of two tests.

    Obuchowski and Rockette's analysis stands above, U-statistics under "u_statistics". Of a design that is not
    crossed the former needs an AUC of each reader in each test, and is None with a note where it has none. What looks
    like a mistake in the file stands under "doubts".
    """
    found = arranged(ratings)
    result: dict[str, Any] = plain(_compared(found, method, margin) | {"doubts": list(of_ratings(ratings))})
    return result


def _compared(ratings: Ratings | AiRatings | AiAndTests, method: str, margin: float | None) -> dict[str, Any]:
    if isinstance(ratings, AiAndTests):
        return {
            "against": {one.test: _against(one, method, margin) for one in ratings.against},
            "between": _tests(ratings.tests, method, margin),
            "note": "",
        }
    if isinstance(ratings, AiRatings):
        return _against(ratings, method, margin)
    return _tests(ratings, method, margin)


def _tests(ratings: Ratings, method: str, margin: float | None) -> dict[str, Any]:
    design = rated_patterns.design(ratings)
    merits = [_merit(ratings, place, method) for place in range(len(ratings.tests))]
    found = {
        "figure_of_merit": "auc",
        "method": method,
        "design": design,
        "n_readers": len(ratings.readers),
        "n_pos": int(ratings.truth.sum()),
        "n_neg": int((~ratings.truth).sum()),
        "tests": {
            name: _test(ratings, place, merits[place]) for place, name in enumerate(ratings.tests)
        },
        "u_statistics": rated_patterns.of_tests(ratings, margin),
    }  # fmt: skip
    whole = [one for one in merits if one is not None]
    if len(whole) < len(merits):
        return found | _nothing(notes.NO_AUC_OF_A_READER)
    if design["pattern"] == patterns.READERS_IN_TESTS:
        return found | _nested(whole)
    if len({one.value.size for one in whole}) > 1 or not ratings.cells.any(2).all():
        return found | _nothing(notes.OTHER_READERS)
    return found | _crossed(ratings, whole, margin)


def _crossed(ratings: Ratings, merits: list[mrmc.Merit], margin: float | None) -> dict[str, Any]:
    """Each reader in each test, be it on the same cases or not."""
    deviations = [one.deviations for one in merits]
    values = mrmc.Merit(
        np.stack([one.value for one in merits]),
        None
        if any(one is None for one in deviations)
        else np.stack([one for one in deviations if one is not None]),
    )
    if values.deviations is None:
        return _nothing(notes.ONE_IN_CLASS)
    if len(ratings.tests) == 1:
        return {"components": mrmc.components(values), "components_note": notes.ONE_TEST}
    analysis = mrmc.compare(values, margin=margin)
    pairs = [
        {
            "tests": [ratings.tests[pair.first], ratings.tests[pair.second]],
            "difference": pair.difference,
            "rrrc": _f(pair.rrrc),
            "frrc": _z(pair.frrc),
            "rrfc": _f(pair.rrfc),
            "non_inferiority": pair.non_inferiority,
        }
        for pair in analysis.pairs
    ]
    if len(pairs) == 1:
        found: dict[str, Any] = {
            name: pairs[0][name] for name in ("difference", "rrrc", "frrc", "rrfc", "non_inferiority")
        }
    else:
        found = {
            "rrrc": _f(analysis.rrrc),
            "frrc": analysis.frrc,
            "rrfc": _f(analysis.rrfc),
            "pairs": pairs,
        }
    few = notes.ONE_READER if len(ratings.readers) == 1 else ""
    return found | {"components": analysis.components, "components_note": few}


def _nested(merits: list[mrmc.Merit]) -> dict[str, Any]:
    """Each test with readers of its own; of more than two tests there are the U-statistics."""
    if len(merits) != 2:
        return _nothing(notes.OTHER_READERS)
    found = nested_readers.difference(*merits)
    f = {
        "f": None if found.t is None else found.t**2,
        "df1": 1,
        "df2": found.df,
        "p": found.p,
        "ci": inside(found.low, found.high),
        "note": found.note,
    }
    return _nothing(notes.OTHER_READERS) | {"difference": found.value, "rrrc": f}


def _nothing(note: str) -> dict[str, Any]:
    """Without Obuchowski and Rockette's analysis."""
    names = ("difference", "rrrc", "frrc", "rrfc", "non_inferiority", "components")
    return dict.fromkeys(names) | {"components_note": note}


def _merit(ratings: Ratings, test: int, method: str) -> mrmc.Merit | None:
    """Of the readers of a test; None where one of them has rated cases of one class only."""
    cells = ratings.cells[test]
    cells, values = cells[cells.any(1)], ratings.values[test][cells.any(1)]
    if not ((cells & ratings.truth).any(1) & (cells & ~ratings.truth).any(1)).all():
        return None
    return mrmc.METHODS[method](values, ratings.truth, cells)


def _test(ratings: Ratings, place: int, merit: mrmc.Merit | None) -> dict[str, Any]:
    rated = ratings.cells[place].any(1)
    names = tuple(name for name, has in zip(ratings.readers, rated, strict=True) if has)
    return _mean(names, ratings.values[place][rated], ratings.truth, merit)


def _mean(
    readers: tuple[str, ...], values: np.ndarray, truth: np.ndarray, merit: mrmc.Merit | None
) -> dict[str, Any]:
    if merit is None:
        return {
            "auc_mean": None, "readers": rated_patterns.aucs(readers, values, truth), "se": None, "df": None,
            "ci": None, "note": notes.NO_AUC_OF_A_READER,
        }  # fmt: skip
    single = mrmc.single(merit)
    return {
        "auc_mean": single.mean,
        "readers": dict(zip(readers, merit.value.tolist(), strict=True)),
        "se": single.se,
        "df": single.df,
        "ci": inside(single.low, single.high, 0.0),
        "note": single.note,
    }


def _against(ratings: AiRatings, method: str, margin: float | None) -> dict[str, Any]:
    merit = mrmc.METHODS[method]
    both = ~np.isnan(ratings.values) & ~np.isnan(ratings.ai)
    truth = ratings.truth
    human = Ratings((ratings.test,), ratings.readers, ratings.cases, truth, ratings.values[None])
    of_ai = ~np.isnan(ratings.ai)
    ai_alone = float(merit(ratings.ai, truth, of_ai).value) if _two_classes(of_ai, truth) else None
    found = None
    if all(_two_classes(row, truth) for row in both):
        # On the same cases the AI is one value; else one for each reader, of what that reader has rated.
        is_crossed = bool((both == both[0]).all())
        rated, cells = (
            (ratings.ai, both[0]) if is_crossed else (np.broadcast_to(ratings.ai, both.shape), both)
        )
        found = mrmc.ai_against_readers(
            merit(rated, truth, cells), merit(ratings.values, truth, both), margin=margin
        )
    return {
        "figure_of_merit": "auc",
        "method": method,
        "design": rated_patterns.design(human),
        "n_readers": len(ratings.readers),
        "n_pos": int(truth.sum()),
        "n_neg": int((~truth).sum()),
        "tests": {
            ratings.ai_test: {
                "auc_mean": ai_alone,
                "readers": {ratings.ai_reader: ai_alone},
                "se": None,
                "df": None,
                "ci": None,
                "note": notes.ONE_READER,
            },
            ratings.test: _mean(ratings.readers, ratings.values, truth, _merit(human, 0, method)),
        },
        **_held_against(found),
        "u_statistics": rated_patterns.of_ai(ratings, margin),
    }


def _held_against(found: mrmc.AiAgainstReaders | None) -> dict[str, Any]:
    """None where a reader has no AUC."""
    if found is None:
        names = ("ai", "readers_mean", "difference", "ci", "t", "df", "p", "se", "non_inferiority")
        note = notes.NO_AUC_OF_A_READER
        nothing = {"note": note, "components": {"ms_r": None, "cov2": None}, "components_note": note}
        return dict.fromkeys(names) | nothing
    return {
        "ai": found.ai,
        "readers_mean": found.readers_mean,
        "difference": found.difference,
        "ci": inside(found.low, found.high),
        "t": found.t,
        "df": found.df,
        "p": found.p,
        "se": found.se,
        "note": found.note,
        "non_inferiority": found.non_inferiority,
        "components": {"ms_r": found.ms_r, "cov2": found.cov2},
        "components_note": found.note if found.ms_r is None else "",
    }


def _two_classes(cells: np.ndarray, truth: np.ndarray) -> bool:
    return bool((cells & truth).any() and (cells & ~truth).any())


def _f(test: mrmc.FTest) -> dict[str, Any]:
    return {
        "f": test.f, "df1": test.df1, "df2": test.df2, "p": test.p, "ci": _interval(test), "note": test.note,
    }  # fmt: skip


def _z(test: mrmc.ZTest) -> dict[str, Any]:
    return {"z": test.z, "p": test.p, "ci": _interval(test), "note": test.note}


def _interval(found: mrmc.FTest | mrmc.ZTest) -> list[float] | None:
    """Of a difference, inside what a difference of two AUCs can be."""
    return inside(found.low, found.high)
