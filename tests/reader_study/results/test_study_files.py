"""Studies and ratings from CSV files: what is read, and what is refused by file and row."""

from pathlib import Path

import numpy as np
import pytest

from reader_study.statistics.rated import compared
from reader_study.statistics.ratings import AiRatings, Ratings, arranged, read_ratings
from reader_study.statistics.reading import FileRefused, TablesRefused
from reader_study.statistics.tables import read_tables
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests.cases import each
from tests.reader_study.made_study import made_study, write

IMAGES = [
    "image,dataset,truth,sex,age,skin_type",
    "a,asan,bcc,female,61,III",
    "b,asan,nevus,,,",
    "c,edin,wart,M,30,2",
]
SCORES = [
    ",".join(["image", *DISEASE_KEYS]),
    "a,0.9" + ",0.000001" * 11,
    "b,1e-3" + ",0" * 11,
    "c" + ",0" * 11 + ",1",
]
ANSWERS = [
    "session,reader,group,image,answer",
    "unaided,R1,professor,a,bcc",
    "unaided,R1,professor,b,",
    "unaided,R2,clinician,a,mm",
]


def files(folder: Path, images=IMAGES, scores=SCORES, answers=ANSWERS) -> list[Path]:
    paths = []
    for name, lines in (("images", images), ("scores", scores), ("answers", answers)):
        paths.append(folder / f"{name}.csv")
        paths[-1].write_text("\n".join(lines), encoding="utf-8")
    return paths


def changed(lines, row, text):
    """The lines with spreadsheet row ``row`` replaced; one more row for a text after the last."""
    lines = list(lines)
    lines[row - 1 : row] = [text]
    return lines


def test_a_study_is_read(tmp_path):
    found = read_tables(*files(tmp_path))
    assert [image.name for image in found.images] == ["a", "b", "c"]
    assert (found.images[0].sex, found.images[0].age, found.images[0].skin_type) == ("female", 61, 3)
    assert (found.images[1].sex, found.images[1].age, found.images[2].sex) == ("", None, "male")
    assert found.scores[0, 0] == 0.9 and found.scores[2, 11] == 1 and found.scores[1, 0] == 0.001
    assert [(one.reader, one.group, one.answer) for one in found.answers] == [
        ("R1", "professor", "bcc"), ("R1", "professor", ""), ("R2", "clinician", "mm"),
    ]  # fmt: skip
    assert found.choices == DISEASE_KEYS and found.whole is None


def test_what_is_written_is_read_back(tmp_path):
    tables = made_study(missing=0.2)
    paths = write(tables, tmp_path)
    found = read_tables(paths["images"], paths["scores"], paths["answers"])
    assert found.images == tables.images
    assert (found.scores == tables.scores).all()
    assert found.answers == tables.answers


def test_words_of_subgroups_are_noted_and_never_refuse(tmp_path):
    images = [IMAGES[0], "a,asan,MEL,여,040Y,I-II", "b,asan,흑색종,1,85+,VII", "c,edin,Nevus,w,old,56"]
    found = read_tables(*files(tmp_path, images=images, answers=[ANSWERS[0], "unaided,R1,p,a,melanoma"]))
    assert [(one.truth, one.sex, one.age, one.skin_type) for one in found.images] == [
        ("mm", "female", 40, 12), ("mm", "", 85, None), ("nevus", "female", None, 56),
    ]  # fmt: skip
    assert found.answers[0].answer == "mm"
    assert [str(note).split(":")[0] for note in found.notes if note.is_doubt] == [
        "images.csv, sex “1”", "images.csv, skin_type “VII”", "images.csv, age “old”",
    ]  # fmt: skip


