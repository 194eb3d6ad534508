"""A curator's whole task by keyboard: from a ZIP and its table to a frozen, exported dataset."""

import io
import re
import zipfile

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from skinclinic.archive.models import BackgroundDisease, DatasetVersion, Entry, Import
from skinclinic.archive.services.curating import duplicates
from skinclinic.archive.services.importing import imports
from skinclinic.engine import jobs
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

FOCUSED = "document.activeElement.id"
TABLE = "file,label,patient\n0.jpg,bcc,A\n1.jpg,mystery,A\n2.jpg,nevus,B\n3.jpg,nevus,C\n4.jpg,nevus,D\n"


def archive() -> bytes:
    """Five photos, the last a smaller copy of the first but one."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for seed in range(4):
            made.writestr(f"{seed}.jpg", factories.jpeg_bytes(seed))
        copy = io.BytesIO()
        Image.open(io.BytesIO(factories.jpeg_bytes(3))).resize((250, 200)).save(copy, "JPEG")
        made.writestr("4.jpg", copy.getvalue())
    return file.getvalue()


def press(page: Page, name: str, role: str = "button") -> None:
    page.get_by_role(role, name=name, exact=True).press("Enter")


def test_a_zip_becomes_a_frozen_dataset_by_keyboard(open_page, curator, engine_online):
    page = open_page(curator, "/archive/imports/new/")
    upload_and_map(page)
    review_by_keys(page)
    decide_the_pair(page)
    make_split_freeze_and_export(page)


def upload_and_map(page: Page) -> None:
    page.get_by_label("Dataset name").press_sequentially("Field archive")
    page.get_by_label("Format").select_option("csv")
    page.set_input_files(
        "[name=archive]", {"name": "a.zip", "mimeType": "application/zip", "buffer": archive()}
    )
    page.set_input_files("[name=table]", {"name": "t.csv", "mimeType": "text/csv", "buffer": TABLE.encode()})
    press(page, "Upload and check")
    page.wait_for_url(re.compile(r"/imports/\d+/$"))
    expect(page.get_by_text("Next: say below which column holds what.")).to_be_visible()
    assert page.locator("#column-file").input_value() == "file"
    press(page, "Save and check")
    expect(page.get_by_role("heading", name="Checking")).to_be_visible()
    jobs.run_waiting(imports.CHECK_JOB)
    expect(page.get_by_role("heading", name="Has errors")).to_be_visible()
    assert not Entry.objects.exists()

    page.get_by_role("combobox", name="Meaning of mystery").press_sequentially("Rosacea")
    expect(page.get_by_role("option", name="Rosacea")).to_contain_text("counts as others")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    press(page, "Save and check")
    expect(page.get_by_role("heading", name="Checking")).to_be_visible()
    jobs.run_waiting(imports.CHECK_JOB)
    expect(page.get_by_role("heading", name="Ready to import")).to_be_visible()
    press(page, "Start import")
    expect(page.get_by_role("heading", name="Importing")).to_be_visible()
    jobs.run_waiting(imports.WRITE_JOB)
    expect(page.get_by_role("heading", name="Imported")).to_be_visible()
    assert Import.objects.get().written == 5 and BackgroundDisease.objects.get().name == "Rosacea"


def review_by_keys(page: Page) -> None:
    press(page, "Review the photos", "link")
    page.wait_for_url("**/review/?source=*")
    order = page.locator(".review-tile").evaluate_all("tiles => tiles.map(tile => tile.id)")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("KeyA")
    expect(page.locator(f"#{order[0]}")).to_have_class(re.compile("is-accepted"))
    expect(page.locator(f"#{order[1]}")).to_be_focused()
    page.keyboard.press("KeyR")
    page.keyboard.press("Digit2")
    expect(page.locator(f"#{order[1]}")).to_contain_text("Inadequate photo")
    expect(page.locator(f"#{order[2]}")).to_be_focused()
    page.keyboard.press("KeyU")
    expect(page.locator(f"#{order[1]}")).to_have_class(re.compile("is-pending"))
    expect(page.locator(f"#{order[1]}")).to_be_focused()
    for place in (1, 2, 3, 4):
        page.keyboard.press("KeyA")
        expect(page.locator(f"#{order[place]}")).to_have_class(re.compile("is-accepted"))
    expect(page.get_by_role("link", name="Next photos")).to_be_focused()
    assert set(Entry.objects.values_list("review", flat=True)) == {"accepted"}
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Everything here is reviewed")).to_be_visible()


def decide_the_pair(page: Page) -> None:
    press(page, "Duplicates", "link")
    press(page, "Compare all photos")
    expect(page.get_by_text("The photos are being compared")).to_be_visible()
    jobs.run_waiting(duplicates.JOB)
    # It appears without a reload.
    expect(page.get_by_alt_text("Left photo")).to_be_visible()
    page.keyboard.press("Digit1")
    expect(page.get_by_text("No pair to decide")).to_be_visible()
    assert Entry.objects.filter(review="rejected", reject_reason="duplicate").count() == 1


def make_split_freeze_and_export(page: Page) -> None:
    page.goto(page.url.partition("/archive/")[0] + "/archive/?review=accepted")
    press(page, "Make a dataset of these", "link")
    page.locator("#id_name").press_sequentially("Task")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/datasets/\d+/$"))
    page.get_by_label("Method").select_option("patient")
    page.get_by_label("Training share, %").fill("50")
    press(page, "Split")
    expect(page.get_by_text("The dataset was split.")).to_be_visible()
    press(page, "Freeze")
    page.get_by_role("dialog").get_by_role("button", name="Freeze").press("Enter")
    expect(page.get_by_text("The version is frozen")).to_be_visible()
    version = DatasetVersion.objects.get(dataset__name="Task")
    assert version.is_frozen and version.items.count() == 4
    with page.expect_download() as download:
        press(page, "Export (ZIP)", "link")
    with zipfile.ZipFile(download.value.path()) as made:
        assert len([name for name in made.namelist() if name.endswith(".jpg")]) == 4
