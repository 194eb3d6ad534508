"""Reconciling and sweeping go on, whatever fails."""

import threading
import time

import pytest
from django.core.management import call_command
from django.db import DatabaseError

from skinclinic.engine import housekeeping, jobs
from skinclinic.management.commands import reconcile
from skinclinic.models import Job

pytestmark = pytest.mark.django_db


@pytest.fixture
def brooms(monkeypatch) -> list[str]:
    """Four brooms, two of which fail; the names of those that swept."""
    swept: list[str] = []

    def sweeps(name: str, error: Exception | None = None):
        def broom() -> None:
            if error:
                raise error
            swept.append(name)

        return broom

    monkeypatch.setattr(
        housekeeping,
        "_brooms",
        [
            sweeps("first"),
            sweeps("", OSError(28, "No space left on device")),
            sweeps("", DatabaseError("locked")),
            sweeps("last"),
        ],
    )
    return swept


def test_a_broom_that_fails_keeps_no_other_from_sweeping(brooms, caplog):
    housekeeping.sweep()
    assert brooms == ["first", "last"]
    assert caplog.text.count("sweeping failed") == 2 and "No space left" in caplog.text


def test_what_is_looked_for_now_and_then_is_looked_for_at_once_and_then_no_more_often(brooms, monkeypatch):
    looked: list[str] = []
    housekeeping.now_and_then(60)(lambda: looked.append("now"))
    begun = time.monotonic()
    for seconds, times in ((0, 1), (59, 1), (61, 2), (100, 2), (122, 3)):
        monkeypatch.setattr(time, "monotonic", lambda: begun + seconds)  # noqa: B023
        housekeeping.sweep()
        assert len(looked) == times


@pytest.mark.parametrize("error", [OSError("stale file handle"), DatabaseError("locked"), ValueError("odd")])
def test_the_reconciler_outlives_a_round_that_fails(monkeypatch, brooms, error):
    rounds, enough = [], threading.Event()

    def fails() -> None:
        rounds.append(1)
        if len(rounds) == 2:
            enough.set()
        raise error

    monkeypatch.setattr(reconcile.jobs, "reconcile", fails)
    monkeypatch.setattr(reconcile.signal, "signal", lambda *_: None)
    monkeypatch.setattr(reconcile.threading, "Event", lambda: enough)
    call_command("reconcile", "--every", "0.01")
    assert len(rounds) == 2
    assert brooms == ["first", "last"] * 2, "sweeping does not hang on reconciling"


def test_asked_for_one_round_it_says_what_failed(monkeypatch, brooms):
    def fails() -> None:
        raise OSError("stale file handle")

    monkeypatch.setattr(reconcile.jobs, "reconcile", fails)
    with pytest.raises(OSError, match="stale"):
        call_command("reconcile", "--once")


def test_one_job_that_cannot_be_given_up_keeps_no_other_from_it(monkeypatch):
    monkeypatch.setattr(jobs, "_kinds", dict(jobs._kinds))

    def hear(rows) -> None:
        if rows[0].key == "a" and rows[0].state == "failed":
            raise ValueError("its page is broken")

    jobs.job("test", on_change=hear)(lambda rows: [])
    for key in "ab":
        row = jobs.enqueue("test", key)
        Job.objects.filter(pk=row.pk).update(state="running", attempts=3, lease_until="2020-01-01T00:00:00Z")
    jobs.reconcile()
    assert dict(Job.objects.values_list("key", "state")) == {"a": "running", "b": "failed"}
