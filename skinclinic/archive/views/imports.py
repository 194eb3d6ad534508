"""Imports: the list, a new one, and the page that checks, starts, pauses, undoes and discards one."""

from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Page, Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from skinclinic.archive.forms.imports import ImportForm, inbox
from skinclinic.archive.models import PROVENANCE, Import, SavedMapping
from skinclinic.archive.presenters import import_report
from skinclinic.archive.presenters.import_report import change_value
from skinclinic.archive.presenters.import_words import field_names
from skinclinic.archive.presenters.work import ImportProgress
from skinclinic.archive.services.importing import comparing
from skinclinic.archive.services.importing import imports as service
from skinclinic.archive.services.importing.changes import KEEP, TAKE
from skinclinic.archive.services.importing.room import room
from skinclinic.archive.views import import_mapping
from skinclinic.files import whole
from skinclinic.models import User
from skinclinic.permissions import CURATE, clinic_member, get_for
from skinclinic.presenters.paging import paged
from skinclinic.services import quotas
from skinclinic.services.scanning import Infected, NotScanned
from skinclinic.web.csv_table import table_csv
from skinclinic.web.middleware import takes_up_to
from skinclinic.web.requests import MemberRequest, SignedInRequest
from skinclinic.web.uploads import ScannedUpload

ARCHIVE_MAX_BYTES = 4 * 1024**3
CHANGES_A_PAGE = 50
CHOICES = (KEEP, TAKE)
ACTIONS = {
    "check": service.request_check,
    "start": service.request_write,
    "pause": service.pause,
    "undo": service.request_undo,
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
        except quotas.OverQuota as refused:
            form.add_error(None, str(refused))
        except Infected as refused:
            form.add_error(None, refused.words)
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
    sent = [values[field] for field in ("archive", "table", "second")]
    quotas.check_bytes(room(clinic), sum(file.size or 0 for file in sent if file))
    mapping = values["mapping"]
    row = service.begin(
        clinic=clinic, user=request.user, name=values["name"], format=values["format"], role=values["role"], photos="",
        columns=mapping.columns if mapping else None, labels=mapping.labels if mapping else None,
        words=mapping.words if mapping else None, level=values["level"] or 0,
        defaults={**(mapping.defaults if mapping else {}), **form.defaults}, provenance=form.provenance,
    )  # fmt: skip
    try:
        kept = service.folder(row)
        kept.mkdir(parents=True, exist_ok=True)
        for field, column, name in (
            ("archive", "photos", "photos.zip"), ("table", "metadata", "table.csv"), ("second", "second", "second.csv"),
        ):  # fmt: skip
            if upload := values[field]:
                # The files of an archive are looked through one by one, when it is checked.
                chunks = upload.chunks() if field != "archive" else _as_it_came(upload).chunks()
                with (kept / name).open("wb") as file:
                    for chunk in chunks:
                        file.write(chunk)
                setattr(row, column, str(kept / name))
        # Before the row names them, and somebody is told that they are here. It names all at once or, where this
        # process is killed on the way, none (``room.tell_of_half_come``).
        whole.flush(kept)
        if values["waiting"]:
            row.photos = str(inbox(clinic) / values["waiting"])
        row.save(update_fields=["photos", "metadata", "second"])
    except (OSError, Infected, NotScanned):
        service.discard(row)
        raise
    _check_if_possible(row)
    return row


def _as_it_came(upload: UploadedFile) -> UploadedFile:
    return upload.unscanned if isinstance(upload, ScannedUpload) else upload


@require_safe
def import_page(request: SignedInRequest, pk: int) -> HttpResponse:
    """What the check found and what can be done now."""
    row = get_for(request.user, Import, pk)
    progress = ImportProgress.of(request, row)
    context = {
        "row": row,
        "work": progress,
        "can_change": progress.can_change,
        "report": import_report.shown(row),
        "difference": [(name, count) for name, count in import_report.difference(row.report) if count],
        "by_label": [(label, count) for label, count in row.report.get("labels", {}).items()],
        "words": import_mapping.shown_labels(row),
        "known_words": import_mapping.known_labels(row),
        "fields": import_mapping.shown_fields(row),
        "saved_mappings": SavedMapping.objects.filter(clinic=row.clinic)[:200],
        "changes": (changes := _listed(row, request.GET.get("page", "1"))),
        "previous_url": f"?page={changes.previous_page_number()}" if changes.has_previous() else "",
        "next_url": f"?page={changes.next_page_number()}" if changes.has_next() else "",
        "decisions": row.decisions,
    }
    if progress.can_change:
        context["encodings"] = row.report.get("encodings", [])
        context["defaults"] = import_mapping.shown_defaults(row)
        if row.format == Import.Format.CSV:
            context["columns"], context["table_error"], encodings = import_mapping.columns_of(row)
            context["encodings"] = encodings
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
            messages.error(request, _("Choose one of: check, start, pause, undo, discard."))
    except service.NotNow as refused:
        messages.warning(request, str(refused))
    return redirect("import", row.pk)


@require_POST
def import_table(request: SignedInRequest, pk: int) -> HttpResponse:
    """Put a corrected table in the place of the import's, or after it is done, import it for the same photos."""
    row = get_for(request.user, Import, pk, CURATE)
    upload = request.FILES.get("table")
    try:
        if upload is None:
            messages.error(request, _("Choose the table."))
        elif row.state in service.CHECKABLE:
            service.replace_table(row, upload.chunks())
            _check_if_possible(row)
        else:
            row = _again(row, request.user, upload)
    except service.NotNow as refused:
        messages.warning(request, str(refused))
    except Infected as refused:
        messages.error(request, refused.words)
    except OSError:
        messages.error(request, _("The files could not be stored; the disk may be full. Nothing was kept."))
    return redirect("import", row.pk)


def _again(row: Import, user: User, upload: UploadedFile) -> Import:
    """An import of a table alone, read as the earlier one was."""
    new = service.begin(
        clinic=row.clinic, user=user, name=row.name, format=row.format, role=row.role, photos="",
        columns=row.columns, labels=row.labels, words=row.words, defaults=row.defaults, level=row.level,
    )  # fmt: skip
    try:
        service.replace_table(new, upload.chunks())
    except (OSError, Infected, NotScanned):
        service.discard(new)
        raise
    _check_if_possible(new)
    return new


def _check_if_possible(row: Import) -> None:
    # A table of any kind cannot be read before somebody says which column is which.
    if row.format != Import.Format.CSV or row.columns or not row.metadata:
        service.request_check(row)


@require_POST
def import_decide(request: SignedInRequest, pk: int) -> HttpResponse:
    """Keep what is here or take what the source says now: all, a field, or one photo's field."""
    row = get_for(request.user, Import, pk, CURATE)
    if not row.report.get("changes"):
        messages.warning(request, _("The source changed nothing that could be kept or taken."))
        return redirect("import", row.pk)
    decisions: dict[str, Any] = {
        "fields": dict(row.decisions.get("fields", {})),
        "ones": dict(row.decisions.get("ones", {})),
    }
    everything = request.POST.get("all", "")
    if everything in CHOICES:
        decisions = {"all": everything}
    else:
        _choices(request, row, decisions)
    try:
        service.decide(row, decisions)
    except service.NotNow as refused:
        messages.warning(request, str(refused))
    return redirect("import", row.pk)


def _choices(request: SignedInRequest, row: Import, decisions: dict[str, Any]) -> None:
    """What was chosen for fields and for the photos of the page shown."""
    for field in row.report.get("changes", {}):
        said = request.POST.get(f"field-{field}", "")
        decisions["fields"][field] = said if said in CHOICES else ""
    for one in _listed(row, request.POST.get("page", "1")).object_list:
        said = request.POST.get(f"one-{one['row']}-{one['field']}", "")
        decisions["ones"].setdefault(one["id"], {})[one["field"]] = said if said in CHOICES else ""


@require_safe
def import_errors(request: SignedInRequest, pk: int) -> HttpResponse:
    """What the check found as a table, a line for each group of rows."""
    row = get_for(request.user, Import, pk)
    head = [_("column"), _("error"), _("rows"), _("count")]
    return _as_file(table_csv(head, import_report.lines(row)), f"import-{row.pk}-errors.csv")


@require_safe
def import_changes(request: SignedInRequest, pk: int) -> HttpResponse:
    """All that the source changed, as a table."""
    row = get_for(request.user, Import, pk)
    head = [_("photo"), _("row"), _("field"), _("here"), _("in the source"), _("set by"), _("decided here")]
    found = (
        [one["id"], one["row"], one["field"], one["old"], one["new"], one["by"], one["decided"]]
        for one in comparing.lines(service.changes_file(row))
    )
    return _as_file(table_csv(head, found), f"import-{row.pk}-changes.csv")


def _as_file(content: bytes | str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _listed(row: Import, page: str) -> Page:
    """A page of what the source changed, each with what was said of it."""
    found = [one for one in comparing.lines(service.changes_file(row)) if one["field"] != "age_to"]
    ones = row.decisions.get("ones", {})
    shown = Paginator(found, CHANGES_A_PAGE).get_page(page)
    names = field_names()
    for one in shown.object_list:
        one["name"] = names.get(one["field"], one["field"])
        one["shown_old"], one["shown_new"] = (
            change_value(one["field"], one[side]) for side in ("old", "new")
        )
        one["said"] = ones.get(one["id"], {}).get(one["field"], "")
    return shown
