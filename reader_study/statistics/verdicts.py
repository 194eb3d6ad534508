"""What may be concluded of the model against the readers: nothing, unless everything speaks for it.

A verdict rests on the model's first choice, or on thresholds of another cohort that the protocol fixed: nobody can
tune these to the photos of the study, whose Youden threshold is a sensitivity analysis. It needs a primary endpoint
and all else fixed before the answers, readers who were shown the same photos and answered nearly all, enough cases of
each class, and the same claim whether missing answers count as wrong or not at all.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from classifier.metrics import notes
from reader_study.statistics.coded import AS_READ, MISSING_IS_WRONG
from reader_study.statistics.comparison import holm

# One-sided for non-inferiority, two-sided for a difference; both after Holm over the primary endpoints.
ONE_SIDED, TWO_SIDED = 0.025, 0.05

SHOWN, NOT_SHOWN, OPEN = "shown", "not_shown", "open"
# Claims.
SUPERIOR, NON_INFERIOR, INFERIOR, NO_CLAIM = "superior", "non_inferior", "inferior", "none"
# Operating points, and where a test has what the model does there.
FIRST_CHOICE, THRESHOLDS = "first_choice", "thresholds"
POINTS = {FIRST_CHOICE: "argmax", THRESHOLDS: "fixed"}
# Reasons besides those of the design and the notes of a test.
MODEL_SEEN, NOT_FIXED, SECONDARY, RULES_DISAGREE = "model_seen", "not_fixed", "secondary", "rules_disagree"
NO_THRESHOLD = "no_threshold"


def verdicts(
    tests: Mapping[str, Mapping[str, Any]],
    design: Mapping[str, Any],
    primary: Collection[str],
    margin: float | None,
    *,
    is_fixed: bool,
    operating_point: str = FIRST_CHOICE,
) -> dict[str, dict[str, Any]]:
    """By disease, of the ``tests`` of one session. ``is_fixed``: endpoints, margin, the model and its operating point
    were fixed in a protocol before the answers."""
    way = POINTS[operating_point]
    rules = {MISSING_IS_WRONG: _decided(tests, way, None), AS_READ: _decided(tests, way, AS_READ)}
    claims = {rule: _claims(found, primary, margin) for rule, found in rules.items()}
    verdict = {}
    for key, test in tests.items():
        of_rules = {rule: claims[rule][key] for rule in rules}
        reasons = _reasons(test, test[way], design, key in primary, is_fixed, of_rules)
        claim = NO_CLAIM if reasons else of_rules[MISSING_IS_WRONG]["claim"]
        # That the model is worse is what is asked only where no margin was set.
        shows = claim in (SUPERIOR, NON_INFERIOR) or (claim == INFERIOR and margin is None)
        verdict[key] = {
            "verdict": OPEN if reasons else SHOWN if shows else NOT_SHOWN,
            "claim": claim,
            "reasons": reasons,
            "operating_point": operating_point,
            "rules": of_rules,
        }
    return verdict


def opened(found: Mapping[str, Mapping[str, Any]], reason: str) -> dict[str, dict[str, Any]]:
    """The verdicts where something speaks against any of them: all open, without the p they would rest on."""
    return {
        key: {**one, "verdict": OPEN, "claim": NO_CLAIM, "reasons": [reason, *one["reasons"]], "rules": {}}
        for key, one in found.items()
    }


def _decided(
    tests: Mapping[str, Mapping[str, Any]], way: str, rule: str | None
) -> dict[str, Mapping[str, Any]]:
    found = {}
    for key, test in tests.items():
        decided = test[way] or {}
        found[key] = (decided.get(rule) if rule else decided) or {}
    return found


def _claims(
    tests: Mapping[str, Mapping[str, Any]], primary: Collection[str], margin: float | None
) -> dict[str, dict[str, Any]]:
    """What each test would claim, with Holm's correction over the primary endpoints."""
    chosen = {key: test for key, test in tests.items() if key in primary}
    of_difference = holm({key: test.get("p") for key, test in chosen.items()})
    of_margin = holm({key: _margin_p(test) for key, test in chosen.items()})
    return {
        key: {
            "claim": _claim(test, of_difference.get(key), of_margin.get(key), margin),
            "p_holm": of_difference.get(key),
            "non_inferiority_p_holm": of_margin.get(key),
        }
        for key, test in tests.items()
    }


def _margin_p(test: Mapping[str, Any]) -> float | None:
    found = test.get("non_inferiority")
    if found is None:
        return None
    p: float | None = found["p"] if isinstance(found, Mapping) else found.p
    return p


def _claim(
    test: Mapping[str, Any], p: float | None, margin_p: float | None, margin: float | None
) -> str:  # fmt: skip
    if test.get("ci") is None or p is None:
        return NO_CLAIM
    low, high = test["ci"]
    is_better, is_worse = low > 0 and p < TWO_SIDED, high < 0 and p < TWO_SIDED
    if margin is None:
        return SUPERIOR if is_better else INFERIOR if is_worse else NO_CLAIM
    if margin_p is not None and margin_p < ONE_SIDED and low > -margin:
        return SUPERIOR if is_better else NON_INFERIOR
    return INFERIOR if is_worse and high < -margin else NO_CLAIM


def _reasons(
    test: Mapping[str, Any],
    decided: Mapping[str, Any] | None,
    design: Mapping[str, Any],
    is_primary: bool,
    is_fixed: bool,
    of_rules: Mapping[str, Mapping[str, Any]],
) -> Sequence[str]:
    if decided is None or decided["difference"] is None:
        return [(decided or test)["note"] or test["note"] or NO_THRESHOLD]
    found = [design["note"]] if design["note"] else []
    if test["too_few"]:
        found.append(notes.TOO_FEW_CASES)
    if decided["ci"] is None:
        found.append(decided["note"])
    if not is_fixed:
        found.append(NOT_FIXED)
    if not is_primary:
        found.append(SECONDARY)
    if not found and len({one["claim"] for one in of_rules.values()}) > 1:
        found.append(RULES_DISAGREE)
    return found
