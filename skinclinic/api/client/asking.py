"""How the client asks: by Python's own library alone, again where the network fails. It stands in the client as it is
here, before what is written from the schema."""

import json
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urljoin
from urllib.request import Request, urlopen

Said = Mapping[str, Any]
UNSAID: Any = object()


class ApiError(Exception):
    """What the server refused: ``status``, a stable ``code``, ``fields`` that are wrong, ``wait`` seconds."""

    def __init__(self, status: int, error: dict[str, Any], wait: int = 0):
        super().__init__(f"{status} {error.get('code')}: {error.get('message')}")
        self.status, self.code, self.wait = status, str(error.get("code", "")), wait
        self.fields: dict[str, list[str]] = error.get("fields", {})


@dataclass
class Asking:
    """``address`` of the server, such as https://skin.example.org. Raises ApiError, and OSError without an answer."""

    address: str
    token: str
    timeout: float = 60
    tries: int = 3
    _tags: dict[str, str] = field(default_factory=dict, repr=False)

    def fetch(self, address: str) -> bytes | None:
        """A file; None where it is the same that this client fetched before."""
        tag = self._tags.get(address)
        content, head = self._ask("GET", address, None, {"If-None-Match": tag} if tag else {})
        self._tags[address] = head.get("ETag", "")
        return content

    def _pages(self, address: str, filters: Said) -> Iterator[Any]:
        """All rows of a list, page by page."""
        following = f"{address}?{urlencode(_written(filters))}"
        while following:
            page = self._json("GET", following)
            yield from page["results"]
            following = page["next"]

    def _json(
        self,
        method: str,
        address: str,
        said: Said | None = None,
        *,
        photo: tuple[bytes, str] | None = None,
        head: dict[str, str] | None = None,
    ) -> Any:
        """``said``: what is UNSAID is not sent. ``photo``: its bytes and name, sent with it as a form."""
        body, head = None, dict(head or {})
        if photo is not None:
            boundary = uuid.uuid4().hex
            head["Content-Type"] = f"multipart/form-data; boundary={boundary}"
            body = _form(boundary, *photo, _written(said or {}))
        elif said is not None:
            head["Content-Type"] = "application/json"
            body = json.dumps({name: value for name, value in said.items() if value is not UNSAID}).encode()
        content, _head = self._ask(method, address, body, head)
        return json.loads(content or b"null")

    def _ask(
        self, method: str, address: str, body: bytes | None, head: dict[str, str]
    ) -> tuple[bytes | None, dict[str, str]]:
        url = urljoin(f"{self.address.rstrip('/')}/api/v1/", address)
        if not url.startswith(f"{self.address.rstrip('/')}/"):
            raise ValueError("The token is for this server alone.")
        request = Request(url, body, {"Authorization": f"Token {self.token}", **head}, method=method)
        # What is sent twice is stored twice, unless it has a key.
        again = method in ("GET", "HEAD") or "Idempotency-Key" in head
        for left in reversed(range(self.tries)):
            try:
                with urlopen(request, timeout=self.timeout) as answer:
                    return answer.read(), dict(answer.headers)
            except HTTPError as refused:
                if refused.code == 304:
                    return None, dict(refused.headers)
                error = _error(refused)
                if not left or not (error.wait and error.wait <= self.timeout):
                    raise error from None
                time.sleep(error.wait)
            except URLError:
                if not (left and again):
                    raise
                time.sleep(1)
        raise AssertionError("tries is at least 1")


def _key(given: str) -> dict[str, str]:
    return {"Idempotency-Key": given or uuid.uuid4().hex}


def _wait(seconds: int) -> dict[str, str]:
    return {"Prefer": f"wait={seconds}"} if seconds else {}


def _error(refused: HTTPError) -> ApiError:
    try:
        said = json.loads(refused.read())["error"]
    except (ValueError, KeyError, TypeError):
        said = {"code": "unknown", "message": refused.reason}
    return ApiError(refused.code, said, int(refused.headers.get("Retry-After", 0)))


def _written(said: Said) -> dict[str, str]:
    """As a form and an address have it: null is empty, true and false are in small letters."""
    texts = {name: "" if value is None else str(value) for name, value in said.items() if value is not UNSAID}
    return {name: text.lower() if isinstance(said[name], bool) else text for name, text in texts.items()}


def _form(boundary: str, photo: bytes, name: str, said: Mapping[str, str]) -> bytes:
    lines = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
        for field, value in said.items()
    ]
    safe = name.replace('"', "").replace("\r", "").replace("\n", "")
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{safe}"\r\n'
    return b"".join([*lines, f"{head}\r\n".encode(), photo, f"\r\n--{boundary}--\r\n".encode()])
