"""The list of what the files of a study show, as a page that needs nothing but itself."""

from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from django.utils.translation import get_language
from django.utils.translation import gettext as _

NAME = "index.html"
ABOUT = {
    "report.json": lambda: _("Every number of the results, for programs"),
    "tables": lambda: _("A table with one fact a row"),
    "exchange": lambda: _("What iMRMC, RJafroc or MRMCaov read"),
    "methods": lambda: _("The methods paragraph"),
    "replay": lambda: _("What “Replay from files” and the command study_report read"),
}


def page(title: str, found: Sequence[tuple[str, str]]) -> bytes:
    """``found``: (file, what it shows). Files of one figure are one line."""
    lines: dict[tuple[str, str], list[str]] = {}
    for name, text in found:
        folder = name.rpartition("/")[0]
        stem = name.rpartition(".")[0] if folder.startswith("figures") else name
        lines.setdefault((stem, text), []).append(name)
    heading = title or _("Files of the study")
    parts = [
        f'<!doctype html><html lang="{get_language() or "en"}"><head><meta charset="utf-8">'
        f"<title>{escape(heading)}</title></head><body><h1>{escape(heading)}</h1>"
    ]
    there: str | None = None
    for (_stem, text), names in sorted(lines.items(), key=lambda line: line[1][0].rpartition("/")[0]):
        here = names[0].rpartition("/")[0]
        if here != there:
            parts += ["</ul>" if there is not None else "", f"<h2>{escape(here) or '.'}</h2><ul>"]
            there = here
        links = " ".join(f'<a href="{quote(name)}">{escape(_shown(name, names))}</a>' for name in names)
        parts.append(f"<li>{escape(text)}: {links}</li>")
    return "".join([*parts, "</ul>" if there is not None else "", "</body></html>"]).encode()


def _shown(name: str, names: Sequence[str]) -> str:
    return name.rpartition("/")[2] if len(names) == 1 else name.rpartition(".")[2]
