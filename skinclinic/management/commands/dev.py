"""The demo for those who change it: everything shows or starts again when its files change."""

import os
from pathlib import Path

from django.conf import settings
from django.utils.autoreload import StatReloader

from skinclinic.engine import jobs
from skinclinic.engine.processes import python, run_together

from .demo import MANAGE
from .demo import Command as Demo

PACKAGES = ("skinclinic", "classifier", "reader_study")


class Command(Demo):
    help = "Run SkinClinic for developers: DEBUG, mail to the console, reload on change. Ctrl-C stops it."
    environment = {
        "DEBUG": "1",
        "DJANGO_RUNSERVER_HIDE_WARNING": "true",
        "EMAIL_URL": os.environ.get("EMAIL_URL", "consolemail://"),
    }
    collects_static = False  # with DEBUG files are served from where they lie
    not_warned = [*Demo.not_warned, "Using settings.DEBUG leads to a memory"]

    def run(self, port: int, scratch: Path, environment: dict[str, str]) -> None:
        run_together(
            {
                # Looks after its own changes.
                "web": python(MANAGE, "runserver", f"127.0.0.1:{port}"),
                "worker": self.worker(*jobs.queues()),
                "reconciler": python(MANAGE, "reconcile"),
            },
            env=environment,
            say=self.say,
            changed=Changes(),
            reloading=("worker", "reconciler"),
        )


class Changes:
    """Tells whether a Python file has changed since it was last asked. New files wait until one imports them."""

    def __init__(self):
        self._files = StatReloader()
        for package in PACKAGES:
            self._files.watch_dir(settings.BASE_DIR / package, "**/*.py")
        self._seen = dict(self._files.snapshot_files())

    def __call__(self) -> bool:
        before, self._seen = self._seen, dict(self._files.snapshot_files())
        return any(before.get(path, time) != time for path, time in self._seen.items())
