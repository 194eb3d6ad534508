"""How many passwords may be tried: for an account, from an address, and for an account from an address.

Nobody is locked out: after some free tries each failed one makes the next wait longer, up to a bound. The waits hold an
account to fewer than 100 guesses an hour from any number of addresses. Where somebody has got in from an address
before, only what failed there counts, so that guesses from elsewhere keep no colleague from work.

A try is counted before its password is looked at, and given back when it was right: many at once are no way round.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from skinclinic.engine import clock
from skinclinic.engine.housekeeping import broom
from skinclinic.models import SignInCount
from skinclinic.web.requests import network_of
from skinclinic.web.waiting import MustWait

FORGOTTEN_AFTER = timedelta(hours=1)
KNOWN_FOR = timedelta(days=30)
# A moment that is further ahead was written before a clock was put right. For that nobody waits until it has come.
_CLOCK_PUT_BACK = timedelta(seconds=5)


@dataclass(frozen=True)
class Limit:
    """``free`` tries may fail; the next waits ``first`` seconds, twice as long after each more, up to ``longest``."""

    free: int
    first: int
    longest: int

    def wait(self, count: int) -> timedelta:
        """How long after ``count`` failed tries the next may be made."""
        over = count - self.free
        return timedelta(seconds=min(self.first * 2 ** min(over, 16), self.longest) if over >= 0 else 0)


PAIR = Limit(free=5, first=60, longest=900)
ACCOUNT = Limit(free=20, first=15, longest=60)
ADDRESS = Limit(free=30, first=5, longest=60)
# From where somebody has got in with this name before: an address that a whole hospital may share.
KNOWN_ADDRESS = Limit(free=150, first=5, longest=60)


@dataclass(frozen=True)
class Try:
    pair: str
    account: str
    address: str

    @property
    def all(self) -> list[str]:
        return [self.pair, self.account, self.address]


def check(name: str, address: str) -> None:
    """Raise MustWait where a try would come too soon. Writes nothing and waits for nobody."""
    rows = SignInCount.objects.in_bulk(_keys(name, address).all)
    _refuse_early(_keys(name, address), rows, clock.now())


def take(name: str, address: str) -> Try:
    """Count a try before it is made. Raises MustWait, counting nothing, where it comes too soon."""
    keys = _keys(name, address)
    with transaction.atomic():
        rows = _held(keys.all)
        # Not before: whoever was here meanwhile has written a later moment.
        now = clock.now()
        _refuse_early(keys, rows, now)
        for row in rows.values():
            row.count, row.at = _failed(row, now) + 1, now
        SignInCount.objects.bulk_update(rows.values(), ["count", "at"])
    return keys


def succeeded(made: Try) -> None:
    """The try was right: it counts for nothing, and the address is known for this account."""
    SignInCount.objects.filter(pk=made.pair).update(count=0, known_at=clock.now())
    _uncount([made.account, made.address])


@broom
def forget_old_tries() -> None:
    old = SignInCount.objects.filter(at__lt=Now() - FORGOTTEN_AFTER)
    old.filter(known_at=None).delete()
    old.filter(known_at__lt=Now() - KNOWN_FOR).delete()


def _refuse_early(keys: Try, rows: Mapping[str, SignInCount], now: datetime) -> None:
    pair = rows.get(keys.pair)
    is_known = bool(pair and pair.known_at and now - pair.known_at < KNOWN_FOR)
    limits = {keys.pair: PAIR, keys.address: KNOWN_ADDRESS if is_known else ADDRESS}
    if not is_known:
        limits[keys.account] = ACCOUNT
    waits = [
        limit.wait(_failed(row, now)) - max(now - row.at, timedelta())
        for key, limit in limits.items()
        if (row := rows.get(key)) is not None and row.at <= now + _CLOCK_PUT_BACK
    ]
    if (wait := max(waits, default=timedelta())) > timedelta():
        raise MustWait(wait.total_seconds())


def _failed(row: SignInCount, now: datetime) -> int:
    return row.count if now - row.at < FORGOTTEN_AFTER else 0


def _held(keys: list[str]) -> dict[str, SignInCount]:
    """The rows of these keys, made where there are none, and nobody else's until the transaction ends."""
    SignInCount.objects.bulk_create(
        [SignInCount(key=key, at=Now()) for key in sorted(keys)], ignore_conflicts=True
    )
    rows = SignInCount.objects.select_for_update().filter(key__in=keys).order_by("key")
    return {row.key: row for row in rows}


def _keys(name: str, address: str) -> Try:
    return Try(_key("pair", name, address), _key("account", name), _key("address", address))


def _uncount(keys: list[str]) -> None:
    SignInCount.objects.filter(pk__in=keys, count__gt=0).update(count=F("count") - 1)


def _key(kind: str, *parts: str) -> str:
    """``Clara`` and ``clara`` are one account; an IPv6 address is its network's, of which one line has billions."""
    parts = tuple(network_of(part.strip().casefold()) for part in parts)
    return salted_hmac("skinclinic.sign_in_limits", repr((kind, *parts)), algorithm="sha256").hexdigest()
