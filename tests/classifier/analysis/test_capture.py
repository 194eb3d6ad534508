"""Photos of a known patient: filed as they come, to the place they were taken at, and to nobody else."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from classifier.models import Analysis
from skinclinic.models import Lesion, Photo
from skinclinic.services import decoding, filing
from skinclinic.services.capture import Place
from tests import factories

KEY, OTHER_KEY = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
CHEEK = {"place_key": KEY, "site": "cheek", "site_x": "0.1", "site_y": "0.45"}


@pytest.fixture
def patient(clinic):
    return factories.make_patient(clinic, "P-77")


@pytest.fixture
def client(client_for, clinician):
    return client_for(clinician)


def send(client, patient, seed=0, **fields):
    file = SimpleUploadedFile(f"{seed}.jpg", factories.jpeg_bytes(seed), "image/jpeg")
    return client.post("/photos/", {"file": file, "patient": patient.pk, **fields})


def nothing_stored() -> bool:
    return not (Photo.objects.exists() or Lesion.objects.filter(place_key=KEY).exists())


@pytest.mark.django_db
def test_the_lesion_is_locked_before_the_patient(patient, clinician):
    """As by everybody who deletes or merges: two who lock in other orders would wait for one another in a circle."""
    lesion = Lesion.objects.create(clinic=patient.clinic, patient=patient, place_key=KEY)
    for place in (Place(patient, lesion=lesion.pk), Place(patient, key=KEY), Place(patient, key=OTHER_KEY)):
        with transaction.atomic(), CaptureQueriesContext(connection) as asked:
            home = place.home(clinician)
        assert (home == lesion) if place.key != OTHER_KEY else home.pk is None
        tables = re.findall(r'FROM "(skinclinic_\w+)"', " ".join(query["sql"] for query in asked))
        assert tables[:3] == ["skinclinic_lesion", "skinclinic_patient", "skinclinic_lesion"]


def test_photos_of_one_place_share_a_new_lesion_and_come_once(client, patient, clinician, model_version):
    first = send(client, patient, 1, **CHEEK)
    assert first.status_code == 201 and first.json()["patient"] == "P-77"
    assert "P-77 · Cheek" in first.json()["html"]
    lesion = Lesion.objects.get()
    assert (lesion.patient, lesion.site, lesion.site_x, lesion.created_by) == (
        patient,
        "cheek",
        0.1,
        clinician,
    )
    # Days later, when the first is long stored; meanwhile somebody has said more exactly where it lies.
    Lesion.objects.filter(pk=lesion.pk).update(site="nose")
    assert send(client, patient, 2, **CHEEK, kind="dermoscopic").status_code == 201
    assert send(client, patient, 3, **CHEEK | {"place_key": OTHER_KEY}).status_code == 201
    assert send(client, patient, 4, lesion=lesion.pk).status_code == 201
    assert sorted(patient.lesions.values_list("photo_count", "site")) == [(1, "cheek"), (3, "nose")]
    assert Analysis.objects.count() == 4
    # The answer got lost, and the same file for another place or another patient.
    assert send(client, patient, 2, **CHEEK).json()["sent_before"]
    other = factories.make_patient(patient.clinic, "P-78")
    for again in (send(client, patient, 2, place_key=OTHER_KEY), send(client, other, 2, **CHEEK)):
        assert (again.status_code, again.json()["sent_before"], again.json()["patient"]) == (
            200,
            False,
            "P-77",
        )
    assert Photo.objects.count() == 4 and not other.lesions.exists()


def test_what_is_no_longer_there_takes_no_photo(
    client, client_for, coordinator, outsider, patient, model_version
):
    other = factories.make_patient(patient.clinic, "P-78")
    moved = Lesion.objects.create(clinic=patient.clinic, patient=other)
    for lesion in (moved.pk, 10**12):
        refused = send(client, patient, lesion=lesion)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "lesion_gone")
    for wrong in ({"site": "moon"}, {"place_key": "1"}, {"lesion": "x"}, {"lesion": str(10**20)}):
        assert send(client, patient, **wrong).json()["error"]["code"] == "unknown_place"
    assert send(client_for(coordinator), patient, **CHEEK).status_code == 403
    assert send(client_for(outsider), patient, **CHEEK).status_code == 404
    patient.delete()
    assert client.post("/photos/", {"file": "", "patient": 10**12}).status_code == 404
    assert nothing_stored()


def test_what_goes_while_the_photo_is_decoded_takes_no_photo(client, patient, model_version, monkeypatch):
    lesion = Lesion.objects.create(clinic=patient.clinic, patient=patient)
    read = decoding.accept

    def meanwhile(change):
        monkeypatch.setattr(decoding, "accept", lambda data, **how: (change(), read(data, **how))[1])

    meanwhile(
        lambda: Lesion.objects.filter(pk=lesion.pk).update(
            patient=factories.make_patient(patient.clinic, "Q")
        )
    )
    assert send(client, patient, lesion=lesion.pk).status_code == 409
    meanwhile(patient.delete)
    assert send(client, patient, **CHEEK).status_code == 409
    assert nothing_stored()


def test_filed_elsewhere_by_hand_later_photos_stay_with_the_patient(
    client, patient, clinician, model_version
):
    send(client, patient, 1, **CHEEK)
    other = factories.make_patient(patient.clinic, "P-78")
    photo = Photo.objects.select_related("lesion").get()
    filing.file_photos([photo], user=clinician, patient=other, details=filing.Details(keep_day=True))
    send(client, patient, 2, **CHEEK)
    assert Photo.objects.get(original_name="2.jpg").lesion.patient == patient
    # Back again: two lesions of one place, the older of which takes what comes.
    filing.file_photos([photo], user=clinician, patient=patient, details=filing.Details(keep_day=True))
    send(client, patient, 3, **CHEEK)
    assert Photo.objects.get(original_name="3.jpg").lesion == photo.lesion


def test_a_place_tapped_by_mistake_goes_with_its_photo(client, patient, clinician, model_version):
    known = Lesion.objects.create(clinic=patient.clinic, patient=patient, site="nose")
    for seed, place in enumerate((CHEEK, {"lesion": known.pk})):
        photo = send(client, patient, seed, **place).json()["id"]
        assert client.post(f"/photos/{photo}/delete/").status_code == 200
    assert list(patient.lesions.all()) == [known]


def test_the_page_and_a_browser_without_scripts(client, client_for, coordinator, patient, model_version):
    lesion = Lesion.objects.create(clinic=patient.clinic, patient=patient, site="nose")
    address = f"/patients/{patient.pk}/photos/"
    page = client.get(address, {"lesion": lesion.pk}).content.decode()
    assert f'name="lesion" value="{lesion.pk}"' in page and 'data-number="1"' in page
    begun = client.get(address, CHEEK | {"site_x": "0.1"}).content.decode()
    assert f'value="{KEY}"' in begun and '<option value="cheek" selected>' in begun
    assert client.get(address, {"lesion": "x", "site": "moon"}).status_code == 200
    assert 'name="lesion" value=""' in client.get(address, {"lesion": 10**12}).content.decode()
    assert client_for(coordinator).get(address).status_code == 403
    assert address not in client_for(coordinator).get(f"/patients/{patient.pk}/").content.decode()
    file = SimpleUploadedFile("a.jpg", factories.jpeg_bytes(5), "image/jpeg")
    sent = {"file": file, "patient": patient.pk, "site": "nose"}
    response = client.post("/photos/", sent, headers={"accept": "text/html"})
    assert response["Location"] == address and Photo.objects.get().lesion.patient == patient
