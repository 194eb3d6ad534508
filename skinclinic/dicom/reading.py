"""What a DICOM file of a photo says and shows. Called in a process with limits (``imaging/decoder.py``) alone: a file
from outside may be made to cost much.

Nothing that names a person is given back, but the names of the attributes that do.
"""

import struct
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames
from pydicom.errors import InvalidDicomError
from pydicom.filereader import _read_file_meta_info, read_preamble
from pydicom.multival import MultiValue
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import pixel_array
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    DermoscopicPhotographyImageStorage,
    JPEGBaseline8Bit,
)

from skinclinic.dicom import codes
from skinclinic.dicom.facts import DERMOSCOPIC, SEX
from skinclinic.dicom.kinds import PHOTOS
from skinclinic.imaging.intake import MAX_PIXELS
from skinclinic.imaging.profiles import SRGB, matrix_profile

# Beside all names of persons and all private attributes.
IDENTIFYING = (
    "AccessionNumber", "AdditionalPatientHistory", "AdmissionID", "CountryOfResidence", "CurrentPatientLocation",
    "DeviceSerialNumber", "EthnicGroup", "ImageComments", "InstitutionAddress", "InstitutionName",
    "InstitutionalDepartmentName", "InsurancePlanIdentification", "IssuerOfPatientID", "MilitaryRank", "Occupation",
    "OtherPatientIDs", "OtherPatientIDsSequence", "PatientAddress", "PatientBirthDate", "PatientBirthTime",
    "PatientComments", "PatientID", "PatientInsurancePlanCodeSequence", "PatientReligiousPreference",
    "PatientTelephoneNumbers", "PatientTelecomInformation", "RegionOfResidence", "RequestingService", "StationName",
    "StudyComments", "StudyID",
)  # fmt: skip
_DERMOSCOPY = (codes.DERMOSCOPY.value, codes.DERMOSCOPY.scheme)
_LARGEST_PROFILE = 65_000


class NotRead(Exception):
    """``code``: a key of the messages of ``archive/formats/dicom_photos.py``; ``said``: what fills them."""

    def __init__(self, code: str, **said: str):
        super().__init__(code)
        self.code, self.said = code, said


def read(data: bytes, *, with_picture: bool) -> tuple[dict[str, Any], bytes]:
    """(what the file says, the picture as JPEG or PNG; b"" where it was not asked for). Where it cannot be read,
    ``problem`` is a code, with ``said``."""
    try:
        dataset = _opened(data)
        said = _facts(dataset)
        return said, _picture(dataset) if with_picture else b""
    except NotRead as refused:
        return {"problem": refused.code, "said": refused.said}, b""
    except (MemoryError, OSError):
        raise
    except RecursionError:
        return {"problem": "damaged", "said": {"why": "nested too deeply"}}, b""
    except Exception as error:  # noqa: BLE001 - readers raise almost anything on damaged files
        return {"problem": "damaged", "said": {"why": str(error)[:80] or type(error).__name__}}, b""


def _opened(data: bytes) -> Dataset:
    """The data set, of a kind that holds a photo. One that is packed as a whole is not unpacked: it may grow without
    end."""
    file = BytesIO(data)
    try:
        read_preamble(file, False)
        syntax = _read_file_meta_info(file).get("TransferSyntaxUID", "")
    except (InvalidDicomError, EOFError, struct.error):
        raise NotRead("damaged", why="no header") from None
    if syntax == DeflatedExplicitVRLittleEndian:
        raise NotRead("syntax", name=str(UID(syntax).name))
    dataset = dcmread(BytesIO(data))
    if not dataset.get("SOPClassUID"):
        raise NotRead("damaged", why="it does not say what it is")
    kind = UID(str(dataset.SOPClassUID))
    if kind not in PHOTOS:
        raise NotRead("no_photo", name=str(kind.name)[:80] or "?")
    if int(dataset.get("NumberOfFrames") or 1) != 1:
        raise NotRead("frames", count=str(dataset.NumberOfFrames))
    return dataset


