"""What lies in the bin, or was made one, while other things change round it."""

import re

import pytest
from django.test import Client

from skinclinic.imaging import Box, Cover
from skinclinic.models import Lesion, LesionTag, Patient, Photo
from skinclinic.services import covering, filing, second_opinions, squares
from skinclinic.services.binning import bin, items, merges, restoring
from skinclinic.services.refused import Refused
from tests import factories

pytestmark = pytest.mark.django_db


def file(photo, user, patient, lesion=None) -> dict:
    return filing.file_photos(
        [photo], user=user, patient=patient, lesion=lesion, details=filing.Details(keep_day=True)
    )


def fresh(row):
    return type(row).objects.get(pk=row.pk)


def test_one_lesion_of_a_picture_comes_back_beside_the_other_and_is_not_covered_there(clinic, clinician):
    photo = factories.make_photo(clinic, clinician)
    other, _is_new = squares.add_square(photo, Box(0, 0, 64), clinician)
    photo = fresh(photo)
    for gone, stays in ((other, photo), (photo, other)):
        item = bin.put(fresh(gone), clinician, reason="mistake")
        with pytest.raises(Refused, match="lies in the bin"):
            covering.cover(fresh(stays), [Cover(10, 10, 40, 40).to_json()], clinician)
        restoring.restore(item, clinician)
        assert Photo.objects.filter(picture=photo.picture).count() == 2


def test_a_photo_comes_back_to_where_the_others_of_its_lesion_went(clinic, clinician, subtests):
    patient = factories.make_patient(clinic)
    home = Lesion.objects.create(clinic=clinic, patient=patient, site="nose")
    for seed, is_undone in ((1, False), (3, True)):
        with subtests.test(is_undone=is_undone):
            first = factories.make_photo(clinic, clinician, seed=seed)
            second = factories.make_photo(clinic, clinician, seed=seed + 1, lesion=first.lesion)
            item = bin.put(first, clinician, reason="mistake")
            receipt = file(second, clinician, patient, home)
            if is_undone:
                filing.undo(receipt)
            restoring.restore(fresh(item), clinician)
            assert fresh(first).lesion == fresh(second).lesion
            assert (fresh(first).lesion == home) is not is_undone


def test_undoing_a_filing_finds_a_tag_or_a_patient_gone(clinic, clinician):
    before, patient = factories.make_patient(clinic, "P-1"), factories.make_patient(clinic, "P-2")
    photo = factories.make_photo(clinic, clinician)
    tag = clinic.case_tags.create(name="Teaching", created_by=clinician)
    LesionTag.objects.create(clinic=clinic, lesion=photo.lesion, tag=tag, created_by=clinician)
    receipt = file(photo, clinician, before)
    tag.delete()
    filing.undo(receipt)
    assert fresh(photo).lesion.patient is None
    file(photo, clinician, before)
    receipt = file(photo, clinician, patient)
    merges.merge(patient, before, {}, clinician, looked=merges.seen(fresh(patient), fresh(before)))
    with pytest.raises(filing.MovedOn):
        filing.undo(receipt)
    assert fresh(photo).lesion.patient == patient


def test_a_new_patient_that_was_told_of_more_outlives_the_undoing(clinic, clinician):
    patient = factories.make_patient(clinic, "P-9")
    photo = factories.make_photo(clinic, clinician)
    receipt = filing.file_photos(
        [photo], user=clinician, patient=patient, details=filing.Details(keep_day=True), new_patient=True
    )
    patient.former_codes.create(clinic=clinic, code="P-8")
    filing.undo(receipt)
    assert Patient.objects.filter(pk=patient.pk).exists()


def test_what_is_the_archive_s_is_restored_by_its_curators(client_for, clinic, clinician, curator):
    photo = factories.make_photo(clinic, clinician)
    factories.make_photo(clinic, clinician, seed=1, lesion=photo.lesion)
    Lesion.objects.filter(pk=photo.lesion_id).update(is_archived=True)
    item = bin.put(fresh(photo), curator, reason="identifiable")
    assert items.is_of_archive(item)
    for address in (f"/bin/{item.pk}/restore/", f"/api/bin/{item.pk}/restore/"):
        assert client_for(clinician).post(address).status_code == 403
    assert client_for(curator).post(f"/api/bin/{item.pk}/restore/").status_code == 200


def test_no_code_the_patient_ever_had_leaves_the_clinic(clinic, clinician):
    keep, other = factories.make_patient(clinic, "QX-100"), factories.make_patient(clinic, "QX-200")
    photo = factories.make_photo(clinic, clinician)
    _opinion, secret = second_opinions.ask_outside(
        photo.lesion,
        clinician,
        name="Noor",
        question="Is QX-200 like qx 100?",
        photos=[photo],
        shows=["note"],
    )
    file(photo, clinician, other)
    merges.merge(keep, other, {}, clinician, looked=merges.seen(fresh(keep), fresh(other)))
    lesion = fresh(photo).lesion
    Lesion.objects.filter(pk=lesion.pk).update(note="QX200 has had it for years")
    page = Client().get(f"/opinion/{secret}/").content.decode()
    assert "has had it for years" in page and "like" in page
    # Tokens are drawn by lot and may hold anything.
    assert "QX" not in re.sub(r"[\w-]{40,}", "", page).upper(), "neither code, however it is spelt"
    # Where the patient asks for it, the link ends for good; restoring says so.
    restored = restoring.restore(bin.put(lesion, clinician, reason="withdrawn"), clinician)
    assert restored.stays == ["1 link for a second opinion outside the clinic ends."]
    assert Client().get(f"/opinion/{secret}/").status_code == 404
    with pytest.raises(Refused, match="code"):
        second_opinions.ask_outside(lesion, clinician, name="Noor", question="QX 200?", photos=[photo])
