"""Telling other systems what happens, by ids alone: each message is signed, tried again for two days, and written down.

Whatever happens in a transaction is told in that transaction (``tell``), as rows; a job of the engine sends them.
"""

import hashlib
import hmac
import json
import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta
from ipaddress import ip_network

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy

from skinclinic.engine import clock, jobs
from skinclinic.engine.housekeeping import broom
from skinclinic.models import Clinic, Job, Member, Role, User, Webhook, WebhookMessage
from skinclinic.services import audit, letters, secret_links
from skinclinic.services.refused import Refused
from skinclinic.web import outgoing
from skinclinic.web.counts import gettext as _

JOB = "webhook"
Event, State = Webhook.Event, WebhookMessage.State
TEST = "test"
# Of a message: the job that sends it has failed here, for good.
FAILED = "failed"
SIGNATURE, PREFIX = "SkinClinic-Signature", "skw_"
# After each try that failed; then it is given up.
PAUSES = [timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360, 720, 1440)]
# Nothing has arrived for so long: it is turned off.
OFF_AFTER = timedelta(days=3)
KEPT_FOR = timedelta(days=30)
MOST = 20
_REFUSED = {
    "bad_address": gettext_lazy(
        "Give an address such as https://records.example.org/skinclinic, without name and password."
    ),
    "not_allowed": gettext_lazy(
        "Messages go to public addresses by https alone, and this one is in a private network or begins with http. "
        "Give a public https address, or have the server's operator allow the network first (WEBHOOK_NETWORKS)."
    ),
}


def make(clinic: Clinic, user: User, *, url: str, events: list[str]) -> tuple[Webhook, str]:
    """Make a webhook; return it with its secret, which cannot be had again. Raises Refused."""
    if Webhook.objects.filter(clinic=clinic).count() >= MOST:
        raise Refused("url", _("There are %(count)d webhooks already. Remove one first.") % {"count": MOST})
    nonce = secret_links.new_nonce()
    secret = _secret(nonce, settings.SECRET_KEY)
    with transaction.atomic():
        webhook = Webhook.objects.create(
            clinic=clinic,
            url=url,
            events=events,
            nonce=nonce,
            secret_sha256=secret_links.secret_hash(secret),
            created_by=user,
        )
        audit.record("webhook.make", webhook, by=user, after={"events": events, "url": url})
    return webhook, secret


def require_address(url: str) -> None:
    """Raise Refused where nothing can be sent to this address, as the server is set up."""
    try:
        outgoing.require_possible(url, allowed_networks())
    except outgoing.NotSent as error:
        raise Refused("url", str(_REFUSED[error.code])) from None


@transaction.atomic
def turn(webhook: Webhook, user: User, *, on: bool) -> None:
    """Turn it on or off; what waited while it was off is sent when it is on again."""
    changed = Webhook.objects.filter(pk=webhook.pk).exclude(is_on=on)
    if changed.update(is_on=on, gave_up_at=None, failing_since=None):
        audit.record("webhook.on" if on else "webhook.off", webhook, by=user)


@transaction.atomic
def remove(webhook: Webhook, user: User) -> None:
    """Remove it with its log."""
    audit.record("webhook.remove", webhook, by=user, before={"url": webhook.url})
    webhook.delete()


@transaction.atomic
def test(webhook: Webhook, user: User) -> WebhookMessage:
    """Send a message that tells nothing."""
    audit.record("webhook.test", webhook, by=user)
    return _message(webhook, TEST, {})


@transaction.atomic
def tell(clinic: Clinic | int, event: str, **ids: int) -> None:
    """Have the clinic's webhooks told. Call it in the transaction that changes what is told; ``ids``: keys of rows and
    nothing else."""
    key = clinic if isinstance(clinic, int) else clinic.pk
    for webhook in Webhook.objects.filter(clinic=key, is_on=True).select_related("clinic").order_by("pk"):
        if event in webhook.events:
            _message(webhook, event, ids)


def _message(webhook: Webhook, event: str, ids: dict[str, int]) -> WebhookMessage:
    body = {
        "id": str(uuid.uuid4()), "event": event, "at": timezone.now().isoformat(timespec="seconds"),
        "clinic": webhook.clinic.slug, "data": ids,
    }  # fmt: skip
    message = WebhookMessage.objects.create(
        clinic_id=webhook.clinic_id, webhook=webhook, event=event, body=body
    )
    _enqueue(message)
    return message


def _enqueue(message: WebhookMessage) -> None:
    key = f"{message.pk}:{message.next_at.timestamp():.6f}"
    job = jobs.enqueue(JOB, key, subject=message.pk, clinic=message.webhook.clinic)
    if job.state == Job.State.FAILED:
        follow_jobs([job])


def follow_jobs(rows: Sequence[Job]) -> None:
    """Messages whose jobs have failed for good wait for nothing any more, and say so."""
    failed = [row.subject for row in rows if row.state == Job.State.FAILED]
    WebhookMessage.objects.filter(pk__in=failed, state=State.WAITING).update(
        state=State.GIVEN_UP, problem=FAILED, ended_at=clock.now()
    )


