"""Lesions: opening, changing, deleting, and their page over time."""

from datetime import timedelta

import pytest
from django.utils import timezone

from skinclinic.models import Lesion, Photo
from skinclinic.services import diagnoses
from tests import factories
from tests.cases import each
from tests.skinclinic.pages import audited


@pytest.fixture
def patient(clinic):
    return factories.make_patient(clinic)


@pytest.fixture
def lesion(clinic, clinician, patient):
    return Lesion.objects.create(clinic=clinic, patient=patient, created_by=clinician, site="nose")


class TestNew:
    def test_a_lesion_is_opened(self, client_for, clinician, clinic, patient):
        client = client_for(clinician)
        assert client.get(f"/patients/{patient.pk}/lesions/new/").status_code == 200
        sent = {"site": "back", "site_x": "0.5123", "site_y": "0.25", "note": "growing"}
        response = client.post(f"/patients/{patient.pk}/lesions/new/", sent)
        assert audited("lesion.make")
        made = Lesion.objects.get()
        assert response.url == f"/lesions/{made.pk}/"
        assert (made.clinic, made.patient, made.created_by) == (clinic, patient, clinician)
        assert (made.site, made.site_x, made.site_y, made.note) == ("back", 0.5123, 0.25, "growing")

    def test_everything_may_be_left_out(self, client_for, clinician, patient):
        assert client_for(clinician).post(f"/patients/{patient.pk}/lesions/new/").status_code == 302

    @each(
        "sent, field",
        [
            ({"site": "moon"}, "site"),
            ({"site": "nose", "site_x": "2", "site_y": "0.5"}, "site"),
            ({"site": "nose", "site_x": "nan", "site_y": "inf"}, "site"),
            ({"site": "nose", "site_x": "left", "site_y": "0.5"}, "site"),
            ({"note": "x" * 401}, "note"),
            ({"note": "a\0"}, "note"),
        ],
    )
    def test_what_is_wrong_is_said_at_its_field(self, client_for, clinician, patient, sent, field):
        response = client_for(clinician).post(f"/patients/{patient.pk}/lesions/new/", sent)
        assert response.status_code == 422 and field in response.context["form"].errors
        assert not Lesion.objects.exists()

    def test_a_place_without_its_other_half_or_without_a_site_is_left_out(
        self, client_for, clinician, patient
    ):
        client = client_for(clinician)
        client.post(f"/patients/{patient.pk}/lesions/new/", {"site": "nose", "site_x": "0.5"})
        client.post(f"/patients/{patient.pk}/lesions/new/", {"site_x": "0.5", "site_y": "0.5"})
        assert set(Lesion.objects.values_list("site_x", "site_y")) == {(None, None)}

    def test_who_may(self, client_for, coordinator, outsider, patient):
        for method in ("get", "post"):
            address = f"/patients/{patient.pk}/lesions/new/"
            assert getattr(client_for(coordinator), method)(address).status_code == 403
            assert getattr(client_for(outsider), method)(address).status_code == 404


class TestEdit:
    def test_it_is_changed_and_a_worker_s_answer_stays(self, client_for, clinician, lesion):
        Lesion.objects.filter(pk=lesion.pk).update(state="done", top_disease="mm")
        client_for(clinician).post(f"/lesions/{lesion.pk}/edit/", {"site": "cheek", "note": "n"})
        lesion.refresh_from_db()
        assert (lesion.site, lesion.note, lesion.state, lesion.top_disease) == ("cheek", "n", "done", "mm")

    def test_who_may(self, client_for, coordinator, outsider, lesion):
        for method in ("get", "post"):
            assert getattr(client_for(coordinator), method)(f"/lesions/{lesion.pk}/edit/").status_code == 403
            assert getattr(client_for(outsider), method)(f"/lesions/{lesion.pk}/edit/").status_code == 404


class TestPage:
    @pytest.fixture
    def photos(self, clinic, clinician, lesion):
        """Three photos, uploaded in another order than they were taken."""
        made = [factories.make_photo(clinic, clinician, seed=seed, lesion=lesion) for seed in range(3)]
        for photo, days in zip(made, (10, 30, 20), strict=True):
            Photo.objects.filter(pk=photo.pk).update(captured_at=timezone.now() - timedelta(days=days))
        return made

    def test_photos_stand_in_the_order_they_were_taken(
        self, client_for, clinician, coordinator, photos, lesion
    ):
        first, second, third = photos
        for user in (clinician, coordinator):
            context = client_for(user).get(f"/lesions/{lesion.pk}/").context
            assert context["photos"] == [second, third, first]
            assert context["compared"].shown == [third, first]

    def test_the_address_says_which_are_compared(self, client_for, clinician, photos, lesion):
        address = f"/lesions/{lesion.pk}/?photos={photos[0].pk}&photos={photos[1].pk}&photos=x&photos=%00"
        assert client_for(clinician).get(address).context["compared"].shown == [photos[1], photos[0]]

    def test_an_outsider_finds_nothing(self, client_for, outsider, clinician, lesion):
        assert client_for(outsider).get(f"/lesions/{lesion.pk}/").status_code == 404
        for pk in ("0", "9" * 25):
            assert client_for(clinician).get(f"/lesions/{pk}/").status_code == 404
        assert client_for(clinician).post(f"/lesions/{lesion.pk}/").status_code == 405

    def test_an_empty_one_offers_its_first_photo(self, client_for, clinician, coordinator, lesion):
        page = client_for(clinician).get(f"/lesions/{lesion.pk}/").content.decode()
        assert f'href="/patients/{lesion.patient_id}/photos/?lesion={lesion.pk}"' in page and "Delete" in page
        page = client_for(coordinator).get(f"/lesions/{lesion.pk}/").content.decode()
        assert "?lesion" not in page and "/delete/" not in page and "/pathology/" not in page

    def test_queries_do_not_grow_with_the_history(
        self, client_for, clinician, lesion, photos, django_assert_num_queries
    ):
        client = client_for(clinician)
        diagnoses.record(lesion=lesion, user=clinician, kind="impression", disease="mm")
        client.get(f"/lesions/{lesion.pk}/")
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as before:
            client.get(f"/lesions/{lesion.pk}/")
        for disease in ("sk", "bcc", "nevus", "wart"):
            diagnoses.record(lesion=lesion, user=clinician, kind="pathology", disease=disease)
        with django_assert_num_queries(len(before)):
            client.get(f"/lesions/{lesion.pk}/")
