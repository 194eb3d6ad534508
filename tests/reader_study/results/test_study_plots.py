"""Figures of a study: points where the answers put them, told apart by shape, the same in every kind of file."""

import io
import re
import zipfile
from copy import deepcopy
from dataclasses import replace
from functools import partial
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image as Picture
from pypdf import PdfReader

from classifier.metrics.plain import plain
from classifier.plots.apart import apart
from classifier.plots.canvas import COLOURS, CORNERS, Drawing, Line, Shape, Text
from classifier.plots.figures import threshold_text
from classifier.plots.frame import NARROW, PHONE, Form
from classifier.plots.letters import text_width
from classifier.plots.pdf import to_pdf
from classifier.plots.pixels import to_png
from classifier.plots.svg import to_svg, to_svg_file
from classifier.plots.tables import latex, word
from classifier.services.evaluation import bundle
from classifier.services.evaluation.figure_files import QUICK, Print, figure_file
from classifier.templatetags.evaluations import figure_svg, points_of
from reader_study.plots import StudyFigures, curves, figures
from reader_study.plots.readers_roc import CI, OWN, PAPER_LEGEND, PAPER_TEXT, SD
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
    (left, foot), side = corner_and_side(figure)
    series = next(one for one in figure.series if one.name == name)
    return {(round((p.x - left) / side, 4), round((foot - p.y) / side, 4)) for p in series.points}


def corner_and_side(figure) -> tuple[tuple[float, float], float]:
    """Of the axes, from the line of chance."""
    axis = next(
        mark
        for mark in figure.drawing.marks
        if isinstance(mark, Line) and (mark.dash, mark.colour) == ("dotted", "muted")
    )  # fmt: skip
    return axis.points[0], axis.points[1][0] - axis.points[0][0]


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
    # The enlarged part is read out where its marks are.
    (left, _foot), side = corner_and_side(figure)
    _first, enlarged = (one for one in figure.series if one.name == "Professors")
    assert enlarged.points and all(point.x > left + side for point in enlarged.points)
    assert (threshold_text(float("inf")), threshold_text(float("-inf"))) == ("∞", "−∞")


def test_readers_at_one_place_are_one_point_with_both_names(tables):
    twins = tuple(
        replace(answer, answer=next(image.truth for image in tables.images if image.name == answer.image))
        for answer in tables.answers
    )
    same = replace(tables, answers=twins)
    figure = StudyFigures(report(same), plain(curves(same))).roc("asan", "unaided", "bcc")
    assert {len(one.points) for one in figure.series if one.name in ("professor", "clinician")} == {1}
    assert figure.series[0].points[0].text.startswith("reader-00, reader-01")
    # The groups' marks lie around each other, and one number counts all of them.
    marks = [mark for mark in figure.drawing.marks if isinstance(mark, Shape) and not mark.hollow]
    circle, square = (next(mark for mark in marks if mark.shape == shape) for shape in ("circle", "square"))
    assert (circle.x, circle.y) == (square.x, square.y) and circle.radius > 1.3 * square.radius
    beside = [
        m.text
        for m in figure.drawing.marks
        if isinstance(m, Text) and 0 < m.x - circle.x < 10 > abs(m.y - circle.y)
    ]
    assert beside == ["6"]


def test_a_page_has_the_same_points_on_a_phone(drawn):
    wide = one_of_each(drawn)
    for figure, phone in zip(wide, one_of_each(replace(drawn, form=PHONE)), strict=True):
        found = points_of(replace(figure, phone=phone))
        assert found and {len(point) for one in found for point in one["points"]} == {5}
        assert max(x for one in found for _text, _x, _y, x, _down in one["points"]) <= PHONE.width
    svg = figure_svg(replace(wide[0], phone=wide[1]))
    assert svg.count("<svg") == 2 and 'class="fig fig-phone"' in svg


def test_areas_among_one_tier_stand_in_the_legend(drawn):
    found = drawn.dataset("asan")["diseases"]["bcc"]["whole"]["among"]
    texts = [m.text for m in drawn.roc("asan", "unaided", "bcc").drawing.marks if isinstance(m, Text)]
    for tier in (MALIGNANT, BENIGN):
        assert any(f"among other {tier}: AUC {found[tier]['auc']:.3f}" in text for text in texts)
        alone = [
            m.text for m in drawn.roc("asan", "unaided", "bcc", tier).drawing.marks if isinstance(m, Text)
        ]
        assert any("whole test set" in one and f"AUC {found[tier]['auc']:.3f}" in one for one in alone)


