"""Worklist, filing, pathology and comparing, as a person at the keyboard does them."""

import io

import numpy as np
import pytest
from django.utils import timezone
from PIL import Image
from playwright.sync_api import expect

from skinclinic.imaging import encode_jpeg
from skinclinic.models import Diagnosis, Lesion, Patient
from skinclinic.services import second_opinions
from skinclinic.services.binning import bin
from skinclinic.services.photos import store_photo
from tests import crowd, factories, results
from tests.browser.axe import violations
from tests.skinclinic.imaging.test_alignment import skin

pytestmark = pytest.mark.django_db(transaction=True)

FOCUSED = "document.activeElement.closest('tr')?.id"
TRANSFORM = "[...document.querySelectorAll('.compare-moved')].map((image) => image.style.transform)"


@pytest.fixture
def patient(clinic):
    return factories.make_patient(clinic, "P-0001", birth_year=1956)


def test_rows_are_walked_and_opened_by_key(open_page, clinician, clinic, patient):
    lesions = [
        Lesion.objects.create(clinic=clinic, patient=patient, site=site) for site in ("nose", "ear", "lip")
    ]
    third, second, first = (f"case-{lesion.pk}" for lesion in lesions)
    page = open_page(clinician, "/")
    walked = []
    for key in ("j", "j", "j", "j", "k"):
        page.keyboard.press(key)
        walked.append(page.evaluate(FOCUSED))
    assert walked == [first, second, third, third, second]
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/lesions/{lesions[1].pk}/?list=*")


def test_search_by_key_filters_in_place_and_the_address_keeps_it(open_page, clinician, clinic, patient):
    Lesion.objects.create(clinic=clinic, patient=patient)
    other = Lesion.objects.create(clinic=clinic, patient=factories.make_patient(clinic, "KR-7"))
    page = open_page(clinician, "/")
    page.keyboard.press("Slash")
    page.keyboard.type("kr")
    page.wait_for_url("**/?q=kr")
    assert page.locator("tr.case").count() == 1
    assert page.evaluate("document.activeElement.id") == "worklist-search"
    page.select_option("#filter-state", "failed")
    page.wait_for_url("**/?q=kr&state=failed")
    assert page.get_by_text("Nothing matches").is_visible()
    page.goto(page.url.replace("&state=failed", ""))
    assert page.locator(f"#case-{other.pk}").is_visible() and page.input_value("#worklist-search") == "kr"


def test_a_filtered_list_is_read_with_the_keyboard_alone(open_page, clinician, clinic, patient):
    photos = [factories.make_photo(clinic, clinician, seed=seed) for seed in range(4)]
    for photo, site in zip(photos, ("nose", "ear", "nose", "nose"), strict=True):
        Lesion.objects.filter(pk=photo.lesion_id).update(patient=patient, site=site)
        results.finished(photo, clinician)
    first, second, _ear, third = [photo.pk for photo in (photos[3], photos[2], photos[1], photos[0])]
    page = open_page(clinician, "/")
    page.keyboard.press("Slash")
    page.keyboard.type("nose")
    page.keyboard.press("Enter")
    expect(page.locator(".case-link:focus")).to_have_count(1)
    assert page.locator("#worklist-hits").inner_text() == "3 cases"
    page.keyboard.press("Enter")

    def at(photo, place):
        page.wait_for_url(f"**/photos/{photo}/?list=*")
        expect(page.locator("#walk-place")).to_have_text(place)

    def decide(key):
        page.keyboard.press(key)
        page.keyboard.press("Enter")
        page.locator(".assess-saved").wait_for()

    at(first, "1 of 3")
    decide("t")
    page.keyboard.press("j")
    at(second, "2 of 3")
    page.keyboard.press("j")
    at(third, "3 of 3")
    decide("x")
    page.keyboard.press("n")
    at(second, "2 of 3")
    page.keyboard.press("b")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator("#plan").get_by_text("See again by").wait_for()
    # Enter in a field means the day that was typed, not the first of the buttons.
    page.fill("#plan-due", f"{timezone.localdate().year + 1}-12-24")
    page.locator("#plan-due").press("Enter")
    page.locator("#plan").get_by_text("See again by 24 Dec").or_(page.get_by_text("Dec. 24")).first.wait_for()
    page.locator("#plan-said").focus()
    page.keyboard.press("k")
    at(first, "1 of 3")
    page.keyboard.press("l")
    page.wait_for_url("**/?q=nose&*")
    # What is decided has left the list; the next case stands in its place.
    assert page.evaluate(FOCUSED) == f"case-{photos[2].lesion_id}"
    assert page.locator("tr.case").count() == 1
    # And a case that stays in the list has its row again.
    page.keyboard.press("Enter")
    at(second, "1 of 1")
    page.keyboard.press("l")
    page.wait_for_url("**/?q=nose&*#case-*")
    expect(page.locator(f"#case-link-{photos[2].lesion_id}:focus")).to_have_count(1)


