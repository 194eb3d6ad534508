from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from skinclinic.models import Work


class BulkChange(Work):
    """One action on many entries: what was asked, of which photos, how far it is and what became of them.

    ``entries`` holds the keys as they were when it was asked for, in order; of many they are noted when the job begins
    (``services.bulk.gathering``), and ``total`` is 0 until then. ``done`` of them are looked at.
    Of these ``changed`` were changed, ``same`` were so already, and ``left`` were left alone because somebody had
    changed them meanwhile. An undo is work of its own: ``of`` is what it takes back.
    """

    class Action(models.TextChoices):
        ACCEPT = "accept", _("Accept")
        REJECT = "reject", _("Reject")
        RELABEL = "relabel", _("Change the label")
        TAG = "tag", _("Tag")
        UNTAG = "untag", _("Take tags away")
        ADD = "add", _("Add to a dataset")
        TAKE_OUT = "take_out", _("Take out of a dataset")
        UNDO = "undo", _("Undo")

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="bulk_changes")
    action = models.CharField(max_length=8, choices=Action.choices)
    # What the action needs: reason; label, note, proof; tags; the name of the dataset, whose ``version`` it changes.
    # ``until``, where the job gathers the photos: the highest key of an entry when it was asked for.
    values = models.JSONField(default=dict, blank=True)
    # The search that chose the photos; {} where they were chosen one by one.
    selection = models.JSONField(default=dict, blank=True)
    entries = models.JSONField(default=list, blank=True)
    version = models.ForeignKey("archive.DatasetVersion", models.SET_NULL, null=True, related_name="+")
    of = models.OneToOneField("self", models.CASCADE, null=True, related_name="undone_by")
    # When the person saw the photos; ``created_at`` is when it was asked for.
    seen = models.DateTimeField()
    changed = models.PositiveIntegerField(default=0)
    same = models.PositiveIntegerField(default=0)
    left = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["clinic", "created_by", "-id"], name="bulk_by_person")]

    def __str__(self) -> str:
        return f"{self.get_action_display()} #{self.pk}"


class BulkMember(models.Model):
    """A photo that bulk work has put into a dataset or (``item``: what it was there) taken out of one."""

    bulk = models.ForeignKey(BulkChange, models.CASCADE, related_name="members")
    entry = models.ForeignKey("archive.Entry", models.CASCADE, related_name="+")
    item = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["bulk", "entry"], name="once_a_bulk_change")]

    def __str__(self) -> str:
        return f"{self.bulk_id}: {self.entry_id}"
