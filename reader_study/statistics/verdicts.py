"""What may be concluded of the model against the readers: nothing, unless everything speaks for it.

A verdict rests on the operating point that the protocol fixed: the model's first choice, which nobody can tune to the
photos of the study, or thresholds of another cohort. The Youden threshold of these photos is a sensitivity analysis. It
needs a primary endpoint and all else fixed before the answers, readers who were shown the same photos and answered
nearly all, enough readers and enough cases of each class, and the same claim whether missing answers count as wrong or
not at all. It also has to hold in the test for few photos, and with patients instead of photos as the independent
cases: what holds only without them is not said.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from classifier.metrics import notes
from reader_study.statistics.coded import AS_READ, MISSING_IS_WRONG
from reader_study.statistics.comparison import holm
from reader_study.statistics.design import MOST_MISSING
from reader_study.statistics.differences import BY_PATIENT, LEAST_PATIENTS
from reader_study.statistics.points import LEAST_CASES
from reader_study.statistics.small_sample import LEAST_READERS, SMALL_SAMPLE

# One-sided for non-inferiority, two-sided for a difference; both after Holm over the primary endpoints.
ONE_SIDED, TWO_SIDED = 0.025, 0.05

SHOWN, NOT_SHOWN, OPEN = "shown", "not_shown", "open"
# Operating points, and where a disease's test at each lies.
FIRST_CHOICE, THRESHOLDS = "first_choice", "thresholds"
POINTS = {FIRST_CHOICE: "argmax", THRESHOLDS: "at_threshold"}
# Claims.
SUPERIOR, NON_INFERIOR, INFERIOR, NO_CLAIM = "superior", "non_inferior", "inferior", "none"
# Reasons besides those of the design and the notes of a test.
MODEL_SEEN, NOT_FIXED, SECONDARY, RULES_DISAGREE = "model_seen", "not_fixed", "secondary", "rules_disagree"
FEW_READERS, FEW_PHOTOS, FEW_PATIENTS, TOO_FEW_PATIENTS, NAMES_ALIKE, SCORES_DOUBTED = (
    "few_readers",
    "few_photos",
    "few_patients",
    "too_few_patients",
    "names_alike",
    "scores_doubted",
)
# What a claim must hold in besides the test itself, and the reason where it does not.
CHECKS = {SMALL_SAMPLE: FEW_PHOTOS, BY_PATIENT: FEW_PATIENTS}


def verdicts(
    tests: Mapping[str, Mapping[str, Any]],
    design: Mapping[str, Any],
    primary: Collection[str],
    margin: float | None,
    *,
    is_fixed: bool,
    point: str = FIRST_CHOICE,
    families: int = 1,
) -> dict[str, dict[str, Any]]:
    """By endpoint, of the ``tests`` of one session, each with its test at the operating ``point``. ``is_fixed``:
    endpoints, margin and the model were fixed in a protocol before the answers. ``families``: of how many families
    of primary endpoints this is one; Bonferroni's correction is made over them, Holm's within each."""
    at = POINTS[point]
    rules = {MISSING_IS_WRONG: _at(tests, at, None), AS_READ: _at(tests, at, AS_READ)}

    def claims(check: str) -> dict[str, dict[str, dict[str, Any]]]:
        return {
            rule: _claims(
                {key: one.get(check) or one for key, one in found.items()}, primary, margin, families
            )
            for rule, found in rules.items()
        }

    claimed = claims("")
    checked = {check: claims(check) for check in CHECKS}
    verdict = {}
    for key, test in tests.items():
        of_rules = {rule: claimed[rule][key] for rule in rules}
        reasons = _reasons(test, test[at], design, key in primary, is_fixed, of_rules)
        claim = NO_CLAIM if reasons else of_rules[MISSING_IS_WRONG]["claim"]
        held = {
            check: _weakest(claim, *(found[rule][key]["claim"] for rule in rules))
            for check, found in checked.items()
        }
        if not reasons:
            reasons = [CHECKS[check] for check, one in held.items() if claim != NO_CLAIM and one == NO_CLAIM]
            claim = NO_CLAIM if reasons else _weakest(claim, *held.values())
        # That the model is worse is what is asked only where no margin was set.
        shows = claim in (SUPERIOR, NON_INFERIOR) or (claim == INFERIOR and margin is None)
        verdict[key] = {
            "verdict": OPEN if reasons else SHOWN if shows else NOT_SHOWN,
            "claim": claim,
            "reasons": reasons,
            "missing_share": test.get("missing_share"),
            "operating_point": point,
            "rules": of_rules,
            "checks": held,
        }
    return verdict


def of_sessions(
    tests: Mapping[str, Mapping[str, Any]],
    designs: Sequence[Mapping[str, Any]],
    primary: Collection[str],
    *,
    is_fixed: bool,
    families: int,
) -> dict[str, dict[str, Any]]:
    """By question, of the ``tests`` of a later session minus an earlier one, which readers read in the ``designs``."""
    design = next((one for one in designs if one["note"]), designs[0])
    return verdicts(of_questions(tests), design, primary, None, is_fixed=is_fixed, families=families)


def of_questions(tests: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Tests of questions in the form of those of diseases: the same at either operating point."""
    return {
        key: {**dict.fromkeys(POINTS.values(), test)}
        | {name: test.get(name) for name in ("too_few", "note", "n_readers", "missing_share")}
        for key, test in tests.items()
    }


