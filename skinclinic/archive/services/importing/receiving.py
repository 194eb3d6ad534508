"""Photos that another system sends by DICOM (C-STORE), or that are fetched from it by DICOMweb: each is looked at and
kept in an import of its clinic, which is checked when all have come. Nothing is written to the archive, let alone a
case, before a curator starts it.

What is not taken is refused while the sender listens, with the reason: nothing is taken and lost.
"""

import logging
import threading
from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from django.db import close_old_connections, connection
from django.utils.translation import gettext as _

from skinclinic.archive.formats.dicom_photos import MOST_BYTES
from skinclinic.archive.models import Import
from skinclinic.archive.services.importing import imports
from skinclinic.archive.services.importing.room import room
from skinclinic.dicom import web
from skinclinic.dicom.kinds import PHOTOS, SYNTAXES
from skinclinic.dicom.network import VERIFICATION
from skinclinic.files import whole
from skinclinic.files.reasons import reason
from skinclinic.imaging import PhotoRejected
from skinclinic.models import Clinic, ImageArchive
from skinclinic.services import audit, decoding, image_archives, quotas
from skinclinic.web.outgoing import Network

log = logging.getLogger(__name__)
# Of an import: where it keeps what comes.
FOLDER = "received"
# Statuses of PS3.4 B.2.3.
SUCCESS, NO_ROOM, NOT_UNDERSTOOD = 0x0000, 0xA700, 0xC000


@dataclass
class _Batch:
    """What came through one connection."""

    row: Import
    count: int = 0


@dataclass
class Receiver:
    """``clinics``: {AE title: the clinic that is called so}; ``networks``: from where connections are taken."""

    clinics: Mapping[str, Clinic]
    networks: Iterable[Network]
    _batches: dict[int, _Batch] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, address: str, port: int) -> Any:
        """A server that listens in threads of its own, to be ended with ``shutdown``. Raises OSError."""
        from pynetdicom import AE, evt

        entity = AE()
        entity.require_called_aet = False
        entity.maximum_associations = 4
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 30
        entity.add_supported_context(VERIFICATION)
        for kind in PHOTOS:
            entity.add_supported_context(kind, list(SYNTAXES))
        return entity.start_server(
            (address, port),
            block=False,
            evt_handlers=[
                (evt.EVT_REQUESTED, self._requested),
                (evt.EVT_C_STORE, self._store),
                (evt.EVT_CONN_CLOSE, self._closed),
            ],
        )

    def _requested(self, event: Any) -> None:
        """Turn away who calls nobody here, or from elsewhere."""
        association = event.assoc
        address = ip_address(association.requestor.address)
        called = str(association.requestor.primitive.called_ae_title).strip()
        is_near = any(address in one for one in self.networks if one.version == address.version)
        if not is_near or called not in self.clinics:
            log.warning("a DICOM connection was turned away: %s", "address" if not is_near else "AE title")
            # Permanently, by the user of the service: the called title is not known (7), or no reason is given (1).
            association.acse.send_reject(0x01, 0x01, 0x07 if is_near else 0x01)
            association.kill()

    def _store(self, event: Any) -> Any:
        with _own_connection():
            try:
                return self._taken(event)
            except (OSError, quotas.OverQuota) as error:
                log.error("a DICOM photo was not taken: %s", error)
                return _status(NO_ROOM, reason(error) if isinstance(error, OSError) else str(error))

    def _taken(self, event: Any) -> Any:
        data = event.encoded_dataset()
        if len(data) > MOST_BYTES:
            return _status(NOT_UNDERSTOOD, "too large")
        if reason := _reason_against(data):
            return _status(NOT_UNDERSTOOD, reason)
        batch = self._batch(event.assoc)
        quotas.check_bytes(room(batch.row.clinic), len(data))
        with self._lock:
            batch.count += 1
            number = batch.count
        with whole.whole_file(Path(batch.row.photos) / f"{number:06d}.dcm") as file:
            file.write(data)
        return SUCCESS

    def _batch(self, association: Any) -> _Batch:
        with self._lock:
            if id(association) not in self._batches:
                title = str(association.requestor.primitive.called_ae_title).strip()
                row = _begun(self.clinics[title], _("Sent by DICOM to %(title)s") % {"title": title}, title)
                self._batches[id(association)] = _Batch(row)
            return self._batches[id(association)]

    def _closed(self, event: Any) -> None:
        """Have what came checked; whoever reads the list of imports sees it."""
        with self._lock:
            batch = self._batches.pop(id(event.assoc), None)
        if batch:
            with _own_connection():
                if batch.count:
                    imports.request_check(batch.row)
                else:
                    imports.discard(batch.row)


