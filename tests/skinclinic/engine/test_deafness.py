"""A worker whose connection to the broker was lost without a word begins anew, once work has waited for long enough."""

import threading
import time
from types import SimpleNamespace

import pytest
from django.db import InterfaceError

from classifier.services.analysis.analyses import request_analysis
from skinclinic.engine import deafness, jobs, machine, tasks


@pytest.fixture
def passes(monkeypatch):
    """passes(seconds): so much later."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return lambda seconds: now.__setitem__(0, now[0] + seconds)


def test_who_is_idle_while_work_waits_for_a_minute_is_deaf(passes):
    ear = deafness.Ear()
    assert not ear.is_deaf(waits=True)
    passes(59)
    assert not ear.is_deaf(waits=True)
    passes(1)
    assert ear.is_deaf(waits=True)


def test_who_works_for_hours_or_has_nothing_to_do_is_not(passes):
    ear = deafness.Ear()
    with ear.at_work():
        for _look in range(3):
            assert not ear.is_deaf(waits=True)
            passes(7200)
    assert not ear.is_deaf(waits=True)
    passes(59)
    # Another worker took it.
    assert not ear.is_deaf(waits=False)
    passes(59)
    assert not ear.is_deaf(waits=True)
    with ear.at_work():
        passes(30)
    passes(30)
    assert not ear.is_deaf(waits=True)


def test_what_waits_is_asked_of_the_worker_s_own_queue(photo, clinician, model_version, monkeypatch):
    request_analysis(photo, user=clinician)
    assert jobs.waits(jobs.PHOTOS) and not jobs.waits(jobs.TRAINING)
    seen = []
    monkeypatch.setattr(jobs, "run_waiting", lambda kind: seen.append(deafness.ear.is_deaf(waits=True)))
    monkeypatch.setattr(deafness, "DEAF_AFTER_SECONDS", 0)
    assert deafness.ear.is_deaf(waits=True)
    tasks.run_jobs("analyse")
    assert seen == [False]


@pytest.mark.parametrize("failure", [InterfaceError("connection already closed"), RuntimeError("CUDA error")])
def test_a_worker_goes_on_saying_that_it_lives_after_whatever_failed_once(monkeypatch, failure):
    said, stopping, tell = [], threading.Event(), threading.Event()

    def alive(name, queue, *, begins):
        said.append(begins)
        if len(said) == 1:
            raise failure
        stopping.set()

    monkeypatch.setattr(jobs, "worker_alive", alive)
    monkeypatch.setattr(jobs, "waits", lambda queue: False)
    monkeypatch.setattr(tasks, "_stopping", stopping)
    monkeypatch.setattr(tasks, "_tell", tell)
    tell.set()
    queues = SimpleNamespace(consume_from={"analysis": None})
    tasks._say_alive(sender=SimpleNamespace(app=SimpleNamespace(amqp=SimpleNamespace(queues=queues))))
    assert stopping.wait(60) and said == [True, True]
    tell.set()


def test_what_cannot_be_told_of_a_machine_is_left_out(monkeypatch):
    def lost():
        raise RuntimeError("CUDA error: the device is lost")

    monkeypatch.setattr(machine, "_probes", [lost, lambda: {"more": 1}])
    assert machine.told()["more"] == 1


def test_it_takes_its_own_place(monkeypatch):
    did = []
    monkeypatch.setattr(
        deafness, "os", SimpleNamespace(execv=lambda *words: did.append(words), _exit=did.append)
    )
    monkeypatch.setattr(deafness.logging, "shutdown", lambda: None)
    deafness.begin_anew()
    assert did == [(deafness.sys.executable, deafness.sys.orig_argv)]
