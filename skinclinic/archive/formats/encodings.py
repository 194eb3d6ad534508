"""In which encoding a table is written. Read by itself only where there is no doubt; else a person says so by what the
text becomes. Pure.
"""

import codecs
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from skinclinic.archive.formats import hangul
from skinclinic.archive.formats.problems import TableRefused, _

UTF_8, KOREAN = "utf-8-sig", "cp949"
# What a person may choose, and the words people know them by.
CANDIDATES = {
    UTF_8: "UTF-8",
    KOREAN: "Korean (CP949)",
    "cp1252": "Western European (Windows-1252)",
    "iso-8859-15": "Western European (ISO 8859-15)",
    "mac_roman": "Western European (Mac)",
    "cp850": "Western European (DOS)",
    "cp1250": "Central European (Windows-1250)",
    "cp1251": "Cyrillic (Windows-1251)",
    "cp1254": "Turkish (Windows-1254)",
    "cp932": "Japanese (Shift JIS)",
    "gb18030": "Chinese (GB 18030)",
    "big5": "Chinese (Big5)",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16 (big-endian)",
}
# Encodings that a candidate holds whole.
_WIDER = {
    "utf-8": UTF_8, "utf-16": "utf-16-le", "euc_kr": KOREAN, "iso8859-1": "cp1252", "shift_jis": "cp932",
    "gb2312": "gb18030", "gbk": "gb18030",
}  # fmt: skip
MOST_SAMPLES = 6
_PIECE = 1 << 20
_SPREADSHEETS = (b"PK\3\4", b"\xd0\xcf\x11\xe0")
# How files begin that are called .csv by mistake, or by programs that save a web page so; in small letters.
_NO_TABLES = (
    b"%pdf-", b"\x89png", b"\xff\xd8\xff", b"gif8", b"{\\rtf", b"<!doctype", b"<html", b"<table", b"<?xml",
)  # fmt: skip
_HIGH = re.compile(rb"(?<![^\r\n,;\t\"])[^\r\n,;\t\"\x80-\xff]*+[\x80-\xff][^\r\n,;\t\"]*")
# Two bytes of KS X 1001, the syllables in daily use; the rest of CP949 has a Latin letter as its second byte.
_DAILY = re.compile(rb"[\xb0-\xc8][\xa1-\xfe]")


class NotCertain(TableRefused):
    """The letters could be read in several ways; ``samples``: {encoding: what some cells become}."""

    def __init__(self, message: str, samples: dict[str, list[str]]):
        super().__init__(message)
        self.samples = samples

    def to_json(self) -> list[dict[str, str | list[str]]]:
        """[{key, name, cells}] for people to choose from."""
        return [{"key": key, "name": CANDIDATES[key], "cells": cells} for key, cells in self.samples.items()]


def of(path: Path, said: str = "") -> str:
    """The encoding of a table, one a person has ``said`` if it reads the whole. Raises TableRefused, NotCertain."""
    with path.open("rb") as file:
        start = file.read(4096)
    if start[:4] in _SPREADSHEETS:
        raise TableRefused(_("This is a spreadsheet. Save it as CSV (UTF-8)."))
    if start.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(_NO_TABLES):
        raise TableRefused(
            _(
                "This is no table but a file of another kind (PDF, picture or web page). Save it as CSV (UTF-8)."
            )
        )
    if said:
        if said not in CANDIDATES or not _reads(path, said):
            raise TableRefused(
                _("The table is not %(encoding)s text. Choose another encoding."),
                encoding=CANDIDATES.get(said, said),
            )
        return said
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        if _reads(path, "utf-16"):
            return "utf-16"
        raise TableRefused(_("This begins as UTF-16 text and does not go on so. Save it as CSV (UTF-8)."))
    is_wide = 4 * start.count(0) > len(start)
    if not is_wide and _reads(path, UTF_8):
        return UTF_8
    if not is_wide and _reads(path, KOREAN) and _is_korean_beyond_doubt(path):
        return KOREAN
    samples = _samples(path, is_wide)
    if not samples:
        raise TableRefused(
            _("The table is neither UTF-8 nor any other text that is known. Save it as CSV (UTF-8).")
        )
    raise NotCertain(
        _(
            "The table is neither UTF-8 nor CP949 text beyond doubt: its letters can be read in several ways. Say "
            "which encoding it has, or save it as CSV (UTF-8)."
        ),
        samples,
    )


