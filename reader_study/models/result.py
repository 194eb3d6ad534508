from django.db import models

from skinclinic.models import Work


class StudyResult(Work):
    """The computed report of a study; the report itself lies in its folder. ``facts`` repeat what lists need.

    ``number`` counts how often it was asked for; ``computed_at`` is the date of the report that is shown.
    """

    study = models.OneToOneField("reader_study.Study", models.CASCADE, related_name="result")
    number = models.PositiveIntegerField(default=1)
    facts = models.JSONField(default=dict, blank=True)
    asked_at = models.DateTimeField(auto_now=True)
    computed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.study_id}: {self.state}"
