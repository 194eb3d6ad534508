"""Recording the own impression and the decision after the model's answer."""

from dataclasses import replace
from itertools import zip_longest

from django.core.exceptions import ValidationError
from django.http import HttpResponse, QueryDict
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from classifier.models import Analysis, Assessment
from classifier.presenters.result import Shown, answer_view, chosen_thresholds, member_of
from classifier.services.analysis import assessments
from classifier.services.analysis.assessments import Conflict, Named, NotAChange, NotPossible
from classifier.views.result import ANALYSES, after_saving, render_panel
from skinclinic.permissions import EDIT, get_for
from skinclinic.services.identifying import nobody_named
from skinclinic.vocabulary import terms
from skinclinic.vocabulary.diseases import BY_KEY
from skinclinic.vocabulary.ranked import CONFIDENCE_KEYS, MOST, Differential, Ranked, twice
from skinclinic.web.counts import gettext as _
from skinclinic.web.requests import SignedInRequest


class Unclear(ValueError):
    """The form does not say what is meant; ``field`` is where, the message what to do. ``as_typed``: sent again as it
    is, the text counts as the person's own words."""

    def __init__(self, field: str, message: str, *, as_typed: bool = False):
        super().__init__(message)
        self.field, self.as_typed = field, as_typed


@never_cache
@require_POST
def impression(request: SignedInRequest, pk: int) -> HttpResponse:
    """Record the impression (``choice``, or ``disease``/``disease_typed``/``text``), or ``skip``."""
    row = get_for(request.user, ANALYSES, pk, EDIT)
    named = None
    try:
        named = None if request.POST.get("skip") else _impression_in(request.POST)
        assessments.record_impression(request.user, row, named)
    except Unclear as error:
        return _refused(request, row, "impression", error)
    except Conflict:
        return _panel(request, row, 409, conflict={"kind": "impression", "wanted": named})
    return after_saving(request, row, "impression")


@never_cache
@require_POST
def decision(request: SignedInRequest, pk: int) -> HttpResponse:
    """Record a ``decision`` (``Assessment.Decision``) with a ``comment``, or ``undo`` it. ``seen``: see ``stand``."""
    row = get_for(request.user, ANALYSES, pk, EDIT)
    if not row.is_done:
        return _panel(request, row, 409, cannot_decide=_("There is no answer yet that could be decided on."))
    if not assessments.may_see_answer(request.user, member_of(request, row), row):
        return _panel(request, row, 409, cannot_decide=_("Record your own impression first."))
    wanted = request.POST.get("decision", "")
    seen = request.POST.get("seen", "")
    try:
        if wanted == "undo":
            assessments.undo(request.user, row, seen=seen)
        else:
            _decide(request, row, wanted, seen)
    except NotAChange:
        message = _("This is your impression already. Keep it, or name another diagnosis.")
        return _refused(request, row, "decision", Unclear("disease", message))
    except NotPossible:
        message = _("The model's answer does not say that. Choose again.")
        return _refused(request, row, "decision", Unclear("decision", message))
    except Unclear as error:
        return _refused(request, row, "decision", error)
    except Conflict:
        label = dict(Assessment.Decision.choices).get(wanted, _("Undo"))
        return _panel(
            request,
            row,
            409,
            conflict={"kind": "decision", "wanted": label},
            typed=request.POST.dict() | {"others": typed_others(request.POST)},
        )
    return after_saving(request, row, "decision")


def named_in(post) -> Named:
    """The diagnosis a form names; raises Unclear."""
    choice, text = post.get("choice", ""), _short(post, "text", 2000)
    if choice in BY_KEY:
        return Named(disease=choice)
    value, typed = post.get("disease", ""), _short(post, "disease_typed", 200, field="disease")
    if value or typed:
        found = terms.understand(value, typed)
        if found is None:
            message = _(
                "“%(typed)s” may mean several diagnoses. Choose one from the list, or save again to use it as typed."
            )
            raise Unclear("disease", message % {"typed": typed or value}, as_typed=bool(typed))
        disease, icd10, words = found
        return Named(
            disease, icd10, _no_longer("; ".join(part for part in (words, text) if part), 2000, "text")
        )
    if text:
        disease, icd10 = terms.resolve("", text) or ("", "")
        return Named(disease, icd10, "" if disease or icd10 else text)
    raise Unclear("disease", _("Choose a diagnosis, or name another one."))


