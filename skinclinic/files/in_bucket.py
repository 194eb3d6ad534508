"""Photos as objects of a bucket (S3 or what speaks like it), which several machines share.

An object is there whole or not at all: a PUT that does not end leaves nothing, and what came is held against its MD5 by
the store before it counts. What a PUT cannot promise is that one whose answer was lost is not carried out later; so
whoever gives one up tells ``store``, which has the broom look again (``files.notes``).
"""

import errno
import io
import logging
import os
from base64 import b64encode
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from hashlib import md5
from typing import Any, BinaryIO

from skinclinic.files.bucket_address import BucketAddress

log = logging.getLogger(__name__)

_AT_ONCE = 8
# A list tells of a thousand objects and costs a store as much as asking for some dozens: not worth it for fewer.
_WORTH_A_LIST = 30
_ATTEMPTS = 2
_CONNECT_SECONDS, _READ_SECONDS = 3.0, 15.0
# Of an address that the proxy in front of the product fetches a photo from; no browser ever gets one.
_SIGNED_SECONDS = 60
_MISSING = frozenset({"NoSuchKey", "404", "NotFound"})
_FULL = frozenset({"QuotaExceeded", "507", "InsufficientStorage", "EntityTooLarge"})
# Of a store that takes the wish for encryption, says nothing, and stores the photo as it is.
NOT_ENCRYPTED = "NotEncrypted"
# What the store says when it cannot just now.
_AWAY = frozenset(
    {"SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "500", "502", "503", "504"}
)


class BucketAway(Exception):
    """The bucket does not answer, or not to us; ``code`` is its own word for why, where it said one."""

    def __init__(self, message: str, code: str = ""):
        super().__init__(message)
        self.code = code


class Bucket:
    """``files.store.Backend`` on a bucket. Everything raises BucketAway, beside what it says itself."""

    def __init__(self, address: BucketAddress, key_id: str = "", secret: str = ""):
        self.address = address
        self._key_id, self._secret = key_id, secret

    @cached_property
    def client(self) -> Any:
        """boto3's client, which threads may share; made by django-storages from our settings."""
        return self._storage.connection.meta.client

    @cached_property
    def _storage(self) -> Any:
        from botocore.config import Config
        from storages.backends.s3 import S3Storage

        address = self.address
        return S3Storage(
            bucket_name=address.bucket, endpoint_url=address.endpoint or None, region_name=address.region,
            access_key=self._key_id or None, secret_key=self._secret or None, verify=address.ca or None,
            client_config=Config(
                signature_version="s3v4", s3={"addressing_style": address.style},
                connect_timeout=_CONNECT_SECONDS, read_timeout=_READ_SECONDS, tcp_keepalive=True,
                max_pool_connections=4 * _AT_ONCE, retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
                # Older stores do not know the newer sums; Content-MD5 they all hold an object against.
                request_checksum_calculation="when_required", response_checksum_validation="when_required",
            ),
        )  # fmt: skip

    # As every backend

    def write_together(self, files: Mapping[str, bytes]) -> None:
        """Raises OSError (ENOSPC) where the store takes no more."""
        with ThreadPoolExecutor(min(_AT_ONCE, len(files) or 1)) as threads:
            list(threads.map(self._put, files.keys(), files.values()))

    def _put(self, key: str, data: bytes) -> None:
        said = {"ServerSideEncryption": self.address.sse} if self.address.sse else {}
        if self.address.sse_key:
            said["SSEKMSKeyId"] = self.address.sse_key
        digest = b64encode(md5(data, usedforsecurity=False).digest()).decode()
        with self._told():
            answer = self.client.put_object(
                **self._place(key), Body=data, ContentMD5=digest, ContentType="image/jpeg",
                CacheControl="no-store, private", **said,
            )  # fmt: skip

        if self.address.sse and answer.get("ServerSideEncryption") != self.address.sse:
            self.remove([key])
            raise BucketAway(f"the bucket does not say that it encrypts ({NOT_ENCRYPTED})", NOT_ENCRYPTED)

    def read(self, key: str) -> bytes:
        """Raises FileNotFoundError."""
        with self._told():
            answer = self.client.get_object(**self._place(key))
            content: bytes = answer["Body"].read()
            return content

    def open(self, key: str) -> BinaryIO:
        """Whole, so that what breaks breaks before a word of it is sent on. Raises FileNotFoundError."""
        return io.BytesIO(self.read(key))

    def size_of(self, key: str) -> int:
        with self._told():
            return int(self.client.head_object(**self._place(key))["ContentLength"])

    def is_file(self, key: str) -> bool:
        return self._size_or_none(key) is not None

    def sizes(self, keys: Iterable[str]) -> dict[str, int]:
        """{key: bytes} of those that are there. Where they lie close to each other they are read off lists, from one
        that is wanted to the next; where few of many are, each is asked for by itself, some at a time."""
        wanted, found, at = sorted(set(keys)), dict[str, int](), 0
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            while at < len(wanted):
                if len(wanted) - at >= _WORTH_A_LIST:
                    listed, is_end = self._listed_from(wanted[at])
                    last = wanted[-1] if is_end else max(listed, default="")
                    begun, at = at, max(at, bisect_right(wanted, last))
                    found |= {key: listed[key] for key in wanted[begun:at] if key in listed}
                    if at - begun >= _WORTH_A_LIST:
                        continue
                some = wanted[at : at + _WORTH_A_LIST]
                sizes = zip(some, threads.map(self._size_or_none, some), strict=True)
                found |= {key: size for key, size in sizes if size is not None}
                at += len(some)
        return found

    def _size_or_none(self, key: str) -> int | None:
        try:
            return self.size_of(key)
        except FileNotFoundError:
            return None

    def _listed_from(self, key: str) -> tuple[dict[str, int], bool]:
        """{key: bytes} of this one, if it is there, and of those that follow it; whether there are no more."""
        with self._told():
            found = self.client.list_objects_v2(
                Bucket=self.address.bucket, Prefix=self.address.prefix,
                # A little before it, for that one itself is not listed.
                StartAfter=self._place(key)["Key"][:-1],
            )  # fmt: skip
        contents = found.get("Contents", ())
        listed = {one["Key"].removeprefix(self.address.prefix): int(one["Size"]) for one in contents}
        return listed, not found["IsTruncated"]

    def ends(self, key: str) -> tuple[bytes, bytes]:
        data = self.read(key)
        return data[:16], data[-2:]

    def remove(self, keys: Sequence[str]) -> list[str]:
        """Those that could not be removed now."""
        left = []
        for key in keys:
            try:
                with self._told():
                    self.client.delete_object(**self._place(key))
            except (BucketAway, OSError) as error:
                log.error("cannot delete %s: %s", key, error)
                left.append(key)
        return left

    def is_full(self) -> bool:
        return False  # a bucket says so when it is written to

    def is_there(self) -> bool:
        """Whether the bucket answers and holds a clinic's photos."""
        try:
            with self._told():
                found = self.client.list_objects_v2(
                    Bucket=self.address.bucket, Prefix=f"{self.address.prefix}clinic-", MaxKeys=1
                )
        except (BucketAway, OSError):
            return False
        return bool(found.get("KeyCount"))

    def scan(self) -> Iterator[tuple[str, int, int]]:
        """(key, bytes, when it was written: nanoseconds since 1970 by the store's clock) of everything."""
        with self._told():
            for page in self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.address.bucket, Prefix=self.address.prefix
            ):
                for found in page.get("Contents", ()):
                    at: datetime = found["LastModified"]
                    key: str = found["Key"]
                    yield (
                        key.removeprefix(self.address.prefix),
                        found["Size"],
                        round(at.timestamp() * 1000) * 1_000_000,
                    )

    # Of a bucket alone

    def now(self) -> float:
        """Seconds since 1970 by the clock of the store, by which it stamps what it holds."""
        with self._told():
            answer = self.client.list_objects_v2(
                Bucket=self.address.bucket, Prefix=self.address.prefix, MaxKeys=1
            )
        return date_of(answer)

    def apart(self, key: str) -> float:
        """Seconds between when it says that it was given this object, and what it says the time is. Raises
        FileNotFoundError."""
        with self._told():
            answer = self.client.head_object(**self._place(key))
        stamped: datetime = answer["LastModified"]
        return abs(stamped.timestamp() - date_of(answer))

    def signed(self, key: str) -> str:
        """An address by which the proxy fetches the photo within the next minute."""
        address: str = self.client.generate_presigned_url(
            "get_object", Params=self._place(key), ExpiresIn=_SIGNED_SECONDS, HttpMethod="GET"
        )
        return address

    def is_open_to_strangers(self, key: str = "") -> bool:
        """Whether somebody who names nobody reads this object; "": the list of all."""
        from botocore.exceptions import BotoCoreError, ClientError

        stranger = self._storage.unsigned_connection.meta.client
        try:
            if key:
                stranger.head_object(**self._place(key))
            else:
                stranger.list_objects_v2(Bucket=self.address.bucket, MaxKeys=1)
        except (BotoCoreError, ClientError):
            return False
        return True

    def _place(self, key: str) -> dict[str, str]:
        if key.startswith("/") or ".." in key.split("/"):
            raise ValueError("not a key of a stored file")
        return {"Bucket": self.address.bucket, "Key": f"{self.address.prefix}{key}"}

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What the store refuses, in our words: FileNotFoundError, OSError (ENOSPC), BucketAway."""
        from botocore.exceptions import BotoCoreError, ClientError
        from urllib3.exceptions import HTTPError

        try:
            yield
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in _MISSING:
                raise FileNotFoundError(errno.ENOENT, "it is not in the bucket") from error
            if code in _FULL:
                raise OSError(errno.ENOSPC, f"the bucket takes no more ({code})") from error
            if code not in _AWAY:
                log.error("the bucket refuses: %s", code)
            raise BucketAway(f"the bucket refuses: {code}", code) from error
        except (BotoCoreError, HTTPError, OSError) as error:
            if isinstance(error, FileNotFoundError):
                raise
            raise BucketAway(f"the bucket does not answer: {type(error).__name__}") from error


def date_of(answer: Mapping[str, Any]) -> float:
    """The ``Date`` of an answer: seconds since 1970."""
    said = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
    return (parsedate_to_datetime(said) if said else datetime.now(UTC)).timestamp()


_made: dict[tuple[int, str, str, str], Bucket] = {}


def bucket(address: str, key_id: str, secret: str) -> Bucket:
    """The bucket of these settings; one for each process, for connections are not shared by those that are forked."""
    known = (os.getpid(), address, key_id, secret)
    if known not in _made:
        _made.clear()
        _made[known] = Bucket(BucketAddress.of(address), key_id, secret)
    return _made[known]
