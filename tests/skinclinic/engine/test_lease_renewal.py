"""Work that takes longer than its lease stays the worker's own, for as long as the worker lives."""

import threading
import time

import pytest
from django.db import InterfaceError, connection
from django.db.models.functions import Now

from skinclinic.engine import jobs, lease_renewal
from skinclinic.models import Job

pytestmark = pytest.mark.django_db(transaction=True)

LEASE = 1


@pytest.fixture
def kind(monkeypatch):
    """A kind with a lease of a second; ``kind.work`` is what its handler does before it is done."""

    class Declared:
        work = staticmethod(lambda: None)

    def handler(rows):
        Declared.work()
        return [lambda: None for _ in rows]

    monkeypatch.setattr(jobs, "_kinds", dict(jobs._kinds))
    jobs.job("test", batch=2, lease_seconds=LEASE)(handler)
    return Declared


def until_over(seconds: float = 1.5 * LEASE) -> None:
    time.sleep(seconds)


def test_nobody_takes_over_from_a_handler_that_reports_nothing(kind):
    taken_over = []

    def long_and_silent():
        until_over()
        taken_over.extend(jobs.claim("test", 10))
        jobs.reconcile()

    kind.work = long_and_silent
    for key in "ab":
        jobs.enqueue("test", key)
    assert jobs.run_waiting("test") == 2
    assert taken_over == []
    assert set(Job.objects.values_list("state", "attempts")) == {("done", 1)}


def test_a_worker_that_can_start_no_thread_costs_the_job_no_attempt(kind, monkeypatch):
    def refused(thread):
        raise RuntimeError("can't start new thread")

    jobs.enqueue("test", "a")
    monkeypatch.setattr(threading.Thread, "start", refused)
    assert jobs.run_waiting("test") == 1
    assert Job.objects.values_list("state", "attempts").get() == ("queued", 0)


def test_a_lease_that_was_lost_is_not_taken_back(kind):
    def loses_it():
        Job.objects.update(lease_until="2020-01-01T00:00:00Z")
        (other,) = jobs.claim("test", 1)
        token = other.lease_token
        until_over(0.5 * LEASE)
        assert Job.objects.get().lease_token == token

    kind.work = loses_it
    row = jobs.enqueue("test", "a")
    (first,) = jobs.claim("test", 1)
    with jobs.held([first]):
        kind.work()
    assert not jobs.finish(first, lambda: None)
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("running", 2)


def test_a_database_that_is_busy_now_is_asked_again(kind, monkeypatch):
    """One renewal that fails leaves the next enough time."""
    failures = iter([InterfaceError("connection already closed")])

    def moment():
        for error in failures:
            raise error
        return Now()

    monkeypatch.setattr(lease_renewal, "Now", moment)
    jobs.enqueue("test", "a")
    (row,) = jobs.claim("test", 1)
    with jobs.held([row]):
        until_over()
        assert jobs.claim("test", 1) == []
    assert jobs.finish(row, lambda: None)


def test_the_renewal_ends_with_the_work(kind):
    jobs.enqueue("test", "a")
    (row,) = jobs.claim("test", 1)
    with pytest.raises(RuntimeError), jobs.held([row]):
        raise RuntimeError
    until_over()
    (other,) = jobs.claim("test", 1)
    assert other.pk == row.pk and other.attempts == 2
    connection.close()
