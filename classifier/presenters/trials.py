"""A request to the try page or its API: whose model is tried, who may send how many, which run an address means."""

from django.http import Http404

from classifier.models import TryRun
from classifier.services.analysis import trials
from skinclinic.models import Clinic
from skinclinic.presenters.attempts import count_try
from skinclinic.web.requests import ClinicRequest, client_address


def clinic_of(request: ClinicRequest) -> Clinic | None:
    """The clinic whose model is tried: the member's, else one that has opened its try page (?clinic=)."""
    if request.membership:
        return request.membership.clinic
    open_ones = Clinic.objects.filter(try_page_open=True).order_by("pk")
    if slug := request.GET.get("clinic"):
        open_ones = open_ones.filter(slug=slug)
    return open_ones.first()


def start(request: ClinicRequest, clinic: Clinic, data: bytes) -> TryRun:
    """Start a run for whoever sent the request; raises what ``trials.start`` raises, and TooOften."""
    sender = trials.sender_of(request.user, client_address(request))
    count_try(request, sender)
    return trials.start(clinic, sender=sender, data=data)


def find(token: str) -> TryRun:
    """The run of a token; Http404 once its hour is over."""
    trial = trials.find(token)
    if trial is None:
        raise Http404
    return trial
