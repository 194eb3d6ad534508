"""Readers: inviting them, how far they are, new links, reminders, withdrawing."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from reader_study.models import Reader, Study
from reader_study.presenters import links
from reader_study.presenters.addresses import reading_address
from reader_study.presenters.beside import Row, beside, stuck
from reader_study.services.making import opening, progress, reader_lines, readers
from reader_study.views.common import frame, study_of
from skinclinic.permissions import STUDY
from skinclinic.services.mail import can_mail
from skinclinic.services.refused import Refused
from skinclinic.vocabulary import days
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext
from skinclinic.web.inputs import is_key, storable
from skinclinic.web.requests import SignedInRequest

LONGEST_TEXT = 40_000


@require_http_methods(["GET", "HEAD", "POST"])
def listing(request: SignedInRequest, pk: int) -> HttpResponse:
    """The readers and their progress; POST invites some and shows their links, this once."""
    study = study_of(request, pk, STUDY)
    if request.method != "POST":
        return _page(request, study)
    text, reason = request.POST.get("lines", ""), request.POST.get("reason", "").strip()[:400]
    sent = {"lines": text[:LONGEST_TEXT], "reason": reason, "group": request.POST.get("group", "")}
    if len(text) > LONGEST_TEXT or not (storable(text) and storable(reason)):
        error = _("The text is too long or holds signs that cannot be stored.")
        return _page(request, study, status=422, sent=sent | {"lines": ""}, error=error)
    default = study.groups.filter(pk=int(sent["group"])).first() if is_key(sent["group"]) else None
    wanted, problems = reader_lines.read_lines(study, text, default)
    if problems:
        return _page(request, study, status=422, sent=sent, problems=problems)
    try:
        invited = readers.invite(
            study, wanted, request.user, lambda secret: reading_address(request, secret), reason=reason
        )
    except Refused as refused:
        return _page(request, study, status=422, sent=sent, error=str(refused))
    return _page(request, study, next_step=opening.next_step(study), **_links(invited))


def _links(invited: list[readers.Invited]) -> dict:
    return {
        "links": links.links(invited),
        "all_links": links.all_as_text(invited),
        "links_file": links.links_file(invited),
    }


def _page(request: SignedInRequest, study: Study, *, status: int = 200, **context) -> HttpResponse:
    lines = progress.of(study)
    context |= frame(request, study, "readers") | _progress(study, lines)
    context |= {
        "groups": study.groups.all(),
        "can_mail": can_mail(),
        "has_sample": study.images.exists(),
    }
    return render(request, "studies/readers/page.html", context, status=status)


def _progress(study: Study, lines: list[progress.Line]) -> dict:
    found = beside(study)
    return {
        "study": study,
        "lines": [Row(**vars(line), beside=found.get(line.reader.pk)) for line in lines],
        "stuck": stuck(study, lines, found),
        "centres": sorted({line.reader.centre for line in lines if line.reader.centre}),
        "has_manner": any(stage.manner and stage.manner.is_told for line in lines for stage in line.stages),
        "sessions": list(study.sessions.all()),
        "is_mailing": any(
            letter and letter.is_on_its_way
            for line in lines
            for letter in (line.reader.letter, line.reader.reminder)
        ),
        "waiting": [line for line in lines if not line.is_finished and not line.reader.withdrawn_at],
    }


@require_safe
def progress_table(request: SignedInRequest, pk: int) -> HttpResponse:
    """The table alone, polled by the page."""
    study = study_of(request, pk, STUDY)
    return render(request, "studies/readers/progress.html", _progress(study, progress.of(study)))


@require_POST
def act(request: SignedInRequest, pk: int, reader: int) -> HttpResponse:
    """Give a reader a new link, remind, mail again or withdraw."""
    study = study_of(request, pk, STUDY)
    row = (
        Reader.objects.filter(study=study, is_preview=False, pk=reader)
        .select_related("study__clinic", "letter__job", "reminder__job")
        .first()
    )
    if row is None:
        raise Http404
    wanted = request.POST.get("act", "")
    try:
        if wanted == "renew":
            found = readers.renew(row, request.user, lambda secret: reading_address(request, secret))
            return _page(request, study, is_renewed=True, **_links([found]))
        if wanted == "remind":
            return _remind(request, study, [row])
        if wanted == "mail":
            readers.mail_again(row)
            messages.success(request, _("The e-mail to %(name)s is tried again.") % {"name": row})
        elif wanted == "retry":
            readers.allow_practice(row, request.user)
            messages.success(request, _("%(name)s may try the practice once more.") % {"name": row})
        elif wanted == "withdraw":
            _withdraw(request, row)
        else:
            messages.error(request, _("Choose what to do with the reader."))
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("study-readers", pk)


def _withdraw(request: SignedInRequest, reader: Reader) -> None:
    reason = request.POST.get("reason", "").strip()[:400]
    if not storable(reason):
        raise Refused("reason", _("The reason holds signs that cannot be stored."))
    readers.withdraw(reader, request.user, reason)
    messages.success(request, _("%(name)s was withdrawn; the link no longer works.") % {"name": reader})


@require_POST
def deadline(request: SignedInRequest, pk: int) -> HttpResponse:
    """Give a reader or a centre a day of their own."""
    study = study_of(request, pk, STUDY)
    kind, _sign, name = request.POST.get("whom", "").partition(":")
    text = request.POST.get("day", "").strip()
    rows = study.readers.counted()
    if kind == "centre" and name and storable(name):
        chosen, whom = list(rows.filter(centre=name)), name
    else:
        chosen = list(rows.filter(pk=int(name))) if kind == "reader" and is_key(name) else []
        whom = chosen[0].code if chosen else ""
    day = days.day(text)
    if not chosen or (text and day is None):
        messages.error(request, _("Choose a reader or a centre, and a day."))
        return redirect("study-readers", pk)
    try:
        n = readers.set_deadline(study, request.user, chosen, day, whom)
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, ngettext("%d reader changed.", "%d readers changed.", n) % n)
    return redirect("study-readers", pk)


@require_POST
def remind_all(request: SignedInRequest, pk: int) -> HttpResponse:
    """Remind everybody who has not finished."""
    study = study_of(request, pk, STUDY)
    return _remind(request, study, [line.reader for line in _progress(study, progress.of(study))["waiting"]])


def _remind(request: SignedInRequest, study: Study, wanted: list[Reader]) -> HttpResponse:
    """Mail what can be mailed; show the text of the others to copy."""
    pks = {reader.pk for reader in wanted}
    by_hand, mailed = [], 0
    for line in progress.of(study):
        if line.reader.pk not in pks:
            continue
        line.reader.study = study
        try:
            sent = readers.remind(line, request.user)
        except Refused as refused:
            messages.error(request, str(refused))
            continue
        if sent:
            mailed += 1
        else:
            by_hand.append((line.reader, readers.reminder(line)))
    if mailed:
        messages.success(
            request, ngettext("%d reminder is being sent.", "%d reminders are being sent.", mailed) % mailed
        )
    if not by_hand:
        return redirect("study-readers", study.pk)
    return _page(request, study, by_hand=by_hand)
