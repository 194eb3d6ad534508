"""The second factor: pages of django-allauth in our own dress, behind our own step-up."""

from collections.abc import Callable
from functools import wraps

from allauth.mfa.base import views as base
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from skinclinic.forms.second_factor import RemoveForm
from skinclinic.models import Member
from skinclinic.permissions import ADMIN, get_for
from skinclinic.services import password_links, second_factor, step_up
from skinclinic.services.refused import Refused
from skinclinic.views.member_list import list_address
from skinclinic.web.middleware import before_second_factor
from skinclinic.web.requests import SignedInRequest

View = Callable[..., HttpResponseBase]


def confirmed(view: View) -> View:
    """Only for who has just said who they are; also before a second factor that must be set up is there."""

    @wraps(view)
    def asked(request: HttpRequest, *args, **kwargs) -> HttpResponseBase:
        step_up.require(request)
        return view(request, *args, **kwargs)

    return before_second_factor(asked)


class Overview(base.IndexView):
    def get_context_data(self, **kwargs) -> dict:
        context = super().get_context_data(**kwargs)
        found = context["authenticators"]
        user = self.request.user
        return context | {
            "app": found.get("totp"),
            "passkeys": found.get("webauthn", []),
            "codes": found.get("recovery_codes"),
            "is_required": second_factor.is_required_of(user, self.request.memberships),
        }


class Authenticate(base.AuthenticateView):
    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**kwargs) | {"has_app": second_factor.has_app(self.stage.login.user)}


class RemovePasskey(passkeys.RemoveWebAuthnView):
    form_class = RemoveForm

    def get_form_kwargs(self) -> dict:
        return super().get_form_kwargs() | {"instance": self.object}

    def get_success_url(self) -> str:
        messages.success(self.request, _("The passkey was removed."))
        return self.success_url


class RemoveApp(totp.DeactivateTOTPView):
    def get_success_url(self) -> str:
        messages.success(self.request, _("The authenticator app was removed."))
        return super().get_success_url()


class AddPasskey(passkeys.AddWebAuthnView):
    def get_success_url(self) -> str:
        messages.success(self.request, _("The passkey was added."))
        return super().get_success_url()


overview = before_second_factor(Overview.as_view())
authenticate = Authenticate.as_view()
app_set_up = confirmed(totp.activate_totp)
app_remove = confirmed(RemoveApp.as_view())
codes_shown = confirmed(codes.view_recovery_codes)
codes_made = confirmed(codes.generate_recovery_codes)
passkey_add = confirmed(AddPasskey.as_view())
passkey_remove = confirmed(RemovePasskey.as_view())


@require_POST
def member_second_factor(request: SignedInRequest, pk: int) -> HttpResponse:
    """An admin removes the second factor of a member who has lost it; the member sets up another at sign-in."""
    member = get_for(request.user, Member.objects.select_related("user"), pk, ADMIN)
    step_up.require(request)
    try:
        password_links.check_may_help(member, request.user)
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        second_factor.remove_all(member.user, request.user)
        text = _("The second factor of %(name)s was removed, and %(name)s is signed out.")
        messages.success(request, text % {"name": member.user})
    return redirect(list_address(request))
