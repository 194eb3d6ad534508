"""The bin: what goes into it, what comes out of it, and what is left when it is emptied."""

from datetime import timedelta

import pytest
from django.utils import timezone

from classifier.services.analysis import assessments
from skinclinic.archive.models import Entry
from skinclinic.engine import housekeeping, jobs
from skinclinic.files import notes, store
from skinclinic.imaging import PhotoRejected
from skinclinic.models import AuditEvent, BinItem, BinnedRow, Diagnosis, Lesion, Patient, Photo, PhotoDecision
from skinclinic.services import diagnoses, plans
from skinclinic.services.binning import bin, emptying, items, restoring
from skinclinic.services.refused import Refused
from tests import factories
from tests.cases import each
from tests.folders import stored_files
from tests.skinclinic.pages import audited


@pytest.fixture(scope="module")
def stock(standing, model_dir):
    """A patient with a decided lesion of two photos, one of them in the archive."""
    from classifier.services.models import registry

    with standing.building():
        clinic = factories.make_clinic("Hanok Dermatology")
        registry.register(model_dir)
        clara = factories.make_member(clinic, "clinician", "clara")
        patient = factories.make_patient(clinic, "P-0001", research_consent="given")
        lesion = Lesion.objects.create(clinic=clinic, patient=patient, created_by=clara, site="nose")
        first, second = (
            factories.make_photo(clinic, clara, seed=n, name=f"{n}.jpg", lesion=lesion) for n in (1, 2)
        )
        analysis = factories.make_analysis(first, clara)
        named = assessments.Named(disease="mm")
        row = assessments.record_impression(clara, analysis, named)
        assessments.decide(clara, analysis, "keep", seen=assessments.stand(row))
        plans.see_again(lesion, clara, timezone.localdate() + timedelta(days=90))
        own = factories.make_source(clinic, "Hanok", is_own=True)
        factories.make_entry(second, clara, source=own, review="accepted")
        standing.keep(
            clinic=clinic, clinician=clara, patient=patient, lesion=lesion, first=first, second=second,
            admin_user=factories.make_member(clinic, "admin", "ada"),
            coordinator=factories.make_member(clinic, "coordinator", "cora"),
        )  # fmt: skip


@pytest.fixture
def made(stock, given):
    return given


def fresh(row):
    return type(row)._base_manager.get(pk=row.pk)


class TestContents:
    def test_a_photo_takes_what_was_decided_looking_at_it(self, made, clinician):
        lesion, first = made["lesion"], made["first"]
        pathology = diagnoses.record(lesion=lesion, user=clinician, kind="pathology", disease="bcc")
        assert bin.foreseen(first, clinician).counts == {"photos": 1, "decisions": 1, "impressions": 1}
        item = bin.put(first, clinician, reason="wrong_patient")
        lesion = fresh(lesion)
        assert (lesion.photo_count, lesion.cover, lesion.top_disease) == (1, made["second"], "")
        assert list(lesion.diagnoses.all()) == [pathology]
        assert not PhotoDecision.objects.exists()
        assert item.told == {"code": "P-0001", "site": "nose", "name": "1.jpg"}
        restoring.restore(item, clinician)
        assert fresh(lesion).photo_count == 2 and fresh(lesion).top_disease and PhotoDecision.objects.exists()

    def test_a_photo_that_nobody_filed_takes_its_lesion_and_brings_it_back(self, made, clinic, clinician):
        photo = factories.make_photo(clinic, clinician, seed=7)
        item = bin.put(photo, clinician, reason="mistake")
        assert not Lesion.objects.filter(pk=photo.lesion_id).exists()
        restoring.restore(item, clinician)
        assert fresh(photo).lesion == photo.lesion

    def test_only_what_the_act_deleted_comes_back(self, made, clinician):
        photo = bin.put(made["first"], clinician, reason="identifiable")
        lesion = bin.put(made["lesion"], clinician, reason="mistake")
        patient = bin.put(made["patient"], clinician, reason="mistake")
        assert not Photo.objects.exists() and not Patient.objects.exists()
        for early, where in ((photo, "lesion"), (lesion, "patient")):
            with pytest.raises(Refused, match=f"The {where} of this"):
                restoring.restore(early, clinician)
        restoring.restore(patient, clinician)
        assert not Lesion.objects.exists()
        restoring.restore(lesion, clinician)
        assert list(Photo.objects.all()) == [made["second"]]
        restoring.restore(photo, clinician)
        assert Photo.objects.count() == 2
        with pytest.raises(items.Gone):
            restoring.restore(photo, clinician)

    def test_a_diagnosis_made_at_a_photo_that_was_filed_elsewhere_stays_with_it(self, made, clinician):
        home = Lesion.objects.create(clinic=made["clinic"], patient=made["patient"])
        Photo.objects.filter(pk=made["first"].pk).update(lesion=home)
        bin.put(made["lesion"], clinician, reason="mistake")
        assert PhotoDecision.objects.get().diagnosis.lesion == home

    def test_what_was_added_since_the_person_looked_is_asked_about(self, made, clinician):
        seen = bin.foreseen(made["lesion"], clinician).seen
        diagnoses.record(lesion=made["lesion"], user=clinician, kind="pathology", disease="bcc")
        with pytest.raises(bin.MoreThanSeen):
            bin.put(made["lesion"], clinician, reason="mistake", seen=seen)
        assert fresh(made["lesion"])


