"""A reader in a real browser: a whole reading by keyboard, offline, reloads, two windows, phone; and that nothing of
a whole session tells what a photo shows."""

import hashlib
import re
from dataclasses import dataclass

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from playwright.sync_api import Page, expect

from classifier.presenters.differential import KEY_CAPS
from reader_study.models import Answer, AnswerChange, Study, StudyImage
from skinclinic.archive.models import DatasetItem, Entry
from skinclinic.models import Photo
from skinclinic.services import records
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests import evaluated
from tests.browser import clock
from tests.browser.axe import violations
from tests.studies import make_study

pytestmark = pytest.mark.django_db(transaction=True)

TWELVE = ["bcc", "mm", "sk", "nevus", "ak", "bcc", "mm", "sk", "nevus", "df", "wart", "pg"]
KEYS = [*(f"Digit{n}" for n in range(1, 10)), "Digit0", "Minus", "Equal"]
CODES = dict(zip(DISEASE_KEYS, KEYS, strict=True))


@pytest.fixture
def made(clinic, coordinator):
    return make_study(clinic, coordinator, labels=TWELVE * 2, practice=2, question="What is your diagnosis?")


@pytest.fixture
def few(clinic, coordinator):
    return make_study(clinic, coordinator, labels=TWELVE[:5], practice=0)


@pytest.fixture
def aided(clinic, coordinator, tmp_path):
    model = evaluated.make_model(clinic, tmp_path, "compared", demo=True)
    made = make_study(clinic, coordinator, labels=TWELVE[:3], practice=1, aided=True, model=model)
    made.study.sessions.filter(key="unaided").delete()
    return made


def begin(page: Page) -> None:
    """Confirm the instructions and skip the practice."""
    page.get_by_label("I have read the instructions").check()
    page.get_by_role("button", name=re.compile("^Begin")).click()
    if "/practice/" in page.url:
        page.get_by_role("link", name="Start the session").click()
    on_photo(page, 1)


def on_photo(page: Page, position: int) -> None:
    """The photo at `position` is in sight."""
    expect(page.locator("[data-place]")).to_have_text(re.compile(rf"^Photo {position} of "))
    expect(page.locator("[data-photo]")).to_be_visible()


def answer(page: Page, key: str) -> None:
    page.keyboard.press(CODES[key])
    page.keyboard.press("Enter")


def fits(page: Page) -> None:
    """Nothing is wider than the screen."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


def places(page: Page) -> list:
    """Where the photo and the first choices are: [left, top, width, height] of each."""
    return page.locator("[data-stage], .reading-choice").evaluate_all(
        """(all) => all.slice(0, 5).map((one) => one.getBoundingClientRect()).map((edge) =>
            [edge.left, edge.top, edge.width, edge.height].map(Math.round))"""
    )


def saved(page: Page) -> None:
    expect(page.locator("#save-state")).to_have_attribute("data-state", "saved")


def given(made) -> list[str]:
    """Choices in the reader's own order."""
    reading = made.readers[0].readings.get()
    rows = dict(Answer.objects.filter(reading=reading).values_list("image__number", "choice"))
    return [rows[number] for number in reading.order if number in rows]


def test_a_whole_reading_by_keyboard(open_page, made):
    page = open_page(None, f"/reading/{made.secrets[0]}/")
    page.keyboard.press("Tab")
    page.get_by_label("I have read the instructions").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_text("Practice, does not count")).to_be_visible()
    for position in (1, 2):
        on_photo(page, position)
        answer(page, "mm")
    expect(page.get_by_role("heading", name="That was the practice")).to_be_focused()
    assert not Answer.objects.exists()
    page.keyboard.press("Enter")

    wanted = TWELVE[::-1] * 2
    for position, key in enumerate(wanted, start=1):
        on_photo(page, position)
        if position == 7:
            # A slip of the finger, taken back.
            answer(page, "wart")
            on_photo(page, 8)
            page.keyboard.press("KeyU")
            on_photo(page, 7)
            expect(page.get_by_role("radio", name="Wart")).to_be_checked()
        if position == 12:
            page.keyboard.press("ArrowLeft")
            on_photo(page, 11)
            expect(page.locator("input[name=choice]:checked")).to_have_value(wanted[10])
            page.keyboard.press("ArrowRight")
            on_photo(page, 12)
        answer(page, key)
    expect(page.get_by_role("heading", name="Every photo is answered")).to_be_focused()
    # All answers are listed, and one of them leads to its photo and back to the list.
    expect(page.locator("[data-review] li")).to_have_count(24)
    page.get_by_role("button", name="Photo 5: ").click()
    on_photo(page, 5)
    page.wait_for_load_state("networkidle")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Every photo is answered")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Done. Thank you!")).to_be_visible()
    assert given(made) == wanted
    reading = made.readers[0].readings.get()
    assert reading.finished_at
    assert AnswerChange.objects.filter(is_in_force=True).count() == 26
    assert all(seconds > 0 for seconds in Answer.objects.values_list("seconds", flat=True))


