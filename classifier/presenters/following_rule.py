"""The rule of alarms of a model in use in words: what is held against what, where the evidence stands."""

from dataclasses import dataclass

from classifier.metrics.sequential import Evidence
from classifier.models import Monitor, MonitorAlarm
from classifier.plots.figures import counted, percent
from classifier.services.following import counting, rules
from classifier.services.following.first import First
from classifier.services.following.rules import (
    COVERAGE,
    EVALUATION,
    LEAST_CASES,
    LIKENESS,
    MODEL,
    PROMISE,
    QUALITY,
    SENSITIVITY,
    SPECIFICITY,
    Reference,
    Rule,
)
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import grouped, ngettext

# Evidence is told up to here.
_MOST_TOLD = 10_000


@dataclass(frozen=True)
class Line:
    """One endpoint of the rule and where it stands. ``reference`` None: no alarm, ``why`` says the reason.
    ``amended``: what would be told otherwise today of the cases that were counted."""

    name: str
    reference: Reference | None
    against: str = ""
    source: str = ""
    why: str = ""
    cases: int = 0
    hits: int = 0
    evidence: str = ""
    highest: str = ""
    alarm: MonitorAlarm | None = None
    is_of_photos: bool = False
    amended: str = ""


def endpoint_name(endpoint: str) -> str:
    return {
        SENSITIVITY: _("Sensitivity, malignant"),
        SPECIFICITY: _("Specificity, malignant"),
        COVERAGE: _("The truth is listed"),
        LIKENESS: _("Photos like the training photos"),
        QUALITY: _("Photos without a warning"),
    }[endpoint]


def lines(row: Monitor) -> list[Line]:
    """The rule, and what the evidence says of it."""
    rule = Rule.of_json(row.rule)
    alarms = {alarm.endpoint: alarm for alarm in row.alarms.select_related("monitor__model_version")}
    found = []
    for endpoint in rules.ENDPOINTS:
        reference = rule.references.get(endpoint)
        if reference is None:
            if endpoint != COVERAGE:
                found.append(Line(endpoint_name(endpoint), None, why=_no_alarm(row, endpoint)))
            continue
        kept = row.evidence.get(endpoint)
        evidence = Evidence.of_json(kept)
        against, source = (
            _of_first(reference, First.of_json(kept), rule.first_risk(endpoint))
            if reference.share is None
            else (_against(reference), source_words(reference))
        )
        found.append(
            Line(
                endpoint_name(endpoint), reference, against, source, "", evidence.cases, evidence.hits,
                _evidence(evidence.value), _evidence(evidence.highest), alarms.get(endpoint),
                endpoint in rules.OF_PHOTOS, _amended(row, endpoint),
            )
        )  # fmt: skip
    return found


def _against(reference: Reference) -> str:
    """The share, or the least and the greatest where each disease has its own."""
    shares = reference.by_disease.values()
    low, high = (percent(one) for one in (reference.share, max(shares, default=reference.share)))
    return low if low == high else f"{low} – {high}"


def _amended(row: Monitor, endpoint: str) -> str:
    # What was computed before has none yet.
    told = row.figures.get("amended", {}).get(endpoint)
    if not told:
        return ""
    words = ngettext(
        "Of the patients counted so far %(n)d would be told otherwise today: corrected, withdrawn, deleted or erased "
        "since. What was counted stays; without this patient it would be %(hits)s, with evidence of %(evidence)s.",
        "Of the patients counted so far %(n)d would be told otherwise today: corrected, withdrawn, deleted or erased "
        "since. What was counted stays; without them it would be %(hits)s, with evidence of %(evidence)s.",
        told["cases"],
    )
    said = words % {
        "n": told["cases"],
        "hits": f"{grouped(told['hits'])}/{grouped(told['of'] - told['cases'])}",
        "evidence": _evidence(told["evidence"]),
    }
    if not told.get("unpromised"):
        return said
    words = ngettext(
        "Of %(n)d of them nothing is promised: the thresholds were made from this patient, or the answer was computed "
        "in another precision than full.",
        "Of %(n)d of them nothing is promised: the thresholds were made from these patients, or the answers were "
        "computed in another precision than full.",
        told["unpromised"],
    )
    return f"{said} {words % {'n': told['unpromised']}}"


