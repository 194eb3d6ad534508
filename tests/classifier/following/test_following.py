"""What is counted of a model in use, and when an alarm is raised."""

import json
from dataclasses import asdict
from datetime import date, timedelta

import numpy as np
import pytest
from django.core import mail
from django.template.loader import render_to_string
from django.utils import timezone

from classifier.metrics import malignancy
from classifier.metrics.proportions import proportion
from classifier.metrics.sequential import Evidence
from classifier.models import Analysis, Assessment, Monitor, MonitorAlarm, MonitorCase, ThresholdSet
from classifier.presenters import following, following_rule
from classifier.services.following import cases, counting, drift, due, records, rules
from classifier.services.following.periods import Periods
from classifier.services.following.rules import (
    COVERAGE,
    LIKENESS,
    QUALITY,
    SENSITIVITY,
    SPECIFICITY,
    Reference,
    Rule,
)
from classifier.services.models import registry
from skinclinic.engine import jobs
from skinclinic.models import AuditEvent, Biopsy, Diagnosis, Lesion, Patient, Photo
from skinclinic.services import diagnoses
from skinclinic.services.refused import Refused
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests import factories, followed

LIMITS = dict.fromkeys(DISEASE_KEYS, 0.1)


@pytest.fixture(scope="module")
def stock(standing):
    with standing.building():
        clinic = factories.make_clinic("Hanok Dermatology")
        ada = factories.make_member(clinic, "admin", "ada")
        standing.keep(
            clinic=clinic,
            ada=ada,
            version=followed.make_version("tiny"),
            newer=followed.make_version("newer"),
        )


@pytest.fixture
def world(stock, given):
    return given


@pytest.fixture
def monitor(world):
    followed.answer(world["clinic"], world["version"])
    return stated(world, sensitivity=0.9, specificity=0.8)


def stated(world, alpha: float = 0.05, **shares) -> Monitor:
    chosen = world["version"].threshold_sets.get(name="balanced")
    rule = rules.stated(chosen, alpha, shares, {})
    return records.state(world["clinic"], world["version"], chosen, rule, world["ada"], "because")


def run(monitor: Monitor) -> Monitor:
    due.ask(monitor)
    jobs.run_waiting(due.JOB)
    monitor.refresh_from_db()
    return monitor


def proven(world, truth, lists, **how):
    return followed.proven(world["clinic"], world["version"], truth, lists=lists, **how)


def test_malignant_is_said_where_any_malignant_disease_is_listed_and_the_place_of_keratosis_is_a_choice():
    scores = np.zeros((3, 12))
    scores[0, DISEASE_KEYS.index("scc")] = scores[1, DISEASE_KEYS.index("ak")] = 0.5
    limits = np.full(12, 0.1)
    assert malignancy.says_malignant(scores, limits, "benign").tolist() == [True, False, False]
    assert malignancy.says_malignant(scores, limits, "malignant").tolist() == [True, True, False]


def test_of_an_evaluation_each_patient_counts_once_with_the_most_suspicious_photo_of_the_first_lesion():
    units, lesions = [1, 1, 1, 2, 3, 3], ["a", "b", "a", "", "", ""]
    assert malignancy.one_a_unit(units, lesions, [0.1, 0.9, 0.5, 0.2, 0.3, 0.8]).tolist() == [2, 3, 4]


def test_a_patient_counts_once_in_each_group_and_what_is_not_counted_is_told(world, monitor):
    clinic, version = world["clinic"], world["version"]
    patient = Patient.objects.create(clinic=clinic, code="P-1")
    proven(world, "bcc", ("bcc",), patient=patient)
    proven(world, "mm", (), patient=patient)
    proven(world, "nevus", ("mm",), patient=patient)
    proven(world, "sk", ("sk",))
    proven(world, "", ("sk",))
    proven(world, "mm", ("mm",), kind="dermoscopic")
    late = Lesion.objects.create(clinic=clinic, patient=patient, is_proven=True, proven_disease="mm")
    diagnoses.record(lesion=late, user=world["ada"], kind="pathology", disease="mm")
    followed.answer(clinic, version, lesion=late)
    figures = run(monitor).figures
    shares = figures["proven"]["policies"]["benign"]
    assert shares[SENSITIVITY]["all"] == [1, 1]
    assert shares[SENSITIVITY]["lesions"] == 2
    assert shares[SPECIFICITY]["all"] == [1, 2]
    told = figures["lesions"]
    assert (told["late"], told["aside"], told["other"], told["cases"]) == (1, 1, 1, 4)
    assert told["confirmed"] == {"histopathology": 4}
    assert figures["photos"]["aside"]["dermoscopic"] == 1
    by_key = {one["key"]: one for one in figures["proven"]["diseases"]}
    assert by_key["bcc"]["sensitivity"] == [1, 1]
    assert by_key["sk"]["specificity"] == [1, 1]