def test_consent_questions_and_a_practice_that_answers(open_page, made):
    Study.objects.update(
        asks_consent=True, consent_text="You may stop.", asks_about_reader=True, practice_feedback=True,
        practice_pass=1, practice_tries=2,
    )  # fmt: skip
    page = open_page(None, f"/reading/{made.secrets[0]}/", width=390, dark=True)
    page.get_by_role("button", name="I take part").click()
    page.get_by_role("link", name="Go on").click()
    page.get_by_label("Years of practice").fill("7")
    assert violations(page) == [] and page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_label("I have read the instructions").check()
    assert violations(page) == [] and page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="Begin with the practice photos").click()
    for position, choice, said in ((1, "bcc", "Right: Basal"), (2, "mm", "Not right: this is Basal")):
        on_photo(page, position)
        answer(page, choice)
        expect(page.get_by_text(said)).to_be_visible()
        expect(page.locator("[data-photo]")).to_be_visible()
        expect(page.get_by_role("button", name="Go on")).to_be_focused()
        assert violations(page) == []
        page.keyboard.press("Enter")
    page.get_by_role("link", name="See whether you have passed").click()
    expect(page.get_by_text("You have passed the practice.")).to_be_visible()
    page.get_by_role("link", name="Start the session").click()
    on_photo(page, 1)
    assert not Answer.objects.exists() and made.readers[0].about.years == 7


def test_practice_that_answers_tells_what_was_no_diagnosis(open_page, made):
    """No time runs while it is told what the photo shows, and Enter leads on to the session."""
    Study.objects.update(practice_feedback=True, offers_cannot_judge=True, time_limit=3, may_go_back=False)
    page = open_page(None, f"/reading/{made.secrets[0]}/")
    clock.pause(page)
    asked = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    page.get_by_label("I have read the instructions").check()
    page.get_by_role("button", name="Begin with the practice photos").click()
    on_photo(page, 1)
    page.keyboard.press("KeyX")
    page.keyboard.press("Enter")
    expect(
        page.get_by_text("Not right: this is Basal cell carcinoma. You said Cannot judge.")
    ).to_be_visible()
    page.clock.fast_forward(3500)
    expect(page.get_by_text("You said Cannot judge.")).to_be_visible()
    page.keyboard.press("Enter")
    on_photo(page, 2)
    page.clock.fast_forward(3000)
    expect(page.get_by_text("The time is over. This is Basal cell carcinoma.")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="That was the practice")).to_be_focused()
    page.keyboard.press("Enter")
    on_photo(page, 1)
    assert "/practice/" not in page.url
    # Each photo was over once.
    answered = [url.partition("/practice/")[2] for url in asked if url.endswith("/answer")]
    assert answered == ["1/answer", "2/answer"]


def test_offline_ten_can_be_answered_and_are_saved_on_return(open_page, made):
    page = open_page(None, f"/reading/{made.secrets[0]}/")
    page.allowed_errors.append("ERR_INTERNET_DISCONNECTED")
    begin(page)
    answer(page, "mm")
    on_photo(page, 2)
    saved(page)
    # The ten photos after this one are there already.
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    for position in range(2, 13):
        on_photo(page, position)
        answer(page, "sk")
    expect(page.locator("#save-state")).to_contain_text("Offline, waiting: 11")
    expect(page.locator("[data-waiting]")).to_be_visible()
    assert given(made) == ["mm"]
    page.context.set_offline(False)
    saved(page)
    on_photo(page, 13)
    assert given(made) == ["mm", *["sk"] * 11]


