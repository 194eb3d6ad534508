"""A table's letters: read by themselves only beyond doubt, else shown under each encoding."""

import pytest

from skinclinic.archive.formats.encodings import NotCertain, of
from skinclinic.archive.formats.problems import TableRefused
from skinclinic.archive.formats.tables import Table
from tests.cases import each

CERTAIN = {
    "utf-8": ("a,b\n1,Größe\n".encode(), "utf-8-sig"),
    "utf-8 with a mark": ("a,b\n1,환자\n".encode("utf-8-sig"), "utf-8-sig"),
    "utf-16 of a spreadsheet program": ("a\tb\n1\t환자\n".encode("utf-16"), "utf-16"),
    "korean": ("파일,진단\n1,환자가\n".encode("cp949"), "cp949"),
    "korean with Latin words": ("파일,진단\n1,BCC의심\n2,김철수\n".encode("cp949"), "cp949"),
    "one Korean word": ("f,dx,o\n1.jpg,bcc,코\n".encode("cp949"), "cp949"),
    "two Korean names": ("f,p\n1.jpg,김가\n2.jpg,곽두\n".encode("cp949"), "cp949"),
    "ascii": (b"a,b\n1,x\n", "utf-8-sig"),
}


@pytest.mark.parametrize("kind", CERTAIN)
def test_what_is_certain_is_read(tmp_path, kind):
    data, encoding = CERTAIN[kind]
    (tmp_path / "t.csv").write_bytes(data)
    assert of(tmp_path / "t.csv") == encoding


@pytest.mark.parametrize("text", ["JOÃO", "LESÃO NA MÃO", "MAÇÃ", "SEBASTIÇÃO", "CORAÇÃO", "Größe über"])
def test_windows_text_never_becomes_hangul_by_itself(tmp_path, text):
    (tmp_path / "t.csv").write_bytes(f"a;b\n1;{text}\n".encode("cp1252"))
    with pytest.raises(NotCertain) as refused:
        of(tmp_path / "t.csv")
    assert refused.value.samples["cp1252"] == [text]
    table = Table(tmp_path / "t.csv", "cp1252")
    assert next(table.records()).cells["b"] == text


@each(
    ("encoding", "words"),
    [
        ("cp932", ["左頬の病変"]), ("cp932", ["顔"]), ("cp932", ["ほくろ", "皮膚", "右手", "背中", "女性", "テスト"]),
        ("gb18030", ["左颊"]), ("gb18030", ["鼻"]), ("gb18030", ["基底细胞癌", "背部", "男", "痣", "右手"]),
        ("big5", ["左頰"]), ("big5", ["男", "女", "右手", "背部"]),
    ],
)  # fmt: skip
def test_japanese_and_chinese_text_never_becomes_korean_by_itself(tmp_path, encoding, words):
    lines = "".join(f"{number}.jpg,bcc,{word}\n" for number, word in enumerate(words))
    (tmp_path / "t.csv").write_bytes(f"f,dx,o\n{lines}".encode(encoding))
    with pytest.raises(NotCertain) as refused:
        of(tmp_path / "t.csv")
    assert refused.value.samples[encoding] == words[:6]


def test_an_encoding_that_does_not_read_the_table_is_refused(tmp_path):
    (tmp_path / "t.csv").write_bytes("a\n1,ÿÿþ\n".encode("cp1252"))
    with pytest.raises(TableRefused, match="is not Korean"):
        of(tmp_path / "t.csv", "cp949")


def test_a_line_that_names_the_separator_is_passed_over(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"sep=;\na;b,c\n1;2\n")
    table = Table(tmp_path / "t.csv")
    (record,) = table.records()
    assert (table.columns, record.number, record.cells) == (["a", "b,c"], 3, {"a": "1", "b,c": "2"})
