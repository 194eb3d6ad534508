"""A stored file that is lost: told rightly, given back by the same upload, and never the fault of a good photo."""

import errno

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from classifier.models import Analysis
from classifier.presenters.cards import FILE_LOST
from classifier.services.analysis import analyses
from classifier.services.analysis.analyses import request_analysis
from classifier.services.analysis.intake import take_in
from skinclinic import imaging
from skinclinic.engine import health, jobs
from skinclinic.files import store
from skinclinic.models import Job, Photo
from skinclinic.models.audit import AuditEvent
from skinclinic.services import covering, lost_files
from skinclinic.services.squares import add_square
from tests import factories
from tests.folders import stored_files
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db


def run() -> None:
    jobs.run_waiting(analyses.JOB)


def lose(photo) -> None:
    store.path_of(photo.file_key).unlink()


@pytest.fixture
def others(clinic, clinician):
    """Photos of the clinic whose files are there."""
    return [factories.make_photo(clinic, clinician, seed=seed) for seed in (7, 8)]


@pytest.fixture
def lost(photo, others, clinician, model_version):
    """A photo without its file, whose analysis failed of that."""
    request_analysis(photo, user=clinician)
    lose(photo)
    run()
    return photo


def again() -> SimpleUploadedFile:
    return SimpleUploadedFile("again.jpg", factories.jpeg_bytes(0), "image/jpeg")


@pytest.fixture
def api_for():
    def make(user) -> APIClient:
        client = APIClient()
        client.force_authenticate(user)
        return client

    return make


def job_of(photo) -> Job:
    return Job.objects.get(analysis__photo=photo)


def test_the_reason_names_what_to_do_and_no_path(lost, client_for, clinician, settings):
    job = job_of(lost)
    assert (job.state, job.error_code, job.attempts) == ("failed", "photo_unreadable", 1)
    client = client_for(clinician)
    page = client.get(url("photo", lost.pk)).content.decode()
    card = client.get(url("photo-card", lost.pk)).json()["html"]
    for text in (job.error, page, card):
        assert str(settings.PHOTOS_DIR) not in text and lost.file_key not in text
        assert "Send the same file again" in text
    assert str(FILE_LOST) in page and str(FILE_LOST) in card, "both pages say the same"


def test_the_same_file_again_gives_it_back_and_has_it_analysed(lost, client_for, clinician, clinic):
    before = set(stored_files())
    sent = {"file": again()}
    told = client_for(clinician).post(url("photo-upload"), sent).json()
    assert (told["id"], told["duplicate"], told["given_back"]) == (lost.pk, True, True)
    assert set(stored_files()) == before | {lost.file_key}
    assert imaging.open_rgb(store.read(lost.file_key)).size == (lost.width, lost.height)
    assert job_of(lost).state == "queued"
    run()
    assert job_of(lost).state == "done" and Analysis.objects.filter(photo=lost).count() == 1
    assert AuditEvent.objects.get(action="photo.give_back").user_key == clinician.pk
    # Once more: it is there, and nothing is written.
    sent["file"] = again()
    assert not client_for(clinician).post(url("photo-upload"), sent).json()["given_back"]


def test_by_the_api(lost, clinician, api_for):
    sent = {"file": again()}
    told = api_for(clinician).post("/api/photos/", sent, format="multipart")
    assert told.status_code == 200 and told.json()["given_back"] and job_of(lost).state == "queued"


def test_a_damaged_file_and_a_lost_thumbnail_are_given_back_too(photo, clinic, clinician):
    whole = store.read(photo.file_key)
    store.path_of(photo.file_key).write_bytes(whole[:-700])
    store.path_of(photo.thumbnail_key).unlink()
    assert lost_files.lost_keys(photo) == [photo.file_key, photo.thumbnail_key]
    assert lost_files.give_back(clinic, factories.jpeg_bytes(0), clinician) == [photo]
    assert store.read(photo.file_key) == whole and lost_files.lost_keys(photo) == []


def test_what_was_covered_comes_back_covered_in_every_photo_of_the_picture(photo, clinic, clinician):
    further, _new = add_square(photo, {"x": 0, "y": 0, "size": 64}, clinician)
    covering.cover(photo, [{"x": 0, "y": 0, "width": 40, "height": 40}], clinician)
    photos = list(Photo.objects.filter(pk__in=[photo.pk, further.pk]))
    covered = [store.read(one.file_key) for one in photos]
    for one in photos:
        lose(one)
    assert len(lost_files.give_back(clinic, factories.jpeg_bytes(0), clinician)) == 2
    assert [store.read(one.file_key) for one in photos] == covered


