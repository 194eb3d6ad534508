"""Figures of a study: points where the answers put them, told apart by shape, the same in every kind of file."""

import io
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image as Picture
from pypdf import PdfReader

from classifier.metrics.plain import plain
from classifier.plots.canvas import COLOURS, CORNERS, Drawing, Shape, to_svg
from classifier.plots.pdf import to_pdf
from classifier.plots.png import to_png
from classifier.services.evaluation.figure_files import FONT_FILE
from reader_study.plots import StudyFigures, curves, figures
from reader_study.plots.by_reader import _apart
from reader_study.plots.readers_roc import CI, OWN, PAPER_LEGEND, PAPER_TEXT, SD, SIDE
from reader_study.statistics.report import report
from reader_study.statistics.tables import StudyTables, WholeSet
from skinclinic.vocabulary.diseases import BENIGN, DISEASE_KEYS, MALIGNANT
from tests.cases import each
from tests.reader_study.made_study import made_study


@pytest.fixture(scope="module")
def tables() -> StudyTables:
    found = made_study(n=120, readers=6)
    truth = tuple(image.truth for image in found.images) * 3
    datasets = tuple(image.dataset for image in found.images) * 3
    noise = np.random.default_rng(5).uniform(0.9, 1.1, (360, 12))
    return replace(found, whole=WholeSet(np.tile(found.scores, (3, 1)) * noise, truth, datasets))


@pytest.fixture(scope="module")
def drawn(tables) -> StudyFigures:
    return StudyFigures(
        report(tables, margin=0.05), plain(curves(tables)), {"professor": "Professors", "clinician": "Clinicians"},
        primary=("bcc", "mm"), is_synthetic=True,
    )  # fmt: skip


def places(figure, name: str) -> set[tuple[float, float]]:
    """Points of a series as shares: (1 - specificity, sensitivity), rounded."""
    axis = next(
        mark
        for mark in figure.drawing.marks
        if getattr(mark, "dash", "") == "dotted" and mark.colour == "muted"
    )
    (left, foot), _corner = axis.points
    series = next(one for one in figure.series if one.name == name)
    return {(round((p.x - left) / SIDE, 4), round((foot - p.y) / SIDE, 4)) for p in series.points}


@pytest.mark.parametrize(("way", "tiers"), [("all", None), ("malignant", MALIGNANT), ("benign", BENIGN)])
def test_readers_stand_where_their_answers_put_them(tables, drawn, way, tiers):
    from classifier.metrics.groups import tier_groups

    images = [image for image in tables.images if image.dataset == "asan"]
    others = [
        image.name
        for image in images
        if image.truth != "bcc" and (tiers is None or image.truth in tier_groups("benign")[tiers])
    ]
    with_it = [image.name for image in images if image.truth == "bcc"]
    figure = drawn.roc("asan", "unaided", "bcc", way)
    for key, name in (("professor", "Professors"), ("clinician", "Clinicians")):
        expected = set()
        for reader in {answer.reader for answer in tables.answers if answer.group == key}:
            said = {
                answer.image: answer.answer
                for answer in tables.answers
                if answer.reader == reader and answer.session == "unaided"
            }
            sensitivity = sum(said[image] == "bcc" for image in with_it) / len(with_it)
            false_alarms = sum(said[image] == "bcc" for image in others) / len(others)
            expected.add((round(false_alarms, 4), round(sensitivity, 4)))
        found = places(figure, name)
        assert len(found) == len(expected)
        for x, y in expected:
            assert min(abs(x - a) + abs(y - b) for a, b in found) < 2e-3


def test_groups_differ_in_shape_and_colour_and_readers_are_named(drawn):
    figure = drawn.roc("asan", "unaided", "mm")
    shapes = {(mark.shape, mark.colour) for mark in figure.drawing.marks if isinstance(mark, Shape)}
    assert {("circle", "vermillion"), ("square", "blue"), ("star", "ink")} <= shapes
    professors = next(one for one in figure.series if one.name == "Professors")
    assert all(
        re.match(r"reader-\d\d", point.text) and "sensitivity" in point.text for point in professors.points
    )
    assert "(" in professors.points[0].text and "/" in professors.points[0].text


