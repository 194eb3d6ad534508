"""DICOM photos as an archive: what they say is read back, what names a person stays out, bad files are named."""

import io
import zipfile
from datetime import date

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    EnhancedSRStorage,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
    SecondaryCaptureImageStorage,
    VLPhotographicImageStorage,
)

from skinclinic.archive.formats.dicom_photos import NO_DIAGNOSIS
from skinclinic.archive.models import Entry, Import
from skinclinic.archive.presenters import import_report
from skinclinic.archive.services.importing import imports
from skinclinic.dicom import objects, reading
from skinclinic.engine import jobs
from skinclinic.imaging import limited
from skinclinic.models import Lesion, Patient
from skinclinic.services import decoding
from tests.archive import import_runs
from tests.skinclinic.dicom.test_objects import FACTS, picture
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db
PERSON = ("Kim^Minsu", "19700203", "MRN-5551234", "Seoul General")


def of_another_system(number=1, *, syntax=ExplicitVRLittleEndian, **said) -> bytes:
    """A photo as an image archive might export it, with all that a patient must not be found by."""
    one = Dataset()
    one.SOPClassUID, one.SOPInstanceUID = VLPhotographicImageStorage, f"1.2.3.{number}"
    one.StudyInstanceUID, one.SeriesInstanceUID = "1.2.3.100", "1.2.3.200"
    one.PatientName, one.PatientBirthDate, one.PatientID, one.InstitutionName = PERSON
    one.OperatorsName, one.AccessionNumber, one.PatientSex = "Lee^Nurse", "A-77", "M"
    one.add_new(0x00090010, "LO", "PRIVATE")
    one.StudyDate, one.Modality, one.BodyPartExamined = "20240502", "XC", "BACK"
    one.AdmittingDiagnosesDescription = "Basal cell carcinoma"
    one.Rows, one.Columns, one.SamplesPerPixel, one.PlanarConfiguration = 80, 96, 3, 0
    one.PhotometricInterpretation, one.BitsAllocated, one.BitsStored, one.HighBit = "RGB", 8, 8, 7
    one.PixelRepresentation = 0
    pixels = np.random.default_rng(number).integers(0, 255, (8, 8, 3)).repeat(10, 0).repeat(12, 1)
    one.PixelData = pixels.astype("uint8").tobytes()
    for name, value in said.items():
        setattr(one, name, value)
    one.file_meta = FileMetaDataset()
    one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    if syntax == RLELossless:
        one.compress(RLELossless, generate_instance_uid=False)
    elif syntax == DeflatedExplicitVRLittleEndian:
        one.file_meta.TransferSyntaxUID = syntax
    out = io.BytesIO()
    dcmwrite(out, one, enforce_file_format=True)
    return out.getvalue()


def in_jpeg_2000(number: int) -> bytes:
    one = dcmread(io.BytesIO(of_another_system(number)))
    packed = io.BytesIO()
    Image.fromarray(one.pixel_array).save(packed, "JPEG2000", no_jp2=True)
    one.PixelData = encapsulate([packed.getvalue()])
    one["PixelData"].is_undefined_length = True
    one.PhotometricInterpretation, one.file_meta.TransferSyntaxUID = "YBR_RCT", JPEG2000Lossless
    out = io.BytesIO()
    dcmwrite(out, one, enforce_file_format=True)
    return out.getvalue()


@pytest.fixture
def begin(clinic, curator, tmp_path):
    def make(files: dict[str, bytes], **said):
        path = tmp_path / "dicom.zip"
        with zipfile.ZipFile(path, "w") as file:
            for name, data in files.items():
                file.writestr(name, data)
        return imports.begin(
            clinic=clinic, user=curator, name="PACS", format="dicom", role="both", photos=str(path), **said
        )

    return make


def written(row: Import) -> Import:
    assert import_runs.checked(row).state == "ready", row.report
    imports.request_write(row)
    jobs.run_waiting(imports.WRITE_JOB)
    row.refresh_from_db()
    assert row.state == "done", row.error
    return row


