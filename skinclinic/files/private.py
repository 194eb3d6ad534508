"""Who on this machine may read what the product writes: its own user, and a web server's group where one is named.
Pure.

Files and folders are made for the owner alone. ``SKINCLINIC_SHARED_GROUP`` (a name or number) names the group of a web
server that sends photos and static files itself: it may read these two folders and nothing else.
"""

import grp
import logging
import os
import stat
from pathlib import Path

log = logging.getLogger(__name__)

GROUP = "SKINCLINIC_SHARED_GROUP"
SHARED = ("photos", "static")


def begin() -> None:
    """From now on this process and what it starts write for the owner, or its group, alone."""
    os.umask(0o027 if os.environ.get(GROUP) else 0o077)


def tighten(home: Path, shared_group: str) -> None:
    """Close a home that was made more openly: nobody else gets into it, so whatever is deeper is closed as well."""
    if not home.is_dir():
        return
    group = _group(shared_group)
    _set(home, 0o710 if group is not None else 0o700, group)
    for path in home.iterdir():
        if path.is_symlink():
            continue
        if group is not None and path.name in SHARED and path.is_dir():
            _share(path, group)
        else:
            _set(path, 0o700 if path.is_dir() else 0o600)


def _share(folder: Path, group: int) -> None:
    """Let the group read; once, for what is made in it later belongs to the group by itself."""
    if folder.stat().st_gid == group and stat.S_IMODE(folder.stat().st_mode) == 0o2750:
        return
    for parent, _folders, names in os.walk(folder, topdown=False):
        for name in names:
            _set(Path(parent, name), 0o640, group)
        _set(Path(parent), 0o2750, group)


def _group(named: str) -> int | None:
    if not named:
        return None
    try:
        return int(named) if named.isdigit() else grp.getgrnam(named).gr_gid
    except KeyError:
        log.warning("there is no group %s; nobody but this user may read %s", named, ", ".join(SHARED))
        return None


def _set(path: Path, mode: int, group: int | None = None) -> None:
    try:
        if group is not None and path.stat().st_gid != group:
            os.chown(path, -1, group)
        if stat.S_IMODE(path.stat().st_mode) != mode:
            path.chmod(mode)
    except OSError as error:
        # Of another user, who has to do it.
        log.warning("cannot close %s to other users: %s", path.name, error.strerror)
