"""Photos in a bucket of a real store (Ceph's), and photos that are sealed: as they are on a disk, and what is other."""

import http.client
import io
import json
import subprocess
import threading
import uuid
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from django.conf import settings as settings_of_the_run
from django.core.management import CommandError, call_command
from django.db import OperationalError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from skinclinic import imaging
from skinclinic.backups.sealing import Key
from skinclinic.engine import health, housekeeping, jobs
from skinclinic.files import in_bucket, notes, store
from skinclinic.files.bucket_address import BucketAddress
from skinclinic.models import BinItem, FileNote, Photo
from skinclinic.services import covering, lost_files, photos
from skinclinic.services.doctor import deep, photo_storage
from skinclinic.services.doctor.findings import FAILURE, OK, WARNING
from skinclinic.services.erasing import erase
from tests import bucket, factories, servers
from tests.folders import stored_files
from tests.skinclinic.backups import installation

pytestmark = [pytest.mark.bucket]
# Once is enough, on the database that several machines can share.
on_postgresql = pytest.mark.postgresql
LONG_AGO = timedelta(hours=2)


@pytest.fixture(scope="module")
def radosgw():
    with bucket.radosgw() as running:
        yield running


@pytest.fixture
def pail(radosgw, settings, home):
    """An empty bucket in which photos lie."""
    settings.PHOTO_STORAGE = radosgw.make_bucket(f"photos-{uuid.uuid4().hex[:8]}")
    settings.PHOTO_STORAGE_KEY_ID, settings.PHOTO_STORAGE_SECRET = bucket.KEY_ID, bucket.SECRET
    return store.bucket()


@pytest.fixture
def away(pail, settings, monkeypatch):
    """From now on nobody listens where the bucket was; called again with True it is back."""
    there = settings.PHOTO_STORAGE
    # A pause before another attempt changes nothing here.
    monkeypatch.setattr(in_bucket, "_ATTEMPTS", 1)
    nowhere = f"s3://photos/home?endpoint=http://127.0.0.1:{servers.free_port()}"

    def turn(is_there: bool = False) -> None:
        settings.PHOTO_STORAGE = there if is_there else nowhere

    turn()
    return turn


def objects(pail) -> set[str]:
    return {key for key, _size, _changed in pail.scan()}


def named() -> set[str]:
    return {key for photo in Photo.objects.all() for key in (photo.file_key, photo.thumbnail_key)}


def age_notes() -> None:
    FileNote.objects.update(at=timezone.now() - LONG_AGO)


def test_addresses_are_read_and_wrong_ones_refused_with_the_reason():
    found = BucketAddress.of("s3://skin-photos/clinic/a?endpoint=https://s3.example.org:9000&sse=AES256")
    assert (found.bucket, found.prefix, found.endpoint) == (
        "skin-photos",
        "clinic/a/",
        "https://s3.example.org:9000",
    )
    assert found.sse == "AES256" and "secret" not in str(found)
    for wrong, word in {
        "https://bucket/": "s3://", "s3://user:word@bucket/": "s3://", "s3://b/": "s3://", "s3://bucket/?end=x": "end",
        "s3://bucket/?endpoint=ftp://x": "endpoint", "s3://bucket/?sse=ROT13": "sse", "s3://bucket/?style=x": "style",
    }.items():  # fmt: skip
        with pytest.raises(ValueError, match=word):
            BucketAddress.of(wrong)


@on_postgresql
def test_a_photo_is_stored_shown_covered_and_deleted(transactional_db, pail, clinic, clinician, settings):
    """With keys of the store's own, as is asked for."""
    settings.PHOTO_STORAGE += f"&sse=aws:kms&sse_key={bucket.SSE_KEY}"
    pail = store.bucket()
    photo = factories.make_photo(clinic, clinician)
    told = pail.client.head_object(Bucket=pail.address.bucket, Key=f"{pail.address.prefix}{photo.file_key}")
    assert told["ServerSideEncryption"] == "aws:kms"
    assert objects(pail) == named() and len(named()) == 2 and stored_files() == []
    assert FileNote.objects.count() == 0
    assert imaging.open_rgb(store.read(photo.file_key)).size == (photo.width, photo.height)
    own, stranger = Client(), Client()
    own.force_login(clinician)
    stranger.force_login(factories.make_member(factories.make_clinic("Other"), "clinician", "eve"))
    address = reverse("photo-image", args=[photo.pk])
    sent = own.get(address)
    assert sent.status_code == 200 and b"".join(sent.streaming_content) == store.read(photo.file_key)
    assert "no-store" in sent["Cache-Control"] and "Location" not in sent
    assert stranger.get(address).status_code == 404
    # By the proxy: an address that the browser is not sent, good for a minute, of this photo alone.
    settings.X_ACCEL_BUCKET_PREFIX = "/bucket/"
    internal = own.get(address)["X-Accel-Redirect"]
    assert internal.startswith(f"/bucket/{pail.address.bucket}/home/{photo.file_key}?")
    assert "X-Amz-Expires=60" in internal and bucket.SECRET not in internal
    before = named()
    (covered,) = covering.cover(photo, [{"x": 10, "y": 10, "width": 60, "height": 60}], clinician)
    assert objects(pail) == named() and not before & named() and store.is_whole_jpeg(covered.file_key)
    photos.delete_photo(Photo.objects.get())
    assert objects(pail) == set() and FileNote.objects.count() == 0


