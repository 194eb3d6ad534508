"""Everything on one machine: migrate, seed, then web + workers + reconciler in the foreground."""

import os
import socket
import subprocess
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from skinclinic.engine import jobs, processors
from skinclinic.engine.processes import python, run_together
from skinclinic.files import private
from skinclinic.management.terminal import Tells

MANAGE = str(settings.BASE_DIR / "manage.py")
MOST_WEB_PROCESSES = 4


class Command(Tells, BaseCommand):
    help = "Run SkinClinic on this machine alone, at http://127.0.0.1:$PORT (8000). Ctrl-C stops it."
    requires_system_checks: list[str] = []
    environment: dict[str, str] = {}
    # A page never meets the scripts of another release.
    collects_static = True
    # Beginnings of warnings of Celery's that say nothing new here.
    not_warned = ["You're running the worker with superuser privileges"]

    def handle(self, *args, **options):
        if not settings.EMBEDDED:
            raise CommandError("The demo runs on one machine: unset DATABASE_URL and CELERY_BROKER_URL.")
        port = self._port()
        home = settings.SKINCLINIC_HOME
        private.tighten(home, settings.SHARED_GROUP)
        scratch = home / "tmp"
        scratch.mkdir(parents=True, exist_ok=True)
        environment = os.environ | self.environment | {"TMPDIR": str(scratch), "PYTHONUNBUFFERED": "1"}

        self.say(f"everything is written to {home}")
        call_command("migrate", verbosity=0)
        if self.collects_static:
            call_command("collectstatic", interactive=False, verbosity=0)
        settings.STATIC_ROOT.mkdir(exist_ok=True)
        # In a process of its own, so that the network's memory is given back.
        if subprocess.run(python(MANAGE, "seed_demo"), env=environment).returncode:
            raise CommandError("The demo data could not be made; see above.")
        self.say(f"open http://127.0.0.1:{port}   (Ctrl-C stops)")
        self.run(port, scratch, environment)

    def run(self, port: int, scratch: Path, environment: dict[str, str]) -> None:
        """Run the processes in the foreground until Ctrl-C."""
        run_together(
            {
                "web": python("-m", "gunicorn", "skinclinic.wsgi", *self._gunicorn(port, scratch)),
                # Each of its own, so that a photo never waits behind an import, an evaluation or a training.
                "worker": self.worker(jobs.PHOTOS),
                "batch": self.worker(jobs.BATCH, jobs.MAIL),
                "trainer": self.worker(jobs.TRAINING),
                "reconciler": python(MANAGE, "reconcile"),
            },
            env=environment,
            say=self.say,
        )

    def worker(self, *queues: str) -> list[str]:
        """A worker for these queues, at its ease with what is right on one's own machine, such as being root."""
        quietly = [word for warning in self.not_warned for word in ("-W", f"ignore:{warning}")]
        return python(
            *(*quietly, "-m", "celery", "--quiet", "-A", "skinclinic", "worker", "--pool", "solo"),
            *("--queues", ",".join(queues), "--loglevel", "WARNING"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        )

    @staticmethod
    def _port() -> int:
        try:
            port = int(os.environ.get("PORT", "8000"))
        except ValueError:
            raise CommandError("PORT must be a number, such as 8000.") from None
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except (OSError, OverflowError) as error:
                raise CommandError(
                    f"Port {port} is taken or not allowed ({error}). Choose another: PORT=8001 make demo"
                ) from None
        return port

    @staticmethod
    def _gunicorn(port: int, scratch: Path) -> list[str]:
        # The threads of one process share one processor; what is left of more than these is the engine's.
        workers = min(processors.usable(), MOST_WEB_PROCESSES)
        return [
            *("--bind", f"127.0.0.1:{port}", "--worker-class", "gthread"),
            *("--workers", str(workers), "--threads", "8"),
            *("--log-level", "warning", "--timeout", "120", "--worker-tmp-dir", str(scratch)),
            *("--no-control-socket", "--logger-class", "skinclinic.web.gunicorn_logs.MaskingLogger"),
        ]
