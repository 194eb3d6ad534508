"""What kinds of jobs and queues are called. Apps name their own."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from skinclinic.engine import jobs

NAMES: dict[str, Any] = {
    "erase": _("Erasing a patient"),
    "image-sending": _("Sending to an image archive"),
    "mail": _("Letter"),
    "old-file-names": _("Names of old files"),
    "archived-photos": _("Photos of archives are marked"),
    "retention": _("What is kept for its time"),
    "webhook": _("Message to another system"),
}
QUEUES: dict[str, Any] = {
    jobs.PHOTOS: pgettext_lazy("queue", "Photos"),
    jobs.BATCH: pgettext_lazy("queue", "Long work"),
    jobs.TRAINING: pgettext_lazy("queue", "Trainings"),
    jobs.MAIL: pgettext_lazy("queue", "Mail"),
}


def name_of(kind: str) -> str:
    """In words; the kind itself where it has none."""
    return str(NAMES.get(kind, kind))


def queue_name(queue: str) -> str:
    return str(QUEUES.get(queue, queue))
