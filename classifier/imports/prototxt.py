"""Caffe's text format: names with values and nested messages. Knows no schema."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from classifier.networks.manifest import ModelRejected

LARGEST_BYTES = 8 * 1024 * 1024
DEEPEST = 32

# A comment is taken to the end of its line, and nothing of it is tried in another way.
_SPACE = r"(?:\s|#[^\n]*(?:\n|\Z))*+"
_TOKEN = re.compile(
    _SPACE + r"(?:(?P<string>\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*')"
    r"|(?P<mark>[{}<>\[\]:,;])|(?P<word>[^\s{}<>\[\]:,;\"'#]+)|(?P<end>\Z))"
)


@dataclass
class Message:
    """Fields by name, each with its values in the order of the text: words as written, or messages."""

    fields: dict[str, list["str | Message"]] = field(default_factory=dict)

    def messages(self, name: str) -> list["Message"]:
        """Every message under ``name``."""
        values = self.fields.get(name, [])
        found = [value for value in values if isinstance(value, Message)]
        if len(found) < len(values):
            _refuse(f"{name} must be a message in braces")
        return found

    def message(self, name: str) -> "Message":
        """The message under ``name``, an empty one if there is none; several are one, as in Caffe."""
        merged = Message()
        for message in self.messages(name):
            for key, values in message.fields.items():
                merged.fields.setdefault(key, []).extend(values)
        return merged

    def words(self, name: str) -> list[str]:
        """Every value under ``name`` as text."""
        values = self.fields.get(name, [])
        found = [value for value in values if isinstance(value, str)]
        if len(found) < len(values):
            _refuse(f"{name} must be a value, not a message")
        return found

    def word(self, name: str, default: str = "") -> str:
        """The value under ``name``; of several the last, as in Caffe."""
        return (self.words(name) or [default])[-1]

    def wholes(self, name: str) -> list[int]:
        """Every whole number from 0 to a billion under ``name``."""
        return [_whole(name, word) for word in self.words(name)]

    def whole(self, name: str, default: int) -> int:
        """The whole number under ``name``."""
        return (self.wholes(name) or [default])[-1]

    def number(self, name: str, default: float) -> float:
        """The number under ``name``."""
        word = self.word(name)
        try:
            return float(word) if word else default
        except ValueError:
            _refuse(f"{name} must be a number, not {word[:40]!r}")

    def flag(self, name: str, default: bool) -> bool:
        """The truth value under ``name``."""
        word = self.word(name)
        if word not in ("", "true", "false", "1", "0"):
            _refuse(f"{name} must be true or false, not {word[:40]!r}")
        return word in ("true", "1") if word else default


def read(path: Path) -> Message:
    """Read a prototxt file. Raises ModelRejected."""
    try:
        with Path(path).open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise ModelRejected("prototxt_unreadable", f"The prototxt cannot be read: {error}.") from error
    if len(content) > LARGEST_BYTES:
        _refuse("it is larger than 8 MB; is it the caffemodel?")
    try:
        return parse(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        _refuse("it is not text; is it the caffemodel?")


def parse(text: str) -> Message:
    """Parse text format. Raises ModelRejected, naming the line."""
    open_messages = [Message()]
    closers: list[str] = []
    tokens = _Tokens(text)
    while True:
        kind, token = tokens.take()
        if kind == "end":
            if closers:
                _refuse(f"it ends before a {closers[-1]!r} that is needed")
            return open_messages[0]
        if closers and token == closers[-1]:
            closers.pop()
            open_messages.pop()
        elif kind == "word":
            values = open_messages[-1].fields.setdefault(token, [])
            if tokens.peek() == ":":
                tokens.take()
            if tokens.peek() in ("{", "<"):
                if len(closers) == DEEPEST:
                    tokens.refuse(f"messages lie more than {DEEPEST} deep")
                closers.append("}" if tokens.take()[1] == "{" else ">")
                message = Message()
                values.append(message)
                open_messages.append(message)
                continue
            values.extend(_values(tokens))
        else:
            tokens.refuse(f"{token[:40]!r} is not a name")
        if tokens.peek() in (",", ";"):
            tokens.take()


def _values(tokens: "_Tokens") -> list[str]:
    """One value, or several in brackets."""
    if tokens.peek() != "[":
        return [_value(tokens)]
    tokens.take()
    values = []
    while tokens.peek() != "]":
        values.append(_value(tokens))
        if tokens.peek() == ",":
            tokens.take()
    tokens.take()
    return values


def _value(tokens: "_Tokens") -> str:
    kind, token = tokens.take()
    if kind not in ("string", "word"):
        tokens.refuse(f"a value is needed instead of {token[:40]!r}")
    return re.sub(r"\\(.)", r"\1", token[1:-1]) if kind == "string" else token


class _Tokens:
    def __init__(self, text: str):
        self._text = text
        self._at = 0
        self._next = self._match()

    def peek(self) -> str:
        """The next token without taking it."""
        return self._next[1]

    def take(self) -> tuple[str, str]:
        """The next token as (kind, text)."""
        taken = self._next
        if taken[0] != "end":
            self._next = self._match()
        return taken

    def refuse(self, why: str) -> NoReturn:
        line = self._text.count("\n", 0, self._at) + 1
        _refuse(f"near line {line}, {why}")

    def _match(self) -> tuple[str, str]:
        found = _TOKEN.match(self._text, self._at)
        if not found:
            self.refuse("a quoted text does not end")
        self._at = found.end()
        kind = found.lastgroup or ""
        return kind, found[kind]


def _whole(name: str, word: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", word):
        _refuse(f"{name} must be a whole number, not {word[:40]!r}")
    return int(word)


def _refuse(why: str) -> NoReturn:
    raise ModelRejected("prototxt_unreadable", f"The prototxt cannot be read: {why}.")
