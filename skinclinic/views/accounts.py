"""Signing in and out, one's own account, the clinic one works in."""

from allauth.account.utils import perform_login
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from skinclinic.forms.people import AccountForm, NewPasswordForm, SignInForm
from skinclinic.models import ApiToken
from skinclinic.services import (
    account_mail,
    audit,
    password_links,
    people,
    second_factor,
    signing_out,
    step_up,
)
from skinclinic.views.account_page import account_page
from skinclinic.web.confirming import IS_FILE, back_of, confirm_page
from skinclinic.web.middleware import SESSION_KEY, before_second_factor
from skinclinic.web.requests import SignedInRequest, is_of_another_person, json_error


class SignIn(auth_views.LoginView):
    form_class = SignInForm

    def get_context_data(self, **kwargs):
        name = settings.OIDC_NAME if settings.OIDC_ISSUER else ""
        return super().get_context_data(**kwargs, single_sign_on=name)

    def form_valid(self, form):
        """Sign in, or ask for the second factor first."""
        user = form.get_user()
        if self.request.user.is_authenticated and second_factor.has(user):
            # Whoever is signed in already, to confirm say, is asked for both.
            clinic = self.request.session.get(SESSION_KEY)
            logout(self.request)
            self.request.session[SESSION_KEY] = clinic
        return perform_login(self.request, user, redirect_url=self.get_success_url())


@method_decorator(before_second_factor, name="dispatch")
class SignOut(auth_views.LogoutView):
    def post(self, request, *args, **kwargs):
        response = super().post(request, *args, **kwargs)
        # Pages of patients must not come back with the Back button on a shared computer.
        response["Clear-Site-Data"] = '"cache"'
        return response


class ChangePassword(auth_views.PasswordChangeView):
    form_class = NewPasswordForm
    success_url = reverse_lazy("password-changed")

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"request": self.request}

    def form_valid(self, form):
        response = super().form_valid(form)
        user = form.user
        audit.record("password.change", user, by=user)
        password_links.end_all(user)
        signing_out.everywhere(user, but=self.request.session.session_key, why=ApiToken.Why.PASSWORD)
        account_mail.notify(user, _("The password was changed."))
        return response


@method_decorator(require_safe, name="dispatch")
class PasswordChanged(auth_views.PasswordChangeDoneView):
    pass


@login_not_required
@require_safe
def session_state(request: HttpRequest) -> HttpResponse:
    """204 while whom the page was made for is signed in, 401 after: what a page asks before it sends a form."""
    if request.user.is_authenticated and not is_of_another_person(request):
        return HttpResponse(status=204)
    return json_error(401, "not_authenticated", _("Your session has ended. Sign in again."))


@require_http_methods(["GET", "HEAD", "POST"])
def account(request: SignedInRequest) -> HttpResponse:
    """One's name, language, password, tokens and clinics."""
    if request.method != "POST":
        return account_page(request)
    form = AccountForm(request.POST, instance=request.user)
    if not form.is_valid():
        request.user.refresh_from_db()
        return account_page(request, form, status=422)
    people.rename_person(request.user, form.cleaned_data["display_name"])
    messages.success(request, _("Saved."))
    response = redirect("account")
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        form.cleaned_data["language"],
        max_age=365 * 24 * 3600,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return response


@before_second_factor
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: SignedInRequest) -> HttpResponse:
    """Say again who one is, then go on to the page that asked for it."""
    if request.method == "POST" and (is_right := step_up.is_right_answer(request)) is not None:
        if is_right:
            step_up.mark_fresh(request)
            address = _safe_next(request) or settings.LOGIN_REDIRECT_URL
            if IS_FILE not in request.POST:
                return redirect(address)
            # Led there, the browser would fetch it and leave the page that asks as it is.
            context = {"address": address, "back": back_of(request)}
            return render(request, "registration/confirmed_file.html", context)
        return confirm_page(request, is_wrong=True, is_page=True, by_code=step_up.has_code(request))
    next_page = request.GET.get("next", "/")
    page = confirm_page(request, is_page=True, next_page=next_page, by_code=step_up.has_code(request))
    # Asked for as a page of its own it is no refusal.
    page.status_code = 200
    return page


@require_POST
def switch_clinic(request: SignedInRequest) -> HttpResponse:
    """Work in another of one's clinics from now on."""
    slug = request.POST.get("clinic", "")
    if slug not in {member.clinic.slug for member in request.memberships}:
        raise Http404
    request.session[SESSION_KEY] = slug
    return redirect(_safe_next(request) or settings.LOGIN_REDIRECT_URL)


def _safe_next(request: HttpRequest) -> str:
    address = request.POST.get("next", "")
    is_safe = url_has_allowed_host_and_scheme(
        address, {request.get_host()}, require_https=request.is_secure()
    )
    return address if is_safe else ""
