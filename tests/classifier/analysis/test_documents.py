"""Reports on lesions and patients, and letters to the referrer: what they say, who made them, that letters are kept."""

import io
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image
from pypdf import PdfReader

from classifier.plots import case_pdf, letter_pdf
from classifier.services.analysis import assessments
from skinclinic.files import store
from skinclinic.models import Clinic, Diagnosis, Document, Lesion
from skinclinic.services import diagnoses, documents, plans, visit_records
from skinclinic.vocabulary.ranked import Differential, Ranked
from tests import factories


def text_of(content: bytes) -> str:
    assert content.startswith(b"%PDF")
    return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).replace("\n", " ")


@pytest.fixture
def filed(clinic, clinician, analysis):
    """A patient with two lesions: one with everything, one without a photo."""
    patient = factories.make_patient(clinic, "REF-7", birth_year=1950, smoke="yes", referrer="Dr Ha\nSeoul")
    lesion = analysis.photo.lesion
    lesion.patient, lesion.site = patient, "nose"
    lesion.save()
    Lesion.objects.create(clinic=clinic, patient=patient, site="back")
    named = assessments.Named("bcc", differential=Differential("high", (Ranked("scc", confidence="low"),)))
    assessments.record_impression(clinician, analysis, named)
    assessments.decide(clinician, analysis, "keep")
    today = timezone.localdate()
    visit_records.add_note(clinician, "rolled border", lesion=lesion, visit_on=today)
    visit_records.record_symptoms(lesion, today, {"itch": "no", "bleed": "yes"}, clinician)
    plans.see_again(lesion, clinician, today + timedelta(days=90), "margins")
    return patient


def test_a_lesion_over_time_and_a_patient(client_for, clinician, curator, filed):
    lesion = filed.lesions.get(site="nose")
    answer = client_for(clinician).post(f"/lesions/{lesion.pk}/report/")
    text = text_of(answer.content)
    for words in (
        "REF-7", "does not diagnose", "Basal cell carcinoma", "2. Squamous cell carcinoma (low)", "Bleeding: Yes",
        "rolled border", "(tiny)", "See again by", "margins", "not asked: Growth", "Clinical close-up",
    ):  # fmt: skip
        assert words in text, words
    report = text_of(client_for(clinician).post(f"/patients/{filed.pk}/report/").content)
    for words in ("Smokes: Yes", "1. Back", "2. Nose", "No photo", "Own diagnosis", "margins"):
        assert words in report, words
    made = [(one.kind, one.made_by, one.patient) for one in Document.objects.order_by("pk")]
    assert made == [("lesion", clinician, filed), ("patient", clinician, filed)]
    assert "Report on a lesion: Nose" in client_for(clinician).get(f"/patients/{filed.pk}/").content.decode()


def test_what_waits_for_the_own_impression_is_in_no_report(client_for, clinic, curator, filed):
    Clinic.objects.filter(pk=clinic.pk).update(impression_first=True)
    lesion = filed.lesions.get(site="nose")
    for address in (f"/lesions/{lesion.pk}/report/", f"/patients/{filed.pk}/report/"):
        text = text_of(client_for(curator).post(address).content)
        assert "Basal" not in text and "rolled" not in text and "the own impression comes first" in text
    letter = client_for(curator).get(f"/patients/{filed.pk}/letters/new/?model=1").content.decode()
    assert "Basal" not in letter and "My diagnosis: none recorded" in letter


def test_a_letter_waits_for_the_own_impression_of_others(client_for, clinic, clinician, curator, filed):
    letter = documents.make_letter(
        filed, clinician, recipient="Dr Ha", subject="s", body="My diagnosis: Basal cell carcinoma", signed="x",
        language="en", tells_model=True,
    )  # fmt: skip
    assert client_for(curator).get(f"/letters/{letter.pk}.pdf").status_code == 200
    Clinic.objects.filter(pk=clinic.pk).update(impression_first=True)
    refused = client_for(curator).get(f"/letters/{letter.pk}.pdf")
    assert refused.status_code == 403 and "your own impressions" in refused.content.decode()
    assert client_for(clinician).get(f"/letters/{letter.pk}.pdf").status_code == 200