def test_unfinished_rows_follow_their_analysis_without_a_jump(open_page, clinician, clinic):
    crowd.fill(clinic, clinician, 30)
    photo = factories.make_photo(clinic, clinician)
    Lesion.objects.filter(clinic=clinic).update(
        state="done", top_disease="sk", top_score=0.5, malignant_sum=0.1
    )
    Lesion.objects.filter(pk=photo.lesion_id).update(state="queued", top_disease="", malignant_sum=None)
    page = open_page(clinician, "/")
    # Rows made in bulk have no files behind their thumbnails.
    page.allowed_errors.append("404")
    row = page.locator(f"#case-{photo.lesion_id}")
    assert row.get_by_text("Queued").is_visible()
    page.keyboard.press("j")
    page.evaluate("window.scrollTo(0, 40)")
    Lesion.objects.filter(pk=photo.lesion_id).update(
        state="done", top_disease="mm", top_score=0.9, malignant_sum=0.95
    )
    row.get_by_text("Malignant melanoma").wait_for()
    assert page.evaluate(FOCUSED) == f"case-{photo.lesion_id}"
    assert page.evaluate("window.scrollY") == 40


def test_a_photo_is_filed_with_the_keyboard_alone(open_page, clinician, clinic, patient, photo):
    page = open_page(clinician, f"/photos/{photo.pk}/filing/")
    assert page.evaluate("document.activeElement.id") == "filing-code"
    page.keyboard.type("p-0")
    page.locator("[role=option]").first.wait_for()
    page.keyboard.press("ArrowDown")
    assert page.get_attribute("#filing-code", "aria-activedescendant") == "filing-code-list-0"
    page.keyboard.press("Enter")
    page.locator("#filing-patient").get_by_text("1956").wait_for()
    assert page.input_value("#filing-code") == "P-0001"
    for _tab in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "id_site":
            break
    page.keyboard.type("Nose")
    while page.evaluate("document.activeElement.type") != "submit":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/lesions/*/")
    lesion = Lesion.objects.get(pk=photo.lesion_id)
    assert (lesion.patient, lesion.site) == (patient, "nose")
    page.get_by_role("button", name="Undo").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/photos/{photo.pk}/filing/")
    assert Lesion.objects.get(pk=photo.lesion_id).patient is None


def test_a_new_patient_is_made_while_filing_and_a_wrong_field_keeps_the_rest(open_page, clinician, photo):
    page = open_page(clinician, f"/photos/{photo.pk}/filing/")
    page.allowed_errors.append("422")
    page.fill("#filing-code", "N-17")
    page.fill("#id_birth_year", "1500")
    page.select_option("#id_skin_type", "3")
    page.get_by_role("button", name="File", exact=True).click()
    page.locator("#id_birth_year[aria-invalid=true]").wait_for()
    assert page.input_value("#filing-code") == "N-17" and page.input_value("#id_skin_type") == "3"
    page.fill("#id_birth_year", "1985")
    page.get_by_role("button", name="File", exact=True).click()
    page.wait_for_url("**/lesions/*/")
    made = Patient.objects.get()
    assert (made.code, made.birth_year, made.skin_type) == ("N-17", 1985, 3)


def test_pathology_is_recorded_with_the_keyboard_alone(open_page, clinician, photo):
    page = open_page(clinician, f"/lesions/{photo.lesion_id}/")
    page.keyboard.press("p")
    assert page.evaluate("document.activeElement.id") == "pathology-diagnosis"
    page.keyboard.type("흑색")
    page.locator("[role=option]").first.wait_for()
    page.keyboard.press("Enter")
    assert page.input_value("#pathology-diagnosis") == "Malignant melanoma"
    page.keyboard.press("Tab")
    page.keyboard.type("Histo")
    while page.evaluate("document.activeElement.type") != "submit":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The pathology is recorded")).to_be_in_viewport()
    row = Diagnosis.objects.get()
    assert (row.disease, row.confirmed_by) == ("mm", "histopathology")


def test_a_lesion_is_deleted_and_restored_with_the_keyboard_alone(open_page, clinician, photo):
    page = open_page(clinician, f"/lesions/{photo.lesion_id}/")
    page.get_by_role("link", name="Delete").press("Enter")
    page.get_by_label("Made by mistake").press("Space")
    page.get_by_role("button", name="Move to the bin").press("Enter")
    expect(page.get_by_role("heading", name="In the bin: Lesion")).to_be_visible()
    assert not Lesion.objects.exists()
    page.get_by_role("button", name="Restore").press("Enter")
    expect(page.get_by_text("Restored.")).to_be_visible()
    assert page.url.endswith(f"/lesions/{photo.lesion_id}/") and Lesion.objects.exists()


def test_enter_that_ends_a_syllable_takes_nothing(open_page, clinician, photo):
    """An input method sends Enter with isComposing while the syllable is still open."""
    page = open_page(clinician, f"/lesions/{photo.lesion_id}/")
    page.focus("#pathology-diagnosis")
    page.keyboard.type("melanoma")
    page.locator("[role=option]").first.wait_for()
    page.evaluate(
        """document.activeElement.dispatchEvent(new KeyboardEvent("keydown",
           {key: "Enter", code: "Enter", isComposing: true, bubbles: true, cancelable: true}))"""
    )
    assert page.input_value("input[name=diagnosis]") == ""
    page.keyboard.press("Escape")
    assert page.get_attribute("#pathology-diagnosis", "aria-expanded") == "false"
    assert page.input_value("#pathology-diagnosis") == "melanoma"


def test_choices_that_come_late_do_not_open_a_list_that_was_closed(open_page, clinician, photo):
    page = open_page(clinician, f"/lesions/{photo.lesion_id}/")
    waiting = []
    page.route("**/*q=m*", lambda route: waiting.append(route))
    page.focus("#pathology-diagnosis")
    page.keyboard.type("m")
    for _turn in range(2400):
        if waiting:
            break
        page.wait_for_timeout(50)
    page.keyboard.press("Escape")
    (asked,) = waiting
    asked.continue_()
    page.wait_for_timeout(300)
    assert page.get_attribute("#pathology-diagnosis", "aria-expanded") == "false"


