"""Where the own impression comes first, the archive keeps back what the model says of the clinic's own photos."""

import pytest

from classifier.models import Analysis, Assessment
from skinclinic.archive.models import Entry
from skinclinic.archive.services.curating import from_clinic
from skinclinic.models import Lesion
from skinclinic.services import diagnoses
from tests import factories, followed
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db


@pytest.fixture
def entries(clinic, curator, clinician):
    """One of the clinic's own patient, one of a source; the model disagrees with both."""
    clinic.impression_first = True
    clinic.save()
    photo = factories.make_photo(clinic, clinician, seed=1)
    photo.lesion.patient = factories.make_patient(clinic, research_consent="given", birth_year=1960)
    photo.lesion.save()
    diagnoses.record(lesion=photo.lesion, user=clinician, kind="pathology", disease="bcc")
    photo.refresh_from_db()
    own = from_clinic.add(photo, clinic, curator)
    of_source = factories.make_entry(factories.make_photo(clinic, curator, seed=2), curator, label="bcc")
    Entry.objects.update(model_label="mm", disagreement=0.5, review="pending")
    return own, of_source


def said(client, entry) -> bool:
    return "disagrees: Malignant melanoma" in client.get(url("archive-entry", entry.pk)).content.decode()


def listed(client, name: str) -> str:
    return client.get(url(name), {"disagree": "1"}).content.decode()


def test_a_clinician_is_told_after_the_own_impression(entries, clinic, clinician, client_for):
    own, of_source = entries
    client = client_for(clinician)
    assert said(client, own), "nobody asked the model: no impression is owed"
    answer = followed.answer(clinic, followed.make_version("tiny"), lesion=own.photo.lesion)
    Analysis.objects.filter(pk=answer.pk).update(photo=own.photo)
    Lesion.objects.filter(pk=own.photo.lesion_id).update(state="done")
    assert not said(client, own) and said(client, of_source)
    page = client.get(url("review")).content.decode()
    assert page.count("model: Malignant melanoma") == 1
    # The filter would tell as much.
    for name in ("archive", "review"):
        page = listed(client, name)
        assert url("archive-entry", of_source.pk) in page and url("archive-entry", own.pk) not in page
        assert "the own impression comes before" in page

    Assessment.objects.create(clinic=clinic, analysis=answer, user=clinician, skipped_impression=True)
    assert said(client, own)


def test_a_curator_who_asked_the_model_filters_by_it(entries, curator, client_for):
    client = client_for(curator)
    assert all(said(client, entry) for entry in entries)
    page = listed(client, "review")
    assert all(url("archive-entry", entry.pk) in page for entry in entries)
    assert "the own impression comes before" not in page


def test_where_no_impression_is_asked_for_nothing_is_kept_back(entries, clinic, clinician, client_for):
    clinic.impression_first = False
    clinic.save()
    client = client_for(clinician)
    assert all(said(client, entry) for entry in entries)
    assert url("archive-entry", entries[0].pk) in listed(client, "review")
