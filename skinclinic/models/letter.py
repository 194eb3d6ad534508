from django.db import models
from django.utils.translation import gettext_lazy as _

from skinclinic.models.clinic import Clinic
from skinclinic.models.job import Job


class Letter(models.Model):
    """A mail that a job sends. A secret link in it is made of ``nonce`` when it is sent, and never again after:
    until then the database alone gives nobody the link, and from then on nobody at all."""

    clinic = models.ForeignKey(Clinic, models.CASCADE, related_name="letters")
    job = models.OneToOneField(Job, models.CASCADE, related_name="letter")
    address = models.EmailField(_("e-mail"))
    subject = models.CharField(max_length=300)
    # Both are emptied once it is sent.
    text = models.TextField(blank=True)
    nonce = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"letter {self.pk}"

    @property
    def is_sent(self) -> bool:
        return self.job.state == Job.State.DONE

    @property
    def has_failed(self) -> bool:
        return self.job.state == Job.State.FAILED

    @property
    def is_on_its_way(self) -> bool:
        return self.job.state in (Job.State.QUEUED, Job.State.RUNNING)
