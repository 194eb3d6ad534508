"""Other explanations of an answer as people see them: which there are, how far they are, what each is called."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from classifier.models import Analysis, Explanation
from classifier.presenters import computed
from classifier.services.analysis import explanations
from classifier.services.analysis.assessments import may_see_answer
from skinclinic.kept_queries import kept
from skinclinic.models import Job, Member, User, WorkState
from skinclinic.permissions import EDIT
from skinclinic.presenters.job_errors import words_of
from skinclinic.presenters.work import Progress, shown
from skinclinic.services.refused import Refused

Method = Explanation.Method
ABOUT: Mapping[str, str | Promise] = {
    Method.GRAD_CAM_PP: gettext_lazy(
        "Of the same maps as Grad-CAM, weighted so that several spots of one disease count alike."
    ),
    Method.LAYER_CAM_2X: gettext_lazy(
        "Of an earlier stage, with twice as many cells a side: finer, but noisier."
    ),
    Method.LAYER_CAM_4X: gettext_lazy(
        "Of a still earlier stage, with four times as many cells a side: edges and colours more than diseases."
    ),
    Method.SCORE_CAM: gettext_lazy(
        "Without gradients: the photo is shown to the network through each of its maps. Takes minutes."
    ),
}
_FAILED: Mapping[str, str | Promise] = {
    "no_such_stage": gettext_lazy(
        "This network has no stage with feature maps that much finer than its last ones, so this method cannot be "
        "used for it."
    ),
    "not_finite": gettext_lazy("The method gave values that are not finite numbers for this photo."),
    "library_missing": gettext_lazy(
        "pytorch-grad-cam is not installed where the engine runs. Your administrator installs it."
    ),
    "photo_unreadable": gettext_lazy("The stored photo cannot be read."),
    explanations.COVERED: gettext_lazy(
        "Part of the analysed square was covered since; what the model saw is there no more."
    ),
}


def failure(job: Job) -> str:
    """Why its job failed, in the reader's language."""
    return str(_FAILED.get(job.error_code) or words_of(job))


def layer_in_words(row: Explanation) -> str:
    return row.layer or _("last feature maps")


def in_words(row: Explanation) -> str:
    """What a finished one is, wherever it is shown: "LayerCAM · blocks.10 · 14 × 14"."""
    name = row.get_method_display().partition(",")[0]
    return f"{name} · {layer_in_words(row)} · {row.map_height} × {row.map_width}"


def own_in_words(analysis: Analysis) -> str:
    """The same of the heatmaps that come with every answer."""
    return f"Grad-CAM · {analysis.map_height} × {analysis.map_width}"


def provenance(row: Explanation) -> str:
    return computed.in_words(row.runtime, row.precision)


@shown
class ExplanationProgress(Progress[Explanation]):
    """One explanation: how far it is, or what came of it."""

    kind, change = "explanation", EDIT
    rows = Explanation.objects.select_related("analysis__photo__lesion", "analysis__model_version")
    jobs, refused = (explanations.JOB,), explanations.REFUSED
    template = "result/explanation.html"
    # The page holds forms that people are filling in.
    reloads = False

    @property
    def key(self) -> str:
        return f"{self.kind}-{self.row.pk}"

    @property
    def address(self) -> str:
        return reverse("analysis", args=[self.row.analysis_id])

    @property
    def is_shown(self) -> bool:
        return may_see_answer(self.member.user, self.member, self.row.analysis)

    @property
    def doing(self) -> str:
        return _("New photos of the clinic come first.")

    @property
    def error(self) -> str:
        failed = self.job and self.state in (WorkState.FAILED, WorkState.STOPPED, WorkState.REFUSED)
        return failure(self.job) if self.job and failed else ""

    def cancel(self, by: User) -> str:
        """See Progress; nothing of it is kept."""
        return _("It is stopped.") if super().cancel(by) else ""

    def retry(self) -> str:
        """See Progress; it begins anew."""
        try:
            went_on = explanations.go_on(self.row, self.member.user)
        except Refused as refused:
            return str(refused)
        return _("It goes on from the beginning.") if went_on else ""

    @property
    def maps_url(self) -> str:
        return reverse("explanation-maps", args=[self.row.pk]) if self.row.is_done else ""

    @property
    def words(self) -> str:
        return in_words(self.row) if self.row.is_done else ""

    @property
    def computed(self) -> str:
        return provenance(self.row) if self.row.is_done else ""


@dataclass(frozen=True)
class Offer:
    """A method, and its explanation of this answer where somebody has asked for it."""

    method: str
    name: str
    about: str
    work: ExplanationProgress | None


def offers(analysis: Analysis, member: Member) -> list[Offer]:
    """Every method, in its order, for an answer that the member may see."""
    rows = {row.method: row for row in _without_maps(analysis.pk)}
    for row in rows.values():
        row.analysis = analysis
    return [
        Offer(
            method,
            str(label),
            str(ABOUT[method]),
            ExplanationProgress(rows[method], member) if method in rows else None,
        )
        for method, label in Method.choices
    ]


@kept
def _without_maps(analysis: int) -> QuerySet[Explanation]:
    return Explanation.objects.filter(analysis=analysis).defer("maps")


def chosen(analysis: Analysis, wanted: str | None) -> Explanation | None:
    """The finished explanation of this answer with the key of an address, or None."""
    if not wanted or not (wanted.isascii() and wanted.isdigit() and len(wanted) < 16):
        return None
    return Explanation.objects.filter(pk=wanted, analysis=analysis).exclude(maps=None).first()


def context(analysis: Analysis, member: Member) -> dict:
    """What the page part needs."""
    found = offers(analysis, member)
    return {
        "explanations": found,
        # Who comes back sees how far it is, or why it ended.
        "is_open": any(one.work and (one.work.is_busy or one.work.has_ended_early) for one in found),
        "own_method": own_in_words(analysis),
        "may_explain": member.can_edit and not explanations.obstacle(analysis),
    }
