"""The settings of a draft; once it is open, what was fixed and what may still be amended."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from reader_study.forms.asked import AskedForm
from reader_study.forms.for_readers import ForReadersForm
from reader_study.forms.protocol import ProtocolForm
from reader_study.forms.study import FACT_NAMES, AmendmentForm, SettingsForm, group_names
from reader_study.models import Study
from reader_study.services.making import studies
from reader_study.views.common import STUDIES, frame, saved, study_of
from skinclinic.permissions import STUDY
from skinclinic.services.refused import Refused
from skinclinic.web.requests import SignedInRequest


@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change a draft, or read what opening fixed."""
    study = study_of(request, pk, STUDY)
    if not study.is_draft:
        if request.method == "POST":
            messages.error(request, _("The study is not a draft any more: what opening fixed cannot change."))
            return redirect("study-settings", pk)
        return _fixed(request, study, AmendmentForm(instance=study))
    # The form writes on its instance; the page's head shows what is stored.
    form = SettingsForm(request.POST or None, instance=STUDIES.get(pk=study.pk))
    asked_form = AskedForm(request.POST or None, instance=form.instance)
    for_readers = ForReadersForm(request.POST or None, instance=STUDIES.get(pk=study.pk))
    more = ProtocolForm(request.POST or None, instance=STUDIES.get(pk=study.pk))
    forms = (form, more, asked_form, for_readers)
    names, new = group_names(study, request.POST)
    group_error = ""
    # All of them are checked, so that the page names everything that is wrong.
    if request.method == "POST" and all([one.is_valid() for one in forms]):
        try:
            studies.change_settings(
                study,
                form.values() | more.values() | asked_form.values() | for_readers.values(),
                sessions=form.sessions(),
                groups=names,
                new_groups=new,
            )
        except Refused as refused:
            group_error = str(refused) if refused.field == "groups" else ""
            if not group_error:
                blamed = next((one for one in forms if refused.field in one.fields), None)
                (blamed or form).add_error(refused.field if blamed else None, str(refused))
        else:
            messages.success(request, saved(study))
            return redirect("study-settings", pk)
    is_wrong = bool(group_error or any(one.errors for one in forms))
    context = frame(request, study, "settings") | {
        "form": form,
        "protocol_form": more,
        "asked_form": asked_form,
        "for_readers": for_readers,
        "groups": [(group.pk, names.get(group.pk, group.name)) for group in study.groups.all()],
        "new_groups": [name for name in new if name] if is_wrong else [],
        "group_error": group_error,
        "is_wrong": is_wrong,
    }
    status = 409 if any(one.clashes for one in forms) else 422 if is_wrong else 200
    return render(request, "studies/settings.html", context, status=status)


def _fixed(request: SignedInRequest, study: Study, form: AmendmentForm) -> HttpResponse:
    context = frame(request, study, "settings") | {
        "form": form,
        "groups": study.groups.all(),
        "sessions": study.sessions.all(),
        "practice": study.images.filter(is_practice=True).count(),
        "facts": [FACT_NAMES[fact] for fact in study.shown_facts if fact in FACT_NAMES],
    }
    status = 409 if form.clashes else 422 if form.errors else 200
    return render(request, "studies/fixed.html", context, status=status)


@require_POST
def amend(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change what may still change, with a reason that stays beside it."""
    study = study_of(request, pk, STUDY)
    if study.is_draft:
        return redirect("study-settings", pk)
    form = AmendmentForm(request.POST, instance=STUDIES.get(pk=study.pk))
    if not form.is_valid():
        return _fixed(request, study, form)
    values = {name: form.cleaned_data[name] for name in AmendmentForm.Meta.fields if name in request.POST}
    values |= form.sent_in(request.POST)
    try:
        studies.amend(study, request.user, values, form.cleaned_data["reason"])
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("study-settings", pk)
    messages.success(request, _("Amended. The old and the new text stand on the study's page."))
    return redirect("study", pk)
