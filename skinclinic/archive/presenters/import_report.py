"""What the check of an import found, as its page and its table show it."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from skinclinic import imaging
from skinclinic.archive.models import Import
from skinclinic.archive.presenters.import_words import field_names, is_mappable, value_name
from skinclinic.archive.presenters.label_names import group_name
from skinclinic.archive.services.importing.changes import KEEP, TAKE
from skinclinic.archive.services.importing.row_errors import in_words


def shown(row: Import) -> dict[str, Any]:
    """The report with its errors, its refusal and its kinds of files in the reader's language."""
    report = row.report
    said: dict[str, Any] = {"errors": [one | {"message": in_words(one)} for one in report.get("errors", [])]}
    said["notes"] = [one | {"message": in_words(one)} for one in report.get("notes", [])]
    if refused := report.get("refused"):
        said["refused"] = in_words(refused)
    said["passed_over"] = [
        {"kind": _(kind), **found} for kind, found in report.get("passed_over", {}).items()
    ]
    said["not_taken"] = [
        {"kind": _(kind), "count": len(names), "names": names}
        for kind, names in report.get("not_taken", {}).items()
    ]
    said["photo_notes"] = [
        {"words": _(imaging.NOTES[code]), **found}
        for code, found in report.get("photo_notes", {}).items()
        if code in imaging.NOTES
    ]
    names = field_names()
    said["contradictions"] = [
        one
        | {
            "what": _("Patient") if one["what"] == "patient" else _("Lesion"),
            "field": names[one["field"]],
            "values": [(change_value(one["field"], value), number) for value, number in one["values"]],
        }
        for one in report.get("contradictions", [])
    ]
    said["changes"] = [
        {
            "field": field,
            "name": names.get(field, field),
            **counts,
            "said": row.decisions.get("fields", {}).get(field) or row.decisions.get("all", ""),
            "choices": [(KEEP, _("keep what is here")), (TAKE, _("take from the source"))],
        }
        for field, counts in report.get("changes", {}).items()
        if field != "age_to"
    ]
    if undo := report.get("undo"):
        stays = undo.get("needed") or undo.get("stays", {})
        said["undo"] = undo | {"why": [(_why(why), names) for why, names in stays.items()]}
    return report | said


def _why(code: str) -> str:
    """Why something of an undone import stays; other reasons are said by those who need the photo."""
    return {
        "filed": _("filed elsewhere since this import"),
        "changed": _("changed here since"),
        "frozen": _("in a frozen dataset"),
    }.get(code, code)


def difference(report: dict) -> list[tuple[str, int]]:
    """What the import would do to the archive, in words."""
    chosen = report.get("chosen") or {"changed": report.get("changed", 0), "stay": 0}
    return [
        (_("new photos"), report.get("new", 0)),
        (_("changed labels or facts"), chosen["changed"]),
        (_("keep what is here, as chosen"), chosen["stay"]),
        (_("as they are already"), report.get("unchanged", 0)),
        (_("keep what was decided here"), report.get("kept", 0)),
        (_("files the archive has from elsewhere, left out"), report.get("known", 0)),
        (_("files that come twice, left out"), report.get("doubled_count", 0)),
        (_("rows left out"), report.get("left_out", 0)),
        (_("words nobody has mapped"), report.get("unknown_label_count", 0)),
        (_("photos whose rows have errors"), report.get("kept_out", 0)),
        (_("photos without a row, left out"), report.get("files_without_row_count", 0)),
        (_("other files, passed over"), sum(one["count"] for one in report.get("passed_over", {}).values())),
    ]


def lines(row: Import) -> Iterator[list]:
    """All of it as lines of a table: column or kind, what, rows or names, count."""
    report = shown(row)
    if report.get("refused"):
        yield ["", report["refused"], "", ""]
    for encoding in report.get("encodings", []):
        yield ["", _("encoding: %(name)s") % {"name": encoding["name"]}, " | ".join(encoding["cells"]), ""]
    for problem in report["errors"]:
        yield [problem["column"], problem["message"], _joined(problem["rows"]), problem["count"]]
    rows = report.get("unknown_label_rows", {})
    for word, count in report.get("unknown_labels", {}).items():
        yield ["", _("unknown label: %(word)s") % {"word": word}, _joined(rows.get(word, [])), count]
    for field, words in report.get("words", {}).items():
        for one in words:
            read = value_name(field, one["means"]) or _("Not known")
            means = read if one["known"] else _("not decided")
            yield [field_names()[field], f"{one['word']} → {means}", "", one["count"]]
    yield from _of_table(report)
    yield from _of_files(report)
    if names := report.get("files_without_row"):
        yield ["", _("photos without a row, left out"), " | ".join(names), report["files_without_row_count"]]
    for first, second in report.get("doubled", []):
        yield ["", _("the same file as row %(row)s, left out") % {"row": first}, second, 1]


def _of_files(report: dict) -> Iterator[list]:
    """Photos that are not stored as they came, and files that are none."""
    for one in report["photo_notes"]:
        yield ["", one["words"], " | ".join(one["names"]), one["count"]]
    for one in report["not_taken"]:
        what = _("described, not taken over: %(kind)s") % {"kind": one["kind"]}
        yield ["", what, " | ".join(one["names"]), one["count"]]
    for one in report["passed_over"]:
        yield ["", _("passed over: %(kind)s") % {"kind": one["kind"]}, " | ".join(one["names"]), one["count"]]


def _of_table(report: dict) -> Iterator[list]:
    """What of the table is not taken over as it stands there."""
    for note in report["notes"]:
        yield [note["column"], note["message"], _joined(note["rows"]), note["count"]]
    for name in report.get("new_names", []):
        yield [field_names()["label"], _("neither of the 12 nor used here yet; added"), name, ""]
    for column in report.get("unread_columns", []):
        yield [column, _("read into no field; kept with the photo"), "", ""]
    for one in report["contradictions"]:
        values = "; ".join(f"{value} ({number})" for value, number in one["values"])
        yield [
            one["field"],
            _("rows contradict each other: %(values)s") % {"values": values},
            f"{one['what']} {one['name']}",
            "",
        ]


def _joined(rows: list[int]) -> str:
    return " ".join(map(str, rows))


def change_value(field: str, value: object) -> str:
    """One side of a change, in words."""
    if isinstance(value, dict):
        return ", ".join(f"{name}: {text}" for name, text in value.items())[:300] or _("Not known")
    if value in ("", None):
        return _("Not known")
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if field == "label":
        return group_name(str(value))
    return value_name(field, str(value)) if is_mappable(field) else str(value)
