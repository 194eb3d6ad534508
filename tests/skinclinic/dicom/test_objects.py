"""Photos as DICOM: what they say and never say, that the same rows make the same object, that others can read it."""

import io
import uuid
from dataclasses import replace
from datetime import date, datetime

import numpy as np
import pydicom
import pytest
from highdicom._standard_utils import get_anatomic_region_map
from PIL import Image
from pydicom.sr._concepts_dict import concepts
from pydicom.uid import UID

from skinclinic.dicom import codes, kinds, objects, reading
from skinclinic.dicom.facts import PhotoFacts
from skinclinic.imaging import encode_jpeg
from skinclinic.vocabulary import codes as vocabulary
from skinclinic.vocabulary import laterality
from skinclinic.vocabulary.sites import SITES
from tests.skinclinic.dicom.checked import complaints


def picture(subsampling="4:2:0", size=(96, 80)):
    pixels = np.add.outer(np.arange(size[1]), np.arange(size[0]))[..., None] * np.array([1, 2, 3]) % 256
    return encode_jpeg(Image.fromarray(pixels.astype("uint8")), subsampling=subsampling)


FACTS = PhotoFacts(
    namespace=uuid.UUID(int=5), clinic="Klinik Süd", patient=7, patient_code="P-001", sex="female", age=56, lesion=12,
    photo=33, kind="close_up", site="cheek", site_name="Cheek",
    site_code=codes.Coded("36141000", "SCT", "Skin of cheek"), procedure_code=codes.PHOTOGRAPHY,
    laterality="L", day=date(2026, 5, 1),
    taken=datetime(2026, 5, 1, 10, 0), offset=540, jpeg=picture(), is_covered=False, is_synthetic=False,
    software="0.1.0",
)  # fmt: skip


@pytest.mark.dicom
@pytest.mark.parametrize(
    "said",
    [
        {}, {"kind": "dermoscopic"}, {"kind": "overview", "is_covered": True, "is_synthetic": True},
        {"kind": "dermoscopic", "taken": None, "offset": None, "site": "", "site_name": "", "laterality": ""},
        {"patient": None, "patient_code": "", "sex": "", "age": None, "jpeg": picture("4:4:4"), "offset": -210},
        {"site": "back", "site_name": "Back", "laterality": ""},
        {"site": "sole", "site_name": "Sole", "clinic": "환자\\의원", "jpeg": picture("4:2:2")},
    ],
)  # fmt: skip
def test_a_photo_is_an_object_that_another_program_finds_nothing_wrong_with(said, tmp_path):
    facts = replace(FACTS, **said)
    made = objects.photo(facts)
    assert complaints(made.encoded(), tmp_path) == []
    read = pydicom.dcmread(io.BytesIO(made.encoded()))
    assert read.SOPClassUID.name == (
        "Dermoscopic Photography Image Storage" if facts.is_dermoscopic else "VL Photographic Image Storage"
    )
    with Image.open(io.BytesIO(facts.jpeg)) as stored:
        assert np.abs(read.pixel_array.astype(int) - np.asarray(stored.convert("RGB"))).max() <= 6


def test_it_has_the_codes_of_site_side_and_procedure():
    read = objects.photo(replace(FACTS, kind="dermoscopic", procedure_code=codes.DERMOSCOPY)).dataset
    assert read.AnatomicRegionSequence[0].CodeMeaning == "Skin of cheek" and read.BodyPartExamined == "CHEEK"
    assert (read.ImageLaterality, read.Modality) == ("L", "DMS")
    assert read.ProcedureCodeSequence[0].CodeValue == "446078004" and read.TrackingID == "lesion 12"
    assert read.AcquisitionDateTime == "20260501100000" and read.TimezoneOffsetFromUTC == "+0900"


def test_it_says_no_more_of_the_patient_than_is_held_here():
    read = objects.photo(FACTS).dataset
    said = {one.keyword: one.value for one in read if one.tag.group == 0x0010}
    assert said == {
        "PatientName": "P-001^", "PatientID": "P-001", "PatientBirthDate": "", "PatientSex": "F", "PatientAge": "056Y",
    }  # fmt: skip
    assert str(FACTS.namespace) not in str(read)


