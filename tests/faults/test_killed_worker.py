"""A worker killed in mid-work: every photo is analysed, each exactly once."""

import pytest

from classifier.models import Analysis
from classifier.services.analysis.analyses import request_analysis
from skinclinic.models import Job
from tests import factories
from tests.engine import wait_until

PHOTOS = 40


def done() -> int:
    return Job.objects.filter(kind="analyse", state=Job.State.DONE).count()


def test_kill_9_in_the_middle_of_40_photos(engine, clinic, clinician, model_version):
    engine.environment["JOB_LEASE_SECONDS"] = "3"
    photos = [factories.make_photo(clinic, clinician, seed=seed) for seed in range(PHOTOS)]
    # One of them is killed, the others go on.
    for _worker in range(3):
        engine.start_worker()
    engine.start_reconciler(every=1)
    for photo in photos:
        request_analysis(photo, user=clinician)

    wait_until(lambda: done() >= 5, 240, "some photos are analysed")
    engine.kill_who_has(Job.objects.filter(kind="analyse"))
    at_the_kill = done()
    assert at_the_kill < PHOTOS, "the kill came too late to prove anything"

    wait_until(lambda: done() == PHOTOS, 240, "the other workers finish")
    assert Analysis.objects.count() == PHOTOS
    assert Analysis.objects.exclude(scores=None).count() == PHOTOS
    assert Job.objects.filter(kind="analyse").count() == PHOTOS
    assert not Job.objects.filter(kind="analyse").exclude(state=Job.State.DONE).exists()
    for analysis in Analysis.objects.all():
        assert sum(analysis.scores.values()) + analysis.background == pytest.approx(1, abs=1e-4)
