"""Choosing photos by click, Shift-click and keys, doing one thing to all of them, and taking it back."""

import os
import re

import pytest
from playwright.sync_api import expect

from skinclinic.archive.models import BulkChange, Entry
from skinclinic.archive.services.bulk import bulk
from skinclinic.archive.services.datasets import datasets
from skinclinic.engine import jobs
from tests import factories
from tests.browser.axe import violations_by_day_and_night

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

BROAD = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture
def entries(clinic, curator):
    """Nine photos to review, newest first."""
    made = [
        factories.make_entry(factories.make_photo(clinic, curator, seed=seed), curator, label="bcc")
        for seed in range(9)
    ]
    return made[::-1]


def box(page, entry):
    return page.locator(f'[data-select="{entry.pk}"]')


def count(page, text: str) -> None:
    expect(page.locator("#bulk-bar [data-count]").first).to_have_text(text)


def test_a_range_is_chosen_and_rejected_and_taken_back(open_page, curator, entries):
    page = open_page(curator, "/archive/")
    shown = page.locator("[data-select]").evaluate_all(
        "boxes => boxes.map(box => Number(box.dataset.select))"
    )
    thumbs = page.locator("a.archive-thumb")
    expect(page.locator("#bulk-bar")).to_be_hidden()
    thumbs.nth(1).hover()
    page.locator("[data-select]").nth(1).click()
    count(page, "1 photo")
    thumbs.nth(4).click(modifiers=["Shift"])
    count(page, "4 photos")
    # While photos are chosen a click chooses instead of opening.
    thumbs.nth(7).click()
    count(page, "5 photos")
    page.locator("#bulk-bar").get_by_role("button", name="Reject").click()
    page.get_by_label("Not skin").check()
    page.get_by_role("dialog").get_by_role("button", name="Reject").click()
    expect(page.locator(".bulk-strip")).to_contain_text("5 photos changed")
    rejected = set(
        Entry.objects.filter(review="rejected", reject_reason="not_skin").values_list("pk", flat=True)
    )
    assert rejected == {*shown[1:5], shown[7]}
    page.locator(".bulk-strip").get_by_role("button", name="Undo").click()
    expect(page.locator(".bulk-strip")).to_contain_text("Undo: Reject: Not skin")
    assert not Entry.objects.filter(review="rejected").exists()


def test_keys_choose_in_the_gallery(open_page, curator, entries):
    page = open_page(curator, "/archive/")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("x")
    for _time in range(3):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+X")
    count(page, "4 photos")
    page.keyboard.press("Escape")
    expect(page.locator("#bulk-bar")).to_be_hidden()
    expect(page.locator("[data-select]:checked")).to_have_count(0)


