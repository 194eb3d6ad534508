"""The bucket that photos lie in, and whether they are sealed."""

import time
from collections.abc import Iterator
from typing import Any

from django.conf import settings

from skinclinic.files import store
from skinclinic.files.in_bucket import NOT_ENCRYPTED, Bucket, BucketAway
from skinclinic.models import Photo
from skinclinic.services.doctor.findings import Finding, check, failure, ok, warn

_PART = "photos"
_PROBE = b"skinclinic doctor"
_CLOCKS_MAY_DIFFER = 5.0
# What the store says -> what to do.
_REMEDIES = {
    "RequestTimeTooSkewed": "The clocks of this machine and of the store are more than 15 minutes apart: synchronise "
    "both (NTP).",
    "InvalidAccessKeyId": "The store knows no such name: look at PHOTO_STORAGE_KEY_ID, and, where PHOTO_STORAGE has "
    "one, at sse_key=.",
    NOT_ENCRYPTED: "sse= was asked for, and the store took a photo without a word of it: it has no such encryption, or "
    "hides it. No photo is stored until it says so. Set it up there, or take sse= out; PHOTO_KEY seals photos before "
    "they leave this machine.",
    "SignatureDoesNotMatch": "The secret is another one, or region= is wrong: look at PHOTO_STORAGE_SECRET and "
    "PHOTO_STORAGE.",
    "AccessDenied": "The account may not do that: it needs ListBucket on the bucket, and GetObject, PutObject and "
    "DeleteObject below its prefix (docs/scaling.md has the policy).",
    "NoSuchBucket": "Make the bucket, private, or correct its name in PHOTO_STORAGE; the program makes none.",
    "InvalidArgument": "Where sse= is asked for: the store does not have that encryption. Take it out, or set up its "
    "key service; PHOTO_KEY seals photos before they leave this machine.",
}  # fmt: skip
_NOT_REACHED = (
    "Look whether the endpoint of PHOTO_STORAGE is right, whether this machine reaches it (name, port, firewall), and, "
    "with a certificate of the hospital's own, whether ca= names it. Nothing is lost meanwhile: uploads are refused "
    "with a word, and jobs wait."
)


@check(_PART)
def photo_storage() -> Iterator[Finding]:
    if settings.PHOTO_KEY:
        yield ok(_PART, "new photos are sealed where they lie (PHOTO_KEY)")
    bucket = store.bucket()
    if bucket is None:
        yield from _opens()
        return
    if bucket.address.endpoint.startswith("http:"):
        yield warn(
            _PART, f"the way to {bucket.address.endpoint} is not encrypted",
            "Take https:// in PHOTO_STORAGE, or set PHOTO_KEY, unless the network is the hospital's own and closed.",
        )  # fmt: skip
    key = store.new_key("doctor", ".txt")
    try:
        began = time.monotonic()
        bucket.write_together({key: _PROBE})
        if bucket.read(key) != _PROBE:
            yield failure(
                _PART, "the bucket gives back something else than was written", "Mend the store first."
            )
            return
        took = time.monotonic() - began
        yield from _clock(bucket, key)
        yield from _public(bucket, key)
        yield from _versions(bucket)
        if left := bucket.remove([key]):
            yield failure(_PART, f"{left[0]} cannot be deleted from the bucket", _REMEDIES["AccessDenied"])
        else:
            yield ok(
                _PART, f"{bucket.address} writes, reads and deletes ({took * 1000:.0f} ms to write and read)"
            )
            yield from _opens()
    except FileNotFoundError:
        yield failure(_PART, "what was written to the bucket is not there", "Mend the store first.")
    except BucketAway as error:
        yield failure(_PART, f"{bucket.address}: {error}", _REMEDIES.get(error.code, _NOT_REACHED))
    except OSError as error:
        yield failure(_PART, f"{bucket.address}: {error.strerror}", "Make room there, or raise its quota.")


def _opens() -> Iterator[Finding]:
    """Whether the newest photo opens, which the key of today has sealed, if any has."""
    newest = Photo.objects.order_by("-pk").first()
    try:
        if newest:
            store.read(newest.thumbnail_key)
    except store.Sealed as error:
        yield failure(
            _PART, f"the newest photo does not open: {error.strerror}",
            "Set PHOTO_KEY to the key that photos were sealed with, for every web process and every worker alike.",
        )  # fmt: skip
    except (OSError, store.StorageAway):
        return  # that files are gone is `--deep`'s to tell


def _clock(bucket: Bucket, key: str) -> Iterator[Finding]:
    """What it stamps objects with against what it says the time is: by that the age of what is left behind is told."""
    if (apart := bucket.apart(key)) > _CLOCKS_MAY_DIFFER:
        yield failure(
            _PART, f"the store stamps objects {apart:,.0f} s off what it says the time is",
            "Synchronise the clocks of its machines (NTP): `doctor --deep` tells by them what is old.",
        )  # fmt: skip


def _public(bucket: Bucket, key: str) -> Iterator[Finding]:
    """Whether somebody without a name reads the object, or the list of all."""
    for what, key_or_all in (("every photo", key), ("the list of all photos", "")):
        if bucket.is_open_to_strangers(key_or_all):
            yield failure(
                _PART, f"whoever reaches the store reads {what} of {bucket.address} without a name or password",
                "Close it now: take away its public policy and access lists, and block public access to it. What was "
                "read meanwhile stands in the log of the store.",
            )  # fmt: skip


def _versions(bucket: Bucket) -> Iterator[Finding]:
    """Where the store keeps every version, a patient who was erased is still there."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        said: dict[str, Any] = bucket.client.get_bucket_versioning(Bucket=bucket.address.bucket)
    except (BotoCoreError, ClientError):
        return  # the account may not ask, which is no fault
    if said.get("Status") == "Enabled":
        yield warn(
            _PART, "the bucket keeps deleted objects as older versions: erased photos stay in it",
            "Give it a rule that deletes versions that are not current after the days you may keep them, or stop the "
            "versions: backups are `manage.py backup`'s.",
        )  # fmt: skip
