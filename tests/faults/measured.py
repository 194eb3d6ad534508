"""One fault after the other on a site under uploads, each in a clinic of its own; a line of a table for each. Django is
set up before this is read."""

import contextlib
import json
import re
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import Error, connection, connections
from django.test import Client

from classifier.services.models import registry
from skinclinic.models import Job
from tests import clocks, factories
from tests.faults.breaking import FAULTS, Fault, Scene, nothing
from tests.faults.holding import Held, held
from tests.faults.site import Site
from tests.faults.uploading import Uploads

HEAD = (
    "fault", "breaks", "photos", "sent", "accepted", "otherwise", "done", "lost", "doubled", "wrong", "attempts",
    "seconds", "the light in the head said",
)  # fmt: skip
# All photos are to be done so many seconds after the last was accepted.
SETTLED_WITHIN = 240


@dataclass
class Light:
    """What the light in the head says to somebody who is signed in, looked at every second."""

    address: str
    cookie: str
    said: Counter = field(default_factory=Counter)
    over: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        while not self.over.wait(1):
            request = urllib.request.Request(self.address, headers={"Cookie": self.cookie})
            try:
                with urllib.request.urlopen(request, timeout=5) as answer:
                    text = re.sub(r"<[^>]*visually-hidden.*|<[^>]+>", "", answer.read().decode()).strip()
                    words = re.sub(r"\d+", "n", text) if len(text) < 60 else "sign-in"
            except urllib.error.HTTPError as error:
                words = str(error.code)
            except OSError:
                words = "no answer"
            self.said[words] += 1


@contextlib.contextmanager
def looked_at(light: Light) -> Iterator[None]:
    thread = threading.Thread(target=light.look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        light.over.set()
        thread.join(10)


class Measured:
    """A site with its database, on which one fault after the other is tried, each in a clinic of its own."""

    def __init__(self, site: Site):
        self.site = site
        self.undisturbed: dict[int, dict[str, float]] = {}
        self.is_sound = True

    def prepare(self) -> None:
        """Tables and the model."""
        call_command("migrate", verbosity=0)
        self.model = registry.register(factories.make_model_dir(settings.SKINCLINIC_HOME / "made"))

    def fault(self, fault: Fault, count: int) -> tuple[str, ...]:
        """Its line of the table."""
        connections.close_all()
        name = f"Clinic {fault.run.__name__.replace('_', ' ')}"
        clinic = factories.make_clinic(name)
        user = factories.make_member(clinic, "clinician", clinic.slug)
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        token, cookie = factories.make_token(user), f"sessionid={client.cookies['sessionid'].value}"
        uploads = Uploads(self.site.port, token, count, seconds=40, at_most=0)
        light = Light(f"http://127.0.0.1:{self.site.port}/engine/", cookie)
        self.site.begin()
        scene = Scene(self.site, uploads, lambda: _holders(clinic), lambda: _done(clinic))
        trouble = ""
        try:
            with looked_at(light):
                uploads.begin()
                began = time.monotonic()
                if fault.run is nothing:
                    uploads.at_most = count
                try:
                    fault.run(scene)
                except (Exception, pytest.fail.Exception) as error:
                    trouble = f"{type(error).__name__}: {error}"
                uploads.at_most = count
                uploads.join(SETTLED_WITHIN)
                sent = time.monotonic() - began
                until = time.monotonic() + SETTLED_WITHIN
                while _unfinished(clinic) and time.monotonic() < until:
                    time.sleep(0.2)
                settled = time.monotonic() - began
                time.sleep(1)
        finally:
            uploads.over.set()
            connections.close_all()
            found = held(clinic, uploads, self.undisturbed)
            said = self._doctor()
            self.site.end()
        if not self.undisturbed:
            self.undisturbed = found.scores
        if trouble or not found.is_sound or said or set(uploads.told) - {0, 200, 201, 503, 507}:
            self.is_sound = False
            print(
                f"!! {fault.name}: {trouble} {found.failed or ''} {said} {found.attempts}",
                file=sys.stderr,
                flush=True,
            )
        return _line(fault, scene.breaks, uploads, found, light, sent, settled)

    def _doctor(self) -> list[str]:
        """Files without rows, rows without files, and a database that is not whole."""
        done = self.site.command("doctor", "--deep", "--json")
        try:
            findings: list[dict[str, Any]] = json.loads(done.stdout)
        except ValueError:
            return [done.stderr[-300:]]
        wrong = [one for one in findings if one["part"] == "files" and one["level"] != "ok"]
        return [one["said"] for one in wrong] + [
            one["said"] for one in findings if one["part"] == "database" and one["level"] == "failure"
        ]


def chosen_of(engine: str, only: str, has_own_disk: bool) -> tuple[list[Fault], list[tuple[Fault, str]]]:
    """The faults of an engine whose names hold ``only``, after the undisturbed run that the others are held against;
    and those that cannot be made here, with the reason."""
    chosen, left_out = [], []
    for fault in FAULTS:
        if engine not in fault.engines or not (fault.run is nothing or re.search(only, fault.name)):
            continue
        if fault.needs_disk and not has_own_disk:
            left_out.append((fault, "no file system may be mounted"))
        elif fault.needs_clocks and not clocks.library():
            left_out.append((fault, "libfaketime is not installed"))
        else:
            chosen.append(fault)
    return chosen, left_out


def _holders(clinic) -> list[str]:
    """Who has a photo of the clinic in hand; one that three workers died with would be given up."""
    try:
        found = Job.objects.filter(clinic=clinic, kind="analyse", state="running", attempts=1)
        return list(found.values_list("worker", flat=True))
    except Error:
        connection.close()
        return []


def _done(clinic) -> int:
    try:
        return Job.objects.filter(clinic=clinic, kind="analyse", state="done").count()
    except Error:
        connection.close()
        return 0


def _unfinished(clinic) -> bool:
    try:
        return Job.objects.filter(clinic=clinic, kind="analyse", state__in=("queued", "running")).exists()
    except Error:
        connection.close()
        return True


def _line(
    fault: Fault, breaks: int, uploads: Uploads, found: Held, light: Light, sent: float, settled: float
) -> tuple[str, ...]:
    otherwise = [
        f"{n} × {_status(status, code)}"
        for (status, code), n in sorted(uploads.codes.items())
        if status not in (200, 201)
    ]
    twice = f" ({uploads.told[200]} told once more)" if uploads.told[200] else ""
    return (
        fault.name, str(breaks), str(uploads.count), str(sum(uploads.told.values())),
        f"{len(uploads.accepted)}{twice}", ", ".join(otherwise) or "–", str(found.done), str(found.lost),
        str(found.doubled), str(found.wrong),
        ", ".join(f"{n} × {tries}" for tries, n in sorted(found.attempts.items())),
        f"{sent:.0f} + {settled - sent:.0f}", ", ".join(f"{words} {n}" for words, n in light.said.most_common()),
    )  # fmt: skip


def _status(status: int, code: str) -> str:
    return f"{status} `{code}`" if status else "no answer"
