"""How many passwords may be tried, by whom and from where."""

import threading
from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from skinclinic.models import SignInCount
from skinclinic.services import sign_in_limits, signing_in
from skinclinic.services.sign_in_limits import ACCOUNT, ADDRESS, PAIR, Limit
from skinclinic.web.waiting import Busy, MustWait, wait_in_words

HOUR = timedelta(hours=1)


def guesses(limit: Limit, time: timedelta = HOUR) -> int:
    """How many tries whoever never waits longer than needed gets in ``time``."""
    count, at = 0, timedelta()
    while (at := at + limit.wait(count)) < time:
        count += 1
    return count


def test_waits_grow_and_never_lock_for_long():
    assert [PAIR.wait(count).total_seconds() for count in range(11)] == [0] * 5 + [
        60,
        120,
        240,
        480,
        900,
        900,
    ]
    assert ACCOUNT.wait(10**9) == timedelta(minutes=1), "however many guess, a colleague's turn comes"
    # ASVS 2.2.1: at most 100 an hour for an account.
    assert guesses(ACCOUNT) <= 100
    assert guesses(ADDRESS) <= 100
    assert guesses(PAIR, 10 * HOUR) <= 50


@pytest.fixture
def clock(monkeypatch, db):
    now = {"at": timezone.now()}
    monkeypatch.setattr("skinclinic.engine.clock.now", lambda: now["at"])

    def move(by: timedelta) -> None:
        now["at"] += by

    return move


def tries(name_of, address_of, number: int) -> int:
    """How many of so many tries at one moment were let through."""
    made = 0
    for index in range(number):
        try:
            sign_in_limits.take(name_of(index), address_of(index))
            made += 1
        except MustWait:
            pass
    return made


def test_an_account_is_guarded_against_many_addresses(clock):
    assert tries(lambda n: "CLARA" if n % 2 else "clara ", lambda n: f"192.0.2.{n}", 30) == ACCOUNT.free
    assert tries(lambda n: "curtis", lambda n: "192.0.2.99", 1) == 1, "others get in"
    made = 0
    for minute in range(60):
        clock(timedelta(minutes=1))
        made += tries(lambda n: "clara", lambda n, m=minute: f"198.51.100.{m}", 3)
    assert ACCOUNT.free + made <= 100


def test_many_names_from_one_address_are_bounded(clock):
    assert tries(lambda n: f"name{n}", lambda n: "192.0.2.7", 40) == ADDRESS.free
    # One line has a whole network of them.
    assert tries(lambda n: f"name{n}", lambda n: f"2001:db8::{n:x}", 40) == ADDRESS.free
    clock(HOUR)
    assert tries(lambda n: "clara", lambda n: "192.0.2.7", 1) == 1


def test_whoever_must_wait_is_told_without_a_word_written(clock, django_assert_num_queries):
    tries(lambda n: "clara", lambda n: "192.0.2.7", 5)
    # Without that of the clock.
    with django_assert_num_queries(1), pytest.raises(MustWait):
        sign_in_limits.check("clara", "192.0.2.7")
    with django_assert_num_queries(1):
        sign_in_limits.check("curtis", "192.0.2.7")


def test_nobody_waits_for_a_clock_that_was_ahead_and_was_put_right(clock):
    """Nor do those who were let in meanwhile, nor their colleagues behind the same address."""
    clock(2 * HOUR)
    sign_in_limits.succeeded(sign_in_limits.take("clara", "192.0.2.7"))
    tries(lambda n: "curtis", lambda n: "192.0.2.7", 5)
    clock(-2 * HOUR)
    for name in ("clara", "cora", "curtis"):
        sign_in_limits.check(name, "192.0.2.7")
        assert tries(lambda n, name=name: name, lambda n: "192.0.2.7", 1) == 1
    # What failed still counts from now on.
    assert tries(lambda n: "curtis", lambda n: "192.0.2.7", 9) == 0


def test_the_web_s_own_clock_counts_for_nothing(db, monkeypatch):
    sign_in_limits.succeeded(sign_in_limits.take("clara", "192.0.2.7"))
    real = timezone.now
    for apart in (2 * HOUR, -2 * HOUR):
        monkeypatch.setattr(timezone, "now", lambda apart=apart: real() + apart)
        sign_in_limits.succeeded(sign_in_limits.take("clara", "192.0.2.7"))


def test_where_somebody_got_in_before_guesses_from_elsewhere_lock_nobody_out(clock):
    sign_in_limits.succeeded(sign_in_limits.take("clara", "192.0.2.1"))
    tries(lambda n: "clara", lambda n: f"198.51.100.{n}", 30)
    tries(lambda n: f"name{n}", lambda n: "192.0.2.1", 40)
    assert tries(lambda n: "clara", lambda n: "192.0.2.1", 1) == 1
    clock(sign_in_limits.KNOWN_FOR)
    tries(lambda n: "clara", lambda n: f"198.51.100.{n}", 30)
    assert tries(lambda n: "clara", lambda n: "192.0.2.1", 1) == 0


def test_right_passwords_count_for_nothing(clock):
    for _turn in range(50):
        sign_in_limits.succeeded(sign_in_limits.take("clara", "192.0.2.1"))
    assert set(SignInCount.objects.values_list("count", flat=True)) == {0}


def test_old_tries_are_forgotten(clock):
    clock(-2 * HOUR)
    tries(lambda n: "clara", lambda n: "192.0.2.1", 3)
    sign_in_limits.succeeded(sign_in_limits.take("curtis", "192.0.2.1"))
    sign_in_limits.forget_old_tries()
    assert SignInCount.objects.get().known_at is not None
    SignInCount.objects.update(
        at=F("at") - sign_in_limits.KNOWN_FOR, known_at=F("known_at") - sign_in_limits.KNOWN_FOR
    )
    sign_in_limits.forget_old_tries()
    assert not SignInCount.objects.exists()


def test_few_are_in_the_room_at_once():
    room, inside, refused = signing_in.Room(inside=1, waiting=1, patience=5), [], []
    leave, came = threading.Event(), threading.Event()

    def enter() -> None:
        try:
            with room.entered():
                inside.append(1)
                came.set()
                leave.wait(5)
        except Busy:
            refused.append(1)
            if len(refused) == 14:
                leave.set()

    people = [threading.Thread(target=enter) for _ in range(16)]
    people[0].start()
    came.wait(5)
    for person in people[1:]:
        person.start()
    for person in people:
        person.join()
    assert (len(inside), len(refused)) == (2, 14)


@pytest.mark.parametrize(
    ("seconds", "words"), [(1, "1 second,"), (45, "45 seconds,"), (60, "1 minute,"), (61, "2 minutes,")]
)
def test_how_long_to_wait_in_words(seconds, words):
    assert words in wait_in_words(seconds)
