"""The questions of all diseases as rows of the table of comparisons, and the model where it is like the readers."""

from collections.abc import Iterator, Mapping
from typing import Any

from reader_study.statistics.coded import AS_READ
from reader_study.statistics.differences import BY_PATIENT

POOLED = "all datasets"
Row = tuple[object, ...]


def question_rows(report: Mapping[str, Any]) -> Iterator[Row]:
    """Of every dataset, then of all together; groups, both ways to count missing answers, both places of actinic
    keratosis, and by patient where patients have several photos."""
    parts = [(name, found["questions"]) for name, found in report["datasets"].items()]
    if report["pooled"]:
        parts.append((POOLED, report["pooled"]["questions"]))
    for dataset, questions in parts:
        for key, found in questions.items():
            for one in filter(None, (found, found["alternative"])):
                name = key if one["ak"] is None else f"{key}, actinic keratosis {one['ak']}"
                yield from _rows(dataset, key, name, one)


def _rows(dataset: str, key: str, name: str, found: Mapping[str, Any]) -> Iterator[Row]:
    for kind, said in (("ai_vs_readers", "model vs readers"), ("compare", "")):
        for session, test in found[kind].items():
            for group, merits in (("all", test["all"]), *test["groups"].items()):
                for merit, both in merits.items():
                    for rule, one in (("wrong", both), ("as read", both[AS_READ])):
                        yield _row(dataset, said or session, session, group, name, key, merit, rule, one, one)
                        if one[BY_PATIENT]:
                            clustered = f"{rule}, by patient"
                            yield _row(
                                dataset, said or session, session, group, name, key, merit, clustered, one,
                                one[BY_PATIENT],
                            )  # fmt: skip


def _row(
    dataset: str, comparison: str, session: str, group: str, name: str, key: str, merit: str, rule: str,
    one: Mapping[str, Any], test: Mapping[str, Any],
) -> Row:  # fmt: skip
    low, high = test["ci"] or (None, None)
    is_model = "ai" in one
    statistic = ("t", test["t"], None, test["df"]) if is_model else ("F", test["f"], test["df1"], test["df2"])
    margin = test.get("non_inferiority") or {}
    note = test["note"]
    if effect := test.get("design_effect"):
        note = f"{note} design effect {effect:.4f}, {test['patients']} patients".strip()
    values = (one["ai"], one["readers_mean"]) if is_model else (one["a"], one["b"])
    return (
        dataset, comparison, session, group, name, key, merit, rule, *values, one["difference"], low, high, *statistic,
        test["p"], one.get("p_holm"), margin.get("margin"), margin.get("p"), "yes" if one["too_few"] else "", note,
        one["method"], one["pattern"],
    )  # fmt: skip


def matched_rows(report: Mapping[str, Any], name_of: Any) -> Iterator[Row]:
    """The model's curve read off at the readers' mean."""
    for dataset, found in report["datasets"].items():
        for session, by_disease in found["matched"].items():
            for key, both in by_disease.items():
                for rule, one in (("wrong", both), ("as read", both[AS_READ])):
                    yield (
                        dataset, session, name_of(key), key, rule, one["readers_sensitivity"],
                        one["readers_specificity"], one["sensitivity"], *(one["sensitivity_ci"] or (None, None)),
                        one["specificity"], *(one["specificity_ci"] or (None, None)), one["note"],
                    )  # fmt: skip


MATCHED = (
    "dataset", "session", "disease", "key", "missing_answers", "readers_sensitivity", "readers_specificity",
    "sensitivity_at_readers_specificity", "sensitivity_low", "sensitivity_high", "specificity_at_readers_sensitivity",
    "specificity_low", "specificity_high", "note",
)  # fmt: skip
