"""What the archive keeps for a while only: tables of exports, imports that nobody has finished."""

import shutil
from datetime import datetime, timedelta

from skinclinic.archive.models import DatasetVersion, Import
from skinclinic.archive.services.exporting import export
from skinclinic.archive.services.importing import imports
from skinclinic.engine import clock
from skinclinic.files import whole
from skinclinic.models import Clinic
from skinclinic.services.retention import keeps

_UNFINISHED = (*imports.CHECKABLE, Import.State.PAUSED)


@keeps("exports_days", timedelta(days=1))
def exports(clinic: Clinic, limit: datetime, act: bool) -> int:
    """They are made again when an export is asked for."""
    folders = map(export.folder_of, DatasetVersion.objects.filter(clinic=clinic).exclude(sha256=""))
    # How old a file is, its own disk's clock says.
    age = (clock.now() - limit).total_seconds()
    old = [one for one in folders if one.is_dir() and one.stat().st_mtime < whole.now_in(one.parent) - age]
    for folder in old if act else ():
        shutil.rmtree(folder, ignore_errors=True)
    return len(old)


@keeps("imports_days", timedelta(days=1))
def unfinished_imports(clinic: Clinic, limit: datetime, act: bool) -> int:
    """The files that were sent; one that has written photos keeps its line and says so."""
    rows = Import.objects.filter(clinic=clinic, state__in=_UNFINISHED, created_at__lt=limit)
    old = [row for row in rows if row.written == 0 or imports.folder(row).is_dir()]
    for row in old if act else ():
        try:
            imports.discard(row)
        except imports.NotNow:
            imports.remove_files(row)
    return len(old)
