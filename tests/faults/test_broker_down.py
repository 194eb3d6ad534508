"""The broker away: uploads are accepted, jobs wait, and run when it is back."""

import signal
import time
from contextlib import closing

import pytest
from redis import Redis

from classifier.services.analysis.analyses import request_analysis
from skinclinic.engine import waking
from skinclinic.models import Job
from skinclinic.services.doctor import stores
from tests import factories, servers
from tests.engine import wait_until


def state_of(analysis) -> str:
    return Job.objects.get(pk=analysis.job_id).state


@pytest.mark.servers
def test_redis_away_then_back(engine, use_broker, clinic, clinician, model_version):
    port = servers.free_port()
    use_broker(f"redis://127.0.0.1:{port}/0", {"socket_connect_timeout": 1})
    engine.environment["CELERY_BROKER_URL"] = f"redis://127.0.0.1:{port}/0"
    photo = factories.make_photo(clinic, clinician)
    analysis = request_analysis(photo, user=clinician)  # does not raise
    assert state_of(analysis) == Job.State.QUEUED
    engine.start_worker()
    engine.start_reconciler(every=1)
    with servers.redis_server(port):
        wait_until(
            lambda: state_of(analysis) == Job.State.DONE, 240, "the photo is analysed once Redis is there"
        )


@pytest.mark.servers
def test_redis_frozen_then_full_then_stopped_costs_a_request_a_moment(
    engine, use_broker, clinic, clinician, model_version, monkeypatch
):
    """Reading from a frozen Redis has no end, one that is full ended its workers, and a refused one was asked again for
    six seconds."""
    port = servers.free_port()
    url = f"redis://127.0.0.1:{port}/0"
    # As in production: the limits are the wake-up's own, a worker's reading has none. That which is left when none of a
    # connection holds is not to be met here.
    monkeypatch.setattr(waking, "SECONDS_IN_ALL", 120)
    use_broker(url, {"socket_connect_timeout": 1, "visibility_timeout": 3600})
    engine.environment["CELERY_BROKER_URL"] = url
    took = []

    def ask(seed: int):
        photo = factories.make_photo(clinic, clinician, seed=seed)
        began = time.monotonic()
        analysis = request_analysis(photo, user=clinician)
        took.append(time.monotonic() - began)
        return analysis

    def done(*analyses) -> bool:
        return all(state_of(analysis) == Job.State.DONE for analysis in analyses)

    with servers.redis_process(port) as redis, closing(Redis(port=port)) as there:
        worker = engine.start_worker()
        reconciler = engine.start_reconciler(every=1)
        first = ask(0)
        wait_until(lambda: done(first), 240, "the worker is there")
        redis.send_signal(signal.SIGSTOP)
        frozen = [ask(1), ask(2)]
        # Also where no connection is open yet, as in a web process that was just started.
        use_broker(url, {"socket_connect_timeout": 1, "visibility_timeout": 3600})
        frozen += [ask(3), ask(4)]
        assert reconciler.poll() is None
        redis.send_signal(signal.SIGCONT)
        wait_until(lambda: done(*frozen), 240, "everything is analysed once Redis goes on")
        worker.send_signal(signal.SIGSTOP)
        full = [ask(7)]
        there.config_set("maxmemory", 1)
        worker.send_signal(signal.SIGCONT)
        full.append(ask(8))
        (finding,) = stores.broker()
        assert finding.level == "failure" and "takes no messages" in finding.said
        there.config_set("maxmemory", 0)
        wait_until(lambda: done(*full), 240, "everything is analysed once Redis has room")
        assert worker.poll() is None
    waking.forget()
    stopped = [ask(5), ask(6)]
    assert max(took) < 5, took
    assert [state_of(analysis) for analysis in stopped] == [Job.State.QUEUED] * 2
    with servers.redis_process(port):
        wait_until(lambda: done(*stopped), 240, "everything is analysed once Redis is there again")


def test_broker_folder_cannot_be_written(engine, use_broker, home, clinic, clinician, model_version):
    (home / "file").write_text("not a folder")
    use_broker("embedded://localhost", {"folder": str(home / "file"), "polling_interval": 0.05})
    photo = factories.make_photo(clinic, clinician)
    analysis = request_analysis(photo, user=clinician)
    assert state_of(analysis) == Job.State.QUEUED
    engine.start_worker()
    engine.start_reconciler(every=1)
    wait_until(lambda: state_of(analysis) == Job.State.DONE, 240, "the reconciler wakes the worker")


def test_every_worker_down_then_one_returns(engine, clinic, clinician, model_version):
    from skinclinic.engine import jobs

    photos = [factories.make_photo(clinic, clinician, seed=seed) for seed in range(3)]
    analyses = [request_analysis(photo, user=clinician) for photo in photos]
    assert not jobs.engine_online()
    engine.start_worker()
    # As everywhere it runs: a wake-up that a stopping worker still took is given again.
    engine.start_reconciler(every=1)
    wait_until(lambda: all(state_of(a) == Job.State.DONE for a in analyses), 240, "the worker catches up")
    assert jobs.engine_online()
