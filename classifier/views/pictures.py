"""Covering areas of a stored photo for good, and choosing the square of another lesion in it."""

import json

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from classifier.presenters.cards import card_json, cards_of
from classifier.presenters.pictures import AREA_FIELDS, cover_page, square_page
from classifier.presenters.suggested_squares import context as suggested_context
from classifier.services.analysis.intake import add_lesion
from classifier.services.analysis.suggested_squares import chosen_by_button
from skinclinic import imaging
from skinclinic.files import store
from skinclinic.models import Photo
from skinclinic.permissions import CURATE, EDIT, get_for
from skinclinic.presenters.answers import photo_not_stored, refusal_words, wants_page
from skinclinic.services import covering
from skinclinic.services.covering import ChangedMeanwhile
from skinclinic.services.refused import Refused
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext
from skinclinic.web.requests import SignedInRequest, json_error

PHOTOS = Photo.objects.select_related("lesion__patient", "clinic")
# What was sent is no such thing; its reason is the answer.
_NOT_DONE = (
    imaging.BoxRejected, imaging.CoverRejected, Refused, ChangedMeanwhile, store.StorageFull, OSError,
)  # fmt: skip


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def cover(request: SignedInRequest, pk: int) -> HttpResponse:
    """GET: the page, or for a script the form alone. POST ``areas`` ([{x, y, width, height, shape}], pixels of the
    stored photo; a form sends them as lists of fields) and ``seen``: they are covered for good."""
    photo = _photo(request, pk)
    if request.method != "POST":
        return _show(request, "cover", photo, cover_page(photo))
    try:
        areas, seen = _sent_areas(request)
        photos = covering.cover(photo, areas, request.user, seen=seen)
    except _NOT_DONE as error:
        return _refused(request, "cover", photo, error)
    n = len(photos[0].covers.all()[0].areas)
    done = ngettext("%(n)d area is covered for good.", "%(n)d areas are covered for good.", n) % {"n": n}
    if wants_page(request):
        messages.success(request, done)
        return redirect("photo", photo.pk)
    cards = [card_json(request, card) for card in cards_of(request, photos)]
    return JsonResponse({"done": done, "cards": cards, "state": covering.stand(photo)})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def square(request: SignedInRequest, pk: int) -> HttpResponse:
    """GET: the page to choose the square of another lesion in this photo, or for a script the form alone. POST ``x``,
    ``y``, ``size``: it gets a lesion and an analysis of its own."""
    photo = _photo(request, pk)
    if request.method != "POST":
        return _show(request, "square", photo, square_page(photo))
    try:
        sent = _sent(request)
        box = chosen_by_button(photo, sent["suggested"]) if "suggested" in sent else sent
        made, is_new = add_lesion(photo, box, request.user)
    except _NOT_DONE as error:
        return _refused(request, "square", photo, error)
    if wants_page(request):
        return redirect("photo", made.pk)
    card = card_json(request, cards_of(request, [made])[0])
    return JsonResponse(card | {"of": photo.pk}, status=201 if is_new else 200)


def _photo(request: SignedInRequest, pk: int) -> Photo:
    """The photo, for those who may change it; what was imported into the archive is the curators'."""
    photo = get_for(request.user, PHOTOS, pk, EDIT)
    return get_for(request.user, PHOTOS, pk, CURATE) if photo.lesion.is_archived else photo


def _show(
    request: HttpRequest, what: str, photo: Photo, context: dict, *, problem: str = "", status: int = 200
) -> HttpResponse:
    whole = wants_page(request)
    name = f"upload/{what}.html" if whole else f"components/{'crop' if what == 'square' else what}.html"
    if what == "square":
        context = context | suggested_context(photo)
    return render(request, name, context | {"in_dialog": not whole, "problem": problem}, status=status)


def _refused(request: SignedInRequest, what: str, photo: Photo, error: Exception) -> HttpResponse:
    status, code, words = _in_words(error)
    if wants_page(request):
        stored = get_for(request.user, PHOTOS, photo.pk, EDIT)
        context = cover_page(stored) if what == "cover" else square_page(stored)
        return _show(request, what, stored, context, problem=words, status=status)
    now = Photo.objects.filter(pk=photo.pk).first()
    return json_error(status, code, words, state=covering.stand(now) if now else "")


def _in_words(error: Exception) -> tuple[int, str, str]:
    match error:
        case imaging.BoxRejected() | imaging.CoverRejected():
            return 400, error.code, refusal_words(error)
        case Refused():
            return 409, "not_now", str(error)
        case store.StorageFull():
            return 507, "storage_full", photo_not_stored()
        case ChangedMeanwhile():
            words = _(
                "Somebody else has covered or removed this photo meanwhile. You see it as it is now; what you have "
                "drawn is still here. Look at it again, then cover what is still missing."
            )
            return 409, "changed", words
    return (
        409,
        "photo_unreadable",
        _("The stored photo cannot be read. Tell your administrator; nothing was changed."),
    )


def _sent(request: HttpRequest) -> dict:
    if request.content_type != "application/json":
        return request.POST.dict()
    try:
        sent = json.loads(request.body)
    except (ValueError, RecursionError):
        return {}
    return sent if isinstance(sent, dict) else {}


def _sent_areas(request: HttpRequest) -> tuple[object, str]:
    """What was sent for areas, which imaging.check_covers judges, and the state of the photo they were drawn on."""
    if request.content_type == "application/json":
        sent = _sent(request)
        return sent.get("areas"), str(sent.get("seen") or "")
    columns = [request.POST.getlist(name) for name in AREA_FIELDS]
    rows = [dict(zip(AREA_FIELDS, values, strict=True)) for values in zip(*columns, strict=False)]
    # A row that was left empty is none.
    return [row for row in rows if any(row[name] for name in AREA_FIELDS[:4])], request.POST.get("seen", "")
