"""The classifier's long work as pages show it: evaluations and looks at labels (trainings: ``training_progress``)."""

from django.urls import reverse
from django.utils.translation import gettext_lazy

from classifier.models import Evaluation, LabelCheck
from classifier.services.evaluation import evaluations, label_checks
from skinclinic.presenters import job_names
from skinclinic.presenters.work import Progress, shown
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext

job_names.NAMES |= {
    "analyse": gettext_lazy("Analysis of a photo"),
    "try": gettext_lazy("Tried photo"),
    "check-labels": gettext_lazy("Looking for wrong labels"),
    "make-features": gettext_lazy("Features for similar photos"),
    "make-features-of-photo": gettext_lazy("Features of a photo"),
    "evaluate": gettext_lazy("Evaluation"),
    "look-through-evaluation": gettext_lazy("Looking through the photos of an evaluation"),
    "explain": gettext_lazy("Explanation"),
    "follow-model": gettext_lazy("Following the model in use"),
    "prove-model": gettext_lazy("First run of a model"),
    "check-maps": gettext_lazy("Check of heatmaps"),
    "export-model": gettext_lazy("Model for other programs"),
    "shadow": gettext_lazy("In the shadow"),
    "suggest-squares": gettext_lazy("Suggested squares of a photo"),
    "train": gettext_lazy("Run of a training"),
}


@shown
class EvaluationProgress(Progress[Evaluation]):
    kind, rows = "evaluation", Evaluation
    jobs, refused = (evaluations.JOB,), evaluations.REFUSED

    @property
    def address(self) -> str:
        return reverse("evaluation", args=[self.row.pk])

    @property
    def doing(self) -> str:
        return _("The models look at the photos; new photos of the clinic come first.")

    @property
    def counts(self) -> str:
        return _("%(done)d of %(total)d analyses") % {"done": self.row.done, "total": self.row.total}


@shown
class LabelCheckProgress(Progress[LabelCheck]):
    kind, jobs = "label-check", (label_checks.JOB,)
    rows = LabelCheck.objects.select_related("model_version")

    @property
    def address(self) -> str:
        return reverse("review")

    @property
    def doing(self) -> str:
        name = {"name": self.row.model_version}
        return _("%(name)s looks at the photos; new photos of the clinic come first.") % name

    @property
    def counts(self) -> str:
        said = _("%(done)d of %(total)d photos") % {"done": self.row.done, "total": self.row.total}
        if number := self.row.disagreeing:
            said += " · " + ngettext(
                "%(number)d label it disagrees with so far",
                "%(number)d labels it disagrees with so far",
                number,
            ) % {"number": number}
        return said
