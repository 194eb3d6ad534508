"""Files of a study as other places make them: read as they are meant and told, or refused with what to do."""

import numpy as np
import pytest
from django.utils import translation

from reader_study.services.results import doubt_texts, files_text
from reader_study.statistics import score_columns
from reader_study.statistics.reading import FileInDoubt, FileRefused, TablesRefused
from reader_study.statistics.report import report
from reader_study.statistics.tables import read_tables
from reader_study.statistics.thresholds import read_thresholds
from skinclinic.vocabulary.diseases import DISEASE_KEYS, DISEASES
from tests.cases import each
from tests.reader_study.results.test_study_files import ANSWERS, IMAGES, SCORES, changed, files


def told(tables) -> str:
    return "\n".join(map(str, tables.notes))


@each("names", [
    [disease.name_en for disease in DISEASES],
    [disease.names["ko"] for disease in DISEASES],
    ["BCC", "Squamous cell carcinoma", "Bowen disease", "ACK", "SEK", "MEL", "NV", "Lentigo", "화농육아종",
     "haemangioma", "Dermatofibroma", "Viral wart"],
])  # fmt: skip
def test_columns_of_scores_are_called_as_diseases_are_anywhere(tmp_path, names):
    scores = [",".join(["Image", *(f'"{name}"' for name in names)]), *SCORES[1:]]
    assert np.array_equal(
        read_tables(*files(tmp_path, scores=scores)).scores, read_tables(*files(tmp_path)).scores
    )


def test_columns_that_no_disease_names_are_asked_about(tmp_path):
    scores = [SCORES[0].replace("wart", "Lesion 7").replace("df", "fold,DF"), *SCORES[1:]]
    scores = [scores[0], *(line.replace(",", ",", 1) for line in SCORES[1:])]
    wide = [
        scores[0],
        *(",".join([*line.split(",")[:11], "3", *line.split(",")[11:]]) for line in SCORES[1:]),
    ]
    with pytest.raises(TablesRefused) as refused:
        read_tables(*files(tmp_path, scores=wide))
    assert "scores.csv 'fold', 'Lesion 7': names no disease" in str(refused.value)
    assert "have no column: wart (2 rows" in str(refused.value)
    found = read_tables(*files(tmp_path, scores=wide), labels={"lesion 7": "wart", "fold": "-"})
    assert np.array_equal(found.scores, read_tables(*files(tmp_path)).scores)
    assert "the column “Lesion 7” was read as the scores of wart" in told(found)
    with pytest.raises(FileRefused, match="named by the same disease: mm, Melanoma"):
        read_tables(*files(tmp_path, scores=[SCORES[0].replace("wart", "Melanoma"), *SCORES[1:]]))


def in_percent(form: str) -> list[str]:
    shares = np.full((3, 12), 0.01)
    shares[np.arange(3), [0, 6, 11]] = 0.89
    rows = [
        f"{name}," + ",".join(form.format(100 * value) for value in row)
        for name, row in zip("abc", shares, strict=True)
    ]
    return [SCORES[0], *rows]


@each("scores, says", [
    (in_percent("{:.4f}"), "the scores are percentages from 0 to 100 (the highest: 89); they were divided by 100"),
    (in_percent("{:.4f}%"), "scores written with a percent sign were divided by 100 (cells: 36)"),
    (in_percent("{:.4f} %"), "(cells: 36)"),
    ([",".join(["image", *(f"{key} (%)" for key in DISEASE_KEYS)]), *in_percent("{}")[1:]], "(cells: 36)"),
])  # fmt: skip
def test_percentages_are_read_and_told(tmp_path, scores, says):
    found = read_tables(*files(tmp_path, scores=scores))
    assert found.scores.max() == pytest.approx(0.89) and found.scores.min() == pytest.approx(0.01)
    assert says in told(found)
    assert report(found)["read_as"][0]["params"]["file"] == "scores.csv"
    # What this product wrote stands there as it is.
    assert told(read_tables(*files(tmp_path), is_own=True)) == ""


