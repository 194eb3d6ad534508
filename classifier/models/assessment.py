from django.db import models
from django.utils.translation import gettext_lazy as _

from classifier.metrics import agreement
from skinclinic.models import Diagnosis
from skinclinic.vocabulary.ranked import Ranked
from skinclinic.vocabulary.terms import may_be_one_of_the_12


class Assessment(models.Model):
    """A clinician's three steps at one analysis: own impression, seeing the model's answer, the decision.

    Each step keeps its own time; ``threshold_set`` and ``listed`` are what the clinician was shown. Without a
    threshold set nothing was listed, and nothing can be compared. Whether person and model agree is
    ``agreement``, told from the diagnosis kept; ``decision`` is only what the person chose to do.
    """

    class Decision(models.TextChoices):
        AGREE = "agree", _("Agrees with the model")
        KEEP = "keep", _("Own diagnosis kept")
        TAKE = "take", _("The model's taken")
        CHANGE = "change", _("Something else")
        DISMISS = "dismiss", _("The model set aside")

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="assessments")
    analysis = models.ForeignKey("classifier.Analysis", models.CASCADE, related_name="assessments")
    user = models.ForeignKey("skinclinic.User", models.PROTECT, related_name="assessments")
    impression = models.ForeignKey("skinclinic.Diagnosis", models.PROTECT, null=True, related_name="+")
    skipped_impression = models.BooleanField(default=False)
    shown_at = models.DateTimeField(null=True)
    threshold_set = models.ForeignKey("classifier.ThresholdSet", models.PROTECT, null=True, related_name="+")
    listed = models.JSONField(default=list)
    decision = models.CharField(_("decision"), max_length=8, choices=Decision.choices, blank=True)
    decided_at = models.DateTimeField(null=True)
    # The diagnosis after seeing the model; the same as the impression unless changed.
    conclusion = models.ForeignKey("skinclinic.Diagnosis", models.PROTECT, null=True, related_name="+")
    comment = models.CharField(_("comment"), max_length=400, blank=True)
    # Decisions taken back or replaced, oldest first: {decision, conclusion (a Diagnosis), comment, decided_at,
    # until}.
    earlier_decisions = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["analysis", "user"], name="one_assessment_a_person_and_analysis")
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.analysis}"

    @property
    def model_listed(self) -> list[str] | None:
        """What the model listed then; None where it gave nothing to compare with."""
        return self.listed if self.threshold_set_id else None

    @property
    def impression_agreement(self) -> str:
        """How the first impression stands to what the model listed: see ``metrics.agreement``."""
        return agreement.standing(meant(self.impression), self.model_listed)

    @property
    def agreement(self) -> str:
        """How the diagnosis kept stands to what the model listed when it was decided."""
        if not self.decision:
            return agreement.NOT_COMPARED
        says_none = self.decision == self.Decision.AGREE and self.conclusion is None
        return agreement.standing(agreement.OTHER if says_none else meant(self.conclusion), self.model_listed)

    @property
    def ranked(self) -> list[str | None]:
        """The own differential, likeliest first, each as ``meant``: of the diagnosis kept, else of the impression."""
        said = self.conclusion or self.impression
        return [meant(said), *map(meant, said.ranked.others)] if said else []


def meant(diagnosis: Diagnosis | Ranked | None) -> str | None:
    """A diagnosis as ``metrics.agreement`` compares it."""
    if diagnosis is None or diagnosis.disease:
        return diagnosis.disease if diagnosis else None
    unclear = may_be_one_of_the_12(diagnosis.icd10, diagnosis.text)
    return agreement.PERHAPS if unclear else agreement.OTHER