def test_what_is_photographed_after_the_biopsy_is_no_answer_to_the_lesion(world, monitor):
    """A wound lists nothing; it would be told as a miss of the melanoma that it was."""
    clinic, version = world["clinic"], world["version"]
    today, now = timezone.localdate(), timezone.now()

    def seen(lists, days_ago: int, lesion=None) -> Analysis:
        row = followed.answer(clinic, version, lists=lists, lesion=lesion)
        Photo.objects.filter(pk=row.photo_id).update(captured_at=now - timedelta(days=days_ago))
        return row

    def biopsied(lesion, days_ago: int, **how) -> None:
        taken = today - timedelta(days=days_ago)
        Biopsy.objects.create(clinic=clinic, lesion=lesion, taken_on=taken, **how)

    first = seen(("mm",), 9)
    biopsied(first.photo.lesion, 9, ended_how="pathology")
    seen((), 2, first.photo.lesion)
    followed.prove(first, "mm")
    scar = seen((), 2)
    biopsied(scar.photo.lesion, 9)
    followed.prove(scar, "mm")
    mistaken = seen(("mm",), 2)
    biopsied(mistaken.photo.lesion, 9, ended_how="undone", ended_at=now)
    followed.prove(mistaken, "mm")
    # Recorded long after it was told: what was photographed meanwhile is of another day, too.
    told = seen((), 2)
    followed.prove(told, "mm")
    Diagnosis.objects.filter(lesion=told.photo.lesion).update(diagnosed_on=today - timedelta(days=5))
    figures = run(monitor).figures
    assert figures["proven"]["policies"]["benign"][SENSITIVITY]["all"] == [2, 2]
    assert (figures["lesions"]["treated"], figures["lesions"]["late"]) == (2, 0)
    assert (monitor.evidence[SENSITIVITY]["cases"], monitor.evidence[SENSITIVITY]["hits"]) == (2, 2)
    assert ("proven lesions photographed only after the biopsy", 2) in following.not_counted(figures)


def test_keratosis_is_told_both_ways_and_only_close_ups_of_the_clinics_own_patients_count(world, monitor):
    proven(world, "ak", ("ak",))
    ours = followed.answer(world["clinic"], world["version"], lists=("mm",))
    Lesion.objects.filter(pk=ours.photo.lesion_id).update(is_archived=True)
    followed.prove(ours, "mm")
    Analysis.objects.filter(pk=followed.answer(world["clinic"], world["version"]).pk).update(job=None)
    policies = run(monitor).figures["proven"]["policies"]
    assert policies["benign"][SPECIFICITY]["all"] == [1, 1]
    assert policies["benign"][SENSITIVITY]["all"] == [0, 0]
    assert policies["malignant"][SENSITIVITY]["all"] == [1, 1]
    assert monitor.figures["photos"]["answered"] == 2


def test_a_case_is_counted_once_and_stays_as_it_was_told(world, monitor):
    first = proven(world, "mm", ("mm",))
    run(monitor)
    assert monitor.evidence[SENSITIVITY]["cases"] == 1 == monitor.evidence[SENSITIVITY]["hits"]
    diagnoses.record(
        lesion=first.lesion,
        user=world["ada"],
        kind="pathology",
        disease="nevus",
        confirmed_by="histopathology",
    )
    run(run(monitor))
    assert monitor.evidence[SENSITIVITY]["cases"] == 1
    # The figures tell it as it is known now.
    assert monitor.figures["proven"]["policies"]["benign"][SENSITIVITY]["all"] == [0, 0]
    assert monitor.figures["proven"]["policies"]["benign"][SPECIFICITY]["all"] == [0, 1]


