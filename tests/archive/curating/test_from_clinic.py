"""Only proven photos of consenting patients go from the clinic to the archive."""

import pytest
from django.urls import reverse

from skinclinic.archive.models import EntryChange
from skinclinic.archive.services.curating import from_clinic
from skinclinic.services import diagnoses, records
from skinclinic.services.refused import Refused
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def proven(clinic, clinician):
    photo = factories.make_photo(clinic, clinician, seed=1)
    photo.lesion.patient = factories.make_patient(clinic, research_consent="given", birth_year=1960)
    photo.lesion.save()
    diagnoses.record(lesion=photo.lesion, user=clinician, kind="pathology", disease="bcc", text="nodular")
    photo.refresh_from_db()
    return photo


def test_a_proven_consented_photo_is_added_accepted_and_logged(proven, clinic, curator):
    assert list(from_clinic.candidates(clinic)) == [proven]
    entry = from_clinic.add(proven, clinic, curator)
    entry.refresh_from_db()
    assert (entry.label, entry.is_proven, entry.review, entry.reviewed_by) == (
        "bcc",
        True,
        "accepted",
        curator,
    )
    assert entry.source.is_own and entry.changes.get().action == EntryChange.Action.ADDED
    assert not from_clinic.candidates(clinic).exists()
    with pytest.raises(Refused, match="already"):
        from_clinic.add(proven, clinic, curator)


@pytest.mark.parametrize("consent", ["", "refused"])
def test_without_consent_it_is_refused(proven, clinic, curator, consent):
    patient = proven.lesion.patient
    patient.research_consent = consent
    patient.save()
    assert not from_clinic.candidates(clinic).exists()
    with pytest.raises(Refused, match="consent"):
        from_clinic.add(proven, clinic, curator)


def test_unproven_and_foreign_photos_are_refused(proven, clinic, other_clinic, curator):
    with pytest.raises(Refused, match="another clinic"):
        from_clinic.add(proven, other_clinic, curator)
    diagnoses.withdraw(proven.lesion.diagnoses.get(), curator)
    with pytest.raises(Refused, match="not proven"):
        from_clinic.add(proven, clinic, curator)


def test_an_overview_is_left_out_and_counted(proven, clinic, curator, client_for):
    records.change(proven, {"kind": "overview"}, curator)
    assert not from_clinic.candidates(clinic).exists()
    with pytest.raises(Refused, match="overview"):
        from_clinic.add(proven, clinic, curator)
    page = client_for(curator).get(reverse("dataset-candidates"))
    assert page.status_code == 200 and "1 overview or dermoscopic photo is left out" in page.content.decode()
