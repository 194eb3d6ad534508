"""Photos sent to a real image archive, by DICOM and DICOMweb; what does not arrive is tried again and told."""

import io
from datetime import timedelta

import pydicom
import pytest
from django.utils import timezone

from classifier.services.analysis import assessments
from skinclinic.dicom import web
from skinclinic.engine import jobs
from skinclinic.models import AuditEvent, ImageSending
from skinclinic.services import image_archives
from skinclinic.services.refused import Refused
from tests import orthanc, servers

pytestmark = [pytest.mark.django_db, pytest.mark.dicom]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with orthanc.running(tmp_path_factory.mktemp("orthanc")) as running:
        yield running


@pytest.fixture
def there(server, settings):
    settings.IMAGE_ARCHIVE_NETWORKS = ["127.0.0.0/8"]
    server.empty()
    return server


@pytest.fixture
def by_dicom(clinic, admin_user, there):
    values = {
        "name": "PACS", "way": "dicom", "host": "127.0.0.1", "port": there.dicom, "called": orthanc.TITLE,
        "calling": "SKINCLINIC",
    }  # fmt: skip
    return image_archives.add(clinic, admin_user, values)


@pytest.fixture
def by_web(clinic, admin_user, there):
    return image_archives.add(clinic, admin_user, {"name": "Web", "way": "web", "url": there.web})


def sent(sending: ImageSending) -> ImageSending:
    jobs.run_waiting(image_archives.JOB)
    sending.refresh_from_db()
    return sending


def test_an_answer_goes_to_a_real_archive_by_dicom_and_is_the_same_there(by_dicom, there, done, clinician):
    assessments.record_impression(clinician, done, None)
    found = sent(image_archives.send(done.photo, by_dicom, clinician, with_answer=True))
    assert (found.state, found.arrived, found.problem, found.tries) == ("arrived", 14, "", 1)
    held = [there.asked(f"/instances/{one}/simplified-tags") for one in there.asked("/instances")]
    assert len(held) == 14 and {one["PatientID"] for one in held} == {"P-0017"}
    assert sorted({one["Modality"] for one in held}) == ["OT", "SR", "XC"]
    assert len({one["StudyInstanceUID"] for one in held}) == 1
    # Once more is the same objects.
    sent(image_archives.send(done.photo, by_dicom, clinician, with_answer=True))
    assert len(there.asked("/instances")) == 14
    row = AuditEvent.objects.filter(action="photo.send").latest("id")
    assert row.patient_key == done.photo.lesion.patient_id and row.user_key == clinician.pk


def test_a_photo_goes_by_dicomweb_is_found_there_and_fetched_as_it_was(by_web, there, done, clinician):
    found = sent(image_archives.send(done.photo, by_web, clinician, with_answer=False))
    assert (found.state, found.arrived) == ("arrived", 1)
    (one,) = web.search(image_archives.ask, there.web, PatientID="P-0017")
    uids = [web.value_of(one, tag) for tag in (web.STUDY, web.SERIES, web.SOP_INSTANCE)]
    read = pydicom.dcmread(io.BytesIO(web.fetch(image_archives.ask, there.web, *uids)))
    made = image_archives._objects(found)[0]
    assert read.SOPInstanceUID == made.uid and read.PixelData == made.dataset.PixelData
    assert web.search(image_archives.ask, there.web, PatientID="P-9999") == []
    # What is there is not sent again.
    posted = []
    asked = image_archives.ask

    def ask(method, *rest):
        posted.append(method)
        return asked(method, *rest)

    image_archives.ask = ask
    try:
        assert sent(image_archives.send(done.photo, by_web, clinician, with_answer=False)).state == "arrived"
    finally:
        image_archives.ask = asked
    assert posted == ["GET"]


def test_the_answer_stays_here_while_the_own_impression_comes_first(by_dicom, clinic, done, clinician):
    clinic.impression_first = True
    clinic.save()
    found = sent(image_archives.send(done.photo, by_dicom, clinician, with_answer=True))
    assert (found.with_answer, found.arrived) == (False, 1)


def test_a_test_says_whether_it_is_there_and_sends_nothing(by_dicom, by_web, there, admin_user):
    for archive in (by_dicom, by_web):
        assert sent(image_archives.test(archive, admin_user)).state == "arrived"
    assert there.asked("/instances") == []


@pytest.mark.parametrize(
    ("what", "problem"),
    [("called", "rejected"), ("port", "no_answer"), ("networks", "not_allowed"), ("web", "refused")]
)  # fmt: skip
def test_what_does_not_arrive_is_tried_again_and_told(
    what,
    problem,
    by_dicom,
    by_web,
    settings,
    done,
    clinician,
):
    archive = by_web if what == "web" else by_dicom
    if what == "called":
        archive.called = "OTHER"
    elif what == "port":
        archive.port = servers.free_port()
    elif what == "web":
        archive.url += "/nowhere"
    else:
        settings.IMAGE_ARCHIVE_NETWORKS = []
    archive.save()
    found = sent(image_archives.send(done.photo, archive, clinician, with_answer=False))
    assert (found.state, found.problem, found.tries) == ("waiting", problem, 1)
    assert found.next_at > timezone.now()
    image_archives.send_what_is_due()
    assert jobs.run_waiting(image_archives.JOB) == 0
    past = timezone.now() - timedelta(seconds=1)
    ImageSending.objects.update(next_at=past, tries=len(image_archives.PAUSES))
    image_archives.send_what_is_due()
    assert sent(found).state == "given_up"


def test_a_kind_that_the_archive_does_not_take_is_said(done, clinician, clinic, admin_user, settings):
    from pynetdicom import AE
    from pynetdicom.sop_class import SecondaryCaptureImageStorage

    settings.IMAGE_ARCHIVE_NETWORKS = ["127.0.0.0/8"]
    entity = AE("STRICT")
    entity.add_supported_context(SecondaryCaptureImageStorage)
    port = servers.free_port()
    running = entity.start_server(("127.0.0.1", port), block=False)
    try:
        values = {
            "name": "S",
            "way": "dicom",
            "host": "127.0.0.1",
            "port": port,
            "called": "STRICT",
            "calling": "A",
        }
        archive = image_archives.add(clinic, admin_user, values)
        found = sent(image_archives.send(done.photo, archive, clinician, with_answer=False))
    finally:
        running.shutdown()
    assert (found.state, found.problem, found.arrived) == ("waiting", "kind_refused", 0)


def test_a_photo_of_nobody_is_not_sent(by_dicom, photo, clinician):
    with pytest.raises(Refused):
        image_archives.send(photo, by_dicom, clinician, with_answer=False)
    assert not ImageSending.objects.exists()