def test_of_what_was_counted_it_is_said_what_would_be_told_otherwise_today(world, monitor):
    """Wrong entries raise alarms that no correction takes back; without a word nobody would know."""
    wrong = [proven(world, "mm", ()) for _ in range(8)]
    others = [proven(world, "mm", ()) for _ in range(3)] + [proven(world, "mm", ("mm",)) for _ in range(3)]
    run(monitor)
    assert monitor.alarms.get().endpoint == SENSITIVITY and monitor.figures["amended"] == {}
    for one in wrong[:6]:
        diagnoses.record(lesion=one.lesion, user=world["ada"], kind="pathology", disease="nevus")
    diagnoses.withdraw(wrong[6], world["ada"])
    Lesion.objects.filter(pk=wrong[7].lesion_id).update(is_archived=True)
    others[0].lesion.delete()
    before = Evidence.of_json(monitor.evidence[SENSITIVITY])
    run(monitor)
    assert Evidence.of_json(monitor.evidence[SENSITIVITY]) == before, "what was counted stays"
    assert monitor.evidence[SPECIFICITY]["cases"] == 0, "none of them counts in the other group, too"
    without = Evidence()
    for hit in (False, False, True, True, True):
        without = without.after(hit, 0.9)
    assert monitor.figures["amended"] == {
        SENSITIVITY: {"cases": 9, "of": 14, "hits": 3, "evidence": pytest.approx(without.value)}
    }
    (line,) = (one for one in following_rule.lines(monitor) if one.name == "Sensitivity, malignant")
    assert "Of the patients counted so far 9 would be told otherwise today" in line.amended
    assert f"without them it would be 3/5, with evidence of {without.value:.2g}" in line.amended
    assert line.amended in render_to_string(
        "models/following/rule_panel.html", {"row": monitor, "lines": [line], "least": 10}
    )


def test_an_alarm_of_a_promise_names_what_its_cases_were_held_against(world):
    """Not the least of all diseases: 24 of 30 are no less than 74 %."""
    lows = {"bcc": 0.95, "mm": 0.74}
    kept = {
        "share": 0.95,
        "diseases": {key: {"units": 60, "rank": 58, "low": low} for key, low in lows.items()},
    }
    followed.answer(world["clinic"], world["version"])
    chosen = ThresholdSet.objects.create(
        model_version=world["version"], clinic=world["clinic"], name="covers", values=LIMITS,
        details={"rule": "coverage", "coverage": kept},
    )  # fmt: skip
    rule = Rule(references={COVERAGE: rules.from_promise(chosen)})
    row = records.state(world["clinic"], world["version"], chosen, rule, world["ada"], "because")
    proven(world, "mm", ("mm",))
    run(row)
    for n in range(29):
        proven(world, "bcc", ("bcc",) if n % 3 else ())
    run(row)
    alarm = row.alarms.get()
    mean = (0.74 + (alarm.facts["cases"] - 1) * 0.95) / alarm.facts["cases"]
    assert alarm.facts["reference"] == pytest.approx(mean, abs=1e-6)
    assert alarm.facts["hits"] / alarm.facts["cases"] < mean
    assert f"the lower end of its promise ({100 * mean:.1f} %)" in counting.in_words(alarm)
    assert [line.against for line in following_rule.lines(row) if line.reference] == ["74.0 % – 95.0 %"]
    # Of a record from before the shares were kept: the least of them.
    del row.evidence[COVERAGE]["expected"]
    row.save()
    proven(world, "bcc", ("bcc",))
    run(row)
    assert row.evidence[COVERAGE]["expected"] == pytest.approx(30 * 0.74 + 0.95)


def test_what_was_proven_before_the_rule_was_stated_is_no_evidence(world):
    followed.answer(world["clinic"], world["version"])
    for _ in range(12):
        proven(world, "mm", ())
    row = run(stated(world, sensitivity=0.9))
    assert row.evidence[SENSITIVITY]["cases"] == 0
    assert row.figures["proven"]["policies"]["benign"][SENSITIVITY]["all"] == [0, 12]
    assert not MonitorAlarm.objects.exists()