def where_in_doubt(path: Path, said: str) -> str:
    """What a person has ``said`` of several tables, for one that does not tell by itself: "" for UTF-8, and for UTF-16
    with its mark. Raises TableRefused."""
    if not said:
        return ""
    try:
        return said if of(path) == KOREAN else ""
    except NotCertain:
        return said


def called(text: str) -> str | None:
    """The candidate that people call so, such as "utf8", "euc-kr" or "windows-1252"; None for any other word."""
    try:
        name = codecs.lookup(text).name
    except LookupError:
        return None
    name = _WIDER.get(name, name)
    return next((key for key in CANDIDATES if codecs.lookup(key).name == name), None)


def _reads(path: Path, encoding: str) -> bool:
    try:
        with path.open(encoding=encoding, newline="") as file:
            while file.read(_PIECE):
                pass
    except (UnicodeDecodeError, UnicodeError):
        return False
    return True


def _cells(path: Path) -> Iterator[bytes]:
    """The cells, as bytes, that are more than ASCII."""
    with path.open("rb") as file:
        while line := file.readline(_PIECE):
            yield from _HIGH.findall(line)


def _is_korean_beyond_doubt(path: Path) -> bool:
    """Hangul that Koreans write, and hardly any of it beside Latin letters: 'JOÃO' of Windows-1252 is 'JO홒' in CP949,
    and 顔 of a Japanese table is 딁."""
    alone = touching = 0
    for cell in _cells(path):
        text = cell.decode(KOREAN, "replace")
        for run in re.finditer(r"[^\x00-\x7f]+", text):
            raw = run[0].encode(KOREAN, "replace")
            before, after = text[run.start() - 1 : run.start()], text[run.end() : run.end() + 1]
            is_hangul = any("가" <= letter <= "힣" for letter in run[0])
            is_daily = not any("가" <= c <= "힣" and not _DAILY.fullmatch(c.encode(KOREAN)) for c in run[0])
            if (before.isalpha() and after.isalpha()) or ((before + after).isalpha() and not is_daily):
                return False
            if (
                not is_hangul and any(unicodedata.category(c)[0] == "L" for c in run[0]) and len(raw) > 1
            ) or (before + after).isalpha():
                touching += 1
            elif is_hangul:
                alone += 1
    return touching <= alone and hangul.is_beyond_doubt(_different(path, KOREAN))


def _different(path: Path, encoding: str) -> list[str]:
    """Some of the cells that are more than ASCII, each once."""
    cells = dict.fromkeys(cell.strip() for cell, _n in zip(_cells(path), range(2000), strict=False))
    return [cell.decode(encoding, "replace") for cell in cells]


def _samples(path: Path, is_wide: bool) -> dict[str, list[str]]:
    """{encoding: some cells in it} of every candidate that reads the whole table, equal readings once."""
    cells = list(dict.fromkeys(cell.strip() for cell, _n in zip(_cells(path), range(2000), strict=False)))
    found: dict[str, list[str]] = {}
    for encoding in CANDIDATES:
        if encoding.startswith("utf-16") != is_wide or not _reads(path, encoding):
            continue
        if is_wide:
            with path.open(encoding=encoding, newline="") as file:
                shown = [text.strip()[:60] for text in file.read(2000).splitlines()[:MOST_SAMPLES]]
        else:
            shown = [cell.decode(encoding, "replace")[:60] for cell in cells[:MOST_SAMPLES]]
        if shown not in found.values() and all("\0" not in text for text in shown):
            found[encoding] = shown
    return found
