"""Uploading in a real browser: every file its own card, one bad file stays one bad card."""

import base64
import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from skinclinic.engine import jobs
from skinclinic.models import Job, Lesion, Photo, Session
from tests import factories
from tests.browser import clock
from tests.browser.axe import violations

pytestmark = pytest.mark.django_db(transaction=True)

REFUSED = "the server responded with a status of 400"
COLOUR_OF_PRIMARY = """() => {
  const button = document.body.appendChild(document.createElement("button"));
  button.className = "btn btn-primary";
  const colour = getComputedStyle(button).backgroundColor;
  button.remove();
  return colour;
}"""
SENT = "#sent .upload-card"


def lesion_photo(folder: Path, seed: int, name: str = "") -> str:
    path = folder / (name or f"lesion-{seed}.jpg")
    path.write_bytes(factories.jpeg_bytes(seed))
    return str(path)


def choose(page: Page, *paths: str) -> None:
    page.set_input_files("input[name=file]", list(paths))


def card(page: Page, name: str):
    return page.locator(SENT).filter(has_text=name)


def give(page: Page, event: str, *files: tuple[str, bytes]) -> None:
    """Drop or paste files as the system does."""
    encoded = [[name, base64.b64encode(data).decode()] for name, data in files]
    page.evaluate(
        """([event, files]) => {
          const transfer = new DataTransfer();
          for (const [name, text] of files) {
            const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
            transfer.items.add(new File([bytes], name, { type: "image/jpeg" }));
          }
          if (event === "paste") {
            document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true }));
            return;
          }
          for (const name of ["dragenter", "dragover", "drop"]) {
            const event = new DragEvent(name, { dataTransfer: transfer, bubbles: true, cancelable: true });
            document.body.dispatchEvent(event);
          }
        }""",
        [event, encoded],
    )


def test_several_good_files_and_a_bad_one(open_page, clinician, model_version, engine_online, tmp_path):
    page = open_page(clinician, "/upload/")
    page.allowed_errors = [REFUSED]
    bad = tmp_path / "notes.jpg"
    bad.write_text("not a photo")
    choose(page, lesion_photo(tmp_path, 1), str(bad), lesion_photo(tmp_path, 2), lesion_photo(tmp_path, 3))
    expect(page.locator("#sent [data-photo]")).to_have_count(3)
    expect(card(page, "notes.jpg")).to_contain_text("This is a text file, not a photo that can be read.")
    expect(card(page, "lesion-1.jpg")).to_contain_text("Queued")
    jobs.run_waiting("analyse")
    expect(page.locator("#sent [data-state=done]")).to_have_count(3)
    expect(page.locator("[data-summary]")).to_have_text("All 3 analysed · 1 refused")
    expect(card(page, "lesion-1.jpg").get_by_role("link", name="Open lesion-1.jpg")).to_be_visible()
    card(page, "notes.jpg").get_by_role("button", name="Remove").click()
    expect(page.locator(SENT)).to_have_count(3)
    assert Photo.objects.count() == 3
    assert violations(page) == []


def test_dropped_and_pasted(open_page, clinician, model_version, engine_online):
    page = open_page(clinician, "/upload/")
    give(page, "drop", ("dropped.jpg", factories.jpeg_bytes(1)), ("second.jpg", factories.jpeg_bytes(2)))
    expect(page.locator("#sent [data-photo]")).to_have_count(2)
    expect(page.locator("#upload-veil")).to_be_hidden()
    give(page, "paste", ("image.jpg", factories.jpeg_bytes(3)))
    expect(card(page, "Pasted photo.jpeg")).to_have_attribute("data-state", "queued")


def test_already_uploaded_is_its_own_state(
    open_page, clinic, clinician, model_version, engine_online, tmp_path
):
    stored = factories.make_photo(clinic, clinician, seed=1)
    page = open_page(clinician, "/upload/")
    choose(page, lesion_photo(tmp_path, 1, "again.jpg"))
    again = card(page, "again.jpg")
    expect(again).to_contain_text("Already uploaded")
    expect(again.get_by_role("link", name="Open the stored photo")).to_have_attribute(
        "href", f"/photos/{stored.pk}/"
    )
    again.get_by_role("button", name="Hide").click()
    expect(page.locator(SENT)).to_have_count(0)
    assert Photo.objects.count() == 1


