"""The questions of all diseases in words: overall accuracy, malignant against benign, management."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from classifier.metrics import notes
from classifier.plots.notes import note_words
from reader_study.plots import marks
from reader_study.plots.differences import difference_text
from reader_study.services.results.completeness import missing_text
from reader_study.services.results.conclusions import claim_text as model_claim
from reader_study.services.results.conclusions import multiplicity_text, open_text, p_text
from reader_study.statistics import verdicts
from reader_study.statistics.coded import AS_READ, MISSING_IS_WRONG
from reader_study.statistics.endpoints import ACCURACY, MALIGNANCY, MANAGEMENT, of_model, of_sessions
from reader_study.statistics.questions import MERITS
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import grouped, ngettext


@dataclass(frozen=True)
class Headline:
    """One difference. ``values``: what was compared; ``text``: what that allows to say, or why nothing;
    ``is_main``: whether it is the figure that a conclusion on the question rests on, of all readers; ``pair``: the
    sessions compared, "" for the model against readers."""

    question: str
    merit: str
    comparison: str
    pair: str
    group: str
    is_main: bool
    is_primary: bool
    values: str
    difference: str
    as_read: str
    p: str
    n: str
    by_patient: str
    alternative: str
    text: str


def question_name(key: str) -> str:
    return {
        ACCURACY: _("Overall accuracy"),
        MALIGNANCY: _("Malignant or benign"),
        MANAGEMENT: _("Biopsy or not"),
    }[key]


def merit_name(key: str) -> str:
    return {
        "accuracy": _("Share of right answers"),
        "balanced_accuracy": _("Balanced accuracy"),
        "sensitivity": _("Sensitivity"),
        "specificity": _("Specificity"),
    }[key]


def policy_name(ak: str) -> str:
    if ak == "malignant":
        return _("actinic keratosis as malignant")
    return _("actinic keratosis as benign")


def of_dataset(report: Mapping, dataset: str, session: str, groups: Mapping[str, str]) -> list[Headline]:
    """Of one dataset: the model against the readers of a session, and every two sessions."""
    found = report["datasets"][dataset]
    said = {
        **{("ai_vs_readers", name): one for name, one in found["question_verdicts"].items()},
        **{("compare", name): one for name, one in found["session_verdicts"].items()},
    }
    return list(_headlines(report, found["questions"], found["design"], session, groups, said))


def of_all(report: Mapping, session: str, groups: Mapping[str, str]) -> list[Headline]:
    """Of all datasets together; none where there is one."""
    if not report["pooled"]:
        return []
    return list(_headlines(report, report["pooled"]["questions"], report["design"], session, groups, {}))


def strata_text(report: Mapping) -> str:
    """How the datasets are put together."""
    if not report["pooled"]:
        return ""
    said = ", ".join(f"{name} {grouped(n)}" for name, n in report["pooled"]["strata"].items())
    return _("All datasets together (%(strata)s photos): each photo counts alike, whatever its dataset.") % {
        "strata": said
    }


def _headlines(
    report: Mapping,
    questions: Mapping,
    designs: Mapping,
    session: str,
    groups: Mapping[str, str],
    said: Mapping,
) -> Iterator[Headline]:
    for key, found in questions.items():
        for kind, name, comparison in _comparisons(report, found, session):
            verdict = said.get((kind, name), {}).get(key)
            design = _design(designs, kind, name, report["sessions"])
            test = found[kind][name]
            other = (found["alternative"] or {}).get(kind, {}).get(name)
            for group, tests in (("", test["all"]), *test["groups"].items()):
                for merit in MERITS[key]:
                    is_main = not group and merit == MERITS[key][0]
                    yield _headline(
                        report, key, merit, comparison, groups.get(group) or group, tests[merit],
                        other["all"][merit] if other and not group else None,
                        found["alternative"]["ak"] if other else "", is_main, verdict, design, kind, name,
                    )  # fmt: skip


def _comparisons(report: Mapping, found: Mapping, session: str) -> Iterator[tuple[str, str, str]]:
    if session in found["ai_vs_readers"] and report["settings"]["has_model"]:
        tests = found["ai_vs_readers"][session]["all"]
        if any(test["note"] != notes.NO_MODEL_ANSWER for test in tests.values()):
            text = _("Model − readers, %(session)s") % {"session": marks.session_name(session)}
            yield "ai_vs_readers", session, text
    for name in found["compare"]:
        yield "compare", name, pair_text(name, report["sessions"])


def pair_text(name: str, sessions: Sequence[str]) -> str:
    """Later − earlier, in words."""
    first, second = pair_of(name, sessions)
    return f"{marks.session_name(second)} − {marks.session_name(first)}"


def pair_of(name: str, sessions: Sequence[str]) -> tuple[str, str]:
    return next(
        (first, second) for first in sessions for second in sessions if f"{first}_vs_{second}" == name
    )


def _design(designs: Mapping, kind: str, name: str, sessions: Sequence[str]) -> Mapping:
    names = [name] if kind == "ai_vs_readers" else list(pair_of(name, sessions))
    return next((designs[one] for one in names if designs[one]["note"]), designs[names[0]])


def _headline(
    report: Mapping, key: str, merit: str, comparison: str, group: str, test: Mapping, other: Mapping | None,
    other_ak: str, is_main: bool, verdict: Mapping | None, design: Mapping, kind: str, name: str,
) -> Headline:  # fmt: skip
    settings = report["settings"]
    primary = (of_model if kind == "ai_vs_readers" else of_sessions)(settings["primary"])
    text = ""
    if test["difference"] is None:
        text = note_words(test["note"])
    elif is_main:
        text = _conclusion(verdict, design, settings, kind, name, report["sessions"])
    return Headline(
        question_name(key),
        merit_name(merit),
        comparison,
        name if kind == "compare" else "",
        group,
        is_main,
        is_main and key in primary and verdict is not None,
        _values(test, pair_of(name, report["sessions"]) if kind == "compare" else ()),
        _difference(test),
        _difference(test[AS_READ]) if _differs(test) else "",
        "" if test["too_few"] or test["p"] is None else p_text(test["p"]),
        _n(test, has_own_answers=key == MANAGEMENT),
        _by_patient(test),
        _("%(policy)s: %(difference)s") % {"policy": policy_name(other_ak), "difference": _difference(other)}
        if other and other["difference"] is not None
        else "",
        text,
    )


def _values(test: Mapping, sessions: Sequence[str]) -> str:
    if test["difference"] is None:
        return ""
    pair = ("ai", "readers_mean") if "ai" in test else ("b", "a")
    one, other = (f"{100 * test[name]:.1f} %" for name in pair)
    if "ai" in test:
        return _("model %(one)s, readers %(other)s") % {"one": one, "other": other}
    first, second = map(marks.session_name, sessions)
    return f"{second} {one}, {first} {other}"


def _difference(test: Mapping | None) -> str:
    return "" if not test or test["difference"] is None else difference_text(test)


def _differs(test: Mapping) -> bool:
    return test[AS_READ]["difference"] != test["difference"]


def _n(test: Mapping, *, has_own_answers: bool) -> str:
    """``has_own_answers``: those to the question are not the diagnoses, of which is said elsewhere what is missing."""
    readers = ngettext("%(n)d reader", "%(n)d readers", test["n_readers"]) % {"n": test["n_readers"]}
    photos = ngettext("%(n)d photo", "%(n)d photos", test["n_cases"]) % {"n": test["n_cases"]}
    said = [_("too few")] if test["too_few"] else []
    if one := test.get("n_of_one_session"):
        said.append(
            ngettext(
                "%(n)d reader of one session only is left out",
                "%(n)d readers of one session only are left out",
                one,
            )
            % {"n": one}
        )
    if has_own_answers and test.get("missing_share"):
        said.append(missing_text(test["missing_share"]))
    if test["note"] in (notes.INDEPENDENT, notes.BIASED_VARIANCE):
        said.append(note_words(test["note"]))
    return f"{readers}, {photos}" + (f" ({'; '.join(said)})" if said else "")


def _by_patient(test: Mapping) -> str:
    found = test["by_patient"]
    if not found or not found["ci"]:
        return ""
    low, high = (f"{value:+.3f}".replace("-", "−") for value in found["ci"])
    said = {"low": low, "high": high, "n": found["patients"], "effect": found["design_effect"] or 1.0}
    return _("by patient (%(n)d): %(low)s to %(high)s; design effect %(effect).2f") % said


def _conclusion(
    verdict: Mapping | None, design: Mapping, settings: Mapping, kind: str, name: str, sessions: Sequence[str]
) -> str:  # fmt: skip
    if verdict is None:
        return _("Datasets together: an estimate, from which nothing is concluded.")
    if verdict["reasons"]:
        return open_text(verdict["reasons"], design, settings["primary"], verdict.get("missing_share"))
    claim = _claim(verdict, settings, kind, name, sessions)
    if len(settings["primary"]) > 1:
        claim += " " + multiplicity_text(
            settings["primary"], True, verdict["rules"].get(MISSING_IS_WRONG, {})
        )
    return claim.rstrip()


def _claim(verdict: Mapping, settings: Mapping, kind: str, name: str, sessions: Sequence[str]) -> str:
    if kind == "ai_vs_readers":
        return model_claim(verdict["claim"], settings["margin"])
    first, second = (marks.session_name(one) for one in pair_of(name, sessions))
    said = {"first": first, "second": second}
    return {
        verdicts.SUPERIOR: _("“%(second)s” is better than “%(first)s”.") % said,
        verdicts.INFERIOR: _("“%(second)s” is worse than “%(first)s”.") % said,
    }.get(verdict["claim"]) or _("No difference is shown, which is not the same as equal.")
