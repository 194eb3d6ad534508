"""The life of a job: asked for twice, claimed once, finished once, retried, worn out, forgotten and found."""

import errno
import re
import socket
import threading
import time
from dataclasses import replace
from datetime import timedelta
from threading import Event

import pytest
from django.db import OperationalError, connection
from django.utils import timezone, translation

from skinclinic.engine import health, jobs, waking, work
from skinclinic.engine.health import WorkerFault
from skinclinic.engine.jobs import UNEXPECTED, JobError
from skinclinic.models import Job, User
from skinclinic.presenters.job_errors import words_of
from skinclinic.services import ready

pytestmark = pytest.mark.django_db
# What tests otherwise do without.
WAKE = jobs.wake


class Flaky(Exception):
    """A transient error."""


@pytest.fixture
def kind(monkeypatch):
    """Declare a kind of job for this test; ``kind.handler`` is what it does."""

    class Declared:
        handler = staticmethod(lambda rows: [lambda: None for _ in rows])
        changes: list[tuple[str, str]] = []

    Declared.changes = []
    monkeypatch.setattr(jobs, "_kinds", dict(jobs._kinds))
    jobs.job(
        "test",
        batch=4,
        transient=(Flaky,),
        on_change=lambda rows: Declared.changes.extend((row.key, row.state) for row in rows),
    )(lambda rows: Declared.handler(rows))
    return Declared


def expire(row: Job) -> None:
    Job.objects.filter(pk=row.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def over(row: Job) -> None:
    """As if its pause were over."""
    Job.objects.filter(pk=row.pk, state="queued").update(not_before=timezone.now() - timedelta(seconds=1))


def test_another_run_over_a_row_is_another_job(kind, clinic):
    rows = [work.ask("test", subject, clinic) for subject in (7, 7, 8)]
    assert [(row.key, row.subject, row.clinic) for row in rows] == [
        ("7:1", 7, clinic),
        ("7:2", 7, clinic),
        ("8:1", 8, clinic),
    ]


def test_asking_twice_makes_one_job(kind):
    assert jobs.enqueue("test", "a").pk == jobs.enqueue("test", "a").pk
    assert Job.objects.count() == 1


def test_jobs_run_oldest_first_and_store_their_result_with_the_finish(kind):
    order = []

    def handler(rows):
        order.extend(row.key for row in rows)
        return [lambda row=row: User.objects.create(username=row.key) for row in rows]

    kind.handler = handler
    for key in "abcde":
        jobs.enqueue("test", key)
    assert jobs.run_waiting("test") == 5
    assert order == list("abcde")
    assert set(Job.objects.values_list("state", flat=True)) == {"done"}
    assert User.objects.count() == 5
    assert kind.changes[0] == ("a", "queued")
    assert kind.changes[-1] == ("e", "done")


def test_a_claimed_job_is_not_claimed_again_before_its_lease_ends(kind):
    jobs.enqueue("test", "a")
    (first,) = jobs.claim("test", 4)
    assert jobs.claim("test", 4) == []
    expire(first)
    (second,) = jobs.claim("test", 4)
    assert second.attempts == 2
    assert second.lease_token != first.lease_token


def test_a_command_takes_the_very_job_it_will_do_itself(kind):
    first, second = jobs.enqueue("test", "a"), jobs.enqueue("test", "b")
    assert jobs.take(second) and second.state == Job.State.RUNNING
    assert not jobs.take(Job.objects.get(pk=second.pk)), "it is taken"
    assert [row.pk for row in jobs.claim("test", 10)] == [first.pk]
    assert jobs.finish(second, lambda: None)


def test_a_job_nobody_has_begun_can_be_cancelled_and_queued_again(kind):
    row = jobs.enqueue("test", "a")
    assert jobs.cancel(row, "stopped", "Stopped.") and row.error_code == "stopped"
    assert jobs.claim("test", 10) == []
    assert jobs.retry(row) and jobs.claim("test", 10)
    row.refresh_from_db()
    assert not jobs.cancel(row, "stopped", "Stopped."), "a worker is at it"
    assert ("a", "failed") in kind.changes


def test_a_worker_that_lost_its_lease_stores_nothing(kind):
    jobs.enqueue("test", "a")
    (slow,) = jobs.claim("test", 1)
    expire(slow)
    (fast,) = jobs.claim("test", 1)
    assert not jobs.finish(slow, lambda: User.objects.create(username="slow"))
    assert jobs.finish(fast, lambda: User.objects.create(username="fast"))
    assert [user.username for user in User.objects.all()] == ["fast"]
    with pytest.raises(jobs.LeaseLost):
        jobs.progress(slow, 0.5)


def test_input_that_cannot_work_fails_at_once_with_its_reason_and_can_be_retried(kind):
    kind.handler = lambda rows: [JobError("broken", "The photo is broken.") for _ in rows]
    row = jobs.enqueue("test", "a")
    jobs.run_waiting("test")
    row.refresh_from_db()
    assert (row.state, row.attempts, row.error_code, row.error) == (
        "failed",
        1,
        "broken",
        "The photo is broken.",
    )
    kind.handler = lambda rows: [lambda: None for _ in rows]
    assert jobs.retry(row)
    assert not jobs.retry(row)
    jobs.run_waiting("test")
    row.refresh_from_db()
    assert (row.state, row.error, row.error_code) == ("done", "", "")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Flaky("busy"), "unexpected"),
        (MemoryError("std::bad_alloc"), "out_of_memory"),
        (OperationalError("server closed the connection"), "unexpected"),
        (OSError(errno.ENOSPC, "No space left on device", "/var/lib/skinclinic/server"), "storage_full"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "storage_full"),
    ],
)
def test_a_transient_error_is_tried_three_times_with_growing_pauses(kind, monkeypatch, error, code):
    calls, woken = [], []
    monkeypatch.setattr(jobs, "wake", lambda name: woken.append(name))

    def handler(rows):
        calls.append(len(rows))
        raise error

    kind.handler = handler
    row = jobs.enqueue("test", "a")
    for attempt, pause in enumerate(jobs.PAUSES, 1):
        assert jobs.run_waiting("test") == 1
        row.refresh_from_db()
        assert (row.state, row.attempts, row.error) == ("queued", attempt, "")
        assert abs(row.not_before - timezone.now() - pause) < timedelta(seconds=3)
        assert jobs.reconcile() == {} and woken == []
        over(row)
        assert jobs.reconcile() == {"test": 1}
        woken.clear()
    jobs.run_waiting("test")
    row.refresh_from_db()
    assert (row.state, row.attempts, len(calls), row.error_code) == ("failed", 3, 3, code)
    assert "alloc" not in row.error and "server " not in row.error and "/" not in row.error
    assert code != "storage_full" or words_of(row).startswith("The server's disk is full.")
    assert jobs.retry(row) and jobs.claim("test", 1), "a person's wish needs no pause"


