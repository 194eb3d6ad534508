"""The words that a table has in the fields a curator may explain, with what each was read as."""

import re
from typing import Any

from skinclinic.archive.formats.columns import MAPPABLE
from skinclinic.archive.formats.reading import Source
from skinclinic.archive.formats.words.facts import is_unknown

MOST_WORDS = 400
LONGEST = 120
_PLAIN_AGE = re.compile(r"[0-9]+(\.0*)?")


def words_of(source: Source) -> dict[str, list[dict]]:
    """{field: [{word, count, means, known}]}, those nobody knows first. Not ages that are plain numbers."""
    if source.table is None:
        return {}
    found: dict[str, list[dict]] = {}
    for name in MAPPABLE:
        counts = source.reader.counts[name]
        said = source.reader.said.get(name, {})
        listed: list[dict[str, Any]] = []
        for word, count in counts.most_common():
            value = source.reader.meaning(name, word)
            is_said = word.strip().casefold() in said
            is_known = is_said or source.reader.is_known(name, word)
            is_plain = is_unknown(word) or (name == "age" and _PLAIN_AGE.fullmatch(word))
            if is_known and not is_said and is_plain and word:
                continue
            listed.append({"word": word[:LONGEST], "count": count, "means": _shown(value), "known": is_known})
        listed.sort(key=lambda one: (one["known"], -one["count"]))
        if listed and any(one["word"] or not one["known"] for one in listed):
            found[name] = listed[:MOST_WORDS]
    return found


def _shown(value) -> str:
    """A value as a person may write it in a mapping."""
    if isinstance(value, tuple):
        first, last = value
        return "" if first is None else str(first) if last is None else f"{first}-{last}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
