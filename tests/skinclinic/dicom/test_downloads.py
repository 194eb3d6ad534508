"""DICOM fetched from pages and by programs: an answer with its photo, kept back and written down as other files."""

import io
import zipfile

import pydicom
import pytest
from highdicom.sr import ComprehensiveSR
from PIL import Image

from classifier.services.analysis import assessments
from skinclinic.dicom.answers import NO_DIAGNOSIS
from skinclinic.models import AuditEvent
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests.classifier.test_api_files import program
from tests.skinclinic.dicom.checked import complaints
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db


def objects_of(content: bytes) -> dict[str, tuple[bytes, pydicom.Dataset]]:
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return {
            name: (data := file.read(name), pydicom.dcmread(io.BytesIO(data))) for name in file.namelist()
        }


@pytest.mark.dicom
def test_an_answer_is_a_photo_a_report_and_a_heatmap_for_each_disease(client_for, clinician, done, tmp_path):
    assessments.record_impression(clinician, done, None)
    answer = client_for(clinician).get(url("analysis-dicom", done.pk))
    found = objects_of(answer.content)
    assert set(found) == {
        f"photo-{done.photo_id}.dcm", f"report-{done.pk}.dcm", *(f"heatmap-{key}.dcm" for key in DISEASE_KEYS),
    }  # fmt: skip
    photo, report = (found[f"{what}.dcm"][1] for what in (f"photo-{done.photo_id}", f"report-{done.pk}"))
    heatmap = found["heatmap-mm.dcm"][1]
    for name in (f"photo-{done.photo_id}.dcm", f"report-{done.pk}.dcm", "heatmap-mm.dcm"):
        assert complaints(found[name][0], tmp_path) == []
    assert {one.StudyInstanceUID for _data, one in found.values()} == {photo.StudyInstanceUID}
    assert {one.PatientID for _data, one in found.values()} == {"P-0017"}
    assert len({one.SOPInstanceUID for _data, one in found.values()}) == 14
    assert photo.ImageLaterality == "L"
    assert heatmap.SourceImageSequence[0].ReferencedSOPInstanceUID == photo.SOPInstanceUID
    assert heatmap.pixel_array.shape[2] == 3 and heatmap.BurnedInAnnotation == "YES"
    read = ComprehensiveSR.from_dataset(report)
    groups = read.content.get_planar_roi_measurement_groups()
    scores = {group.finding_type.value: group.get_measurements()[0].value for group in groups}
    assert len(groups) == 12 and abs(float(scores["bcc"]) - done.scores["bcc"]) < 1e-5
    said = " ".join(
        one.value for one in report.iterall() if one.keyword == "TextValue" and isinstance(one.value, str)
    )
    assert NO_DIAGNOSIS in said and done.model_version.weights_sha256 in said
    for words in ("Trained on", "Validated on", "Computed with", "full precision"):
        assert words in said
    assert (report.VerificationFlag, report.PreliminaryFlag) == ("UNVERIFIED", "PRELIMINARY")


def test_a_program_fetches_both_and_is_told_when_it_has_them(clinician, outsider, done):
    assessments.record_impression(clinician, done, None)
    client, theirs = program(clinician, scope="read"), program(outsider)
    for address, kind in (
        (f"/api/v1/photos/{done.photo_id}/dicom/", "application/dicom"),
        (f"/api/v1/analyses/{done.pk}/dicom/", "application/zip"),
    ):
        answer = client.get(address)
        assert (answer.status_code, answer["Content-Type"]) == (200, kind)
        assert client.get(address, headers={"If-None-Match": answer["ETag"]}).status_code == 304
        assert theirs.get(address).status_code == 404
        assert AuditEvent.objects.filter(action="photo.dicom").count()
    photo = pydicom.dcmread(io.BytesIO(client.get(f"/api/v1/photos/{done.photo_id}/dicom/").content))
    done.photo.lesion.site = "back"
    done.photo.lesion.save()
    changed = pydicom.dcmread(io.BytesIO(client.get(f"/api/v1/photos/{done.photo_id}/dicom/").content))
    assert changed.SOPInstanceUID != photo.SOPInstanceUID


def test_nothing_of_the_answer_comes_before_the_own_impression(client_for, clinician, clinic, done):
    clinic.impression_first = True
    clinic.save()
    assert client_for(clinician).get(url("analysis-dicom", done.pk)).status_code == 409
    assert program(clinician).get(f"/api/v1/analyses/{done.pk}/dicom/").status_code == 409
    photo = client_for(clinician).get(url("photo-dicom", done.photo_id))
    read = pydicom.dcmread(io.BytesIO(photo.content))
    assert photo.status_code == 200 and Image.fromarray(read.pixel_array).size == (read.Columns, read.Rows)
    row = AuditEvent.objects.filter(action="photo.dicom").latest("id")
    assert (row.subject_key, row.user_key) == (done.photo_id, clinician.pk)


def test_a_photo_whose_file_is_gone_is_said_so(client_for, clinician, photo):
    from skinclinic.files import store

    store.path_of(photo.file_key).unlink()
    assert client_for(clinician).get(url("photo-dicom", photo.pk)).status_code == 404
    answer = program(clinician).get(f"/api/v1/photos/{photo.pk}/dicom/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "photo_unreadable")
