"""The choices of the type-ahead over labels: the 12 diseases and the clinic's own names of others."""

from django.http import JsonResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from skinclinic.archive import labels
from skinclinic.archive.formats.columns import LEAVE_OUT
from skinclinic.archive.models import LABEL_LENGTH, BackgroundDisease
from skinclinic.archive.presenters.label_names import group_name
from skinclinic.archive.services.searching.selection import MALIGNANT, OTHERS
from skinclinic.models import Clinic
from skinclinic.permissions import clinic_member
from skinclinic.vocabulary import terms
from skinclinic.web.inputs import storable
from skinclinic.web.requests import MemberRequest

MOST = 20


@clinic_member()
@require_safe
def label_terms(request: MemberRequest) -> JsonResponse:
    """``?q=`` text typed; ``offer``: "filter" adds groups of labels, "new" the text as a new disease,
    "import" that and leaving rows out. {"terms": [{value, label, detail, tier_label}]}."""
    query = request.GET.get("q", "")[:LABEL_LENGTH]
    query = labels.tidy(query) if storable(query) else ""
    offer = request.GET.get("offer", "")
    found = [*_groups(query, offer), *_diseases(query), *_others(request.membership.clinic, query)]
    if offer in ("new", "import") and query and not any(_is(term, query) for term in found):
        found.append(
            {"value": query, "label": query, "detail": _("a new name; counts as others"), "is_new": True}
        )
    return JsonResponse({"terms": found})


def _groups(query: str, offer: str) -> list[dict]:
    offered = []
    if offer == "filter":
        offered = [{"value": key, "label": group_name(key)} for key in (MALIGNANT, OTHERS)]
    elif offer == "import":
        offered = [{"value": LEAVE_OUT, "label": _("Leave out"), "detail": _("its rows are not imported")}]
    return [one for one in offered if query.casefold() in one["label"].casefold() or query == one["value"]]


def _diseases(query: str) -> list[dict]:
    tiers = {"malignant": _("malignant"), "premalignant": _("premalignant"), "benign": _("benign")}
    return [
        {"value": term.value, "label": term.label, "detail": term.detail, "tier_label": tiers[term.tier]}
        for term in terms.find(query, get_language() or "en")
    ]


def _others(clinic: Clinic, query: str) -> list[dict]:
    names = BackgroundDisease.objects.filter(clinic=clinic)
    if query:
        names = names.filter(name__icontains=query)
    return [
        {"value": name, "label": name, "detail": _("among the others")}
        for name in names.values_list("name", flat=True)[:MOST]
    ]


def _is(term: dict, query: str) -> bool:
    return query.casefold() in (term["label"].casefold(), term["value"].casefold())
