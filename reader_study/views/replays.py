"""A study from files: first what it would become, then it is made."""

import re
import secrets
import shutil
from collections import Counter
from pathlib import Path

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from reader_study.forms.replay import FILE_FIELDS, ReplayFilesForm, ReplayForm
from reader_study.services.results import completeness, replay
from reader_study.statistics.design import designs
from reader_study.statistics.tables import StudyTables
from skinclinic.permissions import STUDY, clinic_member
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from skinclinic.web.requests import MemberRequest

TOKEN = re.compile(r"[\w-]{16,40}", re.ASCII)


@clinic_member(STUDY)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: MemberRequest) -> HttpResponse:
    """Choose files; ``act`` "check" shows what they would become, "create" makes it."""
    action = request.POST.get("act", "") if request.method == "POST" else ""
    if action == "create":
        return _create(request)
    form = ReplayFilesForm(request.POST or None, request.FILES or None, clinic=request.membership.clinic)
    if request.method != "POST" or not form.is_valid():
        return _form(request, form, status=422 if form.errors else 200)
    replay.drop_old_drafts()
    token = secrets.token_urlsafe(16)
    folder = replay.draft_folder(request.user, token)
    try:
        _keep(form, folder)
        tables = replay.check(folder)
    except replay.FilesRefused as refused:
        shutil.rmtree(folder, ignore_errors=True)
        return _form(request, form, refused, status=422)
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        form.add_error(None, _("The files could not be stored; the disk may be full. Nothing was kept."))
        return _form(request, form, status=422)
    context = {"form": form, "token": token, "dry_run": dry_run(tables), "kept": _kept(form)}
    return render(request, "studies/replay/check.html", context)


def _form(request: HttpRequest, form: ReplayForm, refused=None, *, status: int) -> HttpResponse:
    context = {"form": form, "files": [form[name] for name in FILE_FIELDS], "refused": refused}
    context["keys"] = " ".join(DISEASE_KEYS)
    return render(request, "studies/replay/new.html", context, status=status)


def _keep(form: ReplayFilesForm, folder: Path) -> None:
    folder.mkdir(parents=True)
    for field, name in FILE_FIELDS.items():
        if upload := form.cleaned_data[field]:
            with (folder / name).open("wb") as file:
                for chunk in upload.chunks():
                    file.write(chunk)


def _kept(form: ReplayForm) -> list[tuple[str, str]]:
    """What was filled in, for the second form."""
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


def _create(request: MemberRequest) -> HttpResponse:
    form = ReplayForm(request.POST, clinic=request.membership.clinic)
    token = request.POST.get("token", "")
    folder = replay.draft_folder(request.user, token if TOKEN.fullmatch(token) else "none")
    if not form.is_valid():
        files = ReplayFilesForm(request.POST, clinic=request.membership.clinic)
        return _form(request, files, status=422)
    if not folder.is_dir():
        messages.error(request, _("These files are not waiting any more. Choose them again."))
        return redirect("study-replay")
    try:
        study = replay.create(request.membership.clinic, request.user, replay.check(folder), form.wishes)
    except (replay.FilesRefused, OSError) as refused:
        messages.error(request, str(refused))
        return redirect("study-replay")
    shutil.rmtree(folder, ignore_errors=True)
    messages.success(
        request, _("The study “%(name)s” is made; its results are being computed.") % {"name": study.name}
    )
    return redirect("study-results", study.pk)


def dry_run(tables: StudyTables) -> dict:
    """What the files would become."""
    readers = {answer.reader: answer.group for answer in tables.answers}
    images = len(tables.images)
    aided = replay.aided_sessions(tables)
    sessions = []
    for name, counts in designs(tables).items():
        who = len({answer.reader for answer in tables.answers if answer.session == name})
        said, why = completeness.counts_text(counts), completeness.why_text(counts)
        sessions.append((name, name in aided, who, counts["answered"], who * images, said, why))
    return {
        "images": images,
        "notes": tables.notes,
        "datasets": list(Counter(image.dataset for image in tables.images).items()),
        "diseases": [
            (key, count)
            for key in DISEASE_KEYS
            if (count := sum(image.truth == key for image in tables.images))
        ],
        "has_scores": tables.scores is not None,
        "whole": len(tables.whole.truth) if tables.whole else 0,
        "readers": len(readers),
        "groups": list(Counter(readers.values()).items()),
        "sessions": sessions,
        "answers": len(tables.answers),
    }
