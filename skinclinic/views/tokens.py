"""One's own tokens for programs; a clinic's service accounts and the tokens that open it."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from skinclinic.forms.tokens import OwnTokenForm, ServiceAccountForm, TokenForm
from skinclinic.models import ApiToken, Member
from skinclinic.permissions import ADMIN, clinic_member, get_for
from skinclinic.services import step_up, tokens
from skinclinic.services.refused import Refused
from skinclinic.web.requests import MemberRequest, SignedInRequest


def part_of_account(request: SignedInRequest, form: OwnTokenForm | None = None) -> dict[str, Any]:
    """What ``people/own_tokens.html`` shows, and the account in short."""
    first = request.membership.clinic.slug if request.membership else ""
    form = form or OwnTokenForm(memberships=request.memberships, initial={"clinic": first})
    return {"form": form} | _working_and_ended(tokens.of_person(request.user))


def _working_and_ended(rows: Iterable[ApiToken]) -> dict[str, list[ApiToken]]:
    """What ended is told apart: whoever looks for a token looks for one that works."""
    both = list(rows)
    return {
        "rows": [row for row in both if row.is_valid],
        "ended": [row for row in both if not row.is_valid],
    }


def _part_of_clinic(request: MemberRequest, form: ServiceAccountForm | None = None) -> dict[str, Any]:
    """What ``people/clinic_tokens.html`` shows."""
    clinic = request.membership.clinic
    rows = list(tokens.of_clinic(clinic))
    accounts = clinic.members.filter(user__service_of=clinic).select_related("user").order_by("-id")
    return {
        "form": form or ServiceAccountForm(),
        "accounts": [
            (member, [row for row in rows if row.owner_id == member.user_id and row.is_valid])
            for member in accounts
        ],
        "of_members": _working_and_ended(row for row in rows if not row.owner.is_service),
    }


@require_http_methods(["GET", "HEAD", "POST"])
def own_tokens(request: SignedInRequest) -> HttpResponse:
    """One's tokens; POST makes another and shows it, this once."""
    if request.method != "POST":
        return _own_page(request)
    form = OwnTokenForm(request.POST, memberships=request.memberships)
    if not form.is_valid():
        return _own_page(request, form, status=422)
    # A token goes on when the session has ended.
    step_up.require(request)
    try:
        tokens.check_room(request.user)
        token, key = tokens.make(request.user, form.own_wanted(), by=request.user)
    except Refused as refused:
        form.add_error(refused.field, str(refused))
        return _own_page(request, form, status=422)
    return _own_page(request, made=token, key=key)


@require_POST
def token_revoke(request: SignedInRequest, pk: int) -> HttpResponse:
    """Stop one of one's own tokens."""
    token = ApiToken.objects.filter(owner=request.user, pk=pk).first()
    if token is None:
        raise Http404
    _revoke(request, token, ApiToken.Why.OWNER)
    return redirect("tokens")


@clinic_member(ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def service_accounts(request: MemberRequest) -> HttpResponse:
    """The clinic's service accounts and tokens; POST makes an account."""
    if request.method != "POST":
        return _clinic_page(request)
    form = ServiceAccountForm(request.POST)
    if not form.is_valid():
        return _clinic_page(request, form, status=422)
    member = tokens.make_service_account(request.membership.clinic, **form.cleaned_data)
    messages.success(request, _("The service account was made. Make a token for its program."))
    return redirect("service-account", member.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def service_account(request: SignedInRequest, pk: int) -> HttpResponse:
    """A service account and its tokens; POST makes a token and shows it, this once."""
    member = get_for(
        request.user, Member.objects.select_related("user").exclude(user__service_of=None), pk, ADMIN
    )
    form = TokenForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _account_page(request, member, form, status=422 if form.is_bound else 200)
    step_up.require(request)
    try:
        tokens.check_room(member.user)
        token, key = tokens.make(member.user, form.wanted(member.clinic), by=request.user)
    except Refused as refused:
        form.add_error(refused.field, str(refused))
        return _account_page(request, member, form, status=422)
    return _account_page(request, member, TokenForm(), made=token, key=key)


@require_POST
def clinic_token_revoke(request: SignedInRequest, pk: int) -> HttpResponse:
    """Stop a token that opens this clinic alone: an admin's."""
    token = get_for(request.user, ApiToken.objects.exclude(clinic=None), pk, ADMIN)
    why = ApiToken.Why.OWNER if token.owner_id == request.user.pk else ApiToken.Why.ADMIN
    _revoke(request, token, why)
    member = Member.objects.filter(
        clinic=token.clinic, user=token.owner_id, user__service_of=token.clinic
    ).first()
    return redirect("service-account", member.pk) if member else redirect("service-accounts")


def _revoke(request: SignedInRequest, token: ApiToken, why: str) -> None:
    if tokens.revoke(token, by=request.user, why=why):
        messages.success(request, _("The token “%(name)s” no longer works.") % {"name": token.name})
    else:
        messages.info(request, _("That token did not work any more."))


def _own_page(
    request: SignedInRequest, form: OwnTokenForm | None = None, *, status: int = 200, **made
) -> HttpResponse:
    context = {"tokens": part_of_account(request, form), **made}
    return _private(render(request, "people/own_tokens.html", context, status=status))


def _clinic_page(
    request: MemberRequest, form: ServiceAccountForm | None = None, *, status: int = 200
) -> HttpResponse:
    context = {"services": _part_of_clinic(request, form)}
    return render(request, "people/clinic_tokens.html", context, status=status)


def _account_page(
    request: SignedInRequest, member: Member, form: TokenForm, *, status: int = 200, **made
) -> HttpResponse:
    context = {"member": member, "form": form, **made} | _working_and_ended(tokens.of_person(member.user))
    return _private(render(request, "people/service_account.html", context, status=status))


def _private(response: HttpResponse) -> HttpResponse:
    """A page that may show a token, this once."""
    response["Cache-Control"] = "no-store"
    return response
