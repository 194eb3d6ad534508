"""Comments on a case, the names they offer, and marking a call as seen."""

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from skinclinic.models import Comment, Lesion
from skinclinic.permissions import EDIT, get_for, member_of
from skinclinic.presenters.comments import panel_of
from skinclinic.services import calls, cases, comments
from skinclinic.services.refused import Refused
from skinclinic.services.search_words import words_of
from skinclinic.web.inputs import is_key
from skinclinic.web.requests import SignedInRequest, page_to_return_to

MOST_NAMES = 8


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def lesion_comments(request: SignedInRequest, pk: int) -> HttpResponse:
    """The comments of lesion ``pk`` anew; sent: one more (``text``, ``mentions``: keys of people)."""
    is_sent = request.method == "POST"
    lesion = get_for(request.user, Lesion, pk, EDIT if is_sent else "view")
    if not is_sent:
        return _panel(request, lesion)
    text = request.POST.get("text", "")
    try:
        comments.write(lesion, request.user, text, _chosen(request))
    except Refused as refused:
        return _panel(request, lesion, 422, error=str(refused), typed=text)
    return _panel(request, lesion, done=_("Saved."))


@require_POST
def comment_change(request: SignedInRequest, pk: int) -> HttpResponse:
    comment = get_for(request.user, Comment.objects.select_related("lesion"), pk, EDIT)
    try:
        comments.change(comment, request.user, request.POST.get("text", ""), _chosen(request))
    except Refused as refused:
        return _panel(request, comment.lesion, 422, error=str(refused))
    return _panel(request, comment.lesion, done=_("Saved."))


@require_POST
def comment_delete(request: SignedInRequest, pk: int) -> HttpResponse:
    comment = get_for(request.user, Comment.objects.select_related("lesion"), pk, EDIT)
    try:
        comments.delete(comment, request.user)
    except Refused as refused:
        return _panel(request, comment.lesion, 422, error=str(refused))
    return _panel(request, comment.lesion, done=_("Deleted."))


@require_POST
def calls_done(request: SignedInRequest, pk: int) -> HttpResponse:
    """This person has seen to what called them to lesion ``pk``."""
    lesion = get_for(request.user, Lesion, pk, EDIT)
    calls.finish(lesion, request.user)
    return _panel(request, lesion, done=_("Done. The case is no longer under For me."))


@require_safe
def lesion_people(request: SignedInRequest, pk: int) -> JsonResponse:
    """The choices behind an @: members who may decide cases, any of whose names begins with ``?q=``."""
    lesion = get_for(request.user, Lesion, pk, EDIT)
    wanted = words_of(request.GET.get("q", "")[:80])
    found = [
        person
        for person in cases.members_of(lesion.clinic)
        if all(
            any(name.startswith(word) for name in words_of(f"{person} {person.username}")) for word in wanted
        )
    ]
    terms = [{"value": str(one.pk), "label": str(one), "detail": one.username} for one in found[:MOST_NAMES]]
    return JsonResponse({"terms": terms})


def _chosen(request: SignedInRequest) -> set[int]:
    return {int(key) for key in request.POST.getlist("mentions")[:100] if is_key(key)}


def _panel(request: SignedInRequest, lesion: Lesion, status: int = 200, **extra) -> HttpResponse:
    """The comments with what was done or why not; without scripts, back to the page they stood on."""
    if request.htmx:
        member = member_of(request.user, lesion.clinic_id)
        panel = panel_of(lesion, member, request.user, **extra)
        return render(request, "comments/panel.html", {"comments": panel}, status=status)
    if said := extra.get("error") or extra.get("done"):
        (messages.error if "error" in extra else messages.success)(request, said)
    back = page_to_return_to(request) if request.method == "POST" else ""
    return redirect(back or reverse("lesion", args=[lesion.pk]) + "#comments")