def test_a_connection_that_returns_while_an_answer_is_on_its_way_is_no_reason_to_wait_long(open_page, few):
    page = open_page(None, f"/reading/{few.secrets[0]}/")
    page.allowed_errors.append("Failed to load resource")
    begin(page)
    # What seven failures make of the pause takes a minute.
    page.evaluate("() => { window.wait = setTimeout; window.setTimeout = (run, ms) => wait(run, ms / 50) }")
    tries = []

    def lost_eight_times(route):
        tries.append(route)
        if len(tries) == 8:
            page.evaluate("() => { window.setTimeout = wait; dispatchEvent(new Event('online')) }")
        route.abort() if len(tries) <= 8 else route.continue_()

    page.context.route("**/answer", lost_eight_times)
    answer(page, "mm")
    # Until the pause in which it fails the eighth time is over; a page that gave up would never be saved.
    saved(page)
    assert given(few) == ["mm"] and len(tries) == 9


def test_answers_that_wait_survive_the_closed_window(open_page, few):
    page = open_page(None, f"/reading/{few.secrets[0]}/")
    page.allowed_errors.append("Failed to load resource")
    begin(page)
    page.context.route("**/answer", lambda route: route.fulfill(status=503, body="down"))
    answer(page, "mm")
    on_photo(page, 2)
    answer(page, "sk")
    expect(page.locator("#save-state")).to_contain_text("Offline, waiting: 2")
    address = page.url
    page.close()
    assert given(few) == []
    again = page.context.new_page()
    again.context.unroute("**/answer")
    again.goto(address)
    saved(again)
    on_photo(again, 3)
    assert given(few) == ["mm", "sk"]


def test_waiting_answers_are_sent_from_the_first_page_too(open_page, few):
    page = open_page(None, f"/reading/{few.secrets[0]}/")
    page.allowed_errors.append("Failed to load resource")
    begin(page)
    page.context.route("**/answer", lambda route: route.abort())
    answer(page, "mm")
    expect(page.locator("#save-state")).to_contain_text("Offline, waiting: 1")
    page.get_by_role("link", name="Pause").click()
    expect(page.get_by_text("Answers that wait on this device: 1")).to_be_visible()
    page.context.unroute("**/answer")
    expect(page.get_by_text("1 of 5 answered")).to_be_visible()
    assert given(few) == ["mm"]


# Decoding takes a while, and letting go of a photo meanwhile is an error.
SLOW_DECODING = """
const { decode } = HTMLImageElement.prototype;
const { revokeObjectURL } = URL;
const decoding = [];
HTMLImageElement.prototype.decode = async function () {
  const url = this.src;
  decoding.push(url);
  await new Promise((done) => setTimeout(done, 200));
  await decode.call(this).finally(() => decoding.splice(decoding.indexOf(url), 1));
};
URL.revokeObjectURL = (url) => {
  if (decoding.includes(url)) console.error("let go of while it is decoded");
  revokeObjectURL.call(URL, url);
};
"""


def test_a_reload_goes_on_where_it_was_with_what_was_chosen(open_page, few):
    page = open_page(None, f"/reading/{few.secrets[0]}/")
    begin(page)
    answer(page, "mm")
    on_photo(page, 2)
    saved(page)
    page.keyboard.press(CODES["pg"])
    page.add_init_script(SLOW_DECODING)
    page.reload()
    on_photo(page, 2)
    expect(page.get_by_role("radio", name="Pyogenic granuloma")).to_be_checked()

    # The next photo is here already when its patient's consent is taken back: it is shown no more, nor the last.
    order = few.readers[0].readings.get().order
    for place, goes_on_with in ((3, 4), (5, None)):
        patient = StudyImage.objects.get(study=few.study, number=order[place - 1]).photo.lesion.patient
        records.change(patient, {"research_consent": "refused"}, few.study.created_by)
        answer(page, "bcc")
        if goes_on_with:
            on_photo(page, goes_on_with)
            saved(page)
    expect(page.get_by_role("heading", name="Every photo is answered")).to_be_visible()