def _facts(dataset: Dataset) -> dict[str, Any]:
    """What is taken over. Ids are given back for the caller to make others of; nothing else that leads to a person."""
    _require_characters(dataset)
    regions = list(_coded(dataset, "AnatomicRegionSequence"))
    site = next((found for code in regions if (found := codes.site_of(*code[:2]))), "")
    term = str(dataset.get("BodyPartExamined") or "")
    procedures = list(_coded(dataset, "ProcedureCodeSequence"))
    is_dermoscopic = (
        dataset.SOPClassUID == DermoscopicPhotographyImageStorage
        or dataset.get("Modality") == "DMS"
        or any(code[:2] == _DERMOSCOPY for code in procedures)
    )
    diagnoses = [code[2] for code in _coded(dataset, "AdmittingDiagnosesCodeSequence")]
    return {
        "problem": "",
        "object": str(dataset.get("SOPInstanceUID") or ""),
        "patient": f"{dataset.get('IssuerOfPatientID') or ''}/{dataset.PatientID}" if dataset.get("PatientID") else "",
        "lesion": str(dataset.get("TrackingUID") or ""),
        "kind": DERMOSCOPIC if is_dermoscopic else "",
        "site": site or codes.site_of_body_part(term),
        "regions": [list(code[:2]) for code in regions][:20],
        "site_words": ", ".join(dict.fromkeys([*(code[2] for code in regions), *([term] if term else [])]))[:200],
        "laterality": str(dataset.get("ImageLaterality") or dataset.get("Laterality") or "")[:1],
        "sex": next((ours for ours, theirs in SEX.items() if theirs == dataset.get("PatientSex")), ""),
        "age": _age(dataset),
        "day": _day(dataset),
        "label": next(iter(diagnoses), "") or str(dataset.get("AdmittingDiagnosesDescription") or "")[:120],
        "burnt_in": dataset.get("BurnedInAnnotation") == "YES",
        "procedure": ", ".join(code[2] for code in procedures)[:200],
        "class": str(UID(dataset.SOPClassUID).name),
        "device": " ".join(str(dataset.get(name) or "") for name in ("Manufacturer", "ManufacturerModelName"))[:120],
        "identifying": sorted(_identifying(dataset)),
    }  # fmt: skip


def _require_characters(dataset: Dataset) -> None:
    """Raise NotRead where bytes are no characters of the set that the file names: of what is left of them two patients,
    or two diagnoses, may be called the same."""
    said = [
        *(
            str(dataset.get(name) or "")
            for name in ("IssuerOfPatientID", "PatientID", "AdmittingDiagnosesDescription")
        ),
        *(code[2] for code in _coded(dataset, "AdmittingDiagnosesCodeSequence")),
    ]
    if any("\N{REPLACEMENT CHARACTER}" in text for text in said):
        raise NotRead(
            "letters", name=", ".join(filter(None, map(str, _as_list(dataset.get("SpecificCharacterSet")))))
        )


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple | MultiValue) else [value]


def _coded(dataset: Dataset, name: str) -> Iterator[tuple[str, str, str]]:
    for item in dataset.get(name) or []:
        yield (
            str(item.get("CodeValue") or ""),
            str(item.get("CodingSchemeDesignator") or ""),
            str(item.get("CodeMeaning") or "")[:64],
        )


def _identifying(dataset: Dataset) -> Iterator[str]:
    """Attributes that hold something and are not taken over, by their keywords."""
    is_private = False
    for element in dataset:
        is_private |= element.tag.is_private
        if (element.keyword in IDENTIFYING or element.VR == "PN") and element.value:
            yield element.keyword
    if is_private:
        yield "private"


