"""The clinic's models: which there are, which is in use, adding, publishing and rolling back."""

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from classifier.models import ModelVersion, Publication
from classifier.networks.weights import ModelRejected
from classifier.presenters import model_exports, unlike
from classifier.presenters.came_again import came_again
from classifier.presenters.map_check import map_check
from classifier.presenters.model_refusals import refusal_words
from classifier.presenters.shadow import summary as shadow_words
from classifier.presenters.training_known import training_known
from classifier.services.models import card_file, map_checks, proof, registry, taking_away
from classifier.services.models import evidence as model_evidence
from classifier.services.models import upload as model_upload
from classifier.services.models.candidate import candidate
from classifier.services.models.card import card
from classifier.services.shadow import runs as shadows
from skinclinic.archive.presenters import summary_table
from skinclinic.archive.services.datasets import summary
from skinclinic.files.store import StorageFull
from skinclinic.forms.fields import OneLineField
from skinclinic.permissions import ADMIN, VIEW, clinic_member
from skinclinic.services import audit, step_up
from skinclinic.services.quotas import OverQuota
from skinclinic.web import zip_stream
from skinclinic.web.middleware import takes_up_to
from skinclinic.web.requests import MemberRequest

SHOWN_LINES = 100
MEGABYTE = 1024 * 1024


class RegisterForm(forms.Form):
    weights = forms.FileField(
        label=gettext_lazy("Weights (model.safetensors)"),
        widget=forms.FileInput(attrs={"accept": ".safetensors"}),
    )
    manifest = forms.FileField(
        label=gettext_lazy("Description (manifest.json)"),
        widget=forms.FileInput(attrs={"accept": ".json,application/json"}),
    )
    training_photos = forms.FileField(
        label=gettext_lazy("Hashes of the training photos (training-photos.csv)"),
        required=False,
        help_text=gettext_lazy(
            "Where the description names it. With it an evaluation finds photos the model has seen."
        ),
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
    )
    familiarity = forms.FileField(
        label=gettext_lazy("What the training photos are like (familiarity.safetensors)"),
        required=False,
        help_text=gettext_lazy(
            "Where the description names it. With it results tell photos unlike those the model was trained on."
        ),
        widget=forms.FileInput(attrs={"accept": ".safetensors"}),
    )


