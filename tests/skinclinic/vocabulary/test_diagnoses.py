"""Recording diagnoses: rows are added and marked, never changed."""

import pytest

from skinclinic.models import Diagnosis, Lesion
from skinclinic.services import diagnoses


@pytest.fixture
def lesion(clinic, clinician):
    return Lesion.objects.create(clinic=clinic, created_by=clinician)


def pathology(lesion, user, **fields):
    return diagnoses.record(lesion=lesion, user=user, kind=Diagnosis.Kind.PATHOLOGY, **fields)


def test_a_pathology_proves_the_lesion(lesion, clinician):
    row = pathology(lesion, clinician, disease="bcc", confirmed_by="histopathology")
    lesion.refresh_from_db()
    assert (lesion.is_proven, lesion.proven_disease, row.icd10) == (True, "bcc", "C44.9")


def test_another_diagnosis_proves_it_too(lesion, clinician):
    pathology(lesion, clinician, icd10="L40.0", text="Psoriasis")
    lesion.refresh_from_db()
    assert (lesion.is_proven, lesion.proven_disease) == (True, "")


def test_a_correction_keeps_the_earlier_row(lesion, clinician, curator):
    first = pathology(lesion, clinician, disease="bcc")
    second = pathology(lesion, curator, disease="scc")
    first.refresh_from_db()
    lesion.refresh_from_db()
    assert first.disease == "bcc" and first.withdrawn_by == curator and first.withdrawn_at
    assert second.withdrawn_at is None and lesion.proven_disease == "scc"


def test_the_same_sent_twice_is_one_row(lesion, clinician, curator):
    first = pathology(lesion, clinician, disease="bcc", text="nodular")
    assert pathology(lesion, clinician, disease="bcc", text="nodular") == first
    assert Diagnosis.objects.count() == 1
    pathology(lesion, curator, disease="bcc", text="nodular")  # somebody else's word counts by itself
    assert Diagnosis.objects.count() == 2


def test_withdrawing_leaves_the_lesion_unproven_and_the_row_in_place(lesion, clinician):
    row = pathology(lesion, clinician, disease="bcc")
    diagnoses.withdraw(row, clinician)
    lesion.refresh_from_db()
    row.refresh_from_db()
    assert not lesion.is_proven and lesion.proven_disease == "" and row.withdrawn_by == clinician


def test_withdrawing_twice_keeps_the_first_mark(lesion, clinician, curator):
    row = pathology(lesion, clinician, disease="bcc")
    diagnoses.withdraw(row, clinician)
    diagnoses.withdraw(row, curator)
    row.refresh_from_db()
    assert row.withdrawn_by == clinician


def test_impressions_stand_beside_one_another(lesion, clinician, curator):
    for user, disease in ((clinician, "mm"), (curator, "nevus"), (clinician, "mm")):
        diagnoses.record(lesion=lesion, user=user, kind=Diagnosis.Kind.IMPRESSION, disease=disease)
    assert Diagnosis.objects.filter(withdrawn_at=None).count() == 3


def test_an_answer_stored_meanwhile_stays(photo, clinician):
    lesion = photo.lesion
    Lesion.objects.filter(pk=lesion.pk).update(state="done", top_disease="mm", malignant_sum=0.9)
    pathology(lesion, clinician, disease="bcc")
    lesion = Lesion.objects.get(pk=lesion.pk)
    assert (lesion.state, lesion.top_disease, lesion.malignant_sum) == ("done", "mm", 0.9)
