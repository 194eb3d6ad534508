"""A passkey made of software: it registers and answers as a browser's would (W3C Web Authentication, ES256)."""

import hashlib
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode

from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData

from skinclinic.models import User

HOST, ORIGIN = "localhost", "https://localhost"
PRESENT_AND_VERIFIED = 5


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


class Passkey:
    """Of one person, for the server ``HOST``; kept as if it had been added on the account page."""

    def __init__(self, user: User):
        self.key, self.id, self.used = ec.generate_private_key(ec.SECP256R1()), os.urandom(16), 0
        public = ES256.from_cryptography_key(self.key.public_key())
        data = AttestedCredentialData.create(bytes(16), self.id, public)
        made = AttestationObject.create("none", self._state(data), {})
        answer = {
            "clientDataJSON": self._client("webauthn.create", ""),
            "attestationObject": _text(bytes(made)),
        }
        Authenticator.objects.create(
            user=user,
            type=Authenticator.Type.WEBAUTHN,
            data={"name": "Test", "credential": self._answer(answer)},
        )

    def answer(self, options: dict) -> str:
        """What it says to what the page asks, as the form sends it."""
        client = self._client("webauthn.get", options["publicKey"]["challenge"])
        self.used += 1
        state = bytes(self._state(None))
        signed = state + hashlib.sha256(_bytes(client)).digest()
        signature = self.key.sign(signed, ec.ECDSA(hashes.SHA256()))
        said = {"clientDataJSON": client, "authenticatorData": _text(state), "signature": _text(signature)}
        return json.dumps(self._answer(said))

    def _state(self, data: AttestedCredentialData | None) -> AuthenticatorData:
        flags = PRESENT_AND_VERIFIED | (0x40 if data else 0)
        host = hashlib.sha256(HOST.encode()).digest()
        return AuthenticatorData.create(host, flags, self.used, data or b"")

    def _client(self, kind: str, challenge: str) -> str:
        return _text(json.dumps({"type": kind, "challenge": challenge, "origin": ORIGIN}).encode())

    def _answer(self, response: dict) -> dict:
        known = _text(self.id)
        return {
            "id": known,
            "rawId": known,
            "type": "public-key",
            "response": response,
            "clientExtensionResults": {},
        }


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
