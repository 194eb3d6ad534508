"""Photos, and in an aided session the model's answer, by their position in the reader's own order."""

from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from classifier.models import Analysis
from classifier.presenters import unlike
from classifier.presenters.differential import DEFAULT_AXIS
from classifier.presenters.maps import maps_json
from classifier.presenters.result import answer_view
from reader_study import blinding
from reader_study.models import Reading
from reader_study.services.reading import aid
from reader_study.services.reading import reading as readings
from reader_study.services.reading.reading import NoSuchPhoto
from reader_study.views.reader_access import for_readers
from skinclinic.files import store
from skinclinic.models import Photo
from skinclinic.web.requests import json_error


@for_readers("GET", "HEAD")
def photo(request: HttpRequest, secret: str, session: str, position: int) -> StreamingHttpResponse:
    """The photo at ``position``, in bytes that nobody has seen before."""
    return _sent(readings.photo_at(readings.find(secret, session), position))


@for_readers("GET", "HEAD")
def practice_photo(request: HttpRequest, secret: str, session: str, position: int) -> StreamingHttpResponse:
    return _sent(readings.practice_photo_at(readings.find(secret, session), position))


def _sent(row: Photo) -> StreamingHttpResponse:
    """The stored JPEG; not by nginx, which would send its own bytes, dates and names."""
    try:
        chunks, length = blinding.stream(store.open_file(row.file_key))
    except (OSError, blinding.NotAJpeg):
        raise NoSuchPhoto from None
    return StreamingHttpResponse(
        chunks,
        content_type="image/jpeg",
        headers={"Content-Length": str(length), "X-Content-Type-Options": "nosniff"},
    )


@for_readers("GET")
def model(request: HttpRequest, secret: str, session: str, position: int) -> HttpResponse:
    """The model's differential as a fragment of the page, once the reader's first answer is stored."""
    reading = readings.find(secret, session)
    found = aid.analysis_at(reading, position)
    return _differential(request, reading, found, "reading-maps", secret, session, position)


@for_readers("GET")
def practice_model(request: HttpRequest, secret: str, session: str, position: int) -> HttpResponse:
    reading = readings.find(secret, session)
    found = aid.practice_analysis_at(reading, position)
    return _differential(request, reading, found, "reading-practice-maps", secret, session, position)


def _differential(
    request: HttpRequest,
    reading: Reading,
    found: Analysis | None,
    maps: str,
    secret: str,
    session: str,
    position: int,
) -> HttpResponse:
    context: dict = {"analysis": found}
    if found:
        version = found.model_version
        chosen = aid.thresholds_of(reading)
        view = answer_view(found, chosen, of_any_photo=True)
        context |= {
            "view": view,
            "warnings": view.warnings,
            "unlike": unlike.told(found.unlike, version.manifest),
            "axis": DEFAULT_AXIS,
            "box": found.box,
            "maps_url": reverse(maps, args=[secret, session, position]) if found.maps is not None else "",
            "version": version,
            "threshold_set": chosen,
        }
    return render(request, "reading/model.html", context)


@for_readers("GET")
def maps(request: HttpRequest, secret: str, session: str, position: int) -> HttpResponse:
    """The 12 heatmaps, for the browser to draw; refused before the first answer."""
    return _maps(aid.analysis_at(readings.find(secret, session), position))


@for_readers("GET")
def practice_maps(request: HttpRequest, secret: str, session: str, position: int) -> HttpResponse:
    return _maps(aid.practice_analysis_at(readings.find(secret, session), position))


def _maps(found: Analysis | None) -> HttpResponse:
    if found is None or found.maps is None:
        return json_error(404, "no_maps", _("There is no heatmap of this photo."))
    return JsonResponse(maps_json(found.heatmaps(), found.box))
