"""A coordinator makes a study in a browser, by keyboard alone; its pages are accessible, narrow, dark, Korean."""

import re

import pytest
from playwright.sync_api import expect

from reader_study.models import Answer, Reader, Study
from reader_study.services.making import opening, readers, sampling, studies
from reader_study.services.making.readers import Wanted
from reader_study.services.making.sampling import Recipe
from reader_study.services.results import model_answers
from skinclinic.engine import jobs
from tests import evaluated, factories
from tests.browser.axe import violations, violations_by_day_and_night
from tests.reader_study.read_study import answer_all
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db(transaction=True)

LABELS = ["bcc"] * 4 + ["mm"] * 3 + ["sk"] * 4 + ["nevus"] * 3
LONG = "Reader study of the dermatologists of several universities 여러 대학병원 피부과 전문의의 판독 연구"


@pytest.fixture
def version(clinic, curator, tmp_path):
    from classifier.services.models import registry
    from skinclinic.archive.models import DatasetItem

    entries = evaluated.make_entries(clinic, curator, LABELS)
    frozen = evaluated.freeze(clinic, curator, entries)
    for place, item in enumerate(frozen.items.all()):
        DatasetItem.objects.filter(pk=item.pk).update(phash=int(f"{place * 7919:016b}" * 3, 2))
    model = factories.proven(evaluated.make_model(clinic, tmp_path, "one"))
    evaluated.score(model, entries)
    registry.publish(model, clinic=clinic, user=curator)
    return frozen


def press_to(page, **wanted) -> None:
    """Tab until the element is focused; there is always a way to it and always something to see."""
    target = page.get_by_role(wanted.pop("role"), **wanted).first
    # To find it by its role takes longer than to press a key.
    element = target.element_handle()
    for _ in range(150):
        page.keyboard.press("Tab")
        if element.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"no way by Tab to {wanted}")


def test_a_study_from_draft_to_open_by_keyboard(open_page, coordinator, version):
    page = open_page(coordinator, url("studies"))
    press_to(page, role="link", name="New study")
    page.keyboard.press("Enter")
    page.wait_for_url("**/new/")
    press_to(page, role="textbox", name="Name")
    page.keyboard.type("By keyboard")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    # The settings come first: what the sample leaves out depends on the model.
    press_to(page, role="link", name="Sample")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    press_to(page, role="checkbox", name=re.compile("Test set"))
    page.keyboard.press("Space")
    press_to(page, role="button", name="Count what there is")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    press_to(page, role="spinbutton", name=re.compile("Basal cell"))
    page.keyboard.type("2")
    press_to(page, role="spinbutton", name=re.compile("Melanocytic"))
    page.keyboard.type("2")
    press_to(page, role="button", name="Draw")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.get_by_text("4 photos were drawn.").is_visible()
    study = Study.objects.get()
    page.goto(page.url.split("/studies/")[0] + url("study-settings", study.pk))
    press_to(page, role="spinbutton", name="Non-inferiority margin")
    page.keyboard.type("0.05")
    press_to(page, role="checkbox", name="Basal cell carcinoma")
    for _ in range(60):
        if page.evaluate("document.activeElement.name + document.activeElement.value") == "endpointsbcc":
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    press_to(page, role="button", name="Save")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    press_to(page, role="link", name="Readers")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    press_to(page, role="textbox", name=re.compile("A line for each reader"))
    page.keyboard.type("Ann Chae, ann@example.org, Professors, 12\nBo, , Professors")
    press_to(page, role="button", name="Invite")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "/reading/" in page.get_by_label("Ann Chae (R01)").input_value()
    assert (
        page.get_by_role("link", name="Write an e-mail").first.get_attribute("href").startswith("mailto:ann@")
    )
    # Nobody leaves without the links by a slip of the hand; the preview leaves nothing.
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    with page.expect_event("dialog"):
        page.get_by_role("link", name="Overview", exact=True).click()
    assert asked == ["beforeunload"] and "/readers/" in page.url
    page.emulate_media(media="print")
    assert page.get_by_role("img", name="QR code of the link of Ann Chae").is_visible()
    page.emulate_media(media="screen")
    press_to(page, role="link", name="Download the links (CSV)")
    with page.expect_download():
        page.keyboard.press("Enter")
    jobs.run_waiting(model_answers.JOB)
    press_to(page, role="link", name="Overview", exact=True)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.get_by_text("Nothing stands in the way.").is_visible()
    press_to(page, role="button", name="Open the study")
    page.keyboard.press("Enter")
    page.locator("#confirm-dialog[open]").wait_for()
    while page.evaluate("document.activeElement.value") != "yes":
        page.keyboard.press("Tab")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.get_by_text("Unchanged since opening").is_visible()
    study.refresh_from_db()
    assert study.is_open and study.endpoints == ["bcc"] and study.margin == 0.05
    press_to(page, role="button", name="Preview as a reader")
    with page.expect_popup() as opened:
        page.keyboard.press("Enter")
    tab = opened.value
    expect(tab.get_by_text("Preview: nothing counts.")).to_be_visible()
    expect(tab.get_by_role("heading", name="By keyboard")).to_be_visible()
    tab.get_by_role("link", name="Back to the study").click()
    tab.wait_for_url(f"**{url('study', study.pk)}")
    assert asked == ["beforeunload"]
    assert (study.readers.filter(is_preview=True).count(), study.readers.counted().count()) == (1, 2)


