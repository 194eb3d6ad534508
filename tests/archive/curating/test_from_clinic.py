"""Only proven photos of consenting patients go from the clinic to the archive."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

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


def test_what_was_photographed_after_the_biopsy_is_marked_and_chosen_by_hand_alone(
    proven, clinic, clinician, curator, client_for
):
    """A wound under the name of a tumour would be learnt as one."""
    page = client_for(curator).get(reverse("dataset-candidates")).content.decode()
    assert f'value="{proven.pk}" checked' in page and "after the biopsy" not in page
    proven.lesion.biopsies.create(clinic=clinic, taken_on=timezone.localdate() - timedelta(days=3))
    later = client_for(curator).get(reverse("dataset-candidates")).content.decode()
    assert f'value="{proven.pk}" checked' not in later and f'value="{proven.pk}"' in later
    assert "1 photo on this page was taken after the biopsy" in later
    # One that was a mistake counts for nothing.
    proven.lesion.biopsies.update(ended_at=timezone.now(), ended_how="undone")
    assert not from_clinic.after_treatment([proven])
    proven.lesion.diagnoses.update(diagnosed_on=timezone.localdate() - timedelta(days=1))
    assert from_clinic.after_treatment([proven]) == {proven.pk: timezone.localdate() - timedelta(days=1)}
    # Of the day itself it is what was found.
    proven.lesion.diagnoses.update(diagnosed_on=timezone.localdate())
    assert not from_clinic.after_treatment([proven])