def test_compared_photos_zoom_and_move_in_step(open_page, clinician, clinic, photo):
    factories.make_photo(clinic, clinician, seed=5, lesion=photo.lesion)
    page = open_page(clinician, f"/lesions/{photo.lesion_id}/")
    page.keyboard.press("Equal")
    page.keyboard.press("Equal")
    page.focus(".compare")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    first, second = page.evaluate(TRANSFORM)
    assert first == second and "scale(1.5625)" in first and "translate(6%, -6%)" in first
    page.keyboard.press("0")
    assert page.evaluate(TRANSFORM)[1] == "translate(0%, 0%) scale(1)"
    page.locator(".compare-view").first.hover()
    page.keyboard.down("Control")
    page.mouse.wheel(0, -300)
    page.keyboard.up("Control")
    first, second = page.evaluate(TRANSFORM)
    assert first == second and "scale(1)" not in first


def test_photos_are_wiped_and_alternated_and_the_address_says_how(open_page, clinician, clinic, photo):
    """One lies over the other aligned where that is sure, else as it is, which is said; C is left out then."""
    earlier = factories.make_photo(clinic, clinician, seed=5, lesion=photo.lesion)
    page = open_page(clinician, f"/lesions/{photo.lesion_id}/?a={photo.pk}&b={earlier.pk}", width=390)
    views = page.locator(".compare-view")
    tops = [view.bounding_box()["y"] for view in views.all()]
    height = page.locator(".compare").bounding_box()["height"]
    assert tops[1] > tops[0] and height < 844 - 110, "both between the bars of a phone"
    page.get_by_label("Swipe").check()
    page.get_by_text("Cannot be aligned").wait_for()
    page.focus(".compare-divider")
    for key in ("ArrowRight", "ArrowRight", "PageUp"):
        page.keyboard.press(key)
    page.get_by_label("Divider to the left").click()
    assert page.get_attribute(".compare-divider", "aria-valuenow") == "54"
    assert (
        page.evaluate("document.querySelector('[data-place=B] .compare-view').style.clipPath")
        == "inset(0px 0px 0px 54%)"
    )
    page.get_by_label("Align").uncheck()
    assert page.inner_text("[data-align-said]") == "Shown as they are, not aligned."
    page.get_by_label("Flicker").check()
    assert f"mode=flicker&a={photo.pk}&b={earlier.pk}" in page.url and not views.last.is_visible()
    page.keyboard.down("x")
    assert views.last.is_visible()
    page.keyboard.up("x")
    assert (
        not views.last.is_visible()
        and page.evaluate("getComputedStyle(document.querySelector('.compare-divider')).display") == "none"
    )
    page.get_by_role("button", name="Start").click()
    page.locator(".compare-other").wait_for()
    page.emulate_media(reduced_motion="reduce")
    page.get_by_text("less motion").wait_for()
    assert not page.get_by_role("button", name="Start").is_visible() and not views.last.is_visible()
    page.check(f"#compare-a-{earlier.pk}")
    page.wait_for_url(f"**b={photo.pk}&a={earlier.pk}")
    assert page.evaluate("document.activeElement.id") == f"compare-a-{earlier.pk}"
    # Away and back: what is chosen and what is shown agree.
    page.goto(page.url.split("/lesions")[0] + "/patients/")
    page.go_back()
    assert page.is_checked(f"#compare-a-{earlier.pk}") and page.is_checked(f"#compare-b-{photo.pk}")
    assert page.get_attribute("[data-place=A]", "data-photo") == str(earlier.pk)
    assert page.locator(".compare[data-mode=flicker]").is_visible()


