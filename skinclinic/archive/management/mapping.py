"""The JSON file that says what a table's columns and words mean, and what a command was told to do with changes."""

import json
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from django.core.management.base import CommandError

from skinclinic.archive.formats.columns import DEFAULTS, MAPPABLE, READERS
from skinclinic.archive.services.importing import imports
from skinclinic.archive.services.importing.changes import KEEP, TAKE
from skinclinic.web.inputs import storable

# What a source may change of a photo that is here (``fields.all_of``).
CHANGEABLE = (
    *(name for name in READERS if name not in ("file", "external_id", "sha256", "split")),
    "columns",
)
SHAPE = (
    '{"columns": {field: column}, "labels": {word: label}, "words": {field: {word: value}}, '
    '"defaults": {field: value}}'
)


def read(path: Path | None) -> dict:
    """{"columns", "labels", "words", "defaults"} of a mapping; what the file does not have is empty. Raises
    CommandError."""
    if path is None:
        return {}
    try:
        mapping = json.loads(unicodedata.normalize("NFC", path.read_text(encoding="utf-8-sig")))
    except (ValueError, OSError, RecursionError) as error:
        raise CommandError(f"{path} cannot be read as JSON: {error}") from None
    if not isinstance(mapping, dict) or not isinstance(mapping.get("words", {}), dict):
        raise CommandError(f"{path} must read {SHAPE}.")
    words = mapping.get("words", {})
    parts = [mapping.get(name, {}) for name in ("columns", "labels", "defaults")]
    if not all(_is_texts(part) for part in (*parts, *words.values())):
        raise CommandError(f"{path} must read {SHAPE}.")
    columns, labels, defaults = parts
    for what, found, known in (
        ("fields", columns, READERS),
        ("fields of words", words, MAPPABLE),
        ("defaults", defaults, DEFAULTS),
    ):
        if strange := sorted(set(found) - set(known)):
            raise CommandError(
                f"{path} names {what} that do not exist: {', '.join(strange)}. There are: {', '.join(known)}."
            )
    texts = (text for part in (*parts, *words.values()) for pair in part.items() for text in pair)
    if not all(storable(text) for text in texts):
        raise CommandError(f"{path} holds characters that cannot be stored (a NUL or half a character).")
    return {
        "columns": columns,
        "labels": {word: imports.tidy_label(label) for word, label in labels.items()},
        "words": words,
        "defaults": defaults,
    }


def _is_texts(part) -> bool:
    return isinstance(part, dict) and all(isinstance(value, str) for value in part.values())


def decisions(keep: Iterable[str], take: Iterable[str]) -> dict:
    """What ``--keep`` and ``--take`` say: fields, or "all". Raises CommandError."""
    if strange := sorted({*(keep or ()), *(take or ())} - {*CHANGEABLE, "all"}):
        raise CommandError(
            f"--keep and --take name fields that do not change: {', '.join(strange)}. "
            f"There are: all, {', '.join(CHANGEABLE)}."
        )
    said = {**dict.fromkeys(keep or (), KEEP), **dict.fromkeys(take or (), TAKE)}
    everything = said.pop("all", "")
    return {"fields": said} | ({"all": everything} if everything else {})