def test_a_fall_raises_one_alarm_which_is_audited_and_mailed_to_admins_once(
    world, monitor, settings, django_capture_on_commit_callbacks
):
    settings.EMAIL_HOST = "mail.example.org"
    for _ in range(9):
        proven(world, "mm", ())
    assert not run(monitor).alarms.exists(), "fewer than ten"
    for _ in range(6):
        proven(world, "mm", ())
    run(monitor)
    (alarm,) = monitor.alarms.all()
    assert (alarm.endpoint, alarm.facts["cases"], alarm.facts["hits"]) == (SENSITIVITY, 10, 0)
    assert alarm.facts["evidence"] >= Rule.of_json(monitor.rule).limit_of(SENSITIVITY) == 40
    proven(world, "mm", ())
    run(monitor)
    assert AuditEvent.objects.filter(action="model.alarm", clinic_key=world["clinic"].pk).count() == 1
    jobs.run_waiting("mail")
    (letter,) = mail.outbox
    assert letter.to == [world["ada"].email]
    assert "sensitivity" in letter.subject
    assert [one.pk for one in counting.open_alarms(world["clinic"].pk)] == [alarm.pk]


def test_answers_as_good_as_the_reference_raise_none(world, monitor):
    for n in range(30):
        proven(world, "mm", ("mm",) if n % 10 else ())
        proven(world, "nevus", ("mm",) if n % 5 == 0 else ())
    run(monitor)
    assert monitor.evidence[SENSITIVITY]["cases"] == monitor.evidence[SPECIFICITY]["cases"] == 30
    assert not monitor.alarms.exists()


def test_another_rule_is_another_record_that_begins_anew_and_is_audited(world, monitor):
    proven(world, "mm", ())
    run(monitor)
    with pytest.raises(Refused):
        rules.stated(world["version"].threshold_sets.first(), 0.05, {SENSITIVITY: 1.0}, {})
    other = stated(world, 0.01, sensitivity=0.7)
    monitor.refresh_from_db()
    assert monitor.ended_at is not None
    assert (other.evidence, other.followed_since) == ({}, monitor.followed_since)
    event = AuditEvent.objects.filter(action="model.follow").latest("id")
    assert event.before["rule"]["sensitivity"] == 0.9
    assert event.after["rule"] | {} == {
        "model": "tiny", "thresholds": "balanced", "alpha": 0.01, "sensitivity": 0.7,
    }  # fmt: skip
    assert event.reason == "because"


def test_an_answer_that_was_asked_for_after_the_pathology_is_late_whenever_it_was_computed(world, monitor):
    """As one of the shadow or of an evaluation is, which is taken over when somebody asks."""
    early, late = (followed.answer(world["clinic"], world["version"]) for _ in range(2))
    followed.prove(early, "mm"), followed.prove(late, "mm")
    Analysis.objects.filter(pk=late.pk).update(requested_at=timezone.now())
    found = cases.find(monitor)
    assert ([case.lesion for case in found.cases], found.late) == ([early.photo.lesion_id], 1)


def test_the_reconciler_begins_a_record_when_a_model_is_published_and_computes_what_is_new(
    world, monkeypatch
):
    clinic = world["clinic"]
    due.look()
    assert not Monitor.objects.exists(), "nothing was answered"
    followed.answer(clinic, world["version"])
    due.look()
    first = records.current(clinic)
    assert (first.threshold_set.name, first.rule["references"], first.started_by) == (
        "balanced", {QUALITY: asdict(Reference(None, "first", of=200))}, None
    )  # fmt: skip
    with monkeypatch.context() as ahead:
        # The worker's clock is: what it has computed is not of later than now.
        real = timezone.now
        ahead.setattr(timezone, "now", lambda: real() + timedelta(hours=2))
        jobs.run_waiting(due.JOB)
    first.refresh_from_db()
    assert first.computed_at <= timezone.now() and not due.is_due(first)
    followed.earlier(first, "computed_at", 0.01)
    assert not due.is_due(first)
    proven(world, "mm", ())
    assert due.is_due(first)
    long_ago = timezone.now() - timedelta(days=9)
    Diagnosis.objects.update(created_at=long_ago)
    assert not due.is_due(first)
    Diagnosis.objects.update(withdrawn_at=timezone.now())
    assert due.is_due(first), "a pathology was withdrawn"
    Diagnosis.objects.update(withdrawn_at=None)
    followed.earlier(first, "computed_at", 0.3)
    assert due.is_due(first), "there are answers that it does not know"
    Analysis.objects.update(analysed_at=long_ago)
    assert not due.is_due(first)
    followed.earlier(first, "computed_at", 1.1)
    assert due.is_due(first), "once a day anyway"
    followed.earlier(first, "computed_at", 0.001)
    Diagnosis.objects.update(created_at=timezone.now())
    assert not due.is_due(first), "no more often than each ten minutes"
    followed.earlier(first, "computed_at", -0.2)
    assert due.is_due(first), "computed before the clock was put back"
    followed.earlier(first, "computed_at", 0.2)
    registry._publish(world["newer"], clinic=clinic, user=None, reason="")
    due.look()
    second = records.current(clinic)
    first.refresh_from_db()
    assert second.model_version == world["newer"]
    assert first.ended_at is not None
    due.look()
    assert Monitor.objects.filter(clinic=clinic).count() == 2


