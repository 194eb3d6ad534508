"""AUCs of rated tests compared, as a dictionary that JSON can hold."""

from typing import Any

from classifier.metrics.plain import plain
from reader_study import mrmc
from reader_study.statistics.ratings import AiRatings, Ratings


def compared(ratings: Ratings | AiRatings, method: str) -> dict[str, Any]:
    """Compare the tests, or the AI with the readers. ``method``: "jackknife" or "delong", of the covariance."""
    merit = mrmc.METHODS[method]
    if isinstance(ratings, AiRatings):
        ai, readers = merit(ratings.ai, ratings.truth), merit(ratings.values, ratings.truth)
        against: dict[str, Any] = plain(_against(ratings, method, ai, readers))
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
        return plain(found | {"components": mrmc.components(values)})
    analysis = mrmc.compare(values)
    pairs = [
        {
            "tests": [ratings.tests[pair.first], ratings.tests[pair.second]],
            "difference": pair.difference,
            "rrrc": _f(pair.rrrc),
            "frrc": _z(pair.frrc),
            "rrfc": _f(pair.rrfc),
        }
        for pair in analysis.pairs
    ]
    if len(pairs) == 1:
        found |= {name: pairs[0][name] for name in ("difference", "rrrc", "frrc", "rrfc")}
    else:
        found |= {
            "rrrc": _f(analysis.rrrc),
            "frrc": analysis.frrc,
            "rrfc": _f(analysis.rrfc),
            "pairs": pairs,
        }
    return plain(found | {"components": analysis.components})


def _test(readers: tuple[str, ...], merit: mrmc.Merit) -> dict[str, Any]:
    single = mrmc.single(merit)
    return {
        "auc_mean": single.mean,
        "readers": dict(zip(readers, merit.value.tolist(), strict=True)),
        "se": single.se,
        "df": single.df,
        "ci": _interval(single),
        "note": single.note,
    }


def _against(ratings: AiRatings, method: str, ai: mrmc.Merit, readers: mrmc.Merit) -> dict[str, Any]:
    found = mrmc.ai_against_readers(ai, readers)
    return {
        "figure_of_merit": "auc",
        "method": method,
        "n_readers": len(ratings.readers),
        "n_pos": int(ratings.truth.sum()),
        "n_neg": int((~ratings.truth).sum()),
        "tests": {
            ratings.ai_test: {"auc_mean": found.ai, "readers": {ratings.ai_reader: found.ai}},
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
        "components": {"ms_r": found.ms_r, "cov2": found.cov2},
    }


def _f(test: mrmc.FTest) -> dict[str, Any]:
    return {
        "f": test.f, "df1": test.df1, "df2": test.df2, "p": test.p, "ci": _interval(test), "note": test.note,
    }  # fmt: skip


def _z(test: mrmc.ZTest) -> dict[str, Any]:
    return {"z": test.z, "p": test.p, "ci": _interval(test), "note": test.note}


def _interval(found: mrmc.FTest | mrmc.ZTest | mrmc.Single | mrmc.AiAgainstReaders) -> list[float] | None:
    return None if found.low is None or found.high is None else [found.low, found.high]
