"""Analyses of many photos at once, and what a model says of the archive's labels."""

import numpy as np
import pytest
from django.utils import timezone

from classifier.models import Analysis, LabelCheck
from classifier.services.analysis import analyses, batch_analyses
from classifier.services.evaluation import label_checks
from classifier.services.models import registry
from skinclinic.archive.models import Entry
from skinclinic.archive.services.curating import review
from skinclinic.archive.services.searching.selection import Selection
from skinclinic.engine import jobs
from skinclinic.files import store
from skinclinic.imaging import Box
from skinclinic.models import Job
from skinclinic.services import photos
from tests import factories, results
from tests.engine import wait_until
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db


@pytest.fixture
def archive(clinic, curator):
    """Nine photos to review: eight of the 12 diseases and one background disease."""
    labels = ["bcc", "mm", "sk", "ak", "nevus", "wart", "df", "pg", "Rosacea"]
    rows = [factories.make_photo(clinic, curator, seed=n) for n in range(len(labels))]
    return [
        factories.make_entry(photo, curator, label=label) for photo, label in zip(rows, labels, strict=True)
    ]


@pytest.fixture
def lively(db, lite_dir):
    """A model that gives each photo other scores, and knows background diseases."""
    return registry.register(lite_dir)


def ids(entries) -> list[int]:
    return [entry.photo_id for entry in entries]


def test_a_batch_says_what_single_analyses_say(archive, curator, lively):
    said = []
    assert batch_analyses.analyse(lively, ids(archive), say=said.append) == []
    assert said[-1] == len(archive)
    batch = {row.photo_id: row for row in Analysis.objects.filter(job=None)}
    assert set(batch) == set(ids(archive))
    asked = archive[3].photo
    stored = batch[asked.pk]
    Analysis.objects.filter(pk=stored.pk).delete()
    single = factories.make_analysis(asked, curator)
    assert single.scores == pytest.approx(stored.scores, abs=1e-6)
    np.testing.assert_allclose(single.heatmaps(), stored.heatmaps(), atol=2e-3)
    assert single.quality == stored.quality


def test_nothing_is_computed_twice(archive, model_version, monkeypatch):
    batch_analyses.analyse(model_version, ids(archive)[:5])
    opened = []
    real = batch_analyses._open_crop
    monkeypatch.setattr(batch_analyses, "_open_crop", lambda photo: opened.append(photo.pk) or real(photo))
    batch_analyses.analyse(model_version, ids(archive))
    assert opened == ids(archive)[5:]
    batch_analyses.analyse(model_version, ids(archive))
    assert len(opened) == 4


def test_another_crop_is_analysed_anew(archive, model_version):
    photo = archive[0].photo
    batch_analyses.analyse(model_version, [photo.pk])
    photos.set_box(photo, Box(10, 10, 100))
    batch_analyses.analyse(model_version, [photo.pk])
    assert Analysis.objects.filter(photo=photo).count() == 2
    (now,) = batch_analyses.of_photos(model_version, [photo.pk])
    assert now.box == Box(10, 10, 100)


def test_a_photo_that_cannot_be_read_stops_no_other(archive, model_version):
    store.path_of(archive[1].photo.file_key).write_bytes(b"broken")
    store.path_of(archive[2].photo.file_key).unlink()
    unreadable = batch_analyses.analyse(model_version, ids(archive))
    assert [one.photo for one in unreadable] == ids(archive)[1:3]
    assert Analysis.objects.count() == len(archive) - 2


def test_batches_are_no_answer_to_a_clinician(archive, clinician, model_version, client_for):
    photo = archive[0].photo
    batch_analyses.analyse(model_version, [photo.pk])
    (made,) = Analysis.objects.all()
    client = client_for(clinician)
    assert analyses.current_analysis(photo) is None
    for name in ("analysis", "analysis-maps", "analysis-report"):
        assert client.get(url(name, made.pk)).status_code == 404
    assert client.get("/api/analyses/").json()["results"] == []
    page = client.get(url("photo", photo.pk))
    assert page.status_code == 200
    assert page.context["analysis"] is None
    # Asked for, it is taken over with its scores: nothing waits.
    before = timezone.now()
    asked = analyses.request_analysis(photo, user=clinician)
    assert (asked.pk, asked.job.state) == (made.pk, Job.State.DONE)
    assert made.requested_at < before <= asked.requested_at, "it is asked for now, whenever it was computed"
    assert analyses.request_analysis(photo, user=clinician).pk == made.pk
    assert client.get(url("analysis-maps", made.pk)).status_code == 200
    photo.lesion.refresh_from_db()
    assert photo.lesion.state == "done"


def test_a_batch_serves_a_photo_that_waits(archive, clinician, model_version):
    photo = archive[0].photo
    waiting = analyses.request_analysis(photo, user=clinician)
    batch_analyses.analyse(model_version, [photo.pk], give_way=False)
    waiting.refresh_from_db()
    assert waiting.is_done
    assert Analysis.objects.filter(photo=photo).count() == 1
    assert waiting.job.state == Job.State.QUEUED
    jobs.run_waiting("analyse")
    waiting.job.refresh_from_db()
    assert waiting.job.state == Job.State.DONE


def test_batches_wait_for_the_clinics_photos(archive, clinician, model_version, monkeypatch):
    slept = []
    analyses.request_analysis(archive[0].photo, user=clinician)

    def sleep(seconds):
        slept.append(seconds)
        jobs.run_waiting("analyse")

    monkeypatch.setattr(batch_analyses.time, "sleep", sleep)
    batch_analyses.analyse(model_version, ids(archive)[1:])
    assert slept == [0.2]


