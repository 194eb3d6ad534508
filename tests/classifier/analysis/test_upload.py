"""Photos come in one by one, are refused with a reason, or are found to be there already."""

import errno
import os
import re
import threading
import time

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from classifier.models import Analysis
from classifier.views import upload
from skinclinic import imaging
from skinclinic.engine import jobs
from skinclinic.imaging import limited
from skinclinic.imaging.profiles import adobe_rgb_profile
from skinclinic.models import Attempt, Clinic, Job, Lesion, Photo
from skinclinic.web.errors import too_large
from tests import factories, photo_bytes
from tests.folders import stored_files

UPLOAD = "/photos/"
HTML = {"accept": "text/html,application/xhtml+xml"}


def jpeg(seed=0, name="lesion.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, factories.jpeg_bytes(seed), "image/jpeg")


def send(client, file=None, **fields):
    return client.post(UPLOAD, {"file": file or jpeg(), **fields})


def error(response) -> str:
    return response.json()["error"]["code"]


@pytest.fixture
def sender(clinician, client_for):
    return client_for(clinician)


@pytest.fixture
def engine_online(db):
    """A worker that has just said it is alive."""
    jobs.worker_alive("test")


def test_a_photo_goes_to_the_clinic_it_was_taken_in_and_is_known_when_it_comes_again(
    sender, client_for, clinician, clinic, other_clinic, curator, model_version, engine_online
):
    clinician.memberships.create(clinic=other_clinic, role="clinician")
    first = send(sender, clinic=other_clinic.pk)
    assert Photo.objects.get(pk=first.json()["id"]).clinic == other_clinic
    # The answer got lost: the same photo again, from the same person and for the same lesion, or for another.
    assert send(sender, clinic=other_clinic.pk).json()["sent_before"]
    elsewhere = Lesion.objects.create(clinic=other_clinic)
    assert not send(sender, lesion=elsewhere.pk).json()["sent_before"]
    clinician.memberships.filter(clinic=other_clinic).update(role="coordinator")
    assert send(sender, jpeg(2), clinic=other_clinic.pk).status_code == 403
    for nowhere in ("0", "x", other_clinic.pk):
        assert send(client_for(curator), jpeg(2), clinic=nowhere).status_code == 404
    assert Photo.objects.count() == 1


def nothing_stored() -> bool:
    return not (Photo.objects.exists() or Lesion.objects.exists() or Job.objects.exists() or stored_files())


class TestOneFile:
    @pytest.mark.parametrize("file_format", ["AVIF", "TIFF"])
    def test_other_formats_are_taken_as_well(self, sender, model_version, engine_online, file_format):
        content = photo_bytes.encoded(photo_bytes.lesion(), file_format)
        assert send(sender, SimpleUploadedFile(f"a.{file_format.lower()}", content)).status_code == 201
        assert Photo.objects.get().source_format == file_format

    def test_the_card_says_what_was_changed(self, sender, model_version, engine_online):
        """What happens to nearly every photo of a phone stands on the result page alone."""
        pages = photo_bytes.encoded(
            photo_bytes.lesion(), "TIFF", save_all=True, append_images=[photo_bytes.lesion()]
        )
        card = send(sender, SimpleUploadedFile("a.tif", pages)).json()
        assert "holds several pictures" in card["html"]
        wide = photo_bytes.encoded(photo_bytes.lesion(), "PNG", icc_profile=adobe_rgb_profile())
        card = send(sender, SimpleUploadedFile("a.png", wide)).json()
        assert "converted to sRGB" not in card["html"]
        assert "converted to sRGB" in sender.get(card["url"]).content.decode()

    def test_it_is_stored_and_queued(self, sender, model_version, engine_online):
        response = send(sender)
        card = response.json()
        photo = Photo.objects.get()
        assert response.status_code == 201
        assert (card["id"], card["state"], card["position"]) == (photo.pk, "queued", 1)
        assert card["url"] == f"/photos/{photo.pk}/" and card["thumbnail"] == f"/photos/{photo.pk}/thumbnail"
        assert not card["duplicate"] and card["engine_online"]
        assert Analysis.objects.get().photo == photo
        assert Lesion.objects.get().state == "queued"

    def test_it_is_stored_while_every_worker_is_down(self, sender, model_version):
        response = send(sender)
        assert response.status_code == 201
        assert (response.json()["state"], response.json()["engine_online"]) == ("queued", False)
        assert "Engine offline" in response.json()["html"]

    def test_it_is_stored_while_the_broker_is_down(self, sender, model_version, monkeypatch, settings):
        monkeypatch.undo()
        from skinclinic.engine import tasks

        def unreachable(*args, **kwargs):
            raise ConnectionError("broker")

        monkeypatch.setattr(tasks.run_jobs, "apply_async", unreachable)
        assert send(sender).status_code == 201
        assert Job.objects.get().state == "queued"

    def test_it_is_stored_without_any_model(self, sender):
        response = send(sender)
        assert (response.status_code, response.json()["state"]) == (201, "no_model")
        assert Photo.objects.count() == 1 and not Job.objects.exists()

    def test_the_second_time_it_is_already_there(self, sender, model_version):
        first, second = send(sender), send(sender, jpeg(name="other.jpg"))
        assert (second.status_code, second.json()["duplicate"]) == (200, True)
        assert second.json()["id"] == first.json()["id"]
        assert Photo.objects.count() == Job.objects.count() == 1

    def test_a_photo_left_without_analysis_gets_one_the_second_time(
        self, sender, clinic, clinician, model_version
    ):
        photo = factories.make_photo(clinic, clinician)
        assert send(sender).json()["id"] == photo.pk
        assert Analysis.objects.get().photo == photo

    def test_into_a_lesion_with_a_kind(self, sender, clinic):
        lesion = Lesion.objects.create(clinic=clinic, patient=factories.make_patient(clinic))
        assert send(sender, lesion=lesion.pk, kind="dermoscopic").status_code == 201
        photo = Photo.objects.get()
        assert (photo.lesion, photo.kind) == (lesion, "dermoscopic")

    def test_a_name_never_becomes_a_path(self, sender):
        card = send(sender, jpeg(name="../../x\u202e<b>.jpg")).json()
        assert card["name"] == "x<b>.jpg"
        assert "<b>" not in card["html"]


class TestRefusals:
    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"", "empty"),
            (b"plain text", "unsupported"),
            (factories.jpeg_bytes()[:2000], "damaged"),
            (b"GIF89a" + bytes(50), "unsupported"),
            (factories.jpeg_bytes(width=40, height=40), "too_small"),
        ],
    )
    def test_a_bad_file_is_refused_with_its_reason(self, content, code, sender):
        response = send(sender, SimpleUploadedFile("x.jpg", content))
        assert (response.status_code, error(response)) == (400, code)
        assert len(response.json()["error"]["message"]) > 20
        assert nothing_stored()

    def test_the_reason_is_in_the_readers_language(self, sender, monkeypatch):
        asked = []

        def translate(text):
            asked.append(text)
            return text

        from skinclinic.presenters import answers

        monkeypatch.setattr(answers, "_", translate)
        send(sender, SimpleUploadedFile("x.jpg", b"plain text"))
        assert imaging.MESSAGES["unsupported"] in asked
        assert len(asked) == 2, "the kind of file is a phrase to translate as well"

    def test_26_megabytes_are_too_large_before_reading(self, sender, monkeypatch):
        monkeypatch.setattr(upload, "_receive", lambda request: pytest.fail("read"))
        response = sender.post(
            UPLOAD,
            bytes(26 * 2**20 + 1),
            content_type="multipart/form-data; boundary=x",
            headers={"accept": "*/*"},
        )
        assert response.status_code == 413

    def test_a_body_that_is_too_large_is_read_away(self, rf):
        """Else its sender sees a broken connection while still sending, never the answer."""
        request = rf.post(UPLOAD, bytes(27 * 2**20), content_type="application/octet-stream")
        assert too_large(request, 25 * 2**20).status_code == 413
        assert request.read(1) == b""

    def test_a_little_more_than_25_megabytes_is_too_large(self, sender):
        big = SimpleUploadedFile("x.jpg", factories.jpeg_bytes() + bytes(25 * 2**20))
        response = send(sender, big)
        assert (response.status_code, error(response)) == (413, "too_large")
        assert nothing_stored()

    def test_no_file_two_files_and_an_unknown_kind(self, sender):
        assert error(sender.post(UPLOAD, {})) == "no_file"
        assert error(sender.post(UPLOAD, {"file": [jpeg(1), jpeg(2)]})) == "no_file"
        assert error(send(sender, kind="x-ray")) == "unknown_kind"
        assert nothing_stored()

    @pytest.mark.parametrize(
        "content_type",
        ["multipart/form-data", "multipart/form-data; boundary=\u00e9", "multipart/form-data; boundary="],
    )
    def test_a_broken_form_is_refused(self, content_type, sender):
        response = sender.post(UPLOAD, b"--x\r\nbroken", content_type=content_type)
        assert response.status_code == 400
        assert nothing_stored()

    def test_a_form_cut_off_in_the_file_is_refused(self, sender):
        head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
        whole = factories.jpeg_bytes()
        cut = head + whole[: len(whole) * 9 // 10]
        response = sender.post(UPLOAD, cut, content_type="multipart/form-data; boundary=x")
        assert response.status_code == 400
        assert error(response) in ("damaged", "no_file")
        assert nothing_stored()


class TestServerTrouble:
    def test_a_full_disk_is_said_plainly(self, sender, model_version, monkeypatch):
        def full(*args):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        response = send(sender)
        assert (response.status_code, error(response)) == (507, "storage_full")
        assert "disk is full" in response.json()["error"]["message"]
        monkeypatch.undo()
        assert nothing_stored()

    @pytest.mark.parametrize("language", ["en", "ko"])
    def test_programs_get_the_words_of_the_page(self, clinician, client_for, monkeypatch, language):
        """For a full disk, and for a file that is no photo."""
        client = client_for(clinician)
        spoken = {"HTTP_ACCEPT_LANGUAGE": language}

        def said(content: bytes) -> list[str]:
            answers = [
                client.post(address, {"file": SimpleUploadedFile("a.jpg", content)}, **spoken)
                for address in (UPLOAD, reverse("api-photo-list"))
            ]
            return [answer.json()["error"]["message"] for answer in answers]

        page, program = said(b"no photo")
        assert page == program
        assert bool(re.search("[가-힣]", page)) == (language == "ko")

        def full(*args):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        page, program = said(factories.jpeg_bytes())
        assert page == program
        assert bool(re.search("[가-힣]", page)) == (language == "ko")

    def test_what_is_too_much_for_now_says_when_to_come_back(
        self, sender, clinic, model_version, monkeypatch, settings
    ):
        """On every way in, on the page and in the API; what was sent is counted whether it is looked at or not."""

        def answers(content: bytes):
            for address, more in (
                (UPLOAD, {}),
                (UPLOAD, {"headers": HTML}),
                (reverse("api-photo-list"), {}),
                ("/try/", {"headers": HTML}),
                (reverse("api-try"), {}),
            ):
                yield sender.post(address, {"file": SimpleUploadedFile("a.jpg", content)}, **more)

        def busy(*args, **options):
            raise limited.Busy

        monkeypatch.setattr(limited.Decoders, "ask", busy)
        for response in answers(factories.jpeg_bytes()):
            assert (response.status_code, response["Retry-After"]) == (503, "5")
            assert "Many photos are coming in just now" in response.content.decode()
        assert nothing_stored() and {row.count for row in Attempt.objects.filter(kind="photo")} == {3}
        settings.PHOTOS_AN_HOUR_ADDRESS = 3
        settings.TRIES_AN_HOUR = 2
        for response in answers(b"no photo"):
            assert response.status_code == 429 and 0 < int(response["Retry-After"]) <= 3600
            assert "many photos for one hour" in response.content.decode()

    def test_a_full_disk_while_the_body_is_spooled(self, sender, monkeypatch):
        from django.core.files.uploadhandler import MemoryFileUploadHandler

        def full(*args, **kwargs):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(MemoryFileUploadHandler, "receive_data_chunk", full)
        response = send(sender)
        assert (response.status_code, error(response)) == (507, "storage_full")
        assert nothing_stored()

    def test_an_analysis_that_cannot_be_asked_for_takes_the_photo_back(
        self, clinician, model_version, monkeypatch
    ):
        client = Client(raise_request_exception=False)
        client.force_login(clinician, backend="django.contrib.auth.backends.ModelBackend")

        def gone(*args, **kwargs):
            raise OperationalError("server closed the connection unexpectedly")

        monkeypatch.setattr(jobs, "enqueue", gone)
        response = client.post(UPLOAD, {"file": jpeg()}, headers={"x-requested-with": "fetch"})
        assert response.status_code == 503
        assert response["Retry-After"]
        assert response.json()["error"]["message"]
        assert nothing_stored()

    @pytest.mark.django_db(transaction=True)
    def test_the_same_file_from_20_threads_is_one_photo(self, clinician, model_version, client_for):
        clients, statuses = [client_for(clinician) for _ in range(20)], []
        together = threading.Barrier(20)

        def run(client):
            together.wait()
            try:
                # As the page does, until there is room.
                while (status := send(client).status_code) == 503:
                    time.sleep(0.02)
                statuses.append(status)
            finally:
                connection.close()

        threads = [threading.Thread(target=run, args=[client]) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [200] * 19 + [201]
        assert Photo.objects.count() == Lesion.objects.count() == Analysis.objects.count() == 1
        assert Job.objects.count() == 1 and len(stored_files()) == 2


class TestWhoMay:
    def test_readers_and_strangers(self, clinic, coordinator, outsider, client_for, client):
        lesion = Lesion.objects.create(clinic=clinic)
        assert send(client_for(coordinator)).status_code == 403
        assert send(client_for(coordinator), lesion=lesion.pk).status_code == 403
        assert send(client_for(outsider), lesion=lesion.pk).status_code == 404
        assert send(client_for(outsider), lesion="x").status_code == 404
        assert send(client).status_code == 302
        assert client_for(coordinator).get(UPLOAD).status_code == 405
        assert not Photo.objects.exists()

    def test_somebody_without_a_clinic(self, clinician, sender):
        clinician.memberships.update(is_active=False)
        assert send(sender).status_code == 403

    def test_the_token_is_checked(self, clinician):
        client = Client(enforce_csrf_checks=True)
        client.force_login(clinician, backend="django.contrib.auth.backends.ModelBackend")
        assert send(client).status_code == 403
        assert nothing_stored()
        client.get("/upload/")
        token = client.cookies["csrftoken"].value
        assert client.post(UPLOAD, {"file": jpeg()}, headers={"x-csrftoken": token}).status_code == 201

    def test_the_page(self, clinic, clinician, coordinator, outsider, client_for, client):
        lesion = Lesion.objects.create(clinic=clinic)
        assert client_for(clinician).get("/upload/").status_code == 200
        assert client_for(clinician).get(f"/upload/?lesion={lesion.pk}").status_code == 200
        assert client_for(coordinator).get("/upload/").status_code == 403
        assert client_for(outsider).get(f"/upload/?lesion={lesion.pk}").status_code == 404
        assert client_for(clinician).get("/upload/?lesion=zero").status_code == 404
        assert client.get("/upload/").status_code == 302
        assert client_for(clinician).post("/upload/").status_code == 405


class TestWithoutScripts:
    def test_several_files_one_bad(self, sender, model_version):
        bad = SimpleUploadedFile("notes.jpg", b"text")
        response = sender.post(
            UPLOAD, {"file": [jpeg(1, "a.jpg"), bad, jpeg(2, "b.jpg")]}, headers=HTML, follow=True
        )
        assert response.redirect_chain == [("/upload/", 302)]
        text = response.content.decode()
        assert "a.jpg was stored." in text and "b.jpg was stored." in text and "notes.jpg: " in text
        assert Photo.objects.count() == 2

    def test_nothing_chosen_and_the_same_again(self, sender):
        assert "No file was chosen." in sender.post(UPLOAD, {}, headers=HTML, follow=True).content.decode()
        send(sender)
        again = sender.post(UPLOAD, {"file": jpeg()}, headers=HTML, follow=True)
        assert "lesion.jpg was already uploaded." in again.content.decode()

    def test_it_stays_in_the_lesion(self, sender, clinic):
        lesion = Lesion.objects.create(clinic=clinic)
        response = sender.post(UPLOAD, {"file": jpeg(), "lesion": lesion.pk}, headers=HTML)
        assert response["Location"] == f"/upload/?lesion={lesion.pk}"


class TestCards:
    def cards(self, client, *have):
        return client.get(reverse("photo-cards"), {"have": ",".join(have)})

    def test_from_queued_to_the_result(self, sender, model_version, engine_online):
        card = send(sender).json()
        have = f"{card['id']}:{card['seen']}"
        assert self.cards(sender, have).json() == {"cards": [], "gone": []}
        jobs.run_waiting("analyse")
        (fresh,) = self.cards(sender, have).json()["cards"]
        assert (fresh["state"], fresh["finished"]) == ("done", True)
        assert fresh["seen"] != card["seen"]

    def test_places_in_the_queue(self, sender, model_version, engine_online):
        sent = [send(sender, jpeg(seed)).json() for seed in range(3)]
        assert [card["position"] for card in sent] == [1, 2, 3]
        jobs.claim("analyse", 1)
        changed = self.cards(sender, *(f"{card['id']}:{card['seen']}" for card in sent)).json()["cards"]
        places = {card["id"]: (card["state"], card["position"]) for card in changed}
        assert [places[card["id"]] for card in sent] == [("running", None), ("queued", 1), ("queued", 2)]

    def test_a_failure_says_why_in_plain_words(self, sender, model_version, engine_online):
        card = send(sender).json()
        Job.objects.update(state="failed", error_code="worker_died", error="SIGKILL at 0x7f")
        (fresh,) = self.cards(sender, f"{card['id']}:").json()["cards"]
        assert fresh["state"] == "failed" and fresh["finished"]
        assert "The engine stopped three times" in fresh["html"] and "SIGKILL" not in fresh["html"]
        assert f"/photos/{card['id']}/retry/" in fresh["html"]

    def test_the_answer_waits_for_the_own_impression(self, sender, clinic, analysis):
        listed = "upload-listed"
        (shown,) = self.cards(sender, f"{analysis.photo_id}:").json()["cards"]
        Clinic.objects.update(impression_first=True)
        (held,) = self.cards(sender, f"{analysis.photo_id}:").json()["cards"]
        assert listed in shown["html"] or "No candidate above" in shown["html"]
        assert listed not in held["html"] and "No candidate above" not in held["html"]
        assert "Your own impression first" in held["html"]

    def test_strangers_photos_and_removed_ones_are_gone(self, photo, outsider, client_for, client):
        assert self.cards(client_for(outsider), f"{photo.pk}:", "999:").json() == {
            "cards": [],
            "gone": [photo.pk, 999],
        }
        assert self.cards(client).status_code == 302

    @pytest.mark.parametrize(
        "have", ["x:", "-1:", "9" * 30 + ":", "²:", ",".join(f"{n}:" for n in range(1, 202))]
    )
    def test_nonsense_is_refused(self, have, sender):
        assert self.cards(sender, have).status_code == 400

    def test_one_card(self, photo, coordinator, outsider, client_for):
        url = reverse("photo-card", args=[photo.pk])
        card = client_for(coordinator).get(url).json()
        assert card["id"] == photo.pk
        assert "/delete/" not in card["html"], "a reader is offered no change"
        assert client_for(outsider).get(url).status_code == 404
        assert client_for(coordinator).post(url).status_code == 405

    def test_a_hundred_cards_ask_as_often_as_two(
        self, sender, clinic, clinician, model_version, engine_online, django_assert_num_queries
    ):
        from django.test.utils import CaptureQueriesContext

        def ask(count):
            with CaptureQueriesContext(connection) as captured:
                sender.get("/upload/")
            assert Photo.objects.count() == count
            return len(captured)

        for seed in range(2):
            send(sender, jpeg(seed))
        few = ask(2)
        for seed in range(2, 12):
            send(sender, jpeg(seed))
        jobs.claim("analyse", 3)
        assert ask(12) == few


class TestComingBack:
    def test_what_failed_is_not_counted_out(self, sender, clinic, model_version, monkeypatch):
        monkeypatch.setattr("classifier.views.upload.FAILED_COUNTED", 1)
        for seed, told in ((1, "1 photo of this clinic"), (2, "More than 1 photos of this clinic")):
            send(sender, jpeg(seed))
            Job.objects.filter(kind="analyse").update(state=Job.State.FAILED)
            assert told in sender.get("/upload/").content.decode()

    def test_the_last_24_hours_not_filed_yet(self, sender, clinic, clinician, curator):
        mine = factories.make_photo(clinic, clinician, seed=1, name="mine.jpg")
        old = factories.make_photo(clinic, clinician, seed=2, name="old.jpg")
        Photo.objects.filter(pk=old.pk).update(created_at=timezone.now() - timezone.timedelta(hours=25))
        filed = factories.make_photo(clinic, clinician, seed=3, name="filed.jpg")
        Lesion.objects.filter(pk=filed.lesion_id).update(patient=factories.make_patient(clinic))
        factories.make_photo(clinic, curator, seed=4, name="theirs.jpg")
        text = sender.get("/upload/").content.decode()
        assert f'data-photo="{mine.pk}"' in text
        assert "old.jpg" not in text and "filed.jpg" not in text and "theirs.jpg" not in text

    def test_the_lesion_is_named(self, sender, clinic):
        lesion = Lesion.objects.create(
            clinic=clinic, patient=factories.make_patient(clinic, "P-77"), site="nose"
        )
        text = sender.get(f"/upload/?lesion={lesion.pk}").content.decode()
        assert "Into P-77 · Nose" in text
        assert f'name="lesion" value="{lesion.pk}"' in text

    def test_without_a_model_the_page_says_so(self, sender):
        assert "There is no model yet." in sender.get("/upload/").content.decode()
