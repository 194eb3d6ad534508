"""The table of a figure for a manuscript: LaTeX (booktabs) and Word, with its title, its n and its notes. Pure.

Numbers are rounded for reading; the CSV has them in full.
"""

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from classifier.plots.frame import LABEL, wrapped
from classifier.plots.letters import text_width

_TEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "−": r"$-$", "±": r"$\pm$", "≥": r"$\geq$", "≤": r"$\leq$",
    "<": r"\textless{}", ">": r"\textgreater{}", "–": "--", "×": r"$\times$", "→": r"$\rightarrow$",
    "←": r"$\leftarrow$",
}  # fmt: skip
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_KINDS = "http://schemas.openxmlformats.org/package/2006/content-types"
Rows = Sequence[Sequence[object]]
# How thresholds above and below every score stand in rows, and for people.
ENDLESS = {"inf": "∞", "-inf": "−∞"}
# A column of p values, by its name in any language.
_P = re.compile(r"(?<![^\W\d_])[pP](?![A-Za-z])")
# More columns than that are set sideways in LaTeX.
_MOST_UPRIGHT = 9
# Of a page in Word, in points: what lies between the margins of A4 on its side, and beside a cell's text.
_ROOM, _BESIDE = 770.0, 12.0


def cell(value: object, column: str = "") -> str:
    """A value for reading: three decimals, a true minus, a dash where there is none. Only a p is called small."""
    if value is None or value == "":
        return "–"
    if isinstance(value, float):
        is_small_p = 0 <= value < 0.001 and _P.search(column)
        return "<0.001" if is_small_p else f"{value:z.3f}".replace("-", "−")
    return ENDLESS.get(str(value), str(value))


def _texts(columns: Sequence[str], rows: Rows) -> list[list[str]]:
    return [[cell(value, column) for value, column in zip(row, columns, strict=True)] for row in rows]


