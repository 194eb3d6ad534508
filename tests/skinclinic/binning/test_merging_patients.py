"""Two patients become one, and two again."""

import json

import pytest
from django.db.models import CASCADE
from django.utils import timezone

from classifier.models import MonitorCase
from skinclinic.models import BinItem, BinnedRow, Lesion, Patient, RecordChange
from skinclinic.services import patients, plans, records, visit_records, worklist_search
from skinclinic.services.binning import bin, emptying, items, merges, restoring, rows
from skinclinic.services.refused import Refused
from tests import factories
from tests.cases import each
from tests.skinclinic.pages import audited

pytestmark = pytest.mark.django_db
CHOSEN = {"birth_year": "other", "sex": "keep", "skin_type": "keep", "research_consent": "keep"}


@pytest.fixture
def keep(clinic):
    return factories.make_patient(
        clinic, "P-0001", birth_year=1950, sex="female", skin_type=2, research_consent="refused"
    )


@pytest.fixture
def other(clinic, clinician):
    patient = factories.make_patient(
        clinic, "P-0002", birth_year=1951, sex="female", research_consent="given"
    )
    lesion = Lesion.objects.create(clinic=clinic, patient=patient, site="nose", created_by=clinician)
    factories.make_photo(clinic, clinician, seed=1, lesion=lesion)
    plans.see_again(lesion, clinician, timezone.localdate() + timezone.timedelta(days=30))
    records.change(patient, {"ethnicity": "Korean"}, clinician)
    return Patient.objects.get(pk=patient.pk)


def merge(keep, other, user, **chosen) -> BinItem:
    wanted = CHOSEN | {"ethnicity": "other"} | chosen
    return merges.merge(keep, other, wanted, user, looked=merges.seen(keep, other))


def fresh(row):
    return type(row).objects.get(pk=row.pk)


@each(
    "mine, theirs, holds",
    [
        ({"birth_year": 1950}, {"birth_year": 1951}, {"birth_year": ""}),
        ({"birth_year": 1950}, {}, {"birth_year": "keep"}),
        ({}, {"sex": "male", "skin_type": 3}, {"sex": "other", "skin_type": "other"}),
        ({"research_consent": "given"}, {"research_consent": "refused"}, {"research_consent": "other"}),
        ({"research_consent": "given"}, {}, {"research_consent": "other"}),
        ({"research_consent": "refused"}, {}, {"research_consent": "keep"}),
        ({"sex": "male"}, {"sex": "male"}, {}),
    ],
)
def test_the_stricter_consent_holds_and_what_both_say_is_asked(mine, theirs, holds):
    keep, other = Patient(code="A", **mine), Patient(code="B", **theirs)
    differ = merges.differing(keep, other)
    assert {unit[0]: merges.suggested(unit, keep, other) for unit in differ} == holds


def test_whatever_is_a_patients_own_goes_over():
    """A new kind of row of a patient must be named there, or a merge would take it into the bin."""
    own = {relation.related_model for relation in rows._relations(Patient) if relation.on_delete is CASCADE}
    # What was counted of a patient outlives that.
    assert own | {MonitorCase} == {Lesion, *merges.GIVEN.values()}


def test_everything_goes_over_and_the_old_code_leads_there(clinic, clinician, keep, other):
    lesion, note = other.lesions.get(), visit_records.add_note(clinician, "Kin had melanoma", patient=other)
    item = merge(keep, other, clinician)
    keep = fresh(keep)
    assert (keep.birth_year, keep.sex, keep.skin_type, keep.ethnicity) == (1951, "female", 2, "Korean")
    assert keep.research_consent == "refused" and not Patient.objects.filter(pk=other.pk).exists()
    assert list(keep.lesions.all()) == [lesion] and lesion.follow_ups.count() == 1
    assert list(keep.notes.all()) == [note]
    assert audited("patient.merge")
    assert fresh(lesion).changes.first().fields == {"patient": [other.pk, keep.pk]}
    assert keep.changes.first().fields == {"merged_with": ["", "P-0002"]}
    assert item.counts == {"lesions": 1, "photos": 1} and item.told == {"code": "P-0002", "into": "P-0001"}
    assert patients.with_code(clinic, "p-0002") == keep
    assert [row.code for row in patients.codes_like(clinic, "0002")] == ["P-0001"]
    assert list(patients.matching(clinic, "0002")) == [keep]
    found = worklist_search.condition(clinic, clinician, "P-0002", answers_open=True)
    assert list(Lesion.objects.filter(found)) == [lesion]


def test_the_code_is_free_again_when_the_bin_is_emptied_and_still_found(
    client_for, clinic, clinician, admin_user, keep, other
):
    item = merge(keep, other, clinician)
    client = client_for(clinician)
    taken = client.post("/patients/new/", {"code": "P-0002"})
    assert taken.status_code == 422 and "was merged into P-0001" in taken.content.decode()
    said = client.post("/api/patients/", {"code": "P-0002"}).json()["error"]
    assert "merged into" in said["fields"]["code"][0]
    emptying.empty(item, admin_user)
    assert patients.with_code(clinic, "P-0002") == keep
    assert client.post("/patients/new/", {"code": "P-0002"}).status_code == 302
    assert patients.with_code(clinic, "P-0002") != keep


