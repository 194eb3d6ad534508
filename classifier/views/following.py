"""After publishing: how the model in use fares, its rule of alarms, its figures as files."""

import json
from collections.abc import Iterator
from functools import partial

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from classifier.models import ModelVersion, Monitor, ThresholdSet
from classifier.plots.figures import percent
from classifier.presenters import downloads
from classifier.presenters import following as shown
from classifier.presenters import following_rule as shown_rule
from classifier.presenters.screens import for_screens
from classifier.services.evaluation import bundle, looking
from classifier.services.evaluation.report import NotYet
from classifier.services.following import due, records, rules
from classifier.services.models import registry
from classifier.views.evaluations import as_file, figure_as_file
from skinclinic.engine import work
from skinclinic.forms.fields import OneLineField
from skinclinic.models import Clinic
from skinclinic.permissions import ADMIN, CURATE, VIEW, clinic_member, get_for
from skinclinic.services import step_up
from skinclinic.services.refused import Refused
from skinclinic.web.requests import MemberRequest, SignedInRequest
from skinclinic.web.zip_stream import compressed

MOST_RECORDS = 50


@clinic_member(VIEW)
@require_safe
def after(request: MemberRequest) -> HttpResponse:
    """The record of the model in use."""
    clinic = request.membership.clinic
    row = records.current(clinic)
    version = registry.published(clinic)
    if row is not None and (version is None or row.model_version_id != version.pk):
        # The one of before, until the reconciler begins the next.
        row = None
    return _page(request, row)


@require_safe
def record(request: SignedInRequest, pk: int) -> HttpResponse:
    """One record, also one that has ended."""
    return _page(request, _row(request, pk))


@clinic_member(ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def rule(request: MemberRequest) -> HttpResponse:
    """State another rule, which begins a new record."""
    clinic = request.membership.clinic
    version = registry.published(clinic)
    sets = version.thresholds_for(clinic.pk) if version else []
    if version is None or not sets:
        messages.error(request, _("There is no model with thresholds in use."))
        return redirect("after-publishing")
    asked = request.POST.get("thresholds") or request.GET.get("thresholds")
    usual = version.usual_thresholds(clinic.pk) or sets[0]
    chosen = next((one for one in sets if str(one.pk) == asked), usual)
    suggested, busy = _suggested(version, clinic, chosen)
    initial = _initial(suggested, chosen, _rule_now(clinic, chosen))
    form = RuleForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid() and busy == looking.BUSY:
        form.add_error(
            None,
            _("What the evaluation gives is being worked out. State the rule when it is there, in a minute."),
        )
    if request.method == "POST" and form.is_valid():
        step_up.require(request)
        try:
            photos = rules.of_photos(version) if form.cleaned_data["photos"] else {}
            found = rules.stated(chosen, float(form.cleaned_data["alpha"]), form.shares(), suggested, photos)
            row = records.state(clinic, version, chosen, found, request.user, form.cleaned_data["reason"])
            due.ask(row)
            messages.success(request, _("A new record has begun by this rule."))
            return redirect("after-publishing")
        except Refused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, str(refused))
    context = {
        "form": form,
        "version": version,
        "chosen": chosen,
        "sets": sets,
        "suggested": [
            (shown_rule.endpoint_name(name), percent(one.share), shown_rule.source_words(one))
            for name, one in suggested.items()
            if one.share is not None
        ],
        "promised": rules.from_promise(chosen),
        "looking": busy,
    }
    return render(request, "models/following/rule.html", context, status=422 if form.is_bound else 200)


def _suggested(
    version: ModelVersion, clinic: Clinic, chosen: ThresholdSet
) -> tuple[dict[str, rules.Reference], str]:
    """What the newest evaluation gives, and what is to be said where a job has yet to look through its photos."""
    try:
        return rules.from_evaluation(version, clinic, chosen), ""
    except NotYet as later:
        looking.ask_of_model(version, clinic)
        return {}, looking.ask_all([later.row])


@require_POST
def look(request: SignedInRequest, pk: int) -> HttpResponse:
    """Compute it now."""
    row = _row(request, pk, CURATE)
    if row.ended_at is None and due.ask(row):
        messages.info(request, _("It is being computed. Reload this page in a minute."))
    return redirect("after-publishing")


@require_safe
def figure(request: SignedInRequest, pk: int) -> HttpResponse:
    """One figure as a file: ``kind`` and how (``presenters/downloads.py``)."""
    row = _row(request, pk)
    if not row.figures:
        return redirect("monitor", row.pk)
    kind, wanted = request.GET.get("kind", ""), downloads.wanted(request.GET)
    if wanted is None or kind not in shown.KINDS:
        raise Http404
    found = shown.figure(row, kind, wanted.form)
    return figure_as_file(found, wanted)


