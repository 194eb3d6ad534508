"""The page of one's own account, of whose forms each is taken by a view of its own."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language

from skinclinic.forms.accounts import EmailForm
from skinclinic.forms.people import AccountForm
from skinclinic.presenters import devices
from skinclinic.services import second_factor
from skinclinic.views import tokens
from skinclinic.web.requests import SignedInRequest


def account_page(
    request: SignedInRequest,
    form: AccountForm | None = None,
    *,
    email_form: EmailForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page; a form that came back shows what is wrong with it at its fields."""
    context = {
        "form": form or AccountForm(instance=request.user, initial={"language": get_language()}),
        "tokens": tokens.part_of_account(request),
        "email_form": email_form or EmailForm(initial={"email": request.user.email}),
        "factors": second_factor.kinds_of(request.user),
        "signed_in": devices.signed_in(request.user, request.session.session_key),
    }
    return render(request, "people/account.html", context, status=status)