def test_a_clinic_whose_record_cannot_begin_keeps_no_other_from_beginning(world, monkeypatch):
    other = factories.make_clinic("Other clinic")
    for clinic in (world["clinic"], other):
        followed.answer(clinic, world["version"])
    usual = rules.usual

    def broken(version, clinic, chosen):
        if clinic == world["clinic"]:
            raise OSError("the disk is gone")
        return usual(version, clinic, chosen)

    monkeypatch.setattr(rules, "usual", broken)
    due.look()
    assert [row.clinic for row in Monitor.objects.all()] == [other]


def test_a_promise_is_held_against_for_diseases_of_which_something_is_promised(world):
    followed.answer(world["clinic"], world["version"])
    of_bcc = {"units": 60, "rank": 58, "low": 0.91}
    kept = {"share": 0.95, "diseases": {"bcc": of_bcc, "mm": {"units": 2, "instead": ""}}}
    chosen = ThresholdSet.objects.create(
        model_version=world["version"], clinic=world["clinic"], name="covers", values=LIMITS,
        details={"rule": "coverage", "coverage": kept},
    )  # fmt: skip
    rule = rules.usual(world["version"], world["clinic"], chosen)
    assert rule.references[COVERAGE] == Reference(0.91, "promise", "covers", by_disease={"bcc": 0.91})
    assert Rule.of_json(rule.to_json()) == rule
    row = records.state(world["clinic"], world["version"], chosen, rule, world["ada"], "because")
    proven(world, "mm", ())
    born = timezone.localdate().year - 60
    facts = [{"sex": "female", "birth_year": born, "skin_type": 2}] * 10 + [{}]
    for number, known in enumerate(facts):
        patient = Patient.objects.create(clinic=world["clinic"], code=f"P-{number}", **known)
        lesion = Lesion.objects.create(clinic=world["clinic"], patient=patient, site="face")
        proven(world, "bcc", (), lesion=lesion)
    run(row)
    assert row.evidence[COVERAGE]["cases"] == 11
    assert "by answers in full precision" in following_rule.limit_words(row)
    assert row.alarms.get().endpoint == COVERAGE
    # It is told whatever the record's own thresholds are: somebody may be shown the list by those.
    other = run(stated(world, sensitivity=0.5))
    assert other.threshold_set != chosen
    (told,) = other.figures["promises"]
    assert (told["covered"], told["is_below"], sum(n for _hits, n in told["periods"])) == ([0, 11], True, 11)
    (promise,) = following.promises(other.figures)
    whole = promise.whole
    assert (whole.name, promise.promised, whole.share.count, whole.share.of) == ("covers", "95 %", 0, 11)
    assert [(one.key, one.share.of, one.is_below) for one in promise.diseases] == [("bcc", 11, True)]
    assert {
        division: [(one.name, one.share.of, one.share.found is not None, one.is_below) for one in groups]
        for division, groups in promise.groups
    } == {
        "Age": [("50–69", 10, True, True), ("not known", 1, False, False)],
        "Sex": [("Female", 10, True, True), ("not known", 1, False, False)],
        "Fitzpatrick skin type": [("II", 10, True, True), ("not known", 1, False, False)],
        "Anatomic site": [("Face", 11, True, True)],
    }
    assert following.figure(other, "covered").rows[0][-1] == 11
    # What was computed before has the whole alone.
    other.figures["promises"] = [{"name": "covers", "share": 0.95, "covered": [0, 11]}]
    (before,) = following.promises(other.figures)
    assert (before.whole.share.of, before.diseases, before.groups) == (11, [], [])
    assert (before.left_out, before.is_known) == ([], False), "nobody had been left out"
    assert following.figure(other, "covered").drawing is None


