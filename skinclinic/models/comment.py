"""What members say to each other about a case, and what calls somebody to one."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Comment(models.Model):
    """A member's words about a case. What stood before is kept in ``earlier``: [{text, until}], oldest first; of a
    deleted one nothing but that is kept."""

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="+")
    lesion = models.ForeignKey("skinclinic.Lesion", models.CASCADE, related_name="comments")
    text = models.CharField(_("comment"), max_length=2000, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)
    earlier = models.JSONField(default=list, blank=True)
    mentioned = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="+")

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return f"{self.created_by}: {self.lesion}"


class Call(models.Model):
    """A member is called to a case: asked for an opinion, or named in a comment. It stands until it is done."""

    class Why(models.TextChoices):
        OPINION = "opinion", _("Asked for an opinion")
        MENTION = "mention", _("Named in a comment")

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="+")
    lesion = models.ForeignKey("skinclinic.Lesion", models.CASCADE, related_name="calls")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    why = models.CharField(max_length=8, choices=Why.choices)
    comment = models.ForeignKey(Comment, models.CASCADE, null=True, related_name="calls")
    opinion = models.ForeignKey("skinclinic.SecondOpinion", models.CASCADE, null=True, related_name="calls")
    called_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    called_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["user", "lesion"], name="call_open", condition=models.Q(done_at=None))
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.lesion}"