def test_a_database_without_room_costs_no_job_an_attempt_however_long_it_lasts(kind):
    """No worker has another one, and a person would have to ask again for each."""

    def handler(rows):
        raise OperationalError("database or disk is full")

    kind.handler = handler
    row = jobs.enqueue("test", "a")
    for _again in range(5):
        health.reset()
        assert jobs.run_waiting("test") == 1
        row.refresh_from_db()
        assert (row.state, row.attempts, row.error) == ("queued", 0, "")
        assert row.not_before - timezone.now() < timedelta(seconds=6)
        over(row)
    kind.handler = lambda rows: [lambda: None for _ in rows]
    health.reset()
    jobs.run_waiting("test")
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("done", 1)


def test_a_pause_that_ends_too_late_is_shortened(kind):
    row = jobs.enqueue("test", "a")
    Job.objects.update(not_before=timezone.now() + timedelta(hours=2))
    jobs.reconcile()
    row.refresh_from_db()
    assert row.not_before - timezone.now() < timedelta(seconds=31)


def ill(kind, keys: str = "abcdefgh", error: Exception | None = None) -> list[str]:
    """Let a worker meet jobs that it cannot do, as without the photos' volume; the keys of those it has tried."""
    tried = []

    def handler(rows):
        tried.extend(row.key for row in rows)
        raise error or WorkerFault(health.NO_PHOTOS, "the photos folder is empty")

    kind.handler = handler
    for key in keys:
        jobs.enqueue("test", key)
    while jobs.run_waiting("test"):
        pass
    return tried


def test_a_worker_that_cannot_work_stops_and_costs_no_job_an_attempt(kind, monkeypatch, caplog):
    monkeypatch.setitem(jobs._kinds, "test", replace(jobs._kinds["test"], batch=lambda: 1))
    jobs.worker_alive("here:1", "batch")
    assert jobs.engine_online("batch")
    assert ill(kind) == ["a", "b", "c"]
    assert set(Job.objects.values_list("state", "attempts")) == {("queued", 0)}
    assert "takes none for 60 s" in caplog.text
    jobs.worker_alive("here:1", "batch")
    assert not jobs.engine_online("batch") and jobs.troubles("batch") == {"here:1": "no_photos"}
    # After its rest it tries one, and, ill again, rests longer.
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 61)
    assert ill(kind, "") == ["d"] and 100 < health.rest_left() <= 120
    # Whatever it is ill of; but no longer than ten minutes.
    for seconds, rest in ((200, 240), (500, 480), (1000, 600)):
        monkeypatch.setattr(time, "monotonic", lambda: now + seconds)  # noqa: B023
        assert len(ill(kind, "", MemoryError())) == 1 and health.rest_left() == pytest.approx(rest)
    # Another worker, or this one when it is well, does them all.
    monkeypatch.setattr(time, "monotonic", lambda: now + 2000)
    kind.handler = lambda rows: [lambda: None for _ in rows]
    Job.objects.update(not_before=None)
    assert jobs.run_waiting("test") == 8
    jobs.worker_alive("here:1", "batch")
    assert jobs.engine_online("batch") and not jobs.troubles("batch")


