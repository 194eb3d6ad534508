"""Models made ready for other programs, as people see them: which formats there are, how far each is."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from classifier.models import ModelExport, ModelVersion
from classifier.presenters.model_refusals import REASONS
from classifier.services.models import exports
from skinclinic.models import Job, Member, User, WorkState
from skinclinic.permissions import ADMIN
from skinclinic.presenters.job_errors import numbered, words_of
from skinclinic.presenters.work import Progress, shown
from skinclinic.services import audit
from skinclinic.services.refused import Refused
from skinclinic.web import zip_stream

ABOUT: Mapping[str, str | Promise] = {
    exports.Format.OPENVINO: gettext_lazy("model.xml and model.bin, in full precision."),
    exports.Format.ONNX: gettext_lazy(
        "model.onnx. Only where an administrator of the server has installed the package onnx beside the engine; it is "
        "no part of this product."
    ),
}
_FAILED: Mapping[str, str | Promise] = {
    "onnx_missing": gettext_lazy(
        "The package onnx is not installed where the engine runs. An administrator of the server installs it (pip "
        "install onnx); then try again. OpenVINO needs nothing more."
    ),
    "openvino_missing": gettext_lazy(
        "There is no OpenVINO where the engine runs. ONNX can be asked for instead."
    ),
    "not_written": gettext_lazy(
        "The files could not be written: the disk may be full. Make room on the server, then try again."
    ),
}


def failure(job: Job) -> str:
    """Why its job failed, in the reader's language."""
    if job.error_code == "does_not_convert" and (number := numbered(job)):
        return _("This network could not be converted (number %(number)s); the log says why.") % {
            "number": number
        }
    return str(_FAILED.get(job.error_code) or REASONS.get(job.error_code) or words_of(job))


@shown
class ModelExportProgress(Progress[ModelExport]):
    """One of them: how far it is, or what came of it."""

    kind, change = "model-export", ADMIN
    rows = ModelExport.objects.select_related("model_version")
    jobs = (exports.JOB,)
    template = "models/export.html"
    # The page has forms that people are filling in.
    reloads = False

    @property
    def key(self) -> str:
        return f"{self.kind}-{self.row.pk}"

    @property
    def address(self) -> str:
        return reverse("model", args=[self.row.model_version_id])

    @property
    def is_shown(self) -> bool:
        return self.member.is_admin

    @property
    def doing(self) -> str:
        return _("The engine converts the network; new photos of the clinic come first.")

    @property
    def error(self) -> str:
        return failure(self.job) if self.job and self.has_ended_early else ""

    def cancel(self, by: User) -> str:
        """See Progress; nothing of it is kept."""
        return _("It is stopped.") if super().cancel(by) else ""

    def retry(self) -> str:
        """See Progress; it begins anew."""
        try:
            went_on = exports.go_on(self.row)
        except Refused as refused:
            return str(refused)
        return _("It goes on from the beginning.") if went_on else ""

    @property
    def is_there(self) -> bool:
        return self.state == WorkState.DONE and exports.is_there(self.row)

    @property
    def words(self) -> str:
        """What a finished one is: "12.3 MB · until 7 December 2026"."""
        until = exports.kept_until(self.row)
        day = formats.date_format(timezone.localtime(until), "DATE_FORMAT") if until else ""
        size = filesizeformat(exports.size(self.row))
        return _("%(size)s · kept until %(day)s") % {"size": size, "day": day}

    @property
    def gives_maps(self) -> bool:
        return "maps" in self.row.outputs


@dataclass(frozen=True)
class Offer:
    """A format, and the files where somebody of the clinic has asked for them and they are kept."""

    format: str
    name: str
    about: str
    work: ModelExportProgress | None

    @property
    def can_ask(self) -> bool:
        return self.work is None or (self.work.state == WorkState.DONE and not self.work.is_there)


def offers(version: ModelVersion, member: Member) -> list[Offer]:
    """Every format, for an admin of the clinic."""
    rows = ModelExport.objects.filter(model_version=version, clinic=member.clinic_id)
    found = {row.format: row for row in rows}
    for row in found.values():
        row.model_version = version
    return [
        Offer(
            format,
            label,
            str(ABOUT[format]),
            ModelExportProgress(found[format], member) if format in found else None,
        )
        for format, label in exports.Format.choices
    ]


def not_there() -> str:
    return _("The files are not there: not made yet, or deleted again. Ask for them again.")


def as_zip(request: HttpRequest, row: ModelExport, by: User) -> HttpResponseBase:
    """The answer with the ZIP, fetched by this person. Raises exports.NotThere."""
    members = exports.members(row)
    if request.method == "GET":
        audit.record("model.fetch", row.model_version, clinic=row.clinic, by=by, facts={"format": row.format})
    response = StreamingHttpResponse(
        zip_stream.chunks(members) if request.method == "GET" else (), content_type="application/zip"
    )
    response["Content-Length"] = zip_stream.length(members)
    name = f"{row.model_version.name}-{row.format}.zip"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
