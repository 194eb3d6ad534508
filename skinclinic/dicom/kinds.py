"""Which objects are read as photos, and how their pictures may be packed."""

from pydicom.uid import (
    DermoscopicPhotographyImageStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
    SecondaryCaptureImageStorage,
    VLPhotographicImageStorage,
)

PHOTOS = (VLPhotographicImageStorage, DermoscopicPhotographyImageStorage, SecondaryCaptureImageStorage)
SYNTAXES = (
    JPEGBaseline8Bit,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
    JPEG2000Lossless,
)