@on_postgresql
def test_while_the_bucket_is_away_nothing_is_stored_and_everybody_is_told(
    away, pail, clinic, clinician, model_version
):
    token = factories.make_token(clinician)
    file = io.BytesIO(factories.jpeg_bytes(1))
    file.name = "a.jpg"
    said = Client().post("/api/photos/", {"file": file}, headers={"Authorization": f"Bearer {token}"})
    assert said.status_code == 503 and said["Retry-After"], said.content
    assert said.json()["error"]["code"] == "storage_away"
    assert Photo.objects.count() == 0 and objects(pail) == set()
    # What was given up may yet be carried out: it is looked for later.
    assert FileNote.objects.count() >= 1
    away(True)
    photo = factories.make_photo(clinic, clinician)
    away()
    page = Client()
    page.force_login(clinician)
    told = page.get(reverse("photo-image", args=[photo.pk]))
    assert told.status_code == 503 and "does not answer" in told.content.decode()
    with pytest.raises(store.StorageAway) as error:
        store.read(photo.file_key)
    assert health.code_of(error.value) == health.STORAGE_AWAY
    # A photo is neither lost nor found while nobody can look.
    with pytest.raises(store.StorageAway):
        lost_files.lost_keys(photo)
    with pytest.raises(store.StorageAway):
        store.is_file(photo.file_key)
    assert not store.is_there()


@on_postgresql
def test_a_worker_that_does_not_reach_the_bucket_leaves_the_job_to_others(
    away, pail, clinic, clinician, model_version
):
    from classifier.services.analysis import intake

    away(True)
    photo, _new = intake.take_in(
        clinic=clinic, user=clinician, data=factories.jpeg_bytes(3), name="a.jpg", kind="close_up"
    )
    away()
    jobs.run_waiting("analyse")
    (analysis,) = photo.analyses.all()
    assert (analysis.job.state, analysis.job.attempts) == ("queued", 0), analysis.job.error
    away(True)
    health.reset()
    type(analysis.job).objects.update(not_before=None)
    jobs.run_waiting("analyse")
    analysis.refresh_from_db()
    assert analysis.scores


@on_postgresql
def test_what_could_not_be_deleted_goes_when_the_bucket_is_back(
    transactional_db, away, pail, clinic, clinician
):
    away(True)
    photo = factories.make_photo(clinic, clinician)
    away()
    photos.delete_photo(photo)
    assert len(objects(pail)) == 2
    away(True)
    housekeeping.sweep()
    assert len(objects(pail)) == 2  # it may be of a step that still goes on
    age_notes()
    away()
    housekeeping.sweep()
    assert FileNote.objects.count() >= 1
    away(True)
    housekeeping.sweep()
    assert objects(pail) == set() and FileNote.objects.count() == 0


@on_postgresql
def test_what_a_crash_leaves_is_swept_and_what_a_row_names_stays(pail, clinic, clinician):
    photo = factories.make_photo(clinic, clinician)
    left = store.new_key("clinic-1")
    store.write(left, b"left")
    FileNote.objects.create(keys=[left, photo.file_key])
    housekeeping.sweep()
    assert left in objects(pail)
    age_notes()
    housekeeping.sweep()
    assert objects(pail) == named() and FileNote.objects.count() == 0