def test_readers_at_one_place_are_one_point_with_both_names(tables):
    twins = tuple(
        replace(answer, answer=next(image.truth for image in tables.images if image.name == answer.image))
        for answer in tables.answers
    )
    same = replace(tables, answers=twins)
    figure = StudyFigures(report(same), plain(curves(same))).roc("asan", "unaided", "bcc")
    assert {len(one.points) for one in figure.series if one.name in ("professor", "clinician")} == {1}
    assert figure.series[0].points[0].text.startswith("reader-00, reader-01")


def test_the_average_names_its_interval_and_spans_it(drawn):
    figure = drawn.roc("asan", "unaided", "sk")
    average = next(one for one in figure.series if one.name == "Average: 6 readers, 95 % interval")
    found = drawn.session("asan", "unaided")["average"]["sk"]
    assert f"{100 * found['sensitivity']:.1f} %" in average.points[0].text
    low, high = found["sensitivity_ci"]
    arms = [
        mark for mark in figure.drawing.marks
        if getattr(mark, "width", 0) == 1.2 and mark.points[0][0] == mark.points[1][0]
    ]  # fmt: skip
    assert abs(arms[0].points[0][1] - arms[0].points[1][1]) == pytest.approx(SIDE * (high - low), abs=0.01)
    other = StudyFigures(drawn.report, drawn.curves, drawn.groups, interval=SD).roc("asan", "unaided", "sk")
    assert any(one.name == "Average: 6 readers, ± SD" for one in other.series)
    assert drawn.interval == CI


def test_labels_of_the_paper_come_with_what_they_mean(drawn):
    def words(labels: str, way: str) -> str:
        look = StudyFigures(drawn.report, drawn.curves, drawn.groups, labels=labels)
        return " ".join(
            mark.text
            for mark in look.roc("asan", "unaided", "bcc", way).drawing.marks
            if hasattr(mark, "text")
        )

    assert "1 − specificity among other malignant" in words(OWN, "malignant")
    assert "1 − specificity (malignant)" in words(PAPER_TEXT, "malignant")
    assert "1 − specificity (benign)" in words(PAPER_LEGEND, "malignant")
    assert "cannot reach 1" in words(PAPER_LEGEND, "all") and "cannot reach 1" not in words(OWN, "all")


def test_what_cannot_be_drawn_says_why(drawn):
    figure = drawn.roc("edinburgh", "unaided", "wart")
    assert figure.drawing is None and "no photo of it" in figure.note


def test_a_study_without_a_model_shows_its_readers(tables):
    alone = replace(tables, scores=None, whole=None)
    found = StudyFigures(report(alone), plain(curves(alone)))
    figure = found.roc("asan", "unaided", "bcc")
    assert figure.drawing and {one.name for one in figure.series} >= {"professor", "clinician"}
    assert not any(one.name.startswith("Model") for one in figure.series)
    assert found.against_model("asan", "unaided").drawing is None
    assert found.confusion("asan", "unaided", "model").drawing is None


def test_the_margin_and_each_difference_are_drawn_to_scale(drawn):
    figure = drawn.against_model("asan", "unaided")
    texts = [mark.text for mark in figure.drawing.marks if hasattr(mark, "text")]
    assert "margin −0.05" in texts
    bold = {mark.text for mark in figure.drawing.marks if getattr(mark, "bold", False)}
    assert {"Basal cell carcinoma", "Malignant melanoma"} <= bold and "Wart" not in bold
    given = drawn.dataset("asan")["ai_vs_readers"]["unaided"]
    tests = {key: one["argmax"] or one for key, one in given.items()}
    assert "Model's first choice − readers, balanced accuracy" in texts
    known = [key for key in DISEASE_KEYS if tests[key]["difference"] is not None]
    xs = [point.x for point in figure.series[0].points]
    assert np.corrcoef(xs, [tests[key]["difference"] for key in known])[0, 1] == pytest.approx(1)
    row = next(row for row in figure.rows if row[0] == "Basal cell carcinoma")
    assert row[4] == tests["bcc"]["difference"] and row[1] == "primary"


