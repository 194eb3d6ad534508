"""The one door for files from outside: nothing is read or kept that the virus scanner has not seen, where there is one.

Files of forms and of the API come to it by themselves (``web/uploads.py``); whoever takes files in from elsewhere
(imports, commands) calls ``check``. Never inside a transaction: it waits for the network.
"""

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.conf import settings
from django.core import checks
from django.utils.translation import gettext as _

from skinclinic import imaging
from skinclinic.files import clamd
from skinclinic.models import Clinic
from skinclinic.services import audit
from skinclinic.services.identifying import kept_file_name
from skinclinic.web.come_back import ComeBack

log = logging.getLogger(__name__)
RETRY_SECONDS = 30
PIECE = 1 << 20


class Infected(imaging.PhotoRejected):
    """The scanner found something in a file; wherever it was on its way to, it is refused as a photo would be."""

    def __init__(self, name: str, found: str):
        super().__init__("infected", name=name, found=found)
        self.name, self.found = name, found

    @property
    def words(self) -> str:
        """Which file, and why, in the reader's language."""
        return f"{self.name}: " + _(imaging.MESSAGES["infected"]) % {"found": self.found}


class NotScanned(ComeBack):
    """The scanner does not answer, and nothing is kept without it."""

    def __init__(self) -> None:
        super().__init__(
            "not_scanned",
            _(
                "The virus scanner does not answer, and no file is kept without it. Nothing was stored; try again "
                "in a minute. If it stays so, tell whoever runs this server."
            ),
            RETRY_SECONDS,
        )


def is_on() -> bool:
    return bool(settings.VIRUS_SCANNER)


def check(pieces: Iterable[bytes], name: str, *, clinic: Clinic | None = None) -> None:
    """Have a file looked through; at once where there is no scanner. Raises Infected, NotScanned.

    ``name``: what its sender calls it; ``clinic``: else that of who acts.
    """
    if not is_on():
        return
    shown = "".join(filter(str.isprintable, name))[-200:]
    # In the audit no name of a person.
    facts = {"file": kept_file_name(shown, numbers=True)}
    try:
        found = clamd.found_in(
            clamd.Address.of(settings.VIRUS_SCANNER), pieces, seconds=settings.VIRUS_SCANNER_SECONDS
        )
    except clamd.NoAnswer as error:
        log.error("the virus scanner gives no answer: %s", error)
        if not settings.VIRUS_SCANNER_MAY_BE_AWAY:
            raise NotScanned from error
        audit.record("file.unscanned", clinic=clinic, facts=facts)
        return
    if found:
        found = "".join(filter(str.isprintable, found))[:100]
        audit.record("file.infected", clinic=clinic, facts={**facts, "found": found})
        raise Infected(shown, found)


def check_file(path: Path, *, clinic: Clinic | None = None) -> None:
    """``check`` of a file on this machine. Raises Infected, NotScanned, OSError."""
    if is_on():
        check(_pieces(path), path.name, clinic=clinic)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


@checks.register(checks.Tags.security, deploy=True)
def scanner_answers(app_configs, **kwargs) -> list[checks.CheckMessage]:
    """``manage.py check --deploy`` says when the scanner of the settings does not answer."""
    if not is_on() or clamd.is_there(clamd.Address.of(settings.VIRUS_SCANNER), seconds=5):
        return []
    return [
        checks.Warning(
            f"No virus scanner answers at {settings.VIRUS_SCANNER}.",
            hint="Files are refused until it does (or kept unscanned with VIRUS_SCANNER_MAY_BE_AWAY=1).",
            id="skinclinic.W001",
        )
    ]
