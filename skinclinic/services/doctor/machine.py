"""What is around the program: versions, disk, permissions, mail, TLS."""

import os
import pwd
import re
import shutil
import socket
import ssl
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import get_connection

from skinclinic.services import mail
from skinclinic.services.doctor.findings import Finding, check, failure, ok, warn

OLDEST, NEWEST = (3, 11), (3, 14)
_LISTS = ("requirements-web.txt",)
_GIGABYTE = 1 << 30
LITTLE, TOO_LITTLE = 10 * _GIGABYTE, _GIGABYTE
_SECONDS = 5.0
_DAYS_BEFORE = 21


@check("versions")
def versions() -> Iterator[Finding]:
    here = sys.version_info[:2]
    said = ".".join(map(str, sys.version_info[:3]))
    if OLDEST <= here <= NEWEST:
        yield ok("versions", f"Python {said}, SkinClinic {settings.SPECTACULAR_SETTINGS['VERSION']}")
    else:
        yield failure("versions", f"Python {said} is not supported", "Install Python 3.11 to 3.14.")
    wrong = []
    for name in _LISTS:
        for package, wanted in _pinned(settings.BASE_DIR / "docker" / name):
            try:
                found = version(package)
            except PackageNotFoundError:
                found = "missing"
            if found != wanted:
                wrong.append(f"{package} {found} instead of {wanted}")
    if wrong:
        yield warn(
            "versions", f"other packages than were tested: {', '.join(wrong)}",
            "Install what is pinned: `make`, or rebuild the images.",
        )  # fmt: skip


def _pinned(path: Path) -> list[tuple[str, str]]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    return re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==([\w.]+)", text, re.M)


@check("disk")
def disk() -> Iterator[Finding]:
    for name, folder in {"home": settings.SKINCLINIC_HOME, "tmp": Path(tempfile.gettempdir())}.items():
        if not folder.is_dir():
            yield failure(
                "disk", f"{folder} is not there", "Make it, or mount the volume; set SKINCLINIC_HOME."
            )
            continue
        free = shutil.disk_usage(folder).free
        said = f"{free / 1e9:,.1f} GB free in {folder}"
        if free < TOO_LITTLE and name == "home":
            yield failure("disk", said, "Make room now: photos are about to be refused.")
        elif free < (LITTLE if name == "home" else TOO_LITTLE):
            yield warn("disk", said, "Make room, or give it a larger disk.")
        else:
            yield ok("disk", said)
        try:
            with tempfile.NamedTemporaryFile(dir=folder, prefix=".draft-doctor-"):
                pass
        except OSError as error:
            yield failure(
                "disk", f"{folder} cannot be written: {error.strerror}",
                f"Run this as the user of the program ({_user(folder)}), or give the folder to that user.",
            )  # fmt: skip


@check("encryption")
def encryption() -> Iterator[Finding]:
    if settings.EMBEDDED:
        return
    home = settings.SKINCLINIC_HOME
    if settings.DISK_ENCRYPTED:
        yield ok("encryption", "the disk is encrypted, as DISK_ENCRYPTED says")
    elif home.is_dir() and is_encrypted(home):
        yield ok("encryption", f"{home} lies on an encrypted device (dm-crypt)")
    else:
        yield warn(
            "encryption", f"{home} lies on no device that this machine encrypts",
            "Put it, PostgreSQL's folder and the backups on LUKS (docs/backup.md). Where a cloud or a storage network "
            "encrypts the disk, set DISK_ENCRYPTED=1.",
        )  # fmt: skip


def is_encrypted(folder: Path, devices: Path = Path("/sys/dev/block")) -> bool:
    """Whether the file system of the folder lies on dm-crypt, at whatever depth (LVM on LUKS)."""
    number = folder.stat().st_dev
    waiting = [devices / f"{os.major(number)}:{os.minor(number)}"]
    while waiting:
        device = waiting.pop()
        try:
            if (device / "dm" / "uuid").read_text(encoding="ascii").startswith("CRYPT-"):
                return True
        except OSError:
            pass  # no device mapper
        waiting += (device / "slaves").iterdir() if (device / "slaves").is_dir() else []
    return False


