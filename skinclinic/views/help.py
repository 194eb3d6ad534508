"""Help: contents by role, pages, search; what the product is and who helps. For everybody, also before signing in."""

from django.contrib.auth.decorators import login_not_required
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from skinclinic.help import contents, pages, pictures
from skinclinic.models import Member, Role

WHOSE = {
    contents.EVERYBODY: _("Everybody"),
    contents.CLINICIAN: _("Clinicians"),
    contents.CURATOR: _("Curators"),
    contents.COORDINATOR: _("Study coordinators and readers"),
    contents.ADMIN: _("Admins"),
    contents.OPERATOR: _("Whoever runs the server"),
}
LONGEST_SEARCH = 100


@login_not_required
@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """The contents, those of one's own role first; ``?q=``: the pages that have these words."""
    member = getattr(request, "membership", None)
    admins = (
        Member.objects.filter(clinic=member.clinic_id, role=Role.ADMIN, is_active=True).select_related("user")
        if member
        else Member.objects.none()
    )
    text, language = request.GET.get("q", "").strip()[:LONGEST_SEARCH], get_language() or pages.FIRST
    context = {
        "admins": [admin.user for admin in admins],
        "sections": _sections(member.role if member else "", language),
        "asked": text,
        "hits": pages.search(text, contents.ALL, language),
        "base": _base(request),
    }
    return render(request, "help.html", context)


@login_not_required
@require_safe
def help_topic(request: HttpRequest, slug: str) -> HttpResponse:
    """One page of help."""
    if slug not in contents.ALL:
        raise Http404
    member, language = getattr(request, "membership", None), get_language() or pages.FIRST
    page = pages.read(slug, language)
    context = {
        "page": page,
        # The renderer escapes all it is given (skinclinic/help/pages.py).
        "text": mark_safe(pages.html(page, lambda name: reverse("help-page", args=[name]), _picture)),
        "is_other_language": page.language != language,
        "sections": _sections(member.role if member else "", language),
        "base": _base(request),
    }
    return render(request, "help/page.html", context)


def _sections(role: str, language: str) -> list[tuple[object, list[pages.HelpPage]]]:
    return [
        (WHOSE[whose], [pages.read(name, language) for name in names])
        for whose, names in contents.by_role(role)
    ]


def _picture(name: str) -> str:
    """Its address; where a language has no pictures of its own, that of the English one."""
    for one in (name, f"{pages.FIRST}/{name.rpartition('/')[2]}"):
        if pictures.there_is(one):
            return staticfiles_storage.url(f"help/{one}")
    return ""


def _base(request: HttpRequest) -> str:
    return "base.html" if request.user.is_authenticated else "base_bare.html"
