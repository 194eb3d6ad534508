"""What is made of third-party files by hand fits what pages use."""

import re
from pathlib import Path

from skinclinic.frontend import fonts, trim

STATIC = Path(fonts.ROOT, "static")
FACE = re.compile(r"src:url\(\.\./(fonts/[\w-]+\.woff2)\).*?unicode-range:([^}]+)")


def test_the_trimmed_style_sheet_has_every_rule_that_something_can_meet():
    kept = trim.TRIMMED.read_text(encoding="utf-8")
    lacking = [line for line in trim.trimmed().splitlines() if line not in kept]
    assert not lacking, "a class came to be used: run python -m skinclinic.frontend.trim"


def test_the_style_sheet_is_trimmed():
    assert trim.TRIMMED.stat().st_size < trim.WHOLE.stat().st_size / 4


def test_rules_of_a_sheet_are_met_by_their_classes():
    sheet = (
        "a:hover{color:red}.used,.other .used{x:1}.other{y:2}@media print{.other{z:3}.used:not(.a,.b){z:4}}"
    )
    found = trim.written(trim.met(trim.rules(sheet), {"used", "a", "b"}))
    assert found == "a:hover{color:red}\n.used{x:1}\n@media print{.used:not(.a,.b){z:4}}"


def test_properties_that_nobody_asks_for_go_with_those_they_alone_asked_for():
    sheet = ":root{--a:1;--b:var(--a);--c:2}p{x:var(--c)}"
    assert trim.without_unasked(sheet, "") == ":root{--c:2}p{x:var(--c)}"
    assert trim.without_unasked(sheet, "y:var(--b)") == sheet


def letters(ranges: str) -> set[int]:
    found: set[int] = set()
    for part in ranges.split(","):
        first, _dash, last = part.strip().removeprefix("U+").partition("-")
        found |= set(range(int(first, 16), int(last or first, 16) + 1))
    return found


def test_no_letter_is_in_two_of_our_font_files_and_each_file_is_there():
    taken: set[int] = set()
    for path, ranges in FACE.findall(fonts.SHEET.read_text(encoding="utf-8")):
        assert (STATIC / path).is_file()
        own = letters(ranges)
        assert not taken & own
        taken |= own
    assert taken >= set(map(ord, fonts.LATIN))
    assert sum(0xAC00 <= code <= 0xD7A3 for code in taken) > 600


def test_our_fonts_have_a_name_of_their_own_as_the_licence_asks():
    sheet = fonts.SHEET.read_text(encoding="utf-8")
    assert set(re.findall(r'font-family:"([^"]+)"', sheet)) == {fonts.FAMILY}
    assert "Pretendard" not in fonts.FAMILY and "LICENSE.txt" in sheet