def _age(dataset: Dataset) -> int | None:
    """Whole years; of the date of birth, where it stands there, no more than that is taken."""
    text = str(dataset.get("PatientAge") or "")
    if text[:3].isdigit() and text[3:] in ("Y", "M", "W", "D"):
        return int(text[:3]) if text[3] == "Y" else int(text[:3]) // 12 if text[3] == "M" else 0
    born, day = str(dataset.get("PatientBirthDate") or ""), _day(dataset)
    if len(born) == 8 and born.isdigit() and day:
        years = int(day[:4]) - int(born[:4]) - (day[5:7] + day[8:] < born[4:])
        return years if 0 <= years <= 120 else None
    return None


def _day(dataset: Dataset) -> str:
    """ISO 8601, or ""."""
    for name in ("AcquisitionDateTime", "AcquisitionDate", "ContentDate", "SeriesDate", "StudyDate"):
        text = str(dataset.get(name) or "")[:8]
        if len(text) == 8 and text.isdigit():
            return f"{text[:4]}-{text[4:6]}-{text[6:]}"
    return ""


def _picture(dataset: Dataset) -> bytes:
    """A JPEG as it stands in the file, anything else as PNG. Sizes are judged by the header first."""
    rows, columns = int(dataset.get("Rows") or 0), int(dataset.get("Columns") or 0)
    if not rows or not columns or "PixelData" not in dataset:
        raise NotRead("no_picture")
    if rows * columns > MAX_PIXELS:
        raise NotRead("pixels", width=str(columns), height=str(rows), most=str(MAX_PIXELS // 1_000_000))
    if dataset.get("BitsAllocated") != 8:
        raise NotRead("bits", count=str(dataset.get("BitsAllocated")))
    syntax = dataset.file_meta.TransferSyntaxUID
    is_colour = str(dataset.PhotometricInterpretation).startswith("YBR")
    profile = bytes(dataset.get("ICCProfile") or b"")
    if syntax == JPEGBaseline8Bit and is_colour:
        return _with_profile(next(generate_frames(dataset.PixelData, number_of_frames=1)), profile)
    try:
        pixels = pixel_array(dataset)
    except (NotImplementedError, RuntimeError, AttributeError) as error:
        raise NotRead("syntax", name=str(UID(syntax).name) if syntax else str(error)[:80]) from None
    if dataset.get("PhotometricInterpretation") == "MONOCHROME1":
        pixels = 255 - pixels
    elif dataset.get("PhotometricInterpretation") == "PALETTE COLOR":
        pixels = _coloured(dataset, pixels)
    out = BytesIO()
    picture = Image.fromarray(pixels)
    if picture.width * picture.height != rows * columns:
        raise NotRead("damaged", why="its picture has another size than its header says")
    picture.save(out, "PNG", icc_profile=profile or None, compress_level=3)
    return out.getvalue()


def _coloured(dataset: Dataset, numbers: Any) -> Any:
    """The colours that a palette has for these numbers, 8 bits each. Raises NotRead where it has none."""
    try:
        colours = apply_color_lut(numbers, dataset)
    except (ValueError, AttributeError, IndexError) as error:
        raise NotRead("damaged", why=f"its palette: {error}"[:80]) from None
    # Tables have 8 or 16 bits; transparency, where there is any, is left out.
    return (colours >> 8 if colours.dtype.itemsize == 2 else colours).astype("uint8")[..., :3]


def _with_profile(jpeg: bytes, profile: bytes) -> bytes:
    """The JPEG with the profile that stands beside it in DICOM, unless that is sRGB as this product writes it."""
    jpeg = jpeg[: jpeg.rfind(b"\xff\xd9") + 2] or jpeg
    if (
        not profile
        or profile == matrix_profile(SRGB)
        or len(profile) > _LARGEST_PROFILE
        or b"ICC_PROFILE" in jpeg
    ):
        return jpeg
    segment = b"ICC_PROFILE\0\x01\x01" + profile
    return jpeg[:2] + b"\xff\xe2" + struct.pack(">H", len(segment) + 2) + segment + jpeg[2:]
