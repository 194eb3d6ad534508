"""Every page of the archive: accessible in both themes, without sideways scrolling on a phone, in Korean."""

from datetime import date

import pytest
from playwright.sync_api import expect

from skinclinic.archive.models import BackgroundDisease, DuplicatePair, Entry, Import
from skinclinic.archive.services.datasets import datasets
from tests import factories
from tests.browser.axe import violations_by_day_and_night

pytestmark = pytest.mark.django_db(transaction=True)

LONG = (
    "Field archive of the dermatological outpatient department 서울대학교병원 피부과 외래 환자 사진 2019–2023"
)
BACKGROUND = "A background disease with a name of unusual length and detail"
BROAD = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
PAGES = ("", "?q=nothing", "?q=(", "photos/{entry}/", "review/", "duplicates/", "duplicates/decided/", "imports/",
         "imports/new/", "imports/{refused}/", "imports/{running}/", "imports/{done}/", "datasets/",
         "datasets/new/", "datasets/{version}/", "datasets/compare/?version={version}",
         "datasets/from-clinic/")  # fmt: skip
EMPTY_PAGES = (
    "",
    "review/",
    "duplicates/",
    "imports/",
    "datasets/",
    "datasets/new/",
    "datasets/from-clinic/",
)


@pytest.fixture
def rows(clinic, curator) -> dict[str, int]:
    """An archive with something on each of its pages, under long names."""
    source = factories.make_source(clinic, LONG, licence="CC BY 4.0")
    BackgroundDisease.objects.create(clinic=clinic, name=BACKGROUND)
    patient = factories.make_patient(clinic, f"{LONG[:40]}/PAT_1", sex="female", skin_type=3)
    entries = []
    for seed, label in enumerate(
        ("bcc", "A background disease with a name of unusual length and detail", "mm", "nevus")
    ):
        photo = factories.make_photo(clinic, curator, seed=seed, name=f"{seed}.jpg")
        entries.append(
            factories.make_entry(
                photo, curator, label=label, source=source, taken_on=date(2020 + seed % 2, 3, 1)
            )
        )
    Entry.objects.filter(pk=entries[0].pk).update(
        patient=patient, patient_key=patient.pk, model_label="scc", disagreement=0.8, is_proven=True
    )
    pair = {"clinic": clinic, "distance": 3}
    DuplicatePair.objects.create(first=entries[0], second=entries[1], **pair)
    decided = {"verdict": "different", "decided_by": curator}
    DuplicatePair.objects.create(first=entries[2], second=entries[3], **pair, **decided)
    made = {
        "clinic": clinic,
        "name": LONG,
        "format": "pad-ufes-20",
        "source": source,
        "photos": "",
        "created_by": curator,
    }
    refused = Import.objects.create(
        state="refused", **made,
        report={"errors": [{"column": "age", "message": "is not a number of years", "rows": list(range(2, 90)),
                            "count": 88, "examples": [{"value": "old", "params": {}}]}],
                "unknown_labels": {"Malignes Melanom": 12, LONG: 1}, "labels": {"bcc": 3}, "new": 3},
    )  # fmt: skip
    running = Import.objects.create(state="running", total=300, written=41, **made)
    done = Import.objects.create(state="done", total=4, written=4, **made)
    version = datasets.create(clinic, curator, LONG, "both", "")
    datasets.set_members(version, Entry.objects.filter(clinic=clinic))
    return {
        "entry": entries[1].pk, "refused": refused.pk, "running": running.pk, "done": done.pk, "version": version.pk,
    }  # fmt: skip


@pytest.mark.parametrize("width", [1440, 390])
def test_every_page_is_accessible_and_as_wide_as_the_screen(open_page, curator, rows, width):
    page = open_page(curator, "/archive/", width=width)
    page.allowed_errors.append("404")
    home = page.url
    found = []
    for path in PAGES:
        page.goto(home + path.format(**rows))
        page.wait_for_load_state("networkidle")
        found += [f"{path}: {violation}" for violation in violations_by_day_and_night(page)]
        if page.evaluate(BROAD):
            found.append(f"{path}: scrolls sideways")
    assert found == []


@pytest.mark.parametrize("language", ["en", "ko"])
def test_empty_pages_say_what_comes_first(open_page, curator, language):
    page = open_page(curator, "/archive/", language=language, width=390)
    home = page.url
    for path in EMPTY_PAGES:
        page.goto(home + path)
        assert page.locator("h1").inner_text().strip()
        assert page.evaluate(BROAD) is False, path
        if "from-clinic" not in path:
            assert page.locator("main a.btn, main button.btn").count() > 0, path


