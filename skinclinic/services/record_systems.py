"""Patients opened from the hospital's record system: SMART App Launch, EHR launch, authorization code with PKCE.

Whoever launches is signed in here already. Of the record system only the patient in its context is asked for, once;
its token is kept nowhere. Only addresses that an admin has set up are asked, with what else ``web/outgoing`` holds.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from skinclinic.models import Clinic, Patient, RecordSystem, User
from skinclinic.permissions import clinics_of
from skinclinic.services import audit, patients, webhooks
from skinclinic.services.refused import Refused
from skinclinic.web import outgoing
from skinclinic.web.counts import gettext as _

SCOPE = "launch openid fhirUser patient/Patient.read"
# Seconds from leaving for the record system to coming back.
LASTS = 600
MOST, MOST_CODES = 20, 20


class Failed(Exception):
    """The launch came to nothing; ``code`` says why: ``unknown``, ``unreachable``, ``not_smart``, ``refused``,
    ``no_patient``, ``no_identifier``, ``over``, ``secret_lost``."""

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Leaving:
    """``address``: where the browser is sent; ``state`` and ``kept`` what the session keeps until it is back."""

    address: str
    state: str
    kept: dict[str, Any]


@transaction.atomic
def make(clinic: Clinic, user: User, *, secret: str, **values: str) -> RecordSystem:
    """Set one up. Raises Refused."""
    Clinic.objects.select_for_update().get(pk=clinic.pk)
    known = RecordSystem.objects.filter(clinic=clinic)
    if known.filter(issuer=values["issuer"]).exists():
        raise Refused("issuer", _("This address is set up already."))
    if known.count() >= MOST:
        raise Refused(
            "name", _("There are %(count)d record systems already. Remove one first.") % {"count": MOST}
        )
    sealed = _cipher().encrypt(secret.encode()).decode() if secret else ""
    row = RecordSystem.objects.create(clinic=clinic, created_by=user, secret=sealed, **values)
    audit.record("settings.record_system", row, by=user, after=values)
    return row


@transaction.atomic
def turn(row: RecordSystem, user: User, *, on: bool) -> None:
    """Let people come from it, or not."""
    if RecordSystem.objects.filter(pk=row.pk).exclude(is_on=on).update(is_on=on):
        audit.record("settings.record_system", row, by=user, before={"is_on": not on}, after={"is_on": on})


@transaction.atomic
def remove(row: RecordSystem, user: User) -> None:
    audit.record("settings.record_system", row, by=user, before={"name": row.name, "issuer": row.issuer})
    row.delete()


def called(user: User, issuer: str, preferred: Clinic | None) -> RecordSystem:
    """The record system at an address, of a clinic of the person's, ``preferred`` before others. Raises Failed."""
    found = RecordSystem.objects.filter(issuer=tidy(issuer), is_on=True, clinic__in=clinics_of(user))
    rows = sorted(
        found.select_related("clinic"), key=lambda row: row.clinic_id != (preferred and preferred.pk)
    )
    if not rows:
        raise Failed("unknown")
    return rows[0]


def tidy(issuer: str) -> str:
    """An address as it is kept: without blanks around it and slashes at its end."""
    return issuer.strip().rstrip("/")


def leave(row: RecordSystem, launch: str, back: str) -> Leaving:
    """Ask the record system where it is to be asked. ``back``: our address. Not called in a transaction. Raises
    Failed."""
    told = _asked(f"{row.issuer}/.well-known/smart-configuration", {})
    authorize, token = str(told.get("authorization_endpoint", "")), str(told.get("token_endpoint", ""))
    methods = told.get("code_challenge_methods_supported")
    if not (_is_as_safe(authorize, row) and _is_as_safe(token, row)):
        raise Failed("not_smart")
    if isinstance(methods, list) and "S256" not in methods:
        raise Failed("not_smart")
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    query = urlencode({
        "response_type": "code", "client_id": row.client_id, "redirect_uri": back, "scope": SCOPE, "state": state,
        "aud": row.issuer, "launch": launch, "code_challenge": challenge, "code_challenge_method": "S256",
    })  # fmt: skip
    kept = {"system": row.pk, "token": token, "verifier": verifier, "at": int(timezone.now().timestamp())}
    return Leaving(f"{authorize}{'&' if urlsplit(authorize).query else '?'}{query}", state, kept)


def is_over(kept: Mapping[str, Any]) -> bool:
    return timezone.now().timestamp() - kept["at"] > LASTS


def codes_of_patient(row: RecordSystem, kept: Mapping[str, Any], code: str, back: str) -> list[str]:
    """The identifiers of the patient in context that may be a code here. Not called in a transaction. Raises Failed."""
    body = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": back,
        "code_verifier": kept["verifier"],
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if row.secret:
        pair = f"{quote(row.client_id, safe='')}:{quote(_secret(row), safe='')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        body["client_id"] = row.client_id
    told = _asked(kept["token"], headers, urlencode(body).encode())
    token, patient = told.get("access_token"), told.get("patient")
    if not isinstance(token, str) or not token.isascii() or not token.isprintable():
        raise Failed("refused")
    if not isinstance(patient, str) or not patient:
        raise Failed("no_patient")
    found = _asked(f"{row.issuer}/Patient/{quote(patient, safe='')}", {"Authorization": f"Bearer {token}"})
    return _codes(found, row.identifier_system)


def patient_with(clinic: Clinic, codes: list[str]) -> Patient | None:
    """The clinic's patient with one of these codes."""
    found = (patients.with_code(clinic, code) for code in codes)
    return next((patient for patient in found if patient is not None and not patient.is_archived), None)


def _codes(patient: Mapping[str, Any], system: str) -> list[str]:
    identifiers = patient.get("identifier")
    found = []
    for one in identifiers if isinstance(identifiers, list) else ():
        if not isinstance(one, dict) or (system and one.get("system") != system):
            continue
        value = one.get("value")
        if isinstance(value, str) and 0 < len(value) <= 64 and value.isprintable():
            found.append(value)
    if not found:
        raise Failed("no_identifier")
    return found[:MOST_CODES]


def _asked(url: str, headers: Mapping[str, str], body: bytes | None = None) -> dict[str, Any]:
    """What an address answers as a JSON object. Raises Failed."""
    try:
        status, content = outgoing.fetch(
            url, {"Accept": "application/json", **headers}, body, webhooks.allowed_networks()
        )
    except outgoing.NotSent:
        raise Failed("unreachable") from None
    if status != 200:
        raise Failed("refused")
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        raise Failed("not_smart") from None
    if not isinstance(told, dict):
        raise Failed("not_smart")
    return told


def _is_as_safe(url: str, row: RecordSystem) -> bool:
    """Whether it is an address of a web server, and by TLS where the record system's own is."""
    try:
        outgoing.require_address(url)
    except outgoing.NotSent:
        return False
    return url.startswith("https://") or row.issuer.startswith("http://")


def _secret(row: RecordSystem) -> str:
    try:
        return _cipher().decrypt(row.secret).decode()
    except InvalidToken:
        raise Failed("secret_lost") from None


def _cipher() -> MultiFernet:
    """Of SECRET_KEY; former ones still open what they closed."""
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    derived = (hashlib.sha256(b"skinclinic.record_systems" + key.encode()).digest() for key in keys)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in derived])
