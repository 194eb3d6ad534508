"""Imports: the list, a new one, and the page that checks, maps, starts, pauses and discards one."""

import csv
import hashlib

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from skinclinic import keyset
from skinclinic.archive.formats.columns import NEEDED, READERS
from skinclinic.archive.formats.problems import TableRefused
from skinclinic.archive.formats.tables import Table
from skinclinic.archive.forms.imports import ImportForm, inbox
from skinclinic.archive.models import LABEL_LENGTH, BackgroundDisease, Import
from skinclinic.archive.services import imports as service
from skinclinic.archive.services.export_tables import defused
from skinclinic.archive.services.import_check import LEAVE_OUT
from skinclinic.archive.services.import_report import in_words
from skinclinic.diseases import DISEASES
from skinclinic.middleware import takes_up_to
from skinclinic.models import Job
from skinclinic.permissions import CURATE, clinic_member, get_for

PAGE_SIZE = 50
ARCHIVE_MAX_BYTES = 4 * 1024**3
MOST_WORDS = 500
MOST_NAMES = 1000
BUSY = (Import.State.CHECKING, Import.State.RUNNING)
ACTIONS = {
    "check": service.request_check,
    "start": service.request_write,
    "pause": service.pause,
}


@clinic_member()
@require_safe
def imports(request: HttpRequest) -> HttpResponse:
    """The clinic's imports, newest first."""
    rows = Import.objects.filter(clinic=request.membership.clinic).select_related("created_by")
    try:
        page = keyset.page(rows, ("-id",), request.GET.get("cursor", ""), PAGE_SIZE)
    except keyset.BadCursor:
        page = keyset.page(rows, ("-id",), "", PAGE_SIZE)
    address = reverse("imports")
    context = {
        "rows": page.rows,
        "can_curate": request.membership.can_curate,
        "previous_url": f"{address}?cursor={page.previous}" if page.previous else "",
        "next_url": f"{address}?cursor={page.next}" if page.next else "",
    }
    return render(request, "archive/imports/list.html", context)


@takes_up_to(ARCHIVE_MAX_BYTES)
@clinic_member(CURATE)
def import_new(request: HttpRequest) -> HttpResponse:
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
        request, "archive/imports/new.html", {"form": form, "inbox": inbox(clinic).name}, status=status
    )


def _begin(request: HttpRequest, form: ImportForm) -> Import:
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
def import_page(request: HttpRequest, pk: int) -> HttpResponse:
    """What the check found and what can be done now."""
    row = get_for(request.user, Import, pk)
    can_curate = _can_curate(request, row)
    language = get_language() or "en"
    context = _status(row) | {
        "can_curate": can_curate,
        "can_change": can_curate and row.state in service.CHECKABLE and not row.written,
        "report": _report(row),
        "difference": [
            (_("New"), row.report.get("new", 0)),
            (_("Unchanged"), row.report.get("unchanged", 0)),
            (_("Changed labels or facts"), row.report.get("changed", 0)),
            (_("Files known elsewhere"), row.report.get("known", 0)),
            (_("The same file twice"), row.report.get("doubled_count", 0)),
            (_("Left out"), row.report.get("left_out", 0)),
            (_("Words nobody has mapped"), row.report.get("unknown_label_count", 0)),
            (_("Photos without a row"), row.report.get("files_without_row_count", 0)),
        ],
        "words": [(_place(word), word, row.labels.get(word, "")) for word in _words(row)],
        "diseases": [(disease.key, disease.name(language)) for disease in DISEASES],
        "names": BackgroundDisease.objects.filter(clinic=row.clinic).values_list("name", flat=True)[
            :MOST_NAMES
        ],
        "leave_out": LEAVE_OUT,
    }
    if row.format == Import.Format.CSV and context["can_change"]:
        context["columns"], context["table_error"] = _columns(row)
    return render(request, "archive/imports/page.html", context)


@require_safe
def import_status(request: HttpRequest, pk: int) -> HttpResponse:
    """The progress alone, polled by the page; the page is loaded anew once it has stopped."""
    row = get_for(request.user, Import, pk)
    context = _status(row) | {"can_curate": _can_curate(request, row)}
    response = render(request, "archive/imports/status.html", context)
    if row.state not in BUSY:
        response["HX-Refresh"] = "true"
    return response


@require_POST
def import_act(request: HttpRequest, pk: int) -> HttpResponse:
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
def import_map(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what columns and words mean, keep that under a name if wanted, and check again."""
    row = get_for(request.user, Import, pk, CURATE)
    words = _words(row)
    labels = {
        word: request.POST[f"word-{_place(word)}"].strip()[:LABEL_LENGTH]
        for word in words
        if keyset.storable(request.POST.get(f"word-{_place(word)}", "\0"))
    }
    columns = {name: request.POST.get(f"column-{name}", "")[:200] for name in READERS}
    columns = {name: column for name, column in columns.items() if column and keyset.storable(column)}
    try:
        service.set_mapping(row, labels=labels, columns=columns or None)
        name = request.POST.get("save_as", "").strip()[:120]
        if name and keyset.storable(name):
            service.save_mapping(row, name, request.user)
        service.request_check(row)
    except service.NotNow as refused:
        messages.warning(request, str(refused))
    return redirect("import", row.pk)


@require_safe
def import_errors(request: HttpRequest, pk: int) -> HttpResponse:
    """The errors as a table, a line for each group of rows."""
    row = get_for(request.user, Import, pk)
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="import-{row.pk}-errors.csv"'
    table = csv.writer(response)
    table.writerow([_("column"), _("error"), _("rows"), _("count")])
    report = _report(row)
    if report.get("refused"):
        table.writerow(["", defused(report["refused"]), "", ""])
    for problem in report.get("errors", []):
        cells = [problem["column"], problem["message"], " ".join(map(str, problem["rows"]))]
        table.writerow([*map(defused, cells), problem["count"]])
    for word, count in report.get("unknown_labels", {}).items():
        table.writerow(["", defused(_("unknown label: %(word)s") % {"word": word}), "", count])
    return response


def _report(row: Import) -> dict:
    """The report with its errors and its refusal in the reader's language."""
    said = {"errors": [one | {"message": in_words(one)} for one in row.report.get("errors", [])]}
    if refused := row.report.get("refused"):
        said["refused"] = in_words(refused)
    return row.report | said


def _can_curate(request: HttpRequest, row: Import) -> bool:
    return any(one.clinic_id == row.clinic_id and one.can_curate for one in request.memberships)


def _status(row: Import) -> dict:
    """How far it is, in percent."""
    share = row.written / row.total if row.total else 0.0
    if row.state == Import.State.CHECKING:
        job = Job.objects.filter(kind=service.CHECK_JOB, subject=row.pk).order_by("-id").first()
        share = job.progress if job else 0.0
    elif row.state == Import.State.DONE:
        share = 1.0
    return {"row": row, "percent": round(100 * share), "is_busy": row.state in BUSY}


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
    return [
        {"field": field, "chosen": row.columns.get(field) or folded.get(field, ""), "names": names,
         "needed": field in NEEDED}
        for field in READERS
    ], ""  # fmt: skip
