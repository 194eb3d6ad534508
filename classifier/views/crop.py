"""Choosing the square of a photo that is analysed."""

import json

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from classifier.presenters import suggested_squares
from classifier.presenters.cards import card_json, cards_of
from classifier.services.analysis.analyses import NoModel, request_analysis
from classifier.services.analysis.suggested_squares import chosen_by_button
from skinclinic import imaging
from skinclinic.engine import jobs
from skinclinic.models import Photo
from skinclinic.permissions import EDIT, get_for
from skinclinic.presenters.answers import refusal_words, wants_page
from skinclinic.services.photos import set_box
from skinclinic.web.requests import SignedInRequest, json_error

PHOTOS = Photo.objects.select_related("lesion__patient")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def crop(request: SignedInRequest, pk: int) -> HttpResponse:
    """GET: the page, or for a script the form alone. POST ``x``, ``y``, ``size`` (pixels of the stored photo,
    a form or JSON), or from a form ``suggested``, the number of a suggested square: the new square is analysed, earlier
    analyses stay."""
    photo = get_for(request.user, PHOTOS, pk, EDIT)
    if request.method == "POST":
        return _choose(request, photo)
    shown = {"photo": photo, **suggested_squares.context(photo)}
    if wants_page(request):
        return render(request, "upload/crop.html", shown)
    return render(request, "components/crop.html", shown | {"in_dialog": True})


def _choose(request: SignedInRequest, photo: Photo) -> HttpResponse:
    try:
        sent = request.POST
        box = chosen_by_button(photo, sent["suggested"]) if "suggested" in sent else _sent_box(request)
        with transaction.atomic():
            set_box(photo, box)
            _ask(request, photo)
    except imaging.BoxRejected as refused:
        words = refusal_words(refused)
        if wants_page(request):
            shown = {"photo": photo, "problem": words, **suggested_squares.context(photo)}
            return render(request, "upload/crop.html", shown, status=400)
        return json_error(400, refused.code, words)
    url = reverse("photo", args=[photo.pk])
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    if wants_page(request):
        return redirect(url)
    box = photo.box
    card = card_json(request, cards_of(request, [photo])[0])
    return JsonResponse(card | {"box": {"x": box.x, "y": box.y, "size": box.size}})


def _ask(request: SignedInRequest, photo: Photo) -> None:
    try:
        analysis = request_analysis(photo, user=request.user)
    except NoModel:
        return  # the square is kept; its photo is analysed once there is a model
    jobs.retry(analysis.job)  # the same square again after a failure is a wish to try again


def _sent_box(request: HttpRequest):
    """What was sent for a box; imaging.check_box judges it. Raises BoxRejected for what is no box at all."""
    if request.content_type != "application/json":
        return {
            name: request.POST[name] for name in ("x", "y", "size", "width", "height") if name in request.POST
        }
    try:
        sent = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise imaging.BoxRejected("box_not_numbers") from error
    if not isinstance(sent, dict):
        raise imaging.BoxRejected("box_not_numbers")
    return sent
