"""Trying the model on a photo without a patient record. Open to the signed-in, to anyone if an admin says so."""

from typing import Any

import numpy as np
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import FileResponse, Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from classifier.metrics.counting import CLOSE_UP, set_aside
from classifier.models import TryRun
from classifier.presenters import computed, unlike
from classifier.presenters.differential import DEFAULT_AXIS, result_view
from classifier.presenters.maps import maps_json
from classifier.presenters.result import chosen_thresholds, threshold_facts
from classifier.presenters.trials import clinic_of, find, start
from classifier.services.analysis import trials
from classifier.services.analysis.analyses import NoModel
from classifier.services.models import card as model_card
from skinclinic import imaging
from skinclinic.engine import jobs
from skinclinic.files import store
from skinclinic.models import Clinic, Job
from skinclinic.presenters.answers import refusal_words
from skinclinic.web.come_back import ComeBack
from skinclinic.web.requests import ClinicRequest


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def try_page(request: ClinicRequest) -> HttpResponse:
    """Choose a photo; it is analysed and forgotten within the hour."""
    clinic = clinic_of(request)
    if clinic is None:
        return redirect_to_login(request.get_full_path())
    if request.method != "POST":
        return _page(request, clinic)
    file = request.FILES.get("file")
    if file is None:
        return _page(request, clinic, 400, _("Choose a photo first."))
    try:
        trial = start(request, clinic, file.read())
    except ComeBack as later:
        response = _page(request, clinic, later.status, str(later))
        response["Retry-After"] = str(later.seconds)
        return response
    except NoModel:
        return _page(request, clinic, 503, _("There is no model yet. Please come back later."))
    except store.StorageFull:
        return _page(request, clinic, 507, _("The server's disk is full. Nothing was stored."))
    except imaging.PhotoRejected as refused:
        status = 413 if refused.code == "too_large" else 400
        return _page(request, clinic, status, f"{file.name}: {refusal_words(refused)}")
    return redirect("try-result", trial.token)


def _page(request: ClinicRequest, clinic: Clinic, status: int = 200, problem: str = "") -> HttpResponse:
    context = {
        "clinic": clinic,
        "model_in_use": model_card.in_use(clinic),
        "problem": problem,
        "base": "base.html" if request.user.is_authenticated else "base_bare.html",
        "max_megabytes": settings.UPLOAD_MAX_BYTES // 1024 // 1024,
    }
    response = render(request, "try/page.html", context, status=status)
    if status == 429:
        response["Retry-After"] = "600"
    return response


@login_not_required
@never_cache
@require_safe
def try_result(request: ClinicRequest, token: str) -> HttpResponse:
    """The answer; whoever has the unguessable address may see it until its hour is over."""
    trial = find(token)
    version, job = trial.model_version, trial.job
    context: dict[str, Any] = {
        "trial": trial,
        "base": "base.html" if request.user.is_authenticated else "base_bare.html",
        "state": trial.state,
        "version": version,
        "validated_on": model_card.validated_on(version.manifest),
        "model_in_use": {"demo": version.is_demo},
        "box": trial.box,
        "image_url": reverse("try-image", args=[token]),
        "panel_url": reverse("try-result", args=[token]),
        "axis": DEFAULT_AXIS,
    }
    if trial.result:
        context |= _answer(request, trial, trial.result)
    elif job and job.state == Job.State.QUEUED:
        context |= {"engine_online": jobs.engine_online(), "position": jobs.position(job)}
    template = "try/panel.html" if request.htmx and not request.htmx.boosted else "try/result.html"
    return render(request, template, context)


def _answer(request: ClinicRequest, trial: TryRun, result: dict) -> dict:
    sets = trial.model_version.thresholds_for(None)
    chosen = chosen_thresholds(request, sets)
    has_background = bool(trial.model_version.manifest.get("background_classes"))
    view = result_view(
        result["scores"],
        chosen.values if chosen else {},
        facts=threshold_facts(chosen) if chosen else None,
        background=result["background"] if has_background else None,
        quality=result["quality"],
        set_aside=set_aside(CLOSE_UP, result["quality"]),
        language=get_language() or "en",
    )
    return {
        "view": view,
        "unlike": unlike.told(result.get("unlike"), trial.model_version.manifest),
        "computed": computed.in_words(result.get("runtime", ""), result.get("precision", "")),
        "warnings": view.warnings,
        "threshold_sets": sets,
        "threshold_set": chosen,
        "maps_url": "" if view.set_aside else reverse("try-maps", args=[trial.token]),
    }


@login_not_required
@never_cache
@require_safe
def try_maps(request: ClinicRequest, token: str) -> JsonResponse:
    trial = find(token)
    if not trial.result:
        raise Http404
    return JsonResponse(maps_json(np.asarray(trial.result["maps"]), trial.box))


@login_not_required
@never_cache
@require_safe
def try_image(request: ClinicRequest, token: str) -> FileResponse:
    trial = find(token)
    try:
        file = store.open_file(trial.file_key)
    except OSError:
        raise Http404 from None
    return FileResponse(
        file,
        content_type="image/jpeg",
        headers={"Cache-Control": "no-store, private", "X-Content-Type-Options": "nosniff"},
    )


@login_not_required
@require_POST
def try_delete(request: ClinicRequest, token: str) -> HttpResponse:
    """Forget the photo now instead of within the hour."""
    trials.delete(find(token))
    messages.success(request, _("The photo and its result are deleted."))
    return redirect("try")
