"""Nobody else on the machine reads what the product writes; a web server's group reads photos and static files."""

import os
import stat
import subprocess
import sys

import pytest
from django.conf import settings

from skinclinic.files import private


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def old_home(tmp_path):
    """As it was made until now, open to everybody."""
    home = tmp_path / "old"
    for name in ("photos/clinic-1/ab", "static", "exports", "models"):
        (home / name).mkdir(parents=True)
    for name in ("photos/clinic-1/ab/1.jpg", "static/app.css", "skinclinic.sqlite3", "exports/photos.csv"):
        (home / name).write_text("x")
        (home / name).chmod(0o644)
    for folder in (home, *(path for path in home.rglob("*") if path.is_dir())):
        folder.chmod(0o755)
    return home


def test_an_open_home_is_closed(old_home):
    private.tighten(old_home, "")
    assert mode(old_home) == 0o700 and mode(old_home / "skinclinic.sqlite3") == 0o600
    assert mode(old_home / "photos") == mode(old_home / "exports") == 0o700
    if os.geteuid() == 0:
        read = ["cat", str(old_home / "photos/clinic-1/ab/1.jpg")]
        refused = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *read])
        assert refused.returncode


def test_a_web_server_s_group_reads_photos_and_static_files_and_nothing_else(old_home):
    group = os.getegid() if os.geteuid() else 101
    private.tighten(old_home, str(group))
    assert mode(old_home) == 0o710 and mode(old_home / "photos/clinic-1/ab") == 0o2750
    assert mode(old_home / "photos/clinic-1/ab/1.jpg") == mode(old_home / "static/app.css") == 0o640
    assert (old_home / "photos/clinic-1/ab/1.jpg").stat().st_gid == group
    assert mode(old_home / "exports") == 0o700 and mode(old_home / "skinclinic.sqlite3") == 0o600
    private.tighten(old_home, "no-such-group-here")
    assert mode(old_home) == mode(old_home / "photos") == 0o700


def test_every_process_begins_so():
    """The command line, the web process and workers set the mask before they write anything."""
    code = "import os; os.umask(0); {}; print(oct(os.umask(0)))"
    begun = "from skinclinic.files import private; private.begin()"
    said = subprocess.run(
        [sys.executable, "-c", code.format(begun)], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "0o77"
    for file in ("manage.py", "skinclinic/wsgi.py", "skinclinic/celery.py"):
        assert "private.begin()" in (settings.BASE_DIR / file).read_text()