@require_safe
def download(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """``what``: "report" (JSON) or "figures" (a ZIP)."""
    row = _row(request, pk)
    if not row.figures:
        return redirect("monitor", row.pk)
    what = request.GET.get("what", "")
    if what == "report":
        return as_file(
            HttpResponse(_report(row), content_type="application/json"), f"after-publishing-{row.pk}.json"
        )
    wanted = downloads.wanted_together(request.GET)
    if what != "figures" or wanted is None:
        raise Http404
    response = StreamingHttpResponse(compressed(_files(row, wanted)), content_type="application/zip")
    return as_file(response, f"after-publishing-{row.pk}-figures.zip")


def _files(row: Monitor, wanted: downloads.Wanted) -> Iterator[tuple[str, bytes]]:
    said = [("report.json", _("Every number of the results, for programs"))]
    yield "report.json", _report(row)
    yield from shown.files(row, wanted.kinds, wanted.how, wanted.form, said)
    yield bundle.INDEX, bundle.index(str(row.model_version), said)


def _report(row: Monitor) -> bytes:
    content = {
        "model": row.model_version.name,
        "weights_sha256": row.model_version.weights_sha256,
        "thresholds": row.threshold_set.name if row.threshold_set else None,
        "rule": row.rule,
        "followed_since": row.followed_since.isoformat(),
        "started_at": row.started_at.isoformat(),
        "ended_at": row.ended_at.isoformat() if row.ended_at else None,
        "computed_at": row.computed_at.isoformat() if row.computed_at else None,
        "evidence": row.evidence,
        "alarms": [
            {"endpoint": one.endpoint, "raised_at": one.raised_at.isoformat(), **one.facts}
            for one in row.alarms.all()
        ],
        "figures": row.figures,
    }
    return json.dumps(content, ensure_ascii=False, indent=1).encode()


def _row(request: SignedInRequest, pk: int, need: str = VIEW) -> Monitor:
    rows = Monitor.objects.select_related("model_version", "threshold_set", "started_by")
    return get_for(request.user, rows, pk, need)


def _page(request: SignedInRequest, row: Monitor | None) -> HttpResponse:
    clinic = row.clinic if row else request.membership.clinic if request.membership else None
    if clinic is None:
        raise Http404
    member = next(one for one in request.memberships if one.clinic_id == clinic.pk)
    context = {
        "row": row,
        "version": row.model_version if row else registry.published(clinic),
        "records": records.of_clinic(clinic)[:MOST_RECORDS],
        "may_state": member.is_admin,
        "may_look": member.can_curate,
        "least": rules.LEAST_CASES,
    }
    if row is not None:
        context |= _told(row)
    return render(request, "models/following/page.html", context)


def _told(row: Monitor) -> dict:
    content = row.figures
    context = {
        "lines": shown_rule.lines(row),
        "limit_words": shown_rule.limit_words(row) if row.rule["references"] else "",
        "is_busy": work.is_busy([due.JOB], row.pk),
        "content": content,
    }
    if not content:
        return context
    return context | {
        "verification": shown.verification(content["lesions"]),
        "shares": shown.shares(content, row.rule["policy"]),
        "diseases": shown.diseases(content),
        "missing": shown.missing_diseases(content),
        "not_counted": shown.not_counted(content),
        "confirmed": shown.confirmed(content),
        "covered": shown.Share.of_pair(content["proven"]["covered"]) if content["proven"] else None,
        "promises": shown.promises(content),
        "chosen_on": shown.chosen_on(row),
        "calibrated": content["proven"].get("calibration"),
        "patients_said": shown.patients_said(content),
        "drift": shown.drift_rows(content),
        "people": shown.people_rows(content),
        "list": shown.list_told(content),
        "figures": [
            (
                for_screens(partial(shown.figure, row, kind)),
                f"{reverse('monitor-figure', args=[row.pk])}?kind={kind}",
                kind,
            )
            for kind in shown.KINDS
        ],
    }


def _rule_now(clinic: Clinic, chosen: ThresholdSet) -> rules.Rule | None:
    """The rule of the record that goes on, where it is one by these thresholds."""
    row = records.current(clinic)
    return rules.Rule.of_json(row.rule) if row and row.threshold_set_id == chosen.pk else None


def _initial(suggested: dict[str, rules.Reference], chosen: ThresholdSet, now: rules.Rule | None) -> dict:
    """What an evaluation gives; of the rest what is stated now."""
    stated = {**(now.references if now else {}), **suggested}
    return {
        "thresholds": chosen.pk,
        "alpha": str(now.alpha if now else rules.USUAL_ALPHA),
        "photos": now is None or any(name in now.references for name in rules.OF_PHOTOS),
        **{name: f"{100 * one.share:.1f}" for name, one in stated.items() if one.share is not None},
    }


def _alphas() -> list[tuple[str, str]]:
    return [
        (str(alpha), _("in %(share)s of records ever") % {"share": f"{100 * alpha:.0f} %"})
        for alpha in rules.ALPHAS
    ]


class RuleForm(forms.Form):
    """What is stated. Shares are in per cent."""

    thresholds = forms.CharField(widget=forms.HiddenInput, required=False)
    sensitivity = forms.FloatField(
        label=gettext_lazy("Alarm when the sensitivity for malignant diseases falls below (%)"),
        required=False,
    )
    specificity = forms.FloatField(
        label=gettext_lazy("Alarm when the specificity falls below (%)"),
        required=False,
        help_text=gettext_lazy("Leave one empty for no alarm of it."),
    )
    photos = forms.BooleanField(
        label=gettext_lazy("Alarms of photos, whatever the diagnosis"),
        required=False,
        help_text=gettext_lazy(
            "When fewer are like the training photos than the model says, or fewer come without a warning than among "
            "the first patients of the record. All alarms share the false ones; without these the others need less "
            "evidence."
        ),
    )
    alpha = forms.ChoiceField(
        label=gettext_lazy("False alarms, at most"),
        choices=_alphas,
    )
    reason = OneLineField(
        label=gettext_lazy("Reason"), max_length=200, help_text=gettext_lazy("Kept in the audit.")
    )

    def shares(self) -> dict[str, float | None]:
        """By endpoint, as shares."""
        asked = {name: self.cleaned_data[name] for name in (rules.SENSITIVITY, rules.SPECIFICITY)}
        return {name: None if value is None else value / 100 for name, value in asked.items()}
