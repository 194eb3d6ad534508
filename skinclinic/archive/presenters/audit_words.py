"""What the audit tells of the archive, in words."""

from django.utils.translation import gettext_lazy as _

from skinclinic.archive.models import EntryChange
from skinclinic.presenters import audit

audit.ACTIONS |= {f"entry.{kind}": label for kind, label in EntryChange.Action.choices}
audit.KINDS |= {
    "archive.datasetversion": _("Dataset"),
    "archive.entry": _("Archive photo"),
    "archive.import": _("Import"),
    "archive.source": _("Source"),
}