def test_korean_pages_name_diseases_in_korean_and_fit_a_phone(open_page, curator, rows):
    page = open_page(curator, "/archive/", language="ko", width=390)
    home = page.url
    expect(page.get_by_text("기저세포암종").first).to_be_visible()
    for path in PAGES:
        page.goto(home + path.format(**rows))
        assert page.evaluate(BROAD) is False, path


def test_the_date_tree_narrows_the_search_and_folds_away_on_a_phone(open_page, curator, rows):
    page = open_page(curator, "/archive/")
    tree = page.get_by_role("navigation", name="By date")
    tree.get_by_text("2021").click()
    tree.get_by_role("link", name="March").click()
    page.wait_for_url("**/archive/?q=date%3A2021-03")
    assert page.locator(".archive-thumb").count() == 2
    expect(page.locator("#archive-q")).to_have_value("date:2021-03")
    tree.get_by_role("link", name="Any date").click()
    page.wait_for_url("**/archive/")
    page.set_viewport_size({"width": 390, "height": 844})
    expect(tree.get_by_text("2021")).to_be_hidden()
    tree.get_by_role("button", name="By date").click()
    expect(tree.get_by_text("2021")).to_be_visible()


def test_a_label_is_filtered_by_type_ahead(open_page, curator, rows):
    page = open_page(curator, "/archive/")
    page.get_by_role("combobox", name="Label").press_sequentially("background")
    expect(page.locator("#archive-label-list [role=option]")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url("**/archive/?label=A+background+disease*")
    assert page.locator(".archive-thumb").count() == 1


def test_the_size_of_thumbnails_is_kept(open_page, curator, rows):
    page = open_page(curator, "/archive/")
    width = "document.querySelector('.archive-thumb').offsetWidth"
    medium = page.evaluate(width)
    page.get_by_role("button", name="Large").click()
    large = page.evaluate(width)
    page.reload()
    assert medium < large == page.evaluate(width)


def test_an_upload_shows_its_progress_and_can_be_cancelled(open_page, curator):
    page = open_page(curator, "/archive/imports/new/")
    page.get_by_label("Dataset name").fill("Large")
    page.get_by_label("Format").select_option("folder")
    expect(page.get_by_label("Table (CSV)", exact=True)).to_be_hidden()
    page.set_input_files(
        "[name=archive]",
        {"name": "large.zip", "mimeType": "application/zip", "buffer": b"PK" + bytes(6_000_000)},
    )
    throttle(page, 300_000)
    page.get_by_role("button", name="Upload and check").click()
    expect(page.locator("[data-words]")).to_contain_text("of 6 MB")
    page.get_by_role("button", name="Cancel the upload").click()
    expect(page.get_by_role("button", name="Upload and check")).to_be_enabled()
    assert page.get_by_label("Dataset name").input_value() == "Large" and not Import.objects.exists()


def test_an_upload_that_is_refused_keeps_the_files_chosen(open_page, curator):
    page = open_page(curator, "/archive/imports/new/")
    page.allowed_errors.append("422")
    page.get_by_label("Dataset name").fill("No photos")
    page.get_by_label("Format").select_option("csv")
    page.set_input_files("[name=table]", {"name": "a.csv", "mimeType": "text/csv", "buffer": b"file,label\n"})
    page.get_by_role("button", name="Upload and check").click()
    expect(page.get_by_text("Choose a ZIP or a folder on the server, one of the two.")).to_be_visible()
    assert page.evaluate("document.querySelector('[name=table]').files[0].name") == "a.csv"
    # In Portuguese, too, decimals stand after a point: what is typed is read so.
    said = page.evaluate(
        """async () => {
            document.documentElement.lang = "pt-br";
            const near = document.querySelector('script[src*="/archive/"]').src;
            return (await import(new URL("quantities.js?again", near))).bytes(1500000);
        }"""
    )
    assert said.startswith("1.5") and said.endswith("MB")


def test_a_dataset_prints_without_what_can_be_pressed(open_page, curator, rows):
    page = open_page(curator, f"/archive/datasets/{rows['version']}/", dark=True)
    page.emulate_media(media="print", color_scheme="dark")
    expect(page.get_by_role("heading", name="Summary")).to_be_visible()
    for hidden in (".dataset-actions", ".sub-nav", ".app-bar", ".dataset-samples"):
        expect(page.locator(hidden)).to_be_hidden()
    assert (
        page.evaluate("getComputedStyle(document.querySelector('.dataset-table td')).color")
        == "rgb(25, 32, 35)"
    )


def throttle(page, bytes_a_second: int) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_a_second},
    )
