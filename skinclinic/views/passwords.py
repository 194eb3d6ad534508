"""A forgotten password: asking for a link by mail, the page it leads to, and the link an admin makes."""

import time

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from skinclinic.forms.accounts import ChosenPasswordForm, ForgottenForm
from skinclinic.models import Member
from skinclinic.permissions import ADMIN, get_for
from skinclinic.services import mail, password_links, sign_in_limits, signing_in, step_up
from skinclinic.services.refused import Refused
from skinclinic.views.member_list import list_address
from skinclinic.views.own_access import link_to
from skinclinic.web.requests import SignedInRequest, client_address

# Whether there was anybody to mail is not to be told from how long the answer took.
ANSWER_SECONDS = 0.3


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def forgotten(request: HttpRequest) -> HttpResponse:
    """Ask for a link by mail. The answer is the same whoever is named."""
    begun = time.monotonic()
    form = ForgottenForm(request.POST if request.method == "POST" else None)
    context = {"form": form, "can_mail": mail.can_mail()}
    if not form.is_valid() or not context["can_mail"]:
        return render(request, "registration/forgotten.html", context, status=422 if form.is_bound else 200)
    name = form.cleaned_data["name"]
    sign_in_limits.take(f"a link for {name}", client_address(request))
    password_links.ask(name, lambda secret: link_to(request, "reset", secret))
    time.sleep(max(0, ANSWER_SECONDS - (time.monotonic() - begun)))
    return render(request, "registration/forgotten_sent.html")


@method_decorator([login_not_required, never_cache], name="dispatch")
class Reset(View):
    """Where a link leads: choose a password, then sign in with it (and a second factor, where there is one)."""

    http_method_names = ["get", "head", "post", "options"]

    def dispatch(self, request, *args, **kwargs):
        try:
            self.link = password_links.find(kwargs["secret"])
            return super().dispatch(request, *args, **kwargs)
        except password_links.LinkGone:
            return render(request, "registration/link_gone.html", status=404)

    def get(self, request: HttpRequest, secret: str) -> HttpResponse:
        return self._page(request, ChosenPasswordForm(self.link.user))

    def post(self, request: HttpRequest, secret: str) -> HttpResponse:
        form = ChosenPasswordForm(self.link.user, request.POST)
        if not form.is_valid():
            return self._page(request, form, status=422)
        with signing_in.room.entered():
            hashed = make_password(form.cleaned_data["new_password1"])
        password_links.use(self.link, hashed)
        messages.success(request, _("The new password holds. Sign in with it."))
        return redirect("login")

    def _page(self, request: HttpRequest, form: ChosenPasswordForm, status: int = 200) -> HttpResponse:
        context = {"form": form, "name": self.link.user.get_username()}
        return render(request, "registration/reset.html", context, status=status)


@require_POST
def member_password(request: SignedInRequest, pk: int) -> HttpResponse:
    """A link that an admin gives a member who has lost the password; shown this once."""
    member = get_for(request.user, Member.objects.select_related("user"), pk, ADMIN)
    step_up.require(request)
    try:
        link, secret = password_links.make(member, request.user)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect(list_address(request))
    context = {"member": member, "expires_at": link.expires_at, "link": link_to(request, "reset", secret)}
    return render(request, "people/password_link.html", context)
