"""The clinic's own words: background diseases and subtypes."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_POST

from skinclinic.archive import labels
from skinclinic.archive.forms.vocabulary import SubtypeForm
from skinclinic.archive.models import BackgroundDisease, Subtype
from skinclinic.archive.services.curating import vocabulary as service
from skinclinic.permissions import CURATE, clinic_member, get_for, require
from skinclinic.vocabulary import subtypes
from skinclinic.vocabulary.diseases import DISEASES
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext
from skinclinic.web.requests import MemberRequest, SignedInRequest


@clinic_member()
@require_http_methods(["GET", "HEAD", "POST"])
def vocabulary(request: MemberRequest) -> HttpResponse:
    """Both lists; a post adds a subtype."""
    clinic, language = request.membership.clinic, get_language() or "en"
    form = SubtypeForm(request.POST or None, clinic=clinic)
    if request.method == "POST":
        require(request.membership, CURATE)
        if form.is_valid():
            values = form.cleaned_data
            service.subtype(clinic, request.user, values["label"], values["name"])
            messages.success(request, _("The subtype is in the vocabulary."))
            return redirect("vocabulary")
    own: dict[str, list[Subtype]] = {}
    for row in Subtype.objects.filter(clinic=clinic):
        own.setdefault(row.label, []).append(row)
    named = [disease.key for disease in DISEASES]
    background, counted_at = service.background(clinic)
    context = {
        "form": form,
        "background": background,
        "counted_at": counted_at,
        "subtypes": [
            {
                "name": labels.name(label, language),
                "built_in": list(subtypes.BUILT_IN.get(label, {}).values()),
                "own": own.get(label, []),
            }
            for label in [*named, *sorted(set(own) - set(named))]
        ],
        "can_curate": request.membership.can_curate,
    }
    status = 422 if form.errors else 200
    return render(request, "archive/vocabulary.html", context, status=status)


@require_POST
def background_remove(request: SignedInRequest, pk: int) -> HttpResponse:
    """Remove a background disease that no photo bears."""
    return _remove(request, get_for(request.user, BackgroundDisease, pk, CURATE), service.remove_background)


@require_POST
def subtype_remove(request: SignedInRequest, pk: int) -> HttpResponse:
    """Remove a subtype that no photo bears."""
    return _remove(request, get_for(request.user, Subtype, pk, CURATE), service.remove_subtype)


def _remove(request: HttpRequest, row, remove) -> HttpResponse:
    try:
        remove(row)
        messages.success(request, _("“%(name)s” was removed.") % {"name": row.name})
    except service.InUse as used:
        text = ngettext(
            "“%(name)s” is the name of %(count)d photo; give that another one first.",
            "“%(name)s” is the name of %(count)d photos; give those another one first.",
            used.count,
        )
        if used.more:
            text = _("“%(name)s” is the name of more than %(count)d photos; give those another one first.")
        messages.error(request, text % {"name": row.name, "count": used.count})
    return redirect("vocabulary")
