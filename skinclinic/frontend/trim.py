"""Make the style sheet of Bootstrap that pages load: of its rules those that something of the product can meet.

    python -m skinclinic.frontend.trim

Reads the whole sheet in ``static/vendor`` and writes ``static/css/bootstrap.css``. A rule stays if each class it names
is a word of a template, a script or a module in Python; a colour or length (``--bs-…``) if a rule that stays, or a
sheet of ours, asks for it. ``tests/skinclinic/test_frontend.py`` fails where a class came to be used since.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
(WHOLE,) = (ROOT / "static" / "vendor").glob("bootstrap-5*/bootstrap.min.css")
TRIMMED = ROOT / "static" / "css" / "bootstrap.css"
# Where classes are named.
READ = (
    ("templates", "*.html"),
    ("static/js", "*.js"),
    *((app, "*.py") for app in ("skinclinic", "classifier", "reader_study")),
)
# What Bootstrap's own script sets of the parts in use: menus that open, panels that unfold.
SET_BY_SCRIPT = frozenset({"show", "collapse", "collapsing", "collapsed", "collapse-horizontal"})
_CLASS = re.compile(r"\.(-?[A-Za-z_][\w-]*)")
# Of Python only texts that may be the classes of a field.
_CLASSES = re.compile(r'"([\w -]+)"')
_WORD = re.compile(r"[A-Za-z_][\w-]*")
_ASKED = re.compile(r"var\(\s*(--[\w-]+)")


class Rule(NamedTuple):
    """``head``: selectors, or what follows an @. ``body``: declarations, or rules."""

    head: str
    body: "str | list[Rule]"


def rules(text: str) -> Iterator[Rule]:
    """Read rules from a sheet without comments."""
    start = 0
    while (opening := text.find("{", start)) >= 0:
        head = text[start:opening].strip()
        depth, end = 1, opening + 1
        while depth:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        inner = text[opening + 1 : end - 1]
        has_rules = head.startswith(("@media", "@supports"))
        yield Rule(head, list(rules(inner)) if has_rules else inner)
        start = end


def used_words() -> set[str]:
    """Every word that may be a class."""
    words = set(SET_BY_SCRIPT)
    for folder, pattern in READ:
        for path in (ROOT / folder).rglob(pattern):
            text = path.read_text(encoding="utf-8")
            texts = _CLASSES.findall(text) if path.suffix == ".py" else [text]
            words.update(word for one in texts for word in _WORD.findall(one))
    return words


def met(found: Iterable[Rule], words: set[str]) -> Iterator[Rule]:
    """The rules that something may meet, with those of their selectors."""
    for rule in found:
        if isinstance(rule.body, list):
            if inner := list(met(rule.body, words)):
                yield Rule(rule.head, inner)
        elif rule.head.startswith("@"):
            yield rule
        elif kept := [one for one in _selectors(rule.head) if words.issuperset(_CLASS.findall(one))]:
            yield Rule(",".join(kept), rule.body)


def _selectors(head: str) -> Iterator[str]:
    """Split at commas that are not within brackets."""
    depth, start = 0, 0
    for place, letter in enumerate(head):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and not depth:
            yield head[start:place]
            start = place + 1
    yield head[start:]


def written(found: Iterable[Rule]) -> str:
    """The sheet, a rule a line."""
    return "\n".join(
        f"{rule.head}{{{rule.body if isinstance(rule.body, str) else written(rule.body)}}}" for rule in found
    )


def without_unasked(sheet: str, others: str) -> str:
    """Take out custom properties that neither the sheet nor the others ask for, and what only those asked for."""
    while True:
        asked = set(_ASKED.findall(sheet)) | set(re.findall(r"--[\w-]+", others))
        shorter = sheet
        for name in set(re.findall(r"[{;](--[\w-]+):", sheet)) - asked:
            shorter = re.sub(rf"(?<=[{{;]){name}:[^;{{}}]*(?:;|(?=}}))", "", shorter)
        if shorter == sheet:
            return re.sub(r"\n?[^{}\n]+\{;?\}", "", sheet)
        sheet = shorter


def trimmed() -> str:
    """The sheet as it should be now."""
    text = WHOLE.read_text(encoding="utf-8")
    note = re.match(r"(?:@charset[^;]*;)?/\*!.*?\*/", text, re.S)
    plain = re.sub(r"@charset[^;]*;|/\*.*?\*/", "", text, flags=re.S)
    sheet = written(met(rules(plain), used_words()))
    names = set(re.findall(r"animation(?:-name)?:[^;}]*", sheet))
    moving = [found[1] for found in re.finditer(r"@(?:-webkit-)?keyframes ([\w-]+)", sheet)]
    for name in moving:
        if not any(name in one for one in names):
            sheet = re.sub(rf"(?m)^@(?:-webkit-)?keyframes {name}\{{.*\}}\n?", "", sheet)
    own = "".join(
        path.read_text(encoding="utf-8")
        for folder, pattern in (("static/css", "*.css"), ("static/js", "*.js"), ("templates", "*.html"))
        for path in sorted((ROOT / folder).rglob(pattern))
        if path != TRIMMED
    )
    head = note[0] if note else ""
    return f"{head}\n/* Made by python -m skinclinic.frontend.trim. */\n{without_unasked(sheet, own)}\n"


if __name__ == "__main__":
    TRIMMED.write_text(trimmed(), encoding="utf-8")
    print(f"{TRIMMED}: {TRIMMED.stat().st_size} of {WHOLE.stat().st_size} bytes")
