"""What a comparison of the model with the readers allows to say, in one sentence a disease."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from classifier.metrics import notes
from classifier.plots.notes import note_words
from reader_study.plots.differences import difference_text
from reader_study.plots.study import disease_name
from reader_study.services.results.completeness import missing_text, why_text
from reader_study.statistics import verdicts
from reader_study.statistics.coded import AS_READ, MISSING_IS_WRONG
from reader_study.statistics.endpoints import OF_MODEL
from reader_study.statistics.points import LEAST_CASES, LEAST_IMAGES
from reader_study.statistics.small_sample import LEAST_READERS
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from skinclinic.web.counts import gettext as _


@dataclass(frozen=True)
class Conclusion:
    """``verdict``: whether something was shown, or nothing can be said (those of statistics/verdicts.py).

    Differences are model - readers: at the operating point (the model's first choice, or thresholds that the protocol
    holds) with missing answers as wrong, and ``as_read``; and at the ``youden`` threshold of the same photos, from
    which nothing is concluded.
    """

    key: str
    name: str
    is_primary: bool
    verdict: str
    text: str
    difference: str
    as_read: str
    youden: str
    multiplicity: str


def of_report(report: Mapping, dataset: str, session: str) -> list[Conclusion]:
    """Of each disease in one session of one dataset, primary endpoints first."""
    found, settings = report["datasets"][dataset], report["settings"]
    if session not in found["verdicts"]:
        return []
    return conclusions(
        found["verdicts"][session],
        found["ai_vs_readers"][session],
        found["design"][session],
        settings["margin"],
        settings["primary"],
    )


def conclusions(
    found: Mapping[str, Mapping],
    tests: Mapping[str, Mapping],
    design: Mapping,
    margin: float | None,
    primary: Sequence[str],
) -> list[Conclusion]:
    """``found``: the verdicts on ``tests``, those of one session and dataset in the report."""
    chosen = [*(key for key in OF_MODEL if key in primary), *(key for key in DISEASE_KEYS if key in primary)]
    order = sorted(DISEASE_KEYS, key=lambda key: (key not in chosen, DISEASE_KEYS.index(key)))
    return [_conclusion(key, found[key], tests[key], design, margin, chosen, primary) for key in order]


def decided(report: Mapping, test: Mapping) -> Mapping:
    """What a test gives at the operating point of the protocol; empty where it gives nothing."""
    return test.get(verdicts.POINTS[report["settings"].get("operating_point", verdicts.FIRST_CHOICE)]) or {}


def _conclusion(
    key: str, found: Mapping, test: Mapping, design: Mapping, margin: float | None, chosen: Sequence[str],
    primary: Sequence[str],
) -> Conclusion:  # fmt: skip
    decided = test[verdicts.POINTS[found["operating_point"]]] or {}
    rule = found["rules"].get(MISSING_IS_WRONG, {})
    return Conclusion(
        key,
        disease_name(key),
        key in chosen,
        found["verdict"],
        open_text(found["reasons"], design, primary, found.get("missing_share"))
        if found["reasons"]
        else claim_text(found["claim"], margin),
        _difference(decided),
        _difference(decided.get(AS_READ) or {}),
        _difference(test),
        multiplicity_text(primary, key in chosen, {} if found["reasons"] else rule),
    )


def _difference(test: Mapping) -> str:
    return "" if test.get("difference") is None else difference_text(test)


def open_text(
    reasons: Sequence[str], design: Mapping, chosen: Sequence[str], missing_share: float | None = None
) -> str:
    """Why nothing is concluded. ``missing_share``: of the answers to the question itself."""
    if reasons == [verdicts.SECONDARY] and chosen:
        return _("Secondary: an estimate, from which nothing is concluded.")
    words = {
        verdicts.MODEL_SEEN: _("the model may have seen these photos"),
        verdicts.NOT_FIXED: _("endpoints, margin and model were not fixed in a protocol before the answers"),
        verdicts.RULES_DISAGREE: _(
            "missing answers counted as wrong and missing answers left out do not lead to the same conclusion"
        ),
        verdicts.SECONDARY: _("not a primary endpoint") if chosen else _("no endpoint was named as primary"),
        notes.TOO_FEW_CASES: _("too few: fewer than %(n)d photos of a class, or than %(all)d in all")
        % {"n": LEAST_CASES, "all": LEAST_IMAGES},
        verdicts.FEW_READERS: _("too few: fewer than %(n)d readers") % {"n": LEAST_READERS},
        verdicts.TOO_FEW_PATIENTS: _("too few: photos of fewer than %(n)d patients in a class")
        % {"n": LEAST_CASES},
        verdicts.FEW_PHOTOS: _(
            "the difference is not shown by the test that keeps its level with few photos"
        ),
        verdicts.FEW_PATIENTS: _("the difference does not hold with patients as the independent cases"),
        verdicts.NAMES_ALIKE: _(
            "names that nearly match (see the warnings) may stand for the same reader, photo, patient, session or "
            "dataset"
        ),
        verdicts.SCORES_DOUBTED: _("the model's scores look wrong (see the warnings)"),
        notes.NO_ANSWERS: _("there is no diagnosis"),
        notes.OTHER_IMAGES: why_text(design),
        notes.BLOCKS: _(
            "the design gave each reader a part of the photos, and nothing is concluded from comparisons of such a "
            "design"
        ),
        notes.MANY_MISSING: why_text(design)
        if design["note"] == notes.MANY_MISSING
        else missing_text(missing_share),
    }
    if verdicts.FEW_READERS in reasons:
        # One reader is told by that already.
        reasons = [reason for reason in reasons if reason != notes.ONE_READER]
    said = [words.get(reason) or note_words(reason) for reason in reasons]
    if len(reasons) == 1 and reasons[0] not in words:
        return said[0]
    # With too few of something it could not be known from any answers; the rest is a question left open.
    too_few = {notes.NO_ANSWERS, notes.TOO_FEW_CASES, verdicts.FEW_READERS, verdicts.TOO_FEW_PATIENTS}
    text = _("Not evaluable: %(reasons)s.") if too_few & set(reasons) else _("Open: %(reasons)s.")
    return text % {"reasons": "; ".join(said)}


def rules_text() -> str:
    """How few photos and readers allow no conclusion, and what it must hold in: for pages and methods."""
    return _(
        "Nothing is concluded from fewer than %(cases)d photos or patients of a class (%(images)d photos in all for "
        "overall accuracy) or fewer than %(readers)d readers. What is concluded of the model also holds in a test for "
        "few photos, in which its variance is no less than under the hypothesis and photos have degrees of freedom of "
        "their own (Satterthwaite), and with patients as the independent cases where they have several photos."
    ) % {"cases": LEAST_CASES, "images": LEAST_IMAGES, "readers": LEAST_READERS}


def claim_text(claim: str, margin: float | None) -> str:
    if margin is None:
        return {
            verdicts.SUPERIOR: _("The model is better than the readers' mean. No margin was set."),
            verdicts.INFERIOR: _("The model is worse than the readers' mean. No margin was set."),
        }.get(claim) or _("No difference is shown, which is not the same as equal. No margin was set.")
    text = {
        verdicts.SUPERIOR: _("Non-inferior with margin %(margin)s, and better than the readers' mean."),
        verdicts.NON_INFERIOR: _("Non-inferior with margin %(margin)s."),
        verdicts.INFERIOR: _("Non-inferiority is not shown; the model is worse by more than %(margin)s."),
    }.get(claim) or _("Non-inferiority with margin %(margin)s is not shown.")
    return text % {"margin": f"{margin:g}"}


def multiplicity_text(primary: Sequence[str], is_primary: bool, rule: Mapping[str, float | None]) -> str:
    """How a p was corrected for all primary endpoints. ``rule``: the p that decided."""
    if not primary:
        return _("No endpoint was named as primary; nothing is adjusted for many diseases.")
    if not is_primary:
        return _("Secondary: not adjusted, to be read as a hint.")
    if len(primary) == 1:
        return _("The only primary endpoint.")
    of_margin, of_difference = rule.get("non_inferiority_p_holm"), rule.get("p_holm")
    if of_margin is not None:
        said = {"n": len(primary), "p": p_text(of_margin)}
        return _("One of %(n)d primary endpoints; one-sided p after Holm: %(p)s.") % said
    if of_difference is not None:
        said = {"n": len(primary), "p": p_text(of_difference)}
        return _("One of %(n)d primary endpoints; p after correction for them: %(p)s.") % said
    return ""


def p_text(value: float | None) -> str:
    """Three decimals, or that it is smaller."""
    if value is None:
        return "–"
    return "<0.001" if value < 0.001 else f"{value:.3f}"
