"""Evidence and alarms: each case is counted once, in the order in which cases were told, and never taken back."""

import logging
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from classifier.metrics import malignancy
from classifier.metrics.listing import is_listed
from classifier.metrics.sequential import Evidence
from classifier.models import Monitor, MonitorAlarm, MonitorCase
from classifier.services.following import counted
from classifier.services.following.cases import Case, Told
from classifier.services.following.counted import Counted
from classifier.services.following.first import First
from classifier.services.following.rules import (
    COVERAGE,
    LEAST_CASES,
    LIKENESS,
    OF_PHOTOS,
    QUALITY,
    SENSITIVITY,
    SPECIFICITY,
    Reference,
    Rule,
)
from skinclinic.services import alarms, audit, letters
from skinclinic.vocabulary.diseases import DISEASE_KEYS

log = logging.getLogger(__name__)
# A lesion counts for one of the two, as it was told first, whatever it is corrected to.
_EITHER = {SENSITIVITY: SPECIFICITY, SPECIFICITY: SENSITIVITY}
ALARM = "model.alarm"
# Of so many of the last cases an alarm tells besides: all since the record began may hide what has changed since.
_LAST = 30


def hit_of(case: Case, endpoint: str, thresholds: dict[str, float], policy: str) -> bool | None:
    """Whether the answer was right, as the endpoint asks; None where it does not ask it of this case."""
    if endpoint == COVERAGE:
        return bool(is_listed(case.scores[case.truth], thresholds[case.truth]))
    is_malignant = case.truth in malignancy.malignant_keys(policy)
    if is_malignant != (endpoint == SENSITIVITY):
        return None
    scores, limits = ([one[key] for key in DISEASE_KEYS] for one in (case.scores, thresholds))
    return bool(malignancy.says_malignant(scores, limits, policy)[0]) == (endpoint == SENSITIVITY)


@transaction.atomic
def count(
    row: Monitor, cases: list[Case], photos: Mapping[str, list[Told]], of_promise: list[Case]
) -> list[MonitorAlarm]:
    """Add the cases that were told since the record began and are not counted yet, and the ``photos`` by endpoint;
    return the alarms they raise. ``of_promise``: the cases that count for COVERAGE."""
    held = Monitor.objects.select_for_update().filter(pk=row.pk, ended_at=None).first()
    if held is None:
        return []
    counted.complete(held)
    rule, known, raised = Rule.of_json(held.rule), counted.of(MonitorCase.objects.filter(monitor=held)), []
    for endpoint in rule.references:
        asked = of_promise if endpoint == COVERAGE else cases
        told = photos.get(endpoint, ()) if endpoint in OF_PHOTOS else _of_cases(held, rule, endpoint, asked)
        facts = _add(held, endpoint, rule, told, known)
        if facts and (alarm := _alarm(held, endpoint, facts)):
            raised.append(alarm)
    held.save(update_fields=["evidence"])
    return raised


def _of_cases(row: Monitor, rule: Rule, endpoint: str, cases: list[Case]) -> Iterator[Told]:
    values = row.threshold_set.values if row.threshold_set else {}
    for case in cases:
        share = rule.references[endpoint].of_truth(case.truth)
        if case.at <= row.started_at or share is None:
            continue
        hit = hit_of(case, endpoint, values, rule.policy)
        if hit is not None:
            yield Told(case.lesion, case.unit, hit, case.proof, share)


def _add(
    row: Monitor, endpoint: str, rule: Rule, told: Iterable[Told], known: defaultdict[str, Counted]
) -> dict[str, Any] | None:
    """Count what is new; what is known at the moment at which the alarm is due, None where it is not. ``known``: by
    endpoint whom it has counted."""
    mine = known[endpoint]
    elsewhere = known[_EITHER[endpoint]].lesions if endpoint in _EITHER else set()
    reference, kept = rule.references[endpoint], row.evidence.get(endpoint)
    expected = _expected(kept, reference)
    evidence, first, due, fresh = Evidence.of_json(kept), First.of_json(kept), None, []
    risk = rule.first_risk(endpoint)
    rows = row.cases.filter(endpoint=endpoint).order_by("-pk")
    before = rows.values_list("hit", flat=True)[: min(_LAST, evidence.cases)]
    last = deque(reversed(before), _LAST)
    for one in told:
        if one.lesion in mine.lesions or one.lesion in elsewhere or one.unit in mine.units:
            continue
        mine.lesions.add(one.lesion)
        mine.units.add(one.unit)
        fresh.append(counted.row_of(row, endpoint, one))
        if risk and first.of < reference.of:
            first = first.after(one.hit)
            continue
        share = first.share(risk) if risk else reference.share if one.share is None else one.share
        if share is None:
            continue
        evidence, expected = evidence.after(one.hit, share), expected + share
        last.append(one.hit)
        if due is None and evidence.cases >= LEAST_CASES and evidence.value >= rule.limit_of(endpoint):
            due = {
                "cases": evidence.cases, "hits": evidence.hits, "last_cases": len(last), "last_hits": sum(last),
                "reference": round(expected / evidence.cases, 6),
                "evidence": round(evidence.value, 2),
            }  # fmt: skip
    MonitorCase.objects.bulk_create(fresh, batch_size=500)
    about = {"expected": expected} | ({"first": first.to_json()} if risk else {})
    row.evidence[endpoint] = evidence.to_json() | about
    return due


