"""Links whose secret is all the access there is; only its hash is kept.

A secret is made of a nonce and this server's key. Whoever has to say the link later, once and without keeping it, such
as a letter that waits for the mail server, keeps the nonce until then.
"""

import base64
import hashlib
import secrets

from django.utils.crypto import salted_hmac


def new_nonce() -> str:
    return secrets.token_urlsafe(32)


def secret_of(nonce: str) -> str:
    """The secret of a nonce: always the same, and of no use to guess the nonce or any other secret."""
    digest = salted_hmac("skinclinic.secret_links", nonce, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def secret_hash(secret: str) -> str:
    """What is kept of a secret, be it a link's, a token's or a webhook's."""
    return hashlib.sha256(secret.encode()).hexdigest()
