"""Reading on paper: the PDF to print, and the file of answers that comes back."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_POST, require_safe

from reader_study.models import Reader, Reading, Study, StudySession
from reader_study.services.making import paper as service
from reader_study.services.reading import answer_files, answer_sheets
from reader_study.views.common import frame, study_of
from skinclinic import imaging
from skinclinic.archive.formats.encodings import CANDIDATES, NotCertain
from skinclinic.archive.formats.problems import TableRefused
from skinclinic.files import whole
from skinclinic.permissions import STUDY
from skinclinic.services.refused import Refused
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext
from skinclinic.web.inputs import is_key
from skinclinic.web.requests import SignedInRequest

MOST_BYTES = 5 * 1024**2
KEPT_SECONDS = 24 * 3600
SHOWN_CHANGES = 50
_NAME = re.compile(r"[0-9a-f]{64}")


@require_safe
def paper(request: SignedInRequest, pk: int) -> HttpResponse:
    """What can be printed, and where answers are brought back."""
    return _page(request, study_of(request, pk, STUDY))


def _page(request: SignedInRequest, study: Study, *, status: int = 200, **context) -> HttpResponse:
    readings = (
        Reading.objects.filter(reader__study=study, reader__is_preview=False, reader__withdrawn_at=None)
        .select_related("reader", "session")
        .order_by("reader", "place", "session__number")
    )
    context |= frame(request, study, "paper") | {
        "readings": readings,
        "readers": study.readers.counted(),
        "sessions": study.sessions.all(),
        "photos": study.images.filter(is_practice=False).count(),
    }
    return render(request, "studies/paper.html", context, status=status)


@require_safe
def pdf(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """The study as a PDF, in the fixed order or that of ``?reading=``."""
    study = study_of(request, pk, STUDY)
    try:
        reading = _reading(request, study)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("study-paper", pk)
    file = tempfile.TemporaryFile()  # noqa: SIM115  closed by the response, or below
    try:
        service.write(study, file, reading)
    except Refused as refused:
        file.close()
        messages.error(request, str(refused))
        return redirect("study-paper", pk)
    except (OSError, ValueError):
        file.close()
        messages.error(request, _("The PDF could not be made: a photo cannot be read, or the disk is full."))
        return redirect("study-paper", pk)
    response = StreamingHttpResponse(_sent(file), content_type="application/pdf")
    response["Content-Length"] = file.tell()
    file.seek(0)
    return _as_file(response, study, reading, ".pdf")


def _as_file(
    response: HttpResponseBase, study: Study, reading: Reading | None, ending: str
) -> HttpResponseBase:
    """Called after the study, and after the reader where it is of one."""
    code = f"-{reading.reader.code}" if reading else ""
    name = f"{slugify(study.name) or 'study'}-{study.pk}{code}{ending}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _reading(request: HttpRequest, study: Study) -> Reading | None:
    """That of ``?reading=``; None for all of them. Raises Refused."""
    wanted = request.GET.get("reading", "")
    if not wanted:
        return None
    rows = Reading.objects.filter(reader__study=study, reader__is_preview=False)
    found = (
        rows.select_related("reader", "session").filter(pk=int(wanted)).first() if is_key(wanted) else None
    )
    if found is None:
        raise Refused("reading", _("This reader is not in the study any more."))
    return found


def _sent(file) -> Iterator[bytes]:
    with file:
        while part := file.read(1 << 18):
            yield part


@require_safe
def sheet(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """A table to type answers into, of all readers or of ``?reading=``."""
    study = study_of(request, pk, STUDY)
    try:
        reading = _reading(request, study)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("study-paper", pk)
    content = answer_sheets.empty(study, reading)
    return _as_file(
        HttpResponse(content, content_type="text/csv; charset=utf-8"), study, reading, "-answers.csv"
    )


@require_POST
def answers(request: SignedInRequest, pk: int) -> HttpResponse:
    """Check a file, or write one that was checked a moment ago."""
    study = study_of(request, pk, STUDY)
    reader = _row(study.readers.counted(), request.POST.get("reader", ""))
    session = _row(study.sessions.all(), request.POST.get("session", ""))
    try:
        if request.POST.get("act") == "write":
            return _write(request, study, reader, session)
        return _check(request, study, reader, session, _kept_file(request, study))
    except TableRefused as refused:
        return _page(request, study, status=422, error=_(refused.message) % refused.params)
    except Refused as refused:
        return _page(request, study, status=422, error=str(refused))
    except OSError:
        return _page(
            request, study, status=422, error=_("The file could not be stored; the disk may be full.")
        )


def _row(rows, text: str):
    return rows.filter(pk=int(text)).first() if is_key(text) else None


def _folder(study: Study) -> Path:
    return study.folder / "paper"


def _kept_file(request: HttpRequest, study: Study) -> Path:
    """Keep the upload until it is written or a day has gone by; its name is its hash. One that is kept comes again
    by its name, with the encoding that was asked for."""
    upload = request.FILES.get("file")
    if upload is None and request.POST.get("file"):
        return _waiting_file(request, study)
    if upload is None:
        raise Refused("file", _("Choose a file."))
    if (upload.size or 0) > MOST_BYTES:
        raise Refused("file", _("The file is larger than 5 MB; that is no file of answers."))
    data = upload.read()
    folder = _folder(study)
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.csv"):
        with suppress(FileNotFoundError):
            if old.stat().st_mtime < whole.now_in(folder) - KEPT_SECONDS:
                old.unlink()
    path = folder / f"{imaging.sha256(data)}.csv"
    path.write_bytes(data)
    return path


def _waiting_file(request: HttpRequest, study: Study) -> Path:
    """The file that was kept under this name."""
    name = request.POST.get("file", "")
    path = _folder(study) / f"{name}.csv"
    if not _NAME.fullmatch(name) or not path.is_file():
        raise Refused("file", _("The checked file is not here any more. Choose it again."))
    return path


def _encoding(request: HttpRequest) -> str:
    """What was said of the file, "" for nothing that is known."""
    said = request.POST.get("encoding", "")
    return said if said in CANDIDATES else ""


def _check(
    request: SignedInRequest, study: Study, reader: Reader | None, session: StudySession | None, path: Path
) -> HttpResponse:
    encoding = _encoding(request)
    chosen = {"file": path.stem, "reader": reader, "session": session, "encoding": encoding}
    try:
        found = answer_files.check(study, path, reader=reader, session=session, encoding=encoding)
    except NotCertain as refused:
        said = _(refused.message) % refused.params
        return _page(request, study, status=422, error=said, encodings=refused.to_json(), **chosen)
    except (TableRefused, Refused):
        path.unlink(missing_ok=True)
        raise
    if found.wrong:
        path.unlink(missing_ok=True)
    status = 422 if found.wrong else 200
    return _page(request, study, status=status, found=found, shown_changes=SHOWN_CHANGES, **chosen)


def _write(
    request: SignedInRequest, study: Study, reader: Reader | None, session: StudySession | None
) -> HttpResponse:
    path = _waiting_file(request, study)
    n = answer_files.write(
        study, path, request.user, reader=reader, session=session, keep=request.POST.get("keep", ""),
        encoding=_encoding(request),
    )  # fmt: skip
    path.unlink(missing_ok=True)
    messages.success(request, ngettext("%d answer was stored.", "%d answers were stored.", n) % n)
    return redirect("study-paper", study.pk)
