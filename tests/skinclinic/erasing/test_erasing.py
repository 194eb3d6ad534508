"""Erasing a patient: nothing is left in any table or file, the rest goes on, and a backup brings nothing back."""

import io
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from classifier.models import Training, TrainingRun
from classifier.services.models import registry
from classifier.services.training import data as training_data
from classifier.services.training import process, trainings
from reader_study.services.making import protocol
from reader_study.services.results import model_answers
from skinclinic.archive.models import DatasetItem
from skinclinic.archive.services.datasets import datasets, freezing
from skinclinic.archive.services.exporting import export
from skinclinic.engine import jobs
from skinclinic.engine.readiness import obstacle
from skinclinic.files import store
from skinclinic.models import BinItem, CasesChange, Erasure, Job, Lesion, Patient, Photo, RecordChange, User
from skinclinic.services import comments, records, visit_records
from skinclinic.services.binning import bin, emptying
from skinclinic.services.erasing import afterwards, erase, ledger
from skinclinic.services.refused import Refused
from tests import factories
from tests.engine import run_to_the_end
from tests.skinclinic.erasing import marked
from tests.skinclinic.pages import audited


@pytest.fixture(scope="module")
def stock(standing, model_dir):
    with standing.building(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.EMAIL_BACKEND", "django.core.mail.backends.smtp.EmailBackend")
        clinic = factories.make_clinic("Hanok Dermatology")
        registry.register(model_dir)
        clara = factories.make_member(clinic, "clinician", "clara")
        standing.keep(**marked.fill(clinic, clara, factories.make_member(clinic, "admin", "ada")))


@pytest.fixture
def made(stock, given):
    return given


def everything(made, home) -> list[str]:
    return marked.found([marked.WORD, *made["secrets"]], home=home)


def erase_now(subject, user: User):
    erasure, effects = erase.erase(subject, user, reason="asked")
    while jobs.run_waiting(erase.JOB):
        pass
    erasure.refresh_from_db()
    return erasure, {effect.key: effect.count for effect in effects}


def test_nothing_is_left_and_a_restored_backup_is_erased_again(
    made, home, tmp_path, admin_user, client, settings
):
    patient, version, study = made["patient"], made["version"], made["study"]
    photos = list(Photo.objects.filter(lesion__patient=patient).values_list("pk", flat=True))
    before = everything(made, home)
    # The word came through every door.
    doors = {
        place.split(" ")[0].rpartition("_")[2] for place in before if not place.startswith(("/", "the name"))
    }
    assert doors >= {
        "answer", "assessment", "biopsy", "comment", "datasetitem", "diagnosis", "document", "entry", "entrychange",
        "followup", "formercode", "import", "lesion", "note", "noteword", "opiniongiven", "patient", "photo",
        "photoword", "recordchange", "savedsearch", "secondopinion", "session", "study", "studyimage", "symptoms",
        "binnedrow", "binitem",
    }  # fmt: skip
    files = {path.relative_to(home).parts[0] for path in home.rglob("*") if str(path) in " ".join(before)}
    assert files >= {"evaluations", "exports", "imports", "inbox", "models", "studies", "training"}
    shutil.copytree(home, tmp_path / "backup")
    backup = transaction.savepoint()
    seen = erase.foreseen(patient)
    erasure, effects = erase_now(patient, admin_user)
    assert everything(made, home) == []
    assert marked.rows_left(patient, photos) == 0
    assert not any((home / "photos" / key).exists() for key in made["files"])
    # What is told before and after, and what others hold.
    assert {effect.key: effect.count for effect in seen.effects} | effects == effects | {"exports": 1}
    told = {"entries", "drafts", "frozen", "models", "closed_studies", "remarks", "letters", "links"}
    assert told <= effects.keys()
    assert erasure.done_at and erasure.counts["photos"] == 3 and erasure.counts["binned"] == 2
    assert marked.withdrawn(version) == 3 and version.items.count() == 6
    with pytest.raises(Refused, match="3 photos were withdrawn from this version"):
        export.check(version)
    assert protocol.check(type(study).objects.get(pk=study.pk)).passed
    assert study.events.filter(details__erased=True).count() == 1
    inbox = home / "inbox" / made["clinic"].slug / "archive"
    assert (inbox / "table.csv").read_text() == "file,patient\nother.jpg,8\n"
    assert (inbox / "photos" / "other.jpg").exists()
    assert "003,bcc,fine" in (home / "studies" / str(study.pk) / "results" / "answers.csv").read_text()
    # A second run finds nothing to do.
    erase.ask_for_the_rest(erasure)
    assert jobs.run_waiting(erase.JOB) == 1 and len(ledger.read()) == 1
    # A version goes on without them.
    draft = datasets.new_version(version.dataset, admin_user)
    assert draft.items.count() == 3
    export.check(freezing.freeze(draft, admin_user))
    # The database and the files of before are restored; the list of erasures is not.
    transaction.savepoint_rollback(backup)
    for path in home.iterdir():
        if path.name != ledger.NAME:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(tmp_path / "backup", home, dirs_exist_ok=True)
    assert len(everything(made, home)) == len(before) and ledger.behind() == 1
    assert "apply_erasures" in obstacle(made["clinic"]) and client.get("/readyz").status_code == 503
    # The key was changed since.
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another key " * 8, [settings.SECRET_KEY]
    call_command("apply_erasures", stdout=(said := io.StringIO()))
    assert "photos 3" in said.getvalue()
    assert everything(made, home) == [] and client.get("/readyz").status_code == 200
    assert Erasure.objects.get().number == erasure.number
    assert audited("patient.erase_again")


def test_who_has_the_same_key_in_a_restored_database_is_left_alone(made, home, admin_user):
    backup = transaction.savepoint()
    patient = made["patient"]
    erase_now(patient, admin_user)
    transaction.savepoint_rollback(backup)
    # A power cut left half a line of the list, and what comes next is not lost in it.
    with ledger.path().open("a") as file:
        file.write('{"number": "12')
    # What tells of moves and of many cases tells of this patient no more.
    patient.refresh_from_db()
    stays = made["others"][0].photo.lesion
    moved = RecordChange.objects.create(
        clinic=made["clinic"], lesion=stays, fields={"patient": [patient.pk, None]}
    )
    before = {str(patient.lesions.first().pk): None, str(stays.pk): None}
    many = CasesChange.objects.create(
        clinic=made["clinic"], action="assign", receipt={"value": None, "before": before}, done_by=admin_user
    )
    # Another patient, whom the older database gave the key anew.
    erase_now(Patient.objects.get(pk=patient.pk), admin_user)
    moved.refresh_from_db()
    many.refresh_from_db()
    assert moved.fields == {"patient": [None, None]} and list(many.receipt["before"]) == [str(stays.pk)]
    assert len(ledger.read()) == 2
    other = Patient.objects.create(pk=patient.pk, clinic=made["clinic"], code="P-0002")
    call_command("apply_erasures", stdout=io.StringIO())
    assert Patient.objects.filter(pk=other.pk).exists()


def test_a_patient_in_the_bin_is_erased_too(made, home, admin_user):
    item = bin.put(made["patient"], admin_user, reason="withdrawn")
    assert erase.foreseen(item).counts["photos"] == 3
    _erasure, effects = erase_now(item, admin_user)
    assert everything(made, home) == [] and effects["frozen"] == 1
    assert not BinItem.objects.filter(ended_at=None).exists()
    assert not DatasetItem.objects.exclude(text="").exists()


def test_emptying_the_bin_leaves_nothing_in_frozen_versions_either(made, home, admin_user):
    item = bin.put(made["patient"], admin_user, reason="mistake")
    export_folder = export.folder_of(made["version"])
    export_folder.mkdir(parents=True, exist_ok=True)
    emptying.empty(item, admin_user)
    assert marked.withdrawn(made["version"]) == 3 and not DatasetItem.objects.exclude(text="").exists()
    assert not [place for place in everything(made, home) if place.startswith("archive_datasetitem")]
    assert not made["study"].images.exclude(content_sha256="").filter(photo=None).exists()


def test_a_crash_after_the_commit_loses_nothing(made, home, admin_user, monkeypatch):
    erasure, _effects = erase.erase(made["patient"], admin_user, reason="asked")
    with monkeypatch.context() as patch:
        patch.setattr(store, "delete", lambda *keys: None)
        assert run_to_the_end(erase.JOB) == 3
    # Three attempts were not enough; the row still says so, and the broom asks anew.
    erasure.refresh_from_db()
    assert erasure.done_at is None and everything(made, home)
    erase.ask_again()
    assert jobs.run_waiting(erase.JOB) == 0
    Job.objects.filter(kind=erase.JOB).update(finished_at=timezone.now() - timedelta(hours=1))
    erase.ask_again()
    assert jobs.run_waiting(erase.JOB) == 1
    assert everything(made, home) == []


def test_the_page_says_in_whose_texts_the_code_stands(db, clinic, clinician, admin_user, client_for):
    erased, other = factories.make_patient(clinic, "HD-2231"), factories.make_patient(clinic, "HD-9")
    visit_records.add_note(clinician, "as in HD-2231", patient=erased)
    comments.write(
        factories.make_photo(clinic, clinician, lesion=lesion_of(clinic, erased)).lesion, clinician, "hd2231"
    )
    address, client = f"/patients/{erased.pk}/erase/", client_for(admin_user)
    assert client.get(address).context["named"] == [], "in its own texts: they go with it"
    lesion = lesion_of(clinic, other)
    for text in ("looks like hd 2231, left", "sister of HD-2231", "HD-22310 and HD-223 are others"):
        visit_records.add_note(clinician, text, patient=other)
    comments.write(lesion, clinician, "compare HD-2231")
    records_of = [(one.patient, str(one.what)) for one in client.get(address).context["named"]]
    assert records_of == [(other, "a note"), (other, "a comment")]
    page = client.get(address).content.decode()
    assert "The code stands elsewhere" in page and f'href="/patients/{other.pk}/"' in page
    elsewhere = factories.make_clinic("Elsewhere")
    visit_records.add_note(
        factories.make_member(elsewhere, "clinician", "eli"),
        "HD-2231",
        patient=factories.make_patient(elsewhere, "E-1"),
    )
    assert len(client.get(address).context["named"]) == 2, "nor what other clinics write"


def lesion_of(clinic, patient):
    return Lesion.objects.create(clinic=clinic, patient=patient, site="cheek")


def test_the_page_shows_what_goes_asks_why_and_wants_the_code(made, home, admin_user, clinician, client_for):
    patient = made["patient"]
    address = f"/patients/{patient.pk}/erase/"
    other = client_for(clinician)
    assert other.get(address).status_code == 403 and other.get("/clinic/erased/").status_code == 403
    assert address not in other.get(f"/patients/{patient.pk}/").content.decode()
    client = client_for(admin_user)
    assert address in client.get(f"/patients/{patient.pk}/").content.decode()
    page = client.get(address)
    text = page.content.decode()
    for words in ("3 photos", "2 deletions that lie in the bin", "learnt", "Three lesions", "Test set v1"):
        assert words in text, words
    sent = {"reason": "asked", "typed": marked.CODE, "seen": page.context["seen"]}
    for wrong, status in (
        ({"typed": "P-1"}, 422),
        ({"reason": "retention"}, 422),
        ({"seen": "photos=1"}, 409),
    ):
        assert client.post(address, sent | wrong).status_code == status
    assert Patient.objects.filter(pk=patient.pk).exists()
    said = client.post(address, sent, follow=True).content.decode()
    assert "1 frozen dataset loses such photos (3)" in said and "files are being removed" in said
    assert audited("patient.erase")
    assert client.get(address).status_code == 404
    while jobs.run_waiting(erase.JOB):
        pass
    said = client.get("/clinic/erased/").content.decode()
    assert "all files are gone" in said and marked.WORD not in said.casefold()
    assert "3 photos withdrawn" in client.get(f"/archive/datasets/{made['version'].pk}/").content.decode()
    assert "2 photos withdrawn" in client.get(f"/studies/{made['study'].pk}/").content.decode()


def test_the_database_file_itself_keeps_nothing_of_deleted_rows(transactional_db, home):
    if connection.vendor != "sqlite":
        # PostgreSQL's own vacuum does it; here is nothing to do.
        afterwards.forget_deleted_rows()
        return

    def raw() -> bytes:
        path = Path(connection.settings_dict["NAME"])
        return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))

    factories.make_patient(factories.make_clinic("Hanok"), "Qzxerase-raw-1").delete()
    assert b"Qzxerase-raw" in raw()
    afterwards.forget_deleted_rows()
    assert b"Qzxerase-raw" not in raw()


