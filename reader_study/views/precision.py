"""How precise a study will be: intervals by disease while its recipe is typed, and power for readers and photos."""

import re
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from reader_study.forms.plan import PlanForm
from reader_study.presenters import words
from reader_study.services.access import Access
from reader_study.services.making import precision, sampling, sizes
from reader_study.services.making.precision import Widths
from reader_study.statistics import sizing
from reader_study.views.common import frame, study_of
from skinclinic.models import User
from skinclinic.permissions import STUDY, member_of
from skinclinic.services.refused import Refused
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from skinclinic.web.requests import SignedInRequest

SHARE = 80
_ANALYSES = {
    sizing.RRRC: gettext_lazy("Readers and photos random"), sizing.FRRC: gettext_lazy("Readers fixed"),
    sizing.RRFC: gettext_lazy("Photos fixed"),
}  # fmt: skip
_CELL = re.compile(r"n-([0-9]{1,18})-([a-z_]{1,20})")


@require_safe
def panel(request: SignedInRequest, pk: int) -> HttpResponse:
    """The panel of the recipe page; a page of its own without htmx."""
    study = study_of(request, pk, STUDY)
    access = Access(study, member_of(request.user, study.clinic_id))
    plan = _plan(request.user, request.GET)
    # The recipe is on the page, and typed into, only once datasets are chosen; it comes with the request then.
    context = {"study": study, "has_recipe": "set" in request.GET} | _widths(access, request.GET) | plan
    if request.htmx:
        response = _fragment(request, "panel", context, has_failed="said" in plan)
    else:
        context |= frame(request, study, "sample")
        status = 422 if "said" in plan else 200
        response = render(request, "studies/precision/page.html", context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_safe
def intervals(request: SignedInRequest, pk: int) -> HttpResponse:
    """The expected intervals alone."""
    study = study_of(request, pk, STUDY)
    context = _widths(Access(study, member_of(request.user, study.clinic_id)), request.GET)
    return _fragment(request, "widths", {"study": study} | context, has_failed="refused" in context)


def _fragment(request: HttpRequest, name: str, context: dict, *, has_failed: bool) -> HttpResponse:
    return render(request, f"studies/precision/{name}.html", context, status=422 if has_failed else 200)


def _widths(access: Access, sent: QueryDict) -> dict[str, Any]:
    text = sent.get("share", "").strip() or str(SHARE)
    shown = {"share": text[:10]}
    try:
        share = _share(text)
        numbers = _numbers(sent)
        if any(numbers.values()):
            found = precision.of_recipe(access.study, numbers, share)
        elif access.can_see_truth:
            found = precision.of_sample(access.study, share)
        else:
            found = Widths((), (), is_drawn=True)
    except Refused as refused:
        return shown | {"refused": str(refused)}
    names = {row.group: words.group_name(row.group) for row in found.rows}
    least = found.least
    return shown | {
        "widths": found,
        "rows": [(names[row.group], row) for row in found.rows],
        "least": least and (names[least.group], least),
    }


def _share(text: str) -> float:
    if not (
        re.fullmatch(r"[0-9]{1,3}([.,][0-9]{1,6})?", text) and (share := float(text.replace(",", "."))) <= 100
    ):
        raise Refused("share", _("The true sensitivity is a number from 0 to 100 %."))
    return share / 100


def _numbers(sent: QueryDict) -> dict[tuple[int, str], int]:
    """The numbers of photos as the recipe has them now. Raises Refused."""
    found: dict[tuple[int, str], int] = {}
    for name, text in sent.items():
        if not (match := _CELL.fullmatch(name)) or not (text := str(text).strip()):
            continue
        if match[2] not in DISEASE_KEYS and match[2] not in sampling.TIERS:
            continue
        if not (text.isascii() and text.isdigit() and len(text) < 11):
            raise Refused("per", _("The numbers of photos are whole numbers."))
        found[int(match[1]), match[2]] = int(text)
    return found


def _plan(user: User, sent: QueryDict) -> dict[str, Any]:
    """The form as it was sent, and the plan or why there is none (``said``, "" where fields say it)."""
    first = sizes.pilots_for(user).first()
    if "plan" not in sent:
        initial = {
            "pilot": first and first.pk,
            "alpha": sizing.ALPHA,
            "power": sizing.POWER,
            "readers": "3-12",
        }
        return {"form": PlanForm(user, initial=initial), "has_pilot": first is not None}
    form = PlanForm(user, sent)
    shown: dict[str, Any] = {"form": form, "has_pilot": first is not None}
    if not form.is_valid():
        return shown | {"said": ""}
    study = form.cleaned_data["pilot"]
    try:
        question = form.question()
        found = sizes.pilot_of(study, question) if study else None
        plan = sizes.plan(found.spread if found else form.stated(), form.wanted(), found)
    except (Refused, sizing.CannotSize) as refused:
        return shown | {"said": str(refused)}
    measure = question.measure if found else ""
    return shown | {
        "plan": plan,
        "pilot": study,
        "plan_rows": [(row["readers"], [row[one] for one in sizing.ANALYSES]) for row in plan["rows"]],
        "analyses": [(_ANALYSES[one], one.upper()) for one in sizing.ANALYSES],
        "assumptions": list(sizes.assumptions(plan, measure)),
        "source": (sizes.SOURCE, sizes.SOURCE_URL),
    }