def test_more_columns_rows_of_other_photos_and_the_whole_test_set(tmp_path):
    answers = [
        "note,session,reader,group,image,answer,second,confidence,seconds,first_answer",
        "x,aided,R1,,a,BCC,mm,70,12.5,sk",
        "x,aided,R1,,b,NA,,,,",
    ]
    paths = files(tmp_path, scores=[*SCORES, "other" + ",0.5" * 12], answers=answers)
    found = read_tables(*paths, paths[0], paths[1])
    one = found.answers[0]
    assert (one.second, one.confidence, one.seconds, one.first_answer) == ("mm", 70, 12.5, "sk")
    assert (one.answer, found.answers[1].answer, found.answers[1].seconds) == ("bcc", "", None)
    assert found.whole.truth == ("bcc", "nevus", "wart") and found.whole.datasets == ("asan", "asan", "edin")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp949"])
def test_tables_as_people_save_them(tmp_path, encoding):
    paths = files(tmp_path)
    text = "\r\n".join(ANSWERS).replace(",", ";").replace("R1", "김")
    paths[2].write_bytes(text.encode(encoding))
    assert read_tables(*paths).answers[0].reader == "김"


@each("table, row, text, message", [
    ("images", 3, "b,asan,eczema,,,", "images.csv, row 3, truth 'eczema': is none of bcc"),
    ("images", 3, "b,,nevus,,,", "images.csv, row 3, dataset: is empty"),
    ("images", 3, ",asan,nevus,,,", "images.csv, row 3, image: is empty"),
    ("images", 4, "a,edin,wart,,,", "images.csv, row 4, image 'a': the image is in row 2 too"),
    ("images", 2, "a,asan", "images.csv, row 2: 2 cells, the header has 6"),
    ("scores", 2, "a,nan" + ",0" * 11, "scores.csv, row 2, bcc 'nan': is not a number"),
    ("scores", 2, "a,1e999" + ",0" * 11, "scores.csv, row 2, bcc '1e999': is not a number"),
    ("scores", 2, "a," + ",0" * 11, "scores.csv, row 2, bcc: is not a number"),
    ("scores", 3, "a" + ",0" * 12, "scores.csv, row 3, image 'a': the image is in row 2 too"),
    ("answers", 2, "unaided,R1,professor,z,bcc", "answers.csv, row 2, image 'z': not among the images"),
    ("answers", 2, "unaided,R1,professor,a,eczema", "answers.csv, row 2, answer 'eczema': is none of bcc"),
    ("answers", 2, "unaided,,professor,a,bcc", "answers.csv, row 2, reader: is empty"),
    ("answers", 2, ",R1,professor,a,bcc", "answers.csv, row 2, session: is empty"),
    ("answers", 3, "unaided,R1,clinician,b,mm", "row 3, group 'clinician': reader R1 is in group professor"),
    ("answers", 3, "unaided,R1,professor,a,mm", "row 3, image 'a': reader R1 answered it in a row above"),
    ("answers", 3, "unaided,R1,professor,b,=1+1", "answers.csv, row 3, answer '=1+1': a formula"),
    ("answers", 3, 'unaided,R1,professor,"b,mm', "the row cannot be read"),
])  # fmt: skip
def test_what_is_wrong_is_said_by_file_and_row(tmp_path, table, row, text, message):
    lines = {"images": IMAGES, "scores": SCORES, "answers": ANSWERS}
    paths = files(tmp_path, **{table: changed(lines[table], row, text)})
    with pytest.raises(TablesRefused) as refused:
        read_tables(*paths)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    "cells, message",
    [
        ("mm,120,3,sk", "row 2, confidence '120': is not from 0 to 100"),
        ("mm,70,-3,sk", "row 2, seconds '-3': is negative"),
        ("x,70,3,sk", "row 2, second 'x': is none of"),
        ("mm,70,3,x", "row 2, first_answer 'x': is none of"),
    ],
)
def test_what_else_was_asked_is_checked(tmp_path, cells, message):
    answers = [f"{ANSWERS[0]},second,confidence,seconds,first_answer", f"{ANSWERS[1]},{cells}"]
    with pytest.raises(TablesRefused) as refused:
        read_tables(*files(tmp_path, answers=answers))
    assert message in str(refused.value)


