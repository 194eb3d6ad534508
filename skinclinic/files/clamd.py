"""ClamAV's daemon, asked about bytes that are streamed to it (INSTREAM). Pure: no Django.

A client of our own: the protocol is one command, chunks with their length before them and one line of answer
(clamd(8)); the package ``clamd`` of the index was last released in 2014 and needs setuptools at run time.
"""

import contextlib
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

PORT = 3310
PIECE = 1 << 17
LONGEST_ANSWER = 4096


class NoAnswer(Exception):
    """The scanner cannot be reached, or says something other than that a file is clean or infected."""


@dataclass(frozen=True)
class Address:
    """``path`` of a socket of this machine, or ``host`` and ``port``."""

    path: str = ""
    host: str = ""
    port: int = PORT

    @classmethod
    def of(cls, text: str) -> "Address":
        """``clamd://host:port`` (the port may be left out) or ``unix:///path/of/the/socket``. Raises ValueError."""
        parts = urlsplit(text)
        if parts.scheme == "unix" and not parts.netloc and parts.path.startswith("/"):
            return cls(path=parts.path)
        if parts.scheme == "clamd" and parts.hostname and parts.path in ("", "/"):
            return cls(host=parts.hostname, port=parts.port or PORT)
        raise ValueError(f"{text!r} is neither clamd://host:port nor unix:///path")


def found_in(address: Address, pieces: Iterable[bytes], *, seconds: float) -> str:
    """What the scanner calls the virus in these bytes; "" if there is none. ``seconds``: that each step may take.

    Raises NoAnswer, also for a file larger than the scanner takes (its StreamMaxLength), and what ``pieces`` raises.
    """
    with _connected(address, seconds) as connection:
        # Who takes no more has answered already, why.
        with contextlib.suppress(_Cut):
            _send(connection, pieces)
        answer = _answer(connection)
    said = answer.removeprefix("stream: ")
    if said == "OK":
        return ""
    if said.endswith(" FOUND"):
        return said.removesuffix(" FOUND")
    raise NoAnswer(answer or "it closed the connection")


def is_there(address: Address, *, seconds: float) -> bool:
    """Whether a scanner answers there."""
    try:
        with _connected(address, seconds) as connection:
            connection.sendall(b"zPING\0")
            return _answer(connection) == "PONG"
    except (NoAnswer, OSError):
        return False


class _Cut(Exception):
    """The other side takes no more."""


def _connected(address: Address, seconds: float) -> socket.socket:
    try:
        if not address.path:
            return socket.create_connection((address.host, address.port), timeout=seconds)
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(seconds)
            connection.connect(address.path)
        except OSError:
            connection.close()
            raise
    except OSError as error:
        raise NoAnswer(str(error)) from error
    return connection


def _send(connection: socket.socket, pieces: Iterable[bytes]) -> None:
    _out(connection, b"zINSTREAM\0")
    for piece in pieces:
        for start in range(0, len(piece), PIECE):
            part = piece[start : start + PIECE]
            _out(connection, struct.pack("!L", len(part)) + part)
    _out(connection, struct.pack("!L", 0))


def _out(connection: socket.socket, data: bytes) -> None:
    try:
        connection.sendall(data)
    except TimeoutError as error:
        raise NoAnswer(str(error)) from error
    except OSError as error:
        raise _Cut from error


def _answer(connection: socket.socket) -> str:
    answer = b""
    try:
        while b"\0" not in answer and len(answer) < LONGEST_ANSWER and (more := connection.recv(1024)):
            answer += more
    except OSError as error:
        raise NoAnswer(str(error)) from error
    return answer.partition(b"\0")[0].decode("utf-8", "replace").strip()
