"""A photo as a DICOM object, and a picture made of one as Secondary Capture.

The same rows make the same bytes: nothing tells when an object was made. Its SOP Instance UID is made of all the rest,
so that an object which says something else is another one, as PS3.3 C.12.1.1 wants it.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from io import BytesIO

from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.uid import (
    UID,
    DermoscopicPhotographyImageStorage,
    JPEGBaseline8Bit,
    SecondaryCaptureImageStorage,
    VLPhotographicImageStorage,
)

from skinclinic.dicom import codes
from skinclinic.dicom.facts import SEX, PhotoFacts
from skinclinic.imaging.profiles import SRGB, matrix_profile

MANUFACTURER = "SkinClinic"
# A UUID made once for this program.
IMPLEMENTATION = UID("2.25.210124640536002479818281244983641394659")
IMPLEMENTATION_NAME = "SKINCLINIC"
SERIES_NUMBERS = {"close_up": 1, "overview": 2, "dermoscopic": 3, "heatmaps": 11, "report": 21}


@dataclass(frozen=True)
class Made:
    """One object: its data set and the name of its file."""

    dataset: Dataset
    name: str

    @property
    def uid(self) -> str:
        return str(self.dataset.SOPInstanceUID)

    def encoded(self) -> bytes:
        """As a file (PS3.10)."""
        out = BytesIO()
        dcmwrite(out, self.dataset, enforce_file_format=True)
        return out.getvalue()


def photo(facts: PhotoFacts) -> Made:
    """The stored photo as Dermoscopic Photography Image, or VL Photographic Image for any other kind."""
    dataset = common(facts, "DMS" if facts.is_dermoscopic else "XC", facts.kind)
    dataset.SOPClassUID = (
        DermoscopicPhotographyImageStorage if facts.is_dermoscopic else VLPhotographicImageStorage
    )
    dataset.ImageType = ["DERIVED" if facts.is_covered else "ORIGINAL", "PRIMARY"]
    dataset.AcquisitionContextSequence = []
    _place(dataset, facts)
    if facts.is_covered:
        dataset.DerivationDescription = "Areas of the photo were covered for good"
    if facts.is_dermoscopic:
        _dermoscopic(dataset, facts)
    _when(dataset, facts)
    _pixels(dataset, facts.jpeg)
    return finished(dataset, facts, JPEGBaseline8Bit, f"photo-{facts.photo}.dcm")


def capture(facts: PhotoFacts, source: Dataset, number: int, jpeg: bytes, said: str, name: str) -> Made:
    """A picture made of the photo ``source``, such as a heatmap with what it says under it. ``number``: its place in
    the series, from 1; ``said``: in English what it shows."""
    dataset = common(facts, "OT", "heatmaps")
    dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.ImageType = ["DERIVED", "SECONDARY"]
    dataset.ConversionType = "WSD"
    dataset.SeriesDescription = "Heatmaps of a model, not a diagnosis"
    dataset.InstanceNumber = number
    dataset.DerivationDescription = said
    dataset.BurnedInAnnotation = "YES"
    reference = Dataset()
    reference.ReferencedSOPClassUID = source.SOPClassUID
    reference.ReferencedSOPInstanceUID = source.SOPInstanceUID
    dataset.SourceImageSequence = [reference]
    _place(dataset, facts)
    _pixels(dataset, jpeg)
    return finished(dataset, facts, JPEGBaseline8Bit, name)


def common(facts: PhotoFacts, modality: str, what: str) -> Dataset:
    """Patient, study, series and equipment."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientID = _plain(facts.patient_code)
    # A caret says that the one component is meant to be the only one.
    dataset.PatientName = f"{dataset.PatientID}^" if dataset.PatientID else ""
    dataset.PatientBirthDate = ""
    dataset.PatientSex = SEX.get(facts.sex, "")
    if facts.age is not None:
        dataset.PatientAge = f"{facts.age:03d}Y"
    dataset.StudyInstanceUID = facts.study
    dataset.StudyDate, dataset.StudyTime = facts.day.strftime("%Y%m%d"), ""
    dataset.StudyID = facts.day.strftime("%Y%m%d")
    dataset.AccessionNumber = dataset.ReferringPhysicianName = ""
    dataset.StudyDescription = "Skin photographs"
    if facts.procedure_code:
        dataset.ProcedureCodeSequence = [facts.procedure_code.item()]
    dataset.Modality = modality
    dataset.SeriesInstanceUID = facts.series(what)
    dataset.SeriesNumber = SERIES_NUMBERS[what]
    dataset.SeriesDescription = f"{what.replace('_', ' ')}, lesion {facts.lesion}"
    dataset.InstanceNumber = facts.photo
    dataset.Manufacturer = MANUFACTURER
    dataset.ManufacturerModelName = MANUFACTURER
    dataset.DeviceSerialNumber = facts.uid("device")
    dataset.InstitutionName = _plain(facts.clinic)
    if facts.is_synthetic:
        dataset.ImageComments = "SYNTHETIC: a drawing, no photo of a person"
    return dataset


