"""A candidate in the shadow: what it computes, for whom, and what is told of it."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from classifier.models import Analysis, Publication, Shadow
from classifier.presenters import shadow as shown
from classifier.services.analysis import analyses
from classifier.services.models import registry
from classifier.services.shadow import computing, figures, runs
from skinclinic.engine import clock, jobs
from skinclinic.models import AuditEvent, Job
from skinclinic.services.refused import Refused
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests import factories, followed, results
from tests.skinclinic.pages import messages_of, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def in_use(clinic, db):
    version = followed.make_version("now", clinic)
    Publication.objects.create(clinic=clinic, model_version=version)
    return version


@pytest.fixture
def candidate(clinic, in_use):
    """One that has run here."""
    version = followed.make_version("then", clinic)
    Job.objects.create(
        kind="prove-model", key=str(version.pk), subject=version.pk, state="done", clinic=clinic
    )
    return version


@pytest.fixture
def shadow(clinic, candidate, admin_user):
    return runs.start(candidate, clinic=clinic, user=admin_user)


def seen_by(row: Analysis, version, lists=()) -> Analysis:
    """The candidate's answer to the same square, as a batch stores it."""
    return Analysis.objects.create(
        clinic=row.clinic, photo=row.photo, model_version=version, box_x=0, box_y=0, box_size=256,
        scores={key: 0.4 if key in lists else 0.02 for key in DISEASE_KEYS}, background=0.0, precision="f32",
        quality=followed.GOOD, analysed_at=row.analysed_at,
    )  # fmt: skip


def test_new_photos_are_computed_behind_the_clinics_own_and_seen_by_nobody(
    clinic, clinician, admin_user, tmp_path, model_version, client_for, photo
):
    registry.publish(model_version, clinic=clinic, user=admin_user)
    before = results.finished(photo, clinician, version=model_version)
    candidate = registry.register(
        factories.make_model_dir(tmp_path / "then", name="shadowed-network", seed=2)
    )
    row = runs.start(candidate, clinic=clinic, user=admin_user)
    own = [factories.make_photo(clinic, clinician, seed=seed) for seed in (5, 6)]
    done = results.finished(own[0], clinician, version=model_version)
    # A photo that waits comes first.
    waits = analyses.request_analysis(own[1], user=clinician)
    assert computing.waiting(row) == [own[0].pk] and before.photo_id not in computing.waiting(row)
    computing.run(row)
    assert not Analysis.objects.filter(model_version=candidate).exists()
    jobs.run_waiting("analyse")
    waits.refresh_from_db()
    computing.look()
    assert Job.objects.get(kind="shadow").state == Job.State.QUEUED and jobs.queue_of("shadow") == jobs.BATCH
    computing.look()
    assert Job.objects.filter(kind="shadow").count() == 1
    jobs.run_waiting("shadow")
    made = Analysis.objects.filter(model_version=candidate)
    assert {one.photo_id for one in made} == {one.pk for one in own}
    assert {(one.job_id, one.precision) for one in made} == {(None, "f32")}
    assert analyses.current_analysis(own[0]) == done and computing.waiting(row) == []
    row.refresh_from_db()
    assert (row.figures["answered"], row.figures["pairs"]) == (2, 2)
    listed = client_for(clinician).get("/api/analyses/").json()["results"]
    assert {one["model_version"] for one in listed} == {model_version.pk}
    page = client_for(clinician).get(url("photo", own[0].pk)).content.decode()
    assert candidate.name not in page
    computing.look()
    assert Job.objects.filter(kind="shadow").count() == 1, "nothing is due"


def test_the_backlog_is_bounded_and_what_cannot_be_read_is_left(clinic, shadow, in_use, monkeypatch):
    rows = [followed.answer(clinic, in_use) for _ in range(5)]
    monkeypatch.setattr(computing, "BACKLOG", 3)
    assert computing.waiting(shadow) == [row.photo_id for row in rows[-3:]]
    shadow.unreadable = [rows[-1].photo_id]
    assert computing.waiting(shadow) == [row.photo_id for row in rows[1:4]]


