"""Each patient counts once, wherever their photos are filed since and whatever lies in the bin."""

import pytest

from classifier.metrics.sequential import Evidence
from classifier.models import MonitorCase
from classifier.services.following import due, records, rules
from classifier.services.following.rules import LIKENESS, SENSITIVITY, SPECIFICITY, Reference, Rule
from skinclinic.models import Diagnosis, Lesion, Patient, Photo
from skinclinic.services import diagnoses, filing
from skinclinic.services.binning import bin, emptying, merges, restoring
from skinclinic.services.erasing import erase
from tests import factories, followed


@pytest.fixture(scope="module")
def stock(standing):
    with standing.building():
        clinic = factories.make_clinic("Hanok Dermatology")
        version = followed.make_version("tiny")
        followed.answer(clinic, version)
        standing.keep(clinic=clinic, ada=factories.make_member(clinic, "admin", "ada"), version=version)


@pytest.fixture
def world(stock, given):
    return given


@pytest.fixture
def monitor(world):
    """Followed for malignant and for benign lesions, and for photos like the training photos."""
    shares = {SENSITIVITY: 0.9, SPECIFICITY: 0.8, LIKENESS: 0.9}
    rule = Rule(references={name: Reference(share, rules.STATED) for name, share in shares.items()})
    chosen = world["version"].threshold_sets.get()
    return records.state(world["clinic"], world["version"], chosen, rule, world["ada"], "because")


def run(monitor) -> dict[str, int]:
    """Compute it; how many each endpoint has counted."""
    due.run(monitor)
    monitor.refresh_from_db()
    return {name: monitor.evidence[name]["cases"] for name in (SENSITIVITY, SPECIFICITY, LIKENESS)}


def counts(malignant: int, benign: int, photos: int) -> dict[str, int]:
    return {SENSITIVITY: malignant, SPECIFICITY: benign, LIKENESS: photos}


def unfiled(world) -> Lesion:
    return Lesion.objects.create(clinic=world["clinic"])


def patient_of(world, code: str) -> Patient:
    return Patient.objects.create(clinic=world["clinic"], code=code)


def lesion_of(patient: Patient) -> Lesion:
    return Lesion.objects.create(clinic=patient.clinic, patient=patient)


def proven(world, truth: str, lesion: Lesion, lists=(), unlike: float = 0.5) -> Diagnosis:
    return followed.proven(
        world["clinic"], world["version"], truth, lists=lists, lesion=lesion, unlike=unlike
    )


def file(world, lesion: Lesion, home: Lesion) -> dict:
    """File the photos of the lesion into ``home``; the receipt."""
    return filing.file_photos(
        list(lesion.photos.all()),
        user=world["ada"],
        patient=home.patient,
        lesion=home,
        details=filing.Details(),
    )


def delete(world, row):
    return bin.put(type(row).objects.get(pk=row.pk), world["ada"], reason="mistake")


def merge(world, keep: Patient, other: Patient):
    chosen = {unit[0]: merges.KEEP for unit in merges.differing(keep, other)}
    return merges.merge(keep, other, chosen, world["ada"], looked=merges.seen(keep, other))


def test_what_is_filed_into_another_lesion_and_back_is_the_case_that_was_counted(world, monitor):
    for _ in range(9):
        followed.proven(world["clinic"], world["version"], "mm", lists=("mm",), unlike=0.5)
    misses = [unfiled(world) for _ in range(3)]
    for lesion in misses:
        proven(world, "mm", lesion)
    assert run(monitor) == counts(12, 0, 12)
    told = Evidence.of_json(monitor.evidence[SENSITIVITY])
    patients = [patient_of(world, f"P-{n}") for n in range(3)]
    receipts = [
        file(world, lesion, lesion_of(patient)) for lesion, patient in zip(misses, patients, strict=True)
    ]
    assert not Lesion.objects.filter(pk__in=[lesion.pk for lesion in misses]).exists()
    assert run(monitor) == counts(12, 0, 12)
    assert Evidence.of_json(monitor.evidence[SENSITIVITY]) == told and not monitor.alarms.exists()
    assert monitor.figures["amended"] == {}, "told as before, in another lesion"
    # Who was counted is known now.
    proven(world, "mm", lesion_of(patients[0]))
    assert run(monitor) == counts(12, 0, 12)
    for receipt in receipts:
        filing.undo(receipt)
    assert run(monitor) == counts(13, 0, 13), "of the first patient nothing else was counted"


def test_what_was_counted_where_it_was_filed_is_not_counted_again_when_that_is_undone(world, monitor):
    lesion, home = unfiled(world), lesion_of(patient_of(world, "P-1"))
    proven(world, "mm", lesion)
    receipt = file(world, lesion, home)
    assert run(monitor) == counts(1, 0, 1)
    filing.undo(receipt)
    assert run(monitor) == counts(1, 0, 1)


def test_what_counted_as_malignant_never_counts_as_benign_in_another_lesion(world, monitor):
    lesion, home = unfiled(world), lesion_of(patient_of(world, "P-1"))
    proven(world, "mm", lesion)
    run(monitor)
    diagnoses.record(lesion=lesion, user=world["ada"], kind="pathology", disease="nevus")
    receipt = file(world, lesion, home)
    assert run(monitor) == counts(1, 0, 1)
    assert monitor.figures["amended"][SENSITIVITY]["cases"] == 1
    filing.undo(receipt)
    assert run(monitor) == counts(1, 0, 1)


