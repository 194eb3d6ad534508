"""The printed study, and answers typed in from it."""

import io
import re
import tracemalloc

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from pypdf import PdfReader

from reader_study import paper as pure
from reader_study.models import Answer, AnswerChange, Study
from reader_study.services.making import paper, studies
from reader_study.services.reading import answer_files
from reader_study.services.reading.answer_files import KEEP_PAPER, KEEP_SCREEN
from skinclinic.archive.formats.problems import TableRefused
from skinclinic.files import store
from skinclinic.services.refused import Refused
from tests import factories
from tests.cases import each
from tests.reader_study.making.test_readers import answer
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db


def printed(study, reading=None) -> tuple[bytes, PdfReader]:
    out = io.BytesIO()
    paper.write(study, out, reading)
    return out.getvalue(), PdfReader(io.BytesIO(out.getvalue()))


def photo_pages(pdf: PdfReader) -> list:
    return [page for page in pdf.pages if re.search(r"Photo \d+|Practice photo \d+", page.extract_text())]


def test_photos_are_printed_at_their_own_resolution_pixel_for_pixel(opened):
    data, pdf = printed(opened)
    pages = photo_pages(pdf)
    assert len(pages) == opened.images.count()
    assert "Practice photo" in pages[0].extract_text()
    for page in pages:
        number = int(re.search(r"hoto (\d+)", page.extract_text())[1])
        photo = opened.images.select_related("photo").get(number=number).photo
        (drawn,) = (one.get_object() for one in page["/Resources"]["/XObject"].values())
        shown = Image.open(io.BytesIO(drawn._data))
        assert shown.size == (photo.width, photo.height) == (drawn["/Width"], drawn["/Height"])
        assert shown.tobytes() == Image.open(store.path_of(photo.file_key)).tobytes()
    assert b"%%EOF" in data[-32:]


def test_nothing_printed_tells_the_diagnosis(opened):
    data, pdf = printed(opened)
    texts = [page.extract_text() for page in photo_pages(pdf)]
    without_numbers = {re.sub(r"(hoto|Page) \d+", "", text) for text in texts}
    assert len({text.replace("Practice p", "P") for text in without_numbers}) == 1, "every page says the same"
    whole = data + "".join(texts).encode()
    for image in opened.images.select_related("photo"):
        for told in (
            image.content_sha256,
            image.photo.sha256,
            image.photo.file_key,
            image.photo.original_name,
        ):
            assert told.encode() not in whole
    assert {key: value for key, value in pdf.metadata.items() if key in ("/Author", "/Subject", "/Keywords")} in (
        {"/Author": "", "/Subject": "", "/Keywords": ""}, {"/Author": "", "/Subject": ""},
    )  # fmt: skip
    assert b"Exif" not in data


def test_instructions_come_first_and_korean_is_set(opened, coordinator):
    studies.amend(opened, coordinator, {"instructions": "첫 단락입니다.\n\nSecond one. " * 40}, "Korean")
    opened.refresh_from_db()
    _data, pdf = printed(opened)
    assert "첫" in pdf.pages[0].extract_text() and opened.question[:20] in "".join(
        page.extract_text() for page in pdf.pages[:6]
    )


def test_a_readers_own_order(opened):
    reading = opened.readers.first().readings.get()
    _data, pdf = printed(opened, reading)
    numbers = [int(re.search(r"hoto (\d+)", page.extract_text())[1]) for page in photo_pages(pdf)]
    assert numbers == [*reading.practice_order, *reading.order]


def test_facts_are_printed_only_if_wanted(opened):
    _data, pdf = printed(opened)
    assert "Age:" not in "".join(page.extract_text() for page in pdf.pages)
    Study.objects.filter(pk=opened.pk).update(shown_facts=["age"])
    opened.refresh_from_db()
    _data, pdf = printed(opened)
    text = photo_pages(pdf)[0].extract_text()
    assert "Age:" in text and "Sex:" not in text


def test_a_lost_file_is_said_by_number(opened):
    image = opened.images.select_related("photo").get(number=5)
    store.path_of(image.photo.file_key).unlink()
    with pytest.raises(Refused, match="5"):
        printed(opened)


