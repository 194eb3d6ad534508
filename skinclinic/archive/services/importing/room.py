"""The files of imports: how much a clinic may have waiting, and that what nobody starts goes after some days."""

import logging
from datetime import timedelta

from django.conf import settings
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from skinclinic.archive.models import Import
from skinclinic.archive.services.importing import imports
from skinclinic.engine import clock
from skinclinic.engine.housekeeping import broom
from skinclinic.models import Clinic, Job
from skinclinic.services import quotas
from skinclinic.services.quotas import Room

log = logging.getLogger(__name__)
State = Import.State
# Copying 4 GB takes minutes.
_TAKEN_IN_WITHIN = timedelta(hours=1)
_NOT_STARTED = (State.UPLOADED, State.REFUSED, State.READY, State.FAILED)


def room(clinic: Clinic) -> Room:
    folders = [imports.folder(row) for row in Import.objects.filter(clinic=clinic)]
    most = settings.CLINIC_IMPORTS_GB * quotas.GIGABYTE
    return Room(_("Files of imports"), quotas.size_of(*folders), most)


@broom
def sweep_not_started() -> None:
    """Remove the files of imports that were never started; the import stays in the list and says so."""
    before = clock.now() - timedelta(days=settings.IMPORT_DAYS)
    waiting = Import.objects.filter(
        state__in=_NOT_STARTED, written=0, created_at__lt=before, photos__startswith=str(_home())
    ) | Import.objects.filter(
        state__in=_NOT_STARTED, written=0, created_at__lt=before, metadata__startswith=str(_home())
    )
    for row in waiting[:50]:
        if Job.objects.filter(kind=imports.CHECK_JOB, subject=row.pk, finished_at__gte=before).exists():
            continue
        words = _(
            "This import was not started within %(days)d days, so its files were removed. Bring them again in a new "
            "import."
        )
        same = Import.objects.filter(pk=row.pk, state=row.state, written=0)
        if same.update(
            state=State.FAILED, report={}, photos="", metadata="", second="",
            error=words % {"days": settings.IMPORT_DAYS},
        ):  # fmt: skip
            log.warning("import %s was not started for %d days; its files go", row.pk, settings.IMPORT_DAYS)
            imports.remove_files(row)


@broom
def tell_of_half_come() -> None:
    """What came of imports whose files were being taken in when the process that did it was killed goes; they stay in
    the list and say so."""
    half = Import.objects.filter(
        state=State.UPLOADED, written=0, photos="", metadata="", created_at__lt=Now() - _TAKEN_IN_WITHIN
    )
    for row in half[:50]:
        error = _(
            "The server stopped while it took in the files of this import, so they did not come whole and were "
            "removed. Discard it, and send them in a new import."
        )
        if half.filter(pk=row.pk).update(state=State.FAILED, error=error):
            log.warning("import %s was being taken in when its process was killed; its files go", row.pk)
            imports.remove_files(row)


def _home():
    return settings.SKINCLINIC_HOME / "imports"
