"""Notes and symptoms of a visit, notes and history of a patient: panels of the pages of results, lesions, patients."""

from collections.abc import Callable
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from skinclinic.forms.seen import Seen
from skinclinic.models import Lesion, Note, Patient, Photo, Symptoms
from skinclinic.permissions import EDIT, get_for, member_of
from skinclinic.presenters import changed_meanwhile, visit
from skinclinic.services import records, visit_records
from skinclinic.services.identifying import require_nobody_named
from skinclinic.services.refused import Refused
from skinclinic.vocabulary import asked, days
from skinclinic.web.counts import gettext as _
from skinclinic.web.inputs import is_key, storable
from skinclinic.web.requests import SignedInRequest, page_to_return_to

LONGEST_SINCE = 120
ANSWERS = {key for key, _word in asked.ANSWERS}


@require_safe
def lesion_visit(request: SignedInRequest, pk: int) -> HttpResponse:
    """The panel of another visit of lesion ``pk``: ``on`` a day."""
    return _panel(request, get_for(request.user, Lesion, pk), 200, on=request.GET.get("on", ""))


@require_POST
def lesion_symptoms(request: SignedInRequest, pk: int) -> HttpResponse:
    """Record the symptoms of the visit ``on``."""
    lesion = get_for(request.user, Lesion, pk, EDIT)

    def save(seen: Seen) -> None:
        wanted = _answers(request.POST, [name for name, _label in asked.SYMPTOMS])
        if "since" in request.POST:
            wanted["since"] = _since(request.POST["since"])
        day = _day(request.POST.get("on", ""))
        wanted = seen.chosen_of(wanted, records.UNITS[Symptoms])
        visit_records.record_symptoms(lesion, day, wanted, request.user, seen=seen.values)

    return _saved(request, lesion, Symptoms, save)


@require_POST
def lesion_notes(request: SignedInRequest, pk: int) -> HttpResponse:
    """Add a note on the visit ``on``."""
    lesion = get_for(request.user, Lesion, pk, EDIT)

    def save(seen: Seen) -> None:
        day = _day(request.POST.get("on", ""))
        visit_records.add_note(request.user, request.POST.get("text", ""), lesion=lesion, visit_on=day)

    return _saved(request, lesion, Note, save)


@require_POST
def patient_notes(request: SignedInRequest, pk: int) -> HttpResponse:
    """Add a note on patient ``pk``."""
    patient = get_for(request.user, Patient, pk, EDIT)

    def save(seen: Seen) -> None:
        visit_records.add_note(request.user, request.POST.get("text", ""), patient=patient)

    return _saved(request, patient, Note, save)


@require_POST
def patient_history(request: SignedInRequest, pk: int) -> HttpResponse:
    """Record what the patient was asked of what came before."""
    patient = get_for(request.user, Patient, pk, EDIT)

    def save(seen: Seen) -> None:
        wanted = _answers(request.POST, [name for name, _label in asked.HISTORY])
        wanted = seen.chosen_of(wanted, records.UNITS[Patient])
        records.change(patient, wanted, request.user, seen=seen.values)

    return _saved(request, patient, Patient, save)


