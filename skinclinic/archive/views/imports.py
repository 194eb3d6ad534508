"""Imports: the list, a new one, and the page that checks, maps, starts, pauses and discards one."""

import hashlib
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from skinclinic.archive.formats.columns import NEEDED, READERS
from skinclinic.archive.formats.problems import TableRefused
from skinclinic.archive.formats.tables import Table
from skinclinic.archive.forms.imports import ImportForm, inbox
from skinclinic.archive.models import LABEL_LENGTH, PROVENANCE, Import, SavedMapping
from skinclinic.archive.presenters.label_names import group_name, known_label
from skinclinic.archive.presenters.work import ImportProgress
from skinclinic.archive.services.importing import imports as service
from skinclinic.archive.services.importing.check import LEAVE_OUT
from skinclinic.archive.services.importing.row_errors import in_words
from skinclinic.permissions import CURATE, clinic_member, get_for
from skinclinic.presenters.paging import paged
from skinclinic.web.csv_table import table_csv
from skinclinic.web.inputs import is_key, storable
from skinclinic.web.middleware import takes_up_to
from skinclinic.web.requests import MemberRequest, SignedInRequest

ARCHIVE_MAX_BYTES = 4 * 1024**3
MOST_WORDS = 500
ACTIONS = {
    "check": service.request_check,
    "start": service.request_write,
    "pause": service.pause,
}


@clinic_member()
@require_safe
def imports(request: MemberRequest) -> HttpResponse:
    """The clinic's imports, newest first."""
    rows = Import.objects.filter(clinic=request.membership.clinic).select_related("created_by")
    context = paged(request, rows) | {"can_curate": request.membership.can_curate}
    return render(request, "archive/imports/list.html", context)


@takes_up_to(ARCHIVE_MAX_BYTES)
@clinic_member(CURATE)
def import_new(request: MemberRequest) -> HttpResponse:
    """Take the files and ask for the check."""
    clinic = request.membership.clinic
    form = ImportForm(request.POST or None, request.FILES or None, clinic=clinic)
    if request.method == "POST" and form.is_valid():
        try:
            row = _begin(request, form)
        except OSError:
            form.add_error(None, _("The files could not be stored; the disk may be full. Nothing was kept."))
        except service.NotNow as refused:
            form.add_error("name", str(refused))
        else:
            return redirect("import", row.pk)
    status = 422 if form.errors else 200
    return render(
        request,
        "archive/imports/new.html",
        {
            "form": form,
            "inbox": inbox(clinic).name,
            "provenance": [form[name] for name in PROVENANCE],
            "provenance_open": any(name in form.errors for name in PROVENANCE),
        },
        status=status,
    )


def _begin(request: MemberRequest, form: ImportForm) -> Import:
    values, clinic = form.cleaned_data, request.membership.clinic
    mapping = values["mapping"]
    row = service.begin(
        clinic=clinic, user=request.user, name=values["name"], format=values["format"], role=values["role"],
        photos=str(inbox(clinic) / values["waiting"]) if values["waiting"] else "",
        columns=mapping.columns if mapping else None, labels=mapping.labels if mapping else None,
        provenance=form.provenance,
    )  # fmt: skip
    try:
        kept = service.folder(row)
        kept.mkdir(parents=True, exist_ok=True)
        for field, column, name in (("archive", "photos", "photos.zip"), ("table", "metadata", "table.csv")):
            if upload := values[field]:
                with (kept / name).open("wb") as file:
                    for chunk in upload.chunks():
                        file.write(chunk)
                setattr(row, column, str(kept / name))
        row.save(update_fields=["photos", "metadata"])
    except OSError:
        service.discard(row)
        raise
    # A table of any kind cannot be read before somebody says which column is which.
    if row.format != Import.Format.CSV or row.columns:
        service.request_check(row)
    return row


@require_safe
def import_page(request: SignedInRequest, pk: int) -> HttpResponse:
    """What the check found and what can be done now."""
    row = get_for(request.user, Import, pk)
    progress = ImportProgress.of(request, row)
    context = {
        "row": row,
        "work": progress,
        "can_change": progress.can_change,
        "report": _report(row),
        "difference": [(name, count) for name, count in _difference(row.report) if count],
        "by_label": [(label, count) for label, count in row.report.get("labels", {}).items()],
        "words": [_word(row, word) for word in _words(row)],
        "saved_mappings": SavedMapping.objects.filter(clinic=row.clinic)[:200],
    }
    if row.format == Import.Format.CSV and progress.can_change:
        context["columns"], context["table_error"] = _columns(row)
    return render(request, "archive/imports/page.html", context)


@require_POST
def import_act(request: SignedInRequest, pk: int) -> HttpResponse:
    """Check, start (or resume), pause or discard."""
    row = get_for(request.user, Import, pk, CURATE)
    action = request.POST.get("action", "")
    try:
        if action == "discard":
            service.discard(row)
            messages.success(request, _("The import was discarded with its files."))
            return redirect("imports")
        if action in ACTIONS:
            ACTIONS[action](row)
        else:
            messages.error(request, _("Choose one of: check, start, pause, discard."))
    except service.NotNow as refused:
        messages.warning(request, str(refused))
    return redirect("import", row.pk)