def test_two_windows_show_both_answers(open_page, few):
    one = open_page(None, f"/reading/{few.secrets[0]}/")
    begin(one)
    other = open_page(None, f"/reading/{few.secrets[0]}/unaided/")
    on_photo(other, 1)
    answer(one, "mm")
    saved(one)
    answer(other, "sk")
    dialog = other.get_by_role("dialog", name="Two answers to the same photo")
    expect(dialog).to_contain_text("Malignant melanoma")
    expect(dialog).to_contain_text("Seborrheic keratosis")
    expect(dialog.get_by_role("img", name="Photo of the lesion")).to_be_visible()
    assert given(few) == ["mm"]
    assert violations(other) == []
    dialog.get_by_role("button", name=re.compile("^Here")).click()
    on_photo(other, 2)
    saved(other)
    assert given(few) == ["sk"]
    assert list(AnswerChange.objects.values_list("choice", "is_in_force")) == [
        ("mm", True), ("sk", False), ("sk", True),
    ]  # fmt: skip


def test_a_closed_study_says_so_in_place_and_keeps_the_answer(open_page, few):
    page = open_page(None, f"/reading/{few.secrets[0]}/")
    page.allowed_errors.append("409")
    begin(page)
    Study.objects.update(state=Study.State.CLOSED)
    answer(page, "mm")
    alert = page.locator("[data-refused]")
    expect(alert).to_contain_text("This study is closed")
    expect(alert).to_contain_text("Answers that were not taken: 1")
    kept = page.evaluate(
        "Object.entries(localStorage).filter(([name]) => name.startsWith('skinclinic-reading '))"
    )
    assert len(kept) == 1
    assert few.secrets[0] not in str(kept), "whoever reads the storage has no link"
    page.evaluate(
        "([[name, text], home]) => { localStorage.removeItem(name);"
        " localStorage.setItem(`skinclinic-reading ${home}unaided/ ${name.split(' ')[2]}`, text); }",
        [kept[0], f"/reading/{few.secrets[0]}/"],
    )
    assert not Answer.objects.exists()
    # It stays until the reader has seen it, and then goes for good.
    page.goto(page.url.replace("unaided/", ""))
    notice = page.locator("#waiting-answers")
    expect(notice).to_contain_text("Answers that were not taken: 1")
    notice.get_by_role("button", name="Understood").click()
    expect(notice).to_be_hidden()
    page.reload()
    expect(page.get_by_role("heading", name="This study is closed")).to_be_visible()
    assert (
        page.evaluate(
            "Object.keys(localStorage).filter((name) => name.startsWith('skinclinic-reading ')).length"
        )
        == 0
    )


def test_no_going_back(open_page, few):
    Study.objects.update(may_go_back=False)
    page = open_page(None, f"/reading/{few.secrets[0]}/")
    begin(page)
    answer(page, "mm")
    on_photo(page, 2)
    page.keyboard.press("ArrowLeft")
    on_photo(page, 2)
    expect(page.get_by_role("button", name="Photo before")).to_have_count(0)
    page.keyboard.press("KeyU")
    on_photo(page, 1)
    for position in range(1, 6):
        on_photo(page, position)
        answer(page, "sk")
    expect(page.get_by_text("Done. Thank you!")).to_be_visible()
    assert given(few) == ["sk"] * 5


def test_keys_zoom_confidence_and_second_choice(open_page, few):
    Study.objects.update(asks_confidence=True, asks_second=True, shown_facts=["age", "sex", "site"])
    page = open_page(None, f"/reading/{few.secrets[0]}/")
    begin(page)
    expect(page.locator("[data-facts]")).to_have_text(re.compile(r"^\d+ years · (Female|Male) · Cheek$"))
    page.keyboard.press("BracketRight")
    expect(page.locator("[data-zoom-value]")).to_have_text("125%")
    page.keyboard.press("BracketLeft")
    expect(page.locator("[data-zoom-value]")).to_have_text("100%")
    page.keyboard.press("Digit6")
    page.keyboard.press("Shift+Digit7")
    # Nobody has said how sure they are: nothing is confirmed.
    confirm = page.get_by_role("button", name="Confirm")
    expect(confirm).to_be_disabled()
    expect(page.locator("[data-open]")).to_have_text("Still to say: how sure you are")
    for _ in range(3):
        page.keyboard.press("Period")
    expect(page.locator("[data-confidence]")).to_have_text("65")
    page.keyboard.press("Enter")
    on_photo(page, 2)
    saved(page)
    row = Answer.objects.get()
    assert (row.choice, row.second, row.confidence) == ("mm", "nevus", 65)
    page.keyboard.press("Shift+Slash")
    dialog = page.get_by_role("dialog", name="Keyboard")
    expect(dialog).to_contain_text("Undo the last answer")
    with page.expect_response("**/keys"):
        dialog.get_by_label("Single-key commands").uncheck()
    dialog.get_by_role("button", name="Close").click()
    page.keyboard.press("Digit1")
    expect(page.locator("input[name=choice]:checked")).to_have_count(0)
    page.reload()
    on_photo(page, 2)
    page.keyboard.press("Digit1")
    expect(page.locator("input[name=choice]:checked")).to_have_count(0)


