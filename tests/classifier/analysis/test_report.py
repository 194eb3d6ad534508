"""The printable report and the three panels: readable, permitted, in both languages."""

import io

import pytest
from PIL import Image
from pypdf import PdfReader

from classifier.presenters import analysis_files
from classifier.services.analysis import assessments
from skinclinic.models import Diagnosis
from skinclinic.services import diagnoses
from tests import factories

pytestmark = pytest.mark.django_db


def text_of(response) -> str:
    assert response.status_code == 200
    assert response["Content-Type"] == "application/pdf"
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(response.content)).pages)


@pytest.fixture
def filed(analysis, clinic):
    lesion = analysis.photo.lesion
    lesion.patient = factories.make_patient(clinic, "P-환자-7", birth_year=1950, sex="male", skin_type=3)
    lesion.site = "nose"
    lesion.save()
    return analysis


def test_report_says_what_and_by_which_model(client_for, clinician, filed):
    diagnoses.record(
        lesion=filed.photo.lesion, user=clinician, kind=Diagnosis.Kind.PATHOLOGY, disease="bcc",
        confirmed_by="histopathology",
    )  # fmt: skip
    assessments.decide(
        clinician, filed, "change", named=assessments.Named(disease="nevus"), comment="blue-white veil"
    )
    text = text_of(client_for(clinician).get(f"/analyses/{filed.pk}/report.pdf"))
    for words in (
        "P-환자-7", "1950", "Nose", "Basal cell carcinoma", "Malignant melanoma", "tiny", "nothing: random weights",
        "It does not diagnose", "Synthetic photo", "Histopathology", "Where the model looked", "Page 1",
        "Decision", "Melanocytic nevus", "blue-white veil",
    ):  # fmt: skip
        assert words in text, words


def test_report_in_korean(client_for, clinician, filed):
    client = client_for(clinician)
    client.cookies["django_language"] = "ko"
    assert "기저세포암종" in text_of(client.get(f"/analyses/{filed.pk}/report.pdf"))


def test_panels_are_photo_overlay_and_heatmap(client_for, clinician, analysis):
    response = client_for(clinician).get(f"/analyses/{analysis.pk}/panels.png?disease=mm&colours=jet")
    image = Image.open(io.BytesIO(response.content))
    assert image.width == 1536 and image.height > 512
    assert response["Content-Disposition"] == f'attachment; filename="photo-{analysis.photo_id}-mm.png"'


def test_what_stands_under_a_picture_names_disease_and_model_and_that_it_does_not_diagnose(analysis):
    said = " ".join(analysis_files._caption(analysis, analysis_files.Drawn("mm")))
    for words in ("Malignant melanoma", analysis.model_version.name, "does not diagnose"):
        assert words in said


@pytest.mark.parametrize("what", ["report.pdf", "panels.png"])
def test_people_and_states(client_for, clinician, coordinator, outsider, clinic, analysis, what):
    address = f"/analyses/{analysis.pk}/{what}"
    assert client_for(coordinator).get(address).status_code == 200
    assert client_for(outsider).get(address).status_code == 404
    assert client_for(clinician).get(f"{address}?disease=flu").status_code == 404
    assert client_for(clinician).post(address).status_code == 405
    clinic.impression_first = True
    clinic.save()
    assert client_for(clinician).get(address).status_code == 409
    clinic.impression_first = False
    clinic.save()
    analysis.scores = None
    analysis.save()
    assert client_for(clinician).get(address).status_code == 409