def test_an_aligned_photo_lies_on_the_other_point_by_point(open_page, clinician, clinic):
    """The second photo is a part of the first, turned and of another size: laid over it, both show the same."""
    lesion = Lesion.objects.create(clinic=clinic)
    scene = Image.fromarray(skin(11, 640, 480)).convert("RGB")
    part = (
        scene.rotate(8, Image.Resampling.BICUBIC, center=(320, 240))
        .crop((60, 40, 580, 430))
        .resize((416, 312))
    )
    earlier, later = (
        store_photo(clinic=clinic, user=clinician, data=encode_jpeg(picture), name="skin.jpg", lesion=lesion)[
            0
        ]
        for picture in (scene, part)
    )
    page = open_page(clinician, f"/lesions/{lesion.pk}/?a={earlier.pk}&b={later.pk}&mode=swipe&align=on")
    page.get_by_text("does not measure growth").wait_for()
    page.wait_for_function("[...document.querySelectorAll('.compare img')].every((image) => image.complete)")

    def difference() -> float:
        """Of the two photos in the middle of the pane, in grey levels."""
        shown = []
        for key in ("Home", "End"):
            page.locator(".compare-divider").press(key)
            box = page.locator("[data-place=A] .compare-view").bounding_box()
            middle = {name: box[name] + box[size] * 0.3 for name, size in (("x", "width"), ("y", "height"))}
            clip = middle | {size: box[size] * 0.4 for size in ("width", "height")}
            shot = page.screenshot(clip=clip, animations="disabled")
            shown.append(np.asarray(Image.open(io.BytesIO(shot)).convert("L"), dtype=float)[:, 8:-8])
        return float(np.abs(shown[0] - shown[1]).mean())

    aligned = difference()
    page.get_by_label("Align").uncheck()
    assert aligned < 8 < 20 < difference()


