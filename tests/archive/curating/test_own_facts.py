"""What the archive repeats of the clinic's own patients follows them; without consent their photos are rejected."""

import pytest

from skinclinic.archive.models import Entry, RejectReason, Review
from skinclinic.archive.services.bulk import bulk
from skinclinic.archive.services.curating import from_clinic, review
from skinclinic.archive.services.datasets import datasets, freezing
from skinclinic.services import diagnoses, records
from skinclinic.services.binning import merges
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry(clinic, clinician, curator):
    patient = factories.make_patient(clinic, research_consent="given", sex="female", skin_type=2)
    photo = factories.make_photo(clinic, clinician, seed=1)
    photo.lesion.patient, photo.lesion.site = patient, "nose"
    photo.lesion.save()
    diagnoses.record(lesion=photo.lesion, user=clinician, kind="pathology", disease="bcc", text="nodular")
    photo.refresh_from_db()
    return from_clinic.add(photo, clinic, curator)


def test_an_entry_repeats_its_patient_and_lesion(entry):
    assert (entry.sex, entry.skin_type, entry.site) == ("female", 2, "nose")


def test_it_follows_the_patient(entry):
    entry.patient.sex, entry.patient.skin_type, entry.patient.ethnicity = "male", None, "Korean"
    entry.patient.save()
    entry.refresh_from_db()
    assert (entry.sex, entry.skin_type, entry.ethnicity) == ("male", None, "Korean")
    assert entry.review == Review.ACCEPTED


def test_it_follows_the_site_of_its_lesion(entry):
    entry.photo.lesion.site = "cheek"
    entry.photo.lesion.save(update_fields=["site"])
    entry.refresh_from_db()
    assert entry.site == "cheek"


@pytest.mark.parametrize("consent", ["refused", ""])
def test_without_consent_any_more_it_is_rejected_once_and_in_the_history(entry, consent):
    for _again in range(2):
        entry.patient.research_consent = consent
        entry.patient.save()
    entry.refresh_from_db()
    assert (entry.review, entry.reject_reason) == (Review.REJECTED, RejectReason.NO_CONSENT)
    assert entry.changes.filter(action="rejected").count() == 1


def test_what_was_rejected_for_want_of_consent_is_not_accepted_again(entry, clinic, curator):
    records.change(entry.patient, {"research_consent": "refused"}, curator)
    with pytest.raises(review.ReviewError, match="no_consent"):
        review.decide(clinic=clinic, user=curator, entry_ids=[entry.pk], review="accepted")
    with pytest.raises(review.ReviewError, match="no_consent"):
        review.undo(entry.changes.first(), curator)
    done = bulk.ask(clinic, curator, "accept", chosen=[entry.pk], values={})
    assert (done.changed, done.left) == (0, 1)
    entry.refresh_from_db()
    assert entry.review == Review.REJECTED
    records.change(entry.patient, {"research_consent": "given"}, curator)
    assert review.decide(clinic=clinic, user=curator, entry_ids=[entry.pk], review="accepted").changes


def test_others_do_not_follow(entry, clinic):
    other = factories.make_patient(clinic, code="P-0002", research_consent="given", sex="male")
    other.research_consent = "refused"
    other.save()
    entry.refresh_from_db()
    assert (entry.sex, entry.review) == ("female", Review.ACCEPTED)


def test_a_draft_learns_that_two_patients_are_one_and_a_frozen_version_is_named(
    entry, clinic, clinician, curator
):
    other = factories.make_patient(clinic, "P-0002", research_consent="given", sex="female", skin_type=2)
    photo = factories.make_photo(clinic, clinician, seed=2)
    photo.lesion.patient = other
    photo.lesion.save()
    diagnoses.record(lesion=photo.lesion, user=clinician, kind="pathology", disease="bcc")
    second = from_clinic.add(type(photo).objects.get(pk=photo.pk), clinic, curator)
    frozen, draft = (datasets.create(clinic, curator, name, "both") for name in ("Frozen", "Draft"))
    for version in (frozen, draft):
        datasets.set_members(version, Entry.objects.filter(pk__in=[entry.pk, second.pk]))
    freezing.freeze(frozen, curator)
    keep = entry.patient
    looked = merges.seen(keep, other)
    item = merges.merge(keep, other, {"consent_on": "keep"}, clinician, looked=looked)
    assert "counts the two as two patients and stays as it is: Frozen v1" in item.effects[0]["text"]
    assert len(set(frozen.items.values_list("person", flat=True))) == 2
    assert len(set(draft.items.values_list("person", flat=True))) == 1
    second.refresh_from_db()
    assert (second.patient, second.review) == (keep, Review.ACCEPTED)
    merges.undo(item, clinician)
    assert len(set(draft.items.values_list("person", flat=True))) == 2