def test_with_the_patient_that_stayed_everything_of_both_is_deleted_for_good(
    clinic, clinician, admin_user, keep, other
):
    bin.put(Lesion.objects.create(clinic=clinic, patient=other), clinician, reason="mistake")
    merge(keep, other, clinician)
    emptying.empty(bin.put(fresh(keep), clinician, reason="withdrawn"), admin_user)
    assert set(BinItem.objects.values_list("ended_how", flat=True)) == {"emptied"}
    assert not BinnedRow.objects.exists()


class TestUndo:
    def test_the_two_are_as_they_were(self, clinician, keep, other):
        before = [records.values_of(row) for row in (keep, other)]
        history = list(other.changes.values_list("pk", flat=True))
        merges.undo(merge(keep, other, clinician), clinician)
        assert [records.values_of(fresh(row)) for row in (keep, other)] == before
        assert other.lesions.count() == 1 and keep.lesions.count() == 0 and not keep.former_codes.exists()
        assert list(fresh(other).changes.values_list("pk", flat=True)) == history

    def test_what_was_changed_since_stays_and_is_named(self, clinic, clinician, keep, other):
        third = factories.make_patient(clinic, "P-0003")
        moved = Lesion.objects.create(clinic=clinic, patient=other)
        deleted = Lesion.objects.create(clinic=clinic, patient=other)
        item = merge(keep, other, clinician)
        records.change(fresh(keep), {"birth_year": 1960}, clinician)
        records.change(moved, {"patient": third}, clinician)
        in_bin = bin.put(fresh(deleted), clinician, reason="mistake")
        Lesion.objects.create(clinic=clinic, patient=keep)
        stays = merges.undo(item, clinician).stays
        assert stays == [
            "“birth year” was changed since the merge and stays as it is.",
            "1 lesion was given to another patient since the merge and stays there.",
            "1 lesion opened since the merge stays with P-0001.",
        ]
        assert (fresh(keep).birth_year, fresh(keep).ethnicity, fresh(moved).patient) == (1960, "", third)
        restoring.restore(in_bin, clinician)
        assert fresh(deleted).patient == other

    def test_a_lesion_deleted_before_comes_back_to_the_one_that_stayed(self, clinic, clinician, keep, other):
        early = bin.put(other.lesions.get(), clinician, reason="mistake")
        item = merge(keep, other, clinician)
        restoring.restore(early, clinician)
        assert keep.lesions.count() == 1
        merges.undo(item, clinician)
        assert keep.lesions.count() == 1  # opened there since, as far as the merge knows

    def test_it_waits_for_the_patient_that_stayed(self, clinician, keep, other):
        item = merge(keep, other, clinician)
        gone = bin.put(fresh(keep), clinician, reason="mistake")
        with pytest.raises(Refused, match="Take that back first"):
            merges.undo(item, clinician)
        restoring.restore(gone, clinician)
        merges.undo(item, clinician)
        with pytest.raises(items.Gone):
            merges.undo(item, clinician)


class TestPages:
    def test_both_stand_side_by_side_and_the_choices_hold(self, client_for, clinician, keep, other):
        client, address = client_for(clinician), f"/patients/{keep.pk}/merge/"
        assert "Same person as" in client.get(f"/patients/{keep.pk}/").content.decode()
        assert [one["value"] for one in client.get(address + "codes/?q=P").json()["terms"]] == ["P-0002"]
        unknown = client.get(address + "?code=NONE")
        assert unknown.status_code == 422 and "no patient with this code" in unknown.content.decode()
        assert "same patient already" in client.get(address + "?code=p-0001").content.decode()
        page = client.get(address + "?code=p-0002")
        text = page.content.decode()
        assert all(word in text for word in ("1950", "1951", "Korean", "the stricter holds"))
        sent = {"code": "P-0002", "seen": page.context["seen"]} | {
            f"choose-{k}": v for k, v in CHOSEN.items()
        }
        unsaid = client.post(address, sent)
        assert unsaid.status_code == 422 and "Choose whose value holds" in unsaid.content.decode()
        sent["choose-ethnicity"] = "other"
        records.change(other, {"sex": "male"}, clinician)
        stale = client.post(address, sent)
        assert stale.status_code == 409 and "Nothing was done yet" in stale.content.decode()
        assert client.post(address, sent | {"seen": "no JSON"}).status_code == 409
        done = client.post(address, sent | {"seen": json.dumps(merges.seen(keep, fresh(other)))})
        assert done.status_code == 302
        assert "Undo the merge" in client.get(done.url).content.decode()
        assert "P-0002" in client.get(f"/patients/{keep.pk}/").content.decode()
        client.post(f"{done.url}restore/", headers={"accept": "text/html"})
        assert fresh(other).sex == "male" and RecordChange.objects.filter(patient=keep).exists()

    def test_who_may(self, client_for, coordinator, outsider, clinic, clinician, keep, other):
        address = f"/patients/{keep.pk}/merge/"
        assert client_for(coordinator).post(address, {"code": "P-0002"}).status_code == 403
        assert client_for(outsider).get(address).status_code == 404
        foreign = factories.make_patient(outsider.memberships.get().clinic, "P-0009")
        assert client_for(clinician).get(address + f"?code={foreign.code}").status_code == 422
        Patient.objects.filter(pk=other.pk).update(is_archived=True)
        refused = client_for(clinician).get(address + "?code=P-0002")
        assert refused.status_code == 422 and "imported archive" in refused.content.decode()
