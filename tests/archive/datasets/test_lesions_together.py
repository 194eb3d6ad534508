"""Photos of one lesion without a patient: divided together, checked, and told by disease and side."""

import pytest

from skinclinic.archive.models import DatasetItem, Entry, Source
from skinclinic.archive.services.curating import torn_lesions
from skinclinic.archive.services.datasets import checks, datasets, dividing, sides
from skinclinic.archive.services.datasets.splits import METHODS
from skinclinic.models import Lesion, Patient
from tests import factories
from tests.cases import each

pytestmark = pytest.mark.django_db


@pytest.fixture
def version(clinic, curator):
    """Twelve lesions of unknown patients with two photos each: eight nevi, four melanomas."""
    for n in range(12):
        lesion = Lesion.objects.create(clinic=clinic, is_archived=True)
        for photo in range(2):
            stored = factories.make_photo(clinic, curator, seed=100 + 2 * n + photo, lesion=lesion)
            factories.make_entry(stored, curator, label="nevus" if n < 8 else "mm", review="accepted")
    version = datasets.create(clinic, curator, "Dermoscopy")
    datasets.set_members(version, Entry.objects.filter(clinic=clinic))
    return version


def check(version, key):
    return next(found for found in checks.of(version) if found.key == key)


def sides_of_lesions(version) -> list[set[str]]:
    found: dict[str, set[str]] = {}
    for lesion, side in version.items.values_list("lesion", "split"):
        found.setdefault(lesion, set()).add(side)
    return list(found.values())


@each("method", METHODS)
def test_no_lesion_is_on_both_sides(version, method):
    said = dividing.split(version, method, 0.75, seed=2)
    version.refresh_from_db()
    assert len(sides_of_lesions(version)) == 12
    assert all(len(found) == 1 for found in sides_of_lesions(version))
    assert (said["unknown_patient"], said["unknown_patient_lesions"]) == (24, 12)
    assert check(version, "lesions").passed
    patients = check(version, "patients")
    assert patients.passed and "of 24 photos the patient is not known" in patients.said


def test_a_lesion_on_both_sides_fails_its_check(version):
    dividing.split(version, "stratified", 0.75)
    item = version.items.filter(split="test").first()
    DatasetItem.objects.filter(pk=item.pk).update(split="train")
    found = check(version, "lesions")
    assert not found.passed and found.count == 1
    assert found.items[0].lesion == item.lesion


def test_the_table_counts_photos_patients_and_lesions(version):
    dividing.split(version, "stratified", 0.75, seed=1)
    found = {line.label: line for line in sides.table(version)}
    assert list(found) == ["mm", "nevus"]
    melanoma, nevus = found["mm"], found["nevus"]
    assert (melanoma.train.photos, melanoma.train.patients, melanoma.train.unknown) == (6, 0, 3)
    assert (melanoma.test.photos, melanoma.test.units) == (2, 1)
    assert (nevus.train.photos, nevus.test.photos) == (12, 4)
    assert [line.label for line in sides.few(list(found.values()), "test")] == ["mm", "nevus"]


def test_known_patients_are_counted_as_such(draft):
    dividing.split(draft, "patient", 0.5, seed=1)
    lines = sides.table(draft)
    assert sum(line.train.photos + line.test.photos for line in lines) == 6
    assert all(cell.unknown == 0 for line in lines for cell in (line.train, line.test))
    mm = next(line for line in lines if line.label == "mm")
    assert sorted((cell.photos, cell.patients) for cell in (mm.train, mm.test)) == [(0, 0), (2, 1)]


def test_the_page_says_what_is_true_and_warns_before_freezing(version, client_for, curator):
    client = client_for(curator)
    client.post(
        f"/archive/datasets/{version.pk}/act/",
        {"act": "split", "method": "stratified", "percent": 75, "seed": 1},
    )
    version.refresh_from_db()
    assert version.split["method"] == "stratified"
    page = " ".join(client.get(f"/archive/datasets/{version.pk}/").content.decode().split())
    assert "The patient of 24 photos (12 lesions) is not known" in page
    assert "Fewer than 10 patients or photos on the test side" in page
    assert "2 diseases have fewer than 10 patients or photos on the test side" in page


def test_an_old_split_claims_nothing_of_lesions(version, client_for, curator):
    dividing.split(version, "patient", 0.75)
    version.refresh_from_db()
    del version.split["said"]["unknown_patient_lesions"]
    version.save()
    page = client_for(curator).get(f"/archive/datasets/{version.pk}/").content.decode()
    assert "before lesions were kept together" in page


@pytest.fixture
def pieces(clinic, curator):
    """Eight lesions of two photos each, which two imports have brought as sixteen under eight names."""
    source = Source.objects.create(clinic=clinic, name="Registry")
    entries = []
    for n in range(16):
        lesion = Lesion.objects.create(clinic=clinic, is_archived=True)
        stored = factories.make_photo(clinic, curator, seed=300 + n, lesion=lesion)
        entry = factories.make_entry(stored, curator, label="nevus", review="accepted")
        Entry.objects.filter(pk=entry.pk).update(
            source=source, source_lesion=f"L{n // 2}", external_id=f"{n}"
        )
        entries.append(entry.pk)
    return entries


def of_pieces(clinic, curator, entries, *, as_before: bool = False):
    version = datasets.create(clinic, curator, "Pieces")
    datasets.set_members(version, Entry.objects.filter(pk__in=entries))
    if as_before:
        # As drafts of before hold them.
        for item in version.items.all():
            item.lesion = f"own {item.entry_id}"
            item.save()
    return version


@each("method", METHODS)
@each("as_before", [False, True])
def test_a_lesion_in_pieces_is_on_one_side(clinic, curator, pieces, method, as_before):
    version = of_pieces(clinic, curator, pieces, as_before=as_before)
    dividing.split(version, method, 0.6, seed=1)
    version.refresh_from_db()
    side = dict(version.items.values_list("entry", "split"))
    assert all(side[pieces[n]] == side[pieces[n + 1]] for n in range(0, 16, 2))
    found = check(version, "lesions")
    assert found.passed and found.said.startswith("8 lesions are held in pieces")


def test_a_torn_lesion_fails_the_check(clinic, curator, pieces):
    version = of_pieces(clinic, curator, pieces, as_before=True)
    dividing.split(version, "random", 0.6)
    version.items.filter(entry=pieces[0]).update(split="train")
    version.items.filter(entry=pieces[1]).update(split="test")
    version.refresh_from_db()
    found = check(version, "lesions")
    assert not found.passed and [item.entry_id for item in found.items] == [pieces[1]]


PATIENTS = {
    # Of each of the first two photos of one name: its patient; whether they are one lesion.
    "one of them unknown": (("A", None), True),
    "the same": (("A", "A"), True),
    "two": (("A", "B"), False),
}


@each("case", PATIENTS)
def test_a_name_of_two_patients_is_of_two_lesions(clinic, curator, pieces, case):
    codes, are_one = PATIENTS[case]
    for entry, code in zip(pieces, codes, strict=False):
        patient = code and Patient.objects.get_or_create(clinic=clinic, code=f"{case} {code}")[0]
        Entry.objects.filter(pk=entry).update(patient=patient, patient_key=patient.pk if patient else 0)
    whole = torn_lesions.whole(clinic.pk)
    assert (pieces[0] in whole) == (pieces[1] in whole) == are_one
    assert whole[pieces[2]] == whole[pieces[3]] != whole[pieces[4]]


def test_whole_lesions_are_none_in_pieces(version, clinic):
    assert torn_lesions.whole(clinic.pk) == {}
    assert check(version, "lesions").said == ""
