"""Results of a study in a browser: figures read out by pointer and key, accessible, narrow and dark."""

import re

import pytest
from playwright.sync_api import expect

from reader_study.services.making import studies
from reader_study.services.results import study_tables
from skinclinic.engine import jobs
from tests.browser.axe import violations
from tests.reader_study.made_study import made_study
from tests.reader_study.read_study import computed, read_study
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db(transaction=True)
PAGES = ["", "-disease", "-panels", "-readers", "-model", "-sessions", "-agreement", "-missed", "-methods"]


@pytest.fixture
def study(clinic, admin_user, tmp_path):
    made = read_study(clinic, admin_user, tmp_path)
    for group, name in zip(
        made.study.groups.all(), ("대학병원 피부과 전문의와 수련의", "Clinicians in practice"), strict=True
    ):
        group.name = name
        group.save()
    computed(made.study)
    return made.study


def test_a_figure_reads_out_readers_by_pointer_and_by_key(open_page, clinician, study):
    page = open_page(clinician, url("study-results-disease", study.pk) + "?key=mm")
    figure = page.locator("figure").first
    drawing, output = figure.locator(".evaluation-drawing"), figure.locator("output")
    hint = output.inner_text()
    drawing.focus()
    first = output.inner_text()
    assert re.search(r"R\d\d.*sensitivity .* % \(\d/4; .*specificity .* % \(\d+/15; ", first), first
    said = {first}
    for _step in range(12):
        page.keyboard.press("ArrowDown")
        said.add(output.inner_text())
    words = " ".join(said)
    for part in (
        "Average: 4 readers",
        "95 % interval",
        "Model, its first choice",
        "Model, Youden threshold",
        "Model, sample",
    ):
        assert part in words, part
    # The pointer on a reader's mark reads that reader.
    mark = figure.locator("svg polygon.fig-blue.fig-line-surface").first
    box = mark.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert output.inner_text().startswith("Clinicians in practice: R0")
    tip = figure.locator(".evaluation-tip").bounding_box()
    assert abs(tip["x"] + tip["width"] / 2 - box["x"]) < 180 and abs(tip["y"] + tip["height"] - box["y"]) < 80
    page.keyboard.press("Tab")
    page.mouse.move(0, 0)
    assert output.inner_text() == hint
    # On a phone the narrow form, at its own size; what is tapped is said beside it until something else is.
    page.set_viewport_size({"width": 390, "height": 844})
    phone = drawing.locator("svg:visible")
    assert "fig-phone" in phone.get_attribute("class") and phone.bounding_box()["width"] > 0.93 * 340
    mark = phone.locator("polygon.fig-blue.fig-line-surface").first
    mark.scroll_into_view_if_needed()
    box = mark.bounding_box()
    touch = {
        "pointerType": "touch",
        "clientX": box["x"] + box["width"] / 2,
        "clientY": box["y"] + box["height"] / 2,
    }
    for kind in ("pointerdown", "pointerleave"):
        drawing.dispatch_event(kind, touch)
    assert output.inner_text().startswith("Clinicians in practice: R0")
    tip = figure.locator(".evaluation-tip").bounding_box()
    assert tip["x"] >= 0 and tip["x"] + tip["width"] <= 390


def test_the_look_is_chosen_by_links_and_kept(open_page, clinician, study):
    page = open_page(clinician, url("study-results-disease", study.pk) + "?key=mm")
    page.get_by_role("link", name="as in the paper's legend").click()
    page.get_by_role("link", name="± SD").click()
    page.get_by_role("link", name="aided", exact=True).click()
    svg = page.locator("figure svg").first.inner_html()
    assert "Average: 4 readers, ± SD" in svg and "session: aided" in svg and "specificity (benign)" in svg
    assert "cannot reach 1" in page.locator("main").inner_text()
    with page.expect_download() as download:
        page.locator("figure").first.get_by_role("link", name="PDF").click()
    assert download.value.suggested_filename == "synthetic-twelve-lesions-cohort-v1-mm-aided-roc.pdf"


def test_the_methods_are_copied(open_page, clinician, study):
    page = open_page(clinician, url("study-results-methods", study.pk))
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").first.click()
    page.get_by_text("Copied", exact=True).first.wait_for()
    assert "4 readers took part" in page.evaluate("navigator.clipboard.readText()")


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (390, True)])
def test_pages_are_accessible_and_fit(open_page, live_server, clinician, coordinator, study, width, dark):
    page = open_page(clinician, width=width, dark=dark)
    for name in PAGES:
        page.goto(live_server.url + url(f"study-results{name}", study.pk))
        assert violations(page) == [], name
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    page = open_page(coordinator, url("study-replay"), width=width, dark=dark)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_korean_pages_fit(open_page, live_server, clinician, study):
    page = open_page(clinician, width=390, language="ko")
    for name in PAGES:
        page.goto(live_server.url + url(f"study-results{name}", study.pk))
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name


def test_results_that_are_not_shown_yet_say_why(open_page, clinic, clinician, admin_user, tmp_path):
    made = read_study(clinic, admin_user, tmp_path, readers=2, state="open")
    page = open_page(clinician, "/")
    page.allowed_errors.append("403")
    page.goto(page.url.rstrip("/") + url("study-results", made.study.pk))
    assert "All members of the clinic see the results once it is closed." in page.locator("main").inner_text()
    assert violations(page) == []
    studies.close(made.study, admin_user)
    page.reload()
    assert "being computed" in page.locator("main").inner_text()
    jobs.run_waiting("study-results")
    page.get_by_role("heading", name="Readers on the ROC curve").wait_for()


def test_files_are_replayed(open_page, coordinator, tmp_path):
    page = open_page(coordinator, url("study-replay"))
    page.allowed_errors.append("422")
    tables = study_tables.to_csv(made_study(n=40))
    for name, content in tables.items():
        (tmp_path / name).write_bytes(content)
    bad = tmp_path / "bad.csv"
    bad.write_bytes(tables["answers.csv"].replace(b",reader-01,", b",,"))
    own_words = tmp_path / "words.csv"
    text = (
        tables["answers.csv"]
        .decode("utf-8-sig")
        .replace(",bcc,", ",acne,")
        .replace("professor", "Universität")
    )
    own_words.write_bytes(text.encode("cp1252"))

    def fill(answers) -> None:
        page.get_by_label("Photos", exact=True).set_input_files(tmp_path / "images.csv")
        page.get_by_label("Scores of the model").set_input_files(tmp_path / "scores.csv")
        page.get_by_label("Answers", exact=True).set_input_files(answers)
        page.get_by_label("Name", exact=True).fill("From another place")
        page.get_by_role("button", name="Check the files").click()

    fill(bad)
    assert "80 rows: 42, 43, 44" in page.get_by_role("region", name="Problems").inner_text()
    assert violations(page) == []
    fill(own_words)
    page.get_by_label("Western European (Windows-1252)").check()
    assert violations(page) == []
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Meaning of acne").select_option("Basal cell carcinoma")
    assert violations(page) == []
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("main")).to_contain_text("asan 20, edinburgh 20")
    expect(page.locator("main")).to_contain_text("“acne” was read as Basal cell carcinoma")
    assert violations(page) == []
    page.get_by_role("button", name="Make the study").click()
    expect(page.locator("body")).to_contain_text("its results are being computed")
