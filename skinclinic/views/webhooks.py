"""A clinic's webhooks: made, tried, turned off, removed; what became of their messages. For admins."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from skinclinic.forms.webhooks import WebhookForm
from skinclinic.models import Webhook
from skinclinic.permissions import ADMIN, clinic_member, get_for
from skinclinic.presenters import webhooks as words
from skinclinic.services import step_up, webhooks
from skinclinic.services.refused import Refused
from skinclinic.web.requests import MemberRequest, SignedInRequest

# Messages of the log that are shown.
SHOWN = 50


@clinic_member(ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def webhook_list(request: MemberRequest) -> HttpResponse:
    """The clinic's webhooks; POST makes one and shows its secret, this once."""
    form = WebhookForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _list_page(request, form, status=422 if form.is_bound else 200)
    # What happens here is told elsewhere from now on.
    step_up.require(request)
    try:
        made, secret = webhooks.make(request.membership.clinic, request.user, **form.cleaned_data)
    except Refused as refused:
        form.add_error(refused.field, str(refused))
        return _list_page(request, form, status=422)
    return _list_page(request, WebhookForm(), made=made, secret=secret)


@require_safe
def webhook(request: SignedInRequest, pk: int) -> HttpResponse:
    """One webhook and its log."""
    found = get_for(request.user, Webhook, pk, ADMIN)
    log = words.log(found.messages.all()[:SHOWN])
    return render(request, "people/webhook.html", {"webhook": found, "log": log})


@require_POST
def webhook_act(request: SignedInRequest, pk: int) -> HttpResponse:
    """Test it, turn it on or off, remove it."""
    found, act = get_for(request.user, Webhook, pk, ADMIN), request.POST.get("act")
    if act == "test":
        webhooks.test(found, request.user)
        messages.success(request, _("The test is on its way. The log says what becomes of it."))
    elif act in ("on", "off"):
        if act == "on":
            step_up.require(request)
        webhooks.turn(found, request.user, on=act == "on")
    elif act == "again":
        message = get_for(request.user, found.messages.all(), request.POST.get("message"), ADMIN)
        if webhooks.send_again(message, request.user):
            messages.success(request, _("The message is on its way again. The log says what becomes of it."))
    elif act == "remove":
        webhooks.remove(found, request.user)
        messages.success(request, _("The webhook was removed."))
        return redirect("webhooks")
    return redirect("webhook", found.pk)


def _list_page(request: MemberRequest, form: WebhookForm, *, status: int = 200, **made) -> HttpResponse:
    rows = request.membership.clinic.webhooks.all()
    response = render(request, "people/webhooks.html", {"form": form, "rows": rows, **made}, status=status)
    if made:
        response["Cache-Control"] = "no-store"
    return response