def test_memory_does_not_grow_with_the_photos(tmp_path):
    noise = Image.effect_noise((1400, 1400), 90).convert("RGB")
    photo = tmp_path / "photo.jpg"
    noise.save(photo, quality=92)
    size = photo.stat().st_size
    words = pure.Paper("T", "", ["one"], "how", "Q?", ["A", "B"], [], "Code", "T", "Page")
    pages = [pure.Page(f"Photo {n}", photo.read_bytes, 1400, 1400) for n in range(40)]
    with (tmp_path / "out.pdf").open("wb") as out:
        pure.write(words, pages[:1], out, paper.FONT_FILE)
    tracemalloc.start()
    with (tmp_path / "out.pdf").open("wb") as out:
        pure.write(words, pages, out, paper.FONT_FILE)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (tmp_path / "out.pdf").stat().st_size > 40 * size
    assert peak < 8 * size


def test_metadata_is_cut_out_and_pixels_stay():
    image = Image.open(io.BytesIO(factories.jpeg_bytes(3)))
    exif = Image.Exif()
    exif[0x010E] = "SECRETPATIENT"
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif, comment=b"SECRETCOMMENT", icc_profile=b"x" * 70_000, quality="keep")
    cut = pure.without_metadata(out.getvalue())
    assert b"SECRET" not in cut and b"x" * 100 not in cut
    assert Image.open(io.BytesIO(cut)).tobytes() == Image.open(io.BytesIO(out.getvalue())).tobytes()
    for broken in (b"", b"GIF89a", out.getvalue()[:30]):
        with pytest.raises(ValueError, match="JPEG"):
            pure.without_metadata(broken)


# Answers


@pytest.fixture
def sheet(tmp_path):
    def write(text: str, encoding: str = "utf-8"):
        path = tmp_path / "answers.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return write


def counted(study) -> list[int]:
    return list(study.images.filter(is_practice=False).order_by("number").values_list("number", flat=True))


def full(study, reader="R01", first="bcc") -> str:
    rows = [f"{number},{first if number == 1 else 'mm'},{reader}" for number in counted(study)]
    return "\n".join(["number,answer,reader", *rows])


def test_a_checked_file_is_written_whole(opened, coordinator, sheet):
    path = sheet(full(opened))
    found = answer_files.check(opened, path)
    (one,) = found.differences
    assert (found.problems, one.new, one.missing, found.asks_which) == ([], len(counted(opened)), [], False)
    assert Answer.objects.count() == 0
    assert answer_files.write(opened, path, coordinator) == len(counted(opened))
    reading = opened.readers.get(code="R01").readings.get()
    assert reading.finished_at and reading.answers.filter(is_from_paper=True).count() == len(counted(opened))
    assert AnswerChange.objects.filter(is_from_paper=True).count() == len(counted(opened))
    assert opened.events.first().details["readers"] == ["R01"]
    changed = answer_files.check(opened, sheet(full(opened, first="nevus")))
    (again,) = changed.differences
    assert again.changed == [(1, "bcc", "nevus")] and again.same == len(counted(opened)) - 1
    assert answer_files.write(opened, sheet(full(opened, first="nevus")), coordinator) == 1
    first = reading.answers.get(image__number=1)
    assert (first.choice, first.number) == ("nevus", 2) and AnswerChange.objects.filter(
        image=first.image
    ).count() == 2


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("\ufeffnumber,answer,reader\n1,bcc,R01\n2,Malignant melanoma,r01\n3,4,R01", "utf-8"),
        ("number;answer;reader\n1;기저세포암종;R01\n2;악성흑색종;Ann Chae\n3;4;R01", "cp949"),
        ("Image,Answer,Reader\n001,Basal cell carcinoma,R01\n002, MM ,Ann Chae\n003,ACTINIC keratosis,R01", "utf-8"),
    ],
)  # fmt: skip
def test_answers_as_people_write_them(opened, sheet, text, encoding):
    found = answer_files.check(opened, sheet(text, encoding))
    assert found.problems == []
    assert [row.choice for row in found.rows] == ["bcc", "mm", "ak"]


def test_names_with_brackets_and_the_number_of_the_choice(opened, sheet):
    found = answer_files.check(
        opened, sheet("number,answer,reader\n1,Bowen's disease,R01\n2,12,R01\n3,,R01\n4,흑색종,R01")
    )
    assert [row.choice for row in found.rows] == ["iec", "wart", "mm"] and found.problems == []
    assert 3 in found.differences[0].missing