def test_every_figure_says_that_it_is_synthetic_and_fits(drawn):
    seen = 0
    for figure in drawn.all():
        seen += 1
        texts = [mark for mark in figure.drawing.marks if hasattr(mark, "text")]
        assert any(mark.text.startswith("Synthetic: ") for mark in texts), figure.name
        for mark in texts:
            assert 0 <= mark.x <= figure.drawing.width and 0 <= mark.y <= figure.drawing.height, (
                figure.name,
                mark,
            )
        for series in figure.series:
            assert all(0 <= point.y <= figure.drawing.height for point in series.points)
    assert seen > 2 * (2 * 10 * 3)


def test_the_command_gets_the_same_figures_from_the_tables(tables, drawn):
    names = [figure.name for figure in figures(drawn.report, tables)]
    assert names == [figure.name for figure in drawn.all()]
    assert len(set(names)) == len(names)


def test_labels_at_one_height_are_moved_apart():
    placed = [
        y
        for y, _who in _apart(
            [(50.0, "a", ""), (50.0, "b", ""), (52.0, "c", ""), (99.0, "d", "")], 11, 10, 100
        )
    ]
    gaps = np.diff(placed)
    assert (gaps >= 11 - 1e-9).all() and placed[-1] <= 100 and placed[0] == 50.0


# Files


def test_a_figure_is_the_same_as_svg_png_and_pdf(drawn):
    drawing = drawn.roc("asan", "unaided", "bcc").drawing
    svg = to_svg(drawing, alone=True)
    assert COLOURS["vermillion"] in svg and "<polygon" in svg and "Basal cell carcinoma, asan" in svg
    picture = Picture.open(io.BytesIO(to_png(to_pdf(drawing, FONT_FILE))))
    assert picture.size == (round(drawing.width * 2), round(drawing.height * 2))
    page = PdfReader(io.BytesIO(to_pdf(drawing, FONT_FILE))).pages[0]
    assert (float(page.mediabox.width), float(page.mediabox.height)) == pytest.approx(
        (drawing.width * 0.75, drawing.height * 0.75), abs=0.01
    )
    text = page.extract_text()
    assert "Basal cell carcinoma, asan" in text and "Professors (n = 4)" in text
    assert not page.images, "a PDF holds lines and letters, no pixels"
    assert to_pdf(drawing, FONT_FILE) == to_pdf(drawing, FONT_FILE)


def test_korean_letters_are_in_the_pdf():
    drawing = Drawing(200, 60, "기저세포암종")
    drawing.text(10, 30, "기저세포암종 − 민감도", bold=True)
    drawing.text(190, 50, "오른쪽", anchor="end", turned=False)
    text = PdfReader(io.BytesIO(to_pdf(drawing, FONT_FILE))).pages[0].extract_text()
    assert "기저세포암종 − 민감도" in text and "오른쪽" in text


@each("shape", ["circle", *CORNERS])
@each("hollow", [False, True])
def test_shapes_are_painted_in_their_place(shape, hollow):
    drawing = Drawing(60, 60, "shape")
    drawing.shape(30, 30, "blue", shape, 12, hollow=hollow)
    picture = np.asarray(Picture.open(io.BytesIO(to_png(to_pdf(drawing, FONT_FILE))))).astype(int)
    blue = (np.abs(picture - np.array([0, 0x72, 0xB2])).sum(2) < 40).nonzero()
    assert abs(blue[0].mean() / 2 - 30) < 2 and abs(blue[1].mean() / 2 - 30) < 2
    middle = picture[60, 60]
    assert (middle == 255).all() if hollow else middle[2] == 0xB2
    outline = to_svg(drawing)
    assert ('fill="none"' in outline) == hollow and ("fig-line-blue" in outline) == hollow
