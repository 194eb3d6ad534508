"""Recording the own impression and the decision after the model's answer."""

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from classifier.models import Analysis, Assessment
from classifier.presenters.result import Shown, answer_view, chosen_thresholds, member_of
from classifier.services.analysis import assessments
from classifier.services.analysis.assessments import Conflict, Named, NotAChange
from classifier.views.result import ANALYSES, after_saving, render_panel
from skinclinic.permissions import EDIT, get_for
from skinclinic.vocabulary import terms
from skinclinic.vocabulary.diseases import BY_KEY
from skinclinic.web.requests import SignedInRequest


class Unclear(ValueError):
    """The form names no diagnosis; the message says what to do."""


@never_cache
@require_POST
def impression(request: SignedInRequest, pk: int) -> HttpResponse:
    """Record the impression (``choice``, or ``disease``/``disease_typed``/``text``), or ``skip``."""
    row = get_for(request.user, ANALYSES, pk, EDIT)
    try:
        named = None if request.POST.get("skip") else named_in(request.POST)
        assessments.record_impression(request.user, row, named)
    except Unclear as error:
        return _panel(request, row, 422, impression_error=str(error), typed=request.POST)
    except Conflict:
        return _panel(request, row, 409, conflict={"kind": "impression", "wanted": named})
    return after_saving(request, row, "impression")


@never_cache
@require_POST
def decision(request: SignedInRequest, pk: int) -> HttpResponse:
    """Record ``decision`` agree, change or dismiss with a ``comment``, or undo it. ``seen``: see ``stand``."""
    row = get_for(request.user, ANALYSES, pk, EDIT)
    if not row.is_done or not assessments.may_see_answer(request.user, member_of(request, row), row):
        return _panel(request, row, 409, decision_error=_("Record your own impression first."))
    wanted = request.POST.get("decision", "")
    seen = request.POST.get("seen", "")
    try:
        if wanted == "undo":
            assessments.undo(request.user, row, seen=seen)
        else:
            _decide(request, row, wanted, seen)
    except NotAChange:
        error = _("This is your impression already. Choose another diagnosis, or agree or dismiss.")
        return _panel(request, row, 422, decision_error=error, typed=request.POST)
    except Unclear as error:
        return _panel(request, row, 422, decision_error=str(error), typed=request.POST)
    except Conflict:
        label = dict(Assessment.Decision.choices).get(wanted, _("Undo"))
        return _panel(request, row, 409, conflict={"kind": "decision", "wanted": label}, typed=request.POST)
    return after_saving(request, row, "decision")


def named_in(post) -> Named:
    """The diagnosis a form names; raises Unclear."""
    choice, text = post.get("choice", ""), _clean(post.get("text", ""))[:2000]
    if choice in BY_KEY:
        return Named(disease=choice)
    value, typed = post.get("disease", ""), _clean(post.get("disease_typed", ""))[:200]
    if value or typed:
        found = terms.resolve(value, typed)
        if found is None:
            raise Unclear(
                _("“%(typed)s” is not understood. Choose from the list, or use your own words below.")
                % {"typed": typed or value}
            )
        return Named(disease=found[0], icd10=found[1], text=text)
    if text:
        return Named(text=text)
    raise Unclear(_("Choose a diagnosis, or name another one."))


def _decide(request: SignedInRequest, row: Analysis, wanted: str, seen: str) -> None:
    if wanted not in Assessment.Decision.values:
        raise Unclear(_("Choose agree, change or dismiss."))
    chosen = chosen_thresholds(request, row.model_version.thresholds_for(row.clinic_id))
    assessments.decide(
        request.user,
        row,
        wanted,
        named=named_in(request.POST) if wanted == Assessment.Decision.CHANGE else None,
        comment=_clean(request.POST.get("comment", ""))[:400],
        seen=seen,
        threshold_set=chosen,
        listed=[entry.disease.key for entry in answer_view(row, chosen).listed],
    )


def _clean(text: str) -> str:
    return text.replace("\0", "").strip()


def _panel(request: SignedInRequest, row: Analysis, status: int, **extra) -> HttpResponse:
    return render_panel(request, Shown(request, row.photo, row), status=status, **extra)