def test_the_average_names_its_interval_and_spans_it(drawn):
    figure = drawn.roc("asan", "unaided", "sk")
    average = next(one for one in figure.series if one.name == "Average: 6 readers, 95 % interval")
    found = drawn.session("asan", "unaided")["average"]["sk"]
    assert f"{100 * found['sensitivity']:.1f} %" in average.points[0].text
    low, high = found["sensitivity_ci"]
    arms = [
        mark for mark in figure.drawing.marks
        if isinstance(mark, Line) and (mark.width, mark.colour) == (1, "ink") and mark.points[0][0] == mark.points[1][0]
    ]  # fmt: skip
    _corner, side = corner_and_side(figure)
    assert abs(arms[0].points[0][1] - arms[0].points[1][1]) == pytest.approx(side * (high - low), abs=0.01)
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
    # What is too few for a p on the pages has none in the figure and its table either.
    for few in (True, False):
        report = deepcopy(drawn.report)
        report["datasets"]["asan"]["ai_vs_readers"]["unaided"]["bcc"]["too_few"] = few
        figure = replace(drawn, report=report).against_model("asan", "unaided")
        row = next(row for row in figure.rows if row[0] == "Basal cell carcinoma")
        assert row[12] == (None if few else tests["bcc"]["p"]) and (row[16] == "too few") == few
        said = next(m.text for m in figure.drawing.marks if "−0.013 (" in getattr(m, "text", ""))
        assert ("too few" in said) == few and ("p = " in said) != few


def test_every_figure_says_that_it_is_synthetic_and_fits(drawn):
    seen = 0
    for _folder, make in drawn.makers():
        if (figure := make()).drawing is None:
            continue
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
    names, again = (
        [folder + make().name for folder, make in one.makers()]
        for one in (figures(drawn.report, tables), drawn)
    )
    assert names == again and len(set(names)) == len(names)


def test_labels_at_one_height_are_moved_apart():
    placed = apart([99.0, 50.0, 50.0, 52.0], 11, 10, 100)
    assert placed[0] == 99 and (np.diff(placed[1:]) >= 11 - 1e-9).all()
    # Up and down alike: together they are where they would be alone.
    assert sum(placed[1:]) == pytest.approx(152)
    assert apart([99.0, 99.0, 12.0], 11, 10, 100) == [89, 100, 12]


# Files


def test_a_figure_is_the_same_as_svg_png_and_pdf(drawn):
    drawing = drawn.roc("asan", "unaided", "bcc").drawing
    svg = to_svg_file(drawing, 85)
    assert COLOURS["vermillion"] in svg and "<polygon" in svg and "Basal cell carcinoma, asan" in svg
    picture = Picture.open(io.BytesIO(to_png(to_pdf(drawing))))
    assert picture.size == pytest.approx((drawing.width * 2, drawing.height * 2), abs=1)
    page = PdfReader(io.BytesIO(to_pdf(drawing))).pages[0]
    assert (float(page.mediabox.width), float(page.mediabox.height)) == pytest.approx(
        (drawing.width * 0.75, drawing.height * 0.75), abs=0.01
    )
    text = page.extract_text()
    assert "Basal cell carcinoma, asan" in text and "Professors (n = 4)" in text and "AUC 0." in text
    assert not page.images, "a PDF holds lines and letters, no pixels"
    assert to_pdf(drawing) == to_pdf(drawing)


def test_korean_letters_are_in_the_pdf():
    drawing = Drawing(200, 60, "기저세포암종")
    drawing.text(10, 30, "기저세포암종 − 민감도", bold=True)
    drawing.text(190, 50, "오른쪽", anchor="end", turned=False)
    text = PdfReader(io.BytesIO(to_pdf(drawing))).pages[0].extract_text()
    assert "기저세포암종 − 민감도" in text and "오른쪽" in text


