"""A worker that cannot work takes no photo down with it: it says so and leaves them to one that can."""

import resource
import shutil
import subprocess
from pathlib import Path

from classifier.services.analysis.analyses import request_analysis
from skinclinic.engine import jobs
from skinclinic.models import Job
from tests import factories
from tests.engine import wait_until

PHOTOS = 8


def test_a_worker_without_the_photos_volume_and_one_without_memory(
    engine, home, clinic, clinician, model_version
):
    photos = [factories.make_photo(clinic, clinician, seed=seed) for seed in range(PHOTOS)]
    elsewhere = home / "elsewhere"
    elsewhere.mkdir()
    for name in ("cache", "broker"):
        (elsewhere / name).symlink_to(home / name)
    if (home / "secret_key").exists():
        shutil.copy(home / "secret_key", elsewhere)
    engine.start_reconciler(every=1)
    poor = engine.start_worker()
    wait_until(jobs.engine_online, 240, "it is there")
    _take_memory(poor)
    engine.start_worker(SKINCLINIC_HOME=str(elsewhere))
    for photo in photos:
        request_analysis(photo, user=clinician)
    # Each that has met three photos leaves the others alone.
    wait_until(
        lambda: set(jobs.troubles().values()) == {"no_photos", "no_memory"}, 240, "both say what they lack"
    )
    assert not jobs.engine_online() and poor.poll() is None
    asked = Job.objects.filter(kind="analyse")
    # One of them may be trying again.
    assert not asked.filter(state__in=(Job.State.DONE, Job.State.FAILED)).exists()
    # All wait for the same messages now.
    engine.start_worker()
    wait_until(
        lambda: asked.filter(state=Job.State.DONE).count() == PHOTOS, 240, "another worker does them all"
    )
    assert jobs.engine_online() and jobs.troubles()


def _take_memory(process: subprocess.Popen) -> None:
    """Leave a process no more than it has now and a little, as in a container that is too small."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{process.pid}/status").read_text().splitlines())
    limit = int(status["VmSize"].split()[0]) * 1024 + (4 << 20)
    resource.prlimit(process.pid, resource.RLIMIT_AS, (limit, limit))
