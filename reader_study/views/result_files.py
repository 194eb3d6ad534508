"""The results of a study as files, and the heatmaps of its photos."""

import io

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils.http import content_disposition_header
from django.views.decorators.cache import cache_control
from PIL import Image

from classifier.plots.colormaps import overlay
from classifier.presenters import downloads
from classifier.presenters.hidden_answers import hidden_answers
from classifier.services.analysis import batch_analyses
from classifier.services.evaluation import figure_files
from classifier.services.evaluation.figure_files import figure_file
from reader_study.models import StudyImage
from reader_study.services.results import result_files
from reader_study.services.results.study_tables import FILES
from reader_study.views.result_page import ResultPage, results_page
from reader_study.views.result_parts import figure_of
from skinclinic import imaging
from skinclinic.archive.services.curating import consent
from skinclinic.files import store as files
from skinclinic.services.refused import Refused
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from skinclinic.web.inputs import is_key
from skinclinic.web.photo_lost import photo_needed
from skinclinic.web.requests import SignedInRequest
from skinclinic.web.zip_stream import compressed

TYPES = figure_files.TYPES | {"json": "application/json", "zip": "application/zip"}
SIDE, OPACITY = 320, 0.5


@results_page
def figure(request: HttpRequest, page: ResultPage) -> HttpResponse:
    """One figure as a file: ``kind`` and what belongs to it, and how (``presenters/downloads.py``)."""
    wanted = downloads.wanted(request.GET)
    if wanted is None:
        raise Http404
    page.form = wanted.form
    found = figure_of(page, request.GET)
    try:
        content = figure_file(found, wanted.kinds[0], wanted.how)
    except ValueError:
        raise Http404 from None
    name = f"{found.name}.{wanted.kinds[0]}"
    try:
        content = result_files.figure(page.results, name, content)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("study-results", page.study.pk)
    return _file(page, HttpResponse(content), name)


@results_page
def download(request: HttpRequest, page: ResultPage) -> HttpResponseBase:
    """``what``: "report", "answers" (in words), "everything" (ZIP), "replay" (ZIP), or the name of a table."""
    try:
        return _download(request, page, request.GET.get("what", ""))
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("study-results", page.study.pk)


def _download(request: HttpRequest, page: ResultPage, what: str) -> HttpResponseBase:
    results = page.results
    if what == "report":
        return _file(page, HttpResponse(result_files.report_json(results)), "report.json")
    if what == "answers":
        return _file(page, HttpResponse(result_files.answers_csv(results)), "answers-in-words.csv")
    if what == "everything":
        wanted = downloads.wanted_together(request.GET)
        if wanted is None:
            raise Http404
        found = result_files.everything(
            results, wanted.kinds, wanted.how, labels=page.labels, interval=page.interval, form=wanted.form
        )
        return _file(page, StreamingHttpResponse(compressed(found)), "results.zip")
    if what == "replay":
        tables = result_files.replay_files(results)
        return _file(page, StreamingHttpResponse(compressed(tables)), "replay.zip")
    if what in FILES and (content := result_files.table(results, what)) is not None:
        return _file(page, HttpResponse(content), what)
    raise Http404


def _file(page: ResultPage, response, name: str):
    response["Content-Type"] = TYPES[name.rpartition(".")[2]]
    response["Content-Disposition"] = content_disposition_header(
        True, result_files.name_of(page.results, name)
    )
    return response


@cache_control(private=True, max_age=3600)
@results_page
def heatmap(request: SignedInRequest, page: ResultPage) -> HttpResponse:
    """The square of a photo under the heatmap of the model's first choice; ``image``: its number."""
    number = request.GET.get("image", "")
    row = (
        StudyImage.objects.filter(study=page.study, number=int(number))
        .select_related("photo__lesion")
        .first()
        if is_key(number)
        else None
    )
    if row is None or row.photo is None or page.study.model_version is None:
        raise Http404
    if row.photo_id in hidden_answers(request, page.study.clinic_id, [row.photo]):
        raise Http404
    if consent.photos_lacking([row.photo.pk]):
        raise Http404
    analysis = next(batch_analyses.of_photos(page.study.model_version, [row.photo.pk], maps=True), None)
    if analysis is None or analysis.maps is None:
        raise Http404
    with photo_needed():
        crop = imaging.crop(imaging.open_rgb(files.read(row.photo.file_key)), row.photo.box)
    key = max(DISEASE_KEYS, key=lambda one: analysis.scores[one])
    image = overlay(
        crop.resize((SIDE, SIDE), Image.Resampling.LANCZOS),
        analysis.heatmaps()[DISEASE_KEYS.index(key)],
        OPACITY,
    )
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=88)
    return HttpResponse(buffer.getvalue(), content_type="image/jpeg")