class TestMeanwhile:
    def test_the_same_file_and_the_same_code_are_refused_with_the_reason(self, made, client_for, clinician):
        bin.put(made["patient"], clinician, reason="mistake")
        with pytest.raises(PhotoRejected) as refused:
            factories.make_photo(made["clinic"], clinician, seed=1)
        assert refused.value.code == "in_bin"
        page = client_for(clinician).post("/patients/new/", {"code": "p-0001"})
        assert page.status_code == 422 and "A patient p-0001 lies in the bin." in page.content.decode()

    def test_what_came_again_on_another_way_is_in_the_way(self, made, clinician):
        item = bin.put(made["patient"], clinician, reason="mistake")
        other = factories.make_patient(made["clinic"], "p-0001")
        with pytest.raises(Refused, match="Another patient has the code P-0001"):
            restoring.restore(item, clinician)
        other.delete()
        named = factories.make_photo(made["clinic"], clinician, seed=5)
        name = f"photo-{made['second'].pk}"
        source = factories.make_source(made["clinic"], "Hanok")
        entry = factories.make_entry(named, clinician, source=source, external_id=name)
        with pytest.raises(Refused, match="the same name was stored meanwhile"):
            restoring.restore(item, clinician)
        entry.delete()
        restoring.restore(item, clinician)

    @each("what", ["second", "lesion"])
    def test_what_changed_of_the_patient_meanwhile_holds(self, what, made, clinician):
        item = bin.put(made[what], clinician, reason="mistake")
        Patient.objects.update(research_consent="refused", sex="male")
        restoring.restore(item, clinician)
        entry = Entry.objects.get()
        assert (entry.review, entry.reviewed_by, entry.sex) == ("rejected", clinician, "male")

    def test_an_analysis_that_was_under_way_is_asked_for_again(self, made, clinic, clinician):
        from classifier.services.analysis.analyses import request_analysis

        photo = factories.make_photo(clinic, clinician, seed=8)
        analysis = request_analysis(photo, user=clinician)
        item = bin.put(photo, clinician, reason="mistake")
        jobs.run_waiting("analyse")
        restoring.restore(item, clinician)
        jobs.run_waiting("analyse")
        assert fresh(analysis).is_done and fresh(photo).lesion.state == Lesion.State.DONE


def test_who_changes_what_was_deleted_a_moment_ago_is_told(made, client_for, clinician, monkeypatch):
    def deleted(**said):
        raise Lesion.DoesNotExist

    monkeypatch.setattr(diagnoses, "record", deleted)
    client, lesion = client_for(clinician), made["lesion"].pk
    said = {"confirmed_by": "histopathology", "kind": "pathology"}
    page = client.post(f"/lesions/{lesion}/pathology/", said | {"diagnosis": "bcc"})
    answer = client.post("/api/diagnoses/", said | {"lesion": lesion, "disease": "bcc"})
    assert page.status_code == answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