def test_long_notes_go_on_in_further_rows_and_fit_on_pages():
    letterhead = letter_pdf.Letterhead("Clinic")
    notes = ["\n".join(["abcd"] * 799), "longword" * 499, "\n" * 5 + "end of note"]
    picture = Image.new("RGB", (40, 30))
    block = case_pdf.Block("Visit", [("close-up", picture)], [("Note", note) for note in notes])
    beside = case_pdf.Block("Visit", [("close-up", picture), ("gone", None)], [("Note", "short")])
    report = case_pdf.CaseReport(
        letterhead, "T", "S", "D", [("Note", notes[0])], [block, beside], "F", "Page"
    )
    text = text_of(case_pdf.build_pdf(report))
    assert "end of note" in text and text.count("abcd") == 2 * 799


class TestLetters:
    def test_a_letter_is_drafted_edited_kept_and_the_same_ever_after(
        self, client_for, clinic, clinician, filed
    ):
        client, address = client_for(clinician), f"/patients/{filed.pk}/letters/new/"
        page = client.get(address).content.decode()
        for words in (
            "Dr Ha", "My diagnosis: Basal cell carcinoma (ICD-10 C44", "Differential diagnosis: Squamous",
            "Bleeding: Yes", "Pathology: none recorded", "See again by",
        ):  # fmt: skip
            assert words in page, words
        # The model's answer is left out unless it is asked for.
        assert "Answer of a model" not in page and "(tiny)" not in page
        assert "(tiny)" in client.get(f"{address}?model=1").content.decode()
        korean = client.get(f"{address}?language=ko&chosen=1").content.decode()
        assert "1950" in korean and "Dear colleague" not in korean
        sent = {
            "recipient": "Dr Ha\nBusan",
            "subject": "REF-7",
            "body": "Edited <text>",
            "signed": "C",
            "language": "en",
        }
        assert client.post(address, sent | {"body": " "}).status_code == 422
        for _twice in range(2):
            assert client.post(address, sent).status_code == 302
        letter = Document.objects.get()
        filed.refresh_from_db()
        assert filed.referrer == "Dr Ha\nBusan" and letter.made_by == clinician
        before = client.get(f"/letters/{letter.pk}.pdf").content
        Clinic.objects.filter(pk=clinic.pk).update(letter_address="Elsewhere", name="New name")
        assert client.get(f"/letters/{letter.pk}.pdf").content == before
        text = text_of(before)
        assert "Edited <text>" in text and clinic.name in text and "Busan" in text
        assert f"/letters/{letter.pk}.pdf" in client.get(f"/patients/{filed.pk}/").content.decode()

    def test_pathology_and_the_clinics_language(self, client_for, clinic, clinician, filed):
        lesion = filed.lesions.get(site="nose")
        diagnoses.record(
            lesion=lesion, user=clinician, kind=Diagnosis.Kind.PATHOLOGY, disease="bcc", text="nodular, 2 mm",
            confirmed_by="histopathology",
        )  # fmt: skip
        page = client_for(clinician).get(f"/patients/{filed.pk}/letters/new/").content.decode()
        assert "Basal cell carcinoma; nodular, 2 mm" in page and "Histopathology" in page
        Clinic.objects.filter(pk=clinic.pk).update(letter_language="ko")
        text = text_of(client_for(clinician).post(f"/lesions/{lesion.pk}/report/").content)
        assert f"{timezone.localdate().year}년" in text

    def test_the_letterhead_and_its_logo(self, client_for, admin_user, clinician, filed):
        client, address = client_for(admin_user), "/clinic/letterhead/"
        assert client_for(clinician).get(address).status_code == 403
        picture = io.BytesIO()
        Image.new("RGB", (900, 300), "#0b6b74").save(picture, "PNG")
        sent = {"letter_address": "1 Skin Road\nSeoul", "letter_phone": "02-1", "letter_language": "en"}
        bad = client.post(address, sent | {"logo": SimpleUploadedFile("a.png", b"no picture")})
        assert bad.status_code == 422 and not Clinic.objects.exclude(letter_address="").exists()
        client.post(address, sent | {"logo": SimpleUploadedFile("a.png", picture.getvalue())})
        clinic = Clinic.objects.get(pk=filed.clinic_id)
        assert clinic.letter_phone == "02-1" and store.path_of(clinic.letter_logo).is_file()
        assert client.get("/clinic/letterhead/logo").status_code == 200
        letter = {"recipient": "R", "subject": "S", "body": "B", "signed": "X", "language": "en"}
        client_for(clinician).post(f"/patients/{filed.pk}/letters/new/", letter)
        client.post(address, sent | {"without_logo": "on"})
        # The letter keeps the letterhead it had.
        assert store.path_of(clinic.letter_logo).is_file()
        page = client.get(f"/letters/{Document.objects.get().pk}.pdf").content
        assert "1 Skin Road" in text_of(page) and b"/Image" in page
