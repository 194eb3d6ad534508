"""The photos of an import, as its format has them."""

from pathlib import Path
from typing import Any

from skinclinic import imaging
from skinclinic.archive.formats.dicom_photos import DicomPhotos
from skinclinic.archive.formats.photo_sets import PhotoSet, open_photos
from skinclinic.archive.models import Import
from skinclinic.services import codes, decoding
from skinclinic.vocabulary.codes import SITE


def photos_of(row: Import) -> PhotoSet:
    """Raises PhotosRefused."""
    photos = open_photos(Path(row.photos) if row.photos else None)
    if row.format != Import.Format.DICOM:
        return photos
    known = [(code.triple(), code.concept) for code in codes.table(row.clinic).every() if code.kind == SITE]
    sites = {triple[:2]: site for triple, site in known if triple}
    return DicomPhotos(photos, _look, str(row.clinic.uid_namespace), sites)


def _look(data: bytes, with_picture: bool) -> tuple[dict[str, Any], bytes]:
    try:
        return decoding.dicom(data, with_picture=with_picture)
    except imaging.PhotoRejected as rejected:
        said = {"why": imaging.MESSAGES[rejected.code] % rejected.params}
        return {"problem": "damaged", "said": said}, b""
