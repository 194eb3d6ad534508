"""The photos of an evaluation with their heatmaps, the most confident mistakes first."""

import io
from array import array
from collections.abc import Iterator
from urllib.parse import urlencode

import numpy as np
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from PIL import Image

from classifier.models import Analysis, Evaluation
from classifier.plots.colormaps import overlay, three_panels
from classifier.presenters.hidden_answers import hidden_answers
from classifier.presenters.maps import caption
from classifier.services.analysis import batch_analyses
from classifier.services.evaluation import looking
from classifier.services.evaluation.kept import gallery as kept_gallery
from classifier.services.evaluation.report import NotYet, Report
from classifier.views.evaluations import (
    as_file,
    choice_context,
    chosen_of,
    common_context,
    report_page,
)
from skinclinic import imaging
from skinclinic.archive.services.curating import consent
from skinclinic.files import store
from skinclinic.models import Photo
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from skinclinic.web.csv_table import pieces
from skinclinic.web.inputs import is_key
from skinclinic.web.photo_lost import photo_needed
from skinclinic.web.requests import SignedInRequest
from skinclinic.web.zip_stream import compressed

PAGE_SIZE = 24
# So many photos of a ZIP are looked up together; their heatmaps are held in memory.
AT_ONCE = 200
SIDE = 320
OPACITY = 0.5


@report_page
def gallery(request: SignedInRequest, row: Evaluation, report: Report) -> HttpResponse:
    """A page of photos; ``order`` and ``truth`` (a label) narrow and sort them."""
    dataset, model, _runs = chosen_of(request, report)
    order = request.GET.get("order", kept_gallery.MISTAKES)
    order = order if order in kept_gallery.ORDERS else kept_gallery.MISTAKES
    truth = request.GET.get("truth", "")
    context = common_context(request, row) | choice_context(request, report, dataset, model, None)
    try:
        kept = kept_gallery.of(report, dataset["pk"], model["pk"])
    except NotYet as later:
        context["looking"] = looking.ask_all([later.row])
        return render(request, "evaluations/gallery.html", context)
    places = kept.places(order, truth)
    number = _page_number(request, len(places))
    shown = [(at, kept.rows[at]) for at in places[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]]
    photos = (
        Photo.objects.filter(clinic=row.clinic_id)
        .select_related("lesion")
        .in_bulk([int(one["photo"]) for _at, one in shown])
    )
    hidden = hidden_answers(request, row.clinic_id, photos.values())
    barred = consent.photos_lacking(photos)
    names = kept_gallery.names_of(int(one["item"]) for _at, one in shown)
    tiles = [
        _tile(one, kept.truth(at), names, photos.get(int(one["photo"])), hidden, barred) for at, one in shown
    ]
    asked = {"dataset": dataset["pk"], "model": model["pk"], "order": order, "truth": truth}
    context |= {
        "kept": kept,
        "tiles": tiles,
        "order": order,
        "truth": truth,
        "truths": sorted(kept.labels, key=_label_order),
        "count": len(places),
        "mistakes": kept.mistakes,
        "previous_url": f"?{urlencode(asked | {'page': number - 1})}" if number > 1 else "",
        "next_url": f"?{urlencode(asked | {'page': number + 1})}" if number * PAGE_SIZE < len(places) else "",
    }
    return render(request, "evaluations/gallery.html", context)


def _label_order(label: str):
    return (DISEASE_KEYS.index(label), "") if label in DISEASE_KEYS else (len(DISEASE_KEYS), label)


