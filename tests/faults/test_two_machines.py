"""Two web nodes with workers of their own, on hosts of a network, over one PostgreSQL, Redis and bucket; in the middle
of many uploads one host is cut off, and later it comes back: nothing is lost, and nothing is twice.

The hosts share no folder. By default a few photos; SKINCLINIC_HOSTS_UPLOADS=500 sends more, cuts again and again, and
prints what came of it (``-s``).
"""

import contextlib
import os
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db.models import QuerySet

from classifier.services.models import registry
from skinclinic.files import store
from skinclinic.models import FileNote, Job
from tests import bucket, factories, hosts, servers
from tests.engine import Engine, database_url, wait_until
from tests.faults.uploading import Uploads, names_of_all_held
from tests.reading_crowd import start_web

COUNT = int(os.environ.get("SKINCLINIC_HOSTS_UPLOADS", "30"))
CUTS = max(1, COUNT // 50)
# Before the first cut, during each, and after the last.
PART = COUNT // (CUTS + 2)
LEASE = 3
# Seconds that what must come may take: many photos on two machines that are one take longer.
PATIENCE = 120 if COUNT < 100 else 400

pytestmark = [
    pytest.mark.bucket, pytest.mark.hosts, pytest.mark.postgresql, pytest.mark.servers, pytest.mark.timeout(3000),
]  # fmt: skip


@dataclass
class Node:
    host: hosts.Host
    home: Path
    engine: Engine

    def begin(self, port: int) -> int:
        """Its web and reconciler; gives the process group of the web."""
        environment = {
            name: value for name, value in self.engine.environment.items() if name != "SKINCLINIC_HOME"
        }
        web = start_web(port, self.home, address=self.host.address, inside=self.host.inside, **environment)
        self.engine.start_reconciler(every=0.5)
        return web.pid


@pytest.fixture
def network():
    with hosts.network(2) as made, bucket.radosgw(made.address) as there:
        yield made, there


def test_one_machine_is_cut_off_and_nothing_is_lost_and_nothing_twice(
    transactional_db, network, clinic, clinician, model_dir, settings, tmp_path
):
    net, there = network
    settings.PHOTO_STORAGE = there.make_bucket()
    settings.PHOTO_STORAGE_KEY_ID, settings.PHOTO_STORAGE_SECRET = bucket.KEY_ID, bucket.SECRET
    shutil.copytree(model_dir, settings.MODELS_DIR / "tiny")
    registry.register(settings.MODELS_DIR / "tiny")
    broker, web_port = servers.free_port(), servers.free_port()
    uploads = Uploads(
        web_port, factories.make_token(clinician), COUNT, seconds=4,
        addresses=tuple(host.address for host in net.hosts), at_most=PART,
    )  # fmt: skip
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        stack.enter_context(servers.redis_process(broker, net.address))
        nodes = [_node(net, host, tmp_path / host.name, broker, settings.PHOTO_STORAGE) for host in net.hosts]
        for node in nodes:
            stack.callback(node.engine.stop)
            stack.callback(_kill, node.begin(web_port))
        nodes[0].engine.start_worker()
        stack.callback(uploads.over.set)
        uploads.begin()
        # It compiles the network, which may take long; the other will find it in the tests' cache.
        wait_until(lambda: _done() >= 2, 300, "the network is compiled")
        told, seconds_cut = Counter(), 0.0
        for number in range(CUTS):
            wait_until(lambda: len(uploads.accepted) >= uploads.at_most - 2, PATIENCE, "photos are accepted")
            node = nodes[number % 2]
            if number == 0:
                _cut_with_a_job_in_hand(node, uploads)
                nodes[1].engine.start_worker()
            else:
                node.host.cut()
            since, told_before = time.monotonic(), Counter(uploads.told)
            uploads.at_most += PART
            # On the other machine everything goes on, also with what the one that is cut off had in hand.
            wait_until(
                lambda: len(uploads.accepted) >= uploads.at_most - 2, PATIENCE, "photos come in elsewhere"
            )
            wait_until(
                lambda: _done() >= uploads.at_most - 2, PATIENCE, "the other machine's worker takes over"
            )
            wait_until(lambda n=told_before[0]: uploads.told[0] > n, PATIENCE, "who sends there is told")
            node.host.heal()
            seconds_cut += time.monotonic() - since
            told += Counter(uploads.told) - told_before
        back = Counter(uploads.taken_by)
        uploads.at_most = COUNT
        uploads.join(1200)
        assert len(uploads.accepted) == COUNT, uploads.told
        wait_until(lambda: _done() == COUNT, 300, "every photo is analysed")
        # The one that was cut off serves again, as if nothing had been.
        assert _asked(node.host.address, web_port) == 200, back
    _holds(uploads)
    print(
        f"\n{COUNT} uploads over two machines, {CUTS} cuts of {seconds_cut:.0f} s together, "
        f"{time.monotonic() - began:.0f} s in all; "
        f"told while cut {dict(told)}, in all {dict(uploads.told)}; taken by {dict(uploads.taken_by)}; attempts "
        f"{dict(Counter(Job.objects.filter(kind='analyse').values_list('attempts', flat=True)))}; "
        f"notes left {FileNote.objects.count()}"
    )


def _node(net: hosts.Network, host: hosts.Host, home: Path, broker: int, storage: str) -> Node:
    """A machine with a folder of its own, where the model has been installed."""
    shutil.copytree(django_settings.MODELS_DIR, home / "models")
    home.chmod(0o700)
    (home / "cache").symlink_to(django_settings.CACHE_DIR)
    django_settings.CACHE_DIR.mkdir(parents=True, exist_ok=True)
    engine = Engine(home, f"redis://{net.address}:{broker}/0", inside=host.inside)
    engine.environment |= {
        "DATABASE_URL": database_url().replace("127.0.0.1", net.address),
        "JOB_LEASE_SECONDS": str(LEASE),
        "PHOTO_STORAGE": storage,
        "PHOTO_STORAGE_KEY_ID": bucket.KEY_ID,
        "PHOTO_STORAGE_SECRET": bucket.SECRET,
        "ALLOWED_HOSTS": "*",
        "SECRET_KEY": django_settings.SECRET_KEY,
    }
    return Node(host, home, engine)


def _cut_with_a_job_in_hand(node: Node, uploads: Uploads) -> None:
    """Pull the cable while its worker, the only one there is, holds a job."""
    for _attempt in range(PART - 1):
        uploads.at_most += 1
        if not _is_met(_running().exists, 10):
            continue  # it was done between two looks
        node.host.cut()
        held = set(_running().values_list("pk", "lease_token"))
        time.sleep(0.2)
        # What it had sent already is done.
        if held & set(_running().values_list("pk", "lease_token")):
            return
        node.host.heal()
    pytest.fail("the worker was never met with a job in hand")


def _is_met(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether it was so at one of many looks, without a pause between them."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
    return False


def _running() -> QuerySet[Job]:
    return Job.objects.filter(kind="analyse", state=Job.State.RUNNING)


def _holds(uploads: Uploads) -> None:
    """What was accepted is there, once, whole and analysed once."""
    named = names_of_all_held(uploads, {0, 200, 201, 503})
    assert len(uploads.taken_by) == 2
    # Somebody took over what the one that was cut off had in hand.
    assert Job.objects.filter(kind="analyse", attempts__gt=1).exists()
    noted = {key for note in FileNote.objects.all() for key in note.keys}
    there = {key for key, _size, _changed in store.scan()}
    assert named <= there <= named | noted


def _done() -> int:
    return Job.objects.filter(kind="analyse", state=Job.State.DONE).count()


def _asked(address: str, port: int) -> int:
    import http.client

    connection = http.client.HTTPConnection(address, port, timeout=10)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status
    finally:
        connection.close()


def _kill(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