def test_the_model_is_shown_after_the_own_answer(open_page, aided):
    page = open_page(None, f"/reading/{aided.secrets[0]}/")
    begin(page)
    assert page.locator(".bar-choose").count() == 0
    before = places(page)
    answer(page, "mm")
    expect(page.get_by_role("heading", name="The model's answer")).to_be_visible()
    # The photo does not shrink, and the choices stay where they are.
    assert places(page) == before
    expect(page.locator("[data-heat]")).to_have_attribute("data-shows", re.compile("cividis"))
    expect(page.get_by_text("Where the model looked, not where the disease is.")).to_be_visible()
    expect(page.get_by_text("It does not diagnose").first).to_be_visible()
    assert violations(page) == []
    page.keyboard.down("Space")
    expect(page.locator("[data-heat]")).to_be_hidden()
    page.keyboard.up("Space")
    expect(page.locator("[data-heat]")).to_be_visible()
    expect(page.get_by_role("button", name="Keep this answer")).to_be_enabled()
    # Half a second in sight, from when the page knows that it is.
    page.evaluate(
        "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 600))))"
    )
    answer(page, "sk")
    on_photo(page, 2)
    expect(page.locator(".bar-choose")).to_have_count(0)
    expect(page.locator("[data-heat]")).to_be_hidden()
    saved(page)
    row = Answer.objects.get()
    assert (row.first_choice, row.choice) == ("mm", "sk")
    assert row.model_shown_at and row.saw_model
    assert (row.device, row.viewport) == ("desktop", "1440x900@1")
    assert 0 < row.first_seconds < row.seconds
    # A reload in the middle shows the model again, and Enter keeps the first answer.
    answer(page, "df")
    expect(page.get_by_role("button", name="Keep this answer")).to_be_enabled()
    page.reload()
    expect(page.get_by_role("button", name="Keep this answer")).to_be_enabled()
    page.keyboard.press("Enter")
    on_photo(page, 3)
    saved(page)
    assert given(aided)[:2] == ["sk", "df"]


