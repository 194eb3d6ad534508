"""Where a bucket of objects is (S3 or what speaks like it). Pure: no Django.

``s3://BUCKET/PREFIX?endpoint=https://HOST:PORT&region=NAME&style=path&sse=AES256&ca=/path/of/ca.pem``; everything but
the bucket's name may be left out.
"""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

STYLES = ("auto", "path", "virtual")
# Server-side encryption: with keys of the store, or of its key service.
ENCRYPTIONS = ("", "AES256", "aws:kms")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_NAMES = ("endpoint", "region", "style", "sse", "sse_key", "ca")


@dataclass(frozen=True)
class BucketAddress:
    """``prefix``: what the keys of all our objects begin with, "" or ending in "/"; ``endpoint``: "" for Amazon's own;
    ``sse``: which server-side encryption is asked for with each object; ``ca``: a file of certificates that sign the
    endpoint's."""

    bucket: str
    prefix: str = ""
    endpoint: str = ""
    region: str = "us-east-1"
    style: str = "path"
    sse: str = ""
    sse_key: str = ""
    ca: str = ""

    @classmethod
    def of(cls, text: str) -> "BucketAddress":
        """Raises ValueError, whose message says what is wrong."""
        parts = urlsplit(text)
        if parts.scheme != "s3" or not _BUCKET.fullmatch(parts.netloc):
            raise ValueError("it does not begin with s3://NAME-OF-BUCKET; name and password are given apart")
        said = dict(parse_qsl(parts.query, keep_blank_values=True))
        if unknown := sorted(set(said) - set(_NAMES)):
            raise ValueError(f"nothing is known of “{unknown[0]}”; there are {', '.join(_NAMES)}")
        if (endpoint := said.get("endpoint", "")) and not re.fullmatch(r"https?://[^/?#@]+/?", endpoint):
            raise ValueError("endpoint= takes http(s)://HOST or http(s)://HOST:PORT")
        if said.get("style", "path") not in STYLES:
            raise ValueError(f"style= takes one of {', '.join(STYLES)}")
        if said.get("sse", "") not in ENCRYPTIONS:
            raise ValueError(f"sse= takes one of {', '.join(ENCRYPTIONS[1:])}")
        prefix = parts.path.strip("/")
        return cls(
            parts.netloc, f"{prefix}/" if prefix else "", endpoint.rstrip("/"),
            said.get("region", cls.region), said.get("style", cls.style), said.get("sse", ""),
            said.get("sse_key", ""), said.get("ca", ""),
        )  # fmt: skip

    def __str__(self) -> str:
        """As people are told of it."""
        return f"s3://{self.bucket}/{self.prefix}" + (f" at {self.endpoint}" if self.endpoint else "")