@each("row, said", [
    ("99,bcc,R01", "no photo “99”"), ("x,bcc,R01", "no photo “x”"), (",bcc,R01", "names no photo"),
    ("2,psoriasis,R01", "no diagnosis"), ("2,13,R01", "no diagnosis"), ("2,bcc,R09", "no reader “R09”"),
    ("2,bcc,", "names no reader"), ("1,mm,R01", "stands already in row 2"), ("PRACTICE,bcc,R01", "for practice"),
    ("2,=1+1,R01", "formula"), ("2,bcc", "2 cells, the header has 3"),
])  # fmt: skip
def test_wrong_rows_are_named_by_number_and_nothing_is_written(opened, coordinator, sheet, row, said):
    row = row.replace("PRACTICE", str(opened.images.filter(is_practice=True).first().number))
    path = sheet(f"number,answer,reader\n1,bcc,R01\n{row}")
    found = answer_files.check(opened, path)
    assert [number for number, _text in found.problems] == [3] and said in found.problems[0][1]
    with pytest.raises(Refused, match="errors"):
        answer_files.write(opened, path, coordinator)
    assert Answer.objects.count() == 0


@each(
    "text",
    ["", "number\n1", "answer\nbcc", "number,number,answer\n1,1,bcc", "\x00", "PK\x03\x04", "a;b\n1;2"],
)
def test_tables_that_are_none(opened, sheet, text):
    with pytest.raises(TableRefused):
        answer_files.check(opened, sheet(text))


def test_equal_errors_are_told_together(opened, sheet):
    rows = [f"{number},acne,R01," for number in counted(opened)]
    found = answer_files.check(
        opened, sheet("\n".join(["number,answer,reader,remark", *rows, "1,bcc,R07,", "2,bcc,R08,"]))
    )
    last = len(rows) + 2
    assert found.groups == [
        (len(rows), ", ".join(map(str, range(2, last))),
         "“acne” is no diagnosis: write its key, its name or the number of the choice."),
        (2, f"{last}, {last + 1}", "There is no reader “R07” in this study; There is no reader “R08” in this study."),
    ]  # fmt: skip
    assert found.wrong_rows == len(found.problems) == len(rows) + 2 and found.unread == ("remark",)
    name = opened.images.filter(is_practice=False).first().name
    near = answer_files.check(opened, sheet(f"image,answer,reader\n{name.upper()}.jpg,bcc,R01"))
    assert f"did you mean “{name}”?" in near.groups[0][2]
    near = answer_files.check(opened, sheet('number,answer,reader\n1,bcc,R1\n2,"mm,R01'))
    assert [text for _count, _rows, text in near.groups] == [
        "There is no reader “R1” in this study; did you mean “R01”?",
        "the row cannot be read (unexpected end of data); is a quote missing?",
    ]


def test_an_empty_sheet_comes_back_as_it_was_filled_in(opened, client_for, coordinator, sheet):
    Study.objects.filter(pk=opened.pk).update(
        asks_confidence=True, management_choices=["biopsy", "no_biopsy"]
    )
    client = client_for(coordinator)
    got = client.get(url("study-paper-sheet", opened.pk))
    assert got.content.startswith(b"\xef\xbb\xbf") and "attachment" in got["Content-Disposition"]
    lines = got.content.decode("utf-8-sig").splitlines()
    assert lines[0] == "reader,session,number,answer,confidence,management"
    assert [line.split(",")[:4] for line in lines[1:]] == [
        [reader.code, session, str(number), ""]
        for reader in opened.readers.counted().order_by("pk")
        for session in opened.sessions.values_list("key", flat=True)
        for number in counted(opened)
    ]
    opened.refresh_from_db()
    reading = opened.readers.get(code="R02").readings.first()
    one = (
        client.get(url("study-paper-sheet", opened.pk), {"reading": reading.pk}).content.decode().splitlines()
    )
    assert [line.split(",")[0] for line in one[1:]] == ["R02"] * len(reading.order)
    assert [int(line.split(",")[2]) for line in one[1:]] == reading.order != sorted(reading.order)
    assert client.get(url("study-paper-sheet", opened.pk), {"reading": "x"}).status_code == 302
    empty = answer_files.check(opened, sheet(got.content.decode("utf-8-sig")))
    assert [text for _row, text in empty.problems] == ["The table holds no answer."]
    filled = [lines[0], *(line.replace(",,,", ",악성흑색종,70,biopsy") for line in lines[1:])]
    path = sheet("\r\n".join(filled), "cp949")
    found = answer_files.check(opened, path)
    assert found.wrong == [] and len(found.rows) == len(lines) - 1 and found.unread == ()
    assert answer_files.write(opened, path, coordinator) == len(lines) - 1
    assert set(Answer.objects.values_list("choice", "confidence", "management")) == {("mm", 70, "biopsy")}
    (first, *_more) = answer_files.check(opened, path).differences
    assert (first.new, first.changed, first.missing) == (0, [], [])


