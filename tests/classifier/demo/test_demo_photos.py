"""A demo of real photos: a PAD-UFES-20 folder is read by the archive's own reader."""

import pytest
from django.utils import timezone

from classifier.demo import clinic as demo_clinic
from classifier.demo import photos as demo
from classifier.demo.plans import seed_plans
from classifier.demo.together import seed_together
from skinclinic.models import Call, Diagnosis, Lesion, Patient, Photo, Symptoms
from tests import factories

pytestmark = pytest.mark.django_db

HEAD = "patient_id,lesion_id,age,gender,fitspatrick,region,diagnostic,img_id,biopsed,file_name\n"
ASKED = "itch,grew,smoke,skin_cancer_history"
ROWS = """\
PAT_1,10,63,MALE,2.0,FOREARM,ACK,a.png,False,a.png,True,UNK,False,True
PAT_1,11,63,MALE,2.0,NOSE,BCC,b.png,True,b.png,,,,
PAT_1,11,63,MALE,2.0,NOSE,BCC,c.png,True,c.png,,,,
PAT_2,12,,,,ARM,MEL,d.png,True,d.png,,,,
PAT_3,13,old,,,ARM,NEV,a.png,False,a.png,,,,
PAT_3,14,30,,,ARM,NEV,gone.png,False,gone.png,,,,
PAT_3,15,30,,,ARM,LUMP,a.png,False,a.png,,,,
"""


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "pad"
    (folder / "images").mkdir(parents=True)
    for number, name in enumerate("abcd"):
        (folder / "images" / f"{name}.png").write_bytes(factories.jpeg_bytes(seed=number))
    (folder / "metadata.csv").write_text(f"{HEAD.strip()},{ASKED}\n{ROWS}")
    return folder


def test_patients_lesions_and_diagnoses_are_those_of_the_table(folder, clinic, clinician, model_version):
    said = []
    demo.seed_real(clinic, clinician, demo.table_of(folder), say=said.append)
    first, second = Patient.objects.filter(clinic=clinic).exclude(code="PAT_3").order_by("code")
    assert (first.sex, first.skin_type, second.sex, second.birth_year) == ("male", 2, "", None)
    assert list(Lesion.objects.filter(patient=first).order_by("pk").values_list("site", "note")) == [
        ("forearm", "PAD-UFES-20 lesion 10 (forearm)"), ("nose", "PAD-UFES-20 lesion 11 (nose)"),
    ]  # fmt: skip
    assert Photo.objects.filter(lesion__note__contains="lesion 11").count() == 2
    # What the table does not say, or says of the family as well, was not asked.
    asked = Symptoms.objects.get()
    assert (asked.lesion.site, asked.itch, asked.grew, asked.bleed) == ("forearm", "yes", "unknown", "")
    assert (first.smoke, first.drink, first.skin_cancer_history) == ("no", "", "")
    found = Diagnosis.objects.filter(lesion__clinic=clinic).order_by("pk")
    assert list(found.values_list("disease", "kind", "confirmed_by")) == [
        ("ak", Diagnosis.Kind.IMPRESSION, ""),
        ("bcc", Diagnosis.Kind.PATHOLOGY, "histopathology"),
        ("mm", Diagnosis.Kind.PATHOLOGY, "histopathology"),
    ]
    assert [line.split(":")[0] for line in said] == [
        "left out row 6, a.png", "left out row 7, gone.png", "left out row 8, a.png",
    ]  # fmt: skip
    assert "age 'old'" in said[0] and "'LUMP'" in said[2]


def test_every_view_of_the_worklist_has_something_to_show(clinic, clinician):
    patient = factories.make_patient(clinic)
    for _number in range(6):
        Lesion.objects.create(clinic=clinic, patient=patient)
    seed_plans(clinic, clinician)
    planned = Lesion.objects.filter(clinic=clinic)
    assert planned.filter(biopsy_on__isnull=False).count() == 2
    assert planned.filter(follow_up_on__lte=timezone.localdate()).count() == 2
    assert planned.filter(follow_up_on__gt=timezone.localdate()).count() == 1
    people = {role: factories.make_member(clinic, role, role) for role in ("clinician", "curator")}
    seed_together(clinic, people)
    assert {call.user for call in Call.objects.all()} == set(people.values())
    assert clinic.case_tags.get().tagged.count() == 2


def test_a_folder_that_is_none_is_said(folder, monkeypatch):
    (folder / "metadata.csv").write_text("a,b\n1,2\n")
    monkeypatch.setenv("SKINCLINIC_DEMO_PHOTOS", str(folder))
    with pytest.raises(demo_clinic.NoPhotos, match="columns are missing"):
        demo_clinic.seed(lambda line: None)
    (folder / "metadata.csv").unlink()
    with pytest.raises(demo_clinic.NoPhotos, match="holds no metadata.csv"):
        demo_clinic.seed(lambda line: None)


def test_a_folder_as_published_has_no_column_for_the_file(tmp_path, clinic, clinician, model_version):
    photos = tmp_path / "pad" / "images" / "imgs_part_1"
    photos.mkdir(parents=True)
    (photos / "a.png").write_bytes(factories.jpeg_bytes(seed=1))
    (photos / "b.png").write_bytes(factories.jpeg_bytes(seed=2))
    rows = "PAT_1,10,63,,,FACE,ACK,a.png,False\nPAT_1,11,63,FEMALE,2.0,ARM,BCC,b.png,True\n"
    (tmp_path / "pad" / "metadata.csv").write_text(HEAD.replace(",file_name", "") + rows)
    said = []
    demo.seed_real(clinic, clinician, demo.table_of(tmp_path / "pad"), say=said.append)
    assert said == [] and Photo.objects.count() == 2
    patient = Patient.objects.get(clinic=clinic)
    assert (patient.sex, patient.skin_type) == ("female", 2), "the first row says neither"
    assert list(Lesion.objects.order_by("pk").values_list("site", flat=True)) == ["face", "upper_limb"]
