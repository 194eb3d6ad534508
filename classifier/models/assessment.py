from django.db import models
from django.utils.translation import gettext_lazy as _


class Assessment(models.Model):
    """A clinician's three steps at one analysis: own impression, seeing the model's answer, the decision.

    Each step keeps its own time; ``threshold_set`` and ``listed`` are what the clinician was shown.
    """

    class Decision(models.TextChoices):
        AGREE = "agree", _("Agree")
        CHANGE = "change", _("Change")
        DISMISS = "dismiss", _("Dismiss")

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