@check("permissions")
def permissions() -> Iterator[Finding]:
    home = settings.SKINCLINIC_HOME
    if not home.is_dir():
        return
    mode = stat.S_IMODE(home.stat().st_mode)
    wanted = 0o710 if settings.SHARED_GROUP else 0o700
    wrong = False
    if mode & ~wanted:
        wrong = True
        yield failure(
            "permissions", f"others on this machine get into {home} ({mode:04o})", f"chmod {wanted:o} {home}"
        )
    if home.stat().st_uid != os.geteuid():
        wrong = True
        yield warn(
            "permissions", f"{home} belongs to {_user(home)}, and this runs as another user",
            f"Run the program, and this, as {_user(home)}.",
        )  # fmt: skip
    key = home / "secret_key"
    if key.exists() and stat.S_IMODE(key.stat().st_mode) & 0o077:
        wrong = True
        yield failure("permissions", f"others may read {key}", f"chmod 600 {key}")
    if not wrong:
        yield ok("permissions", f"{home} is closed to others ({mode:04o})")


def _user(path: Path) -> str:
    try:
        return pwd.getpwuid(path.stat().st_uid).pw_name
    except KeyError:
        return str(path.stat().st_uid)


@check("settings")
def production() -> Iterator[Finding]:
    if settings.DEBUG:
        yield failure("settings", "DEBUG is on: pages show what goes on inside", "Unset DEBUG.")
    elif settings.EMBEDDED:
        yield ok("settings", "one machine, without PostgreSQL, Redis and proxy")
    else:
        yield ok("settings", "production")


@check("mail")
def mails() -> Iterator[Finding]:
    if not mail.can_mail():
        yield warn(
            "mail", "there is no mail server: nobody is told of anything, links show on pages",
            "Set EMAIL_URL, such as smtp+tls://user:password@mail.example.org:587.",
        )  # fmt: skip
        return
    connection = get_connection()
    try:
        connection.open()
        connection.close()
    except OSError as error:
        yield failure(
            "mail", f"the mail server does not take us: {error}",
            "Look at EMAIL_URL (name, port, password, tls) and at the firewall, from the machine of the mailer.",
        )  # fmt: skip
    else:
        yield ok("mail", f"the mail server answers ({getattr(connection, 'host', settings.EMAIL_BACKEND)})")


@check("TLS")
def tls() -> Iterator[Finding]:
    if settings.EMBEDDED:
        yield ok("TLS", "none: this installation is for one machine (127.0.0.1)")
        return
    address = urlsplit(settings.PUBLIC_ADDRESS)
    if address.scheme != "https" or not address.hostname:
        yield failure(
            "TLS", "no address that begins with https:// is set",
            "Set CSRF_TRUSTED_ORIGINS (or PUBLIC_ADDRESS) to the address people open.",
        )  # fmt: skip
        return
    try:
        ends = _certificate_ends(address.hostname, address.port or 443)
    except ssl.SSLError as error:
        yield failure(
            "TLS", f"the certificate of {address.hostname} is not good: {getattr(error, 'verify_message', error)}",
            "Put a new certificate, with the chain of its authority, where the proxy has it (docker/tls, "
            "/etc/nginx/tls) and reload the proxy.",
        )  # fmt: skip
    except OSError as error:
        yield warn(
            "TLS", f"{address.netloc} does not answer from here: {error}",
            "Look whether the proxy runs; if this machine may not reach it, ask from another one.",
        )  # fmt: skip
    else:
        days = int((ends - time.time()) // 86_400)
        said = f"the certificate of {address.hostname} is good for {days} days"
        if days < _DAYS_BEFORE:
            yield warn(
                "TLS",
                said,
                "Renew it, put it where the proxy has it (docker/tls, /etc/nginx/tls) and `nginx -s reload`.",
            )
        else:
            yield ok("TLS", said)


def _certificate_ends(host: str, port: int) -> float:
    """When, in seconds since 1970. Raises ssl.SSLError where browsers would warn, OSError where nothing answers."""
    context = ssl.create_default_context()
    with (
        socket.create_connection((host, port), _SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        found = secured.getpeercert() or {}
    return ssl.cert_time_to_seconds(str(found["notAfter"]))
