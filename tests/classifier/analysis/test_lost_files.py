"""A photo whose stored file is gone or damaged: every page that reads it says so, and none breaks."""

import pytest
from django.test import Client

from classifier.services.analysis import analyses
from skinclinic.engine import jobs
from skinclinic.files import store
from skinclinic.models import AuditEvent, Job
from skinclinic.services import second_opinions
from skinclinic.services.photos import store_photo
from tests import factories
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["gone", "damaged"])
def lost(request, analysis):
    """The analysis of a photo that lost its file since."""
    jobs.run_waiting("analyse")
    analysis.refresh_from_db()
    for key in (analysis.photo.file_key, analysis.photo.thumbnail_key):
        if request.param == "gone":
            store.delete(key)
        else:
            store.path_of(key).write_bytes(b"no picture")
    analysis.damaged = request.param == "damaged"
    return analysis


def test_pages_say_that_the_file_is_lost_and_how_it_comes_back(lost, clinician, client_for):
    client = client_for(clinician)
    photo, analysis = lost.photo_id, lost.pk
    for address in (
        url("analysis-report", analysis), url("analysis-panels", analysis), url("photo-image", photo) + "?for=screen",
        *(() if lost.damaged else (url("photo-image", photo), url("photo-thumbnail", photo))),
    ):  # fmt: skip
        answer = client.get(address)
        assert answer.status_code == 404, address
        assert "file is lost" in answer.content.decode(), address
        assert "Send the same photo again" in answer.content.decode(), address
        told = client.get(address, headers={"Accept": "application/json"}).json()["error"]
        assert told["code"] == "photo_lost" and "gives it back" in told["message"]
    assert client.get(url("photo", photo)).status_code == 200


def test_programs_get_409_and_not_a_photo_that_seems_never_to_have_been(lost, clinician):
    program = Client(headers={"Authorization": f"Token {factories.make_token(clinician)}"})
    files = program.get(f"/api/analyses/{lost.pk}/").json()["files"]
    photo = program.get(f"/api/photos/{lost.photo_id}/").json()
    found = [photo["crop"], files["square"], files["panels"], files["report"]]
    for address in [*found, *(() if lost.damaged else (photo["image"], photo["thumbnail"]))]:
        answer = program.get(address)
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "photo_unreadable"), address


def test_a_colleague_outside_is_told_without_what_only_members_can_do(lost, clinician):
    lesion = lost.photo.lesion
    lesion.patient = factories.make_patient(lesion.clinic)
    lesion.save()
    _opinion, secret = second_opinions.ask_outside(
        lesion, clinician, name="Noor Ibn", photos=[lost.photo], shows=()
    )
    answer = Client().get(url("opinion-photo", secret, 1))
    assert answer.status_code == 404 and "Tell whoever has asked you" in answer.content.decode()


def test_the_same_photo_sent_again_gives_its_file_back_and_is_noted(lost, clinician):
    photo = lost.photo
    known, is_new = store_photo(
        clinic=photo.clinic, user=clinician, data=factories.jpeg_bytes(), name="again.jpg"
    )
    assert (known.pk, is_new, known.given_back) == (photo.pk, False, True)
    assert store.is_whole_jpeg(photo.file_key) and store.is_whole_jpeg(photo.thumbnail_key)
    (noted,) = AuditEvent.objects.filter(action="photo.give_back")
    assert (noted.user_key, noted.subject_key) == (clinician.pk, photo.pk)


def test_what_failed_in_the_clinic_is_tried_again_and_noted(analysis, clinician, client_for):
    Job.objects.filter(pk=analysis.job_id).update(state="failed", error_code=analyses.LOST)
    client, clinic = client_for(clinician), analysis.clinic
    assert "1 photo of this clinic could not be analysed" in client.get(url("upload")).content.decode()
    page = client.post(url("photos-retry"), {"clinic": clinic.pk}, follow=True).content.decode()
    assert "1 photo is analysed again" in page and "this clinic could not" not in page
    assert Job.objects.get(pk=analysis.job_id).state == "queued"
    noted = AuditEvent.objects.get(action="analysis.retry")
    assert (noted.user_key, noted.facts) == (clinician.pk, {"photos": 1})
