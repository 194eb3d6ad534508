"""Sources: where the archive's photos come from, and what is known of that."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from skinclinic.archive.forms.source import SourceForm
from skinclinic.archive.models import PROVENANCE, Source
from skinclinic.archive.services import size
from skinclinic.models.columns import field_of
from skinclinic.permissions import CURATE, VIEW, clinic_member, get_for
from skinclinic.web.requests import MemberRequest, SignedInRequest


@clinic_member()
@require_safe
def sources(request: MemberRequest) -> HttpResponse:
    """The clinic's sources, each with its photos counted and what is missing of it."""
    clinic = request.membership.clinic
    counted = size.by_source(clinic)
    rows = [
        {
            "source": source,
            "count": counted.parts.get(str(source.pk), 0),
            "missing": [
                str(field_of(Source, name).verbose_name) for name in PROVENANCE if not getattr(source, name)
            ],
        }
        for source in Source.objects.filter(clinic=clinic)
    ]
    return render(request, "archive/sources/list.html", {"rows": rows, "counted_at": counted.at})


@require_http_methods(["GET", "HEAD", "POST"])
def source(request: SignedInRequest, pk: int) -> HttpResponse:
    """What is known of a source; a post corrects it. Frozen versions keep what was known then."""
    row = get_for(request.user, Source, pk, VIEW if request.method in ("GET", "HEAD") else CURATE)
    form = SourceForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("sources")
    row.refresh_from_db()
    member = request.user.memberships.filter(clinic=row.clinic_id).first()
    can_curate = bool(member and member.can_curate)
    if not can_curate:
        for field in form.fields.values():
            field.disabled = True
    context = {"source": row, "form": form, "can_curate": can_curate}
    status = 409 if form.clashes else 422 if form.errors else 200
    return render(request, "archive/sources/page.html", context, status=status)
