"""Objects of a bucket whose fate hangs on rows that are about to be written or deleted (``files.notes``)."""

from django.db import models
from django.db.models.functions import Now


class FileNote(models.Model):
    """``keys``: of the objects. ``taken``: a broom has it in hand, and no row may name them any more."""

    keys = models.JSONField(default=list)
    # By the database's clock, which all machines share.
    at = models.DateTimeField(db_default=Now())
    taken = models.BooleanField(default=False)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{len(self.keys)} files"
