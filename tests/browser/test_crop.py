"""Cropping in a real browser: keyboard, mouse, finger and number fields move the same square."""

import io
import re
from functools import partial

import pytest
from PIL import ExifTags, Image
from playwright.sync_api import Page, Route, expect

from classifier.analysing import squares
from classifier.models import Analysis
from classifier.services.analysis import suggested_squares
from skinclinic import imaging
from skinclinic.engine import jobs
from skinclinic.files import store
from skinclinic.imaging import Box
from skinclinic.models import Photo
from skinclinic.services import covering
from tests import factories
from tests.browser.axe import violations

pytestmark = pytest.mark.django_db(transaction=True)

# The photo has 320 × 256 pixels: the largest square is (32, 0, 256), a step of the keys 3 pixels.


def fields(page: Page) -> tuple[int, int, int]:
    return tuple(int(page.locator(f".crop input[name={name}]").input_value()) for name in ("x", "y", "size"))


def share_of_frame(page: Page) -> tuple[float, ...]:
    frame, box = page.locator("[data-frame]").bounding_box(), page.locator("[data-box]").bounding_box()
    return (
        (box["x"] - frame["x"]) / frame["width"],
        (box["y"] - frame["y"]) / frame["height"],
        box["width"] / frame["width"],
    )


@pytest.fixture
def crop_page(open_page, photo, clinician, model_version):
    def open_one(**options) -> Page:
        page = open_page(clinician, f"/photos/{photo.pk}/crop/", **options)
        expect(page.locator("[data-box]")).to_be_visible()
        return page

    return open_one


def test_keyboard_alone(crop_page, photo):
    page = crop_page()
    assert fields(page) == (32, 0, 256)
    page.locator("[data-box]").focus()
    for _ in range(10):
        page.keyboard.press("Shift+ArrowLeft")
    assert fields(page) == (62, 30, 196)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert fields(page) == (65, 33, 196)
    page.keyboard.press("Control+ArrowUp")
    assert fields(page) == (65, 32, 196)
    page.keyboard.press("+")
    assert fields(page) == (62, 29, 202)
    page.keyboard.press("-")
    assert fields(page) == (65, 32, 196)
    expect(page.locator("[data-said]")).to_have_text("Left 65, top 32, size 196 pixels")
    # The button that has squares suggested lies between, and the three fields.
    for _ in range(5):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.save") is not None
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/photos/{photo.pk}/")
    photo.refresh_from_db()
    assert photo.box == Box(65, 32, 196)
    assert Analysis.objects.get().box == photo.box


