"""A request to an address that a person has typed: to the public network alone, and to the very place looked at."""

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
SECONDS = 10
USER_AGENT = "SkinClinic-Webhook/1"
# Of an answer that is read; a longer one counts as none. Those about one row are short.
MOST_BYTES = 64 << 20
MOST_OF_A_ROW = 1 << 20


class NotSent(Exception):
    """Nothing arrived; ``code``: ``bad_address``, ``not_allowed``, ``no_such_host``, ``no_answer``, ``no_tls``."""

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code


def post(url: str, body: bytes, headers: Mapping[str, str], allowed: Iterable[Network] = ()) -> int:
    """Send it and return the status of the answer, whatever that is; no redirect is followed, nothing of the answer's
    body is read. https alone; http only into networks of ``allowed``, which may be private. The name is looked up once,
    and connected is to that very address. Raises NotSent."""
    return _asked("POST", url, body, headers, allowed, most=0)[0]


def ask(
    method: str,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    allowed: Iterable[Network] = (),
    *,
    seconds: float = SECONDS,
) -> tuple[int, dict[str, str], bytes]:
    """The same with another method, and (status, headers in small letters, body) of the answer. Raises NotSent, with
    ``no_answer`` also for one longer than ``MOST_BYTES``. ``seconds``: for each step of it."""  # fmt: skip
    return _asked(method, url, body, headers, allowed, most=MOST_BYTES, seconds=seconds)


def address_of(host: str, port: int, allowed: Iterable[Network]) -> str:
    """The address of a machine that is talked to without TLS, which must lie in networks of ``allowed``. Raises
    NotSent."""
    return str(_address_of(host, port, list(allowed), needs_allowed=True))


def _asked(
    method: str, url: str, body: bytes | None, headers: Mapping[str, str], allowed: Iterable[Network], *, most: int,
    seconds: float = SECONDS,
) -> tuple[int, dict[str, str], bytes]:  # fmt: skip
    parts, host, port = _parts(url)
    where = _address_of(host, port, list(allowed), needs_allowed=parts.scheme == "http")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = _connection(parts.scheme, host, port, str(where), seconds)
    try:
        connection.request(method, target, body, {"User-Agent": USER_AGENT, **headers})
        answer = connection.getresponse()
        found = answer.read(most + 1) if most else b""
        if most and len(found) > most:
            raise NotSent("no_answer")
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, found
    except ssl.SSLError:
        raise NotSent("no_tls") from None
    except (OSError, http.client.HTTPException):
        raise NotSent("no_answer") from None
    finally:
        connection.close()


def fetch(
    url: str, headers: Mapping[str, str], body: bytes | None = None, allowed: Iterable[Network] = ()
) -> tuple[int, bytes]:
    """(status, body) of the answer to GET, or to POST where there is a ``body``, of ``MOST_OF_A_ROW`` bytes at most;
    within the same bounds as ``post``. Raises NotSent."""
    method = "GET" if body is None else "POST"
    status, _headers, content = _asked(method, url, body, headers, allowed, most=MOST_OF_A_ROW)
    return status, content


def require_address(url: str) -> None:
    """Raise NotSent where this is no address of a web server, whatever its name leads to."""
    _parts(url)


def require_possible(url: str, allowed: Iterable[Network]) -> None:
    """Raise NotSent where nothing can ever be sent: no address of a web server, http while no network is allowed, or an
    address, written in numbers, that lies in none. No name is asked for: what a name means may change, and where this
    runs it may not be known."""
    parts, host, port = _parts(url)
    require_possible_host(host, port, allowed, needs_allowed=parts.scheme == "http")


def require_possible_host(
    host: str, port: int, allowed: Iterable[Network], *, needs_allowed: bool = True
) -> None:
    """The same of a machine; ``needs_allowed``: it is talked to without TLS. Raises NotSent."""
    networks = list(allowed)
    if needs_allowed and not networks:
        raise NotSent("not_allowed")
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        host = "127.0.0.1"
    try:
        _address_of(host, port, networks, needs_allowed=needs_allowed, flags=socket.AI_NUMERICHOST)
    except NotSent as error:
        if error.code == "not_allowed":
            raise


def _parts(url: str):
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise NotSent("bad_address") from None
    wrong = parts.scheme not in ("http", "https") or not host or parts.username or parts.password
    if wrong or not url.isascii() or any(sign.isspace() or not sign.isprintable() for sign in url):
        raise NotSent("bad_address")
    return parts, host, port or (443 if parts.scheme == "https" else 80)


def _address_of(
    host: str, port: int, allowed: list[Network], *, needs_allowed: bool, flags: int = 0
) -> Address:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    except (OSError, UnicodeError):
        raise NotSent("no_such_host") from None
    addresses = [_plain(ipaddress.ip_address(str(entry[4][0]).partition("%")[0])) for entry in found]
    if not addresses:
        raise NotSent("no_such_host")
    # All of them: which one a name gives first is its owner's choice.
    for address in addresses:
        is_allowed = any(address in network for network in allowed if network.version == address.version)
        if not is_allowed and (needs_allowed or not is_public(address)):
            raise NotSent("not_allowed")
    return addresses[0]


def _plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for."""
    if isinstance(address, ipaddress.IPv6Address):
        return address.ipv4_mapped or address.sixtofour or address
    return address


def is_public(address: Address) -> bool:
    """Whether it is an address of the public network, and of one machine."""
    in_nat64 = isinstance(address, ipaddress.IPv6Address) and address in ipaddress.ip_network("64:ff9b::/96")
    return address.is_global and not address.is_multicast and not in_nat64


def _connection(
    scheme: str, host: str, port: int, address: str, seconds: float
) -> http.client.HTTPConnection:
    if scheme == "http":
        return _To(host, port, address, seconds)
    return _ToTls(host, port, address, seconds)


class _To(http.client.HTTPConnection):
    """Connects to an address that was looked at, whatever the name means by now."""

    def __init__(self, host: str, port: int, address: str, seconds: float):
        super().__init__(host, port, timeout=seconds)
        self.address = address

    def connect(self) -> None:
        self.sock = socket.create_connection((self.address, self.port), self.timeout)


class _ToTls(_To):
    default_port = http.client.HTTPS_PORT

    def connect(self) -> None:
        super().connect()
        self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)
