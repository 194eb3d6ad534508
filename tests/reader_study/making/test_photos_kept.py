"""A photo of an open study stays until the study is closed."""

import pytest
from django.urls import reverse

from reader_study.models import Study
from skinclinic.files import store
from skinclinic.models import Photo
from tests.studies import make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def study(clinic, coordinator) -> Study:
    return make_study(clinic, coordinator).study


@pytest.fixture
def photo(study) -> Photo:
    return study.images.first().photo


def stays(photo: Photo) -> bool:
    return Photo.objects.filter(pk=photo.pk).exists() and store.path_of(photo.file_key).is_file()


def test_a_page_says_why(client_for, clinician, study, photo):
    response = client_for(clinician).post(
        reverse("photo-delete", args=[photo.pk]), headers={"accept": "text/html"}, follow=True
    )
    assert "open study “Twelve lesions”" in response.content.decode()
    assert stays(photo)


def test_programs_are_told(client_for, clinician, photo):
    client = client_for(clinician)
    for response in (
        client.post(reverse("photo-delete", args=[photo.pk])),
        client.delete(f"/api/photos/{photo.pk}/"),
    ):
        assert response.status_code == 409
        assert response.json()["error"]["code"] == "still_needed"
    assert stays(photo)


def test_it_goes_once_the_study_is_closed(client_for, clinician, study, photo):
    Study.objects.filter(pk=study.pk).update(state=Study.State.CLOSED)
    assert client_for(clinician).delete(f"/api/photos/{photo.pk}/").status_code == 204
    assert not Photo.objects.filter(pk=photo.pk).exists()
    assert study.images.filter(photo=None).count() == 1
