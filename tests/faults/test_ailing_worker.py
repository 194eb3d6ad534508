"""A worker that cannot work takes no photo down with it: it says so and leaves them to one that can."""

import shutil

import pytest

from classifier.services.analysis.analyses import request_analysis
from skinclinic.engine import jobs
from skinclinic.models import Job
from tests import factories
from tests.engine import wait_until

PHOTOS = 8


@pytest.mark.timeout(180)
def test_a_worker_without_the_photos_volume(engine, home, clinic, clinician, model_version):
    photos = [factories.make_photo(clinic, clinician, seed=seed) for seed in range(PHOTOS)]
    elsewhere = home / "elsewhere"
    elsewhere.mkdir()
    for name in ("cache", "broker"):
        (elsewhere / name).symlink_to(home / name)
    if (home / "secret_key").exists():
        shutil.copy(home / "secret_key", elsewhere)
    engine.start_reconciler(every=1)
    engine.start_worker(SKINCLINIC_HOME=str(elsewhere))
    for photo in photos:
        request_analysis(photo, user=clinician)
    wait_until(jobs.troubles, 60, "the worker says that it has no photos")
    assert set(jobs.troubles().values()) == {"no_photos"} and not jobs.engine_online()
    assert set(Job.objects.filter(kind="analyse").values_list("state", "attempts")) == {("queued", 0)}
    # Both wait for the same messages now.
    engine.start_worker()
    done = Job.objects.filter(kind="analyse", state=Job.State.DONE)
    wait_until(lambda: done.count() == PHOTOS, 60, "the other worker does them all")
    assert set(done.values_list("attempts", flat=True)) == {1}
    assert jobs.engine_online() and jobs.troubles()
