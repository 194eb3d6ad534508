"""The clinic's codes of other systems: looked at, changed, put back, taken along. Admins change them."""

import json

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from skinclinic.forms.codes import CodeForm
from skinclinic.models import ClinicCode
from skinclinic.permissions import ADMIN, clinic_member
from skinclinic.services import codes
from skinclinic.services.refused import Refused
from skinclinic.vocabulary import codes as vocabulary
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext
from skinclinic.web.csv_table import table_csv
from skinclinic.web.requests import MemberRequest

COLUMNS = ("kind", "concept", "name", "system", "uri", "code", "display", "version", "source")


@clinic_member(ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def code_list(request: MemberRequest) -> HttpResponse:
    """The table; ``?of=site:nose&system=SCT`` opens a row in the form, POST keeps one."""
    clinic = request.membership.clinic
    if request.method != "POST":
        return _page(request, CodeForm(instance=_asked(request), initial={"of": request.GET.get("of", "")}))
    form = CodeForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        codes.put(clinic, request.user, form.as_code())
    except Refused as refused:
        form.add_error("of" if refused.field == "concept" else refused.field, str(refused))
        return _page(request, form, status=422)
    messages.success(request, _("Saved."))
    return redirect("codes")


@clinic_member(ADMIN)
@require_POST
def code_act(request: MemberRequest) -> HttpResponse:
    """``act``: remove or restore the row that kind, concept and system name; restore_all."""
    clinic, act = request.membership.clinic, request.POST.get("act")
    if act == "restore_all":
        count = codes.restore(clinic, request.user)
        messages.success(
            request,
            ngettext("%(count)d code is as shipped again.", "%(count)d codes are as shipped again.", count)
            % {"count": count},
        )
        return redirect("codes")
    place = tuple(request.POST.get(name, "") for name in ("kind", "concept", "system"))
    if place not in [row.place for row in codes.rows(clinic)] or act not in ("remove", "restore"):
        raise Http404
    (codes.remove if act == "remove" else codes.restore)(clinic, request.user, place)
    messages.success(request, _("Removed.") if act == "remove" else _("It is as shipped again."))
    return redirect("codes")


@clinic_member()
@require_safe
def code_file(request: MemberRequest, kind: str) -> HttpResponse:
    """The table as a file: ``kind`` csv or json. For every member."""
    if kind not in ("csv", "json"):
        raise Http404
    rows = [_told(code) for code in codes.table(request.membership.clinic).every()]
    if kind == "csv":
        data, mime = table_csv(COLUMNS, ([row[name] for name in COLUMNS] for row in rows)), "text/csv"
    else:
        data, mime = json.dumps(rows, ensure_ascii=False, indent=1).encode(), "application/json"
    name = f"codes-{request.membership.clinic.slug}.{kind}"
    return HttpResponse(
        data, content_type=mime, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _told(code: vocabulary.Code) -> dict[str, str]:
    known = {name: getattr(code, name) for name in COLUMNS if name != "name"}
    return {"name": vocabulary.english_name(code.kind, code.concept), **known}


def _asked(request: MemberRequest) -> ClinicCode | None:
    """The row that the address names, as it stands."""
    kind, _colon, concept = request.GET.get("of", "").partition(":")
    code = codes.table(request.membership.clinic).one(kind, concept, request.GET.get("system", ""))
    if code is None:
        return None
    return ClinicCode(
        system=code.system, code=code.code, display=code.display, version=code.version, source=code.source
    )


def _page(request: MemberRequest, form: CodeForm, *, status: int = 200) -> HttpResponse:
    rows = codes.rows(request.membership.clinic)
    groups = [
        {
            "name": words,
            "rows": [
                {"row": row, "name": vocabulary.name(*row.place[:2]), "code": row.code or row.was}
                for row in rows
                if row.place[0] == kind
            ],
        }
        for kind, words in vocabulary.KINDS.items()
    ]
    return render(
        request,
        "people/codes.html",
        {
            "form": form,
            "groups": groups,
            "systems": list(vocabulary.SYSTEMS),
            "is_open": form.is_bound or "of" in request.GET,
            "changed": sum(row.is_own for row in rows),
        },
        status=status,
    )
