"""The result page in a browser: keyboard, heatmap, zoom, waiting, phone."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect

from classifier.models import Assessment
from classifier.plots.colormaps import heatmap_rgb
from classifier.services.analysis.analyses import request_analysis
from skinclinic.engine import jobs
from skinclinic.imaging import Box
from skinclinic.models import Job
from skinclinic.services.photos import set_box, store_photo
from tests import factories, results
from tests.browser.axe import violations
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def answered(photo, clinician):
    return results.finished(photo, clinician)


@pytest.fixture
def impression_first(clinic):
    clinic.impression_first = True
    clinic.save()


def open_result(open_page, user, analysis, **how) -> Page:
    page = open_page(user, f"/photos/{analysis.photo_id}/", **how)
    if page.locator("#stage-tools[data-maps-url]").count():
        heat_is_drawn(page)
    return page


def heat_is_drawn(page: Page, disease: str = "") -> None:
    expect(page.locator("[data-heat]")).to_have_attribute("data-shows", re.compile(f"^{disease or '[a-z]'}"))


def with_heat(page: Page) -> Page:
    """The photo opens without a veil; here a person has switched the heatmap on."""
    expect(page.locator("[data-heat]")).to_be_hidden()
    page.keyboard.press("h")
    expect(page.locator("[data-heat]")).to_be_visible()
    return page


def is_saved(page: Page, step: str = "decision") -> None:
    """The panel was swapped and its script has led the focus on."""
    expect(page.locator(f"[data-focus={step}]")).to_be_focused()


# Told number by number, a picture would take the browser seconds.
PIXELS = """canvas => new Promise((done) => {
  const { width, height } = canvas, reader = new FileReader();
  reader.onload = () => done([height, width, reader.result.split(",")[1]]);
  reader.readAsDataURL(new Blob([canvas.getContext("2d").getImageData(0, 0, width, height).data]));
})"""


def pixels(page: Page, selector: str = "[data-heat]") -> np.ndarray:
    height, width, data = page.eval_on_selector(selector, PIXELS)
    return np.frombuffer(base64.b64decode(data), np.uint8).reshape(height, width, 4)


def stage(page: Page) -> np.ndarray:
    """What is seen of the photo, as pixels."""
    box = {name: round(value) for name, value in page.locator("[data-pane]").bounding_box().items()}
    shot = page.screenshot(clip=box, animations="disabled")
    return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)


def without_heat(page: Page) -> np.ndarray:
    """The photo with nothing over it, whatever the controls say."""
    page.evaluate(
        "for (const e of document.querySelectorAll('[data-heat], [data-square]')) e.style.visibility = 'hidden'"
    )
    bare = stage(page)
    page.evaluate(
        "for (const e of document.querySelectorAll('[data-heat], [data-square]')) e.style.visibility = ''"
    )
    return bare


def test_impression_reveal_and_decision_by_keyboard(open_page, impression_first, answered, clinician):
    page = open_result(open_page, clinician, answered)
    expect(page.get_by_role("heading", name="Your own impression first")).to_be_visible()
    assert page.locator("[data-choose-heatmap]").count() == 0
    page.keyboard.press("6")
    expect(page.locator("#impression-mm")).to_be_checked()
    # A second diagnosis, and which of the two comes first, by keys alone.
    page.get_by_role("button", name="Add a second diagnosis").press("Enter")
    page.keyboard.type("nevus")
    expect(page.get_by_role("option", name="Melanocytic nevus").first).to_be_visible()
    page.keyboard.press("Enter")
    page.keyboard.press("Alt+ArrowUp")
    expect(page.locator("#impression-nevus")).to_be_checked()
    expect(page.locator("#impression-form .ranked-list [role=combobox]")).to_have_value("Malignant melanoma")
    page.keyboard.press("Alt+ArrowUp")
    expect(page.locator("#impression-mm")).to_be_checked()
    page.locator("#impression-mm").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 candidate above its threshold")).to_be_visible()
    is_saved(page, "impression")
    heat_is_drawn(page, "bcc")
    page.keyboard.press("c")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(page.locator(".assess-saved")).to_contain_text("Saved")
    is_saved(page)
    row = Assessment.objects.get()
    assert (row.impression.disease, row.decision, row.conclusion.disease) == ("mm", "change", "bcc")
    assert row.impression.also_said == "2. Melanocytic nevus" and row.ranked == ["bcc", "nevus"]
    page.keyboard.press("u")
    expect(page.get_by_text("1 earlier decision")).to_be_visible()
    is_saved(page)
    # A diagnosis outside the 12, by keys alone: of the list, or taken as typed.
    page.keyboard.press("c")
    page.locator("#change-term").press_sequentially("merkel")
    expect(page.get_by_role("option", name="Merkel cell carcinoma")).to_be_visible()
    expect(page.locator("#change-term-list [role=option]").last).to_contain_text("Use “merkel” as typed")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    is_saved(page)
    row.refresh_from_db()
    assert (row.decision, row.conclusion.text, row.agreement) == ("change", "merkel", "outside")
    page.keyboard.press("u")
    is_saved(page)
    expect(page.get_by_text("2 earlier decisions")).to_be_visible()
    page.keyboard.press("a")
    expect(page.locator("label:has(#decide-keep)")).to_contain_text("Keep mine: Malignant melanoma")
    page.keyboard.press("Enter")
    expect(page.locator(".assess-saved")).to_be_visible()
    row.refresh_from_db()
    assert (row.decision, row.conclusion) == ("keep", row.impression)


def test_impression_by_type_ahead(open_page, impression_first, answered, clinician):
    page = open_result(open_page, clinician, answered)
    page.keyboard.press("1")
    page.locator("#impression-term").press_sequentially("멜라닌")
    page.get_by_role("option", name="Melanocytic nevus").first.click()
    expect(page.locator("#impression-nevus")).to_be_checked()
    page.get_by_role("button", name="Record and show the answer").click()
    expect(page.get_by_text("1 candidate above its threshold")).to_be_visible()
    assert Assessment.objects.get().impression.disease == "nevus"


def test_an_unclear_impression_keeps_what_was_typed(open_page, impression_first, answered, clinician):
    page = open_result(open_page, clinician, answered)
    page.allowed_errors.append("422")
    page.locator("#impression-term").fill("carcinoma")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Record and show the answer").click()
    expect(page.get_by_role("alert")).to_contain_text("may mean several diagnoses")
    field = page.locator("#impression-term")
    expect(field).to_have_value("carcinoma")
    expect(field).to_be_focused()
    expect(field).to_be_in_viewport()
    expect(page.locator("#impression-form .save-state")).to_contain_text("Not saved")
    page.get_by_role("button", name="Record and show the answer").click()
    expect(page.get_by_text("1 candidate above its threshold")).to_be_visible()
    assert Assessment.objects.get().impression.text == "carcinoma"
    # The decision's form does the same, however far the page was scrolled.
    page.locator("#decide-change").check()
    page.locator("#change-term").fill("carcinoma of the")
    page.locator("#decision-comment").focus()
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    page.get_by_role("button", name="Save the decision").click()
    field = page.locator("#change-term")
    expect(field).to_have_value("carcinoma of the")
    expect(field).to_be_focused()
    expect(field).to_be_in_viewport()
    expect(page.locator("#decision-form").get_by_role("alert")).to_be_in_viewport()
    assert not Assessment.objects.get().decision


def test_a_double_click_records_once(open_page, impression_first, answered, clinician):
    page = open_result(open_page, clinician, answered)
    page.keyboard.press("6")
    page.get_by_role("button", name="Record and show the answer").dblclick()
    expect(page.get_by_text("1 candidate above its threshold")).to_be_visible()
    assert answered.photo.lesion.diagnoses.count() == 1


def test_another_tab_is_shown_not_overwritten(open_page, impression_first, answered, clinician):
    first, second = (open_result(open_page, clinician, answered) for _tab in range(2))
    second.allowed_errors.append("409")
    for page, key in ((first, "6"), (second, "7")):
        page.keyboard.press(key)
        page.keyboard.press("Enter")
        expect(page.get_by_text("1 candidate above its threshold")).to_be_visible()
    notice = second.get_by_role("alert")
    expect(notice).to_contain_text("Kept: Malignant melanoma")
    expect(notice).to_contain_text("Not saved: Melanocytic nevus")


def test_offline_says_so_and_saves_on_return(open_page, answered, clinician):
    page = open_result(open_page, clinician, answered)
    page.allowed_errors += ["ERR_INTERNET_DISCONNECTED", "htmx:"]
    page.keyboard.press("t")
    page.context.set_offline(True)
    page.keyboard.press("Enter")
    expect(page.locator("#decision-form .save-state")).to_have_attribute("data-state", "offline")
    asked = []
    page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    with page.expect_event("dialog"):
        page.close(run_before_unload=True)
    assert asked == ["beforeunload"], "what waits here is nowhere else"
    page.context.set_offline(False)
    expect(page.locator(".assess-saved")).to_be_visible()
    assert Assessment.objects.get().decision == "take"


def test_the_heatmap_has_a_shape_and_follows_the_disease(open_page, answered, clinician):
    page = open_result(open_page, clinician, answered)
    first = pixels(page)
    assert len(np.unique(first.reshape(-1, 4), axis=0)) > 50
    # Low is clear, high covers.
    assert first[..., 3].min() < 30 and first[..., 3].max() == 255
    expect(page.locator("[data-heat]")).to_be_hidden()
    page.keyboard.press("6")
    expect(page.locator("[data-heat]")).to_be_visible()
    heat_is_drawn(page, "mm")
    second = pixels(page)
    assert np.abs(first.astype(int) - second).max() > 50
    expect(page.locator("[data-heat-name]")).to_have_text("Malignant melanoma")
    page.locator(".bar-choose", has_text="Wart").click()
    heat_is_drawn(page, "wart")
    assert page.locator("[data-choose-heatmap=wart]").evaluate_all(
        "b => b.every(x => x.ariaPressed === 'true')"
    )
    page.get_by_role("button", name="Lentigo", exact=True).click()
    heat_is_drawn(page, "lentigo")


def test_the_bright_cell_lies_where_the_network_saw_it(open_page, answered, clinician):
    """Each test map has one bright cell, which covers the photo most."""
    page = open_result(open_page, clinician, answered)
    alpha = pixels(page)[..., 3].astype(int)
    row, column = np.unravel_index(alpha.argmax(), alpha.shape)
    cell = 256 / 7
    assert (row // cell, column // cell) == (1, 1)


def test_opacity_nothing_shows_the_photo_exactly(open_page, answered, clinician):
    page = open_result(open_page, clinician, answered)
    bare = without_heat(page)
    assert (stage(page) == bare).all()
    with_heat(page)
    assert np.abs(stage(page) - bare).max() > 20
    for _step in range(12):
        page.keyboard.press("ArrowLeft")
    expect(page.locator("[data-opacity-value]")).to_have_text("0%")
    assert (stage(page) == bare).all()
    page.locator("[data-opacity]").fill("100")
    expect(page.locator("[data-heat]")).to_be_visible()
    assert np.abs(stage(page) - bare).max() > 60


def test_space_held_shows_the_original_and_h_toggles(open_page, answered, clinician):
    page = with_heat(open_result(open_page, clinician, answered))
    heat = page.locator("[data-heat]")
    page.keyboard.down("Space")
    expect(heat).to_be_hidden()
    expect(page.locator("[data-original]")).to_be_visible()
    page.keyboard.up("Space")
    expect(heat).to_be_visible()
    page.keyboard.press("h")
    expect(heat).to_be_hidden()
    page.keyboard.press("h")
    expect(heat).to_be_visible()
    button = page.get_by_role("button", name="Hold for the original")
    button.hover()
    page.mouse.down()
    expect(heat).to_be_hidden()
    page.mouse.up()
    expect(heat).to_be_visible()


def test_colours_opacity_and_axis_are_remembered(open_page, answered, clinician):
    page = with_heat(open_result(open_page, clinician, answered))
    before = pixels(page)
    width = page.locator(".bar-fill").first.get_attribute("width")
    page.get_by_label("Colours").select_option("jet")
    page.keyboard.press("ArrowRight")
    page.locator("[data-opacity]").fill("70")
    page.get_by_label("Axis").select_option("root")
    after = pixels(page)
    assert np.abs(before.astype(int) - after).max() > 100
    page.reload()
    heat_is_drawn(page, "bcc jet")
    assert (pixels(page) == after).all()
    expect(page.locator("[data-heat]")).to_be_visible()
    expect(page.locator("[data-opacity-value]")).to_have_text("70%")
    expect(page.locator(".bar-fill").first).to_have_attribute("width", "64.03%")
    assert width == "41.00%"


def test_the_square_stays_on_its_place_when_zoomed(open_page, photo, clinician):
    set_box(photo, Box(100, 50, 128))
    page = with_heat(open_result(open_page, clinician, results.finished(photo, clinician)))

    def share() -> np.ndarray:
        pane, heat = (page.locator(f"[data-{name}]").bounding_box() for name in ("pane", "heat"))
        return np.array(
            [
                (heat["x"] - pane["x"]) / pane["width"],
                (heat["y"] - pane["y"]) / pane["height"],
                heat["width"] / pane["width"],
            ]
        )

    wanted = [100 / 320, 50 / 256, 128 / 320]
    np.testing.assert_allclose(share(), wanted, atol=0.005)
    for _step in range(3):
        page.keyboard.press("]")
    expect(page.locator("[data-zoom-value]")).to_have_text("195%")
    box = page.locator("[data-stage]").bounding_box()
    moved = "document.querySelector('[data-pane]').style.transform"
    before = page.evaluate(moved)
    page.keyboard.press("Shift+ArrowRight")
    assert page.evaluate(moved) != before
    page.get_by_role("button", name="Move to the left").click()
    assert page.evaluate(moved) == before
    # The wheel is the page's until the photo is clicked.
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.wheel(0, 300)
    # Until it has scrolled and come to rest.
    page.wait_for_function(
        "() => { const { was } = window; window.was = scrollY; return scrollY > 0 && scrollY === was; }",
        polling=100,
    )
    expect(page.locator("[data-zoom-value]")).to_have_text("195%")
    page.evaluate("scrollTo(0, 0)")
    page.mouse.click(box["x"] + 200, box["y"] + 200)
    page.mouse.wheel(0, -300)
    expect(page.locator("[data-zoom-value]")).not_to_have_text("195%")
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 150)
    page.mouse.up()
    np.testing.assert_allclose(share(), wanted, atol=0.005)
    page.keyboard.press("f")
    expect(page.locator("[data-zoom-value]")).to_have_text("100%")


def test_the_three_panels(open_page, answered, clinician):
    page = open_result(open_page, clinician, answered)
    alpha = 0.6 * pixels(page)[..., 3:] / 255
    page.keyboard.press("p")
    photo, overlay, heatmap = (
        pixels(page, f"[data-panel={name}]").astype(int) for name in ("photo", "overlay", "heatmap")
    )
    expect(page.locator("[data-stage]")).to_be_hidden()
    alpha = (
        np.asarray(Image.fromarray((alpha[..., 0] * 255).astype(np.uint8)).resize((448, 448)))[..., None]
        / 255
    )
    wanted = (1 - alpha) * photo + alpha * heatmap
    assert np.abs(overlay - wanted)[..., :3].mean() < 2
    # The same picture as in the file to print and to keep: cubic, nothing scaled anew.
    ours = np.asarray(heatmap_rgb(answered.heatmaps()[0], 448))
    assert np.abs(heatmap[..., :3] - ours).mean() < 2
    assert np.abs(photo - heatmap).mean() > 20
    page.keyboard.press("p")
    expect(page.locator("[data-stage]")).to_be_visible()


def test_waiting_turns_into_the_answer_without_moving_the_photo(open_page, photo, clinician, engine_online):
    waiting = request_analysis(photo, user=clinician, version=results.make_version())
    page = open_result(open_page, clinician, waiting)
    expect(page.get_by_text("Next in line.")).to_be_visible()
    before = page.locator("[data-stage]").bounding_box()
    Job.objects.update(state=Job.State.RUNNING)
    expect(page.locator("#announcer")).to_have_text("Analysing")
    results.finish(waiting)
    expect(page.get_by_text("1 candidate above its threshold")).to_be_visible()
    expect(page.locator("#announcer")).to_have_text("The answer is shown.")
    heat_is_drawn(page, "bcc")
    assert page.locator("[data-stage]").bounding_box() == before


def test_an_impression_half_given_survives_the_end_of_waiting(open_page, impression_first, photo, clinician):
    waiting = request_analysis(photo, user=clinician, version=results.make_version())
    page = open_result(open_page, clinician, waiting)
    page.keyboard.press("6")
    page.locator("#impression-text").fill("irregular border")
    results.finish(waiting)
    expect(page.locator(".result-state")).to_have_count(0)
    expect(page.locator("#impression-mm")).to_be_checked()
    expect(page.locator("#impression-text")).to_have_value("irregular border")
    page.locator("#impression-save").click()
    expect(page.get_by_text("1 candidate above its threshold")).to_be_visible()


def test_choosing_thresholds_changes_the_list_and_the_address(open_page, answered, clinician):
    page = open_result(open_page, clinician, answered)
    page.get_by_label("Thresholds").select_option("screening")
    expect(page.get_by_text("5 candidates above their thresholds")).to_be_visible()
    assert page.url.endswith("?thresholds=screening")
    expect(page.locator(".chip-listed")).to_have_count(5)
    page.goto(page.url.split("?")[0])
    expect(page.get_by_text("5 candidates above their thresholds")).to_be_visible()


def test_keys_are_text_while_typing(open_page, answered, clinician):
    page = open_result(open_page, clinician, answered)
    page.locator("#decision-comment").press_sequentially("h 6 a")
    expect(page.locator("#decision-comment")).to_have_value("h 6 a")
    expect(page.locator("[data-heat]")).to_be_hidden()
    expect(page.locator("#decide-take")).not_to_be_checked()


def test_neighbours_by_key_show_the_heatmap_as_it_was_left(open_page, clinic, clinician):
    """Switched on with an opacity it is so at the next photo, too; switched off there, it is off at the one after."""
    older, newer = (factories.make_photo(clinic, clinician, seed=seed) for seed in (1, 2))
    for photo in (older, newer):
        results.finished(photo, clinician)
    page = open_page(clinician, f"/photos/{newer.pk}/")
    heat_is_drawn(page)
    with_heat(page)
    page.locator("[data-opacity]").fill("100")
    page.keyboard.press("j")
    page.wait_for_url(f"**/photos/{older.pk}/")
    heat_is_drawn(page)
    expect(page.locator("[data-heat]")).to_be_visible()
    expect(page.locator("[data-opacity-value]")).to_have_text("100%")
    page.keyboard.press("h")
    page.keyboard.press("k")
    page.wait_for_url(f"**/photos/{newer.pk}/")
    heat_is_drawn(page)
    expect(page.locator("[data-heat]")).to_be_hidden()


def test_no_heatmap_lies_on_a_photo_that_has_not_come_yet(open_page, answered, clinician):
    page = with_heat(open_result(open_page, clinician, answered))
    file = page.locator("[data-photo]").get_attribute("src")
    held = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(f"**{file}", hold)
    page.reload(wait_until="domcontentloaded")
    heat_is_drawn(page)
    expect(page.locator("[data-heat]")).to_be_hidden()
    held[0].continue_()
    expect(page.locator("[data-heat]")).to_be_visible()


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("first", [True, False])
def test_nothing_sticks_out_on_a_phone(open_page, clinic, clinician, language, first):
    clinic.impression_first = first
    clinic.save()
    patient = factories.make_patient(clinic, "A-VERY-LONG-PSEUDONYMOUS-CODE-WITHOUT-ANY-SPACE-0123456789-ABC")
    photo = factories.make_photo(clinic, clinician, name=f"{'long' * 40}.jpg")
    photo.lesion.patient = patient
    photo.lesion.save()
    analysis = results.finished(photo, clinician, warnings=["blurred"])
    page = open_result(open_page, clinician, analysis, width=390, language=language, touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_phone_shows_answer_and_decision_first_and_zooms_into_the_original(open_page, clinic, clinician):
    large, _new = store_photo(
        clinic=clinic, user=clinician, data=factories.jpeg_bytes(5, 2400, 1800), name="large.jpg"
    )
    page = open_result(open_page, clinician, results.finished(large, clinician), width=390, touch=True)
    for selector in (".bar-listed .bar-name", ".bars-sum", "label:has(#decide-take)"):
        place = page.locator(selector).bounding_box()
        assert place["y"] + place["height"] < page.locator(".bottom-bar").bounding_box()["y"]
    expect(page.locator(".bar", has_text="Wart")).to_be_hidden()
    expect(page.locator("kbd:visible")).to_have_count(0)
    page.get_by_label("All 12 scores").check()
    page.locator(".bar-choose", has_text="Wart").click()
    expect(page.locator("[data-stage]")).to_be_in_viewport(ratio=0.9)  # it stays in sight
    expect(page.get_by_role("link", name="Crop")).to_be_hidden()
    page.get_by_role("button", name="More").click()
    expect(page.get_by_role("link", name="Crop")).to_be_visible()
    page.keyboard.press("Escape")
    photo = page.locator("[data-photo]")
    assert photo.evaluate("img => img.naturalWidth") == 1600
    box = page.locator("[data-stage]").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    session = page.context.new_cdp_session(page)

    def touch(kind: str, reach: float) -> None:
        points = [{"x": middle[0] + side * reach, "y": middle[1], "id": side + 1} for side in (-1, 1)]
        session.send(
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": points if kind != "touchEnd" else []}
        )

    touch("touchStart", 30)
    for reach in (40, 60, 90):
        touch("touchMove", reach)
    touch("touchEnd", 0)
    zoom = int(page.locator("[data-zoom-value]").inner_text().rstrip("%"))
    assert 200 < zoom < 400
    expect(photo).to_have_attribute("src", url("photo-image", large.pk))
    expect(page.locator("[data-heat]")).to_be_visible()


def test_space_means_the_photo_also_after_a_click_but_not_on_a_tabbed_button(open_page, answered, clinician):
    page = open_result(open_page, clinician, answered)
    heat = page.locator("[data-heat]")
    page.locator(".bar-choose", has_text="Wart").click()
    page.keyboard.down("Space")
    expect(heat).to_be_hidden()
    page.keyboard.up("Space")
    expect(heat).to_be_visible()
    page.locator("[data-heat-toggle]").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    expect(page.locator("[data-heat-toggle]")).to_have_attribute("aria-pressed", "false")


def test_a_new_square_from_the_dialog_is_analysed_and_the_old_one_kept(open_page, answered, clinician):
    page = open_result(open_page, clinician, answered)
    page.get_by_role("link", name="Crop").click()
    page.get_by_label("Size").fill("128")
    page.get_by_role("button", name="Analyse this square").click()
    expect(page.locator("#result-panel .state")).to_be_visible()
    expect(page.get_by_role("heading", name="Other analyses of this photo")).to_be_visible()
    page.locator(".others-list a").click()
    expect(page.get_by_text("An older analysis of this photo")).to_be_visible()


def test_downloads_follow_the_heatmap_that_is_seen(open_page, answered, clinician):
    page = open_result(open_page, clinician, answered)
    page.keyboard.press("6")
    page.get_by_label("Colours").select_option("jet")
    for link in page.locator("[data-panels-download]").all():
        assert link.get_attribute("href").endswith("?disease=mm&colours=jet&opacity=60")


@pytest.mark.parametrize(("dark", "width"), [(False, 1440), (True, 390)])
def test_accessible_before_and_after_the_answer(
    open_page, impression_first, answered, clinician, dark, width
):
    page = open_result(open_page, clinician, answered, dark=dark, width=width)
    assert violations(page) == []
    page.get_by_role("button", name="Show without").click()
    heat_is_drawn(page, "bcc")
    if width == 390:
        # Here without touch, so that the key to the keys stands there as well.
        assert page.locator(".viewer-bar").bounding_box()["height"] < 50, "one line"
    page.keyboard.press("c")
    page.locator("#decision-form [data-ranked-add]").click()
    # The symptoms: V goes there, arrows answer; what was saved has the focus.
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("v")
    expect(page.locator("#visit input[name=itch]").first).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.locator("#visit-note").fill("rolled border")
    assert violations(page) == []
    page.get_by_role("button", name="Save the symptoms").click()
    expect(page.locator("#visit-said")).to_be_focused()
    expect(page.locator(".visit-told")).to_contain_text("Itch: Yes")
    # What was being written beside it is there still.
    expect(page.locator("#visit-note")).to_have_value("rolled border")
    page.get_by_role("button", name="Add to the visit").click()
    expect(page.locator(".visit-notes")).to_contain_text("rolled border")


def test_another_explanation_is_asked_for_watched_and_drawn_without_a_reload(
    open_page, answered, clinician, monkeypatch
):
    from classifier.analysing import explaining
    from classifier.runtimes.base import Computed
    from classifier.services.analysis import explanations

    maps = np.zeros((12, 14, 14), np.float16)
    maps[:, 2, 11] = 1
    found = explaining.Explained(maps, "layer3", Computed("pytorch-grad-cam 1.5.7", "f32"))
    monkeypatch.setattr(explaining, "explain", lambda *given: found)
    page = open_result(open_page, clinician, answered)
    page.get_by_label("Comment (optional)").fill("being typed")
    page.locator("#explanations > summary").click()
    page.get_by_role("button", name="Compute LayerCAM, twice as fine").click()
    expect(page.locator("#explanations")).to_contain_text("Waiting")
    page.evaluate("scrollTo(0, 0)")  # or the bar covers what is under it
    assert violations(page) == []
    jobs.run_waiting(explanations.JOB)
    page.get_by_role("button", name="Show LayerCAM · layer3 · 14 × 14").click()
    expect(page.locator("[data-heat-method]")).to_have_text("LayerCAM · layer3 · 14 × 14")
    expect(page.get_by_role("button", name="Show LayerCAM")).to_have_attribute("aria-pressed", "true")
    heat_is_drawn(page)
    expect(page.locator("[data-heat]")).to_be_visible()
    down, across = np.unravel_index(pixels(page)[..., 3].argmax(), (256, 256))
    assert abs(down / 256 - 2.5 / 14) < 0.02 and abs(across / 256 - 11.5 / 14) < 0.02
    row = answered.explanations.get()
    for link in page.locator("a[data-panels-download]").all():
        assert f"explanation={row.pk}" in link.get_attribute("href")
    page.evaluate("scrollTo(0, 0)")
    assert violations(page) == []
    page.get_by_role("button", name="Show Grad-CAM · 7 × 7").click()
    expect(page.locator("[data-heat-method]")).to_have_text("Grad-CAM · 7 × 7")
    assert "explanation" not in page.locator("a[data-panels-download]").first.get_attribute("href")
    expect(page.get_by_label("Comment (optional)")).to_have_value("being typed")