def test_what_another_system_says_comes_in_and_nobody_is_named(begin, client_for, curator):
    packed = of_another_system(2, syntax=RLELossless)
    row = begin({"P1/I1.dcm": of_another_system(1), "P1/I2": packed, "P1/I3": in_jpeg_2000(3)})
    written(row)
    entries = list(Entry.objects.order_by("pk"))
    assert [one.label for one in entries] == ["bcc"] * 3
    first = entries[0]
    assert (first.site, first.sex, first.age, first.taken_on) == ("back", "male", 54, date(2024, 5, 2))
    # One patient still, under a code.
    patient = Patient.objects.get(is_archived=True)
    assert {one.patient_id for one in entries} == {patient.pk}
    everything = str(list(Entry.objects.values())) + str(list(Patient.objects.values())) + str(row.report)
    everything += str(list(Lesion.objects.values()))
    for text in (*PERSON, "Kim", "5551234", "1.2.3.1", "Lee", "A-77", "19700203", "1970"):
        assert text not in everything, text
    told = import_runs.told(row, "notes")
    for name in (
        "PatientName",
        "PatientBirthDate",
        "PatientID",
        "InstitutionName",
        "OperatorsName",
        "private",
    ):
        assert f"{name} not taken over" in told
    page = client_for(curator).get(url("import", row.pk)).content.decode()
    assert "Minsu" not in page


def test_a_photo_of_this_product_comes_back_with_site_side_lesion_and_kind(begin):
    made = [
        objects.photo(FACTS),
        objects.photo(
            type(FACTS)(**{**vars(FACTS), "kind": "dermoscopic", "photo": 34, "jpeg": picture("4:4:4")})
        ),
    ]
    row = begin({one.name: one.encoded() for one in made}, labels={NO_DIAGNOSIS: "nevus"})
    written(row)
    close, dermoscopic = Entry.objects.order_by("pk")
    assert (close.site, close.photo.kind, dermoscopic.photo.kind) == ("cheek", "close_up", "dermoscopic")
    assert close.columns["laterality"] == "L" and close.age == 56
    assert dermoscopic.photo.lesion_id and close.patient_id == dermoscopic.patient_id
    again = begin({one.name: one.encoded() for one in made}, labels={NO_DIAGNOSIS: "nevus"})
    import_runs.checked(again)
    assert (again.report["new"], again.report["unchanged"]) == (0, 2)


def test_files_that_are_no_photos_are_passed_over_by_kind_and_name(begin):
    row = begin(
        {
            "photo": of_another_system(1), "report": of_another_system(2, SOPClassUID=EnhancedSRStorage),
            "burnt": of_another_system(3, BurnedInAnnotation="YES", SOPClassUID=SecondaryCaptureImageStorage),
            "film": of_another_system(4, NumberOfFrames=2, PixelData=bytes(80 * 96 * 6)),
            "again/photo": of_another_system(1), "notes.txt": b"text", "plain.jpg": picture(),
        }
    )  # fmt: skip
    import_runs.checked(row)
    assert row.state == "ready" and row.report["new"] == 1
    found = {one["kind"]: one["names"] for one in import_report.shown(row)["passed_over"]}
    assert len(found) == 6
    for words, name in (
        ("no photo (such as", "report"), ("burnt into", "burnt"), ("several pictures", "film"),
        ("no DICOM file", "plain.jpg"), ("text file", "notes.txt"),
    ):  # fmt: skip
        assert next(names for kind, names in found.items() if words in kind) == [name]
    assert any("already under another name" in kind for kind in found)


def in_other_letters(name: str) -> bytes:
    """Korean as its text says it is not: of two patients the same would be left."""
    said = {name: "Q" * 10, "SpecificCharacterSet": "ISO_IR 192"}
    return of_another_system(1, **said).replace(b"Q" * 10, "환자환자환".encode("cp949"))