def _page_number(request: HttpRequest, count: int) -> int:
    text = request.GET.get("page", "1")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 1
    return min(max(number, 1), max(-(-count // PAGE_SIZE), 1))


def _tile(
    one: np.void, truth: str, names: dict[int, str], photo: Photo | None, hidden: set[int], barred: set[int]
) -> dict:
    scores, item = one["scores"], int(one["item"])
    first = DISEASE_KEYS[int(scores.argmax())]
    own = scores[DISEASE_KEYS.index(truth)] if truth in DISEASE_KEYS else one["background"]
    return {
        "item": item,
        "name": names.get(item, ""),
        "photo": photo,
        "hidden": bool(photo and photo.pk in hidden),
        "barred": bool(photo and photo.pk in barred),
        "truth": truth,
        "first": first,
        "score": f"{scores.max():.3f}",
        "own": f"{own:.3f}",
        "is_right": first == truth,
    }


@cache_control(private=True, max_age=86400)
@report_page
def heatmap(request: SignedInRequest, row: Evaluation, report: Report) -> HttpResponse:
    """A photo's square with a heatmap over it: ``item``, and ``of`` a disease (default: the first choice)."""
    dataset, model, _runs = chosen_of(request, report)
    item = request.GET.get("item", "")
    try:
        found = kept_gallery.of(report, dataset["pk"], model["pk"]).photo_of(
            int(item) if is_key(item) else -1
        )
    except NotYet:
        # Its page has it looked for.
        raise Http404 from None
    photo = Photo.objects.filter(pk=found, clinic=row.clinic_id).select_related("lesion").first()
    if photo is None or photo.pk in hidden_answers(request, row.clinic_id, [photo]):
        raise Http404
    if consent.photos_lacking([photo.pk]):
        raise Http404
    row_of_model = _analyses([photo], model["pk"]).get(photo.pk)
    if row_of_model is None:
        raise Http404
    with photo_needed():
        crop, maps, key = _drawn(photo, row_of_model, request.GET.get("of", ""))
    crop = crop.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    image = overlay(crop, maps[DISEASE_KEYS.index(key)], OPACITY)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=88)
    return HttpResponse(buffer.getvalue(), content_type="image/jpeg")


def _analyses(photos: list[Photo], model: int) -> dict[int, Analysis]:
    """The model's analysis of each photo's square that has heatmaps, by photo."""
    found = batch_analyses.of_photos(model, [photo.pk for photo in photos], maps=True)
    return {row.photo_id: row for row in found if row.maps is not None}


def _drawn(photo: Photo, row: Analysis, wanted: str):
    """The square, the heatmaps and the disease whose heatmap is meant. Raises OSError when the photo's file is gone."""
    crop = imaging.crop(imaging.open_rgb(store.read(photo.file_key)), photo.box)
    key = wanted if wanted in DISEASE_KEYS else _first(row)
    return crop, row.heatmaps(), key


def _first(row: Analysis) -> str:
    return max(DISEASE_KEYS, key=lambda one: row.scores[one])


@report_page
def heatmaps(
    request: SignedInRequest, row: Evaluation, report: Report
) -> HttpResponse | StreamingHttpResponse:
    """A ZIP with a picture of each photo: the photo, overlay and heatmap of the model's first choice. However many
    there are, AT_ONCE are held in memory."""
    dataset, model, _runs = chosen_of(request, report)
    try:
        kept = kept_gallery.of(report, dataset["pk"], model["pk"])
    except NotYet:
        # Its page says so, and has it looked for.
        return redirect(
            f"{reverse('evaluation-gallery', args=[row.pk])}?"
            f"{urlencode({'dataset': dataset['pk'], 'model': model['pk']})}"
        )
    stream = compressed(_files(request, row.clinic_id, kept, model))
    return as_file(
        StreamingHttpResponse(stream, content_type="application/zip"), f"evaluation-{row.pk}-heatmaps.zip"
    )


def _files(
    request: SignedInRequest, clinic: int, kept: kept_gallery.Gallery, model: dict
) -> Iterator[tuple[str, bytes | Iterator[bytes]]]:
    """The pictures, then the table: (name, content)."""
    # Of each line what its photo's row does not say: few bytes, where there may be many lines.
    places, firsts, lost = array("q"), array("b"), set()
    for at, photo, found in _with_heatmaps(request, clinic, kept, model["pk"]):
        key = _first(found)
        places.append(at)
        firsts.append(DISEASE_KEYS.index(key))
        try:
            crop, maps, key = _drawn(photo, found, key)
        except OSError:
            # Its line says so; the others are sent all the same.
            lost.add(at)
            continue
        buffer = io.BytesIO()
        three_panels(
            crop, maps[DISEASE_KEYS.index(key)], side=SIDE, caption=caption(key, model["name"])
        ).save(buffer, "PNG")
        yield _picture(kept, at, key), buffer.getvalue()
    keys = (DISEASE_KEYS[first] for first in firsts)
    lines = (_line(kept, at, key, at in lost) for at, key in zip(places, keys, strict=True))
    yield "photos.csv", pieces(("file", "truth", "first_choice", *DISEASE_KEYS), lines)


def _picture(kept: kept_gallery.Gallery, at: int, key: str) -> str:
    return f"{int(kept.rows[at]['item'])}-{key}.png"


def _line(kept: kept_gallery.Gallery, at: int, key: str, is_lost: bool) -> tuple[object, ...]:
    name = str(_("the photo's file is lost")) if is_lost else _picture(kept, at, key)
    return name, kept.truth(at), key, *map(float, kept.rows[at]["scores"])


def _with_heatmaps(
    request: SignedInRequest, clinic: int, kept: kept_gallery.Gallery, model: int
) -> Iterator[tuple[int, Photo, Analysis]]:
    """Yield place, photo and analysis of what may be shown to this person, the most confident mistakes first;
    a few queries for each AT_ONCE photos."""
    places = kept.places(kept_gallery.MISTAKES)
    for start in range(0, len(places), AT_ONCE):
        numbers = {int(at): int(kept.rows[at]["photo"]) for at in places[start : start + AT_ONCE]}
        photos = Photo.objects.filter(clinic=clinic).select_related("lesion").in_bulk(list(numbers.values()))
        hidden = hidden_answers(request, clinic, photos.values()) | consent.photos_lacking(photos)
        analyses = _analyses(list(photos.values()), model)
        for at, number in numbers.items():
            if number in analyses and number not in hidden:
                yield at, photos[number], analyses[number]
