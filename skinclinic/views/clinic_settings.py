"""What an admin decides for the clinic, and what is stored where."""

from django.conf import settings
from django.contrib import messages
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from skinclinic.files import store
from skinclinic.forms.people import ClinicForm
from skinclinic.models import Clinic
from skinclinic.permissions import ADMIN, clinic_member
from skinclinic.services import kept_counts, quotas
from skinclinic.services.people import save_clinic
from skinclinic.web.requests import MemberRequest

_COUNTED = (
    kept_counts.PATIENTS, kept_counts.LESIONS, kept_counts.CASE_PHOTOS, kept_counts.ARCHIVE_PATIENTS,
    kept_counts.ARCHIVE_PHOTOS,
)  # fmt: skip


@clinic_member(ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def clinic_settings(request: MemberRequest) -> HttpResponse:
    clinic = request.membership.clinic
    if request.method != "POST":
        return _page(request, clinic, ClinicForm(instance=clinic))
    form = ClinicForm(request.POST, instance=Clinic.objects.get(pk=clinic.pk))
    if not form.is_valid():
        return _page(request, clinic, form, status=409 if form.clashes else 422)
    save_clinic(form.instance)
    messages.success(request, _("Saved."))
    return redirect("clinic-settings")


def _page(request: HttpRequest, clinic: Clinic, form: ClinicForm, status: int = 200) -> HttpResponse:
    counted = kept_counts.of(clinic, *_COUNTED)
    context = {
        "form": form,
        "clinic": clinic,
        "stored": _stored(clinic, counted),
        "counted_at": min((one.at for one in counted.values() if one.at), default=None),
        "rooms": list(quotas.all_rooms(clinic)),
        "admins_always": settings.SECOND_FACTOR_FOR_ADMINS,
    }
    return render(request, "people/clinic_settings.html", context, status=status)


def _stored(clinic: Clinic, counted: dict[str, kept_counts.Counted]) -> list[dict]:
    """What is kept, how much of it, and where below SKINCLINIC_HOME or in which database."""
    database = connection.vendor if connection.vendor != "sqlite" else "SQLite"
    folder = f"clinic-{clinic.pk}"
    return [
        {
            "what": _("Patients (pseudonymous codes)"),
            "count": counted[kept_counts.PATIENTS].count,
            "where": database,
        },
        {
            "what": _("Lesions, analyses and diagnoses"),
            "count": counted[kept_counts.LESIONS].count,
            "where": database,
        },
        {
            "what": _("Photos, without the camera's metadata"),
            "count": counted[kept_counts.CASE_PHOTOS].count,
            "where": store.place_of(folder),
        },
        {
            "what": _("Archive: patients of imported data"),
            "count": counted[kept_counts.ARCHIVE_PATIENTS].count,
            "where": database,
        },
        {
            "what": _("Archive: photos of imported data"),
            "count": counted[kept_counts.ARCHIVE_PHOTOS].count,
            "where": store.place_of(folder),
        },
        {
            "what": _("Models this clinic has added"),
            "count": None,
            "where": f"{settings.MODELS_DIR.name}/{folder}",
        },
        {
            "what": _("Members, invitations and who did what"),
            "count": clinic.members.count(),
            "where": database,
        },
    ]
