"""What the check of an import found, kept so that it can be shown in any language.

An error is stored as {"column", "message", "rows", "count", "examples": [{"value", "params"}]}: the message has
named places (see ``formats.problems``), and errors that differ only in what fills them are one. Rows
are numbered as a spreadsheet shows them, the header being row 1 (``formats.rows.Row.number``).
"""

from collections.abc import Mapping

from skinclinic.archive.formats.problems import Problem, Said
from skinclinic.web.counts import gettext as _

MOST_ROWS_NAMED = 1000
MOST_EXAMPLES = 3
LONGEST_EXAMPLE = 80


class Problems:
    """Errors grouped by column and message, in the order of their columns."""

    def __init__(self):
        self.groups: dict[tuple[str, str], dict] = {}
        self.total = 0

    def add(self, number: int, problem: Problem) -> None:
        self.total += 1
        key = (problem.column, problem.message)
        group = self.groups.setdefault(
            key,
            {"column": problem.column, "message": problem.message, "rows": [], "count": 0, "examples": []},
        )
        group["count"] += 1
        if len(group["rows"]) < MOST_ROWS_NAMED:
            group["rows"].append(number)
        if len(group["examples"]) < MOST_EXAMPLES:
            example = {"value": _shown(problem.value), "params": _storable(problem.params)}
            if example not in group["examples"]:
                group["examples"].append(example)

    def to_json(self) -> list[dict]:
        return [group for _key, group in sorted(self.groups.items())]


def refusal(said: Said) -> dict:
    """The reason why an import is refused as a whole, to be stored."""
    return {"message": said.message, "params": _storable(said.params)}


def in_words(error: dict) -> str:
    """An error with its first examples, or a refusal, in the reader's language."""
    if "examples" not in error:
        return _filled(error["message"], error["params"])
    texts: dict[str, list[str]] = {}
    for example in error["examples"]:
        values = texts.setdefault(_filled(error["message"], example["params"]), [])
        if example["value"]:
            values.append(f"“{example['value']}”")
    return "; ".join(f"{', '.join(values)}: {text}" if values else text for text, values in texts.items())


def _filled(message: str, params: dict) -> str:
    # The kind of a file is the one place filled with a word of ours.
    words = {name: _(value) if name == "kind" and value else value for name, value in params.items()}
    return _(message) % words


def _storable(params: Mapping[str, object]) -> dict:
    return {name: _shown(value, 700) if isinstance(value, str) else value for name, value in params.items()}


def _shown(text: str, most: int = LONGEST_EXAMPLE) -> str:
    """Text of a stranger as a database takes it: no NUL, no half of a surrogate pair, not endless."""
    text = text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    return text if len(text) <= most else f"{text[: most - 1]}…"
