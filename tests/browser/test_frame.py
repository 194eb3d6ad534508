"""What surrounds every page: theme, language, menu, keyboard list, dialogs, an ended session."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.axe import violations_by_day_and_night
from tests.factories import PASSWORD

SEND = """import('/static/js/http.js').then(({ send }) => send('/account/'))
  .then((answer) => (document.body.dataset.answer = answer.status + ' ' + new URL(answer.url).pathname))"""


def test_theme_follows_the_system_then_the_choice_which_is_remembered(open_page, clinician):
    page = open_page(clinician, "/account/", dark=True)
    theme = "document.documentElement.dataset.bsTheme"
    assert page.evaluate(theme) == "dark"
    page.click(".theme-choices >> xpath=.. >> button >> nth=0")
    page.click("[data-theme-value=light]")
    assert page.evaluate(theme) == "light"
    page.reload()
    assert page.evaluate(theme) == "light"
    assert page.get_attribute("[data-theme-value=light]", "aria-pressed") == "true"


def test_language_is_switched_and_the_page_stays(open_page, clinician):
    page = open_page(clinician, "/account/")
    page.click("button[aria-label^=Language]")
    page.click("button[name=language][value=ko]")
    page.wait_for_selector("html[lang=ko]")
    assert page.url.endswith("/account/")


def test_skip_link_leads_to_the_content(open_page, clinician):
    page = open_page(clinician, "/account/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip-link"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_keyboard_list_opens_with_a_question_mark_but_not_while_typing(open_page, clinician):
    page = open_page(clinician, "/account/")
    page.focus("#main input[type=text] >> nth=0")
    page.keyboard.press("Shift+Slash")
    assert not page.is_visible("#keyboard-help")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Shift+Slash")
    assert page.is_visible("#keyboard-help")
    page.keyboard.press("Escape")
    assert not page.is_visible("#keyboard-help")


def test_single_key_commands_can_be_switched_off(open_page, clinician):
    page = open_page(clinician, "/account/")
    page.keyboard.press("Shift+Slash")
    page.uncheck("[data-keys-toggle]")
    page.reload()
    page.keyboard.press("Shift+Slash")
    assert not page.is_visible("#keyboard-help")


def test_an_ended_session_is_taken_up_in_place_and_the_request_sent_again(open_page, clinician):
    page = open_page(clinician, "/account/")
    page.allowed_errors = ["401"]
    page.fill("#main input[type=text] >> nth=0", "half typed")
    page.context.clear_cookies(name="sessionid")
    page.evaluate(f"() => {{ {SEND} }}")
    page.wait_for_selector("#sign-in-again[open]")
    page.fill("#sign-in-again-password", "wrong")
    page.keyboard.press("Enter")
    page.wait_for_selector("#sign-in-again [data-problem]:not([hidden])")
    page.fill("#sign-in-again-password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("body[data-answer]")
    assert page.get_attribute("body", "data-answer") == "200 /account/"
    assert page.input_value("#main input[type=text] >> nth=0") == "half typed"


def test_the_light_says_offline_when_only_the_server_is_away_and_returns(open_page, clinician):
    page = open_page(clinician, "/account/")
    page.allowed_errors = ["net::ERR_FAILED"]
    light = page.locator("#engine")
    expect(light).to_have_text("Engine offline")
    page.clock.install()
    page.route(re.compile("/(healthz|engine/)$"), lambda route: route.abort())
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    page.clock.fast_forward(5000)
    expect(light).to_have_text("Offline")
    assert violations_by_day_and_night(page) == []
    page.unroute_all()
    page.clock.fast_forward(5000)
    expect(light).to_have_text("Engine offline")
    # A request that fails tells it as well, without waiting for the next question.
    page.route("**/account/", lambda route: route.abort())
    page.evaluate("import('/static/js/http.js').then(({ send }) => send('/account/')).catch(() => null)")
    expect(light).to_have_text("Offline")
    page.clock.fast_forward(5000)
    expect(light).to_have_text("Engine offline")


def test_a_toast_is_seen_heard_and_closed(open_page, clinician):
    page = open_page(clinician, "/account/")
    page.evaluate(
        "import('/static/js/toast.js').then(({ toast }) => toast('Done & <b>dusted</b>',"
        " { kind: 'success', action: { label: 'Undo', run: () => (document.body.dataset.undone = 'yes') } }))"
    )
    assert page.inner_text(".app-toast-text") == "Done & <b>dusted</b>"
    page.wait_for_selector("#announcer:not(:empty)", state="attached")
    assert page.text_content("#announcer") == "Done & <b>dusted</b>"
    page.click(".app-toast >> text=Undo")
    assert page.get_attribute("body", "data-undone") == "yes"
    assert page.locator(".app-toast").count() == 0


@pytest.mark.parametrize("width", [320, 390, 768, 992, 1280])
def test_nothing_runs_over_the_side(open_page, admin_user, clinic, width):
    clinic.name = "Department of Dermatology, University Hospital of Elsewhere"
    clinic.save()
    page = open_page(admin_user, "/account/", width=width)
    expect(page.locator(".engine-state")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.querySelector('.app-bar').offsetHeight") <= 56


@pytest.mark.parametrize("width", [320, 390, 1000])
def test_a_long_word_on_the_engine_stays_beside_the_brand(open_page, clinician, width):
    page = open_page(clinician, "/account/", width=width)
    words = page.locator(".engine-state > span:not(.engine-dot)")
    words.evaluate("box => { box.textContent = 'Mecanismo indisponível, 1.958 aguardando'; }")
    place = words.bounding_box()
    around = [page.locator(one).bounding_box() for one in (".app-bar .brand", ".app-bar .help-link")]
    for other in around:
        is_beside = place["x"] >= other["x"] + other["width"] or other["x"] >= place["x"] + place["width"]
        is_below = place["y"] >= other["y"] + other["height"]
        assert is_beside or is_below


def test_phone_menu_opens_and_reaches_everything(open_page, admin_user):
    page = open_page(admin_user, "/account/", width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.click(".navbar-toggler")
    page.wait_for_selector("#app-menu.show")
    page.click("#app-menu >> text=Ada")
    assert page.is_visible("text=Sign out")
    assert page.is_visible("text=Clinic settings")


@pytest.mark.parametrize("width", [1440, 390])
def test_frame_and_sign_in_page_are_accessible(open_page, admin_user, width):
    assert violations_by_day_and_night(open_page(None, "/login/", width=width)) == []
    page = open_page(admin_user, "/account/", width=width)
    assert violations_by_day_and_night(page) == []
    if width == 390:
        page.click(".navbar-toggler")
        page.wait_for_selector("#app-menu.show")
    page.click("#app-menu >> text=Ada")
    page.wait_for_selector("text=Sign out")
    assert violations_by_day_and_night(page) == []