def test_all_that_match_are_one_job_with_its_progress(open_page, curator, entries, monkeypatch):
    monkeypatch.setattr(bulk, "AT_ONCE", 0)
    page = open_page(curator, "/archive/?label=bcc")
    page.get_by_role("button", name="Choose photos").click()
    page.get_by_role("button", name="All that match (9)").click()
    count(page, "9 photos")
    page.locator("#bulk-bar").get_by_role("button", name="Label").click()
    page.keyboard.type("melanoma")
    expect(page.get_by_role("option", name="Malignant melanoma")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Change the label").click()
    # Without a reason nothing is sent.
    assert not BulkChange.objects.exists()
    page.get_by_label("Why another label").fill("Pathology report")
    page.get_by_role("dialog").get_by_role("button", name="Change the label").click()
    expect(page.locator("#work-bulk")).to_contain_text("0 of 9 photos")
    jobs.run_waiting(bulk.JOB)
    expect(page.locator(".bulk-strip")).to_contain_text("9 photos changed")
    assert set(Entry.objects.values_list("label", "icd10")) == {("mm", "C43.9")}


def test_photos_are_chosen_in_the_review_queue_beside_its_keys(open_page, curator, clinic, entries):
    version = datasets.create(clinic, curator, "Tumours")
    page = open_page(curator, "/archive/review/")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("x")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+X")
    count(page, "3 photos")
    # A tile that is drawn anew stays chosen.
    page.keyboard.press("t")
    page.keyboard.press("2")
    expect(page.locator(f"#tile-{entries[2].pk}")).to_contain_text("Ruler or scale")
    expect(box(page, entries[2])).to_be_checked()
    count(page, "3 photos")
    page.locator("#bulk-bar").get_by_role("button", name="Dataset").click()
    page.get_by_role("dialog").get_by_role("button", name="Add").click()
    expect(page.locator(".bulk-strip")).to_contain_text("Add to Tumours v1")
    assert sorted(version.items.values_list("entry", flat=True)) == sorted(one.pk for one in entries[:3])
    expect(page.locator(f"#tile-{entries[0].pk}")).to_have_class(re.compile("is-pending"))


def test_a_tag_key_leaves_the_tile_where_it_is(open_page, curator, entries):
    page = open_page(curator, "/archive/review/")
    page.keyboard.press("ArrowRight")
    before = page.locator(".review-tile").evaluate_all("tiles => tiles.map(tile => tile.offsetHeight)")
    for key in ("1", "4"):
        page.keyboard.press("t")
        page.keyboard.press(key)
        # The tile is drawn anew.
        expect(page.locator(f"#tile-{entries[0].pk} details[open]")).to_have_count(0)
    expect(page.locator(f"#tile-{entries[0].pk}")).to_be_focused()
    expect(page.locator(f"#tile-{entries[0].pk}")).to_contain_text("Pen marks, Hair")
    assert before == page.locator(".review-tile").evaluate_all(
        "tiles => tiles.map(tile => tile.offsetHeight)"
    )
    page.keyboard.press("a")
    expect(page.locator(f"#tile-{entries[1].pk}")).to_be_focused()


@pytest.mark.parametrize("width", [1440, 390])
def test_bar_dialogs_and_second_opinions_are_accessible_and_fit(open_page, curator, clinic, entries, width):
    second = factories.make_member(clinic, "curator", "sora")
    Entry.objects.filter(pk=entries[0].pk).update(second_label="mm", second_by=second)
    page = open_page(second, "/archive/", width=width)
    found = []

    def look(what: str) -> None:
        page.wait_for_load_state("networkidle")
        found.extend(f"{what}: {violation}" for violation in violations_by_day_and_night(page))
        if page.evaluate(BROAD):
            found.append(f"{what}: scrolls sideways")
        if folder := os.environ.get("SKINCLINIC_PICTURES"):
            name = what.replace("/", "-").replace(" ", "-")
            page.screenshot(path=f"{folder}/{width}-{name}.png")

    home = page.url
    for path in ("", "review/"):
        page.goto(home + path)
        page.get_by_role("button", name="Choose photos").click()
        page.get_by_role("button", name="All on this page", exact=True).click()
        look(path or "gallery")
        for name in ("Reject", "Label", "Tags", "Dataset"):
            page.locator("#bulk-bar").get_by_role("button", name=name).click()
            look(f"{path} {name}")
            page.keyboard.press("Escape")
    for path in ("second/", "second/differing/", "bulk/"):
        page.goto(home + path)
        look(path)
    assert found == []


@pytest.mark.parametrize("language", ["en", "ko"])
def test_on_a_phone_every_action_and_the_way_out_are_in_sight(open_page, curator, entries, language):
    page = open_page(curator, "/archive/", language=language, width=390)
    page.locator("[data-select-mode]").click()
    page.locator("[data-choose=all]").click()
    expect(page.locator("[data-choose=all]")).to_have_attribute("aria-pressed", "true")
    shown = page.locator("#bulk-bar > [data-choose=none], .bulk-actions .btn")
    assert shown.count() == 6
    edge = page.locator("#bulk-bar").bounding_box()
    for button in shown.all():
        place = button.bounding_box()
        assert place["x"] >= edge["x"] and place["x"] + place["width"] <= edge["x"] + edge["width"]
        assert place["height"] >= 44 and place["width"] >= 40
    page.locator("[data-choose=none]").click()
    expect(page.locator("#bulk-bar")).to_be_hidden()
