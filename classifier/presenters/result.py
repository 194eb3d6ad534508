"""What the result page needs to know, with the model's answer only for those who may see it."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language, gettext

from classifier.models import Analysis, Assessment, ThresholdSet
from classifier.services.analysis import assessments
from classifier.services.analysis.analyses import current_analysis
from classifier.services.analysis.differential import DEFAULT_AXIS, KEY_CAPS, ThresholdFacts, result_view
from classifier.services.models import registry
from classifier.services.models.card import validated_on
from skinclinic.engine import jobs
from skinclinic.models import Diagnosis, Job, Member, Photo
from skinclinic.vocabulary.diseases import DISEASES
from skinclinic.web.requests import SignedInRequest

DEFAULT_THRESHOLDS = "balanced"
SESSION_THRESHOLDS = "thresholds"


def page(request: SignedInRequest, member: Member, photo: Photo, analysis: Analysis | None) -> dict:
    """Everything for the whole page; ``analysis`` is the current one or an older one of the same photo."""
    context = panel(request, member, photo, analysis)
    current = current_analysis(photo)
    others = photo.analyses.asked_for().select_related("model_version", "job").order_by("-id")
    if analysis:
        others = others.exclude(pk=analysis.pk)
    neighbours = (
        Photo.objects.filter(clinic=photo.clinic_id, lesion__is_archived=photo.lesion.is_archived)
        .order_by("id")
        .values_list("pk", flat=True)
    )
    return context | {
        "patient": photo.lesion.patient,
        "lesion": photo.lesion,
        "other_analyses": [{"row": row, "is_current": current and row.pk == current.pk} for row in others],
        "siblings": photo.lesion.photos.exclude(pk=photo.pk).order_by("-created_at", "-id")[:12],
        "next_photo": neighbours.filter(pk__lt=photo.pk).last(),
        "previous_photo": neighbours.filter(pk__gt=photo.pk).first(),
        "box": analysis.box if analysis else photo.box,
    }


def panel(request: SignedInRequest, member: Member, photo: Photo, analysis: Analysis | None, **extra) -> dict:
    """The part that changes while the page is open: the state, or the answer and what was recorded."""
    state = _state(analysis)
    may_see = analysis is not None and assessments.may_see_answer(request.user, member, analysis)
    is_current = analysis is None or (analysis.box == photo.box and analysis == current_analysis(photo))
    context = {
        "photo": photo,
        "analysis": analysis,
        "member": member,
        "state": state,
        "may_edit": member.can_edit,
        "may_see": may_see,
        "is_current": is_current,
        "panel_url": reverse("photo", args=[photo.pk])
        if analysis is None or is_current
        else reverse("analysis", args=[analysis.pk]),
        "image_url": reverse("photo-image", args=[photo.pk]),
        "choices": choices(),
        "published": registry.published(photo.clinic),
    }
    if analysis and state in (Job.State.QUEUED, Job.State.RUNNING):
        context |= _waiting(analysis, state)
    if analysis:
        context |= _model(analysis) | {"assessment": assessments.of(request.user, analysis)}
    if analysis and state == Job.State.DONE:
        context["warnings"] = (analysis.quality or {}).get("warnings", [])
        if may_see:
            context |= _answer(request, member, analysis)
    context["watch"] = ":".join(
        str(context.get(name, "")) for name in ("state", "position", "engine_online", "may_see")
    )
    return context | extra


def choices() -> list[dict]:
    """The 12 diseases as answers with their keys."""
    language = get_language() or "en"
    return [
        {"key": disease.key, "name": disease.name(language), "cap": KEY_CAPS[disease.key]}
        for disease in DISEASES
    ]


def chosen_thresholds(request: HttpRequest, sets: list[ThresholdSet]) -> ThresholdSet | None:
    """The threshold set named in the address or the form, else the one this person used last, else balanced."""
    wanted = request.POST.get("thresholds") or request.GET.get("thresholds")
    by_name = {row.name: row for row in sets}
    if wanted in by_name:
        request.session[SESSION_THRESHOLDS] = wanted
        return by_name[wanted]
    for name in (request.session.get(SESSION_THRESHOLDS), DEFAULT_THRESHOLDS):
        if name in by_name:
            return by_name[name]
    return sets[0] if sets else None


def answer_view(analysis: Analysis, chosen: ThresholdSet | None):
    """The ResultView of a finished analysis against one threshold set."""
    has_background = bool(analysis.model_version.manifest.get("background_classes"))
    return result_view(
        analysis.scores,
        chosen.values if chosen else {},
        facts=threshold_facts(chosen) if chosen else None,
        background=analysis.background if has_background else None,
        quality=analysis.quality,
        language=get_language() or "en",
    )


def _state(analysis: Analysis | None) -> str:
    if analysis is None:
        return "no_model"
    return Job.State.DONE if analysis.is_done else analysis.job.state


def _waiting(analysis: Analysis, state: str) -> dict:
    return {
        "position": jobs.position(analysis.job) if state == Job.State.QUEUED else None,
        "engine_online": jobs.engine_online(),
    }


def _model(analysis: Analysis) -> dict:
    manifest = analysis.model_version.manifest
    return {"manifest": manifest, "validated_on": validated_on(manifest)}


def _answer(request: SignedInRequest, member: Member, analysis: Analysis) -> dict:
    sets = analysis.model_version.thresholds_for(analysis.clinic_id)
    chosen = chosen_thresholds(request, sets)
    view = answer_view(analysis, chosen)
    assessment = None
    if member.can_edit:
        listed = [row.disease.key for row in view.listed]
        assessment = assessments.note_shown(request.user, analysis, chosen, listed)
    decided = assessment is None or bool(assessment.decision)
    return {
        "view": view,
        "threshold_sets": sets,
        "threshold_set": chosen,
        "axis": DEFAULT_AXIS,
        "maps_url": reverse("analysis-maps", args=[analysis.pk]),
        "assessment": assessment,
        "stand": assessments.stand(assessment),
        "history": _history(assessment),
        "colleagues": assessments.colleagues(request.user, analysis) if decided else [],
        "decided": decided,
    }


def _history(assessment: Assessment | None) -> list[dict]:
    """Earlier decisions with their words and the diagnoses they came to."""
    if not assessment or not assessment.earlier_decisions:
        return []
    named = Diagnosis.objects.in_bulk(
        [entry["conclusion"] for entry in assessment.earlier_decisions if entry["conclusion"]]
    )
    labels = dict(Assessment.Decision.choices)
    return [
        entry | {"label": labels[entry["decision"]], "diagnosis": named.get(entry["conclusion"])}
        for entry in assessment.earlier_decisions
    ]


def threshold_facts(chosen: ThresholdSet) -> ThresholdFacts:
    """What is known of a threshold set, for the page."""
    details = chosen.details
    basis, auc = details.get("basis"), details.get("auc")
    return ThresholdFacts(
        name=chosen.name,
        purpose=gettext(chosen.purpose) if chosen.purpose else "",
        cohort=chosen.cohort,
        n=details.get("n"),
        date=details.get("date", ""),
        auc=auc if isinstance(auc, int | float) and not isinstance(auc, bool) else None,
        optimistic=bool(details.get("optimistic")),
        basis=basis if isinstance(basis, dict) else {},
    )