def opened(found: Mapping[str, Mapping[str, Any]], reason: str) -> dict[str, dict[str, Any]]:
    """The verdicts where something speaks against any of them: all open, without the p they would rest on."""
    return {
        key: {
            **one,
            "verdict": OPEN,
            "claim": NO_CLAIM,
            "reasons": [reason, *one["reasons"]],
            "rules": {},
            "checks": {},
        }
        for key, one in found.items()
    }


def _at(tests: Mapping[str, Mapping[str, Any]], at: str, rule: str | None) -> dict[str, Mapping[str, Any]]:
    found = {}
    for key, test in tests.items():
        one = test[at] or {}
        found[key] = (one.get(rule) if rule else one) or {}
    return found


def _claims(
    tests: Mapping[str, Mapping[str, Any]], primary: Collection[str], margin: float | None, families: int
) -> dict[str, dict[str, Any]]:
    """What each test would claim, with Holm's correction over the primary endpoints."""
    chosen = {key: test for key, test in tests.items() if key in primary}
    of_difference = holm({key: _times(test.get("p"), families) for key, test in chosen.items()})
    of_margin = holm({key: _times(_margin_p(test), families) for key, test in chosen.items()})
    return {
        key: {
            "claim": _claim(test, of_difference.get(key), of_margin.get(key), margin),
            "p_holm": of_difference.get(key),
            "non_inferiority_p_holm": of_margin.get(key),
        }
        for key, test in tests.items()
    }


def _times(p: float | None, families: int) -> float | None:
    return None if p is None else min(1.0, p * families)


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


def _weakest(*claims: str) -> str:
    """What of several claims holds in all of them."""
    if len(set(claims)) == 1:
        return claims[0]
    return NON_INFERIOR if set(claims) == {SUPERIOR, NON_INFERIOR} else NO_CLAIM


def _reasons(
    test: Mapping[str, Any],
    one: Mapping[str, Any] | None,
    design: Mapping[str, Any],
    is_primary: bool,
    is_fixed: bool,
    of_rules: Mapping[str, Mapping[str, Any]],
) -> Sequence[str]:
    if one is None or one["difference"] is None:
        return [(one or test)["note"] or test["note"] or notes.NO_THRESHOLD]
    found = [design["note"]] if design["note"] else []
    # A design counts diagnoses; of another question more may be missing.
    if notes.MANY_MISSING not in found and (test.get("missing_share") or 0) > MOST_MISSING:
        found.append(notes.MANY_MISSING)
    if test["too_few"]:
        found.append(notes.TOO_FEW_CASES)
    elif (one.get(LEAST_PATIENTS) or LEAST_CASES) < LEAST_CASES:
        found.append(TOO_FEW_PATIENTS)
    if min(one.get("n_readers_each") or [one.get("n_readers", test["n_readers"])]) < LEAST_READERS:
        found.append(FEW_READERS)
    if one["ci"] is None:
        found.append(one["note"])
    if not is_fixed:
        found.append(NOT_FIXED)
    if not is_primary:
        found.append(SECONDARY)
    if not found and len({rule["claim"] for rule in of_rules.values()}) > 1:
        found.append(RULES_DISAGREE)
    return found