def test_many_photos_are_looked_for_by_lists_and_few_of_many_one_by_one(pail, monkeypatch):
    keys = [store.new_key("clinic-1") for _n in range(130)]
    store.write_together({key: bytes(n) for n, key in enumerate(keys)})
    asked: list[str] = []
    pail.client.meta.events.register("before-call.s3", lambda model, **_more: asked.append(model.name))
    gone = {store.new_key("clinic-1") for _n in range(3)}
    assert store.missing([*keys, *gone]) == gone and asked == ["ListObjectsV2"]
    assert store.sizes([*keys[5:50], *gone]) == {key: n for n, key in enumerate(keys) if 5 <= n < 50}
    assert asked[1:] == ["ListObjectsV2"]
    assert store.missing(keys[:3]) == set() and asked[2:] == ["HeadObject"] * 3
    # A store that tells of few at a time: lists are given up for a while where they hold little that is wanted.
    del asked[:]
    telling = pail.client.list_objects_v2
    monkeypatch.setattr(pail.client, "list_objects_v2", lambda **what: telling(**what, MaxKeys=10))
    assert store.missing([*keys, *gone]) == gone
    assert 3 <= asked.count("ListObjectsV2") <= 5 and 80 <= asked.count("HeadObject") <= 125


@on_postgresql
def test_a_step_whose_note_was_taken_keeps_nothing(pail, clinic, clinician):
    def slow(photo) -> None:
        FileNote.objects.update(taken=True)

    with pytest.raises(Exception, match="too long"):
        factories.make_photo(clinic, clinician, together_with=slow)
    assert Photo.objects.count() == 0 and objects(pail) == set()


@on_postgresql
@pytest.mark.parametrize("where", ["bucket", "disk"])
def test_where_the_database_did_not_say_whether_it_committed_the_files_stay_for_the_broom(
    where, request, clinic, clinician, monkeypatch, settings
):
    """The commit may have been done: the photo's row would be without its files."""
    if where == "bucket":
        request.getfixturevalue("pail")
    monkeypatch.setattr(notes, "_is_cut", lambda: True)
    insert = photos.insert

    def cut(photo, lesion) -> None:
        insert(photo, lesion)
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(photos, "insert", cut)
    with pytest.raises(OperationalError):
        factories.make_photo(clinic, clinician)
    if where == "bucket":
        assert len(objects(store.bucket())) == 2
        ((keys,),) = FileNote.objects.values_list("keys")
    else:
        assert len(stored_files()) == 2
        (note,) = (settings.PHOTOS_DIR / "notes").iterdir()
        keys = json.loads(note.read_text())
    assert all(store.is_file(key) for key in keys)
    # Sent again it is stored, once.
    monkeypatch.setattr(photos, "insert", insert)
    photo = factories.make_photo(clinic, clinician)
    assert Photo.objects.count() == 1 and photo.file_key not in keys


@on_postgresql
def test_a_backup_moves_photos_to_a_bucket_and_of_there_to_an_empty_one(
    transactional_db, pail, radosgw, clinic, clinician, tmp_path, settings
):
    there, settings.PHOTO_STORAGE = settings.PHOTO_STORAGE, ""
    for seed in range(3):
        factories.make_photo(clinic, clinician, seed=seed)
    said = io.StringIO()
    call_command("backup", tmp_path / "b", begin=True, stdout=said)
    # From the disk to the bucket.
    before = {key: store.read(key) for key in stored_files()}
    settings.PHOTO_STORAGE = there
    call_command("restore", tmp_path / "b", missing_files=True, stdout=said)
    assert {key: store.read(key) for key in objects(pail)} == before and len(before) == 6
    call_command("backup", tmp_path / "b", stdout=said)
    # What is there already is not read again.
    call_command("backup", tmp_path / "b", stdout=said)
    assert [finding for finding in deep.findings({}) if finding.level != OK] == []
    # One that is lost is given back, by its key.
    lost = Photo.objects.first().file_key
    store.delete(lost)
    assert any("is missing" in finding.said for finding in deep.findings({}))
    call_command("restore", tmp_path / "b", missing_files=True, stdout=said)
    assert store.read(lost) == before[lost]
    # An object without a row is told of once it is old, by the clock of the store.
    store.write("clinic-1/aa/nobodys.jpg", b"x")
    assert not [finding for finding in deep.findings({}) if finding.level != OK]
    with pytest.MonkeyPatch.context() as patch:
        now = in_bucket.Bucket.now
        patch.setattr(in_bucket.Bucket, "now", lambda self: now(self) + 7200)
        assert ["nobodys" in finding.said for finding in deep.findings({}) if finding.level != OK] == [True]
    installation.make_empty()
    settings.PHOTO_STORAGE = radosgw.make_bucket(f"restored-{uuid.uuid4().hex[:8]}")
    call_command("restore", tmp_path / "b", stdout=said)
    assert {key: store.read(key) for key in objects(store.bucket())} == before
    assert {key for photo in Photo.objects.all() for key in (photo.file_key, photo.thumbnail_key)} == set(
        before
    )


