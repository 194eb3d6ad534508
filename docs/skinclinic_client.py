"""A small client of the SkinClinic API, of Python's own library alone: copy this file. Python 3.11 or newer.

What answers hold is said by the types below; tests hold them, and every address, against the schema of the server.
"""

import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urljoin
from urllib.request import Request, urlopen

State = Literal["queued", "running", "done", "failed"]
Kind = Literal["close_up", "dermoscopic", "overview"]


class AnalysisState(TypedDict):
    id: int
    url: str
    state: State


class PatientOfPhoto(TypedDict):
    id: int
    code: str
    is_new: bool


class AnalysedPhoto(TypedDict):
    """A photo. ``captured_at``: by the camera's clock."""

    id: int
    clinic: str
    lesion: int
    kind: Kind
    captured_at: str | None
    width: int
    height: int
    image: str
    thumbnail: str
    crop: str
    analysis: AnalysisState | None


class ArrivedPhoto(AnalysedPhoto):
    """The answer to a photo that was sent."""

    duplicate: bool
    not_taken: list[str]
    patient: PatientOfPhoto | None


class AnalysisFiles(TypedDict):
    square: str
    heatmaps: dict[str, str] | None
    panels: str | None
    report: str | None


class Listed(TypedDict):
    disease: str
    score: float
    threshold: float


class Analysis(TypedDict):
    """``scores``, ``differential`` and files are None until there is an answer that you may see."""

    id: int
    photo: int
    state: State
    model: str
    demo_model: bool
    impression_first: bool
    set_aside: str
    scores: dict[str, float] | None
    differential: dict[str, list[Listed]] | None
    files: AnalysisFiles


class ApiError(Exception):
    """What the server refused: ``status``, a stable ``code``, ``fields`` that are wrong, ``wait`` seconds."""

    def __init__(self, status: int, error: dict[str, Any], wait: int = 0):
        super().__init__(f"{status} {error.get('code')}: {error.get('message')}")
        self.status, self.code, self.wait = status, str(error.get("code", "")), wait
        self.fields: dict[str, list[str]] = error.get("fields", {})


@dataclass
class Client:
    """``address`` of the server, such as https://skin.example.org. Raises ApiError, and OSError without an answer."""

    address: str
    token: str
    timeout: float = 60
    tries: int = 3
    _tags: dict[str, str] = field(default_factory=dict, repr=False)

    def send_photo(
        self, photo: bytes, name: str, *, key: str = "", wait: int = 0, **said: str | int
    ) -> ArrivedPhoto:
        """Store a photo with what is known of it: ``patient_code``, ``site``, ``captured_at``, ``kind``, ``lesion``,
        ``clinic``. Sent again with the same key where the network fails, so that it is stored once."""
        boundary = uuid.uuid4().hex
        head = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        head |= {"Idempotency-Key": key or uuid.uuid4().hex} | ({"Prefer": f"wait={wait}"} if wait else {})
        answer: ArrivedPhoto = self._json("POST", "photos/", _form(boundary, photo, name, said), head)
        return answer

    def photo(self, pk: int) -> AnalysedPhoto:
        answer: AnalysedPhoto = self._json("GET", f"photos/{pk}/")
        return answer

    def analysis(self, pk: int, *, wait: int = 0) -> Analysis:
        """``wait``: seconds to wait at most until it is done, 10 or fewer."""
        answer: Analysis = self._json(
            "GET", f"analyses/{pk}/", None, {"Prefer": f"wait={wait}"} if wait else {}
        )
        return answer

    def analyses(self, **filters: str | int) -> Iterator[Analysis]:
        """All analyses, page by page, newest first; ``photo``, ``photo__lesion``, ``job__state`` … filter them."""
        address = "analyses/?" + urlencode(filters)
        while address:
            page = self._json("GET", address)
            yield from page["results"]
            address = page["next"]

    def fetch(self, address: str) -> bytes | None:
        """A file; None where it is the same that this client fetched before."""
        tag = self._tags.get(address)
        content, head = self._ask("GET", address, None, {"If-None-Match": tag} if tag else {})
        self._tags[address] = head.get("ETag", "")
        return content

    def _json(
        self, method: str, address: str, body: bytes | None = None, head: dict[str, str] | None = None
    ) -> Any:
        content, _head = self._ask(method, address, body, head or {})
        return json.loads(content or b"null")

    def _ask(
        self, method: str, address: str, body: bytes | None, head: dict[str, str]
    ) -> tuple[bytes | None, dict[str, str]]:
        url = urljoin(f"{self.address.rstrip('/')}/api/v1/", address)
        if not url.startswith(f"{self.address.rstrip('/')}/"):
            raise ValueError("The token is for this server alone.")
        request = Request(url, body, {"Authorization": f"Token {self.token}", **head}, method=method)
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
                if not left:
                    raise
                time.sleep(1)
        raise AssertionError("tries is at least 1")


def _error(refused: HTTPError) -> ApiError:
    try:
        said = json.loads(refused.read())["error"]
    except (ValueError, KeyError, TypeError):
        said = {"code": "unknown", "message": refused.reason}
    return ApiError(refused.code, said, int(refused.headers.get("Retry-After", 0)))


def _form(boundary: str, photo: bytes, name: str, said: dict[str, str | int]) -> bytes:
    lines = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
        for field, value in said.items()
    ]
    safe = name.replace('"', "").replace("\r", "").replace("\n", "")
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{safe}"\r\n'
    return b"".join([*lines, f"{head}\r\n".encode(), photo, f"\r\n--{boundary}--\r\n".encode()])