def test_signs_that_part_values_make_no_other_patient():
    ids = {
        objects.photo(replace(FACTS, patient_code=code)).dataset.PatientID
        for code in ("a\\b", "a/b", "a%5Cb")
    }
    assert len(ids) == 3 and not any("\\" in one for one in ids)


def test_the_same_rows_make_the_same_object_and_other_rows_another():
    first = objects.photo(FACTS)
    assert first.encoded() == objects.photo(FACTS).encoded()
    newer = objects.photo(replace(FACTS, software="9"))
    assert newer.uid == first.uid
    others = [
        {"site": "back"},
        {"jpeg": picture(size=(80, 96))},
        {"namespace": uuid.UUID(int=6)},
        {"lesion": 13},
    ]
    made = {objects.photo(replace(FACTS, **said)).uid for said in others}
    assert len(made) == 4 and first.uid not in made and all(one.startswith("2.25.") for one in made)
    assert objects.photo(replace(FACTS, photo=34)).dataset.StudyInstanceUID == first.dataset.StudyInstanceUID


def test_every_code_stands_in_the_dictionaries_of_the_standard():
    known: dict[tuple[str, str], set[str]] = {}
    for scheme in ("SCT", "DCM"):
        for found in concepts[scheme].values():
            for value, (meaning, _groups) in found.items():
                known.setdefault((scheme, value), set()).add(meaning.partition(" (")[0].lower())
    parts = get_anatomic_region_map()
    for code, _paired in parts.values():
        known.setdefault(("SCT", code.CodeValue), set()).add(code.CodeMeaning.lower())
    wrong = [
        code for code in codes.CODES if code.meaning.lower() not in known.get((code.scheme, code.value), ())
    ]
    assert not wrong and not [value for value in codes._NARROWER if ("SCT", value) not in known]
    keys = [key for key, _label in SITES]
    assert all(codes.body_part(key) in {*parts, ""} for key in keys)
    assert set(codes._NARROWER.values()) | set(codes._OF_BODY_PARTS.values()) <= {*keys, ""}


def test_a_code_is_read_back_as_the_site_it_was_made_of():
    shipped = [code for code in vocabulary.shipped().values() if code.kind == vocabulary.SITE]
    assert len(shipped) > 25
    for code in shipped:
        value, scheme, meaning = code.triple()
        assert codes.site_of(value, scheme) == code.concept
        assert codes._SITES[code.concept].meaning == meaning
    # The scheme that SNOMED had in DICOM before 2019.
    assert codes.site_of("T-D2100", "SRT") == "back"


def test_the_side_is_the_patients_as_the_body_picture_has_it():
    assert laterality.side_of("cheek", 136 / 770, 223 / 500) == "L"
    assert laterality.side_of("cheek", 54 / 770, 223 / 500) == "R"
    assert (
        laterality.side_of("abdomen", 285 / 770, 210 / 500) == laterality.side_of("cheek", None, None) == ""
    )


def test_what_is_read_of_an_object_is_the_picture_and_no_name():
    made = objects.photo(FACTS)
    said, jpeg = reading.read(made.encoded(), with_picture=True)
    assert jpeg == FACTS.jpeg
    assert (said["site"], said["laterality"], said["age"], said["sex"]) == ("cheek", "L", 56, "female")
    assert {"PatientName", "InstitutionName"} <= set(said["identifying"])
    assert "Klinik" not in str(said)


def test_what_is_read_is_what_the_standard_calls_so():
    named = {
        name: UID(value).keyword
        for name, value in vars(kinds).items()
        if name.isupper() and isinstance(value, str)
    }
    assert named == {
        "VL_PHOTOGRAPHIC": "VLPhotographicImageStorage",
        "DERMOSCOPIC_PHOTOGRAPHY": "DermoscopicPhotographyImageStorage",
        "SECONDARY_CAPTURE": "SecondaryCaptureImageStorage",
        "JPEG_BASELINE": "JPEGBaseline8Bit",
        "EXPLICIT_LITTLE_ENDIAN": "ExplicitVRLittleEndian",
        "IMPLICIT_LITTLE_ENDIAN": "ImplicitVRLittleEndian",
        "RLE_LOSSLESS": "RLELossless",
        "JPEG_2000_LOSSLESS": "JPEG2000Lossless",
    }