@pytest.mark.django_db(transaction=True)
def test_after_30_days_nothing_is_left_but_who_when_and_why(clinic, clinician):
    patient = factories.make_patient(clinic, "P-0001")
    lesion = Lesion.objects.create(clinic=clinic, patient=patient)
    photos = [factories.make_photo(clinic, clinician, seed=n, lesion=lesion) for n in (1, 2)]
    bin.put(photos[0], clinician, reason="identifiable", words="Kim's face")
    item = bin.put(patient, clinician, reason="withdrawn", words="asked by mail")
    # A deletion that was cut off leaves a note; the bin still needs the files.
    with notes.noted(photos[0].file_key):
        note = next(notes._folder().glob("*.json"))
        content = note.read_text()
    note.write_text(content)
    notes.LEFT_BEHIND_AFTER_SECONDS, before = -1, notes.LEFT_BEHIND_AFTER_SECONDS
    housekeeping.sweep()
    notes.LEFT_BEHIND_AFTER_SECONDS = before
    assert len(stored_files()) == 4
    # The photo's own time is longer, but it can return to nothing.
    BinItem.objects.filter(pk=item.pk).update(until=timezone.now())
    housekeeping.sweep()
    assert stored_files() == [] and not BinnedRow.objects.exists()
    ended = BinItem.objects.get(pk=item.pk)
    assert (ended.kind, ended.reason, ended.by, ended.counts) == (
        "patient", "withdrawn", clinician, {"lesions": 1, "photos": 1},
    )  # fmt: skip
    assert {row.ended_how for row in BinItem.objects.all()} == {"emptied"} and ended.ended_by is None
    kept = str(list(BinItem.objects.values()))
    assert not any(text in kept for text in ("P-0001", "mail", "Kim", "lesion.jpg", photos[0].sha256))
    factories.make_photo(clinic, clinician, seed=1)


class TestPages:
    def send(self, client, address, **fields):
        page = client.get(address)
        assert page.status_code == 200
        return client.post(address, {"seen": page.context["seen"], **fields}, headers={"accept": "text/html"})

    def test_it_is_asked_for_with_what_goes_along_moved_and_restored(self, made, client_for, admin_user):
        client, patient = client_for(admin_user), made["patient"]
        assert client.get("/bin/").content.decode().count("The bin is empty") == 1
        address = f"/patients/{patient.pk}/delete/"
        text = client.get(address).content.decode()
        for line in (
            "1 lesion",
            "2 photos",
            "1 decision",
            "1 follow-up or biopsy",
            "1 photo leaves the archive",
        ):
            assert line in text
        unsaid = self.send(client, address)
        assert unsaid.status_code == 422 and "Say why." in unsaid.content.decode()
        wordless = self.send(client, address, reason="other")
        assert "Say the reason in words." in wordless.content.decode()
        stale = client.post(
            address, {"reason": "mistake", "seen": "photos=1"}, headers={"accept": "text/html"}
        )
        assert stale.status_code == 409 and "Nothing was deleted yet" in stale.content.decode()
        assert fresh(patient)
        moved = self.send(client, address, reason="mistake", words="typing")
        item = BinItem.objects.get()
        assert moved.url == f"/bin/{item.pk}/"
        assert all(word in client.get(moved.url).content.decode() for word in ("P-0001", "typing", "Restore"))
        assert "P-0001" in client.get("/bin/").content.decode()
        back = client.post(f"/bin/{item.pk}/restore/", headers={"accept": "text/html"})
        assert back.url == f"/patients/{patient.pk}/" and fresh(patient)
        again = client.post(f"/bin/{item.pk}/restore/", headers={"accept": "text/html"}, follow=True)
        assert "no more" in again.content.decode()

    def test_who_may(self, made, client_for, clinician, coordinator, admin_user):
        addresses = [
            f"/photos/{made['first'].pk}/delete/", f"/lesions/{made['lesion'].pk}/delete/",
            f"/patients/{made['patient'].pk}/delete/",
        ]  # fmt: skip
        reader, client = client_for(coordinator), client_for(clinician)
        for address in addresses:
            assert reader.get(address).status_code == reader.post(address).status_code == 403
        item = bin.put(made["first"], clinician, reason="mistake")
        for address in ("/bin/", f"/bin/{item.pk}/"):
            assert reader.get(address).status_code == 403
        assert reader.post(f"/bin/{item.pk}/restore/").status_code == 403
        assert client.post(f"/bin/{item.pk}/empty/").status_code == 403
        assert "Delete for good" not in client.get("/bin/").content.decode()
        client_for(admin_user).post(f"/bin/{item.pk}/empty/")
        assert fresh(item).ended_how == "emptied" and fresh(item).ended_by == admin_user
        assert "Deleted for good" in client.get("/bin/?ended=1").content.decode()
        Lesion.objects.update(is_archived=True)
        assert client.get(addresses[1]).status_code == 403

    def test_what_is_in_the_archive_is_deleted_by_curators_with_a_trace(
        self, made, client_for, clinician, admin_user
    ):
        client, api = client_for(clinician), "/api/photos/{pk}/?reason=mistake"
        rows = {"photos": made["second"], "lesions": made["lesion"], "patients": made["patient"]}
        for name, row in rows.items():
            refused = client.get(f"/{name}/{row.pk}/delete/")
            assert refused.status_code == 403 and "Only a curator or an admin" in refused.content.decode()
            for answer in (
                client.post(
                    f"/{name}/{row.pk}/delete/", {"reason": "mistake"}, headers={"accept": "text/html"}
                ),
                client.delete(f"/api/{name}/{row.pk}/?reason=mistake"),
                client.post(f"/{name}/{row.pk}/delete/") if name == "photos" else refused,
            ):
                assert answer.status_code in (403, 409)
        assert not BinItem.objects.exists() and fresh(made["second"])
        assert client.delete(api.format(pk=made["first"].pk)).status_code == 200
        assert client_for(admin_user).delete(api.format(pk=made["second"].pk)).status_code == 200
        told = AuditEvent.objects.filter(action="photo.delete").order_by("id")
        assert [(row.user_key, row.subject_key, row.patient_key, row.reason) for row in told] == [
            (clinician.pk, made["first"].pk, made["patient"].pk, "mistake"),
            (admin_user.pk, made["second"].pk, made["patient"].pk, "mistake"),
        ]

    def test_a_card_of_the_upload_page_removes_what_is_filed_nowhere_or_was_just_taken(
        self, made, client_for, clinic, clinician
    ):
        client = client_for(clinician)
        photo = factories.make_photo(clinic, clinician, seed=9)
        gone = client.post(f"/photos/{photo.pk}/delete/").json()
        assert gone == {"deleted": photo.pk, "restore": f"/bin/{BinItem.objects.get().pk}/restore/"}
        assert client.post(gone["restore"]).json() == {"restored": photo.pk} and fresh(photo)
        assert client.post(gone["restore"]).status_code == 404
        first = made["first"]
        Photo.objects.filter(pk=first.pk).update(created_at=timezone.now() - timedelta(hours=25))
        filed = client.post(f"/photos/{first.pk}/delete/")
        assert (filed.status_code, filed.json()["error"]["code"]) == (409, "needs_reason")
        Photo.objects.filter(pk=first.pk).update(created_at=timezone.now())
        assert client.post(f"/photos/{first.pk}/delete/").status_code == 200