def test_one_job_that_fails_again_and_again_makes_no_worker_ill(kind):
    row = jobs.enqueue("test", "a")
    kind.handler = lambda rows: [MemoryError() for _ in rows]
    for _attempt in range(3):
        assert jobs.run_waiting("test") == 1
        over(row)
    row.refresh_from_db()
    assert row.state == "failed" and not health.trouble() and not health.rest_left()


def test_what_is_wrong_with_jobs_makes_no_worker_ill(kind):
    assert len(ill(kind, error=JobError("broken", "The photo is broken."))) >= 8
    assert not health.trouble()
    full = OSError(errno.ENOSPC, "No space left on device")
    assert (health.code_of(full), health.code_of(FileNotFoundError(errno.ENOENT, "gone"))) == (
        "disk_full",
        "",
    )


def test_an_unforeseen_error_fails_at_once_and_is_told_by_a_number(kind, caplog):
    kind.handler = lambda rows: 1 / 0
    row = jobs.enqueue("test", "a")
    jobs.run_waiting("test")
    row.refresh_from_db()
    assert (row.state, row.attempts, row.error_code) == ("failed", 1, "unexpected")
    assert "division" not in row.error and "division by zero" in caplog.text
    number = re.search(r"number ([0-9a-f]{8})", row.error)[1]
    assert number in caplog.text and number in words_of(row)
    # Of a time when the words of libraries were kept.
    row.error = "Error(s) in loading state_dict"
    assert "state_dict" not in words_of(row)
    of_before = "The stored photo cannot be read: [Errno 2] No such file or directory: '/srv/photos/x.jpg'"
    assert "/srv" not in words_of(Job(error_code="photo_unreadable", error=of_before))
    with translation.override("ko"):
        row.error = UNEXPECTED % {"number": number}
        assert number in words_of(row) and words_of(row) != row.error


def test_one_bad_job_does_not_spoil_its_batch(kind):
    def handler(rows):
        if any(row.key == "b" for row in rows):
            raise ValueError("b is bad")
        return [lambda: None for _ in rows]

    kind.handler = handler
    for key in "abcd":
        jobs.enqueue("test", key)
    jobs.run_waiting("test")
    states = dict(Job.objects.values_list("key", "state"))
    assert states == {"a": "done", "b": "failed", "c": "done", "d": "done"}


def test_a_result_that_cannot_be_stored_leaves_nothing_behind(kind):
    def store():
        User.objects.create(username="half")
        raise ValueError("no")

    kind.handler = lambda rows: [store for _ in rows]
    row = jobs.enqueue("test", "a")
    jobs.run_waiting("test")
    row.refresh_from_db()
    assert row.state == "failed"
    assert not User.objects.exists()


def test_reconcile_wakes_for_waiting_jobs_and_gives_up_after_three_dead_workers(kind, monkeypatch):
    woken = []
    monkeypatch.setattr(jobs, "wake", lambda name: woken.append(name))
    waiting, worn = jobs.enqueue("test", "waiting"), jobs.enqueue("test", "worn")
    Job.objects.filter(pk=worn.pk).update(state="running", attempts=3)
    expire(worn)
    assert jobs.reconcile() == {"test": 1}
    assert woken == ["test"]
    worn.refresh_from_db()
    assert (worn.state, worn.error_code) == ("failed", "worker_died")
    assert ("worn", "failed") in kind.changes
    waiting.refresh_from_db()
    assert waiting.state == "queued"


def test_place_in_the_queue(kind):
    rows = [jobs.enqueue("test", key) for key in "abc"]
    assert [jobs.position(row) for row in rows] == [1, 2, 3]
    jobs.claim("test", 1)
    assert jobs.position(rows[1]) == 1


def test_the_message_is_sent_after_commit_only(kind, monkeypatch, django_capture_on_commit_callbacks):
    woken = []
    monkeypatch.setattr(jobs, "wake", lambda name: woken.append(name))
    with django_capture_on_commit_callbacks(execute=True):
        jobs.enqueue("test", "a")
        assert woken == []
    assert woken == ["test"]