def test_the_models_progress_and_the_readers_refresh_themselves(open_page, coordinator, clinic, version):
    study = studies.create(clinic, coordinator, name="Waiting")
    from classifier.models import Analysis

    Analysis.objects.all().delete()
    sampling.draw(study, coordinator, Recipe(per={version.pk: {"bcc": 2}}, seed=1))
    page = open_page(coordinator, url("study", study.pk))
    work = page.locator("#work-study-model")
    assert work.get_by_text("Waiting", exact=True).is_visible()
    assert work.get_by_text("looks at the sample and the rest of the test set").is_visible()
    jobs.run_waiting(model_answers.JOB)
    page.get_by_text("one has answered every photo of the sample.").wait_for()


@pytest.fixture
def opened(clinic, coordinator, version):
    study = studies.create(clinic, coordinator, name=LONG)
    study = sampling.draw(
        study, coordinator, Recipe(per={version.pk: {"bcc": 3, "mm": 9}}, seed=1, practice=1)
    )
    study = studies.change_settings(study, {"margin": 0.05, "endpoints": ["bcc"]})
    group = study.groups.first()
    wanted = [Wanted(f"Reader with a long name 독자 {n}", f"r{n}@example.org", group, 7) for n in range(9)]
    readers.invite(study, wanted, coordinator, str, mail=False)
    jobs.run_waiting(model_answers.JOB)
    study = opening.open_study(study, coordinator)
    studies.amend(study, coordinator, {"instructions": "Another text."}, "A typo")
    reader = study.readers.first()
    Reader.objects.filter(pk=reader.pk).update(centre=LONG[:80], ends_on="2024-01-31")
    answer_all(reader)
    Answer.objects.update(seconds=0.4, choice="bcc")
    return study


PAGES = (
    "study",
    "study-sample",
    "study-design",
    "study-settings",
    "study-readers",
    "study-paper",
    "study-log",
)


@pytest.mark.parametrize(("width", "language"), [(1440, "en"), (390, "ko")])
def test_pages_of_an_open_study_are_accessible_and_fit(open_page, coordinator, opened, width, language):
    page = open_page(coordinator, url("studies"), width=width, language=language)
    for name in ("studies", *PAGES):
        page.goto(page.url.split("/studies/")[0] + (url(name) if name == "studies" else url(name, opened.pk)))
        for details in page.locator("main details").all():
            details.evaluate("element => element.open = true")
        assert violations_by_day_and_night(page) == [], name
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name


@pytest.mark.parametrize(("width", "dark"), [(1440, True), (390, False)])
def test_pages_of_a_draft_are_accessible_and_fit(open_page, coordinator, clinic, version, width, dark):
    page = open_page(coordinator, url("studies"), width=width, dark=dark)
    assert violations(page) == []
    base = page.url.split("/studies/")[0]
    study = studies.create(clinic, coordinator, name=LONG)
    for address in (url("study-new"), *(url(name, study.pk) for name in PAGES)):
        page.goto(base + address)
        assert violations(page) == [], address
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
    sampling.draw(study, coordinator, Recipe(per={version.pk: {"bcc": 2, "sk": 9}}, seed=1, practice=1))
    page.goto(f"{base}{url('study-sample', study.pk)}?set=1&version={version.pk}&by=disease&proven=1")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