def test_a_promise_is_of_answers_in_full_precision_and_of_others_that_is_said(world):
    """As the result's page says: of an answer in bfloat16 nothing is promised."""
    followed.answer(world["clinic"], world["version"])
    kept = {"share": 0.95, "diseases": {"bcc": {"units": 60, "rank": 58, "low": 0.91}}}
    chosen = ThresholdSet.objects.create(
        model_version=world["version"], clinic=world["clinic"], name="covers", values=LIMITS,
        details={"rule": "coverage", "coverage": kept},
    )  # fmt: skip
    promised = {COVERAGE: rules.from_promise(chosen), SENSITIVITY: Reference(0.9, rules.STATED)}
    row = records.state(
        world["clinic"], world["version"], chosen, Rule(references=promised), world["ada"], "-"
    )
    proven(world, "bcc", (), precision="bf16")
    twice = Patient.objects.create(clinic=world["clinic"], code="twice")
    proven(world, "bcc", (), patient=twice, precision="f16")
    proven(world, "bcc", ("bcc",), patient=twice)
    # What was answered before precisions were kept counts, as in evaluations.
    proven(world, "bcc", ("bcc",), precision="")
    run(row)
    assert (row.evidence[COVERAGE]["cases"], row.evidence[COVERAGE]["hits"]) == (2, 2)
    assert row.evidence[SENSITIVITY]["cases"] == 3, "what was shown is shown"
    (told,) = row.figures["promises"]
    assert (told["covered"], told["left_out"], told["other_precision"]) == ([2, 2], 0, 2)
    assert row.figures["proven"]["covered"] == [1, 3]
    words = "proven lesions answered in another precision than full, which count for no promise"
    assert (words, 2) in following.not_counted(row.figures)
    # Counted before that was heeded: it stays in the evidence, and is told.
    assert COVERAGE not in row.figures["amended"]
    Analysis.objects.filter(photo__lesion__patient=twice).update(precision="bf16")
    told = run(row).figures["amended"][COVERAGE]
    assert (told["cases"], told["unpromised"]) == (1, 1)
    (line,) = (one for one in following_rule.lines(row) if one.name == "The truth is listed")
    assert "Of 1 of them nothing is promised" in line.amended


def test_photos_other_than_the_model_says_or_than_the_first_raise_alarms_and_patients_count_once(
    world, monkeypatch
):
    clinic, version = world["clinic"], world["version"]
    monkeypatch.setattr(rules, "FIRST_PATIENTS", 12)
    said = {"false_alarms": 0.05, "realised": {"alarms": 49, "photos": 1006, "low": 0.036, "high": 0.065}}
    version.manifest = {"familiarity": said}
    version.save()
    found = rules.usual(version, clinic, None).references
    assert found[LIKENESS] == Reference(pytest.approx(0.935), "model", count=957, of=1006)
    unseen = {"alarms": 60, "photos": 400, "low": 0.118, "high": 0.188}
    other = followed.make_version("other", familiarity=said | {"unseen": unseen})
    assert rules.of_photos(other)[LIKENESS].share == pytest.approx(0.812), "patients it had not learnt from"
    followed.answer(clinic, version, unlike=9.0, quality=followed.GOOD | {"warnings": ["blurred"]})
    row = records.state(
        clinic, version, version.threshold_sets.get(), Rule(references=found), world["ada"], "-"
    )
    patients = [Patient.objects.create(clinic=clinic, code=f"P-{n}") for n in range(12)]
    for patient in patients:
        followed.answer(clinic, version, patient=patient, unlike=0.5)
    bad = {"unlike": 2.0, "quality": followed.GOOD | {"warnings": ["blurred"]}}
    followed.answer(clinic, version, patient=patients[0], **bad)
    for kind in ("overview", "dermoscopic"):
        followed.answer(clinic, version, kind=kind, **bad)
    followed.answer(clinic, version, is_synthetic=True, **bad)
    run(row)
    assert (row.evidence[LIKENESS]["cases"], row.evidence[LIKENESS]["hits"]) == (12, 12)
    assert (row.evidence[QUALITY]["cases"], row.evidence[QUALITY]["first"]) == (0, {"hits": 12, "of": 12})
    for _ in range(9):
        followed.answer(clinic, version, **bad)
    # Nothing to judge: none of the model's answers, but a photo that was warned about all the same.
    blank = followed.GOOD | {
        "brightness": 0.0,
        "sharpness": 0.0,
        "skin_fraction": 0.0,
        "warnings": ["too_dark"],
    }
    followed.answer(clinic, version, unlike=2.0, quality=blank)
    run(row)
    assert (row.evidence[LIKENESS]["cases"], row.evidence[LIKENESS]["hits"]) == (21, 12)
    low = 0.0125 ** (1 / 12)
    assert row.evidence[QUALITY] | {"sums": 0, "highest": 0} == {
        "cases": 10, "hits": 0, "expected": pytest.approx(10 * low), "first": {"hits": 12, "of": 12}, "sums": 0,
        "highest": 0,
    }  # fmt: skip
    alarms = {one.endpoint: one for one in row.alarms.all()}
    assert alarms[QUALITY].facts["reference"] == pytest.approx(low)
    last = {one: (alarms[one].facts["last_hits"], alarms[one].facts["last_cases"]) for one in alarms}
    assert last == {LIKENESS: (12, 16), QUALITY: (0, 10)}, "of the first patients nothing is told"
    assert alarms[QUALITY].facts["evidence"] >= Rule.of_json(row.rule).limit_of(QUALITY) == 80
    assert (alarms[LIKENESS].facts["cases"], Rule.of_json(row.rule).limit_of(LIKENESS)) == (16, 40)
    assert MonitorCase.objects.filter(endpoint=QUALITY).count() == 22
    run(row)
    assert row.evidence[QUALITY]["cases"] == 10, "each patient once"
    assert {line.name: line.against for line in following_rule.lines(row) if line.is_of_photos} == {
        "Photos like the training photos": "93.5 %", "Photos without a warning": f"{100 * low:.1f} %",
    }  # fmt: skip
    assert "reach 80" in following_rule.limit_words(row)