def test_a_consent_taken_back_is_asked_for_wherever_photos_are_used(
    made, home, clinic, admin_user, client_for
):
    """Of six photos of a frozen version and three of a study those of one patient may not be used any more."""
    version, study, patient = made["version"], made["study"], made["patient"]
    theirs = set(Photo.objects.filter(lesion__patient=patient).values_list("pk", flat=True))
    records.change(patient, {"research_consent": "refused"}, admin_user)
    version.items.filter(entry=None).delete()
    with pytest.raises(Refused, match="patients of 2 photos of this version do not consent"):
        export.check(version)
    # A training that was begun before does not go on.
    job = jobs.enqueue(trainings.JOB, "1:1", clinic=clinic)
    run = TrainingRun(training=Training.objects.get(), number=1, seed=1, job=job)
    (run.folder / "run.json").write_text("{}")
    for refused in (process._prepare, lambda run, folder: training_data.samples(version)):
        with pytest.raises((jobs.JobError, training_data.Unfit), match="patients of 2 photos"):
            refused(run, run.folder)
    # The rest of what a model answers for a study, the check of labels.
    study.model_version = made["model"]
    study.recipe = {"per": {str(version.pk): {}}}
    study.images.all().delete()
    assert not theirs & set(model_answers.photos_of(study))
    client = client_for(admin_user)
    said = client.post("/archive/review/model/", {}, follow=True).content.decode()
    assert "photos are left out: their patients do not consent." in said
    said = client.post(
        f"/archive/datasets/{version.pk}/act/", {"act": "continue"}, follow=True
    ).content.decode()
    assert "photos of the version before are left out" in said