def finished(dataset: Dataset, facts: PhotoFacts, syntax: UID, name: str) -> Made:
    """Give the object the UID that its content makes, and what a file begins with."""
    out = BytesIO()
    dataset.SOPInstanceUID = facts.study
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = dataset.SOPClassUID, facts.study
    meta.ImplementationClassUID, meta.ImplementationVersionName = IMPLEMENTATION, IMPLEMENTATION_NAME
    dataset.file_meta = meta
    dcmwrite(out, dataset, enforce_file_format=True)
    uid = facts.uid("object", hashlib.sha256(out.getvalue()).hexdigest())
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID = uid
    # The same photo under a newer version of the program is no other object.
    dataset.SoftwareVersions = facts.software
    return Made(dataset, name)


def _plain(text: str) -> str:
    """Text without the signs that DICOM parts values and names with; other texts stay other texts."""
    for sign in "%\\^=":
        text = text.replace(sign, f"%{ord(sign):02X}")
    return text[:64]


def _place(dataset: Dataset, facts: PhotoFacts) -> None:
    """The part of the body: as a code where there is one, as a term, on which side. Which way is up is not known."""
    dataset.PatientOrientation = ""
    if part := codes.body_part(facts.site):
        dataset.BodyPartExamined = part
    dataset.AnatomicRegionSequence = [(facts.site_code or codes.SKIN).item()]
    if facts.laterality:
        dataset.ImageLaterality = facts.laterality
    elif facts.site not in codes.UNPAIRED:
        dataset.Laterality = ""
    if facts.site_name:
        dataset.SeriesDescription = f"{dataset.SeriesDescription}, {facts.site_name}"[:64]


def _dermoscopic(dataset: Dataset, facts: PhotoFacts) -> None:
    """How it was lit and touched is not known here."""
    dataset.LightSourcePolarization = dataset.ContactMethod = ""
    dataset.EmitterColorTemperature = dataset.OpticalMagnificationFactor = None
    # Nobody has said that the person cannot be told from it.
    dataset.RecognizableVisualFeatures = "YES"
    dataset.TrackingID = f"lesion {facts.lesion}"
    dataset.TrackingUID = facts.lesion_uid
    dataset.FrameOfReferenceUID = facts.uid("frame", facts.photo)
    dataset.PositionReferenceIndicator = ""


def _when(dataset: Dataset, facts: PhotoFacts) -> None:
    """What the camera's clock showed, as far as it is known."""
    if facts.taken:
        dataset.AcquisitionDateTime = facts.taken.strftime("%Y%m%d%H%M%S")
        dataset.ContentDate, dataset.ContentTime = (
            facts.taken.strftime("%Y%m%d"),
            facts.taken.strftime("%H%M%S"),
        )
        if facts.offset is not None:
            sign, minutes = "-" if facts.offset < 0 else "+", abs(facts.offset)
            dataset.TimezoneOffsetFromUTC = f"{sign}{minutes // 60:02d}{minutes % 60:02d}"
    else:
        dataset.ContentDate, dataset.ContentTime = facts.day.strftime("%Y%m%d"), "000000"


def _pixels(dataset: Dataset, jpeg: bytes) -> None:
    """A JPEG as it is: no pixel is decoded or packed a second time."""
    with Image.open(BytesIO(jpeg)) as picture:
        dataset.Columns, dataset.Rows = picture.size
    dataset.SamplesPerPixel = 3
    # The one that C.8.12.1.1.1 has for a JPEG in colour, however that samples.
    dataset.PhotometricInterpretation = "YBR_FULL_422"
    dataset.PlanarConfiguration = 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 8, 8, 7, 0
    dataset.LossyImageCompression = "01"
    dataset.LossyImageCompressionMethod = "ISO_10918_1"
    ratio = dataset.Rows * dataset.Columns * 3 / len(jpeg)
    dataset.LossyImageCompressionRatio = f"{ratio:.1f}"
    dataset.ICCProfile = _srgb()
    dataset.ColorSpace = "SRGB"
    dataset.PixelData = encapsulate([jpeg])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True


@cache
def _srgb() -> bytes:
    return matrix_profile(SRGB)
