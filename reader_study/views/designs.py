"""How the reading is shared out: chosen in a draft, shown once the study is open."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from reader_study.forms.design import DesignForm
from reader_study.models import Study, StudyDesign
from reader_study.services.making import arms, design_points, designs, studies
from reader_study.views.common import frame, saved, study_of
from skinclinic.permissions import STUDY
from skinclinic.services.refused import Refused
from skinclinic.web.requests import SignedInRequest

TAB = "design"


@require_http_methods(["GET", "HEAD", "POST"])
def design(request: SignedInRequest, pk: int) -> HttpResponse:
    """Choose it, or see what was drawn."""
    study = study_of(request, pk, STUDY)
    if not study.is_draft:
        if request.method == "POST":
            messages.error(request, _("The study is not a draft any more: what opening fixed cannot change."))
        return _fixed(request, study)
    form = DesignForm(request.POST or None, instance=designs.of(study))
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                designs.choose(study, form.values())
                if (sessions := form.sessions()) is not None:
                    studies.change_settings(study, {}, sessions=sessions)
        except Refused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        else:
            messages.success(request, saved(study))
            return redirect("study-design", pk)
    context = frame(request, study, TAB) | {
        "form": form,
        "points": [text for _code, _where, text, is_advice in design_points.of(study) if not is_advice],
        "advice": [text for _code, _where, text, is_advice in design_points.of(study) if is_advice],
        "said": [] if form.errors else design_points.in_words(study, designs.of(study)),
    }
    return render(request, "studies/design/choose.html", context, status=422 if form.errors else 200)


@require_safe
def meaning(request: SignedInRequest, pk: int) -> HttpResponse:
    """What the form would come to, while it is filled in."""
    study = study_of(request, pk, STUDY)
    form = DesignForm(request.GET, instance=StudyDesign(study=study))
    said, wrong = [], [error for errors in form.errors.values() for error in errors]
    if not wrong:
        chosen = StudyDesign(study=study, **form.values())
        if chosen.blocks > 1 and chosen.blocks_a_reader >= chosen.blocks:
            wrong = [_("Each reader reads at least one block, and fewer than all of them.")]
        else:
            wrong = [text for _field, text in designs.obstacles(study, chosen)]
            said = [] if wrong else design_points.in_words(study, chosen)
    return render(request, "studies/design/meaning.html", {"said": said, "wrong": wrong})


def _fixed(request: SignedInRequest, study: Study) -> HttpResponse:
    context = frame(request, study, TAB) | {"design": designs.of(study), "arms": arms.table(study)}
    return render(request, "studies/design/fixed.html", context)