@each("shape", ["circle", *CORNERS])
@each("hollow", [False, True])
def test_shapes_are_painted_in_their_place(shape, hollow):
    drawing = Drawing(60, 60, "shape")
    drawing.shape(30, 30, "blue", shape, 12, hollow=hollow)
    picture = np.asarray(Picture.open(io.BytesIO(to_png(to_pdf(drawing))))).astype(int)
    blue = (np.abs(picture - np.array([0, 0x72, 0xB2])).sum(2) < 40).nonzero()
    assert abs(blue[0].mean() / 2 - 30) < 2 and abs(blue[1].mean() / 2 - 30) < 2
    middle = picture[60, 60]
    assert (middle == 255).all() if hollow else middle[2] == 0xB2
    outline = to_svg(drawing)
    assert ('fill="none"' in outline) == hollow and ("fig-line-blue" in outline) == hollow


def one_of_each(drawn: StudyFigures):
    return (
        drawn.panels("unaided"), drawn.roc("asan", "unaided", "iec"), drawn.roc("asan", "aided", "mm", "malignant"),
        drawn.accuracy("asan", "unaided"), drawn.against_model("asan", "unaided"), drawn.areas("asan", "iec"),
        drawn.slopes("asan", "unaided", "aided"), drawn.agreement("asan", "unaided"),
        drawn.subgroups("asan", "unaided"), drawn.confusion("asan", "", "model"),
    )  # fmt: skip


def test_every_font_of_a_pdf_is_embedded_and_its_record_invents_nothing(drawn):
    found = PdfReader(io.BytesIO(figure_file(drawn.against_model("asan", "unaided"), "pdf")))
    fonts = [font.get_object() for font in found.pages[0]["/Resources"]["/Font"].values()]
    assert fonts and all("/FontFile2" in font["/FontDescriptor"] for font in fonts)
    assert not {"Helvetica", "Times"} & {font["/BaseFont"].strip("/") for font in fonts}
    assert found.metadata.author == "SkinClinic" and "/CreationDate" not in found.metadata


def test_a_figure_has_the_width_and_resolution_of_a_journal(drawn):
    figure = replace(drawn, form=NARROW).roc("asan", "unaided", "bcc")
    page = PdfReader(io.BytesIO(figure_file(figure, "pdf", Print(85)))).pages[0]
    assert float(page.mediabox.width) * 25.4 / 72 == pytest.approx(85, abs=0.01)
    tiff = Picture.open(io.BytesIO(figure_file(figure, "tiff", Print(85, 600))))
    assert (tiff.info["dpi"], tiff.info["compression"], tiff.mode) == ((600, 600), "tiff_lzw", "RGB")
    assert tiff.width == pytest.approx(85 / 25.4 * 600, abs=2)
    eps = figure_file(figure, "eps", Print(85)).decode("ascii")
    assert (
        eps.startswith("%!PS-Adobe-3.0 EPSF-3.0")
        and "%%BoundingBox: 0 0 241 " in eps
        and "findfont" not in eps
    )
    svg = figure_file(figure, "svg", Print(85)).decode()
    assert 'width="85mm"' in svg and "<text" not in svg and 'aria-label="Sensitivity"' in svg
    for form, points in ((NARROW, 241), (PHONE, 255), (Form(), 493)):
        for one in one_of_each(replace(drawn, form=form)):
            texts = [mark for mark in one.drawing.marks if isinstance(mark, Text)]
            # 6 points at 85 and at 174 mm, and on a phone of 340 pixels, of which 4 are 3 points.
            assert min(mark.size for mark in texts) * points / form.width >= 6
            for mark in texts:
                left = mark.x if mark.turned else mark.x + mark.start
                assert left >= -1 and (
                    mark.turned or left + text_width(mark.text, mark.size) <= one.drawing.width + 1
                ), (one.name, mark)
                assert "…" not in mark.text


def test_title_and_notes_can_be_left_to_the_caption_but_not_what_is_synthetic(drawn):
    def words(form: Form) -> str:
        figure = replace(drawn, form=form).against_model("asan", "unaided")
        return " ".join(mark.text for mark in figure.drawing.marks if isinstance(mark, Text))

    whole, bare = words(Form()), words(Form(has_title=False, has_notes=False))
    assert "Model against readers" in whole and "optimistic" in whole and "Holm" in whole
    assert "Model against readers" not in bare and "optimistic" not in bare and "Synthetic" in bare
    assert "← readers better" in whole and "p = " in whole