def test_a_length_is_marked_by_taps_keys_and_numbers(open_page, clinician, photo):
    page = open_page(clinician, f"/photos/{photo.pk}/size/", width=390, touch=True)
    box = page.locator("[data-pane]").bounding_box()
    for share in (0.25, 0.75):
        page.touchscreen.tap(box["x"] + share * box["width"], box["y"] + 0.5 * box["height"])
    x1, x2 = (float(page.input_value(f"[name=scale_{name}]")) for name in ("x1", "x2"))
    assert (x1, x2) == pytest.approx((photo.width / 4, photo.width * 3 / 4), abs=2)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    assert float(page.input_value("[name=scale_x2]")) == pytest.approx(x2 + 11)
    page.fill("[name=scale_x1]", "10")
    assert "known length, point 1: 10," in page.get_by_label("point 1").first.get_attribute("aria-label")
    page.fill("[name=mm]", "20")
    page.get_by_role("button", name="Save the scale").click()
    page.get_by_text("The scale is saved.").wait_for()
    assert photo.scales.get().points[0] == 10 and photo.scales.get().off == 1.5


LETTERS_OF_FIELDS = """Math.min(...[...document.querySelectorAll("input, select, textarea")]
    .filter((field) => !["checkbox", "radio", "range", "hidden"].includes(field.type))
    .map((field) => parseFloat(getComputedStyle(field).fontSize)))"""


@pytest.mark.parametrize(("width", "dark", "language"), [(1440, False, "en"), (390, True, "ko")])
def test_pages_are_accessible_and_fit(
    open_page, live_server, clinician, clinic, patient, photo, width, dark, language
):
    Lesion.objects.filter(pk=photo.lesion_id).update(
        patient=patient, site="nose", state="done", top_disease="mm", top_score=0.9, malignant_sum=0.95
    )
    unfiled = factories.make_photo(
        clinic, clinician, seed=3, name="a rather long name of a photo " * 5 + ".jpg"
    )
    other = factories.make_patient(clinic, "P-" + "0123456789" * 6, sex="male", ethnicity="Korean")
    gone = [
        bin.put(
            factories.make_photo(clinic, clinician, seed=n, name="long name " * 15), clinician, reason=why
        )
        for n, why in ((4, "other"), (5, "identifiable"))
    ]
    page = open_page(clinician, width=width, dark=dark, language=language)
    for path in (
        "/",
        "/?show=not-filed",
        "/patients/",
        "/patients/new/",
        f"/patients/{patient.pk}/",
        f"/lesions/{photo.lesion_id}/",
        f"/lesions/{photo.lesion_id}/opinions/new/",
        f"/lesions/{photo.lesion_id}/edit/",
        f"/photos/{unfiled.pk}/filing/",
        f"/photos/{unfiled.pk}/size/",
        f"/patients/{patient.pk}/delete/",
        f"/patients/{patient.pk}/merge/?code={other.code}",
        "/bin/",
        f"/bin/{gone[0].pk}/",
    ):
        page.goto(live_server.url + path)
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        if width < 500:
            assert page.evaluate(LETTERS_OF_FIELDS) >= 16, f"an iPhone zooms into a field of {path}"
        for mark in page.locator(".lesion-mark circle").all():
            assert min(mark.bounding_box()["width"], mark.bounding_box()["height"]) >= 24, path


