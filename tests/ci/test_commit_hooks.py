"""The hooks of .pre-commit-config.yaml."""

import subprocess
import sys

from django.conf import settings


def test_the_hooks_are_well_formed():
    command = [sys.executable, "-m", "pre_commit", "validate-config", ".pre-commit-config.yaml"]
    assert subprocess.run(command, cwd=settings.BASE_DIR, check=False).returncode == 0
