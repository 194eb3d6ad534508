"""Long work: rows follow their jobs, what waits or runs can be stopped and goes on later, for every kind of it."""

from types import SimpleNamespace

import pytest
from django.utils import timezone

from classifier.models import Evaluation, Explanation, LabelCheck, ModelExport
from classifier.services.analysis import explanations
from classifier.services.evaluation import evaluations, label_checks
from classifier.services.models import exports
from classifier.services.training import trainings
from reader_study.models import StudyResult
from reader_study.services.making import studies
from reader_study.services.results import model_answers, results
from skinclinic.archive.models import BulkChange, Dataset, DatasetVersion, Import
from skinclinic.archive.services.bulk import bulk
from skinclinic.archive.services.curating import duplicates
from skinclinic.archive.services.datasets import counted, freezing, large
from skinclinic.archive.services.importing import imports
from skinclinic.engine import jobs, work
from skinclinic.models import Job, WorkState
from skinclinic.presenters.work import kinds
from tests import factories
from tests import results as made_results
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db


def make_evaluation(clinic, user):
    row = Evaluation.objects.create(clinic=clinic, name="One", total=40, created_by=user)
    jobs.enqueue(evaluations.JOB, str(row.pk), subject=row.pk, clinic=clinic)
    return row


def make_label_check(clinic, user):
    version = made_results.make_version()
    row = LabelCheck.objects.create(clinic=clinic, model_version=version, total=40, asked_by=user)
    jobs.enqueue(label_checks.JOB, str(row.pk), subject=row.pk, clinic=clinic)
    return row


def make_import(clinic, user):
    source = factories.make_source(clinic, "Elsewhere")
    row = Import.objects.create(
        clinic=clinic, name="Elsewhere", format="folder", photos="sent", source=source, created_by=user
    )
    imports.request_check(row)
    return row


def make_version(clinic, user):
    dataset = Dataset.objects.create(clinic=clinic, name=f"Large {Dataset.objects.count()}", created_by=user)
    row = DatasetVersion.objects.create(clinic=clinic, dataset=dataset, number=1, created_by=user)
    work.ask(large.FREEZE_JOB, row.pk, clinic)
    return row


def make_counting(clinic, user):
    row = make_version(clinic, user)
    work.ask(counted.JOB, row.pk, clinic)
    return row


def make_search(clinic, user):
    factories.make_entry(factories.make_photo(clinic, user), user)
    return duplicates.request_search(clinic)


def make_bulk(clinic, user):
    entry = factories.make_entry(factories.make_photo(clinic, user, seed=2), user)
    row = BulkChange.objects.create(
        clinic=clinic, seen=timezone.now(), action="accept", entries=[entry.pk], total=1, created_by=user
    )
    work.ask(bulk.JOB, row.pk, clinic)
    return row


def make_training(clinic, user):
    from classifier.models import Training, TrainingRun

    version = make_version(clinic, user)
    row = Training.objects.create(
        clinic=clinic, name="skin", dataset_version=version, architecture="resnet152", init="random",
        choices={"runs": 1, "epochs": 1}, created_by=user,
    )  # fmt: skip
    job = jobs.enqueue(trainings.JOB, f"{row.pk}:1", subject=row.pk, clinic=clinic)
    TrainingRun.objects.create(training=row, number=1, seed=0, job=job)
    return row


def make_study(clinic, user):
    study = studies.create(clinic, user, name="Study")
    study.model_version = made_results.make_version("compared")
    study.state = study.State.CLOSED
    study.save()
    return study


def make_result(clinic, user):
    study = make_study(clinic, user)
    results.request(study)
    return study


def make_model_answers(clinic, user):
    study = make_study(clinic, user)
    work.ask(model_answers.JOB, study.pk, clinic)
    return study


def make_explanation(clinic, user):
    version = made_results.make_version("explained")
    analysis = made_results.finished(factories.make_photo(clinic, user, seed=7), user, version=version)
    return explanations.ask(analysis, "score_cam", user)


def make_model_export(clinic, user):
    return exports.ask(made_results.make_version("exported"), "onnx", clinic, user)


MADE = {
    "explanation": make_explanation,
    "evaluation": make_evaluation,
    "model-export": make_model_export,
    "label-check": make_label_check,
    "import": make_import,
    "dataset": make_version,
    "dataset-figures": make_counting,
    "duplicates": make_search,
    "bulk": make_bulk,
    "training": make_training,
    "study-results": make_result,
    "study-model": make_model_answers,
}
# Work with a row of its own that lists filter by.
ROWS = {
    "bulk": lambda row: BulkChange.objects.get(pk=row.pk),
    "explanation": lambda row: Explanation.objects.get(pk=row.pk),
    "evaluation": lambda row: Evaluation.objects.get(pk=row.pk),
    "model-export": lambda row: ModelExport.objects.get(pk=row.pk),
    "label-check": lambda row: LabelCheck.objects.get(pk=row.pk),
    "study-results": lambda row: StudyResult.objects.get(study=row),
}