@require_POST
def note(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change an own note (``text``), take it back or take it up again (``taken_back``: yes or no)."""
    row = get_for(request.user, Note.objects.select_related("lesion", "patient"), pk, EDIT)
    visit_records.require_author(row, request.user)
    wanted: dict[str, Any] = {}
    if "text" in request.POST:
        wanted["text"] = request.POST["text"]
    if request.POST.get("taken_back") in ("yes", "no"):
        wanted["is_taken_back"] = request.POST["taken_back"] == "yes"

    def save(seen: Seen) -> None:
        chosen = seen.chosen_of(wanted, records.UNITS[Note])
        visit_records.change_note(row, chosen, request.user, seen=seen.values)

    return _saved(request, _owner(row), Note, save, editing=row.pk)


def _saved(
    request: SignedInRequest,
    owner: Lesion | Patient,
    model: type[records.Record],
    save: Callable[[Seen], None],
    **more: Any,
) -> HttpResponse:
    """Save, and answer with the panel: with what was said, or with why it was not saved and all that was typed."""
    seen = Seen.of(request.POST)
    typed = request.POST
    if seen.is_open:
        versions = changed_meanwhile.of_asked(model, seen.asked, seen.values or {}, typed)
        return _again(
            request, owner, model, 422, versions=versions, must_choose=True, seen=typed["seen"], **more
        )
    try:
        save(seen)
    except Refused as refused:
        wrong = {"error": str(refused), "error_at": refused.field, "seen": typed.get("seen")}
        return _again(request, owner, model, 422, **wrong, **more)
    except records.Conflict as conflict:
        versions = changed_meanwhile.of_clashes(model, conflict.clashes)
        return _again(request, owner, model, 409, versions=versions, merged=conflict.merged, **more)
    if not request.htmx:
        messages.success(request, _("Saved."))
        return redirect(page_to_return_to(request) or "/")
    return _panel(request, owner, 200, on=typed.get("on", ""), said=_("Saved."))


def _again(
    request: SignedInRequest, owner: Lesion | Patient, model: type[records.Record], status: int, **more: Any
) -> HttpResponse:
    """The panel with the form as it was sent, open; ``form`` says which of them it is."""
    kind = {Note: "note", Symptoms: "symptoms", Patient: "history"}[model]
    typed = request.POST.dict() | more.pop("merged", {})
    return _panel(request, owner, status, on=request.POST.get("on", ""), form=kind, typed=typed, **more)


def _panel(
    request: SignedInRequest, owner: Lesion | Patient, status: int, *, on: str = "", **more: Any
) -> HttpResponse:
    member = member_of(request.user, owner.clinic_id)
    owner.refresh_from_db()
    seen = more.pop("seen", None)
    if isinstance(owner, Patient):
        shown = visit.of_patient(request.user, member, owner, **more)
        row: Patient | Symptoms = owner
        names: tuple = asked.HISTORY
    else:
        key = request.POST.get("photo") or request.GET.get("photo") or ""
        photo = Photo.objects.filter(lesion=owner, pk=key).first() if is_key(key) else None
        shown = visit.visit_of(request.user, member, owner, on=on, photo=photo, **more)
        names = asked.SYMPTOMS
        row = visit_records.symptoms_of(owner, shown["on"])
    if more.get("form") in ("symptoms", "history"):
        shown["questions"] = visit.questions(row, names, more["typed"])
        shown["since"] = more["typed"].get("since", shown.get("since", ""))
    if seen is not None:
        shown["seen"] = seen
    context = {"visit": shown, "owner": owner, "is_patient": isinstance(owner, Patient)}
    template = "visit/panel.html" if request.htmx else "visit/page.html"
    return render(request, template, context, status=status)


def _owner(row: Note) -> Lesion | Patient:
    owner = row.lesion or row.patient
    assert owner is not None  # a constraint of the table
    return owner


def _answers(data: QueryDict, names: list[str]) -> dict[str, Any]:
    """The answers that the form sent. Raises Refused for a word that is none."""
    wanted = {name: data[name] for name in names if name in data}
    if any(value not in ANSWERS for value in wanted.values()):
        raise Refused("", _("Choose one of the answers."))
    return wanted


def _since(text: str) -> str:
    text = " ".join(filter(None, "".join(filter(storable, text)).split()))
    if len(text) > LONGEST_SINCE:
        message = _("Shorten this to %(longest)s characters; it has %(count)s.")
        raise Refused("since", message % {"longest": LONGEST_SINCE, "count": len(text)})
    require_nobody_named("since", text)
    return text


def _day(text: str) -> date:
    day = days.day(text)
    if day is None:
        raise Refused("on", _("Choose the day of the visit."))
    return day