def test_remove_asks_deletes_and_brings_back(open_page, clinician, model_version, engine_online, tmp_path):
    page = open_page(clinician, "/upload/")
    choose(page, lesion_photo(tmp_path, 1), lesion_photo(tmp_path, 2))
    expect(page.locator("#sent [data-photo]")).to_have_count(2)
    remove = card(page, "lesion-1.jpg").get_by_role("button", name="Remove lesion-1.jpg")
    remove.click()
    page.locator("#confirm-dialog").get_by_role("button", name="Cancel").click()
    assert Photo.objects.count() == 2
    remove.click()
    page.locator("#confirm-dialog").get_by_role("button", name="Remove photo and analyses").click()
    expect(page.locator(SENT)).to_have_count(1)
    assert Photo.objects.get().original_name == "lesion-2.jpg"
    assert Lesion.objects.count() == 1
    page.locator("#toasts").get_by_role("button", name="Restore").click()
    expect(card(page, "lesion-1.jpg")).to_be_visible()
    assert Photo.objects.count() == Lesion.objects.count() == 2


def test_engine_offline_until_a_worker_comes(open_page, clinician, model_version, tmp_path, monkeypatch):
    # It says so once, however long the test takes.
    monkeypatch.setattr(jobs, "WORKER_SILENT_AFTER", timedelta(hours=1))
    page = open_page(clinician, "/upload/")
    choose(page, lesion_photo(tmp_path, 1))
    expect(card(page, "lesion-1.jpg")).to_contain_text("Engine offline")
    expect(card(page, "lesion-1.jpg")).to_contain_text("It will be analysed when the engine returns.")
    jobs.worker_alive("test")
    expect(card(page, "lesion-1.jpg")).to_contain_text("Queued, next")
    jobs.run_waiting("analyse")
    expect(card(page, "lesion-1.jpg")).to_have_attribute("data-state", "done")


def test_a_failed_analysis_is_tried_again(open_page, clinician, model_version, engine_online, tmp_path):
    page = open_page(clinician, "/upload/")
    choose(page, lesion_photo(tmp_path, 1))
    expect(card(page, "lesion-1.jpg")).to_contain_text("Queued")
    (row,) = jobs.claim("analyse", 1)
    jobs.finish(row, RuntimeError("broken"))
    expect(card(page, "lesion-1.jpg")).to_contain_text("The engine could not analyse this photo.")
    card(page, "lesion-1.jpg").get_by_role("button", name="Retry").click()
    expect(card(page, "lesion-1.jpg")).to_contain_text("Queued")
    jobs.run_waiting("analyse")
    expect(card(page, "lesion-1.jpg")).to_have_attribute("data-state", "done")


def test_a_lost_connection_is_retried(open_page, clinician, model_version, engine_online, tmp_path):
    page = open_page(clinician, "/upload/")
    page.allowed_errors = ["net::ERR_FAILED", "net::ERR_INTERNET_DISCONNECTED", "status of 503"]
    clock.pause(page)
    # First a connection that is dead without saying so, then none.
    held = []
    page.route("**/photos/", lambda route: held.append(route))
    choose(page, lesion_photo(tmp_path, 1), lesion_photo(tmp_path, 2))
    expect(page.locator("#sent :is([data-state=sending], [data-state=checking])")).to_have_count(2)
    page.clock.fast_forward(61_000)
    expect(page.locator("#sent [data-state=not_sent]")).to_have_count(2)
    page.unroute("**/photos/")
    page.route("**/photos/", lambda route: route.abort())
    expect(page.locator("[data-summary]")).to_have_text("2 not sent")
    for seconds in (5, 10, 20):
        for name in ("lesion-1.jpg", "lesion-2.jpg"):
            expect(card(page, name)).to_contain_text(
                re.compile(
                    f"No connection to the server.*Trying again in {seconds} s.*Kept on this device", re.S
                )
            )
        page.clock.fast_forward((seconds - 1) * 1000)
        expect(card(page, "lesion-1.jpg")).to_contain_text("Trying again in 1 s.")
        if seconds < 20:
            page.clock.fast_forward(1000)
    # The server is there again and says itself that it has too much to do, and for how long.
    page.unroute("**/photos/")
    busy = json.dumps({"error": {"code": "busy", "message": "Many photos are coming in just now."}})
    page.route(
        "**/photos/", lambda route: route.fulfill(status=503, headers={"Retry-After": "45"}, body=busy)
    )
    page.clock.fast_forward(1000)
    words = re.compile("Many photos are coming in just now.*Trying again in 45 s.*Kept on this device", re.S)
    expect(card(page, "lesion-1.jpg")).to_contain_text(words)
    # Back at the page, nobody waits; the server alone was away, so the browser noticed nothing.
    page.unroute("**/photos/")
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(page.locator("#sent [data-photo]")).to_have_count(2)
    assert Photo.objects.count() == 2
    assert waiting_here(page) == 0


def waiting_here(page: Page) -> int:
    count = (
        "import('/static/js/kept-photos.js').then((kept) => kept.countKept('nobody')).then((c) => c.others)"
    )
    return page.evaluate(count)