def _of_first(reference: Reference, first: First, risk: float) -> tuple[str, str]:
    """What later photos are held against, and where that comes from; of the first as many as there are yet."""
    if first.of < reference.of:
        words = _("what the first %(all)d patients of this record say; %(n)d so far")
        return "–", words % {"all": reference.of, "n": first.of}
    share, of_them = first.share(risk), counted(first.hits, first.of)
    if share is None:
        words = _(
            "not evaluable: nearly all of the first patients’ photos were warned about (%(share)s without)"
        )
        return "–", words % {"share": of_them}
    words = _("the exact lower limit of what the first patients say: %(share)s")
    return percent(share), words % {"share": of_them}


def _no_alarm(row: Monitor, endpoint: str) -> str:
    if endpoint == LIKENESS and not row.model_version.manifest.get("familiarity"):
        return _("Not evaluable: the model does not say what its training photos are like.")
    if row.threshold_set is None and endpoint not in rules.OF_PHOTOS:
        return _("The model has no thresholds.")
    if row.started_by_id:
        return _("None was stated.")
    if endpoint in rules.OF_PHOTOS:
        return _("There was nothing to hold it against when the record began.")
    return _(
        "There was nothing to hold it against when the record began: no evaluation in this clinic, on photos that the "
        "model had not learnt from and these thresholds were not chosen on, with at least ten patients."
    )


def source_words(reference: Reference) -> str:
    """Where what it is held against comes from."""
    if reference.source == PROMISE:
        return _(
            "the promise of “%(name)s”: of each disease the lower end of the range that nine in ten calibrations cover"
        ) % {"name": reference.said}
    if reference.source == EVALUATION:
        words = _("the lower limit of the 95 %% interval in %(name)s: %(share)s")
        return words % {"name": reference.said, "share": counted(reference.count, reference.of)}
    if reference.source == MODEL:
        words = _("the lower limit of the 95 %% interval of what the model says of such photos: %(share)s")
        return words % {"share": counted(reference.count, reference.of)}
    return _("stated by an admin")


def _evidence(value: float) -> str:
    return (
        f"> {grouped(_MOST_TOLD)}" if value > _MOST_TOLD else f"{value:.2g}" if value < 10 else f"{value:.0f}"
    )


def limit_words(row: Monitor) -> str:
    """The rule of alarms in sentences."""
    rule = Rule.of_json(row.rule)
    least, alpha = LEAST_CASES, f"{100 * rule.alpha:.0f} %"
    said = [
        _(
            "After each patient that counts the evidence against what is stated is brought up to date. It begins at 1. "
            "An alarm is raised once it reaches %(limit)s with at least %(least)d patients, and is never taken back. "
            "Of records in which all is as good as stated at most %(alpha)s ever raise one, however long they go on."
        )
        % {"limit": f"{len(rule.references) / rule.alpha:.0f}", "least": least, "alpha": alpha}
    ]
    if COVERAGE in rule.references:
        said.append(
            _(
                "Whether the truth is listed counts where something is promised: of patients whom the thresholds were "
                "not made from, by answers in full precision."
            )
        )
    if not rule.references.keys().isdisjoint(rules.OF_PHOTOS):
        said.append(
            _(
                "Photos count whatever the diagnosis: of each patient the first since the record began, and no "
                "drawings."
            )
        )
    if QUALITY in rule.references:
        words = _(
            "For photos without a warning the evidence has to reach %(limit)s: half of its false alarms are left for "
            "the chance that the first patients’ photos were better than usual."
        )
        said.append(words % {"limit": f"{rule.limit_of(QUALITY):.0f}"})
    return " ".join(said)


def alarm_notices(clinic_id: int) -> list[str]:
    """The alarms that stand, as sentences."""
    return [counting.in_words(alarm) for alarm in counting.open_alarms(clinic_id)]
