"""The virus scanner: no file from outside is read or kept before it has seen it, whichever way it comes."""

import io
import zipfile

import pytest
from django.core.checks import run_checks
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from classifier.models import ModelVersion, TryRun
from reader_study.models import Study
from skinclinic.archive.models import Import
from skinclinic.archive.services.importing import imports
from skinclinic.archive.services.importing.row_errors import in_words
from skinclinic.files import clamd
from skinclinic.models import AuditEvent, Photo
from tests import factories, fake_clamd
from tests.archive.import_runs import checked, told
from tests.fake_clamd import EICAR
from tests.skinclinic.pages import url

HTML = {"accept": "text/html"}


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    with fake_clamd.running(tmp_path_factory.mktemp("clamd") / "socket", most=2 << 20) as server:
        yield server


@pytest.fixture
def scanner(daemon, settings):
    daemon.seen.clear()
    settings.VIRUS_SCANNER = f"unix://{daemon.server_address}"
    return daemon


@pytest.fixture
def away(settings, tmp_path):
    settings.VIRUS_SCANNER = f"unix://{tmp_path}/nobody"


def infected_photo(name: str = "lesion.jpg") -> SimpleUploadedFile:
    """A photo that would be taken: what is behind its end is cut off."""
    return SimpleUploadedFile(name, factories.jpeg_bytes(3) + EICAR, "image/jpeg")