def _expected(kept: Mapping[str, Any] | None, reference: Reference) -> float:
    """The sum of the shares that the cases so far were held against: diseases may have one each."""
    if not kept:
        return 0.0
    # Of before it was kept: the least of them.
    found: float = kept.get("expected", kept["cases"] * (reference.share or 0.0))
    return found


def amended(row: Monitor, cases: list[Case], of_promise: list[Case]) -> dict[str, dict[str, Any]]:
    """By endpoint how many of the cases that were counted would be told otherwise today: their diagnosis or their
    answer is another, they are there no more, or (``unpromised``) there, but none ``of_promise``. And the ``evidence``
    without them, which is no rule's. Endpoints without any are left out."""
    rule, found = Rule.of_json(row.rule), {}
    kept = Monitor.objects.values_list("evidence", flat=True).get(pk=row.pk)
    values = row.threshold_set.values if row.threshold_set else {}
    for endpoint in (one for one in rule.references if one not in OF_PHOTOS):
        now = {case.lesion: case for case in (of_promise if endpoint == COVERAGE else cases)}
        rows = row.cases.filter(endpoint=endpoint).order_by("pk")
        in_record = [
            (filed or lesion, hit)
            for lesion, filed, hit in rows.values_list("lesion", "proof__lesion", "hit")
        ]
        standing, told = [], set()
        for lesion, hit in in_record:
            case = now.get(lesion)
            if case is None or lesion in told or hit_of(case, endpoint, values, rule.policy) != hit:
                continue
            told.add(lesion)
            share = rule.references[endpoint].of_truth(case.truth)
            if share is not None:
                standing.append((hit, share))
        of = Evidence.of_json(kept.get(endpoint)).cases
        if len(standing) == of:
            continue
        without = Evidence()
        for hit, share in standing:
            without = without.after(hit, share)
        found[endpoint] = {
            "cases": of - len(standing), "of": of, "hits": without.hits, "evidence": without.value,
        }  # fmt: skip
        if endpoint == COVERAGE:
            of_truth = rule.references[endpoint].of_truth
            there = {case.lesion for case in cases if of_truth(case.truth) is not None}
            found[endpoint]["unpromised"] = sum(
                lesion in there and lesion not in now for lesion, _hit in in_record
            )
    return found


def _alarm(row: Monitor, endpoint: str, facts: dict[str, Any]) -> MonitorAlarm | None:
    alarm, is_new = MonitorAlarm.objects.get_or_create(
        monitor=row, endpoint=endpoint, defaults={"clinic_id": row.clinic_id, "facts": facts}
    )
    if not is_new:
        return None
    log.warning("model %s in clinic %s: alarm of %s", row.model_version, row.clinic, endpoint)
    audit.record(ALARM, alarm, facts={"what": endpoint, "model": row.model_version.name, **facts})
    words = in_words(alarm)
    text = "\n".join([words, "", _("The page “After publishing” tells more."), settings.PUBLIC_ADDRESS])
    for address in alarms.admins(row.clinic):
        letters.post(row.clinic, address, words, text)
    return alarm


def in_words(alarm: MonitorAlarm) -> str:
    """What the alarm says, in one sentence."""
    said = {
        SENSITIVITY: _(
            "Alarm: the sensitivity of %(model)s for malignant diseases has fallen below %(share)s."
        ),
        SPECIFICITY: _(
            "Alarm: the specificity of %(model)s for malignant diseases has fallen below %(share)s."
        ),
        COVERAGE: _(
            "Alarm: the list of %(model)s covers the truth less often than the lower end of its promise (%(share)s)."
        ),
        LIKENESS: _("Alarm: fewer than %(share)s of photos are like those %(model)s was trained on."),
        QUALITY: _(
            "Alarm: fewer than %(share)s of photos come without a warning, fewer than when %(model)s was first "
            "followed."
        ),
    }[alarm.endpoint]
    share = f"{100 * alarm.facts['reference']:.1f} %"
    return said % {"model": alarm.monitor.model_version.name, "share": share}


def open_alarms(clinic_id: int) -> list[MonitorAlarm]:
    """Of the record that goes on."""
    rows = MonitorAlarm.objects.filter(clinic=clinic_id, monitor__ended_at=None)
    return list(rows.select_related("monitor__model_version"))
