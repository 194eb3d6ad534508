"""The language of the archive's search box: words, "phrases", field:value, AND, OR, NOT and parentheses.

Pure: text in, a tree out. Words beside each other mean AND; OR binds weaker than AND; NOT or - goes before
one term.
"""

import re
from dataclasses import dataclass

LONGEST = 200
MOST_TERMS = 30
DEEPEST = 8
FIELDS = (
    "diagnosis", "icd10", "subtype", "text", "patient", "lesion", "age", "sex", "skin", "site", "kind", "proof", "tag",
    "date", "dataset", "source", "column",
)  # fmt: skip
_TOKEN = re.compile(
    r"""\s*(?:(?P<paren>[()])
      |(?P<minus>-(?=[^\s()]))
      |(?:(?P<field>[A-Za-z]\w*):)?(?:"(?P<phrase>[^"]*)"|(?P<word>[^\s()"]+)))""",
    re.VERBOSE,
)


class QueryError(ValueError):
    """The text cannot be read; ``position`` counts characters from 0."""

    def __init__(self, code: str, position: int, word: str = ""):
        super().__init__(f"{code} at {position}: {word}")
        self.code, self.position, self.word = code, position, word


@dataclass(frozen=True)
class Term:
    """A word or phrase, in one field or ("") in any."""

    field: str
    text: str


@dataclass(frozen=True)
class Not:
    node: "Node"


@dataclass(frozen=True)
class Both:
    nodes: tuple["Node", ...]


@dataclass(frozen=True)
class Either:
    nodes: tuple["Node", ...]


Node = Term | Not | Both | Either


def parse(text: str) -> Node | None:
    """The tree of a search; None for an empty one. Raises QueryError, whose codes are: too_long, too_many,
    too_deep, unclosed (parenthesis or quote), unopened, unknown_field, nothing (an operator without a term)."""
    if len(text) > LONGEST:
        raise QueryError("too_long", LONGEST)
    tokens = _tokens(text)
    if not tokens:
        return None
    parser = _Parser(tokens, len(text))
    node = parser.either(0)
    if parser.at < len(tokens):
        raise QueryError("unopened", tokens[parser.at].position, ")")
    return node


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    position: int
    field: str = ""


def _tokens(text: str) -> list[_Token]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise QueryError("unclosed", text.index('"', at), '"')
        position = match.end() - len(match[0].lstrip())
        at = match.end()
        if match["paren"]:
            found.append(_Token(match["paren"], match["paren"], position))
        elif match["minus"]:
            found.append(_Token("NOT", "-", position))
        elif match["field"] is None and match["word"] in ("AND", "OR", "NOT"):
            found.append(_Token(match["word"], match["word"], position))
        else:
            field = (match["field"] or "").lower()
            if field and field not in FIELDS:
                raise QueryError("unknown_field", position, field)
            found.append(
                _Token("term", match["phrase"] if match["word"] is None else match["word"], position, field)
            )
    if sum(token.kind == "term" for token in found) > MOST_TERMS:
        raise QueryError("too_many", 0)
    return found


class _Parser:
    def __init__(self, tokens: list[_Token], end: int):
        self.tokens, self.end, self.at = tokens, end, 0

    def kind(self) -> str:
        return self.tokens[self.at].kind if self.at < len(self.tokens) else ""

    def either(self, depth: int) -> Node:
        nodes = [self.both(depth)]
        while self.kind() == "OR":
            self.at += 1
            nodes.append(self.both(depth))
        return nodes[0] if len(nodes) == 1 else Either(tuple(nodes))

    def both(self, depth: int) -> Node:
        nodes = [self.one(depth)]
        while self.kind() in ("AND", "term", "NOT", "("):
            if self.kind() == "AND":
                self.at += 1
            nodes.append(self.one(depth))
        return nodes[0] if len(nodes) == 1 else Both(tuple(nodes))

    def one(self, depth: int) -> Node:
        if self.at == len(self.tokens):
            raise QueryError("nothing", self.end)
        token = self.tokens[self.at]
        if depth > DEEPEST:
            raise QueryError("too_deep", token.position)
        self.at += 1
        if token.kind == "term":
            return Term(token.field, token.text)
        if token.kind == "NOT":
            return Not(self.one(depth + 1))
        if token.kind == "(":
            node = self.either(depth + 1)
            if self.kind() != ")":
                raise QueryError("unclosed", token.position, "(")
            self.at += 1
            return node
        raise QueryError("nothing", token.position, token.text)
