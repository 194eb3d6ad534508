"""What keeps the audit honest: each row is sealed by itself when it is written, and a moment later takes its place in
one chain, so that a row that was changed, taken out, put in or moved is found.

The keys come from SECRET_KEY: who can write the database but does not know it cannot make rows that fit. Who can do
both can; against them an anchor (``SEQ:CHAIN``) that is noted elsewhere helps, as it does against the loss of the last
rows together with an older head.
"""

import hmac
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from functools import lru_cache
from hashlib import sha256

from django.conf import settings
from django.db import connection, models, transaction

from skinclinic.engine.housekeeping import broom
from skinclinic.models.audit import AuditEvent, AuditHead

log = logging.getLogger(__name__)
AT_ONCE = 500
# What a row says, in this order; a column that comes later is added to what is sealed only where it has a value.
SEALED = (
    "clinic_key", "user_key", "user_name", "via", "via_key", "via_name", "address", "request", "action",
    "subject_kind", "subject_key", "subject_name", "patient_key", "reason", "details", "nonce",
)  # fmt: skip


class HeadBroken(Exception):
    """The row that keeps the last place is gone or was changed; no row gets a place until that is understood."""


@dataclass(frozen=True)
class Place:
    """A row's place: its number, the link of the chain there."""

    seq: int
    chain: str

    @classmethod
    def read(cls, text: str) -> "Place":
        """From ``SEQ:CHAIN``. Raises ValueError."""
        seq, _colon, chain = text.strip().partition(":")
        return cls(int(seq), chain)

    def __str__(self) -> str:
        return f"{self.seq}:{self.chain}"


def rows() -> models.QuerySet[AuditEvent]:
    """All rows, for those who give them their place: the one change a row ever sees."""
    return models.QuerySet(AuditEvent)


def mac_of(event: AuditEvent, key: bytes | None = None) -> str:
    """The seal of everything the row says."""
    said = [
        event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        *(getattr(event, name) for name in SEALED),
    ]
    return _sealed(key or keys()[0], "row", json.dumps(said, separators=(",", ":")))


def link(before: str, seq: int, mac: str, key: bytes | None = None) -> str:
    """The chain at a row, from the chain at the row before it."""
    return _sealed(key or keys()[0], "link", f"{before}:{seq}:{mac}")


def fits(sealed: str, made: Iterable[str]) -> bool:
    """Whether a seal is what one of the keys makes."""
    return any(hmac.compare_digest(sealed, one) for one in made)


def row_fits(event: AuditEvent) -> bool:
    if not event.at:  # SQLite's way to tell a time that is none
        return False
    return fits(event.mac, (mac_of(event, key) for key in keys()))


def link_fits(event: AuditEvent, before: str) -> bool:
    seq = event.seq or 0
    return fits(event.chain, (link(before, seq, event.mac, key) for key in keys()))


def head_fits(head: AuditHead) -> bool:
    return fits(head.mac, (_head_mac(head.seq, head.chain, key) for key in keys()))


def keys() -> list[bytes]:
    """The key of today, then those of before."""
    return [_derived(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


def seal() -> int:
    """Give every row that is written its place; return how many got one. Raises HeadBroken."""
    count = 0
    # The first look takes no lock.
    while rows().filter(seq__isnull=True).exists():
        sealed = _seal_some()
        if not sealed:
            break
        count += sealed
    return count


@broom
def seal_new_rows() -> None:
    """What the reconciler does every few seconds."""
    try:
        seal()
    except HeadBroken as error:
        log.error("%s; run verify_audit", error)


@transaction.atomic
def _seal_some() -> int:
    head = _held_head()
    waiting = list(rows().filter(seq__isnull=True).order_by("id").values_list("id", "mac")[:AT_ONCE])
    seq, chain = head.seq, head.chain
    places = []
    for key, mac in waiting:
        seq += 1
        chain = link(chain, seq, mac)
        places.append((seq, chain, key))
    with connection.cursor() as cursor:
        table = connection.ops.quote_name(AuditEvent._meta.db_table)
        cursor.executemany(f"UPDATE {table} SET seq = %s, chain = %s WHERE id = %s AND seq IS NULL", places)
    head.seq, head.chain, head.mac = seq, chain, _head_mac(seq, chain)
    head.save()
    return len(waiting)


def _held_head() -> AuditHead:
    """The head, locked; made where no row has a place yet."""
    head = AuditHead.objects.select_for_update().filter(pk=1).first()
    if head is None:
        if rows().filter(seq__isnull=False).exists():
            raise HeadBroken("The audit has lost its head, the row that keeps the last place")
        AuditHead.objects.get_or_create(pk=1, defaults={"mac": _head_mac(0, "")})
        return AuditHead.objects.select_for_update().get(pk=1)
    if not head_fits(head):
        raise HeadBroken(
            "The audit's head was changed, or SECRET_KEY was and SECRET_KEY_FALLBACKS lacks the old one"
        )
    return head


def _head_mac(seq: int, chain: str, key: bytes | None = None) -> str:
    return _sealed(key or keys()[0], "head", f"{seq}:{chain}")


def _sealed(key: bytes, what: str, text: str) -> str:
    return hmac.new(key, f"{what}:{text}".encode(), sha256).hexdigest()


@lru_cache(maxsize=16)
def _derived(secret: str) -> bytes:
    return hmac.new(secret.encode(), b"skinclinic audit", sha256).digest()