def test_what_was_proven_is_known_after_a_clock_was_put_back_or_is_wrong(clinic, shadow, in_use, monkeypatch):
    """The database's clock was hours ahead when the figures were computed; then a web process is hours behind."""
    row = followed.answer(clinic, in_use)
    seen_by(row, shadow.model_version)
    computing.run(shadow)
    shadow.refresh_from_db()
    assert not computing.is_due(shadow)
    shadow.computed_at += timedelta(hours=5)
    assert computing.is_due(shadow), "or nothing would be for five hours, and what is proven now never"
    shadow.computed_at -= timedelta(hours=5, minutes=20)
    assert not computing.is_due(shadow), "nothing was proven since"
    shadow.computed_at -= timedelta(days=1)
    assert computing.is_due(shadow), "once a day anyway: something may have been deleted"
    shadow.computed_at += timedelta(days=1)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 3 * 3600)
    monkeypatch.setattr(timezone, "datetime", ThreeHoursBehind)
    clock.learn(datetime.now(UTC))
    followed.prove(row, "mm")
    assert computing.is_due(shadow)
    clock.forget()


class ThreeHoursBehind(datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) - timedelta(hours=3)


def test_only_one_that_runs_and_is_not_in_use_is_started_once(clinic, in_use, candidate, admin_user):
    unproven = followed.make_version("unproven", clinic)
    for version in (in_use, unproven):
        with pytest.raises(Refused):
            runs.start(version, clinic=clinic, user=admin_user)
    row = runs.start(candidate, clinic=clinic, user=admin_user)
    with pytest.raises(Refused, match="Stop it first"):
        runs.start(candidate, clinic=clinic, user=admin_user)
    assert AuditEvent.objects.get(action="model.shadow").subject_key == row.pk
    assert runs.stop(row, admin_user) and not runs.stop(row, admin_user)
    assert AuditEvent.objects.filter(action="model.shadow_stop").count() == 1
    again = runs.start(candidate, clinic=clinic, user=admin_user)
    Publication.objects.create(clinic=clinic, model_version=candidate)
    computing.look()
    again.refresh_from_db()
    assert again.ending == "other_model" and again.ended_at is not None


def test_both_are_compared_on_the_same_photos(clinic, in_use, candidate, shadow):
    # Twelve malignant patients: both list 6, only the one in use 1, only the candidate 4, neither 1.
    for number in range(12):
        now, then = number < 7, number < 6 or number >= 8
        row = followed.answer(clinic, in_use, lists=("bcc",) if now else ())
        seen_by(row, candidate, ("bcc",) if then else ())
        followed.prove(row, "bcc")
    aside = followed.answer(clinic, in_use, kind="overview")
    seen_by(aside, candidate)
    lacks = followed.answer(clinic, in_use, lists=("bcc",), precision="bf16")
    followed.prove(lacks, "bcc")
    Analysis.objects.filter(pk=row.pk).update(precision="bf16")
    found = figures.compute(shadow)
    assert (found["answered"], found["pairs"], found["aside"]) == (14, 12, 1)
    shadow.figures = found
    assert "1 of them was answered by the model in use in another precision than full" in shown.progress(
        shadow
    )
    assert found["lists"]["same"][:2] == [7, 12] and found["lists"]["only"] == [1, 4]
    assert (found["proven"]["cases"], found["proven"]["lacking"]) == (12, 1)
    told = found["proven"]["policies"]["benign"]["sensitivity"]
    assert (told["both"], told["first"], told["second"], told["neither"]) == (6, 1, 4, 1)
    assert told["difference"][0] == pytest.approx(3 / 12) and told["p"] == pytest.approx(0.375)
    assert found["proven"]["policies"]["benign"]["specificity"] == {
        "both": 0, "first": 0, "second": 0, "neither": 0, "n": 0,
    }  # fmt: skip
    assert found["proven"]["calibration"] == {"n": [12, 0]}