def test_suggested_squares_by_key_and_finger(crop_page, photo, monkeypatch):
    found = [Box(10, 20, 100), Box(180, 100, 140)]
    monkeypatch.setattr(squares, "suggest", lambda runtime, picture: found)
    page = crop_page(width=390, touch=True)
    page.allowed_errors.append("Failed to load resource")
    page.locator("[data-suggest]").click()
    expect(page.locator("[data-suggested-words]")).to_contain_text("not running")
    assert fields(page) == (32, 0, 256)
    # One question that is lost is asked again.
    page.route("**/crop/suggested/", lambda route: route.abort(), times=1)
    expect(page.locator("[data-suggested-words]")).to_contain_text("No squares could be asked for")
    jobs.run_waiting(suggested_squares.JOB)
    expect(page.locator("[data-choose]")).to_have_count(2)
    assert fields(page) == (32, 0, 256), "none is chosen by itself"
    assert page.evaluate("document.activeElement.hasAttribute('data-box')"), (
        "the focus is not lost with the button"
    )
    page.keyboard.press("2")
    assert fields(page) == (180, 100, 140)
    expect(page.get_by_role("button", name="Suggested square 2")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Suggested square 1").click()
    assert fields(page) == (10, 20, 100)
    expect(page.get_by_role("button", name="Suggested square 2")).to_have_attribute("aria-pressed", "false")
    page.locator("input[name=x]").fill("12")
    expect(page.locator("[data-choose][aria-pressed=true]")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert violations(page) == []
    page.get_by_role("button", name="Suggested square 1").click()
    page.locator("input[name=x]").press("Enter")
    page.wait_for_url(f"**/photos/{photo.pk}/")
    assert Analysis.objects.get().suggested_square == 1


def test_the_square_never_leaves_the_photo(crop_page):
    page = crop_page()
    page.locator("[data-box]").focus()
    for _ in range(60):
        page.keyboard.press("-")
    assert fields(page)[2] == 32, "not below the smallest"
    for _ in range(120):
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
    assert fields(page) == (288, 224, 32)
    for _ in range(60):
        page.keyboard.press("+")
    x, y, size = fields(page)
    assert size == 256 and 0 <= x <= 64 and y == 0


def drag(page: Page, start, end) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    page.mouse.move(*end)
    page.mouse.up()


def test_mouse_moves_resizes_and_draws(crop_page):
    page = crop_page()
    frame = page.locator("[data-frame]").bounding_box()
    scale = frame["width"] / 320

    def at(x, y):
        return frame["x"] + x * scale, frame["y"] + y * scale

    drag(page, at(288, 256), at(232, 200))
    assert fields(page) == (32, 0, 200), "the lower right corner"
    drag(page, at(130, 100), at(160, 120))
    assert fields(page) == (62, 20, 200), "the square itself"
    drag(page, at(10, 30), at(60, 60))
    assert fields(page) == (10, 30, 50), "a new square beside it"
    x, y, width = share_of_frame(page)
    assert (x, y, width) == (
        pytest.approx(10 / 320, abs=0.01),
        pytest.approx(30 / 256, abs=0.01),
        pytest.approx(50 / 320, abs=0.01),
    )


def test_finger(crop_page, photo):
    page = crop_page(width=390, touch=True)
    page.locator("input[name=size]").fill("128")
    page.locator("input[name=size]").blur()
    box = page.locator("[data-box]").bounding_box()
    touch = page.context.new_cdp_session(page)
    start = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    for kind, move in (("touchStart", 0), ("touchMove", 10), ("touchMove", 40), ("touchEnd", None)):
        points = [] if move is None else [{"x": start["x"] + move, "y": start["y"] + move}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    scale = page.locator("[data-frame]").bounding_box()["width"] / 320
    x, y, size = fields(page)
    assert (x, y, size) == (pytest.approx(32 + 40 / scale, abs=2), pytest.approx(40 / scale, abs=2), 128)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert violations(page) == []
    # Two fingers that move apart make it larger, together make it smaller.
    page.locator("input[name=size]").fill("60")
    box = page.locator("[data-box]").bounding_box()
    middle = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    for kind, apart in (("touchStart", 10), ("touchMove", 15), ("touchMove", 20), ("touchEnd", None)):
        signs = [] if apart is None else [(0, -1), (1, 1)]
        points = [{"x": middle["x"] + sign * apart, "y": middle["y"], "id": number} for number, sign in signs]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    assert fields(page)[2] == pytest.approx(120, abs=3)


def test_number_fields_and_the_largest_square(crop_page, photo):
    page = crop_page(dark=True, language="ko")
    page.locator("input[name=x]").fill("5")
    assert share_of_frame(page)[0] == pytest.approx(5 / 320, abs=0.01)
    # Each as it is typed, in any order, whatever the others are meanwhile.
    for name, typed in (("x", "200"), ("y", "150"), ("size", "100")):
        page.locator(f"input[name={name}]").fill(typed)
        page.locator(f"input[name={name}]").blur()
    assert fields(page) == (200, 150, 100)
    expect(page.locator("[data-fitted]")).to_be_hidden()
    page.locator("input[name=size]").fill("9999")
    page.locator("input[name=size]").blur()
    assert fields(page) == (200, 150, 9999)
    expect(page.locator("[data-fitted]")).to_contain_text(re.compile("64.*0.*256"))
    assert violations(page) == []
    page.locator("input[name=y]").fill("")
    page.locator("input[name=y]").blur()
    assert fields(page)[1] == 0
    page.locator("input[name=size]").fill("40")
    page.locator("[data-reset]").click()
    assert fields(page) == (32, 0, 256)
    page.locator("input[name=x]").fill("300")
    page.locator("[data-save]").click()
    page.wait_for_url(re.compile(r"/photos/\d+/$"))
    photo.refresh_from_db()
    assert photo.box == Box(64, 0, 256)


def test_a_refusal_is_said(crop_page, photo):
    page = crop_page()
    page.allowed_errors = ["status of 400"]
    # Another photo than the page was made for.
    Photo.objects.filter(pk=photo.pk).update(width=100)
    page.locator("[data-save]").click()
    expect(page.locator(".crop [data-problem]")).to_contain_text("The crop box reaches outside the photo")
    photo.refresh_from_db()
    assert photo.box_size is None


def test_from_a_card_in_a_dialog(open_page, clinic, clinician, model_version, engine_online):
    photo = factories.make_photo(clinic, clinician, name="arm.jpg")
    factories.make_analysis(photo, clinician)
    page = open_page(clinician, "/upload/")
    card = page.locator("#not-filed .upload-card")
    expect(card).to_have_attribute("data-state", "done")
    card.get_by_role("link", name="Crop arm.jpg").click()
    expect(page.locator("#crop-dialog [data-box]")).to_be_focused()
    assert violations(page) == []
    page.keyboard.press("-")
    page.locator("#crop-dialog [data-save]").click()
    expect(page.locator("#crop-dialog")).to_be_hidden()
    expect(card).to_have_attribute("data-state", "queued")
    jobs.run_waiting("analyse")
    expect(card).to_have_attribute("data-state", "done")
    assert Analysis.objects.filter(photo=photo).count() == 2
    card.get_by_role("link", name="Crop arm.jpg").click()
    page.locator("#crop-dialog").get_by_role("button", name="Cancel").click()
    expect(page.locator("#crop-dialog")).to_be_hidden()
    assert Analysis.objects.filter(photo=photo).count() == 2


def areas(page: Page) -> list[tuple[int, ...]]:
    rows = page.locator("form[data-cover] [data-area-fields]").all()
    return [
        tuple(int(row.locator(f"[name={name}]").input_value()) for name in ("x", "y", "width", "height"))
        for row in rows
    ]


def test_covering_from_a_card_with_the_keyboard_alone(open_page, photo, clinician):
    """The photo has 320 × 256 pixels: a new area 51, a step of the keys 3."""
    page = open_page(clinician, "/upload/")
    page.allowed_errors = ["status of 409"]
    card = page.locator(".upload-card")
    card.locator("[data-action=cover]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-add=box]")).to_be_focused()
    page.keyboard.press("Enter")
    first = areas(page)[0]
    assert first[2:] == (51, 51)
    for key in ("ArrowRight", "ArrowDown", "Control+ArrowLeft", "Shift+ArrowRight", "Control+Shift+ArrowUp"):
        page.keyboard.press(key)
    assert areas(page) == [(first[0] + 2, first[1] + 3, 54, 50)]
    page.locator("[data-add=ellipse]").press("Enter")
    expect(page.locator(".cover-area").last).to_have_attribute("aria-label", "Area 2, ellipse")
    page.keyboard.press("Delete")
    expect(page.locator(".cover-area")).to_be_focused()
    assert violations(page) == []
    # Somebody else covers it meanwhile: both are told, and what was drawn stays.
    covering.cover(Photo.objects.get(), [{"x": 0, "y": 0, "width": 30, "height": 30}], clinician)
    for again in (False, True):
        page.locator("form[data-cover] [data-save]").press("Enter")
        expect(page.locator("[data-preview]")).to_be_visible()
        assert violations(page) == []
        page.locator("[data-cover-now]").press("Enter")
        if not again:
            expect(page.locator("form[data-cover] [data-problem]")).to_contain_text(
                "Somebody else has covered"
            )
            assert len(areas(page)) == 1
    expect(page.locator("#cover-dialog")).to_be_hidden()
    expect(page.locator("#toasts")).to_contain_text("1 area is covered for good.")
    expect(card.locator("img")).to_have_attribute("src", re.compile("state="))
    assert [cover.areas[0]["width"] for cover in photo.covers.all()] == [54, 30]


def test_covering_and_another_lesion_with_a_finger(open_page, photo, clinician, model_version):
    page = open_page(clinician, f"/photos/{photo.pk}/cover/", width=390, touch=True, dark=True, language="ko")
    frame = page.locator("[data-frame]").bounding_box()
    page.touchscreen.tap(frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2)
    box = page.locator(".cover-area").bounding_box()
    touch = page.context.new_cdp_session(page)
    start = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    before = areas(page)[0]
    for kind, move in (("touchStart", 0), ("touchMove", 10), ("touchMove", 30), ("touchEnd", None)):
        points = [] if move is None else [{"x": start["x"] + move, "y": start["y"]}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    moved = areas(page)[0]
    assert moved[0] > before[0] + 20 and moved[1:] == before[1:]
    page.locator("[name=width]").fill("9999")
    page.locator("[name=width]").blur()
    assert areas(page)[0][2] == 320, "what does not fit is fitted when the field is left"
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert violations(page) == []
    page.locator("[data-save]").click()
    page.locator("[data-cover-now]").click()
    page.wait_for_url(f"**/photos/{photo.pk}/")
    assert photo.covers.get().areas[0]["width"] == 320
    page.goto(page.url + "lesions/new/")
    page.locator("input[name=x]").fill("0")
    page.locator("[data-save]").click()
    page.wait_for_url(lambda url: not url.endswith((f"/photos/{photo.pk}/", "/new/")))
    other = Photo.objects.exclude(pk=photo.pk).get()
    assert (other.box.x, other.covers.count()) == (0, 1)
    assert page.locator(".squares-over rect").count() == 1
    assert violations(page) == []
    page.locator(".picture-lesions a").first.click()
    page.wait_for_url(f"**/photos/{photo.pk}/")


def kept_in(asked: list[Route], route: Route) -> None:
    asked.append(route)


def test_a_form_that_is_asked_for_twice_keeps_what_was_done_in_it(open_page, photo, clinician):
    """A double click, or Enter again while the connection is slow: the answer that comes later opens nothing."""
    for address, link, dialog in (
        ("/upload/", "[data-action=cover]", "#cover-dialog"),
        ("/upload/", "[data-crop-photo]", "#crop-dialog"),
        ("/upload/", "[data-action=file]", "#filing-panel"),
        (f"/photos/{photo.pk}/", "a[data-open-crop]", "#crop-dialog"),
    ):
        page = open_page(clinician, address)
        opener = page.locator(link).first
        asked: list[Route] = []
        page.route(f"**{opener.get_attribute('href')}", partial(kept_in, asked))
        opener.evaluate("link => (link.click(), link.click())")
        for _turn in range(2400):
            if len(asked) == 2:
                break
            page.wait_for_timeout(50)
        assert len(asked) == 2, (address, link)
        asked[0].continue_()
        expect(page.locator(dialog)).to_be_visible()
        page.locator(f"{dialog} form").first.evaluate("form => (form.dataset.mine = 'yes')")
        with page.expect_event("requestfinished"):
            asked[1].continue_()
        page.wait_for_load_state("networkidle")
        assert page.locator(f"{dialog} form[data-mine]").count() == 1, (address, link)


def test_covering_before_the_photo_is_sent(open_page, clinic, clinician, tmp_path):
    """What leaves the browser is covered, upright, and says when it was taken; the original is kept nowhere."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif.get_ifd(ExifTags.IFD.Exif).update(
        {ExifTags.Base.DateTimeOriginal: "2024:05:06 14:30:00", ExifTags.Base.OffsetTimeOriginal: "+09:00"}
    )
    Image.open(io.BytesIO(factories.jpeg_bytes(3))).save(tmp_path / "face.jpg", exif=exif, quality=95)
    page = open_page(clinician, "/upload/")
    page.locator("[data-hold] input").check()
    page.locator(".upload-pick [data-pick]").set_input_files(tmp_path / "face.jpg")
    card = page.locator("#earlier-section .upload-card")
    expect(card).to_have_attribute("data-state", "kept")
    card.locator("[data-cover-local]").evaluate("button => (button.click(), button.click())")
    expect(page.locator("[data-add=box]")).to_be_focused()
    page.locator("[data-add=box]").press("Enter")
    for name, value in (("x", "0"), ("y", "0"), ("width", "256"), ("height", "100")):
        page.locator(f"form[data-cover] [name={name}]").fill(value)
    assert violations(page) == []
    page.locator("form[data-cover] [data-save]").click()
    page.locator("[data-cover-now]").click()
    expect(card).to_contain_text("Covered areas: 1.")
    assert not Photo.objects.exists()
    page.reload()
    card.locator("[data-again]").click()
    expect(page.locator("#sent .upload-card[data-photo]")).to_have_count(1)
    photo = Photo.objects.get()
    assert (photo.width, photo.height, photo.taken) == (256, 320, "2024-05-06T14:30:00+09:00")
    stored = imaging.open_rgb(store.read(photo.file_key))
    assert stored.getpixel((128, 50)) == pytest.approx((128,) * 3, abs=3)
    assert stored.getpixel((10, 310))[0] > 150
    assert photo.covers.get().content_sha256 == imaging.sha256((tmp_path / "face.jpg").read_bytes())
    # The original itself is known, and refused as what it is.
    page.locator(".upload-pick [data-pick]").set_input_files(tmp_path / "face.jpg")
    expect(page.locator(".upload-card[data-state=duplicate]")).to_contain_text("covered for good")
