"""What a colleague outside the clinic sees by the link of a second opinion: one case, and first their own answer.

The secret of the link is all the access there is. No address and no answer names the patient, a file or a row.
"""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.decorators import login_not_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from classifier.plots.colormaps import OPACITY, overlay
from classifier.presenters.opinion_answer import PhotoAnswer, answers_of
from skinclinic import imaging
from skinclinic.files import store
from skinclinic.forms.opinions import AnswerForm
from skinclinic.models import Photo, SecondOpinion
from skinclinic.presenters import opinions
from skinclinic.presenters.diagnosis_choices import choices
from skinclinic.services import second_opinions
from skinclinic.services.refused import Refused
from skinclinic.services.second_opinions import LinkEnded, NoSuchLink, TooOften, What
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from skinclinic.web import acting
from skinclinic.web.photo_lost import PictureLost, photo_needed
from skinclinic.web.requests import client_address

View = Callable[..., HttpResponseBase]
RETRY_SECONDS = 60


def by_link(*methods: str) -> Callable[[View], View]:
    """Decorate a view that takes the open question of a link in place of its secret. Nothing is cached or told on."""

    def decorate(view: View) -> View:
        allowed = require_http_methods([*methods])(view)

        # Whoever knows the secret may do everything and no cookie plays a part, so there is nothing to forge.
        @csrf_exempt
        @login_not_required
        @wraps(view)
        def guarded(request: HttpRequest, secret: str, **kwargs) -> HttpResponseBase:
            try:
                response = allowed(request, second_opinions.find(secret), secret=secret, **kwargs)
            except NoSuchLink:
                response = render(request, "outside/ended.html", {"why": "unknown"}, status=404)
            except LinkEnded as ended:
                response = _ended(request, ended)
            except TooOften:
                response = _too_often(request)
            response["Referrer-Policy"] = "no-referrer"
            response["Cache-Control"] = "no-store, private"
            response["X-Robots-Tag"] = "noindex, nofollow"
            return response

        return guarded

    return decorate


@by_link("GET", "HEAD", "POST")
def opinion(request: HttpRequest, asked: SecondOpinion, *, secret: str) -> HttpResponse:
    """The case and the form; once answered, also what else may be seen."""
    form = None
    if request.method == "POST":
        _note(request, asked, What.ANSWER)
        form = AnswerForm(request.POST)
        if form.is_valid():
            try:
                second_opinions.answer(asked, form.said)
                return redirect("opinion", secret)
            except Refused as refused:
                form.add_error(refused.field, str(refused))
    elif request.method == "GET":
        _note(request, asked, What.PAGE)
    given, photos = second_opinions.last_given(asked), second_opinions.photos_of(asked)
    context = {
        "asked": asked,
        "secret": secret,
        "photos": photos,
        "question": opinions.question_of(asked),
        "facts": opinions.facts_for(asked),
        "given": given,
        "form": form or AnswerForm(initial=opinions.filled_in(given)),
        "is_wrong": form is not None,
        "more": opinions.more_for(asked) if given else [],
        "answers": answers_of(asked, photos) if given else [],
    }
    return render(request, "outside/page.html", context, status=422 if form else 200)


@by_link("GET", "HEAD")
def opinion_photo(
    request: HttpRequest, asked: SecondOpinion, *, secret: str, number: int
) -> HttpResponseBase:
    """The photo of this number in the size of a screen, or with ``?size=whole`` as it is stored."""
    photo = _photo(asked, number)
    _note(request, asked, What.PHOTO)
    with photo_needed(PictureLost):
        if request.GET.get("size") == "whole":
            file = store.open_file(photo.file_key)
            # A name of its own: the stored file's is nobody's business.
            return FileResponse(file, content_type="image/jpeg", filename=f"photo-{number}.jpg")
        return HttpResponse(imaging.for_screen(store.read(photo.file_key)), content_type="image/jpeg")


@by_link("GET", "HEAD")
def opinion_heatmap(request: HttpRequest, asked: SecondOpinion, *, secret: str, number: int) -> HttpResponse:
    """The analysed square with the heatmap of the first disease over it; only once they have answered."""
    photo = _photo(asked, number)
    answer = next((one for one in _answered(asked) if one.number == number and one.shows_heatmap), None)
    if answer is None:
        raise Http404
    _note(request, asked, What.PHOTO)
    found = answer.analysis
    with photo_needed(PictureLost):
        square = imaging.crop(imaging.open_rgb(store.read(photo.file_key)), found.box)
    square.thumbnail((768, 768))
    place = DISEASE_KEYS.index(answer.view.rows[0].disease.key)
    heatmap = found.heatmaps()[place].astype("float32")
    return HttpResponse(imaging.encode_jpeg(overlay(square, heatmap, OPACITY)), content_type="image/jpeg")


@by_link("GET", "HEAD")
def opinion_terms(request: HttpRequest, asked: SecondOpinion, *, secret: str) -> JsonResponse:
    """The choices of the diagnosis type-ahead, for people without an account."""
    return JsonResponse({"terms": choices(request.GET.get("q", ""), takes_any=True)})


def _answered(asked: SecondOpinion) -> list[PhotoAnswer]:
    if second_opinions.last_given(asked) is None:
        return []
    return answers_of(asked, second_opinions.photos_of(asked))


def _photo(asked: SecondOpinion, number: int) -> Photo:
    photos = second_opinions.photos_of(asked)
    if not 1 <= number <= len(photos):
        raise Http404
    acting.let_to(photos[number - 1])
    return photos[number - 1]


def _note(request: HttpRequest, asked: SecondOpinion, what: str) -> None:
    second_opinions.note_look(asked, what, client_address(request) or None)


def _ended(request: HttpRequest, ended: LinkEnded) -> HttpResponse:
    try:
        _note(request, ended.opinion, What.REFUSED)
    except TooOften:
        return _too_often(request)
    context = {"why": ended.why, "asked": ended.opinion}
    return render(request, "outside/ended.html", context, status=404)


def _too_often(request: HttpRequest) -> HttpResponse:
    response = render(request, "outside/ended.html", {"why": "often"}, status=429)
    response["Retry-After"] = str(RETRY_SECONDS)
    return response