def test_panels_letter_each_disease_of_each_dataset(drawn):
    figure = drawn.panels("unaided")
    texts = [mark.text for mark in figure.drawing.marks if isinstance(mark, Text)]
    assert [text for text in texts if len(text) == 1 and text in "abcdefgh"] == list("abcdefgh")
    assert texts.count("Basal cell carcinoma") == 2 and sum(text.startswith("AUC ") for text in texts) == 32
    assert "Model, sample" in texts, "the legend has the numbers of no panel"
    found = drawn.dataset("asan")["diseases"]["bcc"]
    assert f"asan, {found['n_pos']} of {found['n_pos'] + found['n_neg']}" in texts
    looks = {(m.colour, m.dash) for m in figure.drawing.marks if isinstance(m, Line) and len(m.points) > 5}
    assert {("grey", ""), ("ink", ""), ("blue", "dotted"), ("vermillion", "dash-dotted")} <= looks
    twelve = drawn.panels("aided", [("asan", key) for key in DISEASE_KEYS])
    assert {"a", "l"} <= {mark.text for mark in twelve.drawing.marks if isinstance(mark, Text)}


def test_figures_are_the_same_when_they_are_drawn_side_by_side(drawn):
    twin = partial(drawn.confusion, "asan", "", "model")
    makers = [("a/", twin), ("a/", twin), ("b/", partial(drawn.roc, "edinburgh", "unaided", "wart"))]
    kinds, said, again = ("svg", "pdf", "docx"), [], []
    expected = list(bundle.files(makers, kinds, QUICK, said))
    assert [name for name, _content in expected] == [
        f"a/asan-confusion-model{number}.{kind}" for number in ("", "-2") for kind in kinds
    ]
    assert "60 photos" in said[0][1], "a caption has what the figure may leave out"
    with bundle.begun(makers, kinds, QUICK, again) as pictures:
        assert list(pictures) == expected and said == again
    with bundle.begun(makers, (), QUICK, []) as pictures:
        assert list(pictures) == []


def test_a_figure_that_cannot_be_drawn_is_named(drawn):
    makers = [("a/", partial(drawn.confusion, "no such dataset", "", "model"))]
    with pytest.raises(KeyError) as raised, bundle.begun(makers, ("svg",), QUICK, []) as pictures:
        list(pictures)
    assert raised.value.__notes__ == ["The figure a/no such dataset, model could not be drawn."]


def test_a_wide_table_breaks_no_word_and_calls_only_a_p_small():
    columns = ("Disease", "Difference", "p", *(f"Squamous cell carcinoma {place}" for place in range(9)))
    rows = [("Intraepithelial carcinoma", 0.0004, 0.0004, *range(9))]
    with zipfile.ZipFile(io.BytesIO(word("T", columns, rows, ()))) as file:
        content = file.read("word/document.xml").decode()
    widths = [int(width) / 20 for width in re.findall(r'<w:gridCol w:w="(\d+)"', content)]
    size = int(re.search(r'<w:b/><w:sz w:val="(\d+)"', content.split("<w:tbl>")[1])[1]) / 2
    # A4 on its side with margins of half an inch; beside each text its cell's own margins.
    assert sum(widths) <= 770 and size >= 6
    assert all(width - 11 > 1.1 * text_width("carcinoma", size) for width in (widths[0], *widths[3:]))
    assert content.count("&lt;0.001") == 1 and ">0.000<" in content
    said = latex("T", columns, rows, ())
    assert r"\begin{sidewaystable}" in said and r"\shortstack[r]{Squamous \\ cell \\ carcinoma \\ 0}" in said


def test_tables_are_written_for_latex_and_word():
    rows = (("50 % & more_", 0.25, None), ("b", -0.5, 3))
    text = latex("T", ("A", "B", "C"), rows, ("n = 4",))
    assert (
        r"50 \% \& more\_ & 0.250 & –" in text.replace("--", "–")
        and r"$-$0.500" in text
        and r"\toprule" in text
    )
    with zipfile.ZipFile(io.BytesIO(word("T", ("A", "B", "C"), rows, ("n = 4",)))) as file:
        content = ElementTree.fromstring(file.read("word/document.xml"))
    assert [one.text for one in content.iter() if one.tag.endswith("}t")][1:5] == [
        "A",
        "B",
        "C",
        "50 % & more_",
    ]
