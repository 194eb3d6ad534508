"""The page of the engine's work: who sees and changes which jobs, what it tells, and that it stays bounded."""

from datetime import timedelta

import pytest
from django.urls import reverse as url
from django.utils import timezone

from classifier.services.analysis.analyses import request_analysis
from skinclinic.engine import health, jobs, machine, tally, work
from skinclinic.models import AuditEvent, Job
from skinclinic.presenters import job_names
from skinclinic.services import queue
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(admin_user, client_for):
    client = client_for(admin_user)
    return lambda **query: client.get(url("queue"), query).content.decode()


def make(kind: str = "dataset-fill", state: str = "queued", clinic=None, **said) -> Job:
    number = Job.objects.count() + 1
    return Job.objects.create(kind=kind, key=f"secret-key-{number}", clinic=clinic, state=state, **said)


def test_every_kind_and_queue_has_a_name_in_both_languages():
    assert set(jobs.all_kinds()) == set(job_names.NAMES) and set(jobs.queues()) == set(job_names.QUEUES)


def test_admins_alone_see_it(clinician, client_for, clinic):
    assert client_for(clinician).get(url("queue")).status_code == 403
    assert client_for(clinician).post(url("queue-act", args=[make(clinic=clinic).pk])).status_code == 403


def test_nothing_runs_nothing_waits_nothing_has_failed(page):
    assert "Nothing runs" in page() and "No worker runs" in page()
    assert "Nothing waits" in page(state="queued") and "Nothing has failed" in page(state="failed")
    assert "Nothing runs" in page(state="elsewhere", kind="none", cursor="x")


def test_an_admin_sees_the_jobs_of_the_clinic_and_no_machine(page, clinic, other_clinic, monkeypatch):
    now = timezone.now()
    mine = make(state="running", clinic=clinic, started_at=now - timedelta(minutes=7), attempts=2, progress=0.42,
                worker="host-a:7")  # fmt: skip
    others = [
        make("evaluate", "running", other_clinic, started_at=now),
        make("old-file-names", "running", started_at=now),
    ]
    monkeypatch.setattr(health, "trouble", lambda: health.NO_MEMORY)
    jobs.worker_alive("host-a:7", "batch", begins=True)
    text = page()
    assert f"#{mine.pk}<" in text and "Filling a dataset" in text and "42 %" in text and "2 attempts" in text
    assert "for 7\xa0minutes" in text and "too little memory" in text
    assert "runs for less than a minute" in text and "0\xa0minutes" not in text
    numbers = [f"#{job.pk}<" for job in others]
    for hidden in ("host-a", "secret-key", other_clinic.name, "Names of old files</strong>", *numbers):
        assert hidden not in text, hidden


@pytest.mark.parametrize("how", ["named", "alone"])
def test_who_looks_after_the_installation_sees_everything(
    page, clinic, admin_user, request, settings, how, monkeypatch
):
    if how == "named":
        other = request.getfixturevalue("other_clinic")
        settings.OPERATORS = [admin_user.username.lower()]
        make("evaluate", "running", other, started_at=timezone.now(), worker="host-b:9")
    told = {"memory": 8 << 30, "memory_left": 1 << 30, "disk": 1 << 40, "disk_left": 1 << 39,
            "gpus": [{"name": "H200", "memory": 139 << 30, "memory_left": 100 << 30}]}  # fmt: skip
    monkeypatch.setattr(machine, "told", lambda: told)
    tally.reset()
    tally.note("evaluate", tally.DONE, 1)
    jobs.worker_alive("host-b:9", "batch", begins=True)
    tally.reset()
    text = page()
    assert "host-b:9" in text and "1.0\xa0GB of 8.0\xa0GB left" in text and "H200: 100.0\xa0GB" in text
    assert "1 done, 0 failed" in text
    assert how == "alone" or other.name in text


def test_a_job_is_stopped_and_taken_up_again(admin_user, client_for, clinic, clinician, model_version):
    analysis = request_analysis(factories.make_photo(clinic, clinician), user=clinician)
    client, job = client_for(admin_user), analysis.job
    address = url("queue-act", args=[job.pk])
    assert client.post(address, {"act": "stop", "state": "queued"}).url == f"{url('queue')}?state=queued"
    job.refresh_from_db()
    assert (job.state, job.error_code) == ("failed", work.CANCELLED)
    page = client.get(url("queue"), {"state": "failed"}).content.decode()
    assert "Stopped by" in page and "Analysis of a photo" in page
    client.post(address, {"act": "retry"})
    job.refresh_from_db()
    assert job.state == "queued" and job.error == ""
    told = AuditEvent.objects.filter(action__startswith="job.").order_by("pk")
    assert [row.action for row in told] == ["job.stop", "job.retry"] and told[0].facts["job"] == job.pk