class TestApi:
    @each("what", ["photo", "lesion", "patient"])
    def test_delete_moves_to_the_bin_and_restore_brings_back(self, what, made, client_for, admin_user):
        client, row = client_for(admin_user), made["first" if what == "photo" else what]
        address = f"/api/{what}s/{row.pk}/"
        unsaid = client.delete(address)
        assert (unsaid.status_code, list(unsaid.json()["error"]["fields"])) == (400, ["reason"])
        stale = client.delete(f"{address}?reason=mistake", headers={"if-match": '"other"'})
        assert (stale.status_code, stale.json()["error"]["current"]["id"]) == (412, row.pk)
        tag = client.get(address)["ETag"]
        gone = client.delete(
            address, {"reason": "mistake"}, content_type="application/json", headers={"if-match": tag}
        ).json()
        assert (gone["kind"], gone["key"], gone["counts"]["photos"]) == (what, row.pk, 1 + (what != "photo"))
        assert client.get(address).status_code == 404
        assert [one["id"] for one in client.get("/api/bin/?ended_how=").json()["results"]] == [gone["id"]]
        back = client.post(f"/api/bin/{gone['id']}/restore/")
        assert (back.status_code, back.json()["not_back"]) == (200, [])
        assert audited(f"{what}.delete", "bin.restored")
        assert client.get(address).status_code == 200
        assert client.post(f"/api/bin/{gone['id']}/restore/").status_code == 409

    def test_only_admins_empty_and_only_editors_see(
        self, made, client_for, clinician, coordinator, admin_user
    ):
        item = bin.put(made["lesion"], clinician, reason="mistake")
        address = f"/api/bin/{item.pk}/"
        assert client_for(clinician).delete(address).status_code == 403
        assert client_for(coordinator).get(address).status_code == 403
        assert client_for(coordinator).get("/api/bin/").json()["results"] == []
        assert client_for(admin_user).delete(address).status_code == 204 and audited("bin.emptied")
        assert emptying._files([item]) == [] and not Diagnosis.objects.exists()
        assert store.path_of(made["first"].file_key)