def test_how_letters_are_read_is_asked_where_it_is_not_certain(opened, client_for, coordinator):
    opened.readers.filter(code="R01").update(name="José Müller")
    client, address = client_for(coordinator), url("study-paper-answers", opened.pk)
    content = "number,answer,reader\n1,bcc,José Müller".encode("cp1252")
    asked = client.post(address, {"act": "check", "file": SimpleUploadedFile("a.csv", content)})
    assert asked.status_code == 422 and "José Müller" in asked.content.decode()
    sent = {"act": "check", "file": asked.context["file"], "encoding": "cp1252"}
    found = client.post(address, sent).context["found"]
    assert (found.wrong, len(found.rows)) == ([], 1)
    client.post(address, sent | {"act": "write"})
    assert Answer.objects.get().choice == "bcc"


def test_second_choice_and_confidence_only_if_asked(opened, sheet):
    text = "number,answer,reader,second,confidence\n1,bcc,R01,mm,80 %\n2,bcc,R01,bcc,\n3,bcc,R01,,101"
    assert len(answer_files.check(opened, sheet(text)).problems) == 3
    Study.objects.filter(pk=opened.pk).update(asks_second=True, asks_confidence=True)
    opened.refresh_from_db()
    found = answer_files.check(opened, sheet(text))
    assert [(row.second, row.confidence) for row in found.rows] == [("mm", 80)]
    assert [said.split(" ")[1] for _number, said in found.problems] == ["second", "is"]


def test_what_is_asked_besides_is_printed_and_read(opened, coordinator, sheet):
    text = (
        "number,answer,reader,confidence,management,quality\n1,bcc,R01,80,No biopsy,poor\n2,Cannot judge,R01,,biopsy,\n"
        "3,cannot_judge,R01,5,,\n4,bcc,R01,,treat,"
    )
    assert len(answer_files.check(opened, sheet(text)).problems) == 4
    Study.objects.filter(pk=opened.pk).update(
        asks_confidence=True, asks_quality=True, offers_cannot_judge=True,
        management_choices=["biopsy", "no_biopsy"],
    )  # fmt: skip
    opened.refresh_from_db()
    assert [number for number, _said in answer_files.check(opened, sheet(text)).problems] == [4, 5]
    path = sheet("\n".join(text.split("\n")[:3]))
    assert answer_files.write(opened, path, coordinator) == 2
    rows = Answer.objects.filter(image__number__lte=2).order_by("image__number")
    assert list(rows.values_list("choice", "confidence", "management", "quality")) == [
        ("bcc", 80, "no_biopsy", "poor"), ("cannot_judge", None, "biopsy", ""),
    ]  # fmt: skip
    assert answer_files.check(opened, path).differences[0].same == 2
    _data, pdf = printed(opened)
    words = " ".join(pdf.pages[0].extract_text().split())
    assert "What you would do: Biopsy, No biopsy." in words and "13 Cannot judge" in words


def test_answers_from_the_screen_are_asked_about(opened, coordinator, sheet):
    ann = opened.readers.get(code="R01")
    answer(ann, 2)
    path = sheet(full(opened))
    assert answer_files.check(opened, path).asks_which
    with pytest.raises(Refused, match="which answers to keep"):
        answer_files.write(opened, path, coordinator)
    assert answer_files.write(opened, path, coordinator, keep=KEEP_SCREEN) == len(counted(opened)) - 1
    kept = ann.readings.get().answers.get(image__number=2)
    assert (kept.choice, kept.is_from_paper, kept.seconds) == ("bcc", False, 4.0)
    ann.readings.get().answers.filter(pk=kept.pk).update(first_choice="sk", first_seconds=3.0)
    assert answer_files.write(opened, path, coordinator, keep=KEEP_PAPER) == 1
    kept.refresh_from_db()
    assert (kept.choice, kept.is_from_paper, kept.seconds) == ("mm", True, None)
    # What was said on a screen before the model was shown is not what was changed on paper.
    assert (kept.first_choice, kept.first_seconds) == ("", None)


def test_a_study_that_is_not_open_takes_no_answers(ready, coordinator, sheet):
    path = sheet("number,answer,reader\n1,bcc,R01")
    with pytest.raises(Refused, match="open"):
        answer_files.check(ready, path)
    Study.objects.filter(pk=ready.pk).update(state="closed")
    with pytest.raises(Refused, match="open"):
        answer_files.write(ready, path, coordinator)
