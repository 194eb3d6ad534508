"""What the check of an import found, a line each, as the command tells it."""

from collections.abc import Iterable, Iterator
from itertools import islice

from skinclinic import imaging
from skinclinic.archive.formats.words.folding import fold
from skinclinic.archive.models import Import
from skinclinic.archive.services.importing.row_errors import in_words

MOST_NAMES, MOST_CHANGES, MOST_WORDS = 10, 50, 40
_COUNTED = ("new", "changed", "unchanged", "kept", "known", "left_out")


def faults(report: dict) -> Iterator[str]:
    """What stands against importing."""
    if report.get("refused"):
        yield in_words(report["refused"])
        for one in report.get("encodings", []):
            yield f"  --encoding {one['key']} ({one['name']}): {' | '.join(one['cells'])}"
        return
    yield from map(_with_rows, report["errors"])
    says = {one["word"]: one["says"] for one in report.get("label_words", []) if "says" in one}
    for word, count in report["unknown_labels"].items():
        rows = ", ".join(map(str, report.get("unknown_label_rows", {}).get(word, [])))
        owner = f" ({says[word]})" if word in says else ""
        yield (
            f"unknown label “{word}”{owner}: {count} rows ({rows}). Map it with --map, to a disease key, a name or “-”."
        )
    if (more := report["unknown_label_count"] - len(report["unknown_labels"])) > 0:
        yield f"and {more} more unknown labels"
    for field, listed in report.get("words", {}).items():
        if strange := [f"“{one['word']}” {one['count']}" for one in listed if not one["known"]]:
            yield f"{field}: words that are not known: {', '.join(strange)}. Map them with --map under words."


def _with_rows(problem: dict) -> str:
    shown = ", ".join(map(str, problem["rows"][:20])) + (" …" if problem["count"] > 20 else "")
    where = f"column {problem['column']}: " if problem["column"] else ""
    return f"{where}{in_words(problem)} ({problem['count']} rows: {shown})"


def told(row: Import, changes: Iterable[dict]) -> Iterator[str]:
    """What would be done, and what would not be taken over."""
    report = row.report
    for kind, found in report.get("passed_over", {}).items():
        yield f"passed over, {kind}: {found['count']} ({_names(found['names'], found['count'])})"
    if report.get("refused"):
        return
    for kind, names in report.get("not_taken", {}).items():
        yield f"described, not taken over, {kind}: {len(names)} ({_names(names)})"
    yield from _of_table(report)
    if report["second_without_row"]:
        yield f"rows of the second table that belong to no photo: {_names(report['second_without_row'])}"
    if report["files_without_row_count"]:
        names = _names(report["files_without_row"], report["files_without_row_count"])
        yield f"{report['files_without_row_count']} photos without a row are left out: {names}"
    for code, found in report.get("photo_notes", {}).items():
        yield f"{found['count']} photos: {imaging.NOTES[code]} ({_names(found['names'], found['count'])})"
    for first, second in report["doubled"]:
        yield f"row {second} is the same file as row {first} and is left out"
    yield from _changes(report, changes)
    yield "; ".join(f"{name.replace('_', ' ')} {report[name]}" for name in _COUNTED)
    for label, count in report["labels"].items():
        yield f"  {label}: {count}"


def _of_table(report: dict) -> Iterator[str]:
    """What of the table is not taken over as it stands there."""
    if new := report.get("new_names"):
        yield f"diseases that are neither of the 12 nor used here yet, added by their names: {_names(new)}"
    if report["unread_columns"]:
        yield f"columns kept as they are, read into no field: {', '.join(report['unread_columns'])}"
    yield from map(_with_rows, report.get("notes", []))
    yield from _read_as(report)
    for field, listed in report.get("words", {}).items():
        if dropped := [
            f"“{one['word']}” {one['count']}"
            for one in listed
            if one["known"] and not one["means"] and one["word"]
        ]:
            yield f"{field}: read as not known: {', '.join(dropped)}"
    for one in report["contradictions"]:
        values = ", ".join(f"{value} (row {number})" for value, number in one["values"])
        told_so = f"{one['what']} {one['name']}: rows contradict each other on {one['field']}: {values}; "
        yield told_so + (
            "each photo keeps its own"
            if one["field"] == "label"
            else f"the first holds for the {one['what']}"
        )
    if (more := report["contradiction_count"] - len(report["contradictions"])) > 0:
        yield f"and {more} more contradictions"


def _read_as(report: dict) -> Iterator[str]:
    """Words that were read as something that is not called so to the letter."""
    read = {"label": report.get("label_words", []), **report.get("words", {})}
    for field, listed in read.items():
        found = [
            f"“{one['word']}” {one['count']} → {one['means']}"
            for one in listed
            if one.get("means") and one.get("known", True) and fold(one["word"]) != fold(one["means"])
        ]
        if found:
            more = f", and {len(found) - MOST_WORDS} more" if len(found) > MOST_WORDS else ""
            yield f"{field}: read {', '.join(found[:MOST_WORDS])}{more}"


def _changes(report: dict, changes: Iterable[dict]) -> Iterator[str]:
    total = sum(counts["count"] for counts in report["changes"].values())
    for one in islice(changes, MOST_CHANGES):
        by = f", set by {one['by']}: kept unless --take {one['field']}" if one["decided"] else ""
        yield f"{one['id']} {one['field']}: {_short(one['old'])} → {_short(one['new'])}{by}"
    if total > MOST_CHANGES:
        yield f"and {total - MOST_CHANGES} more changes"
    if report["kept"]:
        yield f"{report['kept']} photos keep what a person decided here"


def _short(value) -> str:
    text = "not known" if value in ("", None, {}) else str(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _names(names: list[str], count: int | None = None) -> str:
    return ", ".join(names[:MOST_NAMES]) + (", …" if (count or len(names)) > MOST_NAMES else "")
