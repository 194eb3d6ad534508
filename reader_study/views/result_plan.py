"""The page of a study's results that its design adds: arms, readers against themselves, periods."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from reader_study.services.making.arms import Arm
from reader_study.views.result_page import ResultPage, results_page


@results_page
def plan(request: HttpRequest, page: ResultPage) -> HttpResponse:
    """Where everybody read everything once, there is only the overview."""
    found = page.report.get("plan")
    if not found:
        return redirect("study-results", page.study.pk)
    arms = [Arm(**one) for one in found["table"]]
    context = page.context(part="plan", plan=found, arms=arms, group_names=page.figures.group_names)
    return render(request, "studies/results/plan.html", context)