@on_postgresql
def test_a_backup_without_the_bucket_is_refused(transactional_db, away, clinic, tmp_path):
    with pytest.raises(CommandError, match="does not answer"):
        call_command("backup", tmp_path / "b", begin=True)
    (wrong,) = (finding for finding in deep.findings({}) if finding.level == FAILURE)
    assert "does not answer" in wrong.said and wrong.remedy


@on_postgresql
def test_an_erased_patient_is_in_the_bucket_no_more(pail, away, clinic, clinician, admin_user):
    away(True)
    patient = factories.make_patient(clinic)
    photo = factories.make_photo(clinic, clinician)
    photo.lesion.patient = patient
    photo.lesion.save()
    other = factories.make_photo(clinic, clinician, seed=2)
    erasure, _effects = erase.erase(patient, admin_user, reason="asked")
    away()
    jobs.run_waiting(erase.JOB)
    erasure.refresh_from_db()
    assert erasure.done_at is None and len(objects(pail)) == 4
    away(True)
    health.reset()
    from skinclinic.models import Job

    Job.objects.update(not_before=None)
    while jobs.run_waiting(erase.JOB):
        pass
    erasure.refresh_from_db()
    assert erasure.done_at
    assert objects(pail) == {other.file_key, other.thumbnail_key}
    assert not BinItem.objects.exists()


@on_postgresql
def test_the_doctor_looks_at_the_bucket(db, pail, radosgw, settings):
    found = list(photo_storage.photo_storage())
    # Its way is not encrypted here.
    assert [finding.level for finding in found] == [WARNING, OK], found
    assert objects(pail) == set()
    client, name = radosgw.client(), pail.address.bucket
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    client.put_bucket_policy(Bucket=name, Policy=json.dumps({
        "Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject", "s3:ListBucket"],
             "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]}],
    }))  # fmt: skip
    found = list(photo_storage.photo_storage())
    assert sum("without a name or password" in finding.said for finding in found) == 2, found
    assert any("older versions" in finding.said for finding in found)
    assert all(finding.remedy for finding in found if finding.level != OK)


def test_the_doctor_says_what_is_wrong_with_the_bucket(pail, radosgw, settings):
    there = settings.PHOTO_STORAGE
    for changed, word in (
        ({"PHOTO_STORAGE_SECRET": "another"}, "SignatureDoesNotMatch"),
        ({"PHOTO_STORAGE_KEY_ID": "nobody"}, "InvalidAccessKeyId"),
        ({"PHOTO_STORAGE": there.replace("s3://photos-", "s3://none-")}, "NoSuchBucket"),
        # This store takes the wish, says nothing, and would keep the photo as it is.
        ({"PHOTO_STORAGE": f"{there}&sse=AES256"}, "does not say that it encrypts"),
        ({"PHOTO_STORAGE": f"{there}&sse=aws:kms&sse_key=unknown"}, "InvalidAccessKeyId"),
        (
            {"PHOTO_STORAGE": f"s3://photos/?endpoint=http://127.0.0.1:{servers.free_port()}"},
            "does not answer",
        ),
    ):
        before = {name: getattr(settings, name) for name in changed}
        for name, value in changed.items():
            setattr(settings, name, value)
        (wrong,) = (finding for finding in photo_storage.photo_storage() if finding.level == FAILURE)
        assert word in wrong.said and wrong.remedy, wrong
        for name, value in before.items():
            setattr(settings, name, value)
    assert objects(pail) == set()


@on_postgresql
@pytest.mark.parametrize("where", ["bucket", "disk"])
def test_sealed_photos_are_read_by_who_has_the_key_alone(
    where, request, clinic, clinician, settings, tmp_path
):
    if where == "bucket":
        request.getfixturevalue("pail")
    plain = factories.make_photo(clinic, clinician, seed=1)
    settings.PHOTO_KEY = Key.new_text()
    photo = factories.make_photo(clinic, clinician, seed=2)
    with store.read_as_it_lies(photo.file_key) as file:
        lies = file.read()
    assert Key.is_sealed(lies) and b"JFIF" not in lies
    data = store.read(photo.file_key)
    assert imaging.open_rgb(data).size == (photo.width, photo.height)
    assert store.size_of(photo.file_key) == len(data) and store.open_file(photo.file_key).read() == data
    assert store.is_whole_jpeg(photo.file_key) and store.is_whole_jpeg(plain.file_key)
    assert store.size_of(plain.file_key) == len(store.read(plain.file_key))
    assert store.as_path(photo.file_key, tmp_path / "copies").read_bytes() == data
    assert [finding for finding in deep.findings({}) if finding.level != OK] == []
    settings.X_ACCEL_PREFIX = settings.X_ACCEL_BUCKET_PREFIX = "/private/"
    person = Client()
    person.force_login(clinician)
    sent = person.get(reverse("photo-image", args=[photo.pk]))
    assert "X-Accel-Redirect" not in sent and b"".join(sent.streaming_content) == data
    settings.PHOTO_KEY = Key.new_text()
    with pytest.raises(store.Sealed):
        store.read(photo.file_key)
    assert not store.is_whole_jpeg(photo.file_key)
    settings.PHOTO_KEY = ""
    with pytest.raises(store.Sealed):
        store.read(photo.file_key)
    assert any("PHOTO_KEY" in finding.said for finding in deep.findings({}))
    (wrong,) = (finding for finding in photo_storage.photo_storage() if finding.level == FAILURE)
    assert "does not open" in wrong.said and "PHOTO_KEY" in wrong.remedy
    assert store.read(plain.file_key)