def test_a_wake_up_goes_to_the_workers_of_the_kind_whatever_time_it_is_there(monkeypatch):
    """A worker whose clock is ahead would throw away what says until when it holds, and hear of no work at all."""
    sent = []
    monkeypatch.undo()
    monkeypatch.setattr(jobs.app, "send_task", lambda *names, **options: sent.append((names, options)))
    assert jobs.wake("import-write") and jobs.wake("analyse")
    assert [names for names, _options in sent] == [
        ("skinclinic.run_jobs", ("import-write",)),
        ("skinclinic.run_jobs", ("analyse",)),
    ]
    assert [options["queue"] for _names, options in sent] == ["batch", "analysis"]
    assert not any({"expires", "eta", "countdown"} & options.keys() for _names, options in sent)


def test_a_name_server_that_does_not_answer_holds_nobody_up(use_broker, monkeypatch):
    """As for a Redis that was stopped with its container: no limit of a connection holds for that."""
    answers, asked, waited = Event(), Event(), []

    def look_up(*names, **options):
        asked.set()
        waited.append(answers.wait(60))
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    use_broker("redis://redis.invalid:6379/0", {})
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(waking, "SECONDS_IN_ALL", 0.1, raising=False)
    try:
        # What speaks to Redis is loaded first, which may take longer than a wake-up waits.
        assert not WAKE("analyse") and asked.wait(60) and not WAKE("analyse")
        assert not ready.broker_answers()
        assert not waited, "somebody waited until the name server had answered"
    finally:
        answers.set()


@pytest.mark.parametrize("change", [jobs.retry, lambda row: jobs.cancel(row, "stopped", "Stopped.")])
def test_a_job_changes_together_with_what_follows_it_or_not_at_all(kind, monkeypatch, change):
    """A process that dies in between would leave a page that says "checking" for ever."""
    row = jobs.enqueue("test", "a")
    before = "failed" if change is jobs.retry else "queued"
    Job.objects.filter(pk=row.pk).update(state=before)

    def dies(kind, rows):
        raise KeyboardInterrupt

    monkeypatch.setattr(jobs, "_changed", dies)
    with pytest.raises(KeyboardInterrupt):
        change(row)
    assert Job.objects.get().state == before


def test_a_worker_of_one_special_queue_is_no_sign_for_the_others():
    jobs.worker_alive("here:1", "training")
    assert jobs.engine_online("training") and not jobs.engine_online()
    jobs.worker_alive("here:2")
    assert jobs.engine_online()


def test_engine_is_online_while_a_worker_says_so():
    assert not jobs.engine_online()
    jobs.worker_alive("here:1")
    assert jobs.engine_online()
    jobs.WorkerSeen.objects.update(seen_at=timezone.now() - timedelta(seconds=21))
    assert not jobs.engine_online()


def test_leases_go_by_the_databases_clock_and_not_by_a_workers(kind, monkeypatch):
    """A worker two hours ahead took what others were busy with, and, killed, kept a job for two hours."""
    real = timezone.now
    for wrong in (timedelta(hours=2), timedelta(hours=-2)):
        monkeypatch.setattr(timezone, "now", lambda wrong=wrong: real() + wrong)
        row = jobs.enqueue("test", str(wrong))
        (held,) = jobs.claim("test", 1)
        assert abs(held.lease_until - real() - timedelta(seconds=60)) < timedelta(seconds=5)
        assert abs(held.started_at - real()) < timedelta(seconds=5)
        assert jobs.claim("test", 1) == []
        jobs.reconcile()
        jobs.progress(held, 0.5)
        row.refresh_from_db()
        assert abs(row.lease_until - real() - timedelta(seconds=60)) < timedelta(seconds=5)
        jobs.worker_alive("here:1")
        monkeypatch.setattr(timezone, "now", real)
        assert jobs.engine_online()
        assert jobs.finish(held, lambda: None)
        row.refresh_from_db()
        assert abs(row.finished_at - real()) < timedelta(seconds=5)


def test_a_lease_that_ends_too_late_is_shortened_so_that_a_dead_worker_keeps_nothing_for_hours(kind):
    jobs.enqueue("test", "a")
    (held,) = jobs.claim("test", 1)
    # Of an older version, or of a time before the clock was put back.
    Job.objects.update(lease_until=timezone.now() + timedelta(hours=2))
    jobs.reconcile()
    held.refresh_from_db()
    assert held.lease_until - timezone.now() < timedelta(seconds=61)
    assert jobs.finish(held, lambda: None), "it is still the worker's"


@pytest.mark.django_db(transaction=True)
def test_many_threads_claim_each_job_once(kind):
    for number in range(60):
        jobs.enqueue("test", str(number))
    taken, barrier = [], threading.Barrier(6)

    def work():
        barrier.wait()
        while rows := jobs.claim("test", 3):
            taken.extend(row.pk for row in rows)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 60
