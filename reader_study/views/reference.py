"""The reference standard of a study: what its truths rest on, and the votes of its panel."""

import tempfile
from pathlib import Path

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from reader_study import panel
from reader_study.models import Study
from reader_study.panel import Vote
from reader_study.services.access import Access
from reader_study.services.making import reference, vote_files
from reader_study.views.common import access_of, frame, study_of
from skinclinic.permissions import STUDY
from skinclinic.services.refused import Refused
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext
from skinclinic.web.inputs import is_key, storable
from skinclinic.web.requests import SignedInRequest

MOST_BYTES = 5 * 1024**2
PAGE_SIZE = 60


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: SignedInRequest, pk: int) -> HttpResponse:
    """How strong the truths are; of a draft, where the panel votes."""
    access = access_of(request, pk)
    access.require_photos()
    if request.method == "POST":
        return _act(request, access, study_of(request, pk, STUDY))
    return _page(request, access)


def _page(request: SignedInRequest, access: Access, error: str = "") -> HttpResponse:
    study = access.study
    found = panel.findings(reference.votes_of(study)) if access.can_see_truth else {}
    kinds = reference.kinds_of(study)
    images = list(study.images.select_related("photo").order_by("number"))
    waiting = [one for one in images if kinds.get(one.number) != reference.PROVEN]
    after = request.GET.get("after", "")
    rest = [one for one in waiting if one.number > (int(after) if is_key(after) else 0)]
    shown = rest[:PAGE_SIZE]
    context = frame(request, study, "reference") | {
        "strength": reference.strength(study),
        "shows_truth": access.can_see_truth,
        "findings": [(number, one, kinds.get(number, "")) for number, one in found.items()],
        "open": reference.still_open(study) if found else None,
        "tiles": shown if study.is_draft and study.recipe.get("per") else [],
        "next_after": shown[-1].number if len(rest) > PAGE_SIZE else None,
        "diseases": DISEASE_KEYS,
        "columns": vote_files.COLUMNS,
        "names": {"rater": request.POST.get("rater", ""), "date": request.POST.get("date", "")},
        "error": error,
    }
    return render(request, "studies/reference.html", context, status=422 if error else 200)


def _act(request: SignedInRequest, access: Access, study: Study) -> HttpResponse:
    acts = {"vote": _vote, "file": _file, "take": _take_over, "forget": _forget}
    chosen = acts.get(request.POST.get("act", ""))
    if chosen is None:
        messages.error(request, _("Choose what to do with the votes."))
        return redirect("study-reference", study.pk)
    try:
        messages.success(request, chosen(request, study))
    except Refused as refused:
        return _page(request, access, str(refused))
    return redirect("study-reference", study.pk)


def _vote(request: SignedInRequest, study: Study) -> str:
    rater = " ".join(request.POST.get("rater", "").split())
    if not storable(rater):
        raise Refused("rater", _("The name holds signs that cannot be stored."))
    day = vote_files.day(request.POST.get("date", "").strip())
    settles = bool(request.POST.get("adjudication"))
    votes = [
        Vote(int(name.removeprefix("n-")), rater, str(key), day, settles)
        for name, key in request.POST.items()
        if name.startswith("n-") and is_key(name.removeprefix("n-")) and key
    ]
    if not votes:
        raise Refused("", _("No diagnosis was chosen."))
    n = reference.note(study, votes, request.user)
    return ngettext("%d vote was kept.", "%d votes were kept.", n) % n


def _file(request: SignedInRequest, study: Study) -> str:
    upload = request.FILES.get("file")
    if upload is None:
        raise Refused("file", _("Choose a file."))
    if (upload.size or 0) > MOST_BYTES:
        raise Refused("file", _("The file is larger than 5 MB; that is no file of votes."))
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        file.write(upload.read())
        file.flush()
        votes = vote_files.read(study, Path(file.name))
    n = reference.note(study, votes, request.user, origin="file")
    return ngettext(
        "%(n)d vote of %(all)d in the file is new or different and was kept.",
        "%(n)d votes of %(all)d in the file are new or different and were kept.",
        n,
    ) % {"n": n, "all": len(votes)}


def _take_over(request: SignedInRequest, study: Study) -> str:
    n = reference.take_over(study, request.user)
    return (
        ngettext("%d photo has the panel's diagnosis now.", "%d photos have the panel's diagnosis now.", n)
        % n
    )


def _forget(request: SignedInRequest, study: Study) -> str:
    n = reference.forget(study, request.user)
    return ngettext("%d vote was thrown away.", "%d votes were thrown away.", n) % n


@require_safe
def votes(request: SignedInRequest, pk: int) -> HttpResponse:
    """All votes as a table, for those who may see what the photos show."""
    access = access_of(request, pk)
    access.require_truth()
    response = HttpResponse(
        vote_files.write(reference.votes_of(access.study)), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="study-{pk}-votes.csv"'
    return response