def test_what_was_promised_and_what_is_over_is_not_stopped(admin_user, clinic):
    assert not queue.stop(make("erase", clinic=clinic), admin_user)
    assert not queue.stop(make("evaluate", "done", clinic), admin_user)
    assert not queue.retry(make("evaluate", "done", clinic), admin_user)
    assert not AuditEvent.objects.filter(action__startswith="job.").exists()


def test_another_clinics_job_is_not_there(admin_user, client_for, clinic, other_clinic):
    foreign = make(clinic=other_clinic)
    assert (
        client_for(admin_user).post(url("queue-act", args=[foreign.pk]), {"act": "stop"}).status_code == 404
    )
    foreign.refresh_from_db()
    assert foreign.state == "queued"


def test_all_are_tried_again_but_what_was_stopped_or_asked_for_anew(admin_user, clinic, other_clinic):
    scope = queue.Scope(clinic)
    wanted = [make("evaluate", "failed", clinic, subject=n, error_code="unexpected") for n in range(3)]
    kept = [
        make("evaluate", "failed", clinic, subject=7, error_code=work.CANCELLED),
        make("evaluate", "failed", clinic, subject=8), make("evaluate", "failed", other_clinic, subject=9),
    ]  # fmt: skip
    make("evaluate", "done", clinic, subject=8)
    assert queue.retry_all(scope, admin_user, "train") == 0
    assert queue.retry_all(scope, admin_user) == len(wanted)
    assert set(Job.objects.filter(state="failed")) == set(kept)
    assert not queue.retry(kept[1], admin_user)
    assert AuditEvent.objects.get(action="job.retry").facts == {"kind": "evaluate", "jobs": 3}


def test_hundreds_are_shown_a_page_at_a_time_and_counted_no_further_than_needed(
    page, clinic, admin_user, client_for, monkeypatch, django_assert_max_num_queries
):
    Job.objects.bulk_create(
        Job(kind="analyse", key=str(n), clinic=clinic, state="failed", error="Why it failed.", subject=n,
            finished_at=timezone.now())
        for n in range(300)
    )  # fmt: skip
    monkeypatch.setattr(queue, "MOST_COUNTED", 200)
    monkeypatch.setattr("skinclinic.presenters.queue.MOST_COUNTED", 200)
    client = client_for(admin_user)
    client.get(url("queue"))
    with django_assert_max_num_queries(16):
        text = client.get(url("queue"), {"state": "failed"}).content.decode()
    assert text.count("queue-job") == 50 and "200+" in text and "Why it failed." in text
    assert "Try all again" in text and "cursor=" in text


def test_the_part_that_changes_is_fetched_alone(admin_user, client_for, clinic):
    make(clinic=clinic, state="queued", not_before=timezone.now() + timedelta(seconds=25), attempts=1)
    text = (
        client_for(admin_user)
        .get(url("queue"), {"state": "queued"}, headers={"HX-Request": "true"})
        .content.decode()
    )
    assert text.lstrip().startswith('<div id="queue"') and "<html" not in text
    assert "again in" in text and f'hx-get="{url("queue")}?state=queued"' in text


def test_stopping_a_run_stops_its_training(admin_user, clinic, curator):
    from classifier.models import Training, TrainingRun
    from skinclinic.archive.models import Dataset, DatasetVersion

    version = DatasetVersion.objects.create(
        clinic=clinic, number=1, created_by=curator,
        dataset=Dataset.objects.create(clinic=clinic, name="d", created_by=curator),
    )  # fmt: skip
    training = Training.objects.create(
        clinic=clinic, name="t", dataset_version=version, architecture="resnet18", init="random",
        choices={"runs": 2, "epochs": 1}, created_by=curator,
    )  # fmt: skip
    runs = [make("train", clinic=clinic, subject=training.pk) for _ in range(2)]
    for number, job in enumerate(runs, 1):
        TrainingRun.objects.create(training=training, number=number, seed=number, job=job)
    assert queue.stop(runs[0], admin_user)
    training.refresh_from_db()
    assert training.is_stopped and {job.state for job in Job.objects.filter(kind="train")} == {"failed"}
    runs[0].refresh_from_db()
    assert queue.retry(runs[0], admin_user)
    assert {job.state for job in Job.objects.filter(kind="train")} == {"queued"}
