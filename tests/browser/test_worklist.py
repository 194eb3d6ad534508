"""Worklist, filing, pathology and comparing, as a person at the keyboard does them."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from skinclinic.models import Diagnosis, Lesion, Patient
from skinclinic.services.binning import bin
from tests import crowd, factories, results
from tests.browser.axe import violations

pytestmark = pytest.mark.django_db(transaction=True)

FOCUSED = "document.activeElement.closest('tr')?.id"
TRANSFORM = "[...document.querySelectorAll('.compare-view img')].map((image) => image.style.transform)"


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
    for _turn in range(100):
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


LETTERS_OF_FIELDS = """Math.min(...[...document.querySelectorAll("input, select, textarea")]
    .filter((field) => !["checkbox", "radio", "range", "hidden"].includes(field.type))
    .map((field) => parseFloat(getComputedStyle(field).fontSize)))"""


@pytest.mark.parametrize(("width", "dark", "language"), [(1440, False, "en"), (390, True, "ko")])
def test_pages_are_accessible_and_fit(open_page, clinician, clinic, patient, photo, width, dark, language):
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
    for path in (
        "/",
        "/?show=not-filed",
        "/patients/",
        "/patients/new/",
        f"/patients/{patient.pk}/",
        f"/lesions/{photo.lesion_id}/",
        f"/lesions/{photo.lesion_id}/edit/",
        f"/photos/{unfiled.pk}/filing/",
        f"/patients/{patient.pk}/delete/",
        f"/patients/{patient.pk}/merge/?code={other.code}",
        "/bin/",
        f"/bin/{gone[0].pk}/",
    ):
        page = open_page(clinician, path, width=width, dark=dark, language=language)
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        if width < 500:
            assert page.evaluate(LETTERS_OF_FIELDS) >= 16, f"an iPhone zooms into a field of {path}"
        for mark in page.locator(".lesion-mark circle").all():
            assert min(mark.bounding_box()["width"], mark.bounding_box()["height"]) >= 24, path