def test_another_clinics_upload_gives_nothing_back(lost, other_clinic, outsider):
    _photo, is_new = take_in(
        user=outsider, clinic=other_clinic, data=factories.jpeg_bytes(0), name="a.jpg", kind="close_up"
    )
    assert is_new and lost_files.lost_keys(lost) and job_of(lost).state == "failed"


def test_a_worker_without_photos_blames_no_photo(photo, clinician, model_version, settings, tmp_path):
    request_analysis(photo, user=clinician)
    there, settings.PHOTOS_DIR = settings.PHOTOS_DIR, tmp_path / "not mounted"
    for _twice in range(2):
        run()
        job = job_of(photo)
        assert (job.state, job.attempts, job.error) == ("queued", 0, "")
        settings.PHOTOS_DIR.mkdir(exist_ok=True)
        Job.objects.update(not_before=None)
    settings.PHOTOS_DIR = there
    run()
    assert job_of(photo).state == "done"


def test_a_disk_that_gives_no_file_now_is_asked_again(photo, clinician, model_version, monkeypatch):
    request_analysis(photo, user=clinician)

    def failing(key):
        raise OSError(errno.EIO, "Input/output error", f"/srv/{key}")

    monkeypatch.setattr(store, "read", failing)
    run()
    assert (job_of(photo).state, job_of(photo).attempts) == ("queued", 1)
    Job.objects.update(attempts=2, not_before=None)
    run()
    job = job_of(photo)
    assert (job.state, job.error_code) == ("failed", "photo_unreadable") and "/srv" not in job.error
    assert health.code_of(OSError(errno.EIO, "")) == "disk"


@pytest.mark.parametrize("words", ["std::bad_alloc", "DefaultCPUAllocator: can't allocate memory"])
def test_a_library_without_memory_is_tried_again_whatever_it_calls_it(
    photo, clinician, model_version, monkeypatch, words
):
    def failing(*args):
        raise RuntimeError(words)

    monkeypatch.setattr("classifier.analysing.pipeline.analyse", failing)
    request_analysis(photo, user=clinician)
    run()
    assert (job_of(photo).state, job_of(photo).attempts) == ("queued", 1)
    Job.objects.update(attempts=2, not_before=None)
    run()
    job = job_of(photo)
    assert (job.state, job.error_code) == ("failed", "out_of_memory")
    assert "alloc" not in job.error


class TestRetryAll:
    @pytest.fixture
    def failed(self, clinic, clinician, other_clinic, outsider, model_version):
        own = [factories.make_photo(clinic, clinician, seed=seed) for seed in range(3)]
        strange = factories.make_photo(other_clinic, outsider)
        for one in own:
            request_analysis(one, user=clinician)
        request_analysis(strange, user=outsider)
        Job.objects.filter(kind="analyse").update(state="failed", error_code="unexpected", attempts=3)
        return own, strange

    def test_by_the_page(self, failed, client_for, clinician, monkeypatch):
        own, strange = failed
        client = client_for(clinician)
        assert "3 photos of this clinic could not be analysed" in client.get(url("upload")).content.decode()
        monkeypatch.setattr(analyses, "RETRIED_AT_ONCE", 2)
        page = client.post(url("photos-retry"), follow=True).content.decode()
        assert "2 photos are analysed again." in page and "More have failed: 1." in page
        client.post(url("photos-retry"))
        assert {job_of(one).state for one in own} == {"queued"} and job_of(strange).state == "failed"
        rows = AuditEvent.objects.filter(action="analysis.retry")
        assert [(row.facts["photos"], row.user_key) for row in rows.order_by("pk")] == [
            (2, clinician.pk),
            (1, clinician.pk),
        ]
        run()
        assert {job_of(one).state for one in own} == {"done"}
        assert "of this clinic could not be analysed" not in client.get(url("upload")).content.decode()

    def test_by_the_api(self, failed, api_for, clinician, coordinator, clinic, other_clinic):
        path = "/api/analyses/retry-failed/"
        assert api_for(coordinator).post(path).status_code == 403
        assert api_for(clinician).post(path, {"clinic": other_clinic.slug}).status_code == 403
        told = api_for(clinician).post(path, {"clinic": clinic.slug})
        assert told.json() == {"queued": 3, "still_failed": 0}
        assert job_of(failed[1]).state == "failed"
