"""Pages of image archives: an admin's list, the page that sends a photo; what cannot be is said in words."""

import pytest

from skinclinic.engine import jobs
from skinclinic.models import AuditEvent, ImageArchive, ImageSending, Member
from skinclinic.services import image_archives
from tests import factories
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db
GOOD = {
    "name": "PACS",
    "way": "dicom",
    "host": "pacs.example.org",
    "port": 104,
    "called": "PACS",
    "calling": "SKIN",
}


@pytest.fixture(autouse=True)
def allowed(settings):
    settings.IMAGE_ARCHIVE_NETWORKS = ["10.0.0.0/8"]


def test_an_archive_in_a_network_that_nobody_has_allowed_is_refused_when_it_is_given(
    client_for, admin_user, settings
):
    client, web = client_for(admin_user), {"way": "web", "url": "https://192.168.0.7/dicom-web"}
    for changed, field in (({"host": "192.168.0.7"}, "host"), (web, "url")):
        answer = client.post(url("image-archives"), GOOD | changed)
        assert answer.status_code == 422 and "IMAGE_ARCHIVE_NETWORKS" in answer.content.decode()
        assert list(answer.context["form"].errors) == [field]
    settings.IMAGE_ARCHIVE_NETWORKS = []
    assert client.post(url("image-archives"), GOOD).status_code == 422
    assert (
        client.post(url("image-archives"), GOOD | web | {"url": "https://pacs.example/web"}).status_code
        == 302
    )


def test_a_sending_whose_job_has_failed_for_good_says_so(client_for, admin_user, clinic, monkeypatch):
    archive = image_archives.add(clinic, admin_user, {**GOOD, "url": ""})
    image_archives.test(archive, admin_user)
    monkeypatch.setattr(image_archives, "_probe", lambda archive: 1 / 0)
    jobs.run_waiting("image-sending")
    page = client_for(admin_user).get(url("image-archive", archive.pk)).content.decode()
    assert "Given up" in page and "Something went wrong here" in page


def test_an_admin_adds_an_archive_tests_and_removes_it(client_for, admin_user, clinic):
    client = client_for(admin_user)
    answer = client.post(url("image-archives"), GOOD)
    made = ImageArchive.objects.get()
    assert answer.status_code == 302 and made.where == "PACS@pacs.example.org:104"
    assert "PACS@pacs.example.org:104" in client.get(url("image-archives")).content.decode()
    client.post(url("image-archive-act", made.pk), {"act": "test"})
    assert "Not arrived yet" in client.get(url("image-archive", made.pk)).content.decode()
    assert client.post(url("image-archives"), GOOD).status_code == 422
    client.post(url("image-archive-act", made.pk), {"act": "remove"})
    assert not ImageArchive.objects.exists()
    told = AuditEvent.objects.filter(action__startswith="image_archive.").order_by("id")
    assert [row.action.partition(".")[2] for row in told] == ["make", "test", "remove"]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"host": "pacs example"}, "host"), ({"port": 0}, "port"), ({"port": ""}, "port"),
        ({"called": "a\\b"}, "called"),
        ({"calling": "x" * 17}, "calling"), ({"way": "web", "url": ""}, "url"), ({"way": ""}, "way"),
        ({"way": "web", "url": "https://me:secret@pacs.example.org"}, "url"), ({"name": ""}, "name"),
    ],
)  # fmt: skip
def test_what_cannot_be_reached_is_said_at_its_field(changed, field, client_for, admin_user):
    answer = client_for(admin_user).post(url("image-archives"), GOOD | changed)
    assert answer.status_code == 422 and field in answer.context["form"].errors
    assert not ImageArchive.objects.exists()


def test_a_clinician_sends_a_photo_from_its_page_and_sees_what_becomes_of_it(
    client_for, clinician, coordinator, admin_user, clinic, photo
):
    client, page = client_for(clinician), url("photo-archive", photo.pk)
    assert "There is no image archive yet" in client.get(page).content.decode()
    archive = image_archives.add(clinic, admin_user, {**GOOD, "url": ""})
    assert "File the photo under a patient first" in client.get(page).content.decode()
    assert client.post(page, {"archive": archive.pk}).status_code == 422
    photo.lesion.patient = factories.make_patient(clinic, "P-1")
    photo.lesion.save()
    assert client.post(page, {"archive": archive.pk, "with_answer": "1"}).status_code == 302
    sending = ImageSending.objects.get()
    # There is no answer to send.
    assert (sending.photo_key, sending.with_answer) == (photo.pk, False)
    shown = client.get(page).content.decode()
    assert f"Photo {photo.pk}" in shown and "Not arrived yet" in shown
    assert client_for(coordinator).post(page, {"archive": archive.pk}).status_code == 403
    assert "may look but not change" in client_for(coordinator).get(page).content.decode()
    assert client.post(page, {}).status_code == 404
    assert url("photo-archive", photo.pk) in client.get(url("photo", photo.pk)).content.decode()


def test_what_does_not_arrive_is_tried_after_each_pause_and_then_given_up(
    clinic, clinician, admin_user, photo, monkeypatch
):
    archive = image_archives.add(clinic, admin_user, {**GOOD, "url": ""})
    sending = ImageSending.objects.create(
        clinic=clinic, archive=archive, photo_key=photo.pk, asked_by=clinician
    )
    monkeypatch.setattr(image_archives, "_tried", lambda sending: (0, "no_answer"))
    states = []
    for _try in range(len(image_archives.PAUSES) + 1):
        image_archives.try_once(sending)()
        sending.refresh_from_db()
        states.append(str(sending.state))
    assert states == ["waiting"] * len(image_archives.PAUSES) + ["given_up"]


def test_another_clinics_archive_is_none(client_for, clinician, outsider, other_clinic, clinic, photo):
    """Nor for who works in both."""
    Member.objects.create(clinic=other_clinic, user=clinician, role="clinician")
    theirs = image_archives.add(other_clinic, outsider, {**GOOD, "url": ""})
    photo.lesion.patient = factories.make_patient(clinic, "P-1")
    photo.lesion.save()
    assert (
        client_for(clinician).post(url("photo-archive", photo.pk), {"archive": theirs.pk}).status_code == 404
    )
