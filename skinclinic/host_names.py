"""Addresses of hosts are found within seconds, or not at all, whichever library asks.

What limits a connection (a timeout of sockets, of requests, of boto3) does not hold for looking up the name it goes to:
where a name server is silent, the system asks each it knows again and again, for half a minute and longer, and the
thread of a page waits with it. So that is done in a thread of its own, which is left to itself after some seconds; who
asks is told what the system tells when no name server answers. While such a question hangs, nobody asks it again.
"""

import ipaddress
import socket
import sys
import threading
from concurrent.futures import Future
from typing import Any

# A name that nobody near knows may take its name server a second or two.
SECONDS = 3.0

_own = socket.getaddrinfo
_hanging: dict[Any, threading.Thread] = {}


def look_up(
    host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
) -> list[tuple[Any, ...]]:
    """``socket.getaddrinfo`` within ``SECONDS``. Raises gaierror (EAI_AGAIN) where that does not do."""
    if _is_number(host) or flags & socket.AI_NUMERICHOST:
        return _own(host, port, family, type, proto, flags)
    # Who listens for it listens in the thread that asks.
    sys.audit("socket.getaddrinfo", host, port, family, type, proto)
    if (hangs := _hanging.get(host)) and hangs.is_alive():
        raise _silent(host)
    told: Future[list[tuple[Any, ...]]] = Future()

    def ask() -> None:
        try:
            told.set_result(_own(host, port, family, type, proto, flags))
        except BaseException as error:  # noqa: BLE001 - of the thread that waits
            told.set_exception(error)
        finally:
            _hanging.pop(host, None)

    thread = threading.Thread(target=ask, name="host-name", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # no room for a thread, or the process ends
        return _own(host, port, family, type, proto, flags)
    try:
        return told.result(SECONDS)
    except TimeoutError:
        if told.done():
            raise
        _hanging[host] = thread
        raise _silent(host) from None


def keep() -> None:
    """From now on let whoever looks up a name by Python's ``socket`` do it this way."""
    socket.getaddrinfo = look_up


def _is_number(host: Any) -> bool:
    if not host:
        return True
    try:
        ipaddress.ip_address(host.decode() if isinstance(host, bytes) else host)
    except ValueError:
        return False
    return True


def _silent(host: Any) -> socket.gaierror:
    return socket.gaierror(socket.EAI_AGAIN, f"no name server answers for {host!s:.100}")
