"""The script of docs/: from an archive to an evaluated model, without a browser and without a worker."""

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings

from tests.archive import table_files


@pytest.mark.timeout(600)
@pytest.mark.check
def test_from_import_to_evaluation_in_one_script(tmp_path, migrated):
    photos = table_files.photos(tmp_path / "photos", 24)
    rows = [[f"{n}.jpg", ("bcc", "mm", "nevus")[n % 3], f"P{n}"] for n in range(24)]
    table = table_files.table(tmp_path / "t.csv", rows)
    mapping = tmp_path / "map.json"
    mapping.write_text(json.dumps({"columns": table_files.COLUMNS}))
    out = tmp_path / "out"
    environment = {
        name: text for name, text in os.environ.items() if name not in ("DATABASE_URL", "CELERY_BROKER_URL")
    }
    environment |= {
        "SKINCLINIC_HOME": str(tmp_path / "home"), "PYTHON": sys.executable, "NAME": "Elsewhere", "FORMAT": "csv",
        "PHOTOS": str(photos), "TABLE": str(table), "MAP": str(mapping), "WHO": "ada", "INIT": "random", "STEPS": "2",
        "SHARE": "0.5", "OUT": str(out), "OMP_NUM_THREADS": "1",
    }  # fmt: skip

    def run(*command: str, **more) -> subprocess.CompletedProcess:
        done = subprocess.run(
            command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, **more
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    migrated(tmp_path / "home")
    run(sys.executable, "manage.py", "create_clinic", "Clinic", "ada", input="correct horse battery\n")
    said = run("sh", "docs/import-to-evaluation.sh").stdout
    assert "Elsewhere tumours v1: 24 photos" in said and "frozen, SHA-256" in said
    assert json.loads((out / "report.json").read_text())
    assert "Elsewhere tumours v1" in (out / "dataset.csv").read_text("utf-8-sig")
