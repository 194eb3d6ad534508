"""What the result page needs to know, with the model's answer only for those who may see it.

What is said of the scores in words is ``differential.py``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from django.db.models import Exists, QuerySet, Subquery
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.translation import get_language

from classifier.metrics.familiarity import is_unlike
from classifier.models import Analysis, Assessment, ThresholdSet
from classifier.networks.manifest import usual_thresholds
from classifier.presenters import computed, decisions, explanations, suggested_squares, unlike
from classifier.presenters.differential import (
    DEFAULT_AXIS,
    KEY_CAPS,
    ResultView,
    ThresholdFacts,
    result_view,
)
from classifier.presenters.pictures import picture_of
from classifier.runtimes import precisions
from classifier.services.analysis import analyses, assessments
from classifier.services.models import card as model_card
from classifier.services.models import promises, registry, set_words
from skinclinic.engine import jobs
from skinclinic.kept_queries import kept
from skinclinic.models import Diagnosis, Job, Member, Photo, PhotoCover
from skinclinic.presenters.comments import panel_of as panel_of_comments
from skinclinic.presenters.plan import plan_of
from skinclinic.presenters.visit import visit_of
from skinclinic.presenters.walk import walk_of
from skinclinic.vocabulary import terms
from skinclinic.vocabulary.diseases import DISEASES
from skinclinic.vocabulary.ranked import CONFIDENCES, Differential
from skinclinic.web.counts import gettext as _
from skinclinic.web.requests import SignedInRequest

SESSION_THRESHOLDS = "thresholds"


@dataclass(frozen=True)
class Answer:
    """What the model says, against the thresholds this person has chosen among those there are."""

    analysis: Analysis
    view: ResultView
    threshold_set: ThresholdSet | None
    threshold_sets: list[ThresholdSet]

    @property
    def thresholds_that_count(self) -> ThresholdSet | None:
        """Those by which the answer was listed; None where nothing of it counts."""
        return None if self.view.set_aside else self.threshold_set

    @property
    def listed(self) -> list[str]:
        return [row.disease.key for row in self.view.listed]


class Shown:
    """A photo with its analyses, as the signed-in person may see them; reading it writes nothing.

    ``current`` is the newest analysis of the photo's square (None before there is a model), ``analysis`` the one
    that is shown: the current one unless another is named. ``answer`` is None until there is one that this
    person may see.
    """

    def __init__(self, request: SignedInRequest, photo: Photo, analysis: Analysis | None = None):
        self.request, self.photo, self.member = request, photo, member_of(request, photo)
        self.analyses = analyses.all_of(photo)
        self.current = next((row for row in self.analyses if row.box == photo.box), None)
        self.analysis = analysis or self.current

    @property
    def is_current(self) -> bool:
        return self.analysis == self.current

    @cached_property
    def may_see(self) -> bool:
        found = self.analysis
        return found is not None and assessments.may_see_answer(self.request.user, self.member, found)

    @cached_property
    def answer(self) -> Answer | None:
        found = self.analysis
        if found is None or not found.is_done or not self.may_see:
            return None
        sets = found.model_version.thresholds_for(found.clinic_id)
        chosen = chosen_thresholds(self.request, sets)
        return Answer(found, answer_view(found, chosen), chosen, sets)

    @cached_property
    def own(self) -> list[Assessment]:
        """What this person has said of any analysis of the photo, the latest decision first."""
        return assessments.of_photo(self.request.user, self.photo) if self.analysis else []

    @cached_property
    def assessment(self) -> Assessment | None:
        return next((row for row in self.own if row.analysis == self.analysis), None)


def member_of(request: SignedInRequest, row: Photo | Analysis) -> Member:
    """The signed-in person's membership of the row's clinic; get_for has made sure there is one."""
    for member in request.memberships:
        if member.clinic_id == row.clinic_id:
            return member
    raise Http404  # it began or ended during this request


def page(shown: Shown) -> dict:
    """Everything for the whole page."""
    photo, analysis = shown.photo, shown.analysis
    context = panel(shown)
    next_photo, previous_photo, is_covered = _neighbours(photo)
    return context | {
        "plan": None if photo.lesion.is_archived else plan_of(photo.lesion, shown.member),
        "visit": None
        if photo.lesion.is_archived
        else visit_of(shown.request.user, shown.member, photo.lesion, photo=photo),
        "comments": panel_of_comments(photo.lesion, shown.member, shown.request.user),
        "walk": walk_of(shown.request, shown.request.user, shown.member, photo.lesion),
        "model_in_use": model_card.notice(context["published"]),
        "patient": photo.lesion.patient,
        "lesion": photo.lesion,
        "other_analyses": [
            {"row": row, "is_current": row == shown.current} for row in shown.analyses if row != analysis
        ],
        "siblings": _siblings(photo.lesion_id, photo.pk),
        "next_photo": next_photo,
        "previous_photo": previous_photo,
        "box": analysis.box if analysis else photo.box,
        **picture_of(photo, is_covered),
    }


def _neighbours(photo: Photo) -> tuple[int | None, int | None, bool]:
    """The photos before and after it in the clinic (or its archive); and, asked in passing, whether it was covered."""
    found = around(photo.clinic_id, photo.pk, is_archived=photo.lesion.is_archived)
    return found[0] if found else (None, None, False)


@kept
def around(
    clinic: int, photo: int, *, is_archived: bool
) -> QuerySet[Photo, tuple[int | None, int | None, bool]]:
    """The next older and newer photo of the clinic's cases or of its archive, and whether this one is covered; [] where
    it is gone."""
    there = Photo.objects.filter(clinic=clinic, is_archived=is_archived, lesion__is_archived=is_archived)
    older = there.filter(pk__lt=photo).order_by("-pk").values("pk")[:1]
    newer = there.filter(pk__gt=photo).order_by("pk").values("pk")[:1]
    covers = Exists(PhotoCover.objects.filter(photo=photo))
    return Photo.objects.filter(pk=photo).values_list(Subquery(older), Subquery(newer), covers)


@kept
def _siblings(lesion: int, photo: int) -> QuerySet[Photo]:
    return Photo.objects.filter(lesion=lesion).exclude(pk=photo).order_by("-created_at", "-id")[:12]


def panel(shown: Shown, **extra) -> dict:
    """The part that changes while the page is open: the state, or the answer and what was recorded."""
    photo, analysis, is_current = shown.photo, shown.analysis, shown.is_current
    state = _state(analysis)
    context = {
        "photo": photo,
        "analysis": analysis,
        "member": shown.member,
        "state": state,
        "may_edit": shown.member.can_edit,
        "may_see": shown.may_see,
        "is_current": is_current,
        "panel_url": reverse("photo", args=[photo.pk])
        if analysis is None or is_current
        else reverse("analysis", args=[analysis.pk]),
        "image_url": reverse("photo-image", args=[photo.pk]),
        "screen_url": reverse("photo-image", args=[photo.pk]) + "?for=screen",
        "choices": choices(),
        "confidences": CONFIDENCES,
        "published": registry.published(photo.clinic),
    }
    if analysis and state in (Job.State.QUEUED, Job.State.RUNNING):
        context |= _waiting(analysis, state)
    if analysis:
        context |= _model(analysis) | {"assessment": shown.assessment}
    if analysis and state == Job.State.DONE:
        context["warnings"] = (analysis.quality or {}).get("warnings", [])
    if shown.answer:
        context |= _answer(shown, shown.answer)
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
    """The threshold set named in the address or the form, else the one this person used last, else the usual."""
    wanted = request.POST.get("thresholds") or request.GET.get("thresholds")
    by_name = {row.name: row for row in sets}
    if wanted in by_name:
        request.session[SESSION_THRESHOLDS] = wanted
        return by_name[wanted]
    last = request.session.get(SESSION_THRESHOLDS)
    name = last if last in by_name else usual_thresholds(by_name)
    return by_name[name] if name else None


def answer_view(analysis: Analysis, chosen: ThresholdSet | None, *, of_any_photo: bool = False) -> ResultView:
    """The ResultView of a finished analysis against one threshold set.

    ``of_any_photo``: whatever is on it, as a study shows the model's answers to the photos it was opened with.
    """
    has_background = bool(analysis.model_version.manifest.get("background_classes"))
    return result_view(
        analysis.scores,
        chosen.values if chosen else {},
        facts=_of_this_answer(analysis, threshold_facts(chosen)) if chosen else None,
        background=analysis.background if has_background else None,
        quality=analysis.quality,
        set_aside="" if of_any_photo else analysis.set_aside,
        language=get_language() or "en",
    )


def _of_this_answer(analysis: Analysis, facts: ThresholdFacts) -> ThresholdFacts:
    """What is known of thresholds for one answer: what speaks against believing the promise of it stands with it."""
    if facts.promise is None:
        return facts
    return replace(
        facts, promise=replace(facts.promise, warnings=(*facts.promise.warnings, *_doubts(analysis)))
    )


def _doubts(analysis: Analysis) -> Iterator[str]:
    """A promise is counted in full precision, and over all photos, like the training photos or not."""
    if analysis.precision not in precisions.COUNTING:
        yield _(
            "The promise was counted in full precision. This answer was computed in %(precision)s, whose scores differ "
            "a little; of it nothing is promised."
        ) % {"precision": computed.PRECISION_WORDS.get(analysis.precision, analysis.precision)}
    if analysis.unlike is not None and is_unlike(analysis.unlike):
        yield _(
            "This photo is not like the model’s training photos. What is promised is of all photos together; of such "
            "as this one fewer may be covered."
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
    return {
        "manifest": manifest,
        "validated_on": model_card.validated_on(manifest),
        "computed": computed.in_words(analysis.runtime, analysis.precision) if analysis.is_done else "",
        "square_from": suggested_squares.of_square(analysis),
    }


def _answer(shown: Shown, answer: Answer) -> dict:
    analysis = answer.analysis
    assessment = shown.assessment if shown.member.can_edit else None
    decided = not shown.member.can_edit or bool(assessment and assessment.decision)
    listed = answer.listed if answer.thresholds_that_count else None
    return {
        "view": answer.view,
        "unlike": unlike.told(analysis.unlike, analysis.model_version.manifest),
        "decisions": decisions.choices(assessment, listed),
        "earlier": [
            row for row in shown.own if shown.member.can_edit and row.decision and row.analysis != analysis
        ],
        "threshold_sets": answer.threshold_sets,
        "threshold_set": answer.threshold_set,
        "axis": DEFAULT_AXIS,
        "maps_url": "" if answer.view.set_aside else reverse("analysis-maps", args=[analysis.pk]),
        **({} if answer.view.set_aside else explanations.context(analysis, shown.member)),
        "assessment": assessment,
        "stand": assessments.stand(assessment),
        "history": _history(assessment),
        "colleagues": assessments.colleagues(shown.request.user, analysis) if decided else [],
        "decided": decided,
        "ranked": _ranked(assessment),
    }


def _ranked(assessment: Assessment | None) -> dict:
    """The own differential as the decision's form is filled in: of what was decided last, else of the impression."""
    said = (assessment.conclusion or assessment.impression) if assessment else None
    standing = said.ranked if said else Differential()
    others = [
        {"value": value, "typed": typed, "confidence": one.confidence}
        for one in standing.others
        for value, typed in [terms.filled_in(one.disease, one.icd10, one.text, get_language() or "en")]
    ]
    return {"confidence": standing.confidence, "others": others}


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
        purpose=promises.purpose(details, chosen.purpose),
        cohort=set_words.cohort(details, chosen.cohort),
        n=details.get("n"),
        date=details.get("date", ""),
        auc=auc if isinstance(auc, int | float) and not isinstance(auc, bool) else None,
        optimistic=bool(details.get("optimistic")),
        basis={key: set_words.basis(one) for key, one in basis.items()} if isinstance(basis, dict) else {},
        # What came with a model promises nothing, whatever it says of itself.
        promise=promises.promise(details) if chosen.clinic_id else None,
    )