def test_each_lesion_is_told_by_the_answer_it_would_have_carried(clinic, in_use, candidate, shadow):
    first = followed.answer(clinic, in_use, lists=("bcc",))
    second = followed.answer(clinic, in_use, lesion=first.photo.lesion)
    # The candidate suspects the other photo of the visit.
    seen_by(first, candidate)
    seen_by(second, candidate, ("mm",))
    followed.prove(first, "bcc")
    # A photo that was answered anew after the pathology, of another square: none of that belongs to the first answer.
    third = followed.answer(clinic, in_use, lists=("bcc",))
    followed.prove(third, "bcc")
    Analysis.objects.create(
        **{name: getattr(third, name) for name in ("clinic", "photo", "model_version", "background", "quality")},
        job=Job.objects.create(kind="analyse", key="anew", clinic=clinic, state=Job.State.DONE),
        scores=dict.fromkeys(DISEASE_KEYS, 0.05), box_x=0, box_y=0, box_size=100, analysed_at=timezone.now(),
    )  # fmt: skip
    seen_by(third, candidate)
    now = figures.compute(shadow)
    assert now["pairs"] == 2 and now["proven"]["lacking"] == 1, (
        "nor is a candidate's answer to the first square"
    )
    Analysis.objects.filter(model_version=candidate, photo=third.photo).update(box_size=100)
    now = figures.compute(shadow)
    assert now["pairs"] == 3 and now["proven"]["lacking"] == 1
    told = now["proven"]["policies"]["benign"]["sensitivity"]
    assert (told["both"], told["n"]) == (1, 1)


def test_calibration_of_both_is_told_from_ten_of_each_on(clinic, in_use, candidate, shadow):
    for number in range(24):
        row = followed.answer(clinic, in_use, lists=("bcc",) if number % 3 else ("nevus",))
        seen_by(row, candidate, ("bcc",) if number % 2 else ())
        followed.prove(row, "bcc" if number % 2 else "nevus")
    told = figures.compute(shadow)["proven"]["calibration"]
    assert told["n"] == [12, 12] and told["brier"][1] < told["brier"][0] and told["difference"][2] < 0


def test_pages_and_api_are_the_admins_alone(
    client_for, admin_user, clinician, curator, clinic, in_use, candidate, outsider
):
    client = client_for(admin_user)
    assert "No candidate is in the shadow" in client.get(url("shadow")).content.decode()
    for person in (clinician, curator):
        assert client_for(person).get(url("shadow")).status_code == 403
        assert client_for(person).post(url("model-shadow", candidate.pk)).status_code == 403
    page = client.get(url("model", candidate.pk)).content.decode()
    assert "Start in the shadow" in page and "has not run in the shadow" in page
    client.post(url("model-shadow", candidate.pk))
    row = Shadow.objects.get()
    for _ in range(12):
        one = followed.answer(clinic, in_use, lists=("bcc",))
        seen_by(one, candidate, ("bcc",))
        followed.prove(one, "bcc")
    Shadow.objects.update(figures=figures.compute(row))
    page = client.get(url("shadow")).content.decode()
    assert "12 of 12 photos" in page and "100.0 % (12 / 12" in page and "too few" in page
    assert "12 photos computed by both" in client.get(url("model", candidate.pk)).content.decode()
    for person in (clinician, curator):
        other = client_for(person)
        assert other.get(url("shadow-row", row.pk)).status_code == 403
        assert other.get(f"/api/shadows/{row.pk}/").status_code == 403
        assert other.get("/api/shadows/").json()["results"] == []
        assert other.post("/api/shadows/", {"model_version": candidate.pk}).status_code == 403
        assert "In the shadow" not in other.get(url("model", candidate.pk)).content.decode()
    assert client_for(outsider).get(f"/api/shadows/{row.pk}/").status_code == 404
    assert client.get(f"/api/shadows/{row.pk}/").json()["figures"]["pairs"] == 12
    assert client.post("/api/shadows/", {"model_version": candidate.pk}).status_code == 409
    assert client.post(f"/api/shadows/{row.pk}/stop/").json()["ending"] == "stopped"
    assert client.post(f"/api/shadows/{row.pk}/stop/").status_code == 409
    assert client.post("/api/shadows/", {"model_version": candidate.pk}).status_code == 201
    assert "Stopped" in messages_of(client.post(url("shadow-stop", Shadow.objects.first().pk)))


def test_a_candidate_that_cannot_run_says_so_and_is_not_tried_again(
    clinic, in_use, candidate, shadow, admin_user, client_for
):
    followed.answer(clinic, in_use)
    computing.look()
    jobs.run_waiting("shadow")
    job = Job.objects.get(kind="shadow")
    assert job.state == Job.State.FAILED
    computing.look()
    assert Job.objects.filter(kind="shadow").count() == 1
    assert "could not go on" in client_for(admin_user).get(url("shadow")).content.decode()