def latex(title: str, columns: Sequence[str], rows: Rows, notes: Sequence[str]) -> str:
    """A table environment; its packages are named in its first line."""
    texts = _texts(columns, rows)
    float_ = "sidewaystable" if len(columns) > _MOST_UPRIGHT else "table"
    kinds = "".join("r" if is_number(rows, place) else "l" for place in range(len(columns)))
    lines = [
        r"% \usepackage{booktabs, threeparttable, adjustbox, rotating}; XeLaTeX or LuaLaTeX for names in Korean",
        rf"\begin{{{float_}}}\centering",
        rf"\caption{{{_escaped(title)}}}",
        r"% Smaller where it would be wider than the text.",
        r"\begin{adjustbox}{max width=\linewidth}",
        r"\begin{threeparttable}",
        rf"\begin{{tabular}}{{{kinds}}}",
        r"\toprule",
        " & ".join(_stacked(columns, texts, kinds)) + r" \\",
        r"\midrule",
        *(" & ".join(map(_escaped, row)) + r" \\" for row in texts),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    if notes:
        lines += [
            r"\begin{tablenotes}\footnotesize",
            *(rf"\item {_escaped(one)}" for one in notes),
            r"\end{tablenotes}",
        ]
    return "\n".join([*lines, r"\end{threeparttable}", r"\end{adjustbox}", rf"\end{{{float_}}}", ""])


def _stacked(columns: Sequence[str], texts: Sequence[Sequence[str]], kinds: str) -> Iterator[str]:
    """Heads in as many lines as keep their columns as narrow as what stands in them, or as their longest word."""
    for place, (column, kind) in enumerate(zip(columns, kinds, strict=True)):
        held = [*(row[place] for row in texts), *column.split()]
        lines = wrapped(column, max(text_width(text, LABEL) for text in held or [""]) + 0.1, LABEL)
        said = r" \\ ".join(map(_escaped, lines))
        yield said if len(lines) < 2 else rf"\shortstack[{kind}]{{{said}}}"


def _escaped(text: str) -> str:
    return "".join(_TEX.get(one, one) for one in str(text))


def is_number(rows: Rows, place: int) -> bool:
    """Whether a column holds numbers alone, and at least one; endless ones are among them."""
    values = [row[place] for row in rows if row[place] not in (None, "", *ENDLESS)]
    return bool(values) and all(isinstance(value, int | float) for value in values)


def word(title: str, columns: Sequence[str], rows: Rows, notes: Sequence[str]) -> bytes:
    """A document of one table with lines above, below and under its head, as journals set them."""
    numbers = [is_number(rows, place) for place in range(len(columns))]
    texts = _texts(columns, rows)
    size, widths = _widths(columns, texts)
    shapes = list(zip(widths, numbers, strict=True))
    head = _row(columns, shapes, size, is_head=True)
    body = "".join(_row(row, shapes, size) for row in texts)
    line = '<w:{0} w:val="single" w:sz="8" w:space="0" w:color="000000"/>'
    borders = f"<w:tblBorders>{line.format('top')}{line.format('bottom')}</w:tblBorders>"
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    about = f'<w:tblW w:w="{sum(widths)}" w:type="dxa"/>{borders}<w:tblLayout w:type="fixed"/>'
    table = f"<w:tbl><w:tblPr>{about}</w:tblPr><w:tblGrid>{grid}</w:tblGrid>{head}{body}</w:tbl>"
    sides = " ".join(f'w:{side}="720"' for side in ("top", "right", "bottom", "left", "header", "footer"))
    page = (
        '<w:sectPr><w:pgSz w:w="16838" w:h="11906" w:orient="landscape"/>'
        f'<w:pgMar {sides} w:gutter="0"/></w:sectPr>'
    )
    content = _paragraph(title, bold=True) + table + "".join(map(_paragraph, notes)) + page
    document = f'<w:document xmlns:w="{_WORD}"><w:body>{content}</w:body></w:document>'
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_KINDS}"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{_MAIN}"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="rId1" Type="{_OFFICE}" '
        'Target="word/document.xml"/></Relationships>',
        "word/document.xml": document,
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in parts.items():
            # A fixed day: the same table gives the same bytes.
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(info, f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>{text}'.encode())
    return out.getvalue()


def _widths(columns: Sequence[str], texts: Sequence[Sequence[str]]) -> tuple[int, list[int]]:
    """The size of the letters in half points, and a width for each column in twentieths, in which no word is broken
    as long as there are letters that small."""
    # Letters of the reader's font may be wider than ours, and those of the head are bold.
    held = [[(column, 1.35), *((row[place], 1.15) for row in texts)] for place, column in enumerate(columns)]
    words = [
        max(text_width(word, one) for text, one in cells for word in text.split() or [""]) for cells in held
    ]
    wholes = [max(text_width(text, one) for text, one in cells) for cells in held]
    room = _ROOM - _BESIDE * len(columns)
    size = next((size for size in (9.0, 8.0, 7.0, 6.0) if size * sum(words) <= room), 5.0)
    least, wished = size * sum(words), size * sum(wholes)
    share = min(max((room - least) / (wished - least), 0.0), 1.0) if wished > least else 1.0
    narrower = min(room / least, 1.0) if least else 1.0
    found = [
        size * (word + share * (whole - word)) * narrower + _BESIDE
        for word, whole in zip(words, wholes, strict=True)
    ]
    return round(2 * size), [round(20 * width) for width in found]


def _row(
    values: Sequence[str], shapes: Sequence[tuple[int, bool]], size: int, *, is_head: bool = False
) -> str:
    """``shapes``: of each column its width, and whether it holds numbers."""
    line = (
        '<w:tcBorders><w:bottom w:val="single" w:sz="4" w:color="000000"/></w:tcBorders>' if is_head else ""
    )
    cells = "".join(
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{line}</w:tcPr>'
        f"{_paragraph(value, size, bold=is_head, right=number)}</w:tc>"
        for value, (width, number) in zip(values, shapes, strict=True)
    )
    return f"<w:tr><w:trPr><w:cantSplit/>{'<w:tblHeader/>' if is_head else ''}</w:trPr>{cells}</w:tr>"


def _paragraph(text: str, size: int = 18, *, bold: bool = False, right: bool = False) -> str:
    how = '<w:pPr><w:jc w:val="right"/></w:pPr>' if right else ""
    fonts = '<w:rFonts w:ascii="Arial" w:hAnsi="Arial" w:eastAsia="Malgun Gothic"/>'
    look = f'<w:rPr>{fonts}{"<w:b/>" if bold else ""}<w:sz w:val="{size}"/></w:rPr>'
    # XML has no way to write control characters.
    tidy = "".join(one for one in text if one >= " ")
    return f'<w:p>{how}<w:r>{look}<w:t xml:space="preserve">{escape(tidy)}</w:t></w:r></w:p>'