@pytest.fixture(params=sorted(MADE))
def asked(request, clinic, admin_user):
    """Work that has just been asked for: its kind, its row, its job, its address."""
    row = MADE[request.param](clinic, admin_user)
    (kind,) = [one for one in kinds() if one.kind == request.param]
    return SimpleNamespace(
        kind=request.param,
        row=row,
        change=kind.change,
        reloads=kind.reloads,
        job=Job.objects.filter(clinic=clinic).latest("pk"),
        address=url("work", request.param, row.pk),
    )


def test_every_kind_is_tried():
    assert {one.kind for one in kinds()} == set(MADE)


def test_it_is_watched_until_it_is_over(asked, admin_user, client_for):
    client = client_for(admin_user)
    waiting = client.get(asked.address)
    assert "HX-Refresh" not in waiting and f'hx-get="{asked.address}' in waiting.content.decode()
    assert "Waiting" in waiting.content.decode() or asked.kind == "import"
    (claimed,) = jobs.claim(asked.job.kind, 1)
    jobs.progress(claimed, 0.25)
    running = client.get(asked.address)
    assert "HX-Refresh" not in running and 'value="cancel"' in running.content.decode()
    assert asked.kind in ("import", "training") or "25 %" in running.content.decode()
    jobs.finish(claimed, jobs.JobError("broken", "The disk is broken."))
    failed = client.get(asked.address)
    # A page with forms that people are filling in is not loaded anew.
    assert ("HX-Refresh" in failed) == asked.reloads == (asked.kind not in ("explanation", "model-export"))
    assert "The disk is broken." in failed.content.decode()
    assert "hx-get" not in failed.content.decode()


@pytest.mark.parametrize("kind", sorted(ROWS))
def test_a_row_follows_its_job(kind, clinic, admin_user):
    row = MADE[kind](clinic, admin_user)
    job = Job.objects.latest("pk")
    seen = lambda: (ROWS[kind](row).state, ROWS[kind](row).error)  # noqa: E731
    assert seen() == ("waiting", "") and ROWS[kind](row).is_busy
    (claimed,) = jobs.claim(job.kind, 1)
    assert seen() == ("running", "")
    jobs.finish(claimed, jobs.JobError("broken", "The disk is broken."))
    assert seen() == ("failed", "The disk is broken.") and ROWS[kind](row).finished_at
    job.refresh_from_db()
    assert jobs.retry(job) and seen() == ("waiting", "") and ROWS[kind](row).finished_at is None
    (claimed,) = jobs.claim(job.kind, 1)
    jobs.finish(claimed, jobs.JobError("leaks", "Seen in training."))
    assert seen()[0] == ("refused" if kind == "evaluation" else "failed")
    job.refresh_from_db()
    jobs.retry(job)
    (claimed,) = jobs.claim(job.kind, 1)
    jobs.finish(claimed, lambda: None)
    assert seen() == ("done", "") and not ROWS[kind](row).is_busy and ROWS[kind](row).finished_at


def test_results_that_were_asked_for_anew_do_not_follow_the_older_job(clinic, admin_user):
    study = make_result(clinic, admin_user)
    (older,) = jobs.claim(results.JOB, 1)
    results.request(study)
    jobs.finish(older, jobs.JobError("broken", "The disk is broken."))
    assert StudyResult.objects.get().state == "waiting"


def test_what_waits_is_not_begun_once_it_is_stopped(asked, admin_user, client_for):
    client = client_for(admin_user)
    answer = client.post(asked.address, {"act": "cancel"}, follow=True)
    assert answer.redirect_chain and answer.status_code == 200
    assert jobs.claim(asked.job.kind, 1) == []
    told = client.get(asked.address).content.decode()
    assert ("Stopped" if asked.kind == "training" else f"Stopped by {admin_user}.") in told
    again = client.post(asked.address, {"act": "cancel"}, follow=True).content.decode()
    assert "It is over already" in again


