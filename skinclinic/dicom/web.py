"""DICOMweb as a client: STOW-RS, QIDO-RS, WADO-RS (PS3.18). Whoever calls it has the requests sent (``Ask``)."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from email.message import Message
from typing import Any
from urllib.parse import quote

# f(method, address, body, headers) -> (status, headers in small letters, body)
Ask = Callable[[str, str, bytes, Mapping[str, str]], tuple[int, dict[str, str], bytes]]
_BOUNDARY = "skinclinic-5f0b0a4d4c7e4a7e9d1f"
_JSON = "application/dicom+json"
_OBJECT = 'multipart/related; type="application/dicom"'
_UID = re.compile(r"[0-9.]{1,64}")
# Objects that a search is asked for.
MOST = 1000
SOP_CLASS, SOP_INSTANCE, STUDY, SERIES = "00080016", "00080018", "0020000D", "0020000E"


class NotTaken(Exception):
    """``code``: ``no_right`` (it wants other credentials), ``some_refused``, ``refused``."""

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code


def store(ask: Ask, url: str, objects: Sequence[bytes]) -> None:
    """Have the server at ``url`` take all of the objects (STOW-RS). Raises NotTaken."""
    line = f"--{_BOUNDARY}".encode()
    parts = [line + b"\r\nContent-Type: application/dicom\r\n\r\n" + one + b"\r\n" for one in objects]
    kind = f"{_OBJECT}; boundary={_BOUNDARY}"
    status, _headers, _body = ask(
        "POST", f"{url.rstrip('/')}/studies", b"".join(parts) + line + b"--\r\n",
        {"Content-Type": kind, "Accept": _JSON},
    )  # fmt: skip
    if status in (202, 409):
        raise NotTaken("some_refused")
    _require(status)


def search(ask: Ask, url: str, **wanted: str) -> list[dict[str, Any]]:
    """The instances that match (QIDO-RS), each as DICOM JSON; ``wanted``: attributes by keyword. Raises NotTaken."""
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in wanted.items())
    status, _headers, body = ask(
        "GET", f"{url.rstrip('/')}/instances?{query}&limit={MOST}", b"", {"Accept": _JSON}
    )
    if status == 204:
        return []
    _require(status)
    try:
        found = json.loads(body)
    except ValueError:
        raise NotTaken("refused") from None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def value_of(one: Mapping[str, Any], tag: str) -> str:
    """A UID or other text of an answer of ``search``; "" for none."""
    values = one.get(tag, {}).get("Value") or [""]
    return str(values[0])


def fetch(ask: Ask, url: str, study: str, series: str, instance: str) -> bytes:
    """One object as a file, packed as it is there (WADO-RS). Raises NotTaken."""
    if not all(_UID.fullmatch(uid) for uid in (study, series, instance)):
        raise NotTaken("refused")
    where = f"{url.rstrip('/')}/studies/{study}/series/{series}/instances/{instance}"
    status, headers, body = ask("GET", where, b"", {"Accept": f"{_OBJECT}; transfer-syntax=*"})
    _require(status)
    parts = list(_parts(headers.get("content-type", ""), body))
    if not parts:
        raise NotTaken("refused")
    return parts[0]


def _parts(kind: str, body: bytes) -> Iterator[bytes]:
    """The bodies of a multipart answer."""
    message = Message()
    message["Content-Type"] = kind
    boundary = message.get_param("boundary")
    if not isinstance(boundary, str):
        return
    for part in body.split(b"--" + boundary.encode())[1:]:
        if part.startswith(b"--"):
            return
        _head, found, content = part.partition(b"\r\n\r\n")
        if found:
            yield content.removesuffix(b"\r\n")


def _require(status: int) -> None:
    if status in (401, 403):
        raise NotTaken("no_right")
    if status != 200:
        raise NotTaken("refused")