@each("scores", [
    np.full((4, 12), 5.0) - 9, np.linspace(0, 9, 48).reshape(4, 12) % 4, np.full((4, 12), 0.5),
    np.full((4, 12), 200.0),
])  # fmt: skip
def test_what_may_be_no_percentage_stays_as_it_is(scores):
    assert not score_columns._all_percent(scores)


def test_some_signs_among_other_scores_are_doubted(tmp_path):
    lines = in_percent("{:.4f}")
    found = read_tables(
        *files(tmp_path, scores=changed(lines, 2, lines[1].replace(",", "%,").replace("a%", "a")))
    )
    assert "beside scores with a percent sign stand others without, up to 89" in told(found)


@each("text, first, last, band", [
    ("85+", 85, 120, "70 and over"), (">90", 91, 120, "70 and over"), ("<5", 0, 4, "0–29"),
    ("80 and over", 80, 120, "70 and over"), ("60-69", 60, 69, "50–69"), ("60대", 60, 69, "50–69"),
    ("40–59", 40, 59, "unknown"), ("18+", 18, 120, "unknown"), ("less than 30", 0, 29, "0–29"),
    ("at least 70 years", 70, 120, "70 and over"), ("45", 45, None, "30–49"),
])  # fmt: skip
def test_ages_given_as_ranges_stay_ranges(tmp_path, text, first, last, band):
    tables = read_tables(*files(tmp_path, images=changed(IMAGES, 3, f"b,asan,nevus,,{text},")))
    image = tables.images[1]
    assert (image.age, image.age_to) == (first, last)
    said = report(tables)["datasets"]["asan"]["sessions"]["unaided"]["subgroups"]["age"]
    assert {one["label"] for one in said} == {"50–69", band}
    assert ("given as a range" in told(tables)) == (last is not None)
    assert ("lie in no single age group" in told(tables)) == (band == "unknown")


def test_a_mapping_leaves_photos_and_answers_out_and_tells_it(tmp_path):
    images = [*IMAGES, "d,edin,Psoriasis,,,"]
    answers = [
        *ANSWERS,
        "unaided,R2,clinician,d,bcc",
        "unaided,R2,clinician,b,eczema",
        "unaided,R1,professor,c,M8",
    ]
    found = read_tables(
        *files(tmp_path, images=images, answers=answers),
        labels={"psoriasis": "-", "eczema": "-", "m8": "mm", "m9": "mm"},
    )
    assert [image.name for image in found.images] == ["a", "b", "c"]
    assert [one.answer for one in found.answers[3:]] == ["", "mm"]
    for says in (
        "photos called “Psoriasis” were left out, as the mapping says (photos: 1, their answers: 1)",
        "“eczema” was taken as no answer, as the mapping says (rows: 1)",
        "“M8” was read as mm, as the mapping says (rows: 1)",
        "the mapping has words that the files do not have: “m9”",
    ):
        assert says in told(found), says
    with pytest.raises(TablesRefused, match="the mapping says “acne”, which is none of bcc"):
        read_tables(
            *files(tmp_path, images=images, scores=[*SCORES, "d" + ",0" * 12]), labels={"psoriasis": "acne"}
        )
    with pytest.raises(FileRefused, match="leaves out every photo"):
        read_tables(*files(tmp_path), labels={"bcc": "-", "nevus": "-", "wart": "-"})


@each("encoding, said, text", [
    ("cp1252", "cp1252", "Müller"), ("utf-16", "", "김"), ("utf-16-le", "utf-16-le", "김"), ("cp949", "", "홍길동"),
    ("cp949", "cp949", "홍길동"), ("utf-8", "cp949", "홍길동"),
])  # fmt: skip
def test_letters_are_read_as_somebody_says_and_never_guessed(tmp_path, encoding, said, text):
    paths = files(tmp_path)
    lines = [ANSWERS[0], f"unaided,{text},professor,a,bcc", f"unaided,{text},professor,b,bcc"]
    paths[2].write_bytes("\r\n".join(lines).encode(encoding))
    found = read_tables(*paths, encodings={"": said})
    assert {one.reader for one in found.answers} == {text}
    assert ("answers.csv was read as" in told(found)) == (encoding != "utf-8")
    if encoding in ("cp1252", "utf-16-le"):
        with pytest.raises(FileInDoubt, match="--encoding") as refused:
            read_tables(*paths)
        assert said in refused.value.samples