def test_it_goes_on_after_it_was_stopped(asked, admin_user, client_for):
    client = client_for(admin_user)
    client.post(asked.address, {"act": "cancel"})
    if asked.kind == "import":  # its check begins anew
        client.post(url("import-act", asked.row.pk), {"action": "check"})
        assert Import.objects.get().state == "checking"
    else:
        answer = client.post(asked.address, {"act": "retry"}, follow=True).content.decode()
        assert "goes on" in answer
        asked.job.refresh_from_db()
        assert (asked.job.state, asked.job.error, asked.job.error_code) == ("queued", "", "")
    assert "hx-get" in client.get(asked.address).content.decode()
    assert (
        "nothing to take up again"
        in client.post(asked.address, {"act": "retry"}, follow=True).content.decode()
    )


def test_nonsense_is_answered_kindly(asked, admin_user, client_for):
    client = client_for(admin_user)
    answer = client.post(asked.address, {"act": "burn"}, follow=True)
    assert "Choose stop or resume" in answer.content.decode()
    assert client.get(url("work", "dance", asked.row.pk)).status_code == 404
    assert client.put(asked.address).status_code == 405


def test_outsiders_find_nothing_and_others_only_look(
    asked, outsider, clinician, coordinator, curator, admin_user, client_for
):
    for act in ("cancel", "retry"):
        assert client_for(outsider).post(asked.address, {"act": act}).status_code == 404
    assert client_for(outsider).get(asked.address).status_code == 404
    may, *others = {
        "study": (coordinator, clinician, curator),
        "curate": (curator, clinician, coordinator),
        "edit": (clinician, coordinator),
        "admin": (admin_user, clinician, coordinator, curator),
    }[asked.change]
    for user in others:
        assert client_for(user).post(asked.address, {"act": "cancel"}).status_code == 403
        seen = client_for(user).get(asked.address)
        assert seen.status_code == (403 if asked.kind in ("study-model", "model-export") else 200)
        assert 'value="cancel"' not in seen.content.decode()
    asked.job.refresh_from_db()
    assert asked.job.state == "queued"
    assert client_for(may).post(asked.address, {"act": "cancel"}).status_code == 302


def test_results_of_an_open_study_stay_blind(clinic, admin_user, coordinator, curator, client_for):
    study = make_result(clinic, admin_user)
    study.state = study.State.OPEN
    study.save()
    for user in (coordinator, curator):
        assert client_for(user).get(url("work", "study-results", study.pk)).status_code == 403


# A job that runs


@pytest.fixture
def stopped_midway(monkeypatch, admin_user):
    """Declare a kind of job that does ten steps, after the fourth of which a person stops it."""
    steps: list[int] = []

    def handler(rows):
        (row,) = rows
        for step in range(len(steps), 10):
            jobs.progress(row, step / 10)
            steps.append(step)
            if steps == [0, 1, 2, 3]:
                assert work.cancel(Job.objects.get(pk=row.pk), admin_user)
        return [lambda: None]

    monkeypatch.setattr(jobs, "_kinds", dict(jobs._kinds))
    jobs.job("steps")(handler)
    return steps


def test_what_runs_stops_at_its_next_progress_and_goes_on_where_it_was(stopped_midway, clinic, admin_user):
    job = work.ask("steps", 5, clinic)
    assert jobs.run_waiting("steps") == 1
    job.refresh_from_db()
    assert stopped_midway == [0, 1, 2, 3], "no step is done after it was stopped"
    assert (job.state, job.error_code, job.lease_token) == ("failed", work.CANCELLED, None)
    assert str(admin_user) in job.error and work.state_of(job) == WorkState.STOPPED
    jobs.reconcile()
    assert jobs.run_waiting("steps") == 0, "nobody takes it up unasked"
    assert jobs.retry(job) and jobs.run_waiting("steps") == 1
    job.refresh_from_db()
    assert stopped_midway == list(range(10)) and job.state == "done"
    assert not work.cancel(job, admin_user), "it is over"


def test_one_that_ends_as_it_is_stopped_stores_nothing(kind_of_one_step, clinic, admin_user):
    job = work.ask("one-step", 5, clinic)
    (claimed,) = jobs.claim("one-step", 1)
    assert work.cancel(job, admin_user)
    assert not jobs.finish(claimed, lambda: Import.objects.all().delete() and pytest.fail("stored"))
    job.refresh_from_db()
    assert work.state_of(job) == WorkState.STOPPED


@pytest.fixture
def kind_of_one_step(monkeypatch):
    monkeypatch.setattr(jobs, "_kinds", dict(jobs._kinds))
    jobs.job("one-step")(lambda rows: [lambda: None for _row in rows])


def test_every_run_has_a_job_of_its_own(kind_of_one_step, clinic):
    first = work.ask("one-step", 5, clinic)
    assert first.key == "5:1" and work.last(["one-step"], 5) == first and work.is_busy(["one-step"], 5)
    jobs.run_waiting("one-step")
    assert not work.is_busy(["one-step"], 5)
    second = work.ask("one-step", 5, clinic)
    assert second.key == "5:2" and work.last(["one-step"], 5) == second
    assert work.ask("one-step", 6, clinic).key == "6:1"


