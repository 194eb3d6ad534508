"""Requests that are sent again because nobody knows whether the first came through (``Idempotency-Key``)."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from skinclinic.engine import clock
from skinclinic.engine.housekeeping import broom
from skinclinic.models import RepeatedRequest, User

# How long a key means the same request, and after which one that never ended may be tried again.
KEPT_FOR, GIVEN_UP_AFTER = timedelta(hours=24), timedelta(minutes=2)


class OtherBody(Exception):
    """The key came before with something else."""


class AtWork(Exception):
    """The same request is being worked on now."""


@contextmanager
def once(user: User, key: str, body: str) -> Iterator[RepeatedRequest]:
    """Do the block once for this key of this person. Gives the request: with ``status`` 0 it is to be done, and to be
    ended by ``done``; else that is what came of it. A block that raises may be tried again. Raises OtherBody, AtWork.

    ``body``: all that was sent, as text.
    """
    request = _begun(user, _hashed(key), _hashed(body))
    try:
        yield request
    except BaseException:
        RepeatedRequest.objects.filter(pk=request.pk, status=0).delete()
        raise


def done(request: RepeatedRequest, status: int, photo_key: int, said: dict[str, object]) -> None:
    """Keep what came of it, and ``said``, which holds nothing of a patient."""
    request.status, request.photo_key, request.said = status, photo_key, said
    request.save(update_fields=["status", "photo_key", "said"])


def _begun(user: User, key: str, body: str) -> RepeatedRequest:
    now = clock.now()
    mine = RepeatedRequest.objects.filter(user=user, key_hash=key)
    mine.filter(at__lt=now - KEPT_FOR).delete()
    mine.filter(at__lt=now - GIVEN_UP_AFTER, status=0).delete()
    row, is_new = RepeatedRequest.objects.get_or_create(
        user=user, key_hash=key, defaults={"body_hash": body, "at": now}
    )
    if row.body_hash != body:
        raise OtherBody
    if not is_new and not row.status:
        raise AtWork
    return row


def _hashed(text: str) -> str:
    return salted_hmac("skinclinic.repeated", text, algorithm="sha256").hexdigest()


@broom
def forget_old_requests() -> None:
    RepeatedRequest.objects.filter(at__lt=Now() - KEPT_FOR).delete()
