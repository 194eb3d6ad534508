"""Planning what comes next with a lesion, from its page or the page of a result."""

from collections.abc import Callable
from typing import cast

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from skinclinic.forms.plans import BiopsyForm, FollowUpForm
from skinclinic.models import Biopsy, FollowUp, Lesion, User
from skinclinic.permissions import EDIT, get_for, member_of
from skinclinic.presenters.plan import plan_of
from skinclinic.services import cases, plans
from skinclinic.services.refused import Refused
from skinclinic.web.inputs import is_key
from skinclinic.web.requests import SignedInRequest, page_to_return_to

STEPS = {FollowUp: FollowUp.objects.select_related("lesion"), Biopsy: Biopsy.objects.select_related("lesion")}


@require_POST
def follow_up(request: SignedInRequest, pk: int) -> HttpResponse:
    """See lesion ``pk`` again: ``after`` 6w, 3m, 6m or 12m, or on ``due_on``."""
    lesion = get_for(request.user, Lesion, pk, EDIT)
    form = FollowUpForm(request.POST)

    def save() -> None:
        plans.see_again(lesion, request.user, form.cleaned_data["due_on"], form.cleaned_data["note"])

    return _saved(
        request, lesion, form, save, _("Planned. It is in the worklist under Follow-up due from that day.")
    )


@require_POST
def biopsy(request: SignedInRequest, pk: int) -> HttpResponse:
    """A biopsy of lesion ``pk`` was taken; its result is awaited."""
    lesion = get_for(request.user, Lesion, pk, EDIT)
    form = BiopsyForm(request.POST, clinic=lesion.clinic, user=request.user)

    def save() -> None:
        plans.await_biopsy(lesion, request.user, **form.cleaned_data)

    return _saved(
        request,
        lesion,
        form,
        save,
        _("Marked. It stays under Biopsy awaited until the pathology is recorded."),
    )


@require_POST
def assign(request: SignedInRequest, pk: int) -> HttpResponse:
    """Give lesion ``pk`` to a member of its clinic (``assignee``: a user's key), or to nobody."""
    lesion = get_for(request.user, Lesion, pk, EDIT)
    key = request.POST.get("assignee", "")
    person = User.objects.filter(pk=key).first() if is_key(key) else None
    try:
        if key and person is None:
            raise cases.NotAMember
        cases.assign(lesion, person, request.user)
    except cases.NotAMember:
        return _answer(request, lesion, 422, _("Choose a member of this clinic who may decide cases."))
    return _answer(request, lesion, 200, _("Assigned.") if person else _("Assigned to nobody."))


@require_POST
def follow_up_finish(request: SignedInRequest, pk: int) -> HttpResponse:
    return _step(request, FollowUp, pk, plans.finish, _("Marked as done."))


@require_POST
def follow_up_undo(request: SignedInRequest, pk: int) -> HttpResponse:
    return _step(request, FollowUp, pk, plans.undo, _("Undone. It stays in the history."))


@require_POST
def biopsy_finish(request: SignedInRequest, pk: int) -> HttpResponse:
    return _step(request, Biopsy, pk, plans.finish, _("Marked as done."))


@require_POST
def biopsy_undo(request: SignedInRequest, pk: int) -> HttpResponse:
    return _step(request, Biopsy, pk, plans.undo, _("Undone. It stays in the history."))


def _step(
    request: SignedInRequest,
    kind: type[FollowUp] | type[Biopsy],
    pk: int,
    act: Callable[[FollowUp | Biopsy, User], None],
    said: str,
) -> HttpResponse:
    step = cast(FollowUp | Biopsy, get_for(request.user, STEPS[kind], pk, EDIT))
    try:
        act(step, request.user)
    except Refused as refused:
        return _answer(request, step.lesion, 422, str(refused))
    return _answer(request, step.lesion, 200, said)


def _saved(
    request: SignedInRequest, lesion: Lesion, form: forms.Form, save: Callable[[], None], said: str
) -> HttpResponse:
    if not form.is_valid():
        words = "; ".join(str(error) for errors in form.errors.values() for error in errors)
        return _answer(request, lesion, 422, words, typed=request.POST)
    try:
        save()
    except Refused as refused:
        return _answer(request, lesion, 422, str(refused), typed=request.POST)
    return _answer(request, lesion, 200, said)


def _answer(request: SignedInRequest, lesion: Lesion, status: int, said: str, **more) -> HttpResponse:
    """The panel with what was done or why not; without scripts, back to the page it stood on."""
    if request.htmx:
        fresh = Lesion.objects.select_related("assignee").get(pk=lesion.pk)
        member = member_of(request.user, lesion.clinic_id)
        plan = plan_of(fresh, member) | {"said": said, "is_error": status != 200} | more
        return render(request, "plan/panel.html", {"plan": plan}, status=status)
    (messages.success if status == 200 else messages.error)(request, said)
    return redirect(page_to_return_to(request) or "/")