def test_two_counted_lesions_that_are_one_since_are_one_case_today(world, monitor):
    lesion, home = unfiled(world), lesion_of(patient_of(world, "P-1"))
    early, _late = proven(world, "mm", home), proven(world, "mm", lesion)
    assert run(monitor) == counts(2, 0, 2)
    diagnoses.withdraw(early, world["ada"])
    file(world, lesion, home)
    assert run(monitor) == counts(2, 0, 2)
    amended = monitor.figures["amended"][SENSITIVITY]
    assert (amended["cases"], amended["of"]) == (1, 2)


def test_photos_that_no_pathology_is_told_of_count_once_too(world, monitor):
    lesion, home = unfiled(world), lesion_of(patient_of(world, "P-1"))
    followed.answer(world["clinic"], world["version"], lesion=lesion, unlike=0.5)
    assert run(monitor) == counts(0, 0, 1)
    receipt = file(world, lesion, home)
    followed.answer(world["clinic"], world["version"], lesion=lesion_of(home.patient), unlike=2.0)
    assert run(monitor) == counts(0, 0, 1)
    Lesion.objects.filter(patient=home.patient).exclude(pk=home.pk).delete()
    filing.undo(receipt)
    assert run(monitor) == counts(0, 0, 1)


def test_a_patient_whose_lesion_lies_in_the_bin_was_counted(world, monitor):
    patient = patient_of(world, "P-1")
    first, second = (lesion_of(patient) for _ in range(2))
    proven(world, "mm", first)
    run(monitor)
    item = delete(world, first)
    proven(world, "mm", second)
    assert run(monitor) == counts(1, 0, 1)
    restoring.restore(item, world["ada"])
    assert run(monitor) == counts(1, 0, 1)
    row = MonitorCase.objects.get(endpoint=SENSITIVITY)
    assert (row.lesion, row.proof.lesion, row.patient) == (first, first, patient)
    emptying.empty(delete(world, first), world["ada"])
    assert run(monitor) == counts(1, 0, 1), "gone for good, the patient was counted all the same"


def test_whose_a_lesion_is_when_it_goes_to_the_bin_counts_not_whose_it_was(world, monitor):
    """Filed, deleted and restored between two looks."""
    lesion, patient = unfiled(world), patient_of(world, "P-1")
    proven(world, "mm", lesion)
    run(monitor)
    filing.file_photos(
        list(lesion.photos.all()), user=world["ada"], patient=patient, details=filing.Details()
    )
    item = delete(world, lesion)
    proven(world, "mm", lesion_of(patient))
    assert run(monitor) == counts(1, 0, 1)
    restoring.restore(item, world["ada"])
    assert run(monitor) == counts(1, 0, 1)


def test_an_unknown_patients_lesion_is_known_again_when_it_is_restored(world, monitor):
    lesion = unfiled(world)
    proven(world, "mm", lesion)
    run(monitor)
    item = delete(world, Photo.objects.get(lesion=lesion))
    run(monitor)
    restoring.restore(item, world["ada"])
    whole = delete(world, lesion)
    run(monitor)
    restoring.restore(whole, world["ada"])
    assert run(monitor) == counts(1, 0, 1)


def test_patients_that_are_one_since_were_counted_and_are_two_again_afterwards(world, monitor):
    keep, other = patient_of(world, "P-1"), patient_of(world, "P-2")
    first = lesion_of(other)
    proven(world, "mm", first)
    run(monitor)
    lying = delete(world, first)
    merged = merge(world, keep, other)
    proven(world, "mm", lesion_of(keep))
    assert run(monitor) == counts(1, 0, 1)
    merges.undo(merged, world["ada"])
    assert run(monitor) == counts(2, 0, 2), "of the one that stayed nothing was counted"
    proven(world, "mm", lesion_of(Patient.objects.get(pk=other.pk)))
    restoring.restore(lying, world["ada"])
    assert run(monitor) == counts(2, 0, 2)


def test_whoever_a_lesion_was_not_of_counts(world, monitor):
    wrong, right = patient_of(world, "P-1"), patient_of(world, "P-2")
    lesion = lesion_of(wrong)
    proven(world, "mm", lesion)
    run(monitor)
    Lesion.objects.filter(pk=lesion.pk).update(patient=right)
    proven(world, "mm", lesion_of(wrong))
    proven(world, "mm", lesion_of(right))
    assert run(monitor) == counts(2, 0, 2)


def test_of_a_patient_who_is_erased_nothing_leads_to_what_was_counted(world, monitor):
    patient = patient_of(world, "P-1")
    first, second = lesion_of(patient), unfiled(world)
    proven(world, "mm", second)
    run(monitor)
    file(world, second, first)
    run(monitor)
    delete(world, first)
    erase.erase(patient, world["ada"], reason="asked")
    for row in MonitorCase.objects.all():
        assert (row.lesion_id, row.patient_id, row.proof_id, row.photo_id) == (None, None, None, None)
    assert run(monitor) == counts(1, 0, 1), "sums stay"
    assert monitor.figures["amended"][SENSITIVITY]["cases"] == 1


def test_rows_from_before_are_completed_when_the_record_is_computed(world, monitor):
    lesion, home = unfiled(world), lesion_of(patient_of(world, "P-1"))
    proven(world, "mm", lesion)
    proven(world, "mm", lesion_of(patient_of(world, "P-2")))
    run(monitor)
    MonitorCase.objects.update(proof=None, photo=None, patient=None)
    run(monitor)
    assert not MonitorCase.objects.filter(proof=None, photo=None).exists()
    assert MonitorCase.objects.exclude(patient=None).count() == 2
    file(world, lesion, home)
    assert run(monitor) == counts(2, 0, 2)
