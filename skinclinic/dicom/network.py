"""DICOM over the network as a client: is it there (C-ECHO), take these objects (C-STORE)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydicom.dataset import Dataset
    from pynetdicom.association import Association

VERIFICATION = "1.2.840.10008.1.1"
SECONDS = 15
SUCCESS, WARNINGS = 0x0000, (0xB000, 0xB006, 0xB007)


class NotStored(Exception):
    """``code``: ``no_answer``, ``rejected`` (it does not know our AE title or its own), ``kind_refused`` (it takes no
    objects of this kind), ``refused``; ``stored``: how many objects it took before."""

    def __init__(self, code: str, stored: int = 0):
        super().__init__(code)
        self.code, self.stored = code, stored


@dataclass(frozen=True)
class Peer:
    """``address``: an IP address that was looked at; AE titles of at most 16 characters."""

    address: str
    port: int
    called: str
    calling: str


def echo(peer: Peer) -> None:
    """Raises NotStored where it does not answer as it should."""
    with _associated(peer, [(VERIFICATION, [])]) as association:
        status = association.send_c_echo()
        if not status or status.Status != SUCCESS:
            raise NotStored("refused")


def store(peer: Peer, objects: "Sequence[Dataset]") -> int:
    """Have it take the objects, in one association; returns how many. Raises NotStored at the first it does not take.
    Each goes as it is: nothing is packed anew."""
    wanted: dict[str, set[str]] = {}
    for one in objects:
        wanted.setdefault(str(one.SOPClassUID), set()).add(str(one.file_meta.TransferSyntaxUID))
    contexts = [(kind, [syntax]) for kind, syntaxes in wanted.items() for syntax in sorted(syntaxes)]
    with _associated(peer, contexts) as association:
        taken = {
            (str(one.abstract_syntax), str(one.transfer_syntax[0])) for one in association.accepted_contexts
        }
        for number, one in enumerate(objects):
            if (str(one.SOPClassUID), str(one.file_meta.TransferSyntaxUID)) not in taken:
                raise NotStored("kind_refused", number)
            status = association.send_c_store(one)
            if not status:
                raise NotStored("no_answer", number)
            if status.Status != SUCCESS and status.Status not in WARNINGS:
                raise NotStored("refused", number)
    return len(objects)


@contextmanager
def _associated(peer: Peer, contexts: Sequence[tuple[str, list[str]]]) -> "Iterator[Association]":
    # Most processes send nothing.
    from pynetdicom import AE

    entity = AE(ae_title=peer.calling)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = entity.connection_timeout = SECONDS
    for kind, syntaxes in contexts:
        entity.add_requested_context(kind, syntaxes or None)
    association = entity.associate(peer.address, peer.port, ae_title=peer.called)
    if not association.is_established:
        # It hangs up where it takes none of the kinds.
        if association.rejected_contexts:
            raise NotStored("kind_refused")
        raise NotStored("rejected" if association.is_rejected else "no_answer")
    try:
        yield association
    finally:
        association.release()
