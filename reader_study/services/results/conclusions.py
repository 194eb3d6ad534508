"""What a comparison of the model with the readers allows to say, in one sentence a disease."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from classifier.plots.figures import note_words
from reader_study.plots.differences import difference_text
from reader_study.plots.study import disease_name
from reader_study.statistics.comparison import holm
from skinclinic.vocabulary.diseases import DISEASE_KEYS

# One-sided, so that it agrees with the lower limit of the 95 % interval.
ALPHA = 0.025
SHOWN, NOT_SHOWN, OPEN = "shown", "not-shown", "open"


@dataclass(frozen=True)
class Conclusion:
    """``verdict``: whether something was shown (SHOWN, NOT_SHOWN), or nothing can be said (OPEN)."""

    key: str
    name: str
    is_primary: bool
    verdict: str
    text: str
    difference: str
    multiplicity: str


def conclusions(
    tests: Mapping[str, Mapping], margin: float | None, primary: Sequence[str], doubt: str = ""
) -> list[Conclusion]:
    """Of each disease, primary endpoints first. ``tests``: those of one session and dataset in the report.

    ``doubt``: that the model may have seen the photos; then nothing is concluded of any.
    """
    chosen = [key for key in DISEASE_KEYS if key in primary]
    order = [*chosen, *(key for key in DISEASE_KEYS if key not in chosen)]
    adjusted = holm({key: (tests[key]["non_inferiority"] or {}).get("p") for key in chosen})
    return [_conclusion(key, tests[key], margin, chosen, adjusted.get(key), doubt) for key in order]


def _conclusion(
    key: str,
    found: Mapping,
    margin: float | None,
    chosen: Sequence[str],
    adjusted: float | None,
    doubt: str,
) -> Conclusion:
    is_primary = key in chosen
    if doubt and found["difference"] is not None:
        verdict, text = OPEN, _("Open: the model may have seen these photos.")
    else:
        verdict, text = _verdict(found, margin, adjusted if is_primary else None)
    difference = "" if found["difference"] is None else difference_text(found)
    return Conclusion(
        key,
        disease_name(key),
        is_primary,
        verdict,
        text,
        difference,
        _multiplicity(chosen, is_primary, adjusted),
    )


def _verdict(found: Mapping, margin: float | None, adjusted: float | None) -> tuple[str, str]:
    if found["difference"] is None or found["ci"] is None:
        return OPEN, note_words(found["note"]) or _("not evaluable")
    low, high = found["ci"]
    test = found["non_inferiority"]
    if margin is None or test is None or test["p"] is None:
        if low > 0:
            return SHOWN, _("The model is better than the readers' mean. No margin was set.")
        if high < 0:
            return SHOWN, _("The model is worse than the readers' mean. No margin was set.")
        return NOT_SHOWN, _("No difference is shown, which is not the same as equal. No margin was set.")
    p = test["p"] if adjusted is None else adjusted
    said = {"margin": f"{margin:g}"}
    if p < ALPHA:
        if low > 0:
            return SHOWN, _("Non-inferior with margin %(margin)s, and better than the readers' mean.") % said
        return SHOWN, _("Non-inferior with margin %(margin)s.") % said
    if high < -margin:
        return NOT_SHOWN, _(
            "Non-inferiority is not shown; the model is worse by more than %(margin)s."
        ) % said
    return NOT_SHOWN, _("Non-inferiority with margin %(margin)s is not shown.") % said


def _multiplicity(chosen: Sequence[str], is_primary: bool, adjusted: float | None) -> str:
    if not chosen:
        return _("No endpoint was named as primary; nothing is adjusted for many diseases.")
    if not is_primary:
        return _("Secondary: not adjusted, to be read as a hint.")
    if len(chosen) == 1:
        return _("The only primary endpoint.")
    said = {"n": len(chosen), "p": "–" if adjusted is None else p_text(adjusted)}
    return _("One of %(n)d primary endpoints; one-sided p after Holm: %(p)s.") % said


def p_text(value: float | None) -> str:
    """Three decimals, or that it is smaller."""
    if value is None:
        return "–"
    return "<0.001" if value < 0.001 else f"{value:.3f}"