def test_photos_not_sent_outlive_the_page_and_the_sign_in(
    open_page, live_server, client_for, clinician, curator, model_version, engine_online, tmp_path
):
    page = open_page(clinician, "/upload/")
    page.allowed_errors = ["net::ERR_FAILED"]
    page.route("**/photos/", lambda route: route.abort())
    choose(page, lesion_photo(tmp_path, 1), lesion_photo(tmp_path, 2))
    expect(page.get_by_text("Kept on this device until it is sent.")).to_have_count(2)
    # Leaving by a link tells what becomes of them; closing loses nothing, so that the browser does not ask.
    page.get_by_role("link", name="Worklist").first.click()
    question = page.locator("#confirm-dialog")
    expect(question).to_contain_text("Photos not sent yet: 2. They are kept on this device")
    question.get_by_role("button", name="Cancel").click()
    page.close(run_before_unload=False)

    def next_visit(user, path: str) -> Page:
        session = client_for(user).cookies[settings.SESSION_COOKIE_NAME].value
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}
        page.context.add_cookies([cookie])
        again = page.context.new_page()
        again.goto(live_server.url + path)
        return again

    other = next_visit(curator, "/upload/")
    expect(other.locator("#kept-by-others")).to_contain_text("another clinic that wait on this device: 2.")
    assert other.locator("#earlier-section li").count() == 0
    other.goto(live_server.url)
    expect(other.locator("#unsent-note")).to_be_hidden()
    other.close()

    back = next_visit(clinician, "/")
    expect(back.locator("#unsent-note")).to_contain_text("2 photos not sent yet")
    assert violations(back) == []
    back.get_by_role("button", name=clinician.display_name or clinician.username).click()
    back.get_by_role("button", name="Sign out").click()
    expect(back.locator("#confirm-dialog")).to_contain_text("Photos not sent yet stay on this device")
    back.locator("#confirm-dialog").get_by_role("button", name="Cancel").click()
    back.get_by_role("link", name="Look and send").click()
    offered = back.locator("#earlier-section .upload-card").filter(has_text="lesion-1.jpg")
    expect(offered).to_contain_text(re.compile(r"Chosen \d+ \w+ 20\d\d, \d\d:\d\d"))
    expect(offered.locator("img")).to_be_visible()
    assert violations(back) == []
    offered.get_by_role("button", name="Remove").click()
    back.locator("#confirm-dialog").get_by_role("button", name="Remove").click()
    expect(offered).to_have_count(0)
    back.get_by_role("button", name="Send all").click()
    expect(back.locator("#sent [data-photo]")).to_have_count(1)
    expect(back.locator("#earlier-section")).to_be_hidden()
    assert Photo.objects.get().original_name == "lesion-2.jpg"
    assert waiting_here(back) == 0


def test_a_browser_that_keeps_nothing_says_so_and_asks(
    open_page, live_server, clinician, model_version, tmp_path
):
    page = open_page(clinician, "/account/")
    page.allowed_errors = ["net::ERR_FAILED", "status of 400"]
    page.add_init_script(
        "IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError'); }"
    )
    page.goto(live_server.url + "/upload/")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.route("**/photos/", lambda route: route.abort())
    choose(page, lesion_photo(tmp_path, 1))
    expect(card(page, "lesion-1.jpg")).to_contain_text(
        "It could not be kept on this device (no room, or a private window). Stay on this page"
    )
    page.locator("h1").click()
    with page.expect_event("dialog"):
        page.close(run_before_unload=True)
    assert asked == ["beforeunload"]
    page.get_by_role("link", name="Worklist").first.click()
    expect(page.locator("#confirm-dialog")).to_contain_text("what is not sent is lost")
    page.locator("#confirm-dialog").get_by_role("button", name="Cancel").click()
    page.unroute("**/photos/")
    bad = tmp_path / "bad.jpg"
    bad.write_text("no photo")
    choose(page, str(bad))
    expect(card(page, "bad.jpg")).to_contain_text("It is not kept here.")


def test_an_answer_that_got_lost_is_no_duplicate(
    open_page, clinician, model_version, engine_online, tmp_path
):
    """The server stored the photo, the answer never came: sent again, it is simply there."""
    page = open_page(clinician, "/upload/")
    page.allowed_errors = ["net::ERR_FAILED"]

    def lose_the_answer(route):
        route.fetch()
        route.abort()

    page.route("**/photos/", lose_the_answer)
    choose(page, lesion_photo(tmp_path, 1))
    expect(page.locator("#sent [data-state=not_sent]")).to_have_count(1)
    page.unroute("**/photos/")
    card(page, "lesion-1.jpg").get_by_role("button", name="Retry").click()
    expect(card(page, "lesion-1.jpg")).to_have_attribute("data-state", "queued")
    assert Photo.objects.count() == 1