def test_colours_of_a_palette_are_those_of_the_picture():
    numbers, said = np.arange(64, dtype="uint8").repeat(96).reshape(64, 96), {}
    for name, factor in (("Red", 4), ("Green", 0), ("Blue", 1)):
        said[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        said[f"{name}PaletteColorLookupTableData"] = (
            np.arange(256, dtype="<u2") % 64 * factor * 256
        ).tobytes()
    data = of_another_system(
        1,
        Rows=64,
        SamplesPerPixel=1,
        PhotometricInterpretation="PALETTE COLOR",
        PixelData=numbers.tobytes(),
        **said,
    )
    _said, made = reading.read(data, with_picture=True)
    colours = np.asarray(Image.open(io.BytesIO(made)))
    assert colours.shape == (64, 96, 3) and colours[20, 5].tolist() == [80, 0, 20]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (of_another_system(1)[:700], "cannot be read as DICOM"),
        (of_another_system(1)[:140], "cannot be read as DICOM"),
        (of_another_system(1, Rows=60_000, Columns=60_000), "60000 × 60000 pixels"),
        (of_another_system(1, BitsAllocated=16, BitsStored=16, HighBit=15), "16 bits"),
        (of_another_system(1, syntax=DeflatedExplicitVRLittleEndian), "packed in a way that is not read (Deflated"),
        (of_another_system(1, PixelData=b"\0" * 64), "cannot be read"),
        (in_other_letters("PatientID"), "is not written in the character set that it names (ISO_IR 192)"),
        (in_other_letters("AdmittingDiagnosesDescription"), "is not written in the character set"),
        (of_another_system(1, SamplesPerPixel=1, PhotometricInterpretation="PALETTE COLOR"), "its palette"),
        (of_another_system(1, Rows=20, Columns=20, PixelData=bytes(1200)), "20"),
    ],
)  # fmt: skip
def test_a_bad_file_is_named_with_its_reason_and_nothing_is_imported(begin, data, words):
    row = begin({"good": of_another_system(2), "folder/bad": data})
    import_runs.checked(row)
    told = import_runs.told(row)
    assert row.state == "refused" and "folder/bad" in str(row.report["errors"]) and words in told
    assert not Entry.objects.exists()


@pytest.mark.alike
def test_a_file_made_to_cost_much_costs_its_import_alone(begin, monkeypatch):
    """A sequence of a million empty items: little on the disk, much in memory."""
    own = limited.Decoders(limited.Limits(60, 20, 60), most=1, waiting=1, patience=1)
    monkeypatch.setattr(decoding, "decoders", lambda: own)
    data = of_another_system(1)
    cut = data.index(b"\x10\x00\x10\x00PN")
    items = b"\xfe\xff\x00\xe0\x00\x00\x00\x00" * 1_000_000
    sequence = b"\x08\x00\x18\x22SQ\x00\x00\xff\xff\xff\xff" + items + b"\xfe\xff\xdd\xe0\x00\x00\x00\x00"
    row = begin({"bomb": data[:cut] + sequence + data[cut:], "good": of_another_system(2)})
    import_runs.checked(row)
    own.close()
    assert row.state == "refused" and "bomb" in str(row.report["errors"]) and row.report["new"] == 1


def test_the_folder_names_the_disease_only_when_a_curator_says_so(begin):
    said = {"AdmittingDiagnosesDescription": ""}
    files = {"Kim Minsu/x.dcm": of_another_system(1, **said)}
    row = begin(files)
    import_runs.checked(row)
    assert row.report["unknown_labels"] == {NO_DIAGNOSIS: 1}
    row = begin({"melanoma/x.dcm": of_another_system(1, **said)}, level=1)
    import_runs.checked(row)
    assert row.report["labels"] == {"mm": 1}


def test_ages_are_whole_years_on_the_day_of_the_photo():
    told = {
        ("", "19610304", "20200304"): 59, ("", "19610305", "20200304"): 58, ("030M", "", ""): 2, ("010D", "", ""): 0,
        ("041Y", "19610304", "20200304"): 41, ("", "20210101", "20200304"): None,
    }  # fmt: skip
    for (age, born, day), years in told.items():
        dataset = Dataset()
        dataset.PatientAge, dataset.PatientBirthDate, dataset.StudyDate = age, born, day
        assert reading._age(dataset) == years, (age, born, day)
