"""Evaluations in a browser: figures read out by pointer and key, accessible, narrow and dark."""

import pytest

from tests import evaluated
from tests.browser.axe import violations
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def row(clinic, curator, tmp_path):
    entries = evaluated.make_entries(clinic, curator)
    model = evaluated.make_model(clinic, tmp_path, "one")
    evaluated.score(model, entries)
    return evaluated.evaluated(clinic, curator, [model], [evaluated.freeze(clinic, curator, entries)])


def test_a_figure_reads_out_what_is_pointed_at(open_page, curator, row):
    page = open_page(curator, url("evaluation-disease", row.pk) + "?key=bcc")
    figure = page.locator("figure", has_text="ROC").first
    output = figure.locator("output")
    hint = output.inner_text()
    figure.locator(".evaluation-drawing svg:visible").hover(position={"x": 120, "y": 40})
    assert "sensitivity" in output.inner_text() and "specificity" in output.inner_text()
    assert figure.locator(".evaluation-tip").inner_text() == output.inner_text()
    page.mouse.move(0, 0)
    assert output.inner_text() == hint and not figure.locator(".evaluation-tip").count()
    figure.locator(".evaluation-drawing").focus()
    first = output.inner_text()
    assert first.startswith("among all others: threshold −∞")
    page.keyboard.press("ArrowRight")
    second = output.inner_text()
    assert second != first
    page.keyboard.press("ArrowDown")
    assert output.inner_text().startswith("among other malignant")
    page.keyboard.press("End")
    assert "threshold ∞" in output.inner_text()


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("evaluation", ""), ("evaluation-disease", "?key=bcc"), ("evaluation-disease", "?key=wart"),
        ("evaluation-gallery", ""), ("evaluations", None), ("evaluation-new", None),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("width", "dark"), [(1440, False), (390, True)])
def test_pages_are_accessible_and_fit(open_page, curator, row, name, query, width, dark):
    address = url(name) if query is None else url(name, row.pk) + query
    page = open_page(curator, address, width=width, dark=dark)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_korean_pages_fit(open_page, curator, row):
    page = open_page(curator, url("evaluation", row.pk), width=390, language="ko")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
