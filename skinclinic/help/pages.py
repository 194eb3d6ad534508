"""A page of help is a Markdown file in ``docs/help/LANGUAGE`` (``pt_BR``): its first line the title, its first
paragraph what it is about. HTML in it is shown as text, links that are no addresses are none, and a picture that is not
there is left out. A last line ``<!-- also: 2FA, forgot password -->`` has what people call its matters who do not know
our words: it finds the page and is not shown."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from skinclinic.vocabulary.languages import folder_name

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "help"
# The language every page is written in.
FIRST = "en"
AROUND = 70
_ALSO = re.compile(r"^<!-- also: (.*) -->\s*\Z", re.MULTILINE)

# f(name of a page) -> its address; f("LANGUAGE/FILE") -> the address of a picture, "" if there is none.
Address = Callable[[str], str]


@dataclass(frozen=True)
class HelpPage:
    name: str
    # The language it is written in, which is English where the wanted one has no such page.
    language: str
    title: str
    # Its first paragraph, and all its words; plain text.
    summary: str
    text: str
    # What finds it and is not shown.
    also: str
    tokens: Sequence[Token]


@dataclass(frozen=True)
class Hit:
    page: HelpPage
    # Words round the first word found; "" where it stands in the title alone.
    before: str
    found: str
    after: str


def read(name: str, language: str) -> HelpPage:
    """The page in this language, else in English. Raises FileNotFoundError where there is no such page."""
    path = FOLDER / folder_name(language) / f"{name}.md"
    if not path.is_file():
        language, path = FIRST, FOLDER / FIRST / f"{name}.md"
    return _read(name, language, path, path.stat().st_mtime_ns)


@lru_cache(maxsize=200)
def _read(name: str, language: str, path: Path, _changed: int) -> HelpPage:
    written = path.read_text(encoding="utf-8")
    also = "".join(_ALSO.findall(written))
    tokens = MarkdownIt("commonmark", {"html": False}).parse(_ALSO.sub("", written))
    words = [_plain(token) for token in tokens if token.type == "inline"]
    return HelpPage(name, language, words[0], words[1], "\n".join(words[1:]), also, tuple(tokens))


def _plain(token: Token) -> str:
    parts = [
        " " if part.type in ("softbreak", "hardbreak") else part.content
        for part in token.children or ()
        if part.type != "image"
    ]
    return "".join(parts).strip()


def html(page: HelpPage, address: Address, picture: Address) -> str:
    """The page below its title as HTML, which needs no escaping. Links to other files become ``address`` of their
    names, pictures ``picture`` of theirs; a paragraph that is a picture which is not there is left out."""
    kept: list[Token] = []
    # The title is the page's own heading.
    tokens = page.tokens[3:]
    number = 0
    while number < len(tokens):
        token = tokens[number]
        if token.type == "paragraph_open" and _is_picture(tokens[number + 1]):
            if source := picture(_picture_name(tokens[number + 1])):
                inline = tokens[number + 1].copy(children=_children(tokens[number + 1], address, source))
                kept += [token, inline, tokens[number + 2]]
            number += 3
            continue
        is_inline = token.type == "inline"
        kept.append(token.copy(children=_children(token, address, "")) if is_inline else token)
        number += 1
    renderer = MarkdownIt("commonmark", {"html": False}).renderer
    return str(renderer.render(kept, MarkdownIt("commonmark", {"html": False}).options, {}))


def _is_picture(token: Token) -> bool:
    return [part.type for part in token.children or ()] == ["image"]


def _picture_name(token: Token) -> str:
    """LANGUAGE/FILE of a path as it is in the repository."""
    source = str((token.children or [])[0].attrs["src"])
    return "/".join(source.split("/")[-2:])


def _children(token: Token, address: Address, source: str) -> list[Token]:
    made = []
    for part in token.children or ():
        part = part.copy(attrs=dict(part.attrs))
        if part.type == "link_open" and (match := re.fullmatch(r"([a-z-]+)\.md", str(part.attrs["href"]))):
            part.attrs["href"] = address(match[1])
        if part.type == "image":
            part.attrs |= {"src": source, "loading": "lazy", "class": "help-picture"}
        made.append(part)
    return made


def search(text: str, names: Sequence[str], language: str) -> list[Hit]:
    """The pages that have every word of ``text`` somewhere, with or without its accents, those with one in their title
    first, then those whose matters are called so (``also``)."""
    words = _without_accents(unicodedata.normalize("NFC", text)).casefold().split()[:10]
    if not words:
        return []
    found: list[tuple[int, int, Hit]] = []
    for page in (read(name, language) for name in names):
        title, body = _without_accents(page.title).casefold(), _without_accents(page.text).casefold()
        also = _without_accents(page.also).casefold()
        if all(word in title or word in also or word in body for word in words):
            place = (
                0 if any(word in title for word in words) else 1 if any(word in also for word in words) else 2
            )
            found.append((place, len(found), _hit(page, words)))
    return [hit for _title, _number, hit in sorted(found, key=lambda one: one[:2])]


def _without_accents(text: str) -> str:
    """The text with plain letters, none more or fewer; Hangul stays as it is."""
    return "".join(
        letter if "\uac00" <= letter <= "\ud7a3" else unicodedata.normalize("NFD", letter)[0]
        for letter in text
    )


def _hit(page: HelpPage, words: Sequence[str]) -> Hit:
    text = _without_accents(page.text)
    match = next((match for word in words if (match := re.search(re.escape(word), text, re.I))), None)
    if match is None:
        return Hit(page, "", "", page.summary)
    start, end = match.span()
    before, after = page.text[max(0, start - AROUND) : start], page.text[end : end + AROUND]
    # Whole words, and none of the paragraphs before and after.
    before, after = before.rpartition("\n")[2], after.partition("\n")[0]
    if start > AROUND and len(before) == AROUND:
        before = "… " + before.partition(" ")[2]
    if len(after) == AROUND:
        after = after.rpartition(" ")[0] + " …"
    return Hit(page, before, page.text[start:end], after)