def test_intervals_of_what_is_counted_by_photos_heed_whose_they_are(world, monitor):
    patient = Patient.objects.create(clinic=world["clinic"], code="often")
    often = [followed.answer(world["clinic"], world["version"], patient=patient) for _ in range(20)]
    others = [followed.answer(world["clinic"], world["version"], lists=("mm",)) for _ in range(20)]
    for one in (*often, *others):
        said = Diagnosis.objects.create(
            clinic=world["clinic"], lesion=one.photo.lesion, kind="impression", disease="mm"
        )
        Assessment.objects.create(
            clinic=world["clinic"], analysis=one, user=world["ada"], impression=said,
            threshold_set=monitor.threshold_set, listed=["mm"] if one in often else ["nevus"],
        )  # fmt: skip
    content = run(monitor).figures
    for found, hits, of in (
        (content["photos"]["empty"], 21, 41), (content["people"]["shares"]["before"]["agrees"], 20, 40)
    ):  # fmt: skip
        alone = proportion(hits, of)
        assert found[:2] == [hits, of] and found[2] < alone.low and alone.high < found[3]
    assert following.list_told(content)["empty"].found.low == content["photos"]["empty"][2]
    before = following.people_rows(content)[0]
    assert before["agrees"].found.low == content["people"]["shares"]["before"]["agrees"][2]
    # What was computed before has none yet.
    del content["people"]["shares"], content["photos"]["empty"]
    assert following.people_rows(content)[0]["agrees"].found.low is None


def test_what_has_an_order_keeps_it_where_the_database_sorts_names():
    """PostgreSQL gives names of its JSON back by length and alphabet."""
    two = {name: Reference(0.8, rules.STATED) for name in (SENSITIVITY, COVERAGE)}
    kept = json.loads(json.dumps(Rule(references=two).to_json(), sort_keys=True))
    assert list(Rule.of_json(kept).references) == [SENSITIVITY, COVERAGE]
    pair = {"all": [9, 12]}
    content = {
        "proven": {
            "policies": {name: {SENSITIVITY: pair, SPECIFICITY: pair} for name in ("benign", "malignant")}
        }
    }
    for first in ("benign", "malignant"):
        told = [words for words, _sensitivity, _specificity in following.shares(content, first)]
        assert len(told) == 2 and told[0].endswith(f"as {first}")


