"""What lets a person in: the e-mail address, the devices they are signed in on."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from skinclinic.forms.accounts import EmailForm
from skinclinic.services import emails, signing_out, step_up
from skinclinic.views.account_page import account_page
from skinclinic.web.requests import SignedInRequest


@require_POST
def email_change(request: SignedInRequest) -> HttpResponse:
    """Another e-mail address; where mail can be sent it counts once the link sent there was opened."""
    form = EmailForm(request.POST)
    if not form.is_valid():
        return account_page(request, email_form=form, status=422)
    step_up.require(request)
    email = form.cleaned_data["email"]
    if emails.change(request.user, email, lambda secret: link_to(request, "new-email", secret)):
        messages.success(request, _("Saved."))
    else:
        text = _("A link was sent to %(email)s. The address counts once you have opened it.")
        messages.success(request, text % {"email": email})
    return redirect("account")


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def email_confirm(request: HttpRequest, secret: str) -> HttpResponse:
    """Where the link to a new address leads; a press on the button counts, programs that look at mails press none."""
    try:
        if request.method != "POST":
            return render(request, "registration/new_email.html", {"email": emails.email_of(secret)})
        emails.confirm(secret)
    except emails.LinkGone:
        return render(request, "registration/link_gone.html", status=404)
    messages.success(request, _("The e-mail address was changed."))
    return redirect("account")


@require_POST
def sign_out_there(request: SignedInRequest) -> HttpResponse:
    """End one session, on another device."""
    step_up.require(request)
    if signing_out.there(request.user, request.POST.get("session", "")):
        messages.success(request, _("You are signed out there."))
    else:
        messages.info(request, _("That session has ended already."))
    return redirect("account")


@require_POST
def sign_out_everywhere(request: SignedInRequest) -> HttpResponse:
    """End all sessions and tokens; those elsewhere, or this session as well."""
    step_up.require(request)
    if request.POST.get("which") == "others":
        signing_out.everywhere(request.user, but=request.session.session_key)
        messages.success(request, _("You are signed out everywhere else. Tokens no longer work."))
        return redirect("account")
    signing_out.everywhere(request.user)
    logout(request)
    messages.success(request, _("You are signed out everywhere. Tokens no longer work."))
    response = redirect(settings.LOGOUT_REDIRECT_URL)
    response["Clear-Site-Data"] = '"cache"'
    return response


def link_to(request: HttpRequest, name: str, secret: str) -> str:
    """The whole address of a page behind a secret, as people open the product."""
    path = reverse(name, args=[secret])
    return settings.PUBLIC_ADDRESS + path if settings.PUBLIC_ADDRESS else request.build_absolute_uri(path)