def test_an_ended_session_asks_for_the_password_and_sends_again(
    open_page, clinician, model_version, tmp_path
):
    page = open_page(clinician, "/upload/")
    page.allowed_errors = ["status of 401"]
    Session.objects.all().delete()
    choose(page, lesion_photo(tmp_path, 1))
    page.locator("#sign-in-again input[name=password]").fill(factories.PASSWORD)
    page.locator("#sign-in-again button[type=submit]").click()
    expect(page.locator("#sent [data-photo]")).to_have_count(1)
    assert Photo.objects.get().uploaded_by == clinician


def test_too_large_and_empty_are_not_even_sent(open_page, clinician, tmp_path):
    page = open_page(clinician, "/upload/")
    big, empty = tmp_path / "big.jpg", tmp_path / "empty.jpg"
    with big.open("wb") as file:
        file.truncate(26 * 2**20)
    empty.touch()
    page.on("request", lambda request: pytest.fail("sent") if request.method == "POST" else None)
    choose(page, str(big), str(empty))
    expect(card(page, "big.jpg")).to_contain_text("The file has 26.0 MB; at most 25 MB are accepted.")
    expect(card(page, "empty.jpg")).to_contain_text("The file is empty.")


def test_coming_back_shows_what_is_not_filed_yet(
    open_page, clinician, model_version, engine_online, tmp_path
):
    page = open_page(clinician, "/upload/")
    choose(page, lesion_photo(tmp_path, 1), lesion_photo(tmp_path, 2))
    expect(page.locator("#sent [data-photo]")).to_have_count(2)
    page.goto(page.url)
    expect(page.locator("#not-filed .upload-card")).to_have_count(2)
    jobs.run_waiting("analyse")
    expect(page.locator("#not-filed [data-state=done]")).to_have_count(2)
    page.get_by_role("button", name="Select all").click()
    expect(page.locator("[data-selected-text]")).to_have_text("2 selected")
    page.locator("#file-together").get_by_role("button", name="Add patient").click()
    expect(page.locator("#filing-panel")).to_contain_text("File 2 photos")


def test_leaving_warns_only_while_sending(open_page, clinician, model_version, tmp_path):
    page = open_page(clinician, "/upload/")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    held = []
    page.route("**/photos/", lambda route: held.append(route))
    choose(page, lesion_photo(tmp_path, 1))
    expect(page.locator("#sent [data-state=checking], #sent [data-state=sending]")).to_have_count(1)
    page.locator("h1").click()  # a browser asks only people who have touched the page
    page.goto(page.url)
    assert asked == ["beforeunload"]
    page.unroute("**/photos/")
    choose(page, lesion_photo(tmp_path, 2))
    expect(page.locator("#sent [data-photo]")).to_have_count(1)
    page.locator("h1").click()
    page.goto(page.url)
    assert asked == ["beforeunload"]


def test_into_a_lesion(open_page, clinic, clinician, model_version, tmp_path):
    lesion = Lesion.objects.create(clinic=clinic, patient=factories.make_patient(clinic, "P-77"))
    page = open_page(clinician, f"/upload/?lesion={lesion.pk}")
    page.select_option("select[name=kind]", "dermoscopic")
    choose(page, lesion_photo(tmp_path, 1))
    expect(page.locator("#sent [data-photo]")).to_have_count(1)
    photo = Photo.objects.get()
    assert (photo.lesion, photo.kind) == (lesion, "dermoscopic")


@pytest.mark.parametrize(("dark", "language"), [(False, "en"), (True, "ko")])
def test_thirty_cards_on_a_phone(
    open_page, clinician, model_version, engine_online, tmp_path, dark, language
):
    page = open_page(clinician, "/upload/", width=390, dark=dark, language=language, touch=True)
    page.allowed_errors = [REFUSED]
    name = "a very long file name of a photo that somebody gave a whole story " * 3
    paths = [lesion_photo(tmp_path, seed, f"{name}{seed}.jpg") for seed in range(29)]
    bad = tmp_path / "bad.jpg"
    bad.write_text("no photo")
    # The camera is the first choice, and what was taken comes into view.
    camera, files = page.evaluate(
        """[...document.querySelectorAll(".upload-camera, .upload-pick")]
          .map((label) => getComputedStyle(label).backgroundColor)"""
    )
    assert camera == page.evaluate(COLOUR_OF_PRIMARY) != files
    choose(page, *paths, str(bad))
    expect(page.locator(SENT).first).to_be_in_viewport(ratio=0.9)
    expect(page.locator("#sent [data-photo]")).to_have_count(29, timeout=300_000)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    small = page.evaluate(
        """() => [...document.querySelectorAll(".upload-card a:not([tabindex]), .upload-card button, .upload-select")]
          .map((part) => part.getBoundingClientRect())
          .filter((box) => box.width && Math.min(box.width, box.height) < 24).length"""
    )
    assert small == 0
    assert violations(page) == []
    assert Job.objects.filter(state="queued").count() == 29