EVERYTHING = {
    "asks_confidence": True, "asks_second": True, "asks_quality": True, "asks_known": True, "asks_comment": True,
    "offers_cannot_judge": True, "management_choices": ["biopsy", "no_biopsy", "refer", "treat"],
    "shown_facts": ["age", "sex", "site"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("width", "height", "theme"),
    [
        (1440, 900, "light"), (1440, 900, "dark"), (820, 900, "light"), (844, 390, "light"), (390, 844, "dark"),
    ],
)  # fmt: skip
def test_accessible_and_nothing_covered_or_wider_than_the_screen(open_page, few, width, height, theme):
    Study.objects.update(**EVERYTHING)
    is_phone = min(width, height) < 500
    page = open_page(None, f"/reading/{few.secrets[0]}/", width=width, dark=theme == "dark", touch=is_phone)
    page.set_viewport_size({"width": width, "height": height})
    page.allowed_errors += ["409", "ERR_INTERNET_DISCONNECTED"]
    assert violations(page) == []
    fits(page)
    page.evaluate(f"localStorage.setItem('skinclinic-theme', '{theme}')")
    begin(page)
    expect(page.locator("html")).to_have_attribute("data-bs-theme", theme)
    assert violations(page) == []
    confirm = page.get_by_role("button", name="Confirm")
    edges = [confirm.bounding_box(), page.locator("label.reading-choice").nth(1).bounding_box()]
    assert all(edge["y"] >= 0 and edge["y"] + edge["height"] <= height for edge in edges)

    page.locator("label.reading-choice").nth(11).click()
    page.get_by_label("How sure are you?").click()
    for option in ("No biopsy", "Acceptable"):
        expect(confirm).to_be_disabled()
        page.locator("label.reading-option", has_text=option).click()
    page.locator("label", has_text="I know this patient").click()
    page.get_by_label("Remark").fill("hair over it")
    fits(page)
    confirm.click()
    on_photo(page, 2)
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    assert violations(page) == []
    saved(page)
    fits(page)
    row = Answer.objects.get()
    assert (row.confidence, row.management, row.quality, row.knows_patient, row.comment) == (
        50, "no_biopsy", "acceptable", True, "hair over it",
    )  # fmt: skip
    if not is_phone:
        return
    assert row.device == "phone"
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    judge(page)
    expect(page.locator("#save-state")).to_contain_text("Offline")
    fits(page)
    page.context.set_offline(False)
    saved(page)
    for position in (3, 4, 5):
        on_photo(page, position)
        judge(page)
    expect(page.get_by_role("heading", name="Every photo is answered")).to_be_visible()
    saved(page)
    fits(page)
    # What another device has said meanwhile is asked about; what comes after the end is refused.
    Answer.objects.filter(image__number=few.readers[0].readings.get().order[1]).update(number=9, choice="mm")
    page.locator("[data-position='2']").click()
    judge(page, "No biopsy")
    expect(page.get_by_role("dialog", name="Two answers to the same photo")).to_be_visible()
    fits(page)
    page.locator("[data-choose-version=theirs]").click()
    few.readers[0].readings.update(finished_at=timezone.now())
    page.locator("[data-position='3']").click()
    judge(page, "Treat")
    expect(page.locator("[data-refused]")).to_be_visible()
    fits(page)
    page.get_by_role("button", name="Understood").click()
    expect(page.get_by_text("Done. Thank you!")).to_be_visible()
    fits(page)


def judge(page: Page, what: str = "Biopsy") -> None:
    """Say that the photo cannot be judged, and what to do."""
    page.locator("label.reading-choice", has_text="Cannot judge").click()
    page.locator("label.reading-option", has_text=re.compile(f"^.?{what}$")).click()
    page.locator("label.reading-option", has_text="Poor").click()
    page.locator("[data-confirm-answer]").click()


def test_the_time_of_a_photo(open_page, few):
    """Nothing can be chosen too early, and a photo whose time is over was not answered."""
    Study.objects.update(choices_after=1, time_limit=3, may_go_back=False)
    page = open_page(None, f"/reading/{few.secrets[0]}/")
    clock.pause(page)
    begin(page)
    expect(page.locator("[data-clock]")).to_have_text("Look for 1 s")
    answer(page, "mm")
    expect(page.locator("input[name=choice]:checked")).to_have_count(0)
    page.clock.fast_forward(1000)
    expect(page.locator("input[name=choice]").first).to_be_enabled()
    answer(page, "mm")
    on_photo(page, 2)
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    saved(page)
    page.clock.fast_forward(3000)
    on_photo(page, 3)
    expect(page.locator("[data-told]")).to_contain_text("The time of the photo before is over")
    expect(page.get_by_role("button", name="Undo")).to_be_hidden()
    saved(page)
    assert given(few) == ["mm", "out_of_time"]


def test_dark_until_somebody_chooses(open_page, few):
    page = open_page(None, f"/reading/{few.secrets[0]}/")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    begin(page)
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_phone_answers_are_in_reach_and_the_photo_stays_in_sight(open_page, few):
    page = open_page(None, f"/reading/{few.secrets[0]}/", width=390, touch=True)
    begin(page)
    photo = page.locator("[data-stage]").bounding_box()
    last = page.locator("label.reading-choice").nth(11).bounding_box()
    button = page.get_by_role("button", name="Confirm").bounding_box()
    assert photo["height"] >= 240
    assert last["y"] + last["height"] <= button["y"]
    assert button["y"] + button["height"] <= 844
    assert last["height"] >= 44
    page.locator("label.reading-choice").nth(5).click()
    page.get_by_role("button", name="Confirm").click()
    on_photo(page, 2)
    saved(page)
    assert given(few) == ["mm"]


@dataclass
class Seen:
    """One answer of the server, as the browser gets it."""

    url: str
    method: str
    sent: str | None
    headers: dict
    body: bytes


def test_nothing_of_a_whole_session_tells_what_a_photo_shows(open_page, clinic, coordinator):
    """All traffic of an unaided session: addresses, headers, bodies."""
    _number_rows_from(1000)
    made = make_study(clinic, coordinator, labels=TWELVE * 2, practice=2)
    page = open_page(None, "/login/")
    traffic = []

    def record(route):
        """Read it before the browser does, as what a page navigates away from is gone."""
        request = route.request
        response = route.fetch(max_redirects=0)
        traffic.append(
            Seen(request.url, request.method, request.post_data, response.headers, response.body())
        )
        route.fulfill(response=response)

    page.route(lambda address: "/static/" not in address, record)
    page.goto(page.url.replace("/login/", f"/reading/{made.secrets[0]}/"))
    begin(page)
    for position in range(1, 25):
        on_photo(page, position)
        answer(page, "lentigo")
    page.get_by_role("button", name="I am done").click()
    expect(page.get_by_text("Done. Thank you!")).to_be_visible()

    rows = list(made.study.images.select_related("photo", "dataset_item__entry"))
    stored = {hashlib.sha256(path.read_bytes()).hexdigest() for path in _files()} | {
        value for row in rows for value in (row.content_sha256, row.photo.sha256)
    }
    secrets = {
        text
        for row in rows
        for text in (
            row.dataset, row.photo.file_key, row.photo.original_name, row.dataset_item.entry.external_id,
            row.content_sha256, row.photo.sha256, row.photo.file_key.split("/")[-1].split(".")[0],
        )
    }  # fmt: skip
    ids = {
        pk for row in rows for pk in (row.pk, row.photo_id, row.dataset_item_id, row.dataset_item.entry_id)
    }
    photos = [seen for seen in traffic if re.search(r"/(photo|practice)/\d+$", seen.url)]
    assert len({seen.url for seen in photos}) >= 24
    for seen in traffic:
        assert seen.headers["referrer-policy"] == "no-referrer", seen.url
        assert seen.headers["cache-control"] == "no-store, private"
        assert not {"etag", "last-modified", "content-disposition", "x-accel-redirect"} & set(seen.headers)
        told = f"{seen.url} {seen.headers} {seen.sent}"
        if seen in photos:
            assert hashlib.sha256(seen.body).hexdigest() not in stored
            assert not [text for text in secrets if text.encode() in seen.body]
        else:
            told += seen.body.decode()
        assert not [text for text in secrets if text in told], seen.url
        assert "score" not in told.lower()
    for seen in traffic:
        if not seen.url.endswith(("/answer", "/state")):
            continue
        text = seen.body.decode()
        assert set(re.findall(r'"(\w+)":', text)) <= {
            "in_force", "answer", "number", "choice", "second", "confidence", "first", "next", "finished",
        }  # fmt: skip
        # The only disease named is the one that the reader chose.
        assert {key for key in DISEASE_KEYS if f'"{key}"' in text} <= {"lentigo"}
    # Numbers in addresses are positions, whatever rows are called.
    numbers = {int(number) for seen in traffic for number in re.findall(r"/(\d+)(?=/|$)", seen.url)}
    assert numbers == set(range(1, 25))
    assert not numbers & ids


def _number_rows_from(first: int) -> None:
    """Let the rows of photos have ids that no position has."""
    tables = [model._meta.db_table for model in (StudyImage, Photo, DatasetItem, Entry)]
    with connection.cursor() as cursor:
        for table in tables:
            if connection.vendor == "sqlite":
                # A table whose rows were flushed has a line there already.
                cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
                cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, first])
            else:
                cursor.execute(f"ALTER SEQUENCE {table}_id_seq RESTART WITH {first}")


def _files():
    return [path for path in settings.PHOTOS_DIR.rglob("*.jpg")]


def test_caps_are_those_of_the_clinics_pages(open_page, few):
    page = open_page(None, f"/reading/{few.secrets[0]}/")
    begin(page)
    caps = page.locator("input[name=choice]").evaluate_all(
        "all => all.map(one => [one.value, one.dataset.cap])"
    )
    assert dict(caps) == KEY_CAPS
