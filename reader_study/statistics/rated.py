"""AUCs of rated tests compared, as a dictionary that JSON can hold."""

from typing import Any

from classifier.metrics import notes
from classifier.metrics.plain import plain
from classifier.metrics.proportions import inside
from reader_study import mrmc
from reader_study.statistics.ratings import AiAndTests, AiRatings, Ratings


def compared(
    ratings: Ratings | AiRatings | AiAndTests, method: str, margin: float | None = None
) -> dict[str, Any]:
    """Compare the tests, or the AI with the readers of each test. ``method``: "jackknife" or "delong", of the
    covariance. ``margin``: of non-inferiority, of the AI or of the first of two tests."""
    if isinstance(ratings, AiAndTests):
        return {
            "against": {one.test: compared(one, method, margin) for one in ratings.against},
            "between": None if ratings.tests is None else compared(ratings.tests, method, margin),
            "note": "" if ratings.tests is not None else notes.OTHER_READERS,
        }
    merit = mrmc.METHODS[method]
    if isinstance(ratings, AiRatings):
        ai, readers = merit(ratings.ai, ratings.truth), merit(ratings.values, ratings.truth)
        against: dict[str, Any] = plain(_against(ratings, method, ai, readers, margin))
        return against
    values = merit(ratings.values, ratings.truth)
    found = {
        "figure_of_merit": "auc",
        "method": method,
        "n_readers": len(ratings.readers),
        "n_pos": int(ratings.truth.sum()),
        "n_neg": int((~ratings.truth).sum()),
        "tests": {name: _test(ratings.readers, values[place]) for place, name in enumerate(ratings.tests)},
    }
    if len(ratings.tests) == 1:
        return plain(found | {"components": mrmc.components(values), "components_note": notes.ONE_TEST})
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
        found |= {name: pairs[0][name] for name in ("difference", "rrrc", "frrc", "rrfc", "non_inferiority")}
    else:
        found |= {
            "rrrc": _f(analysis.rrrc),
            "frrc": analysis.frrc,
            "rrfc": _f(analysis.rrfc),
            "pairs": pairs,
        }
    few = notes.ONE_READER if len(ratings.readers) == 1 else ""
    return plain(found | {"components": analysis.components, "components_note": few})


def _test(readers: tuple[str, ...], merit: mrmc.Merit) -> dict[str, Any]:
    single = mrmc.single(merit)
    return {
        "auc_mean": single.mean,
        "readers": dict(zip(readers, merit.value.tolist(), strict=True)),
        "se": single.se,
        "df": single.df,
        "ci": inside(single.low, single.high, 0.0),
        "note": single.note,
    }


def _against(
    ratings: AiRatings, method: str, ai: mrmc.Merit, readers: mrmc.Merit, margin: float | None
) -> dict[str, Any]:
    found = mrmc.ai_against_readers(ai, readers, margin=margin)
    return {
        "figure_of_merit": "auc",
        "method": method,
        "n_readers": len(ratings.readers),
        "n_pos": int(ratings.truth.sum()),
        "n_neg": int((~ratings.truth).sum()),
        "tests": {
            ratings.ai_test: {
                "auc_mean": found.ai,
                "readers": {ratings.ai_reader: found.ai},
                "se": None,
                "df": None,
                "ci": None,
                "note": notes.ONE_READER,
            },
            ratings.test: _test(ratings.readers, readers),
        },
        "ai": found.ai,
        "readers_mean": found.readers_mean,
        "difference": found.difference,
        "ci": _interval(found),
        "t": found.t,
        "df": found.df,
        "p": found.p,
        "se": found.se,
        "note": found.note,
        "non_inferiority": found.non_inferiority,
        "components": {"ms_r": found.ms_r, "cov2": found.cov2},
        "components_note": found.note if found.ms_r is None else "",
    }


def _f(test: mrmc.FTest) -> dict[str, Any]:
    return {
        "f": test.f, "df1": test.df1, "df2": test.df2, "p": test.p, "ci": _interval(test), "note": test.note,
    }  # fmt: skip


def _z(test: mrmc.ZTest) -> dict[str, Any]:
    return {"z": test.z, "p": test.p, "ci": _interval(test), "note": test.note}


def _interval(found: mrmc.FTest | mrmc.ZTest | mrmc.AiAgainstReaders) -> list[float] | None:
    """Of a difference, inside what a difference of two AUCs can be."""
    return inside(found.low, found.high)
