"""The clinic's studies, a new one, and the page that says where one stands and opens or closes it."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from reader_study.forms.study import NewStudyForm
from reader_study.models import Study, StudyEvent, StudyImage
from reader_study.presenters import words
from reader_study.presenters.addresses import reading_address
from reader_study.presenters.work import ModelAnswersProgress
from reader_study.services.access import studies_of
from reader_study.services.making import copying, opening, progress, protocol, readers, studies
from reader_study.services.results import model_answers
from reader_study.views.common import access_of, frame, study_of
from skinclinic.permissions import STUDY, clinic_member
from skinclinic.services import step_up
from skinclinic.services.refused import Refused
from skinclinic.web import keyset
from skinclinic.web.inputs import storable
from skinclinic.web.requests import MemberRequest, SignedInRequest

PAGE_SIZE = 50
LOG_SIZE = 100


@clinic_member()
@require_safe
def listing(request: MemberRequest) -> HttpResponse:
    """The clinic's studies, newest first."""
    rows = studies_of(request.membership.clinic).select_related("created_by")
    page = _page(request, rows, PAGE_SIZE)
    shares = progress.shares([study for study in page.rows if study.is_open])
    context = {
        "rows": [(study, shares.get(study.pk)) for study in page.rows],
        "can_run": request.membership.can_run_studies,
        **_around(reverse("studies"), page),
    }
    return render(request, "studies/list.html", context)


def _page(request: HttpRequest, rows, size: int) -> keyset.Page:
    try:
        return keyset.page(rows, ("-id",), request.GET.get("cursor", ""), size)
    except keyset.BadCursor:
        return keyset.page(rows, ("-id",), "", size)


def _around(address: str, page: keyset.Page) -> dict[str, str]:
    return {
        "previous_url": f"{address}?cursor={page.previous}" if page.previous else "",
        "next_url": f"{address}?cursor={page.next}" if page.next else "",
    }


@clinic_member(STUDY)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: MemberRequest) -> HttpResponse:
    """A name is all a draft needs."""
    form = NewStudyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            study = studies.create(request.membership.clinic, request.user, **form.cleaned_data)
        except Refused as refused:
            form.add_error("name", str(refused))
        else:
            return redirect("study-settings", study.pk)
    return render(request, "studies/new.html", {"form": form}, status=422 if form.errors else 200)


@require_safe
def page(request: SignedInRequest, pk: int) -> HttpResponse:
    """A study and where it stands."""
    study = study_of(request, pk)
    context = frame(request, study, "overview")
    if context["can_run"]:
        context |= _for_coordinators(request, study)
    given, wanted = progress.share(study)
    context |= {
        "given": given,
        "withdrawn": study.images.filter(patient__startswith=StudyImage.WITHDRAWN).count(),
        "wanted": wanted,
        "photos": study.images.filter(is_practice=False).count(),
        "practice": study.images.filter(is_practice=True).count(),
        "readers": study.readers.counted().count(),
        "groups": study.groups.all(),
        "sessions": list(study.sessions.all()),
        "check": protocol.check(study),
        "amendments": [words.amendment(event) for event in study.events.filter(kind=StudyEvent.Kind.AMENDED)],
        "unblinding": study.events.filter(kind=StudyEvent.Kind.UNBLINDED).select_related("by").first(),
    }
    return render(request, "studies/page.html", context)


def _for_coordinators(request: SignedInRequest, study: Study) -> dict:
    """What those see who run the study: what stands in the way of opening, what closing would lose."""
    found: dict = {"work": ModelAnswersProgress.of(request, study)}
    if study.is_draft:
        points = [(point, words.place(point.where, study)) for point in opening.points(study)]
        found |= {
            "obstacles": [one for one in points if not one[0].is_advice],
            "advice": [one for one in points if one[0].is_advice],
        }
    elif study.is_open:
        unfinished = progress.unfinished(study)
        found |= {"unfinished": unfinished, "lost": studies.lost_by_closing(len(unfinished))}
    return found


@require_POST
def act(request: SignedInRequest, pk: int) -> HttpResponse:
    """Open, close, unblind, ask the model, or throw a draft away."""
    study = study_of(request, pk, STUDY)
    acts = {
        "open": _open,
        "close": _close,
        "unblind": _unblind,
        "delete": _delete,
        "copy": _copy,
        "model": _ask_model,
    }
    chosen = acts.get(request.POST.get("act", ""))
    if chosen is None:
        messages.error(request, _("Choose what to do with the study."))
        return redirect("study", pk)
    try:
        return chosen(request, study)
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("study", pk)


def _open(request: SignedInRequest, study: Study) -> HttpResponse:
    opening.open_study(study, request.user)
    messages.success(request, _("The study is open. Everything it rests on is fixed by the hash below."))
    return redirect("study", study.pk)


def _close(request: SignedInRequest, study: Study) -> HttpResponse:
    studies.close(study, request.user, typed=request.POST.get("typed", "")[:200])
    messages.success(request, _("The study is closed. Its results can be seen now."))
    return redirect("study", study.pk)


def _unblind(request: SignedInRequest, study: Study) -> HttpResponse:
    reason, typed = request.POST.get("reason", "")[:400], request.POST.get("typed", "")[:200]
    if not storable(reason):
        raise Refused("reason", _("The reason holds signs that cannot be stored."))
    step_up.require(request)
    studies.unblind(study, request.user, reason=reason, typed=typed)
    messages.warning(request, _("The study is unblinded. Who did it and why stands in the log."))
    return redirect("study", study.pk)


def _delete(request: HttpRequest, study: Study) -> HttpResponse:
    studies.delete(study)
    messages.success(request, _("The draft was deleted."))
    return redirect("studies")


def _copy(request: SignedInRequest, study: Study) -> HttpResponse:
    made = copying.copy_study(study, request.user)
    messages.success(request, _("Copied, without readers. Draw its sample; the recipe has a new seed."))
    return redirect("study", made.pk)


def _ask_model(request: HttpRequest, study: Study) -> HttpResponse:
    if model_answers.request(study) is None:
        messages.info(request, _("The model has looked at every photo already."))
    return redirect("study", study.pk)


@require_POST
def preview(request: SignedInRequest, pk: int) -> HttpResponse:
    """Read as a reader does; nothing of it counts."""
    study = study_of(request, pk, STUDY)
    try:
        return redirect(reading_address(request, readers.preview(study, request.user)))
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("study", pk)


@require_safe
def protocol_file(request: SignedInRequest, pk: int) -> HttpResponse:
    """The protocol as it was hashed; until the study is unblinded without what its photos show."""
    access = access_of(request, pk)
    access.require_photos()
    study = access.study
    if study.protocol is None:
        raise Http404
    content = protocol.shown(study, with_truth=access.can_see_truth)
    response = HttpResponse(protocol.canonical(content), content_type="application/json")
    response["Content-Disposition"] = (
        f'attachment; filename="{slugify(study.name) or "study"}-{study.pk}-protocol.json"'
    )
    return response


@require_safe
def log(request: SignedInRequest, pk: int) -> HttpResponse:
    """Everything that was done to the study, newest first."""
    access = access_of(request, pk)
    access.require_photos()
    study = access.study
    page = _page(request, study.events.select_related("by", "reader"), LOG_SIZE)
    context = frame(request, study, "log") | _around(reverse("study-log", args=[pk]), page)
    context["events"] = [(event, words.event(event)) for event in page.rows]
    return render(request, "studies/log.html", context)