class ReasonForm(forms.Form):
    reason = OneLineField(
        label=gettext_lazy("Reason"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Kept in the log."),
    )


class RollBackForm(ReasonForm):
    from_version = forms.IntegerField(widget=forms.HiddenInput)


@clinic_member(VIEW)
@require_safe
def models(request: MemberRequest) -> HttpResponse:
    return _list_page(request)


@takes_up_to(model_upload.MAX_BYTES)
@clinic_member(ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def model_register(request: MemberRequest) -> HttpResponse:
    """Add a model: its weights and its description, checked before anything is kept."""
    if request.method != "POST":
        return _register_page(request, RegisterForm())
    form = RegisterForm(request.POST, request.FILES)
    if not form.is_valid():
        return _register_page(request, form)
    try:
        version, again = model_upload.register_upload(
            form.cleaned_data["weights"],
            form.cleaned_data["manifest"],
            form.cleaned_data["training_photos"],
            form.cleaned_data["familiarity"],
            clinic=request.membership.clinic,
            user=request.user,
        )
    except ModelRejected as error:
        form.add_error(None, refusal_words(error))
        return _register_page(request, form)
    except OverQuota as refused:
        form.add_error(None, str(refused))
        return _register_page(request, form, status=507)
    except StorageFull:
        form.add_error(None, _("The server's disk is full. Nothing was stored."))
        return _register_page(request, form, status=507)
    if again is None:
        messages.success(
            request,
            _("%(name)s was received and is being run on a test photo. It can be used once that has worked.")
            % {"name": version},
        )
    else:
        messages.info(request, came_again(version, again))
    return redirect("model", version.pk)


@clinic_member(VIEW)
@require_safe
def model(request: MemberRequest, pk: int) -> HttpResponse:
    """One version: what it was trained and validated on, its thresholds, limits and hash."""
    clinic = request.membership.clinic
    if refused := proof.refused(clinic, pk):
        messages.error(request, refusal_words(refused[0]))
        return redirect("models")
    version = version_for(request, pk)
    data = model_evidence.training_data(version, clinic)
    told, cohorts, in_use = (
        card(version, clinic),
        model_evidence.cohorts(version, clinic),
        registry.published(clinic),
    )
    may_publish = request.membership.is_admin and in_use != version
    context = {
        "version": version,
        "card": told,
        "in_use_now": in_use,
        "candidate": candidate(version, clinic, in_use, told, cohorts) if may_publish else None,
        "shadow_words": shadow_words(shadows.latest_of(clinic, version)) if may_publish and in_use else [],
        "shadow_now": shadows.current(clinic) if may_publish and in_use else None,
        "known": training_known(version),
        "unlike": unlike.of_model(version.manifest),
        "cohorts": cohorts,
        "training_data": data,
        "table": summary_table.table([summary.of(data.version)]) if data else None,
        "in_use": in_use == version,
        "not_proven": (why := proof.obstacle(version)) and refusal_words(why),
        "heatmaps": map_check(version),
        "exports": model_exports.offers(version, request.membership) if request.membership.is_admin else [],
        "form": ReasonForm(),
        "lines": Publication.objects.filter(clinic=clinic, model_version=version).select_related(
            "published_by"
        ),
    }
    return render(request, "models/model.html", context)


@clinic_member(VIEW)
@require_safe
def model_card(request: MemberRequest, pk: int) -> HttpResponse:
    """The model card as a file for programs."""
    version = version_for(request, pk)
    with override("en"):
        content = card_file.as_json(version, request.membership.clinic)
    response = HttpResponse(content, content_type="application/json")
    name = f"{slugify(version.name) or 'model'}-card.json"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@clinic_member(ADMIN)
@require_safe
def model_download(request: MemberRequest, pk: int) -> HttpResponseBase:
    """The files of a model as a ZIP; what is fetched is written down."""
    version = version_for(request, pk)
    step_up.require_for_download(request)
    try:
        members = taking_away.members(version, request.membership.clinic)
    except ModelRejected as error:
        messages.error(request, refusal_words(error))
        return redirect("model", version.pk)
    if request.method == "GET":
        audit.record("model.fetch", version, clinic=request.membership.clinic, by=request.user)
    response = StreamingHttpResponse(
        zip_stream.chunks(members) if request.method == "GET" else (), content_type="application/zip"
    )
    response["Content-Length"] = zip_stream.length(members)
    response["Content-Disposition"] = f'attachment; filename="{version.name}.zip"'
    return response


@clinic_member(ADMIN)
@require_POST
def model_check_maps(request: MemberRequest, pk: int) -> HttpResponse:
    version = version_for(request, pk)
    map_checks.ask(version, request.user)
    messages.info(
        request, _("The heatmaps are being checked. The figures will stand here in a minute or two.")
    )
    return redirect("model", version.pk)


@clinic_member(ADMIN)
@require_POST
def model_publish(request: MemberRequest, pk: int) -> HttpResponse:
    version = version_for(request, pk)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("The reason must be one line of at most 200 characters."))
        return redirect("model", version.pk)
    step_up.require(request)
    try:
        line = registry.publish(
            version,
            clinic=request.membership.clinic,
            user=request.user,
            reason=form.cleaned_data["reason"],
        )
    except ModelRejected as error:
        messages.error(request, refusal_words(error))
        return redirect("model", version.pk)
    if line:
        messages.success(request, _("From the next photo on, %(name)s is used.") % {"name": version})
    else:
        messages.info(request, _("%(name)s is in use already.") % {"name": version})
    return redirect("models")


@clinic_member(ADMIN)
@require_POST
def model_rollback(request: MemberRequest) -> HttpResponse:
    """Return to the version used before."""
    form = RollBackForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Nothing was changed. Reload the page and try again."))
        return redirect("models")
    step_up.require(request)
    try:
        line = registry.roll_back(request.membership.clinic, user=request.user, **form.cleaned_data)
    except registry.PublishedMeanwhile:
        messages.error(
            request, _("Another model was published meanwhile. Look at the list and decide again.")
        )
    except ModelRejected as error:
        messages.error(request, refusal_words(error))
    else:
        if line:
            messages.success(
                request,
                _("Rolled back: from the next photo on, %(name)s is used.") % {"name": line.model_version},
            )
        else:
            messages.info(request, _("There is no earlier model to go back to."))
    return redirect("models")


def version_for(request: MemberRequest, pk: int) -> ModelVersion:
    """A model the clinic may use. Raises Http404."""
    version = registry.listed(request.membership.clinic).filter(pk=pk).first()
    if version is None:
        raise Http404
    return version


def _list_page(request: MemberRequest) -> HttpResponse:
    clinic = request.membership.clinic
    in_use = registry.published(clinic)
    back_to = registry.roll_back_target(clinic)
    context = {
        "not_run": set(registry.listed(clinic).filter(pk__in=proof.not_run()).values_list("pk", flat=True)),
        "refused": [refusal_words(why) for why in proof.refused(clinic)],
        "versions": [
            (version, training_known(version))
            for version in registry.listed(clinic).select_related(
                "registered_by", "trained_on_version__dataset"
            )
        ],
        "in_use": in_use,
        "current_line": registry.current_line(clinic),
        "back_to": back_to,
        "roll_back_form": RollBackForm(initial={"from_version": in_use.pk}) if back_to and in_use else None,
        "lines": Publication.objects.filter(clinic=clinic).select_related("model_version", "published_by")[
            :SHOWN_LINES
        ],
    }
    return render(request, "models/models.html", context)


def _register_page(request: HttpRequest, form: RegisterForm, status: int | None = None) -> HttpResponse:
    context = {
        "form": form,
        "weights_megabytes": model_upload.WEIGHTS_MAX_BYTES // MEGABYTE,
    }
    return render(request, "models/register.html", context, status=status or (422 if form.is_bound else 200))