def infected_table(name: str = "table.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, b"file,label\n1.jpg,bcc\n" + EICAR, "text/csv")


def told_in_audit() -> list[str]:
    return [event.facts["file"] for event in AuditEvent.objects.filter(action="file.infected")]


def test_the_protocol(daemon):
    address = clamd.Address.of(f"unix://{daemon.server_address}")
    assert clamd.is_there(address, seconds=2)
    assert clamd.found_in(address, [b"clean", b"", b"x" * 300_000], seconds=2) == ""
    assert daemon.seen[-1] == b"clean" + b"x" * 300_000
    assert clamd.found_in(address, [EICAR[:20], EICAR[20:]], seconds=2) == fake_clamd.NAME
    with pytest.raises(clamd.NoAnswer, match="size limit exceeded"):
        clamd.found_in(address, (b"x" * 100_000 for _ in range(100)), seconds=2)


def test_addresses():
    assert clamd.Address.of("clamd://scanner:1234") == clamd.Address(host="scanner", port=1234)
    assert clamd.Address.of("clamd://scanner").port == 3310
    for wrong in ("scanner:3310", "clamd://", "unix://relative/path", "http://scanner", "clamd://scanner:x"):
        with pytest.raises(ValueError):
            clamd.Address.of(wrong)
    nobody = clamd.Address.of("unix:///nowhere/at/all")
    assert not clamd.is_there(nobody, seconds=1)
    with pytest.raises(clamd.NoAnswer):
        clamd.found_in(nobody, [b"x"], seconds=1)


@pytest.mark.django_db
def test_whoever_deploys_is_told_of_a_scanner_that_does_not_answer(scanner, settings, tmp_path):
    def said():
        return [one.id for one in run_checks(tags=["security"], include_deployment_checks=True)]

    assert "skinclinic.W001" not in said()
    settings.VIRUS_SCANNER = f"unix://{tmp_path}/nobody"
    assert "skinclinic.W001" in said()


# Every address that takes a file: who sends it, what else the form holds, and the field of the file.
DOORS = {
    "photo": ("clinician", "/photos/", {}, "file"),
    "api photo": ("clinician", "/api/photos/", {}, "file"),
    "try": ("clinician", "/try/", {}, "file"),
    "api try": ("clinician", "/api/try/", {}, "file"),
    "letterhead": ("admin_user", url("letterhead"), {"letter_language": "en"}, "logo"),
    "model": ("admin_user", url("model-register"), {"weights": infected_table("model.safetensors")}, "manifest"),
    "api model": ("admin_user", "/api/models/", {"weights": infected_table("model.safetensors")}, "manifest"),
    "import": ("curator", url("import-new"), {"name": "New", "format": "ham10000", "role": "both",
        "archive": SimpleUploadedFile("photos.zip", b"PK")}, "table"),
    "table of an import": ("curator", "import-table", {}, "table"),
    "replay": ("coordinator", url("study-replay"), {"act": "check", "name": "A", "premalignant_as": "benign",
        "images": infected_table(), "scores": infected_table()}, "answers"),
    "votes": ("coordinator", "study-reference", {"act": "file"}, "file"),
    "answers on paper": ("coordinator", "study-paper-answers", {"act": "check"}, "file"),
}  # fmt: skip
PHOTOS = ("photo", "api photo", "try", "api try", "letterhead")


@pytest.fixture
def through(client_for, request, clinic, model_version):
    """through(door, file): the answer to whoever sends it there."""

    def send(door: str, file):
        who, address, more, field = DOORS[door]
        user = request.getfixturevalue(who)
        if address == "import-table":
            row = imports.begin(clinic=clinic, user=user, name="N", format="csv", role="both", photos="")
            address = url(address, row.pk)
        elif address.startswith("study-") and not address.startswith("/"):
            address = url(address, Study.objects.create(clinic=clinic, name=door, created_by=user).pk)
        for one in (value for value in more.values() if hasattr(value, "seek")):
            one.seek(0)
        return client_for(user).post(address, {**more, field: file}, headers=HTML, follow=True)

    return send


def kept(settings) -> list:
    """What lies in the home: whatever a form brought."""
    return [path for path in settings.SKINCLINIC_HOME.rglob("*") if path.is_file()]


@pytest.mark.django_db
def test_whichever_way_a_file_comes_a_virus_is_refused_by_name_and_written_down(scanner, through, settings):
    before = kept(settings)
    for number, door in enumerate(DOORS):
        name = f"scan-{number}.{'jpg' if door in PHOTOS else 'csv'}"
        answer = through(door, infected_photo(name) if door in PHOTOS else infected_table(name))
        assert answer.status_code in (200, 400, 422), (door, answer.status_code)
        said = answer.content.decode()
        assert fake_clamd.NAME in said, (door, said[-3000:])
        assert AuditEvent.objects.filter(action="file.infected").count() == number + 1, door
        assert kept(settings) == before, door
    named = told_in_audit()
    assert named[-1] == "scan-0.jpg" and len(named) == len(DOORS)
    assert not Photo.objects.exists() and not TryRun.objects.exists()
    assert not Import.objects.filter(name="New").exists() and ModelVersion.objects.count() == 1


@pytest.mark.django_db
def test_without_an_answer_nothing_is_taken_until_it_is_there_again(away, through, settings):
    before = kept(settings)
    for door in DOORS:
        file = SimpleUploadedFile("clean.jpg", factories.jpeg_bytes(1), "image/jpeg")
        answer = through(door, file)
        assert answer.status_code == 503 and answer["Retry-After"] == "30", (door, answer.status_code)
        assert kept(settings) == before, door
    assert not Photo.objects.exists() and not Import.objects.filter(name="New").exists()


@pytest.mark.django_db
def test_who_says_so_keeps_files_while_it_is_away_and_that_is_written_down(away, through, settings):
    settings.VIRUS_SCANNER_MAY_BE_AWAY = True
    assert through("api photo", SimpleUploadedFile("clean.jpg", factories.jpeg_bytes(1))).status_code == 201
    (event,) = AuditEvent.objects.filter(action="file.unscanned")
    assert event.facts == {"file": "clean.jpg"} and event.clinic_key


@pytest.mark.django_db
def test_a_clean_file_is_seen_whole_and_once(scanner, through):
    data = factories.jpeg_bytes(1)
    assert through("photo", SimpleUploadedFile("clean.jpg", data)).status_code == 200
    assert Photo.objects.count() == 1 and scanner.seen == [data]


@pytest.mark.django_db
def test_one_larger_than_the_memory_is_for_and_than_the_scanner_takes(scanner, through):
    """Of nobody's file it is said that it is clean because it is too large to look at."""
    answer = through("api photo", SimpleUploadedFile("big.jpg", factories.jpeg_bytes(1) + bytes(6 << 20)))
    assert answer.status_code == 503 and answer.json()["error"]["code"] == "not_scanned"


@pytest.mark.django_db
def test_without_a_scanner_nothing_is_asked(through, monkeypatch):
    monkeypatch.setattr(clamd, "found_in", None)
    assert through("api photo", infected_photo()).status_code == 201
    assert not AuditEvent.objects.filter(action__startswith="file.").exists()


def _archive(clinic, user, tmp_path, *, as_zip: bool, virus: str) -> Import:
    """An import of two photos and a table, with the virus in one of them."""
    files = {"one.jpg": factories.jpeg_bytes(1), "two.jpg": factories.jpeg_bytes(2)}
    files["table.csv"] = b"image,label\none.jpg,bcc\ntwo.jpg,mm\n"
    if virus:
        files[virus] += EICAR
    photos = tmp_path / ("photos.zip" if as_zip else "photos")
    if as_zip:
        with zipfile.ZipFile(photos, "w") as archive:
            for name, data in files.items():
                archive.writestr(name, data)
    else:
        photos.mkdir()
        for name, data in files.items():
            (photos / name).write_bytes(data)
    return checked(
        imports.begin(
            clinic=clinic, user=user, name=photos.name, format="csv", role="both", photos=str(photos),
            columns={"file": "image", "label": "label"},
        )
    )  # fmt: skip


@pytest.mark.django_db
def test_each_file_of_an_import_is_looked_through_before_it_is_read(scanner, clinic, curator, tmp_path):
    assert _archive(clinic, curator, tmp_path, as_zip=True, virus="").state == "ready"
    row = _archive(clinic, curator, tmp_path, as_zip=False, virus="two.jpg")
    assert row.state == "refused" and told(row) == (
        f" “two.jpg”: The virus scanner found {fake_clamd.NAME} in this file. It was not stored. "
        "Have the device it came from looked at. [3]"
    )
    (tmp_path / "again").mkdir()
    row = _archive(clinic, curator, tmp_path / "again", as_zip=True, virus="table.csv")
    assert in_words(row.report["refused"]) == (
        f"The virus scanner found {fake_clamd.NAME} in “table.csv”. Nothing was imported."
    )
    assert told_in_audit() == ["table.csv", "two.jpg"]
    events = AuditEvent.objects.filter(action="file.infected")
    assert {event.clinic_key for event in events} == {clinic.pk}


@pytest.mark.django_db
def test_an_import_waits_for_the_scanner(away, clinic, curator, tmp_path):
    row = _archive(clinic, curator, tmp_path, as_zip=True, virus="")
    assert row.state == "failed" and row.error.startswith("The virus scanner does not answer")


@pytest.mark.django_db
def test_an_archive_is_no_file_to_the_scanner_but_its_files_are(
    scanner, through, clinic, curator, client_for
):
    """One archive may be larger than any scanner takes."""
    bytes_of = io.BytesIO()
    with zipfile.ZipFile(bytes_of, "w") as archive:
        archive.writestr("one.jpg", factories.jpeg_bytes(1) + EICAR)
    file = SimpleUploadedFile("photos.zip", bytes_of.getvalue(), "application/zip")
    said = {"name": "New", "format": "folder", "role": "both", "archive": file}
    assert client_for(curator).post(url("import-new"), said).status_code == 302
    assert not scanner.seen and Import.objects.filter(name="New").exists()


@pytest.mark.django_db
def test_commands_that_bring_models_in(scanner, tmp_path):
    path = tmp_path / "net.pth"
    path.write_bytes(EICAR)
    with pytest.raises(CommandError, match=f"net.pth: The virus scanner found {fake_clamd.NAME}"):
        call_command("import_weights", weights=path, architecture="resnet18", name="net")
