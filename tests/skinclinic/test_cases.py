"""Where a case stands: to decide, disagreed, unplanned; follow-ups and biopsies with their history."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from classifier.models import Analysis, Assessment
from classifier.services.analysis import assessments
from classifier.services.analysis.assessments import Named
from classifier.services.analysis.case_decisions import disagrees
from skinclinic.models import Biopsy, Diagnosis, FollowUp, Lesion, Patient, Photo, PhotoDecision
from skinclinic.services import cases, diagnoses, filing, plans, records, visits
from skinclinic.services.photos import delete_photo
from skinclinic.services.refused import Refused
from tests import factories, results
from tests.cases import each

DAY = timedelta(days=1)


def today():
    return timezone.localdate()


def fresh(row):
    return type(row).objects.get(pk=row.pk)


@pytest.fixture
def lesion(photo):
    return photo.lesion


@pytest.fixture
def analysed(photo, clinician):
    return results.finished(photo, clinician)


def decide(user, analysis, decision="agree", named=None, listed=("bcc",)):
    seen = assessments.stand(assessments.of(user, analysis))
    shown_by = analysis.model_version.threshold_sets.first()
    return assessments.decide(
        user, analysis, decision, named=named, seen=seen, threshold_set=shown_by, listed=listed
    )


def aged(lesion, days):
    """Let everything of the lesion have happened some days ago."""
    for rows in (Photo.objects.filter(lesion=lesion), FollowUp.objects.filter(lesion=lesion)):
        for row in rows:
            rows.filter(pk=row.pk).update(created_at=row.created_at - days * DAY)
    for row in PhotoDecision.objects.filter(photo__lesion=lesion):
        PhotoDecision.objects.filter(pk=row.pk).update(decided_at=row.decided_at - days * DAY)


class TestToDecide:
    def test_until_somebody_decides_and_again_after_undo_and_a_new_photo(
        self, lesion, analysed, clinician, clinic
    ):
        assert fresh(lesion).to_decide
        row = decide(clinician, analysed)
        assert not fresh(lesion).to_decide and fresh(lesion).settled_at == row.decided_at
        assessments.undo(clinician, analysed, seen=assessments.stand(row))
        assert fresh(lesion).to_decide and not PhotoDecision.objects.exists()
        decide(clinician, analysed)
        factories.make_photo(clinic, clinician, seed=2, lesion=lesion)
        assert fresh(lesion).to_decide

    def test_any_photo_of_the_last_visit_may_be_the_one_that_is_decided(
        self, lesion, photo, analysed, clinic, clinician
    ):
        newer = factories.make_photo(clinic, clinician, seed=2, lesion=lesion)
        assert fresh(lesion).cover == newer
        decide(clinician, analysed)
        assert not fresh(lesion).to_decide

    def test_a_photo_filed_after_the_decision_was_not_known_to_it(self, clinic, clinician, photo, analysed):
        patient = factories.make_patient(clinic)
        home = photo.lesion
        filing.file_photos([photo], user=clinician, patient=patient, details=filing.Details())
        aged(home, 1)
        late = factories.make_photo(clinic, clinician, seed=2)
        decide(clinician, analysed)
        assert not fresh(home).to_decide
        receipt = filing.file_photos(
            [late], user=clinician, patient=patient, lesion=fresh(home), details=filing.Details()
        )
        assert fresh(home).to_decide
        filing.undo(receipt)
        assert not fresh(home).to_decide

    def test_pathology_settles_it_too(self, lesion, clinician):
        proof = diagnoses.record(lesion=lesion, user=clinician, kind="pathology", disease="mm")
        assert not fresh(lesion).to_decide
        diagnoses.withdraw(proof, clinician)
        assert fresh(lesion).to_decide


@each(
    ("named", "listed", "decision", "expected"),
    [
        ({"disease": "bcc"}, ["bcc", "scc"], "agree", False),
        ({"disease": "scc"}, ["bcc", "scc"], "change", False),
        ({"disease": "ak"}, ["bcc", "scc"], "agree", True),
        ({"disease": "ak"}, [], "change", True),
        ({"text": "Keratoacanthoma"}, ["bcc"], "change", True),
        ({"text": "Keratoacanthoma"}, [], "agree", False),
        ({"icd10": "C44.9", "text": "Carcinoma"}, ["scc"], "change", False),
        (None, ["bcc"], "dismiss", True),
        (None, [], "dismiss", False),
    ],
)
def test_people_and_model_disagree(named, listed, decision, expected):
    diagnosis = Diagnosis(**named) if named else None
    row = Assessment(conclusion=diagnosis, listed=listed, decision=decision, threshold_set_id=1)
    assert disagrees(row) is expected


def test_what_is_malignant_is_told_by_the_code_also_of_what_is_in_situ():
    said = {"C46.0": True, "D03.9": True, "D09.9": True, "D10.0": False, "L57.0": False}
    assert {code: cases.is_malignant(Diagnosis(icd10=code)) for code in said} == said


class TestSuspicions:
    def test_a_malignant_decision_without_a_plan_is_marked(self, lesion, analysed, clinician):
        decide(clinician, analysed)
        assert fresh(lesion).is_unplanned and not fresh(lesion).disagrees
        step = plans.see_again(lesion, clinician, today() + 90 * DAY)
        assert not fresh(lesion).is_unplanned
        plans.undo(step, clinician)
        assert fresh(lesion).is_unplanned
        step = plans.await_biopsy(lesion, clinician, today())
        assert not fresh(lesion).is_unplanned
        plans.finish(step, clinician)
        assert not fresh(lesion).is_unplanned, "somebody has closed it knowingly"
        decide(clinician, analysed, "change", Named(icd10="C46.0", text="Kaposi sarcoma"))
        assert fresh(lesion).is_unplanned and fresh(lesion).disagrees

    def test_every_person_s_last_word_counts(self, lesion, analysed, clinician, curator):
        decide(clinician, analysed)
        decide(curator, analysed, "change", Named(disease="nevus"))
        assert fresh(lesion).is_unplanned and fresh(lesion).disagrees
        decide(clinician, analysed, "change", Named(disease="wart"))
        assert not fresh(lesion).is_unplanned


class TestFollowUps:
    def test_one_stands_and_undoing_brings_the_former_back(self, lesion, clinician):
        first = plans.see_again(lesion, clinician, today() + 42 * DAY, "border")
        assert plans.see_again(lesion, clinician, today() + 42 * DAY, "border") == first
        second = plans.see_again(lesion, clinician, today() + 90 * DAY)
        assert fresh(first).ended_how == "replaced" and fresh(lesion).follow_up_on == second.due_on
        plans.undo(second, clinician)
        assert fresh(second).ended_how == "undone" and fresh(first).ended_at is None
        assert fresh(lesion).follow_up_on == first.due_on
        assert FollowUp.objects.count() == 2, "nothing is removed"

    def test_done_by_hand_and_taken_back(self, lesion, clinician, curator):
        step = plans.see_again(lesion, clinician, today() + DAY)
        plans.finish(step, curator)
        assert fresh(lesion).follow_up_on is None
        with pytest.raises(Refused):
            plans.finish(step, curator)
        plans.undo(step, clinician)
        (back,) = fresh(step).taken_back
        assert (back["how"], back["by"], back["back_by"]) == ("hand", curator.pk, clinician.pk)
        assert fresh(lesion).follow_up_on == step.due_on

    def test_a_photo_of_a_later_day_ends_it(self, lesion, clinic, clinician):
        step = plans.see_again(lesion, clinician, today() + 90 * DAY)
        factories.make_photo(clinic, clinician, seed=2, lesion=fresh(lesion))
        assert fresh(step).ended_at is None, "one more photo of the same visit"
        aged(lesion, 30)
        factories.make_photo(clinic, clinician, seed=3, lesion=fresh(lesion))
        assert fresh(step).ended_how == "photo" and fresh(lesion).follow_up_on is None
        plans.undo(step, clinician)
        assert fresh(lesion).follow_up_on == step.due_on

    @each("days", [0, -1, 4000])
    def test_days_that_make_no_sense_are_refused(self, lesion, clinician, days):
        with pytest.raises(Refused):
            plans.see_again(lesion, clinician, today() + days * DAY)


class TestBiopsies:
    def test_pathology_ends_the_wait_and_its_withdrawal_takes_it_up(self, lesion, clinician, curator):
        step = plans.await_biopsy(lesion, clinician, today() - DAY, taken_by=curator)
        assert fresh(lesion).biopsy_on == step.taken_on
        proof = diagnoses.record(lesion=lesion, user=clinician, kind="pathology", disease="bcc")
        assert fresh(step).ended_how == "pathology" and fresh(lesion).biopsy_on is None
        again = plans.await_biopsy(lesion, clinician, today())
        plans.undo(again, clinician)
        diagnoses.withdraw(proof, clinician)
        assert fresh(step).ended_at is None and fresh(lesion).biopsy_on == step.taken_on

    def test_one_taken_after_the_pathology_waits_for_the_next(self, lesion, clinician):
        diagnoses.record(lesion=lesion, user=clinician, kind="pathology", disease="bcc")
        step = plans.await_biopsy(lesion, clinician, today())
        diagnoses.record(lesion=lesion, user=clinician, kind="impression", disease="bcc")
        assert fresh(step).ended_at is None
        with pytest.raises(Refused):
            plans.await_biopsy(lesion, clinician, today() + DAY)


class TestNothingIsLost:
    def test_plans_go_with_the_photos_and_come_back(self, clinic, clinician, photo):
        plans.see_again(photo.lesion, clinician, today() + DAY)
        plans.await_biopsy(photo.lesion, clinician, today())
        cases.assign(photo.lesion, clinician)
        patient = factories.make_patient(clinic)
        home = Lesion.objects.create(clinic=clinic, patient=patient)
        before = photo.lesion_id
        receipt = filing.file_photos(
            [photo], user=clinician, patient=patient, lesion=home, details=filing.Details()
        )
        home = fresh(home)
        assert (home.follow_up_on, home.biopsy_on) == (today() + DAY, today())
        assert home.assignee == clinician and not Lesion.objects.filter(pk=before).exists()
        filing.undo(receipt)
        back = fresh(photo).lesion
        assert (back.follow_up_on, back.biopsy_on, back.assignee) == (today() + DAY, today(), clinician)
        assert fresh(home).follow_up_on is None

    def test_a_lesion_with_a_plan_stays_without_its_photo(self, clinic, clinician, photo):
        step = plans.see_again(photo.lesion, clinician, today() + DAY)
        delete_photo(photo)
        assert fresh(step).lesion.photo_count == 0
        assert Biopsy.objects.count() == Patient.objects.count() == 0

    def test_a_case_is_given_to_members_who_may_decide(self, lesion, clinician, coordinator, outsider):
        for other in (coordinator, outsider):
            with pytest.raises(cases.NotAMember):
                cases.assign(lesion, other)
        cases.assign(lesion, clinician)
        assert fresh(lesion).assignee == clinician
        cases.assign(lesion, None)
        assert fresh(lesion).assignee is None


@each(
    ("captured", "stored", "visit"),
    [
        (None, 10, 10),
        (10, 10, 10),
        (9, 10, 9),  # stored the next day
        (11, 10, 10),  # the clock is ahead
        (-4000, 10, -4000),  # an old photo, or a clock that is behind
    ],
)
def test_what_day_a_visit_is(captured, stored, visit):
    def noon(day):
        return timezone.make_aware(datetime(2026, 3, 1, 12)) + day * DAY

    taken = None if captured is None else noon(captured)
    assert visits.day_of(taken, noon(stored)) == timezone.localdate(noon(visit))


class TestVisits:
    def taken(self, photo, days):
        records.change(fresh(photo), {"captured_at": timezone.now() + days * DAY}, photo.uploaded_by)

    def test_photos_of_one_visit_are_one_whenever_they_were_stored(
        self, lesion, photo, analysed, clinic, clinician
    ):
        aged(lesion, 1)
        newer = factories.make_photo(clinic, clinician, seed=2, lesion=fresh(lesion))
        decide(clinician, analysed)
        assert fresh(lesion).to_decide, "the last visit is today's"
        self.taken(newer, -1)
        assert not fresh(lesion).to_decide, "it was taken with the one that is decided"
        self.taken(newer, 0)
        assert fresh(lesion).to_decide

    def test_an_old_photo_leaves_the_decision_that_knew_it(self, lesion, analysed, clinic, clinician):
        old = factories.make_photo(clinic, clinician, seed=2, lesion=fresh(lesion))
        self.taken(old, -700)
        decide(clinician, analysed)
        assert not fresh(lesion).to_decide
        factories.make_photo(clinic, clinician, seed=3, lesion=fresh(lesion))
        assert fresh(lesion).to_decide

    def test_a_clock_that_is_ahead_does_not_end_a_follow_up(self, lesion, clinic, clinician):
        step = plans.see_again(lesion, clinician, today() + 90 * DAY)
        same_visit = factories.make_photo(clinic, clinician, seed=2, lesion=fresh(lesion))
        self.taken(same_visit, 3)
        assert fresh(step).ended_at is None

    def test_a_follow_up_stands_again_without_the_photo_that_ended_it(self, lesion, photo, clinic, clinician):
        patient = factories.make_patient(clinic)
        filing.file_photos([photo], user=clinician, patient=patient, details=filing.Details())
        step = plans.see_again(lesion, clinician, today() + 90 * DAY)
        aged(lesion, 30)
        late = factories.make_photo(clinic, clinician, seed=2)
        receipt = filing.file_photos(
            [late], user=clinician, patient=patient, lesion=fresh(lesion), details=filing.Details()
        )
        assert fresh(step).ended_how == "photo"
        filing.undo(receipt)
        assert fresh(step).ended_at is None and fresh(lesion).follow_up_on == step.due_on
        filing.file_photos(
            [fresh(late)], user=clinician, patient=patient, lesion=fresh(lesion), details=filing.Details()
        )
        assert fresh(step).ended_how == "photo"
        delete_photo(fresh(late))
        assert fresh(step).ended_at is None and fresh(lesion).follow_up_on == step.due_on

    def test_a_plan_that_gave_way_at_filing_stands_again_when_it_is_undone(self, photo, clinic, clinician):
        patient = factories.make_patient(clinic)
        home = Lesion.objects.create(clinic=clinic, patient=patient)
        steps = [
            plans.see_again(home, clinician, today() + DAY),
            plans.see_again(photo.lesion, clinician, today() + 2 * DAY),
        ]
        receipt = filing.file_photos(
            [photo], user=clinician, patient=patient, lesion=home, details=filing.Details()
        )
        assert [fresh(step).ended_how for step in steps] == ["", "replaced"]
        filing.undo(receipt)
        assert [fresh(step).ended_at for step in steps] == [None, None]
        assert fresh(photo).lesion.follow_up_on == steps[1].due_on


def test_a_decision_counts_where_the_photo_lies_now(photo, analysed, clinic, clinician):
    """Somebody files the photo while another person's page with its lesion is decided at."""
    read_before = Analysis.objects.select_related("photo__lesion").get(pk=analysed.pk)
    patient = factories.make_patient(clinic)
    home = Lesion.objects.create(clinic=clinic, patient=patient)
    filing.file_photos([photo], user=clinician, patient=patient, lesion=home, details=filing.Details())
    decide(clinician, read_before, "change", Named(disease="mm"))
    assert not fresh(home).to_decide and home.diagnoses.count() == 1
