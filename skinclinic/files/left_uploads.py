"""Bodies of requests that a web process had put on the disk when it was killed: up to 4 GB each, which nobody reads
any more. A process that ends by itself takes its own away."""

import logging
import tempfile
from pathlib import Path

from django.conf import settings

from skinclinic.engine.housekeeping import now_and_then
from skinclinic.files import whole

log = logging.getLogger(__name__)
_LOOK_SECONDS = 600.0
# As Django names them (``TemporaryUploadedFile``).
_NAMED = "tmp*.upload*"


@now_and_then(_LOOK_SECONDS)
def sweep() -> None:
    """Delete those that are a day old. Only where the folder for what is passing is our own (``TMPDIR`` in
    SKINCLINIC_HOME, as installed): in one of a whole machine others have theirs, and its system sweeps it."""
    folder = Path(tempfile.gettempdir())
    if folder.is_relative_to(settings.SKINCLINIC_HOME) and (found := list(folder.glob(_NAMED))):
        whole.sweep(found)
        if gone := [path.name for path in found if not path.exists()]:
            log.warning("what a web process had taken in when it was killed was swept: %d files", len(gone))
