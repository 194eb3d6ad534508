"""The review queue by keys: what they do, what they leave alone, and that nothing jumps."""

import re

import pytest
from playwright.sync_api import expect

from skinclinic.archive.models import Entry
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

PLACES = "tiles => tiles.map(tile => [tile.offsetTop, tile.offsetLeft, tile.offsetHeight, tile.offsetWidth].join())"


@pytest.fixture
def entries(clinic, curator):
    """Nine photos to review, newest first."""
    made = [
        factories.make_entry(factories.make_photo(clinic, curator, seed=seed), curator, label="bcc")
        for seed in range(9)
    ]
    return made[::-1]


def tile(page, entry):
    return page.locator(f"#tile-{entry.pk}")


def test_arrows_walk_the_grid_and_skip_goes_on(open_page, curator, entries):
    page = open_page(curator, "/archive/review/")
    columns = page.evaluate(
        "getComputedStyle(document.getElementById('review-grid')).gridTemplateColumns.split(' ').length"
    )
    walked = []
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "KeyS", "KeyS"):
        page.keyboard.press(key)
        walked.append(page.evaluate("document.activeElement.id"))
    places = [0, 1, 1 + columns, columns, 0, 1, 2]
    assert walked == [f"tile-{entries[place].pk}" for place in places]
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/archive/photos/{entries[2].pk}/")


def test_no_tile_moves_while_photos_are_decided(open_page, curator, entries):
    page = open_page(curator, "/archive/review/")
    tiles = page.locator(".review-tile")
    before = tiles.evaluate_all(PLACES)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("KeyR")
    expect(page.get_by_role("button", name="3 Not skin")).to_be_visible()
    assert tiles.evaluate_all(PLACES) == before
    page.keyboard.press("Digit3")
    expect(tile(page, entries[0])).to_have_class(re.compile("is-rejected"))
    expect(tile(page, entries[1])).to_be_focused()
    page.keyboard.press("KeyA")
    expect(tile(page, entries[1])).to_have_class(re.compile("is-accepted"))
    assert tiles.evaluate_all(PLACES) == before


def test_keys_with_a_modifier_while_typing_or_held_decide_nothing(open_page, curator, entries):
    page = open_page(curator, "/archive/review/")
    page.keyboard.press("ArrowRight")
    for key in ("Control+a", "Meta+a", "Alt+a", "Shift+A"):
        page.keyboard.press(key)
    page.evaluate(
        "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', "
        "{ code: 'KeyA', key: 'a', repeat: true, bubbles: true }))"
    )
    page.locator("#archive-q").press("a")
    page.wait_for_timeout(300)
    assert not Entry.objects.exclude(review="pending").exists()
    # By the key's place: a Korean layout sends another letter from it.
    tile(page, entries[0]).focus()
    page.evaluate(
        "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', "
        "{ code: 'KeyA', key: 'ㅁ', bubbles: true, cancelable: true }))"
    )
    expect(tile(page, entries[0])).to_have_class(re.compile("is-accepted"))


def test_a_label_is_changed_by_type_ahead_and_taken_back(open_page, curator, entries):
    page = open_page(curator, "/archive/review/")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("KeyL")
    page.keyboard.type("melanoma")
    option = page.get_by_role("option", name="Malignant melanoma")
    expect(option).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(tile(page, entries[0])).to_contain_text("Malignant melanoma")
    expect(tile(page, entries[0])).to_be_focused()
    assert Entry.objects.get(pk=entries[0].pk).label == "mm"
    page.keyboard.press("KeyU")
    expect(tile(page, entries[0])).to_contain_text("Basal cell carcinoma")


def test_a_label_that_is_not_chosen_is_not_guessed(open_page, curator, entries):
    page = open_page(curator, "/archive/review/")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("KeyL")
    page.keyboard.type("carcin")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Choose a label from the list.")).to_be_visible()
    assert set(Entry.objects.values_list("label", flat=True)) == {"bcc"}


def test_the_photos_the_model_doubts_most_come_first(open_page, curator, entries):
    for place, doubt in ((3, 0.4), (5, 0.9), (7, 0.6)):
        Entry.objects.filter(pk=entries[place].pk).update(model_label="scc", disagreement=doubt)
    page = open_page(curator, "/archive/review/")
    page.get_by_label("The model disagrees").check()
    page.wait_for_url("**/review/?review=pending&disagree=1")
    found = page.locator(".review-tile").evaluate_all(
        "tiles => tiles.map(tile => Number(tile.dataset.entry))"
    )
    assert found == [entries[place].pk for place in (5, 7, 3)]
    expect(tile(page, entries[5])).to_contain_text("model: Squamous cell carcinoma")


def test_a_decision_that_is_not_sent_is_said(open_page, curator, entries):
    page = open_page(curator, "/archive/review/")
    page.allowed_errors += ["ERR_INTERNET_DISCONNECTED", "htmx"]
    page.keyboard.press("ArrowRight")
    page.context.set_offline(True)
    page.keyboard.press("KeyA")
    expect(page.locator("#toasts")).to_contain_text("this decision is not saved yet")
    expect(tile(page, entries[0])).to_have_class(re.compile("is-pending"))