def test_columns_that_nobody_asked_for_are_named(tmp_path):
    answers = [f"{ANSWERS[0]},second_choice", *(f"{line},mm" for line in ANSWERS[1:])]
    assert "answers.csv: these columns are not read: second_choice" in told(
        read_tables(*files(tmp_path, answers=answers))
    )


def test_words_of_a_column_that_nobody_understands_are_one_line(tmp_path):
    images = [*IMAGES, *(f"n{number},asan,bcc,,born {number}," for number in range(40))]
    scores = [*SCORES, *(f"n{number}" + ",0" * 12 for number in range(40))]
    (said,) = map(str, read_tables(*files(tmp_path, images=images, scores=scores)).notes)
    assert (
        said.startswith("images.csv, age “born 0”, “born 1”, ")
        and said.endswith("(rows: 40)")
        and " …: not" in said
    )


@each("content, says", [
    (b"%PDF-1.4\n%\xe2\xe3\xcf\xd3", "a file of another kind"), (b"\x89PNG\r\n\x1a\n" + bytes(9), "of another kind"),
    (b"\xef\xbb\xbf <html><table>", "of another kind"), (b"PK\3\4", "This is a spreadsheet"),
])  # fmt: skip
def test_what_is_no_table_is_called_so(tmp_path, content, says):
    paths = files(tmp_path)
    paths[2].write_bytes(content)
    with pytest.raises(FileRefused, match=says):
        read_tables(*paths)


def test_decimal_commas_are_sure_wherever_no_comma_parts_the_cells(tmp_path):
    paths = files(tmp_path)
    lines = [line.replace(",", "\t").replace("0.9", "0,9") for line in SCORES]
    paths[1].write_text("\n".join(lines))
    assert read_tables(*paths).scores[0, 0] == 0.9


def test_thresholds_are_read_like_scores(tmp_path):
    path = tmp_path / "thresholds.csv"
    path.write_text("disease;threshold\nMelanoma;12,5 %\n기저세포암;0,3\nM8;0,1", encoding="utf-8")
    assert read_thresholds(path, labels={"M8": "nevus"}) == {"mm": 0.125, "bcc": 0.3, "nevus": 0.1}


def test_equal_problems_are_one_line_also_where_they_name_other_rows(tmp_path):
    images = [*IMAGES, *(f"{name},asan,bcc,,," for name in "abcabc")]
    with pytest.raises(TablesRefused) as refused:
        read_tables(*files(tmp_path, images=images))
    (line,) = str(refused.value).splitlines()
    assert line.startswith("images.csv, image: 'a' the image is in row 2 too; 'b' the image is in row 3 too")
    assert line.endswith("(6 rows: 5, 6, 7, 8, 9, 10)")


def test_what_was_made_of_files_is_told_in_korean(tmp_path):
    images = changed(IMAGES, 2, "a,asan,M8,1,85+,III")
    found = report(read_tables(*files(tmp_path, images=images), labels={"M8": "mm"}))
    with translation.override("ko"):
        said = "\n".join([*files_text.texts(found), *doubt_texts.texts(found)])
    for word in ("범위로 적힌 나이", "‘M8’을(를) 악성흑색종(으)로", "중 하나가 아님; 알 수 없음으로 처리"):
        assert word in said, said


def test_confidences_that_look_like_shares_are_told(tmp_path):
    for given, is_told in ((["0.5", "1"], True), (["0.5", "60"], False)):
        answers = ["session,reader,group,image,answer,confidence"] + [
            f"unaided,R{n},,{image},bcc,{given[n % 2]}" for n in range(1, 5) for image in "abc"
        ]
        told = "; ".join(doubt_texts.texts(report(read_tables(*files(tmp_path, answers=answers)))))
        assert ("None of 12 confidences is above 1" in told) is is_told, told
