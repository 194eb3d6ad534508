"""The table of a figure for a manuscript: LaTeX (booktabs) and Word, with its title, its n and its notes. Pure.

Numbers are rounded for reading; the CSV has them in full.
"""

import io
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import escape

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


def cell(value: object) -> str:
    """A value for reading: three decimals, a true minus, a dash where there is none."""
    if value is None or value == "":
        return "–"
    if isinstance(value, float):
        text = "<0.001" if 0 < value < 0.001 else f"{value:.3f}"
        return text.replace("-", "−")
    return str(value)


def latex(title: str, columns: Sequence[str], rows: Rows, notes: Sequence[str]) -> str:
    """A table environment; its packages are named in its first line."""
    kinds = "".join("r" if _is_number(rows, place) else "l" for place in range(len(columns)))
    lines = [
        r"% \usepackage{booktabs, threeparttable}; XeLaTeX or LuaLaTeX for names in Korean",
        r"\begin{table}",
        r"\begin{threeparttable}",
        rf"\caption{{{_escaped(title)}}}",
        rf"\begin{{tabular}}{{{kinds}}}",
        r"\toprule",
        " & ".join(map(_escaped, columns)) + r" \\",
        r"\midrule",
        *(" & ".join(_escaped(cell(value)) for value in row) + r" \\" for row in rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    if notes:
        lines += [
            r"\begin{tablenotes}\footnotesize",
            *(rf"\item {_escaped(one)}" for one in notes),
            r"\end{tablenotes}",
        ]
    return "\n".join([*lines, r"\end{threeparttable}", r"\end{table}", ""])


def _escaped(text: str) -> str:
    return "".join(_TEX.get(one, one) for one in str(text))


def _is_number(rows: Rows, place: int) -> bool:
    values = [row[place] for row in rows if row[place] not in (None, "")]
    return bool(values) and all(isinstance(value, int | float) for value in values)


def word(title: str, columns: Sequence[str], rows: Rows, notes: Sequence[str]) -> bytes:
    """A document of one table with lines above, below and under its head, as journals set them."""
    numbers = [_is_number(rows, place) for place in range(len(columns))]
    head = _row(columns, numbers, is_head=True)
    body = "".join(_row([cell(value) for value in row], numbers) for row in rows)
    line = '<w:{0} w:val="single" w:sz="8" w:space="0" w:color="000000"/>'
    borders = f"<w:tblBorders>{line.format('top')}{line.format('bottom')}</w:tblBorders>"
    table = f'<w:tbl><w:tblPr><w:tblW w:w="5000" w:type="pct"/>{borders}</w:tblPr>{head}{body}</w:tbl>'
    page = '<w:sectPr><w:pgSz w:w="16838" w:h="11906" w:orient="landscape"/></w:sectPr>'
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


def _row(values: Sequence[str], numbers: Sequence[bool], *, is_head: bool = False) -> str:
    line = '<w:tcPr><w:tcBorders><w:bottom w:val="single" w:sz="4" w:color="000000"/></w:tcBorders></w:tcPr>'
    cells = "".join(
        f"<w:tc>{line if is_head else ''}{_paragraph(value, bold=is_head, right=number)}</w:tc>"
        for value, number in zip(values, numbers, strict=True)
    )
    return f"<w:tr>{'<w:trPr><w:tblHeader/></w:trPr>' if is_head else ''}{cells}</w:tr>"


def _paragraph(text: str, *, bold: bool = False, right: bool = False) -> str:
    how = '<w:pPr><w:jc w:val="right"/></w:pPr>' if right else ""
    look = f'<w:rPr>{"<w:b/>" if bold else ""}<w:sz w:val="18"/></w:rPr>'
    # XML has no way to write control characters.
    tidy = "".join(one for one in text if one >= " ")
    return f'<w:p>{how}<w:r>{look}<w:t xml:space="preserve">{escape(tidy)}</w:t></w:r></w:p>'