def test_disagreement_is_the_lead_over_the_label():
    answer = Analysis(
        scores=results.SCORES, background=0.09, model_version=results.make_version(background_classes=["x"])
    )
    assert label_checks.first_choice(answer) == "bcc"
    assert label_checks.disagreement(answer, "bcc") == 0
    assert label_checks.disagreement(answer, "ak") == pytest.approx(0.41 - 0.22)
    assert label_checks.disagreement(answer, "Rosacea") == pytest.approx(0.41 - 0.09)
    answer.background = 0.6
    assert label_checks.disagreement(answer, "Rosacea") == 0
    answer.model_version.manifest["background_classes"] = []
    assert label_checks.disagreement(answer, "Rosacea") is None


def test_the_model_is_asked_about_a_selection(archive, curator, lively, client_for):
    client = client_for(curator)
    client.post(url("review-model"), {"review": "pending", "label": "mm"})
    client.post(url("review-model"), {"review": "pending"})  # the first is still at work
    (check,) = LabelCheck.objects.all()
    assert (check.total, check.state) == (1, "waiting")
    assert "hx-get" in client.get(url("review")).content.decode()
    jobs.run_waiting(label_checks.JOB)
    client.post(url("review-model"), {"review": "pending"})
    jobs.run_waiting(label_checks.JOB)
    check = label_checks.last(curator.memberships.get().clinic)
    assert (check.state, check.done, check.total) == ("done", len(archive), len(archive))
    for entry in Entry.objects.all():
        answer = Analysis.objects.get(photo=entry.photo)
        assert entry.model_label == label_checks.first_choice(answer)
        assert entry.disagreement == label_checks.disagreement(answer, entry.label)
    disagreeing = Entry.objects.filter(disagreement__gt=0).count()
    assert check.disagreeing == disagreeing > 0
    page = client.get(url("review") + "?disagree=1")
    assert len(page.context["tiles"]) == disagreeing


def test_a_label_changed_meanwhile_keeps_no_answer(archive, curator, model_version, monkeypatch):
    real = batch_analyses.of_photos

    def slow(version, photos):
        found = list(real(version, photos))
        if len(found) == len(archive):
            review.edit(entry=archive[0], user=curator, label="iec")
        return found

    check = label_checks.ask(archive[0].clinic, curator, Selection())
    monkeypatch.setattr(label_checks.batch_analyses, "of_photos", slow)
    # Read before the change, written after it.
    labels = Entry.objects.in_bulk()
    label_checks._note_answers(model_version, [(entry.pk, entry.photo_id) for entry in archive])
    label_checks.run(check)
    changed = Entry.objects.get(pk=archive[0].pk)
    assert changed.label == "iec" != labels[changed.pk].label
    answer = Analysis.objects.get(photo=changed.photo)
    assert changed.disagreement == label_checks.disagreement(answer, "iec")


def test_only_curators_ask(archive, coordinator, clinician, model_version, client_for):
    for user in (coordinator, clinician):
        assert client_for(user).post(url("review-model"), {}).status_code == 403
        assert "Ask the model" not in client_for(user).get(url("review")).content.decode()
    assert not LabelCheck.objects.exists()


def test_a_check_needs_a_model_and_photos(clinic, curator, client_for):
    answer = client_for(curator).post(url("review-model"), {"label": "mm"}, follow=True)
    assert "There is no model yet" in answer.content.decode()
    results.make_version()
    answer = client_for(curator).post(url("review-model"), {"label": "mm"}, follow=True)
    assert "no photo in this selection" in answer.content.decode()


def test_a_model_that_is_gone_is_said_and_can_be_tried_again(archive, curator, model_dir, client_for):
    version = results.make_version("gone")
    label_checks.ask(archive[0].clinic, curator, Selection())
    jobs.run_waiting(label_checks.JOB)
    check = LabelCheck.objects.get()
    assert check.state == "failed"
    client = client_for(curator)
    assert check.error in client.get(url("review")).content.decode().replace("&#x27;", "'")
    good = registry.register(model_dir)
    type(version).objects.filter(pk=version.pk).update(folder=good.folder, weights_sha256="1" * 64)
    client.post(url("work", "label-check", check.pk), {"act": "retry"})
    jobs.run_waiting(label_checks.JOB)
    check.refresh_from_db()
    assert (check.state, check.done) == ("done", len(archive))


@pytest.mark.django_db(transaction=True)
def test_a_killed_check_goes_on_where_it_was(engine, clinic, curator, model_version):
    rows = [
        factories.make_entry(factories.make_photo(clinic, curator, seed=n), curator, label="mm")
        for n in range(40)
    ]
    check = label_checks.ask(clinic, curator, Selection())
    # One of them is killed, the other goes on.
    for _worker in range(2):
        engine.start_worker(jobs.BATCH)
    engine.start_reconciler()
    wait_until(Analysis.objects.exists, 240, "the first batch is stored")
    asked = Job.objects.filter(kind=label_checks.JOB)
    engine.kill_who_has(asked)
    stored = set(Analysis.objects.values_list("pk", flat=True))
    asked.update(lease_until="2020-01-01T00:00Z")
    wait_until(lambda: LabelCheck.objects.get(pk=check.pk).state == "done", 240, "the check is done")
    assert Analysis.objects.count() == len(rows)
    assert stored <= set(Analysis.objects.values_list("pk", flat=True))
    assert not Entry.objects.filter(disagreement=None).exists()