# What it says while it waits


def test_it_says_what_it_waits_for(clinic, curator, client_for):
    first, second = make_evaluation(clinic, curator), None
    client = client_for(curator)
    page = lambda row: client.get(url("work", "evaluation", row.pk)).content.decode()  # noqa: E731
    assert "offline" in page(first)
    jobs.worker_alive("here:1", jobs.queue_of(evaluations.JOB))
    assert "It begins in a moment." in page(first)
    second = Evaluation.objects.create(clinic=clinic, name="Two", total=4, created_by=curator)
    jobs.enqueue(evaluations.JOB, str(second.pk), subject=second.pk, clinic=clinic)
    assert "1 task comes before it." in page(second)
    jobs.claim(evaluations.JOB, 1)
    assert "1 task comes before it." in page(second), "it is at work"


# What its own services make of a wish to stop


def test_a_stopped_evaluation_can_be_deleted_or_go_on(clinic, curator):
    row = make_evaluation(clinic, curator)
    job = evaluations.job_of(row)
    assert not evaluations.delete(row), "it is busy"
    work.cancel(job, curator)
    row.refresh_from_db()
    assert (row.state, row.is_busy) == ("stopped", False)
    assert evaluations.go_on(row)
    row.refresh_from_db()
    assert row.is_busy
    work.cancel(evaluations.job_of(row), curator)
    row.refresh_from_db()
    assert evaluations.delete(row)


def test_a_stopped_check_of_an_import_leaves_it_unchecked(clinic, curator):
    row = make_import(clinic, curator)
    (claimed,) = jobs.claim(imports.CHECK_JOB, 1)
    Import.objects.filter(pk=row.pk).update(report={"checked": 3, "of": 9})
    work.cancel(Job.objects.get(pk=claimed.pk), curator)
    row.refresh_from_db()
    assert (row.state, row.report) == ("uploaded", {}) and str(curator) in row.error
    with pytest.raises(imports.NotNow):
        imports.request_write(row)
    imports.request_check(row)
    assert row.error == "" and Job.objects.filter(kind=imports.CHECK_JOB).count() == 2


def test_an_import_that_failed_in_the_middle_of_its_check_cannot_be_written(clinic, curator, client_for):
    row = make_import(clinic, curator)
    Import.objects.filter(pk=row.pk).update(state="failed", report={"checked": 3, "of": 9}, total=9)
    assert "import-start" not in client_for(curator).get(url("import", row.pk)).content.decode()
    with pytest.raises(imports.NotNow):
        imports.request_write(row)


def test_a_stopped_import_is_paused(clinic, curator, client_for):
    row = make_import(clinic, curator)
    Import.objects.filter(pk=row.pk).update(
        state="running", report={"errors": [], "unknown_labels": {}}, total=9
    )
    job = work.ask(imports.WRITE_JOB, row.pk, clinic)
    work.cancel(job, curator)
    row.refresh_from_db()
    assert row.state == "paused" and str(curator) in row.error
    client_for(curator).post(url("import-act", row.pk), {"action": "start"})
    row.refresh_from_db()
    assert (row.state, row.error) == ("running", "")


def test_a_stopped_search_for_duplicates_stores_no_more_pairs(clinic, curator, monkeypatch):
    for _copy in range(3):
        factories.make_entry(factories.make_photo(clinic, curator, seed=_copy), curator)
    job = duplicates.request_search(clinic)
    found = list(range(3))

    def stopped(_clinic):
        yield from found
        pytest.fail("it went on")

    def stop(rows, **more):
        work.cancel(Job.objects.get(pk=job.pk), curator)

    monkeypatch.setattr(duplicates, "find_pairs", stopped)
    monkeypatch.setattr(duplicates, "_STORED_AT_ONCE", 1)
    monkeypatch.setattr(duplicates.DuplicatePair.objects, "bulk_create", stop)
    jobs.run_waiting(duplicates.JOB)
    job.refresh_from_db()
    assert work.state_of(job) == WorkState.STOPPED


def test_a_stopped_freezing_leaves_a_draft(clinic, curator):
    row = make_version(clinic, curator)
    assert "still being worked on" in " ".join(freezing.problems(row)) or not row.items.exists()
    work.cancel(work.last([large.FREEZE_JOB], row.pk), curator)
    row.refresh_from_db()
    assert not row.is_frozen and not work.is_busy((large.FILL_JOB, large.FREEZE_JOB), row.pk)
