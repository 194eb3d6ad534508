"""A study from files: what is not certain of them is asked, then what it would become is shown, then it is made."""

import re
import secrets
import shutil
from pathlib import Path

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from reader_study.forms.replay import FILE_FIELDS, ReplayFilesForm, ReplayForm
from reader_study.forms.replay_words import from_saved, said_in
from reader_study.presenters import replay_draft
from reader_study.services.results import replay, replay_check, replay_drafts
from reader_study.services.results.replay_check import FilesInDoubt, FilesRefused
from reader_study.services.results.replay_drafts import Said
from skinclinic.archive.models import SavedMapping
from skinclinic.permissions import STUDY, clinic_member
from skinclinic.services.scanning import Infected, NotScanned
from skinclinic.web.inputs import is_key
from skinclinic.web.requests import MemberRequest

TOKEN = re.compile(r"[\w-]{16,40}", re.ASCII)


@clinic_member(STUDY)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: MemberRequest) -> HttpResponse:
    """Choose files. ``act``: "check" shows what they would become, or asks; "say" answers what was asked, "ask" asks
    it again, "create" makes the study."""
    action = request.POST.get("act", "") if request.method == "POST" else ""
    if action in ("say", "ask", "create") or request.POST.get("use_saved"):
        return _go_on(request, action)
    form = ReplayFilesForm(request.POST or None, request.FILES or None, clinic=request.membership.clinic)
    if request.method != "POST" or not form.is_valid():
        return _form(request, form, status=422 if form.errors else 200)
    replay_drafts.drop_old()
    token = secrets.token_urlsafe(16)
    folder = replay_drafts.folder_of(request.user, token)
    try:
        _keep(form, folder)
    except (Infected, NotScanned):
        shutil.rmtree(folder, ignore_errors=True)
        raise
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        form.add_error(None, _("The files could not be stored; the disk may be full. Nothing was kept."))
        return _form(request, form, status=422)
    return _look(request, form, token, folder)


def _go_on(request: MemberRequest, action: str) -> HttpResponse:
    """With files that wait."""
    clinic = request.membership.clinic
    form = ReplayForm(request.POST, clinic=clinic)
    token = request.POST.get("token", "")
    folder = replay_drafts.folder_of(request.user, token if TOKEN.fullmatch(token) else "none")
    if not form.is_valid():
        return _form(request, ReplayFilesForm(request.POST, clinic=clinic), status=422)
    if not folder.is_dir():
        messages.error(request, _("These files are not waiting any more. Choose them again."))
        return redirect("study-replay")
    if action == "create":
        return _create(request, form, folder)
    try:
        if action == "ask":
            return _ask(request, form, token, folder, replay_check.what_was_said(folder))
        replay_drafts.keep_said(folder, replay_drafts.said(folder) | _said(request))
    except (FilesRefused, OSError) as refused:
        messages.error(request, str(refused))
        return redirect("study-replay")
    return _look(request, form, token, folder)


def _said(request: MemberRequest) -> Said:
    """What was chosen, or what a saved mapping of the clinic's imports says."""
    if not request.POST.get("use_saved"):
        return said_in(request.POST)
    wanted = request.POST.get("saved", "")
    mappings = SavedMapping.objects.filter(clinic=request.membership.clinic)
    mapping = mappings.filter(pk=int(wanted)).first() if is_key(wanted) else None
    return from_saved(mapping, request.POST) if mapping else Said()


def _look(request: MemberRequest, form: ReplayForm, token: str, folder: Path) -> HttpResponse:
    """Show what the files would become, what is asked, or why they cannot be used."""
    try:
        tables = replay_check.check(folder)
    except FilesInDoubt as doubt:
        return _ask(request, form, token, folder, doubt)
    except (FilesRefused, OSError) as refused:
        shutil.rmtree(folder, ignore_errors=True)
        again = ReplayFilesForm(clinic=request.membership.clinic, initial=form.cleaned_data)
        if isinstance(refused, FilesRefused):
            return _form(request, again, refused, status=422)
        messages.error(request, _("The files could not be stored; the disk may be full. Nothing was kept."))
        return _form(request, again, status=422)
    said = replay_drafts.said(folder)
    context = {
        "form": form, "token": token, "dry_run": replay_draft.dry_run(tables), "kept": _kept(form),
        "has_said": bool(said.labels or said.encodings),
    }  # fmt: skip
    return render(request, "studies/replay/check.html", context)


def _ask(
    request: MemberRequest, form: ReplayForm, token: str, folder: Path, doubt: FilesInDoubt
) -> HttpResponse:
    asked = replay_draft.questions(doubt, replay_drafts.said(folder))
    context = {
        "form": form, "token": token, "kept": _kept(form), **asked,
        "saved_mappings": SavedMapping.objects.filter(clinic=request.membership.clinic),
    }  # fmt: skip
    return render(request, "studies/replay/ask.html", context)


def _form(
    request: HttpRequest, form: ReplayForm, refused: FilesRefused | None = None, *, status: int
) -> HttpResponse:
    context = {"form": form, "files": [form[name] for name in FILE_FIELDS], "refused": refused}
    return render(request, "studies/replay/new.html", context, status=status)


def _keep(form: ReplayFilesForm, folder: Path) -> None:
    folder.mkdir(parents=True)
    for field, name in FILE_FIELDS.items():
        if upload := form.cleaned_data[field]:
            with (folder / name).open("wb") as file:
                for chunk in upload.chunks():
                    file.write(chunk)


def _kept(form: ReplayForm) -> list[tuple[str, str]]:
    """What was filled in, for the next form."""
    values = form.cleaned_data
    kept = [
        ("name", values["name"]), ("description", values["description"]),
        ("premalignant_as", values["premalignant_as"]), *(("endpoints", key) for key in values["endpoints"]),
    ]  # fmt: skip
    if values["margin"] is not None:
        kept.append(("margin", str(values["margin"])))
    if values["is_synthetic"]:
        kept.append(("is_synthetic", "on"))
    return kept


def _create(request: MemberRequest, form: ReplayForm, folder: Path) -> HttpResponse:
    try:
        tables = replay_check.check(folder)
        wishes = form.wishes(replay_drafts.said(folder))
        study = replay.create(request.membership.clinic, request.user, tables, wishes)
    except (FilesRefused, OSError) as refused:
        messages.error(request, str(refused))
        return redirect("study-replay")
    except FilesInDoubt:
        messages.error(request, _("Say first what the words of the files mean."))
        return redirect("study-replay")
    shutil.rmtree(folder, ignore_errors=True)
    messages.success(
        request, _("The study “%(name)s” is made; its results are being computed.") % {"name": study.name}
    )
    return redirect("study-results", study.pk)