@require_POST
def import_map(request: SignedInRequest, pk: int) -> HttpResponse:
    """Say what columns and words mean, keep that under a name if wanted, and check again."""
    row = get_for(request.user, Import, pk, CURATE)
    labels = {word: label for word in _words(row) if (label := _meaning(request, word)) is not None}
    columns = {name: request.POST.get(f"column-{name}", "")[:200] for name in READERS}
    columns = {name: column for name, column in columns.items() if column and storable(column)}
    try:
        if request.POST.get("use_saved"):
            _use_saved(row, request.POST.get("saved", ""))
            return redirect("import", row.pk)
        service.set_mapping(row, labels=labels, columns=columns or None)
        name = request.POST.get("save_as", "").strip()[:120]
        if name and storable(name):
            service.save_mapping(row, name, request.user)
        service.request_check(row)
    except service.NotNow as refused:
        messages.warning(request, str(refused))
    return redirect("import", row.pk)


@require_safe
def import_errors(request: SignedInRequest, pk: int) -> HttpResponse:
    """The errors as a table, a line for each group of rows."""
    row = get_for(request.user, Import, pk)
    report = _report(row)
    lines = [["", report["refused"], "", ""]] if report.get("refused") else []
    for problem in report.get("errors", []):
        rows = " ".join(map(str, problem["rows"]))
        lines.append([problem["column"], problem["message"], rows, problem["count"]])
    for word, count in report.get("unknown_labels", {}).items():
        lines.append(["", _("unknown label: %(word)s") % {"word": word}, "", count])
    content = table_csv([_("column"), _("error"), _("rows"), _("count")], lines)
    response = HttpResponse(content, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="import-{row.pk}-errors.csv"'
    return response


def _report(row: Import) -> dict:
    """The report with its errors and its refusal in the reader's language."""
    said: dict[str, Any] = {
        "errors": [one | {"message": in_words(one)} for one in row.report.get("errors", [])]
    }
    if refused := row.report.get("refused"):
        said["refused"] = in_words(refused)
    return row.report | said


def _meaning(request: HttpRequest, word: str) -> str | None:
    """What the curator says the word means: chosen, or typed and not chosen; None: not asked."""
    chosen, typed = (request.POST.get(f"word-{_place(word)}{end}") for end in ("", "_typed"))
    if chosen is None or not storable(chosen + (typed or "")):
        return None
    return (chosen or known_label((typed or "").strip())).strip()[:LABEL_LENGTH]


def _use_saved(row: Import, pk: str) -> None:
    """Read the import by a mapping that was kept, and check it so."""
    known = SavedMapping.objects.filter(clinic=row.clinic)
    mapping = known.filter(pk=pk).first() if is_key(pk) else None
    if mapping is None:
        raise service.NotNow(_("This saved mapping is no longer there."))
    service.set_mapping(row, labels=mapping.labels, columns=mapping.columns or None)
    service.request_check(row)


def _difference(report: dict) -> list[tuple[str, int]]:
    """What the import would do to the archive, in words."""
    return [
        (_("new photos"), report.get("new", 0)),
        (_("changed labels or facts"), report.get("changed", 0)),
        (_("as they are already"), report.get("unchanged", 0)),
        (_("files the archive has from elsewhere, left out"), report.get("known", 0)),
        (_("files that come twice, left out"), report.get("doubled_count", 0)),
        (_("rows left out by their label"), report.get("left_out", 0)),
        (_("words nobody has mapped"), report.get("unknown_label_count", 0)),
        (_("photos without a row, left out"), report.get("files_without_row_count", 0)),
    ]


def _word(row: Import, word: str) -> dict:
    """A word of the table, how often it stands there, and what it was said to mean."""
    value = row.labels.get(word, "")
    return {
        "name": f"word-{_place(word)}",
        "word": word,
        "count": row.report.get("unknown_labels", {}).get(word),
        "value": value,
        "typed": _("Leave out") if value == LEAVE_OUT else group_name(value) if value else "",
    }


def _words(row: Import) -> list[str]:
    """The words a curator has to decide on, or has decided: those not known first, then the mapped ones."""
    return list(dict.fromkeys([*row.report.get("unknown_labels", {}), *row.labels]))[:MOST_WORDS]


def _place(word: str) -> str:
    """The name of a word's field: another check meanwhile must not give its answer to another word."""
    return hashlib.sha256(word.encode()).hexdigest()[:12]


def _columns(row: Import) -> tuple[list[dict], str]:
    """Each of our fields with the column chosen for it, and the table's columns to choose from."""
    try:
        table = Table(service.folder(row) / "table.csv")
    except (TableRefused, OSError) as refused:
        if isinstance(refused, TableRefused):
            return [], _(refused.message) % refused.params
        return [], _("The table is no longer there.")
    names = [name for name in table.columns if name]
    folded = {name.casefold(): name for name in names}
    words = _field_names()
    return [
        {"field": field, "word": words[field], "chosen": row.columns.get(field) or folded.get(field, ""),
         "names": names, "needed": field in NEEDED}
        for field in READERS
    ], ""  # fmt: skip


def _field_names() -> dict[str, str]:
    """What a column of a table may hold, in words."""
    return {
        "file": _("Photo file"), "external_id": _("Name in the source"), "label": _("Diagnosis"),
        "patient": _("Patient"), "lesion": _("Lesion"), "age": _("Age"), "sex": _("Sex"),
        "skin_type": _("Fitzpatrick skin type"), "ethnicity": _("Ethnicity"), "site": _("Site"),
        "taken_on": _("Date of the photo"), "kind": _("Kind of photo"), "is_proven": _("Biopsy-proven"),
        "confirmed_by": _("Confirmed by"), "subtype": _("Subtype"), "icd10": _("ICD-10"),
        "impression": _("Clinical impression"), "text": _("Pathology text"), "sha256": _("SHA-256 of the file"),
        "split": _("Training or test"), "is_synthetic": _("Synthetic"),
    }  # fmt: skip