def test_cases_are_chosen_by_key_and_done_together(open_page, clinician, clinic, patient):
    lesions = [
        Lesion.objects.create(clinic=clinic, patient=patient, site=site) for site in ("nose", "ear", "lip")
    ]
    page = open_page(clinician, "/")
    bar = page.locator("#cases-bulk")
    assert bar.is_hidden()
    # Newest first: the first, and with Shift all up to the last.
    for key in ("j", "x", "j", "j", "Shift+X"):
        page.keyboard.press(key)
    expect(bar.locator("[data-count]")).to_have_text("3 chosen")
    page.locator("[data-case]").nth(1).click()
    expect(bar.locator("[data-count]")).to_have_text("2 chosen")
    assert violations(page) == []
    page.get_by_role("button", name="Assign", exact=True).click()
    expect(page.get_by_text("2 cases are assigned to Clara.")).to_be_visible()
    assert list(Lesion.objects.filter(assignee=clinician).order_by("pk")) == [lesions[0], lesions[2]]
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone for 2 cases.")).to_be_visible()
    # On a phone the filters wait behind one button, and say how many there are.
    page.set_viewport_size({"width": 390, "height": 844})
    fold = page.locator(".worklist-fold")
    expect(page.locator("#filter-state")).to_be_hidden()
    fold.click()
    page.select_option("#filter-state", "failed")
    expect(fold).to_have_text("Filter (1)")
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_colleague_outside_answers_on_a_phone(open_page, clinician, photo):
    _opinion, secret = second_opinions.ask_outside(
        photo.lesion, clinician, name="Noor", photos=[photo], shows=["site", "diagnosis"], question="Excise?"
    )
    page = open_page(None, f"/opinion/{secret}/", width=390, touch=True)
    page.get_by_role("button", name="Zoom in").click()
    expect(page.locator("[data-zoom-shown]")).to_have_text("125%")
    photo_box, words_box = (
        page.locator(part).bounding_box() for part in (".compare-view", ".compare-pane figcaption")
    )
    assert photo_box["y"] + photo_box["height"] <= words_box["y"] + 1, "no words over the photo"
    page.get_by_role("combobox").fill("keratoacanthoma")
    page.get_by_role("option").first.click()
    page.get_by_label("Malignant", exact=True).check()
    page.allowed_errors.append("422")
    page.get_by_role("button", name="Send my answer").click()
    expect(page.get_by_role("alert")).to_have_text("Choose one of the three.")
    assert page.get_by_role("combobox").input_value() == "Keratoacanthoma"
    assert violations(page) == []
    page.locator("input[name=biopsy][value=yes]").check()
    page.get_by_role("button", name="Send my answer").click()
    expect(page.get_by_text("Your answer is saved")).to_be_visible()
    expect(page.get_by_text("Diagnosis of Clara")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_an_at_offers_members_and_calls_the_one_chosen(open_page, clinician, curator, photo):
    page = open_page(clinician, f"/lesions/{photo.lesion_id}/")
    page.keyboard.press("m")
    page.keyboard.type("Look, @cur")
    expect(page.locator("#comment-names-new [role=option]")).to_have_count(1)
    page.keyboard.press("Enter")
    assert page.locator("#comment-text-new").input_value() == "Look, @Curtis "
    page.get_by_role("button", name="Comment").click()
    expect(page.locator(".comments-list")).to_contain_text("Named: Curtis")
    assert photo.lesion.calls.get().user == curator