def test_another_clinics_cases_are_none_of_it(world, monitor):
    other = factories.make_clinic("Other clinic")
    followed.proven(other, world["version"], "mm")
    assert run(monitor).figures["photos"]["answered"] == 1
    assert not cases.find(monitor).cases
    assert not MonitorCase.objects.exists()


def test_drift_is_told_against_the_first_answers_and_only_of_enough():
    values = np.r_[np.linspace(0, 1, 260), np.linspace(0.5, 1.5, 40), np.linspace(0, 1, 5)]
    periods = np.r_[np.zeros(260, int), np.ones(40, int), np.full(5, 2)]
    values[3] = np.nan
    found = drift.summary(values, periods, 3, np.arange(len(values)))
    assert found["first"]["n"] == 200
    assert [one["n"] for one in found["periods"]] == [259, 40, 5]
    assert found["periods"][1]["median"] == pytest.approx(1.0)
    assert found["periods"][2]["median"] is None is found["periods"][2]["distance"]
    assert drift.distance(np.arange(10), np.arange(10) + 5) == pytest.approx(0.5)
    assert drift.distance(np.arange(10), np.arange(10)) == 0


def test_time_goes_by_months_and_after_many_by_quarters():
    months = Periods.between(date(2026, 11, 3), date(2027, 2, 1))
    assert months.names() == ["2026-11", "2026-12", "2027-01", "2027-02"]
    assert [months.place(day) for day in (date(2026, 1, 1), date(2027, 1, 31), date(2030, 1, 1))] == [0, 2, 3]
    assert Periods.between(date(2025, 2, 3), date(2026, 12, 1)).names()[::7] == ["2025 Q1", "2026 Q4"]


def test_what_came_later_is_held_against_the_first_answers_alone():
    later = drift.LEAST
    values = np.array([0.0] * drift.FIRST + [1.0] * later)
    [one] = drift.summary(values, np.zeros(len(values), int), 1, np.arange(len(values)))["periods"]
    assert one["distance"] == 1.0


def test_periods_of_few_patients_are_told_together(world, monitor):
    """Of a clinic with four malignant proofs a month nothing would ever be told over time."""
    content = run(monitor).figures
    content["periods"] = [f"2026-0{month}" for month in range(1, 9)]
    pairs = [[3, 4], [4, 4], [0, 0], [2, 4], [9, 10], [11, 12], [4, 4], [4, 4]]
    told = {"all": [37, 42], "periods": pairs, "lesions": 42}
    content["proven"] = {
        "policies": {"benign": {SENSITIVITY: told, SPECIFICITY: told | {"periods": [[0, 1]] * 8}}}
    }
    monitor.figures = content
    found = following.figure(monitor, "rates")
    rows = [row for row in found.rows if row[1] == "Sensitivity, malignant"]
    assert [(row[0], row[2], row[-1]) for row in rows] == [
        ("2026-01 – 2026-04", 0.75, 12), ("2026-05", 0.9, 10), ("2026-06", pytest.approx(11 / 12), 12),
        ("2026-07", None, 4), ("2026-08", None, 4),
    ]  # fmt: skip
    known = proportion(9, 12)
    assert rows[0][3:5] == (known.low, known.high)
    points = {one.name: one.points for one in found.series}
    assert len(points["Sensitivity, malignant"]) == 3 and points["Specificity, malignant"] == ()
    assert (
        "2026-01 – 2026-04, Sensitivity, malignant: 75.0 % (9/12" in points["Sensitivity, malignant"][0].text
    )


def test_a_distance_is_told_with_what_chance_alone_gives_by_patients():
    """With 30 photos it is 0.16 on average where nothing has changed, and more where photos of a patient are alike."""
    random, later = np.random.default_rng(11), drift.LEAST
    assert drift.by_chance(200, later) == pytest.approx(1.3581 * np.sqrt(1 / 200 + 1 / 30), rel=1e-4)
    periods = np.r_[np.zeros(drift.FIRST, int), np.ones(later, int)]
    for each, least in ((1, 0.02), (4, 0.0)):
        units = np.arange(len(periods)) // each
        beyond = 0
        for _ in range(400):
            values = random.normal(size=units[-1] + 1)[units] + 0.3 * random.normal(size=len(units))
            told = drift.summary(values, periods, 2, units)["periods"]
            beyond += told[1]["distance"] > told[1]["by_chance"]
            assert told[0]["by_chance"] is None
        assert least <= beyond / 400 <= 0.07
