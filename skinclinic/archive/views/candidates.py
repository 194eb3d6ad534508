"""From the clinic to the archive: proven photos of patients who consented, chosen by a curator."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from skinclinic.archive.services.curating import from_clinic
from skinclinic.models import Clinic, Photo
from skinclinic.permissions import CURATE, clinic_member
from skinclinic.presenters.paging import paged
from skinclinic.services import kept_counts, patients
from skinclinic.services.refused import Refused
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext
from skinclinic.web.inputs import is_key
from skinclinic.web.requests import MemberRequest, SignedInRequest

PAGE_SIZE = 120


@clinic_member(CURATE)
@require_http_methods(["GET", "HEAD", "POST"])
def dataset_candidates(request: MemberRequest) -> HttpResponse:
    """The photos that may be added; a post adds the chosen ones."""
    clinic = request.membership.clinic
    if request.method == "POST":
        keys = list(filter(is_key, request.POST.getlist("photos")))
        chosen = list(
            Photo.objects.filter(clinic=clinic, pk__in=keys[:PAGE_SIZE]).select_related("lesion__patient")
        )
        _add(request, clinic, chosen)
        return redirect("dataset-candidates")
    counted = kept_counts.of(clinic, from_clinic.WAITING, from_clinic.OF_OTHER_KINDS)
    to_ask = patients.how_many_to_ask(clinic)
    found, known = from_clinic.candidates(clinic), kept_counts.listed(clinic, from_clinic.WAITING)
    context = paged(request, found, ("id",), PAGE_SIZE, keys=known.keys if known else None)
    treated = from_clinic.after_treatment(context["rows"])
    context |= {
        "rows": [(photo, treated.get(photo.pk)) for photo in context["rows"]],
        "treated": len(treated),
        "count": counted[from_clinic.WAITING].count,
        "of_other_kinds": counted[from_clinic.OF_OTHER_KINDS].count,
        "to_ask": to_ask.count,
        "counted_at": min((one.at for one in (*counted.values(), to_ask) if one.at), default=None),
    }
    return render(request, "archive/datasets/candidates.html", context)


def _add(request: SignedInRequest, clinic: Clinic, chosen: list[Photo]) -> None:
    added = 0
    for photo in chosen:
        try:
            from_clinic.add(photo, clinic, request.user)
            added += 1
        except Refused as refused:
            messages.warning(request, f"{photo}: {refused}")
    if added:
        messages.success(
            request,
            ngettext("%(count)d photo was added.", "%(count)d photos were added.", added) % {"count": added},
        )
    elif not chosen:
        messages.warning(request, _("Choose the photos to add."))
