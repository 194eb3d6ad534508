"""The results of a study: the overview, and what can be done with them."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from reader_study.models import StudyEvent, StudyResult
from reader_study.presenters.work import ResultsProgress
from reader_study.services.access import Access
from reader_study.services.results import conclusions, headlines
from reader_study.services.results import results as service
from reader_study.services.results.results import NoResults
from reader_study.views.common import access_of, frame, study_of
from reader_study.views.result_page import TAB, ResultPage, refusal
from skinclinic.permissions import STUDY
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from skinclinic.web.requests import SignedInRequest


@require_safe
def overview(request: SignedInRequest, pk: int) -> HttpResponse:
    """The results in short; or why there are none yet."""
    access = access_of(request, pk)
    if not access.can_see_answers:
        return refusal(request, access)
    row = StudyResult.objects.filter(study=access.study).first()
    try:
        page = ResultPage(request, access)
    except NoResults:
        return render(request, "studies/results/state.html", _state(request, access, row))
    context = page.context(
        lines=_lines(page),
        conclusions=conclusions.of_report(page.report, page.dataset, page.session) if page.sessions else [],
        headlines=headlines.of_dataset(page.report, page.dataset, page.session, page.figures.group_names)
        if page.sessions
        else [],
        together=headlines.of_all(page.report, page.session, page.figures.group_names),
        strata=headlines.strata_text(page.report),
        policy=headlines.policy_name(page.results.policy),
        curves=[
            (key, figure)
            for key in DISEASE_KEYS
            if (figure := page.figures.roc(page.dataset, page.session, key, small=True)).drawing
        ],
        events=page.study.events.filter(kind__in=_TOLD).select_related("by")[:100],
    )
    return render(request, "studies/results/overview.html", context)


_TOLD = (
    StudyEvent.Kind.OPENED, StudyEvent.Kind.AMENDED, StudyEvent.Kind.UNBLINDED, StudyEvent.Kind.CLOSED,
)  # fmt: skip


def _state(request: SignedInRequest, access: Access, row: StudyResult | None) -> dict:
    work = ResultsProgress(access.study, access.member)
    return {**frame(request, access.study, TAB), "result": row, "work": work}


def _lines(page: ResultPage) -> list[dict]:
    """A line for each dataset and session: readers, groups, model, agreement, completeness."""
    names = page.figures.group_names
    lines = []
    for dataset, found in page.report["datasets"].items():
        for session, read in found["sessions"].items():
            began = [one for one in read["readers"].values() if one["accuracy"] is not None]
            lines.append(
                {
                    "dataset": dataset,
                    "session": session,
                    "read": read,
                    "groups": [
                        (names.get(key) or key, group) for key, group in read["groups"].items() if key
                    ],
                    "model": found["argmax_accuracy"],
                    "answered": sum(one["answered"] for one in began),
                    "given": sum(one["n"] for one in began),
                }
            )
    return lines


@require_POST
def act(request: SignedInRequest, pk: int) -> HttpResponse:
    """Compute (again)."""
    study = study_of(request, pk, STUDY)
    action = request.POST.get("act", "")
    if not study.is_unblinded:
        messages.error(request, _("Results are computed once the study is closed."))
    elif action == "compute":
        service.request(study)
    else:
        messages.error(request, _("Choose what to do."))
    return redirect("study-results", study.pk)
