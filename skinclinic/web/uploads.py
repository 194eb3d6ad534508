"""Files of forms: whoever reads one first has the virus scanner look through it, whichever view that is."""

from typing import IO, Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import MemoryFileUploadHandler, TemporaryFileUploadHandler

from skinclinic.services import scanning

PIECE = 1 << 16


class ScannedUpload(UploadedFile):
    """A file that arrived. Its content cannot be had without the scan, at the first reading. Raises what
    ``scanning.check`` raises then, every time.

    ``unscanned``: for an archive, whose files are looked through one by one before they are read.
    """

    def __init__(self, arrived: UploadedFile):
        self._arrived, self._is_clean = arrived, False
        super().__init__(
            None,
            arrived.name,
            arrived.content_type,
            arrived.size,
            arrived.charset,
            arrived.content_type_extra,
        )

    @property
    def unscanned(self) -> UploadedFile:
        return self._arrived

    @property
    def file(self) -> IO[Any] | None:
        if not self._is_clean:
            scanning.check(self._pieces(), self.name or "")
            self._arrived.seek(0)
            self._is_clean = True
        return self._arrived.file

    @file.setter
    def file(self, value: IO[Any] | None) -> None:
        """``File`` sets what it was given; this one has what arrived."""

    def _pieces(self):
        self._arrived.seek(0)
        while piece := self._arrived.read(PIECE):
            yield piece

    def close(self) -> None:
        self._arrived.close()


class InMemory(MemoryFileUploadHandler):
    def file_complete(self, file_size):
        return _scanned(super().file_complete(file_size))


class OnDisk(TemporaryFileUploadHandler):
    def file_complete(self, file_size):
        return _scanned(super().file_complete(file_size))


def _scanned(arrived: UploadedFile | None) -> UploadedFile | None:
    return ScannedUpload(arrived) if arrived is not None and scanning.is_on() else arrived