def test_everything_wrong_is_said_at_once(tmp_path):
    answers = [ANSWERS[0], *(f"unaided,R1,professor,z{number},bcc" for number in range(40))]
    paths = files(tmp_path, images=changed(IMAGES, 2, "a,asan,eczema,,,"), answers=answers)
    with pytest.raises(TablesRefused) as refused:
        read_tables(*paths)
    assert len(refused.value.problems) == 41
    first, second = str(refused.value).splitlines()
    assert first.startswith("images.csv, row 2, truth 'eczema'")
    assert (
        second.startswith("answers.csv, image 'z0', 'z1', 'z2' …: not among") and "(40 rows: 2, 3, " in second
    )


@each(
    "table, lines, message",
    [
        ("images", ["image,truth", "a,bcc"], "images.csv: These columns are missing: dataset"),
        ("images", IMAGES[:1], "images.csv: There is no row"),
        ("images", [""], "images.csv: The table is empty"),
        ("scores", ["image,bcc", "a,1"], "scores.csv: These columns are missing: scc, iec"),
        ("scores", SCORES[:-1], "scores.csv: There are no scores for 1 of 3 images: c"),
        (
            "answers",
            ["session,reader,image,answer", "u,r,a,bcc"],
            "answers.csv: These columns are missing: group",
        ),
        ("answers", ["session,reader,reader,image,answer"], "answers.csv: These columns stand there twice"),
    ],
)
def test_a_table_of_another_kind_is_refused(tmp_path, table, lines, message):
    with pytest.raises(FileRefused, match=message):
        read_tables(*files(tmp_path, **{table: lines}))


def test_names_that_may_be_meant_are_named(tmp_path):
    answers = [ANSWERS[0], "unaided,R1,professor,A.jpg,bcc"]
    with pytest.raises(TablesRefused, match="'A.jpg': not among the images of the study; did you mean a?"):
        read_tables(*files(tmp_path, answers=answers))
    with pytest.raises(FileRefused, match="The images have c, the scores C.JPG"):
        read_tables(*files(tmp_path, scores=changed(SCORES, 4, SCORES[3].replace("c", "C.JPG", 1))))


def test_a_study_without_any_answer_is_a_study(tmp_path):
    assert read_tables(*files(tmp_path, answers=ANSWERS[:1])).answers == ()


# Ratings


def rating_file(folder: Path, rows, head="test,reader,case,truth,rating") -> Path:
    path = folder / "ratings.csv"
    path.write_text("\n".join([head, *(",".join(map(str, row)) for row in rows)]))
    return path


def crossed(tests=("A", "B"), readers=("1", "2"), cases=("p", "q", "x", "y")):
    return [
        (test, reader, case, int(case in "pq"), len(test) + 10 * place)
        for test in tests
        for reader in readers
        for place, case in enumerate(cases)
    ]


def test_ratings_are_read_in_any_order(tmp_path):
    rows = crossed()
    found = read_ratings(rating_file(tmp_path, [rows[0], *rows[:0:-1]]))
    assert isinstance(found, Ratings)
    assert (found.tests, found.readers) == (("A", "B"), ("1", "2"))
    assert found.cases == ("p", "y", "x", "q")
    assert found.truth.tolist() == [True, False, False, True]
    assert found.values[1, 1].tolist() == [1, 31, 21, 11]


def test_an_ai_and_readers(tmp_path):
    found = arranged(
        read_ratings(rating_file(tmp_path, crossed(("AI",), ("net",)) + crossed(("human",), ("1", "2", "3"))))
    )
    assert isinstance(found, AiRatings)
    assert (found.ai_test, found.ai_reader, found.test, found.readers) == (
        "AI",
        "net",
        "human",
        ("1", "2", "3"),
    )
    assert (found.ai.shape, found.values.shape) == ((4,), (3, 4))
    # With the same reader in both it is an ordinary pair of tests.
    assert isinstance(arranged(read_ratings(rating_file(tmp_path, crossed(("AI", "x"), ("1",))))), Ratings)


