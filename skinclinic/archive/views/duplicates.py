"""The queue of photos that look alike, two at a time."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from skinclinic.archive import labels
from skinclinic.archive.models import DuplicatePair, Entry
from skinclinic.archive.presenters.work import DuplicatesProgress
from skinclinic.archive.services.curating import duplicates as service
from skinclinic.permissions import CURATE, clinic_member, get_for
from skinclinic.presenters.paging import paged
from skinclinic.web.inputs import is_key
from skinclinic.web.requests import MemberRequest, SignedInRequest

VERDICTS = (
    DuplicatePair.Verdict.SAME_PHOTO,
    DuplicatePair.Verdict.SAME_LESION,
    DuplicatePair.Verdict.DIFFERENT,
)


@clinic_member()
@require_safe
def queue(request: MemberRequest) -> HttpResponse:
    """The next pair to decide."""
    clinic = request.membership.clinic
    show = _show(request)
    pair = service.next_open(clinic, show, _after(request))
    last = service.last_search(clinic)
    decided = _decided_just_now(request)
    context = {
        "pair": pair,
        "facts": _facts(pair) if pair else [],
        "show": show,
        "skipped": bool(_after(request)),
        "left": service.left(clinic, show),
        "decided": decided,
        "search": DuplicatesProgress.of(request, last) if last else None,
        "search_is_due": service.search_is_due(clinic, last),
        "has_entries": Entry.objects.filter(clinic=clinic).exists(),
        "can_curate": request.membership.can_curate,
        "max_distance": service.MAX_DISTANCE,
        "most_each": service.MOST_EACH,
    }
    return render(request, "archive/duplicates/queue.html", context)


@clinic_member()
@require_safe
def decided(request: MemberRequest) -> HttpResponse:
    """What was decided, newest first, each to be taken back."""
    rows = service.pairs(request.membership.clinic, _show(request)).exclude(
        verdict=DuplicatePair.Verdict.OPEN
    )
    context = paged(request, rows) | {"can_curate": request.membership.can_curate}
    return render(request, "archive/duplicates/decided.html", context)


@clinic_member(CURATE)
@require_POST
def search(request: MemberRequest) -> HttpResponse:
    """Ask for a search among all photos."""
    if service.request_search(request.membership.clinic) is None:
        messages.info(request, _("There is no photo in the archive yet."))
    return redirect("duplicates")


@require_POST
def decide(request: SignedInRequest, pk: int) -> HttpResponse:
    """Record a verdict and go on to the next pair."""
    pair = get_for(request.user, service.with_entries(), pk, CURATE)
    verdict, keep = request.POST.get("verdict", ""), request.POST.get("keep", "first")
    if verdict not in VERDICTS or keep not in ("first", "second"):
        messages.error(request, _("Choose one of: same photo, same lesion, different."))
        return redirect("duplicates")
    try:
        service.decide(pair, request.user, verdict, keep)
    except service.AlreadyDecided as known:
        if known.pair.verdict != verdict or known.pair.decided_by_id != request.user.pk:
            messages.warning(
                request,
                _("%(person)s has decided this pair already: %(verdict)s. Nothing was changed.")
                % {"person": known.pair.decided_by, "verdict": known.pair.get_verdict_display()},
            )
    return redirect(_queue_address(request, decided=pair.pk))


@require_POST
def reopen(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take a verdict back."""
    pair = get_for(request.user, service.with_entries(), pk, CURATE)
    if service.reopen(pair, request.user):
        messages.success(request, _("The pair is to be decided again."))
    return redirect(_queue_address(request))


def _show(request: HttpRequest) -> str:
    show = request.POST.get("show", "") or request.GET.get("show", "")
    return show if show in service.SHOWS else ""


def _queue_address(request: HttpRequest, **values) -> str:
    values = {name: value for name, value in {"show": _show(request), **values}.items() if value}
    return reverse("duplicates") + (f"?{urlencode(values)}" if values else "")


def _after(request: HttpRequest) -> tuple[int, int] | None:
    distance, _dot, pk = request.GET.get("after", "").partition(".")
    if not (distance.isascii() and distance.isdigit() and pk.isascii() and pk.isdigit()):
        return None
    return (int(distance), int(pk)) if len(distance) < 3 and len(pk) < 19 else None


def _decided_just_now(request: MemberRequest) -> DuplicatePair | None:
    pk = request.GET.get("decided", "")
    if not is_key(pk):
        return None
    rows = service.pairs(request.membership.clinic)
    return rows.filter(pk=pk).exclude(verdict=DuplicatePair.Verdict.OPEN).first()


def _facts(pair: DuplicatePair) -> list[dict]:
    """What is known of the two, line by line; ``differs`` where they contradict each other."""
    language = get_language() or "en"

    def of(entry: Entry) -> list[str]:
        lesion = entry.photo.lesion
        return [
            labels.name(entry.label, language),
            _("biopsy-proven") if entry.is_proven else _("not proven"),
            str(entry.patient or ""),
            str(lesion.get_site_display()) if lesion.site else "",
            date_format(entry.taken_on) if entry.taken_on else "",
            entry.source.name,
            entry.external_id,
            f"{entry.photo.width} × {entry.photo.height}",
            str(entry.get_review_display()),
        ]

    names = [
        _("Label"), _("Proof"), _("Patient"), _("Site"), _("Taken"), _("Source"), _("Name in the source"),
        _("Pixels"), _("Review"),
    ]  # fmt: skip
    return [
        {"name": name, "first": first, "second": second, "differs": first != second}
        for name, first, second in zip(names, of(pair.first), of(pair.second), strict=True)
    ]
