from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class PanelVote(models.Model):
    """What a member of the panel says a photo of the sample shows; the panel's votes are a photo's truth where no
    histopathology is. ``is_adjudication``: the vote that settles a disagreement. Fixed when the study opens."""

    study = models.ForeignKey("reader_study.Study", models.CASCADE, related_name="panel_votes")
    image = models.ForeignKey("reader_study.StudyImage", models.CASCADE, related_name="votes")
    rater = models.CharField(_("rater"), max_length=60)
    diagnosis = models.CharField(_("diagnosis"), max_length=16)
    is_adjudication = models.BooleanField(_("settles a disagreement"), default=False)
    voted_on = models.DateField(_("voted on"), null=True, blank=True)
    noted_at = models.DateTimeField(auto_now_add=True)
    noted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["study", "image__number", "is_adjudication", "rater"]
        constraints = [
            models.UniqueConstraint(fields=["image", "rater"], name="one_vote_a_rater_and_photo"),
            models.UniqueConstraint(
                fields=["image"], condition=models.Q(is_adjudication=True), name="one_adjudication_a_photo"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.image_id}: {self.rater}"
