"""What came by DICOM through a connection whose end nobody heard: the receiver was killed or the power failed, or the
database was away just then. The sender was told that its photos are taken, so they are checked all the same."""

import logging
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from skinclinic.archive.models import Import
from skinclinic.archive.services.importing import imports, receiving
from skinclinic.engine.housekeeping import broom
from skinclinic.files import whole

log = logging.getLogger(__name__)
# A connection on which nothing comes ends after half a minute.
QUIET_SECONDS = 600
_AT_ONCE = 50


@broom
def check_what_was_left() -> None:
    """Have it checked; an import into which nothing came goes."""
    waiting = Import.objects.filter(
        format=Import.Format.DICOM,
        state=Import.State.UPLOADED,
        written=0,
        photos__endswith=f"/{receiving.FOLDER}",
    )
    for row in waiting.order_by("pk")[:_AT_ONCE]:
        folder = Path(row.photos)
        with suppress(FileNotFoundError, imports.NotNow):
            # By the clock of their disk, and of another folder of it, which is not changed by being asked.
            if folder.stat().st_mtime > whole.now_in(settings.SKINCLINIC_HOME) - QUIET_SECONDS:
                continue
            if any(folder.glob("*.dcm")):
                log.warning("import %s: nobody heard that all had come; what came is checked", row.pk)
                imports.request_check(row)
            else:
                imports.discard(row)