def fetch(archive: ImageArchive, patient: str) -> tuple[Import | None, list[str]]:
    """Fetch the photos that an image archive has of a patient, by DICOMweb, into an import that is checked next.

    Returns it, None where there was nothing to take, and what was not taken, each with the reason. ``patient``: its
    id there, not a pattern. Raises outgoing.NotSent, web.NotTaken, OSError, OverQuota; what was fetched until then
    stays in the import.
    """
    row: Import | None = None
    refused: list[str] = []
    found = web.search(image_archives.ask, archive.url, PatientID=patient)
    if len(found) >= web.MOST:
        refused.append(f"the archive has {web.MOST} objects of the patient or more; those after them")
    for one in found:
        uids = [web.value_of(one, tag) for tag in (web.STUDY, web.SERIES, web.SOP_INSTANCE)]
        if web.value_of(one, web.SOP_CLASS) not in PHOTOS:
            refused.append(f"{uids[2]}: no photo")
            continue
        data = web.fetch(image_archives.ask, archive.url, uids[0], uids[1], uids[2])
        if reason := "too large" if len(data) > MOST_BYTES else _reason_against(data):
            refused.append(f"{uids[2]}: {reason}")
            continue
        row = row or _begun(
            archive.clinic, _("Fetched from %(name)s") % {"name": archive.name}, archive.where
        )
        quotas.check_bytes(room(archive.clinic), len(data))
        with whole.whole_file(
            Path(row.photos) / f"{len(list(Path(row.photos).iterdir())) + 1:06d}.dcm"
        ) as file:
            file.write(data)
    if row:
        imports.request_check(row)
    return row, refused


def _begun(clinic: Clinic, name: str, where: str) -> Import:
    """An import with a folder for what comes."""
    row = imports.begin(
        clinic=clinic, user=None, name=name, format=Import.Format.DICOM, role="both", photos=""
    )
    row.photos = str(imports.folder(row) / FOLDER)
    Path(row.photos).mkdir(parents=True, exist_ok=True)
    row.save(update_fields=["photos"])
    audit.record("import.received", row, facts={"where": where})
    return row


def _reason_against(data: bytes) -> str:
    """Why the photo cannot be one of an import, in the words of the system; "" where it can."""
    try:
        said, _picture = decoding.dicom(data, with_picture=True)
    except PhotoRejected as rejected:
        return rejected.code
    problem = str(said["problem"])
    return _TOLD.get(problem, problem) or ("burnt in annotation" if said["burnt_in"] else "")


# An Error Comment has at most 64 letters, of English alone.
_TOLD = {
    "damaged": "cannot be read as DICOM",
    "letters": "patient ID or diagnosis not in the character set it names",
    "no_photo": "no photo",
    "frames": "several frames",
    "syntax": "transfer syntax that is not read",
    "no_picture": "no pixel data",
    "pixels": "too many pixels",
    "bits": "more than 8 bits a colour",
}


def _status(code: int, reason: str) -> Any:
    from pydicom.dataset import Dataset

    said = Dataset()
    said.Status, said.ErrorComment = code, reason[:64]
    return said


@contextmanager
def _own_connection():
    """Threads of the server come and go; each leaves no connection to the database behind."""
    close_old_connections()
    try:
        yield
    finally:
        if not connection.in_atomic_block:
            connection.close()
