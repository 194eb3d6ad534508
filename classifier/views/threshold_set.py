"""The page of a threshold set: what it is for, what it promises, and what came of that elsewhere."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from classifier.models import ThresholdSet
from classifier.presenters.result import threshold_facts
from classifier.services.evaluation import looking
from classifier.services.models import realised, registry
from skinclinic.permissions import VIEW, clinic_member
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from skinclinic.web.requests import MemberRequest


@clinic_member(VIEW)
@require_safe
def threshold_set(request: MemberRequest, pk: int) -> HttpResponse:
    """One set that came with a model of the clinic, or that the clinic has made."""
    clinic = request.membership.clinic
    models = registry.available(clinic)
    chosen = (
        ThresholdSet.objects.filter(pk=pk, model_version__in=models).select_related("model_version").first()
    )
    if chosen is None or chosen.clinic_id not in (None, clinic.pk):
        raise Http404
    facts = threshold_facts(chosen)
    there = realised.everywhere(chosen, clinic) if facts.promise else realised.Everywhere([], [])
    context = {
        "chosen": chosen,
        "version": chosen.model_version,
        "facts": facts,
        "promise": facts.promise,
        "values": [
            (key, chosen.values[key], "" if facts.promise else facts.basis.get(key, ""))
            for key in DISEASE_KEYS
        ],
        "realised": there.found,
        "looking": looking.ask_all(there.waiting),
    }
    return render(request, "models/threshold_set.html", context)