def differential_in(post: QueryDict) -> Differential | None:
    """What else it may be, in the order of the form; None from a form that does not ask. Raises Unclear."""
    if "ranked" not in post:
        return None
    others = []
    for value, typed, confidence in _other_rows(post):
        if not (value or typed.strip()):
            continue
        found = terms.understand(value, _no_longer(typed.replace("\0", "").strip(), 200, "others"))
        if found is None:
            message = _("“%(typed)s” may mean several diagnoses. Choose one from the list.")
            raise Unclear("others", message % {"typed": typed or value})
        others.append(Ranked(*found, confidence=confidence if confidence in CONFIDENCE_KEYS else ""))
    if len(others) > MOST:
        raise Unclear("others", _("Name at most five diagnoses."))
    if double := twice(others):
        raise Unclear("others", _("“%(name)s” is named twice. Take one out.") % {"name": double.said})
    sure = post.get("confidence", "")
    return Differential(sure if sure in CONFIDENCE_KEYS else "", tuple(others))


def _other_rows(post: QueryDict) -> list[tuple[str, str, str]]:
    """The rows of the differential as sent: chosen value, text, confidence."""
    values, typed, sure = (
        post.getlist(name)[: 2 * MOST] for name in ("other", "other_typed", "other_confidence")
    )
    return list(zip_longest(values, typed, sure, fillvalue=""))


def _impression_in(post: QueryDict) -> Named:
    """The first impression with what else it may be; raises Unclear."""
    named, differential = named_in(post), differential_in(post)
    if differential is None:
        return named
    if any(one.names(named) for one in differential.others):
        message = _("“%(name)s” is named twice. Take one out.")
        raise Unclear("others", message % {"name": Ranked(named.disease, named.icd10, named.text).said})
    return replace(named, differential=differential)


def _decide(request: SignedInRequest, row: Analysis, wanted: str, seen: str) -> None:
    if wanted not in Assessment.Decision.values:
        raise Unclear("decision", _("Choose what you decide."))
    chosen = chosen_thresholds(request, row.model_version.thresholds_for(row.clinic_id))
    view = answer_view(row, chosen)
    assessments.decide(
        request.user,
        row,
        wanted,
        named=named_in(request.POST) if wanted == Assessment.Decision.CHANGE else None,
        differential=differential_in(request.POST),
        comment=_short(request.POST, "comment", 400),
        seen=seen,
        threshold_set=None if view.set_aside else chosen,
        listed=[entry.disease.key for entry in view.listed],
    )


def _short(post, name: str, longest: int, *, field: str = "") -> str:
    return _no_longer(post.get(name, "").replace("\0", "").strip(), longest, field or name)


def _no_longer(text: str, longest: int, field: str) -> str:
    if len(text) > longest:
        message = _("Shorten this to %(longest)s characters; it has %(count)s.")
        raise Unclear(field, message % {"longest": longest, "count": len(text)})
    try:
        nobody_named(text)
    except ValidationError as error:
        raise Unclear(field, error.messages[0]) from None
    return text


def typed_others(post: QueryDict) -> list[dict[str, str]]:
    """The rows for the form to show once more."""
    return [
        {"value": value, "typed": typed, "confidence": confidence}
        for value, typed, confidence in _other_rows(post)
        if value or typed
    ]


def _refused(request: SignedInRequest, row: Analysis, form: str, error: Unclear) -> HttpResponse:
    """The panel with what was sent, the message at the field it is about, and the focus there."""
    typed = request.POST.dict() | {"others": typed_others(request.POST)}
    if error.as_typed:
        typed["disease"] = terms.AS_TYPED
    return _panel(request, row, 422, **{f"{form}_errors": {error.field: str(error)}, "typed": typed})


def _panel(request: SignedInRequest, row: Analysis, status: int, **extra) -> HttpResponse:
    return render_panel(request, Shown(request, row.photo, row), status=status, **extra)