@transaction.atomic
def send_again(message: WebhookMessage, user: User) -> bool:
    """Send once more what was given up, from the first try on; the ``id`` it tells stays. False for any other."""
    given_up = WebhookMessage.objects.filter(pk=message.pk, state=State.GIVEN_UP)
    if not given_up.update(
        state=State.WAITING, tries=0, next_at=clock.now(), problem="", answered=None, ended_at=None
    ):
        return False
    message.refresh_from_db()
    audit.record("webhook.again", message.webhook, by=user, facts={"message": message.pk})
    _enqueue(message)
    return True


def send(message: WebhookMessage) -> Callable[[], None]:
    """Try once; what is to be stored of it, in the transaction that ends the job. Not called in a transaction."""
    if message.state == State.ARRIVED or (message.state == State.GIVEN_UP and message.problem != FAILED):
        return lambda: None
    if not (message.webhook.is_on or message.event == TEST):
        return lambda: _put_off(message)
    status, problem = _sent(message)
    return lambda: _note(message, status, problem)


def _put_off(message: WebhookMessage) -> None:
    """It waits until the webhook is on again; by another time it is another job, for this one is done then."""
    WebhookMessage.objects.filter(pk=message.pk).update(
        state=State.WAITING, ended_at=None, next_at=clock.now()
    )


def _sent(message: WebhookMessage) -> tuple[int | None, str]:
    secret = secret_of(message.webhook)
    if secret is None:
        return None, "secret_lost"
    body = json.dumps(message.body, separators=(",", ":")).encode()
    headers = {
        "Content-Type": "application/json", SIGNATURE: signature(secret, body, int(timezone.now().timestamp()))
    }  # fmt: skip
    try:
        status = outgoing.post(message.webhook.url, body, headers, allowed_networks())
    except outgoing.NotSent as error:
        return None, error.code
    return status, "" if 200 <= status < 300 else "refused"


def signature(secret: str, body: bytes, at: int) -> str:
    """``t=SECONDS,v1=HEX``: HMAC-SHA256 with the secret of the seconds, a full stop and the body as it was sent."""
    signed = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={signed}"


def allowed_networks() -> list[outgoing.Network]:
    """Private networks that the operator lets webhooks reach (``WEBHOOK_NETWORKS``)."""
    return [ip_network(text.strip(), strict=False) for text in settings.WEBHOOK_NETWORKS if text.strip()]


def secret_of(webhook: Webhook) -> str | None:
    """Its secret, also where the server's key was changed since; None where that key is gone."""
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        if secret_links.secret_hash(secret := _secret(webhook.nonce, key)) == webhook.secret_sha256:
            return secret
    return None


def _secret(nonce: str, key: str) -> str:
    return PREFIX + salted_hmac("skinclinic.webhooks", nonce, secret=key, algorithm="sha256").hexdigest()


def _note(message: WebhookMessage, status: int | None, problem: str) -> None:
    now = clock.now()
    message.tries += 1
    message.answered, message.problem = status, problem
    if not problem:
        message.state, message.ended_at = State.ARRIVED, now
        Webhook.objects.filter(pk=message.webhook_id).update(failing_since=None)
    elif message.event == TEST or message.tries > len(PAUSES):
        message.state, message.ended_at = State.GIVEN_UP, now
    else:
        # Also of one whose job had failed and was tried again.
        message.state, message.ended_at = State.WAITING, None
        message.next_at = now + PAUSES[message.tries - 1]
    message.save()
    if problem and message.event != TEST:
        _note_failure(message.webhook)


def _note_failure(webhook: Webhook) -> None:
    now = clock.now()
    Webhook.objects.filter(pk=webhook.pk, failing_since=None).update(failing_since=now)
    failing = Webhook.objects.filter(pk=webhook.pk, is_on=True, failing_since__lt=now - OFF_AFTER)
    if failing.update(is_on=False, gave_up_at=now):
        audit.record("webhook.off", webhook, facts={"why": "failing"})
        _tell_admins(webhook)


def _tell_admins(webhook: Webhook) -> None:
    admins = Member.objects.filter(clinic=webhook.clinic, role=Role.ADMIN, is_active=True)
    subject = _("A webhook was turned off: %(url)s") % {"url": webhook.url}
    text = _("Nothing has arrived there for %(days)d days. Turn it on again on the page Webhooks.")
    for admin in admins.select_related("user"):
        letters.post(webhook.clinic, admin.user.email, subject, text % {"days": OFF_AFTER.days})


@broom
def send_what_is_due() -> None:
    """Ask for the next try of what did not arrive."""
    due = WebhookMessage.objects.filter(
        Q(webhook__is_on=True) | Q(event=TEST), state=State.WAITING, next_at__lte=Now()
    )
    for message in due.select_related("webhook__clinic").order_by("pk")[:500]:
        with transaction.atomic():
            _enqueue(message)


@broom
def forget_old_messages() -> None:
    WebhookMessage.objects.filter(created_at__lt=Now() - KEPT_FOR).delete()
