"""An installation is saved while it runs and given back to an empty one: every row and every file."""

import errno
import io
import json
import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from classifier.services.models import registry
from skinclinic import imaging
from skinclinic.backups.repository import Repository
from skinclinic.backups.sealing import Key
from skinclinic.engine import clock
from skinclinic.files import store, whole
from skinclinic.models import Clinic, Erasure, Patient, Photo, User
from skinclinic.models.audit import AuditEvent
from skinclinic.services import audit_chain, photos
from skinclinic.services.backing_up import making
from skinclinic.services.erasing import afterwards, erase, ledger
from tests import factories
from tests.skinclinic.backups import installation
from tests.skinclinic.erasing import marked
from tests.skinclinic.pages import audited


@pytest.fixture
def dest(tmp_path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def small(transactional_db, clinic, clinician) -> Photo:
    """A clinic with a photo."""
    return factories.make_photo(clinic, clinician)


def run(name: str, *words: object, **options: object) -> tuple[int, str, str]:
    """(exit status, what was said, what was said on standard error) of a command."""
    if name == "backup" and words and not {"list", "verify", "begin"} & options.keys():
        options["begin"] = True
    said, wrong, status = io.StringIO(), io.StringIO(), 0
    try:
        call_command(name, *map(str, words), stdout=said, stderr=wrong, **options)
    except SystemExit as stopped:
        status = stopped.code
    except CommandError as error:
        status = error.returncode
        wrong.write(str(error))
    return status, said.getvalue(), wrong.getvalue()


def new_key(tmp_path) -> Path:
    path = tmp_path / "key"
    assert run("backup", new_key=path)[0] == 0
    return path


def without_last_audit(found: dict, since: int) -> dict:
    """What the backup itself is told by was written after it."""
    later = set(AuditEvent.objects.filter(pk__gt=since).values_list("nonce", flat=True))
    return found | {
        "skinclinic_auditevent": [row for row in found["skinclinic_auditevent"] if not later & set(row)]
    }


def test_everything_comes_back_encrypted_and_the_audit_verifies(
    transactional_db, home, tmp_path, dest, model_dir, settings
):
    clinic = factories.make_clinic("Hanok Dermatology")
    registry.register(model_dir)
    clara, ada = (
        factories.make_member(clinic, "clinician", "clara"),
        factories.make_member(clinic, "admin", "ada"),
    )
    made = marked.fill(clinic, clara, ada)
    (made["evaluation"].folder / "report.json").write_text("{}")
    (home / "secret_key").write_text(settings.SECRET_KEY)
    audit_chain.seal_new_rows()
    key = new_key(tmp_path)
    rows, files = installation.rows(), installation.files()
    assert sum(map(bool, rows.values())) > 40 and len(files) > 20
    last = AuditEvent.objects.latest("pk").pk
    status, said, wrong = run("backup", dest, key_file=key)
    assert (status, wrong) == (0, ""), (said, wrong)
    assert "encrypted" in said
    assert AuditEvent.objects.filter(action="backup.make", clinic_key=clinic.pk).count() == 1
    # Nothing in there is readable without the key.
    assert not [
        path for path in dest.rglob("*") if path.is_file() and b"qzxerase" in path.read_bytes().lower()
    ]
    assert "--key-file" in run("restore", dest)[2]
    installation.make_empty()
    status, said, wrong = run("restore", dest, key_file=key)
    assert (status, wrong) == (0, "")
    assert without_last_audit(installation.rows(), last) == rows
    assert installation.files() == files
    assert AuditEvent.objects.filter(action="backup.restore", clinic_key=clinic.pk).count() == 1
    audit_chain.seal_new_rows()
    call_command("verify_audit", stdout=io.StringIO())
    # Keys go on where they were.
    assert factories.make_patient(clinic, "P-9999").pk > max(row[0] for row in rows["skinclinic_patient"])
    # And a second time it is refused.
    assert "not empty" in run("restore", dest, key_file=key)[2]


def test_nothing_is_torn_while_photos_come_and_go(small, clinic, clinician, dest, monkeypatch):
    """Rows that are saved and files that are saved belong together, whatever is uploaded and deleted meanwhile."""
    started, over, made = threading.Event(), threading.Event(), list[int]()

    def come_and_go() -> None:
        try:
            seed = 100
            while not over.is_set():
                new = [factories.make_photo(clinic, clinician, seed=seed + n) for n in range(3)]
                seed += 3
                photos.delete_photo(new[0])
                made.append(seed)
                started.set()
        finally:
            connection.close()

    crowd = threading.Thread(target=come_and_go)
    crowd.start()
    started.wait(30)
    before, statuses = len(made), []
    # Again and again, until enough has happened meanwhile.
    while len(made) < before + 5 and len(statuses) < 40:
        statuses.append(run("backup", dest)[0])
    over.set()
    crowd.join(30)
    assert set(statuses) == {0} and len(made) >= before + 5
    installation.make_empty()
    status, _said, wrong = run("restore", dest)
    assert (status, wrong) == (0, "")
    named = {key for photo in Photo.objects.all() for key in (photo.file_key, photo.thumbnail_key)}
    assert len(named) >= 4
    assert all(store.read(key) for key in named)


def test_a_photo_that_is_deleted_between_rows_and_files_is_no_loss(
    small, clinic, clinician, dest, monkeypatch
):
    """It came after the files were looked at and went before they were looked at again."""
    real, brief = making._Making._snapshot, []

    def with_one_that_goes(self, migrations):
        if not brief:
            brief.append(factories.make_photo(clinic, clinician, seed=5))
            found = real(self, migrations)
            photos.delete_photo(brief[0])
            return found
        return real(self, migrations)

    monkeypatch.setattr(making._Making, "_snapshot", with_one_that_goes)
    status, said, wrong = run("backup", dest)
    assert (status, wrong) == (0, "") and "reading the rows again" in said
    installation.make_empty()
    assert run("restore", dest)[0] == 0
    assert list(Photo.objects.values_list("pk", flat=True)) == [small.pk]


def test_a_second_run_copies_only_what_is_new_and_old_ones_go(small, clinic, clinician, dest):
    assert run("backup", dest)[0] == 0
    objects = {path.name for path in (dest / "objects").rglob("*") if path.is_file()}
    new = factories.make_photo(clinic, clinician, seed=7)
    assert run("backup", dest)[0] == 0
    added = {path.name for path in (dest / "objects").rglob("*") if path.is_file()} - objects
    sizes = {path.name: path.stat().st_size for path in (dest / "objects").rglob("*") if path.is_file()}
    assert {imaging.sha256(store.read(key)) for key in (new.file_key, new.thumbnail_key)} <= added
    # The first photo's files and the rows of tables that nobody touched are there once.
    tables = sum(map(bool, installation.rows().values()))
    assert sum(sizes[name] < 20_000 for name in added) < tables
    status, said, _wrong = run("backup", dest, list=True)
    newest, first = said.splitlines()
    assert status == 0 and newest > first and "MB new" in newest
    photos.delete_photo(new)
    status, said, wrong = run("backup", dest, keep=1)
    assert (status, wrong) == (0, "") and "2 older backups removed" in said
    left = {path.name for path in (dest / "objects").rglob("*") if path.is_file()}
    assert not {imaging.sha256(store.read(small.file_key))} - left
    assert len(run("backup", dest, list=True)[1].splitlines()) == 1
    assert run("backup", dest, verify=True)[0] == 0
    # An older one is named by the beginning of its time.
    assert "No backup is of 1999" in run("restore", dest, at="1999")[2]


def test_what_was_saved_last_stays_and_is_the_newest_whatever_a_clock_has_shown(small, dest, monkeypatch):
    """One that was a year ahead once: its backup would be the newest for a year, and each that follows go at once."""
    real = timezone.now
    with monkeypatch.context() as ahead:
        for place in (clock, timezone):
            ahead.setattr(place, "now", lambda: real() + timedelta(days=365))
        assert run("backup", dest)[0] == 0
    status, said, _wrong = run("backup", dest, keep=1)
    assert status == 0 and "1 older backups removed" in said and "A clock is or was wrong" in said
    (last,) = Repository(dest, None).runs()
    moment = datetime.fromisoformat(Repository(dest, None).manifest_of(last).about["moment"])
    assert abs(moment - real()) < timedelta(hours=1) and last.at > f"{real() + timedelta(days=364):%Y-%m-%d}"


def test_a_damaged_file_is_named_and_the_rest_can_be_had(small, dest):
    assert run("backup", dest)[0] == 0
    content = store.read(small.file_key)
    (kept,) = (dest / "objects").rglob(imaging.sha256(content))
    # One byte, the length as it was.
    kept.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    path = f"photos/{small.file_key}"
    status, _said, wrong = run("backup", dest, verify=True)
    assert status == 1 and path in wrong and "another hash" in wrong
    thumbnail = store.read(small.thumbnail_key)
    installation.make_empty()
    status, _said, wrong = run("restore", dest)
    assert status == 1 and path in wrong and not User.objects.exists()
    status, _said, wrong = run("restore", dest, despite_damage=True)
    assert status == 3 and wrong.count(path) == 2
    assert store.read(Photo.objects.get().thumbnail_key) == thumbnail
    assert not store.path_of(small.file_key).exists()
    # Cut off, it is known at once.
    installation.make_empty()
    kept.write_bytes(content[:-1])
    assert path in run("restore", dest)[2]


def test_rows_that_are_damaged_are_never_given_back_by_halves(small, dest):
    assert run("backup", dest)[0] == 0
    repository = Repository(dest)
    parts = repository.manifest_of(repository.runs()[0]).tables["skinclinic.photo"]["parts"]
    repository.path_of(parts[0][0]).write_bytes(bytes(parts[0][1]))
    installation.make_empty()
    status, _said, wrong = run("restore", dest, despite_damage=True)
    assert status == 1 and "rows of skinclinic.photo" in wrong
    assert not User.objects.exists() and installation.files() == {}


def test_a_file_that_is_missing_here_is_said_and_given_back(small, dest, home):
    assert run("backup", dest)[0] == 0
    content = store.read(small.file_key)
    store.path_of(small.file_key).unlink()
    status, _said, wrong = run("backup", dest)
    assert status == 3 and small.file_key in wrong and f"photo {small.pk} is missing" in wrong
    # The copy is not lost with the older backups.
    status, _said, wrong = run("backup", dest, keep=1)
    assert status == 3 and "keeps the copy" in wrong
    status, said, wrong = run("restore", dest, missing_files=True)
    assert (status, wrong) == (0, "") and "1 files" in said and audited("backup.files")
    assert store.read(small.file_key) == content
    assert run("backup", dest)[0] == 0


def test_a_disk_without_room_is_refused_before_anything_is_written(small, dest, monkeypatch):
    monkeypatch.setattr(Repository, "room", lambda self: 1000)
    status, _said, wrong = run("backup", dest)
    assert status == 1 and "Too little room" in wrong and "MB are needed" in wrong
    assert not list((dest / "objects").iterdir()) and not list((dest / "runs").iterdir())


def test_what_was_cut_off_looks_like_no_backup_and_is_gone_on_with(small, dest, monkeypatch):
    def full(self, *arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Repository, "finish", full)
        status, _said, wrong = run("backup", dest)
    assert status == 1 and "No space left" in wrong and "does not count" in wrong
    assert "no backup yet" in run("backup", dest, list=True)[1]
    assert "holds no backup" in run("restore", dest)[2]
    assert run("backup", dest)[0] == 0
    # Killed as the folder was begun.
    cut = dest.with_name("cut")
    (cut / "runs").mkdir(parents=True)
    (cut / ".draft-repository.json-12345678").write_text("")
    assert run("backup", cut)[0] == 0
    # A restore that was cut off left files and no rows; the same one goes on.
    installation.make_empty()
    with monkeypatch.context() as patch:
        patch.setattr("skinclinic.services.backing_up.restoring._load", full)
        assert run("restore", dest)[0] == 1
    assert not User.objects.exists()
    begun = whole.new_draft(store.path_of(small.file_key))
    begun.write_bytes(b"half")
    assert run("restore", dest)[0] == 0
    assert store.read(Photo.objects.get().file_key) and not begun.exists()


def test_two_at_once_and_wrong_folders_are_refused(small, dest, home, tmp_path):
    assert "inside" in run("backup", home / "backups")[2]
    # A disk that is not mounted is no new folder.
    assert "Is its disk mounted?" in run("backup", dest, begin=False)[2] and not dest.exists()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").write_text("mine")
    assert "other files" in run("backup", tmp_path / "other")[2]
    assert "no folder of backups" in run("restore", tmp_path / "other")[2]
    assert run("backup", dest)[0] == 0
    key = new_key(tmp_path)
    assert "not encrypted" in run("backup", dest, key_file=key)[2]
    with Repository(dest).alone():
        status, _said, wrong = run("backup", dest)
    assert status == 1 and "Another backup" in wrong
    sealed = tmp_path / "sealed"
    assert run("backup", sealed, key_file=key)[0] == 0
    key.write_text(Key.new_text())
    assert "not that of" in run("backup", sealed, key_file=key)[2]


def test_who_was_erased_since_does_not_come_back(small, clinic, clinician, admin_user, dest, tmp_path):
    patient = factories.make_patient(clinic, "P-77")
    lesion = patient.lesions.create(clinic=clinic, created_by=clinician, site="nose")
    photo = factories.make_photo(clinic, clinician, seed=9, lesion=lesion)
    assert run("backup", dest)[0] == 0
    at = Repository(dest).runs()[0].at
    erasure, _effects = erase.erase(patient, admin_user, reason="asked")
    afterwards.finish(erasure)
    # The newest backup's list counts, whichever is given back.
    assert run("backup", dest)[0] == 0
    installation.make_empty()
    status, said, wrong = run("restore", dest, at=at)
    assert (status, wrong) == (0, "") and "1 patients erased again" in said
    assert not Patient.objects.filter(code="P-77").exists() and Erasure.objects.count() == 1
    assert not store.path_of(photo.file_key).exists() and store.path_of(small.file_key).exists()
    assert ledger.behind() == 0


def test_a_list_of_erasures_that_was_kept_elsewhere_counts_as_well(small, clinic, admin_user, dest, tmp_path):
    patient = factories.make_patient(clinic, "P-78")
    assert run("backup", dest)[0] == 0
    erasure, _effects = erase.erase(patient, admin_user, reason="asked")
    ledger.note(erasure)
    kept = tmp_path / "kept.jsonl"
    kept.write_text(ledger.path().read_text())
    installation.make_empty()
    assert "is not there" in run("restore", dest, erasures=tmp_path / "none")[2]
    assert run("restore", dest, erasures=kept)[0] == 0
    assert not Patient.objects.filter(code="P-78").exists()


def test_a_backup_of_a_newer_version_or_another_secret_key_is_refused(small, dest, settings, monkeypatch):
    assert run("backup", dest)[0] == 0
    installation.make_empty()
    read = Repository.manifest_of

    def newer(self, run):
        manifest = read(self, run)
        manifest.about["migrations"].append(["skinclinic", "9999_of_tomorrow"])
        return manifest

    with monkeypatch.context() as patch:
        patch.setattr(Repository, "manifest_of", newer)
        assert "newer version" in run("restore", dest)[2]
    key = settings.SECRET_KEY
    settings.SECRET_KEY = "another" * 9
    assert "SECRET_KEY" in run("restore", dest)[2] and not User.objects.exists()
    settings.SECRET_KEY_FALLBACKS = [key]
    assert run("restore", dest)[0] == 0
    assert Clinic.objects.exists()


def test_the_list_of_a_backup_stands_for_that_backup_alone(small, dest):
    """Somebody puts the list of one into the place of another."""
    assert run("backup", dest)[0] == 0 == run("backup", dest)[0]
    newest, first = Repository(dest).runs()
    path = dest / "runs" / f"{newest.at}.json"
    content = json.loads(path.read_text())
    content["manifest"] = {"sha256": first.manifest.sha256, "size": first.manifest.size}
    path.write_text(json.dumps(content))
    status, _said, wrong = run("backup", dest, verify=True)
    assert status == 1 and "of another backup" in wrong