def test_sealed_sizes_are_told_to_the_byte():
    key = Key.of_text(Key.new_text())
    for size in (0, 1, 1000, 2**20 - 1, 2**20, 2**20 + 1, 2**21, 2**21 + 5):
        sealed = sum(map(len, key.seal([bytes(size)])))
        assert Key.size_within(sealed) == size and Key.sealed_size(size) == sealed


@on_postgresql
def test_a_confirmed_note_is_held_until_the_rows_are_there(pail, clinic, clinician):
    with notes.noted("clinic-1/aa/a.jpg") as note:
        age_notes()
        with transaction.atomic():
            note.confirm("clinic-1/aa/a.jpg")
        notes.delete_left_behind()
        assert FileNote.objects.filter(taken=False).count() == 1
    assert FileNote.objects.count() == 0


@pytest.fixture
def nginx(pail, tmp_path):
    """nginx with the lines of docs/scaling.md before a web process that answers every address with the one in its
    query, as an internal one; gives its port."""
    text = (Path(settings_of_the_run.BASE_DIR) / "docs/scaling.md").read_text()
    lines = text[text.index("    location /private-bucket/") :].partition("\n\n")[0]
    host = pail.address.endpoint.partition("://")[2]
    lines = lines.replace("https://s3.example.org", f"http://{host}").replace("s3.example.org", host)
    front, web = servers.free_port(), servers.free_port()

    class Web(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "image/jpeg")
            self.send_header("Cache-Control", "no-store, private")
            self.send_header("X-Accel-Redirect", unquote(self.path.partition("?to=")[2]))
            self.end_headers()

        def log_message(self, *words):
            pass

    folders = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    (tmp_path / "nginx.conf").write_text(
        f"user root; daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error.log;\nevents {{}}\nhttp {{ "
        + " ".join(f"{name}_temp_path {tmp_path}/{name};" for name in folders)
        + f" access_log off;\nserver {{ listen 127.0.0.1:{front};\n{lines}\nlocation / {{ "
        f"proxy_pass http://127.0.0.1:{web}; }} }} }}\n"
    )
    serving = ThreadingHTTPServer(("127.0.0.1", web), Web)
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    running = subprocess.Popen(
        [servers.nginx(), "-c", str(tmp_path / "nginx.conf"), "-e", f"{tmp_path}/error.log"]
    )
    servers.wait_for(front)
    yield front
    running.terminate()
    running.wait(60)
    serving.shutdown()


@pytest.mark.nginx
def test_the_proxy_fetches_what_was_signed_and_a_browser_nothing(nginx, pail, clinic, clinician, settings):
    photo = factories.make_photo(clinic, clinician)
    settings.X_ACCEL_BUCKET_PREFIX = "/private-bucket/"
    person = Client()
    person.force_login(clinician)
    internal = person.get(reverse("photo-image", args=[photo.pk]))["X-Accel-Redirect"]

    def fetched(path: str):
        connection = http.client.HTTPConnection("127.0.0.1", nginx, timeout=60)
        connection.request(
            "GET", path, headers={"Cookie": "sessionid=secret", "Authorization": "Token secret"}
        )
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()

    status, headers, body = fetched(f"/photo?to={quote(internal, safe='')}")
    assert (status, body) == (200, store.read(photo.file_key))
    assert headers["Cache-Control"] == "no-store, private" and headers["X-Content-Type-Options"] == "nosniff"
    assert not [name for name in headers if name.lower().startswith(("x-amz", "etag", "set-cookie"))]
    # A browser that learns of the address gets nothing by it, and one that was not signed opens nothing.
    assert fetched(internal)[0] == 404
    assert fetched(f"/photo?to={quote(internal.partition('?')[0], safe='')}")[0] in (403, 404)
