"""The shipped codes: each is where its line says, and none is of another concept."""

from pydicom.sr._concepts_dict import concepts as of_dicom

from skinclinic.vocabulary import codes
from skinclinic.vocabulary.diseases import DISEASES
from tests.cases import each

SHIPPED = list(codes.shipped().values())
OF_DICOM = [code for code in SHIPPED if code.source.startswith("DICOM")]


def in_dicom(code: codes.Code) -> list[tuple[str, list[int]]]:
    """(meaning, context groups) of a code in pydicom's copy of DICOM PS3.16."""
    return [found[code.code] for found in of_dicom[code.system].values() if code.code in found]


@each("code", OF_DICOM)
def test_codes_of_dicom_are_in_the_context_group_that_is_named_under_the_name_that_is_shown(code):
    _standard, _cid, group = code.source.partition(" CID ")
    found = in_dicom(code)
    assert code.display in [meaning for meaning, _groups in found]
    assert not group or int(group) in {one for _meaning, groups in found for one in groups}


def test_every_code_is_of_a_concept_and_has_the_form_of_its_system_and_says_where_it_is_from():
    known = codes.concepts()
    for code in SHIPPED:
        assert (code.kind, code.concept) in known and code.source, code
        assert codes.fits(code.system, code.code), code
    assert len({code.place for code in SHIPPED}) == len(SHIPPED)
    icd = {code.concept: code.code for code in SHIPPED if code.system == "ICD-10"}
    assert icd == {disease.key: disease.icd10 for disease in DISEASES}


def test_what_nobody_could_look_up_is_left_out():
    assert not [code for code in SHIPPED if code.system == "ICD-11"]
    assert (codes.DISEASE, "bcc", "SCT") not in codes.shipped()
    # Only the forefoot's sole is in DICOM's list, which is narrower.
    assert (codes.SITE, "sole", "SCT") not in codes.shipped()


def test_a_mistyped_code_of_snomed_is_seen_by_its_check_digit():
    assert codes.fits("SCT", "254651007")
    # One digit wrong, two digits exchanged: every one of them.
    right = "254651007"
    for at in range(len(right)):
        for digit in set("0123456789") - {right[at]}:
            assert not codes.fits("SCT", right[:at] + digit + right[at + 1 :])
        if at and right[at] != right[at - 1]:
            swapped = right[: at - 1] + right[at] + right[at - 1] + right[at + 1 :]
            assert not codes.fits("SCT", swapped)
    for system, wrong in (("ICD-10", "c44.9"), ("ICD-O-3", "8090"), ("DCM", "x y"), ("urn:oid:1.2", "a b")):
        assert not codes.fits(system, wrong)


def test_a_code_as_fhir_and_dicom_have_it():
    code = codes.shipped()["site", "nose", "SCT"]
    assert code.coding() == {
        "system": "http://snomed.info/sct", "code": "113179006", "display": "Skin of nose",
    }  # fmt: skip
    assert code.triple() == ("113179006", "SCT", "Skin of nose")
    icd = codes.shipped()["disease", "bcc", "ICD-10"]
    assert icd.coding() == {"system": "http://hl7.org/fhir/sid/icd-10", "version": "2019", "code": "C44.9"}
    assert icd.triple() == ("C44.9", "I10", "Basal cell carcinoma")
    assert codes.Code("site", "nose", "https://hospital.example/sites", "N1", "Nose").triple() is None


def test_systems_are_known_by_all_they_are_called():
    for said in ("sct", "SNOMED CT", "http://snomed.info/sct"):
        assert codes.system_called(said) == "SCT"
    assert codes.system_called("I10") == "ICD-10"
    assert codes.system_called("urn:oid:1.2.3") == "urn:oid:1.2.3"
    assert codes.system_called("my list") == codes.system_called("http://a b") == ""
