"""The list of members as it is shown: searched, a page at a time, with the invitations below."""

from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from skinclinic.forms.people import InvitationForm
from skinclinic.models import Member
from skinclinic.services import invitations, mail, people, second_factor
from skinclinic.web.inputs import storable
from skinclinic.web.requests import MemberRequest

SHOWN_CLOSED = SHOWN_OPEN = 50
PAGE_SIZE = 50
LONGEST_SEARCH = 100


def list_address(request: HttpRequest, member: Member | None = None) -> str:
    """The list as it was searched and paged when something in it was pressed; ``member``: whose row is shown."""
    return reverse("members") + _query(request) + (f"#member-{member.pk}" if member else "")


def _query(request: HttpRequest) -> str:
    asked = {name: text for name in ("q", "page") if (text := _asked(request, name))}
    return f"?{urlencode(asked)}" if asked else ""


def _asked(request: HttpRequest, name: str) -> str:
    return "".join(filter(storable, request.GET.get(name, ""))).strip()[:LONGEST_SEARCH]


def members_page(
    request: MemberRequest, form: InvitationForm, *, status: int = 200, **context
) -> HttpResponse:
    """``q`` in the address: part of a name, a user name or an e-mail address; ``page``: its number."""
    clinic, text = request.membership.clinic, _asked(request, "q")
    invited = invitations.open_of(clinic).filter(email__icontains=text)
    pages = Paginator(people.matching(clinic, text), PAGE_SIZE)
    page = pages.get_page(request.GET.get("page"))
    context |= {
        "form": form,
        "q": text,
        "here": _query(request),
        "members": page,
        "is_long": bool(text) or pages.num_pages > 1,
        "previous_url": _page_address(text, page.number - 1) if page.has_previous() else "",
        "next_url": _page_address(text, page.number + 1) if page.has_next() else "",
        "open_invitations": invited[:SHOWN_OPEN],
        "more_invitations": max(0, invited.count() - SHOWN_OPEN),
        "closed_invitations": invitations.closed_of(clinic)[:SHOWN_CLOSED],
        "can_mail": mail.can_mail(),
        "with_factor": second_factor.who_of(clinic),
        "roles": Member._meta.get_field("role").choices,
        "services": clinic.members.filter(user__service_of=clinic).count(),
    }
    return render(request, "people/members.html", context, status=status)


def _page_address(text: str, number: int) -> str:
    return f"?{urlencode({'q': text, 'page': number} if text else {'page': number})}"
