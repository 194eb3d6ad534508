"""Long work for a study as pages show it: its results, and what the compared model says of its photos."""

from functools import cached_property

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reader_study.models import Study
from reader_study.services.access import Access
from reader_study.services.results import model_answers, results
from skinclinic.permissions import STUDY
from skinclinic.presenters import job_names
from skinclinic.presenters.work import Progress, shown

job_names.NAMES |= {
    "study-model-answers": gettext_lazy("Answers of the model for a study"),
    "study-results": gettext_lazy("Results of a study"),
}
STUDIES = Study.objects.select_related("clinic", "model_version")


@shown
class ResultsProgress(Progress[Study]):
    kind, rows, change, jobs = "study-results", STUDIES, STUDY, (results.JOB,)

    @property
    def address(self) -> str:
        return reverse("study-results", args=[self.row.pk])

    @property
    def is_shown(self) -> bool:
        return Access(self.row, self.member).can_see_answers

    @property
    def doing(self) -> str:
        return _("The results are being computed; this takes some seconds.")


@shown
class ModelAnswersProgress(Progress[Study]):
    kind, rows, change, jobs = "study-model", STUDIES, STUDY, (model_answers.JOB,)
    template = "studies/model_state.html"

    @property
    def address(self) -> str:
        return reverse("study", args=[self.row.pk])

    @property
    def is_shown(self) -> bool:
        return self.may_change

    @cached_property
    def job(self):
        return super().job if self.row.model_version_id else None

    @property
    def doing(self) -> str:
        name = {"name": self.row.model_version.name if self.row.model_version else ""}
        said = _(
            "%(name)s looks at the sample and the rest of the test set; new photos of the clinic come first."
        )
        return said % name

    @cached_property
    def missing(self) -> int:
        """How many photos of the sample it has not answered."""
        return model_answers.missing(self.row) if self.row.model_version_id else 0