@each("rows, message", [
    ([*crossed(), ("A", "1", "p", 0, 5)], "row 18, truth '0': in row 2 this case has the truth 1"),
    ([*crossed(), ("A", "1", "p", 1, 5)], "row 18, case 'p': the same reader rated it for the same test in row 2"),
    ([*crossed(), ("A", "1", "z", 2, 5)], "row 18, truth '2': is neither 0 nor 1"),
    ([*crossed(), ("A", "1", "z", "maybe", 5)], "row 18, truth 'maybe': is neither 0 nor 1, nor a word"),
    ([*crossed(), ("A", "1", "z", 1, "high")], "row 18, rating 'high': is not a number"),
    ([*crossed(), ("A", "1", "z", 1, "")], "row 18, rating: is not a number"),
    ([*crossed(), ("", "1", "z", 1, 3)], "row 18, test: is empty"),
])  # fmt: skip
def test_rows_of_ratings_that_make_no_sense(tmp_path, rows, message):
    with pytest.raises(TablesRefused) as refused:
        read_ratings(rating_file(tmp_path, rows))
    assert message in str(refused.value)


@each(
    "rows, message",
    [
        (crossed(cases=("p", "x", "y")), "1 cases with the truth 1; two are needed"),
        (crossed(cases=("p", "q", "x")), "1 cases with the truth 0; two are needed"),
        ([], "ratings.csv: There is no row below"),
    ],
)
def test_too_few_ratings(tmp_path, rows, message):
    with pytest.raises(FileRefused) as refused:
        read_ratings(rating_file(tmp_path, rows))
    assert message in str(refused.value)


def test_readers_may_have_rated_different_cases(tmp_path):
    """What is missing is neither a rating nor a case less: it is named, and the design that is left is analysed."""
    for rows, missing, pattern in (
        (crossed()[:-1], [["B", "2", "y"]], "partly_crossed"),
        ([*crossed(), ("B", "3", "p", 1, 1)], 7, "partly_crossed"),
        (crossed(("A",), ("1", "2")) + crossed(("B",), ("3", "4")), 16, "readers_in_tests"),
    ):
        found = compared(read_ratings(rating_file(tmp_path, rows)), "jackknife")
        design = found["design"]
        assert design["pattern"] == pattern
        assert missing in (design["missing"], design["n_missing"])
        (pair,) = found["u_statistics"]["pairs"]
        assert pair["tests"] == ["A", "B"] and pair["difference"] is not None
    ai = compared(
        read_ratings(rating_file(tmp_path, crossed(("AI",), ("net",))[:-1] + crossed(("human",)))),
        "jackknife",
    )
    assert ai["difference"] is not None and ai["u_statistics"]["pairs"][0]["tests"] == ["AI", "human"]
    # Reader 3 has rated one class: no AUC, said so, while the others' stand.
    few = compared(read_ratings(rating_file(tmp_path, [*crossed(), ("B", "3", "p", 1, 1)])), "jackknife")
    assert few["rrrc"] is None and few["components_note"] == "no_auc_of_a_reader"
    assert few["tests"]["B"]["readers"]["3"] is None and few["tests"]["A"]["auc_mean"] is not None


@each("words", [("malignant", "benign"), ("1", "-1"), ("Yes", "No"), ("1.0", "0.0")])
def test_words_of_truth(tmp_path, words):
    rows = [(*row[:3], words[0] if row[3] else words[1], row[4]) for row in crossed()]
    assert read_ratings(rating_file(tmp_path, rows)).truth.tolist() == [True, True, False, False]


def test_ratings_need_their_columns(tmp_path):
    with pytest.raises(FileRefused, match="columns are missing: case"):
        read_ratings(rating_file(tmp_path, [], head="test,reader,truth,rating"))


def test_ratings_may_be_negative_and_in_any_notation(tmp_path):
    rows = [(test, reader, case, truth, f"-{rating}e-3") for test, reader, case, truth, rating in crossed()]
    assert read_ratings(rating_file(tmp_path, rows)).values[0, 0] == pytest.approx(
        np.array([-1, -11, -21, -31]) / 1000
    )
