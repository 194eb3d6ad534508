"""What an admin decides for the clinic."""

import pytest

from tests import factories
from tests.cases import each
from tests.skinclinic.pages import MILLION, messages_of, url

pytestmark = pytest.mark.django_db

FORM = {"name": "Hanok Skin", "impression_first": "on", "try_page_open": "on"}


def test_admin_changes_settings(client_for, admin_user, clinic):
    client = client_for(admin_user)
    response = client.post(url("clinic-settings"), FORM)
    assert response.url == url("clinic-settings")
    assert "Saved" in messages_of(response)
    clinic.refresh_from_db()
    assert (clinic.name, clinic.impression_first, clinic.try_page_open) == ("Hanok Skin", True, True)

    client.post(url("clinic-settings"), {"name": "Hanok Skin"})
    clinic.refresh_from_db()
    assert (clinic.impression_first, clinic.try_page_open) == (False, False)


def test_two_admins_keep_what_the_other_saved(client_for, admin_user, clinic):
    client = client_for(admin_user)
    seen = {"seen": client.get(url("clinic-settings")).context["form"].initial["seen"]}
    client.post(url("clinic-settings"), {"name": "Hanok Skin", "try_page_open": "on"} | seen)
    # Touches only what comes first; the name and the page stay as the other has saved them.
    client.post(url("clinic-settings"), {"name": "Hanok Dermatology", "impression_first": "on"} | seen)
    clinic.refresh_from_db()
    assert (clinic.name, clinic.impression_first, clinic.try_page_open) == ("Hanok Skin", True, True)
    answer = client.post(url("clinic-settings"), {"name": "Hanok 2"} | seen)
    assert answer.status_code == 409 and "Hanok Skin" in answer.content.decode()
    clinic.refresh_from_db()
    assert clinic.name == "Hanok Skin"
    seen = {"seen": answer.context["form"]["seen"].value()}
    assert client.post(url("clinic-settings"), {"name": "Hanok 2"} | seen).status_code == 302
    clinic.refresh_from_db()
    assert (clinic.name, clinic.impression_first, clinic.try_page_open) == ("Hanok 2", True, True)
    for nonsense in ("{", "[]", '{"name": {"a": []}}'):
        sent = {"name": "Hanok 2", "seen": nonsense}
        assert client.post(url("clinic-settings"), sent).status_code in (302, 409)


def test_says_what_becomes_public_and_what_is_stored(client_for, admin_user, clinic, photo):
    factories.make_patient(clinic, "P-1")
    for number in range(3):
        factories.make_patient(clinic, f"imported-{number}", is_archived=True)
    response = client_for(admin_user).get(url("clinic-settings"))
    # The clinic's own as its pages list them, what was imported beside them.
    assert [entry["count"] for entry in response.context["stored"]][:5] == [1, 1, 1, 3, 0]
    page = response.content.decode()
    assert "What becomes public" in page
    assert f"photos/clinic-{clinic.pk}" in page
    assert f"models/clinic-{clinic.pk}" in page


@pytest.mark.parametrize("person", ["clinician", "coordinator", "curator"])
def test_only_admins(client_for, request, person, clinic):
    client = client_for(request.getfixturevalue(person))
    assert client.get(url("clinic-settings")).status_code == 403
    assert client.post(url("clinic-settings"), FORM).status_code == 403
    clinic.refresh_from_db()
    assert clinic.name == "Hanok Dermatology"


def test_an_admin_elsewhere_changes_only_their_own(client_for, outsider, clinic, other_clinic):
    client_for(outsider).post(url("clinic-settings"), FORM | {"clinic": clinic.pk, "pk": clinic.pk})
    clinic.refresh_from_db()
    other_clinic.refresh_from_db()
    assert clinic.name == "Hanok Dermatology"
    assert other_clinic.name == "Hanok Skin"


@each("name", ["", "   ", "\x00", "a\nb", "a\u202eb", MILLION, "x" * 121])
def test_names_no_clinic_may_have(client_for, admin_user, clinic, name):
    response = client_for(admin_user).post(url("clinic-settings"), FORM | {"name": name})
    assert response.status_code == 422
    assert "name" in response.context["form"].errors
    assert "Hanok Dermatology" in response.content.decode(), "the head still shows the stored name"
    clinic.refresh_from_db()
    assert clinic.name == "Hanok Dermatology"


def test_slug_stays(client_for, admin_user, clinic):
    client_for(admin_user).post(url("clinic-settings"), FORM | {"slug": "stolen"})
    clinic.refresh_from_db()
    assert clinic.slug == "hanok-dermatology"


def test_wrong_method(client_for, admin_user):
    assert client_for(admin_user).delete(url("clinic-settings")).status_code == 405


def test_a_full_room_says_so(client_for, admin_user, settings):
    client = client_for(admin_user)
    assert "nothing more is stored" not in client.get(url("clinic-settings")).content.decode()
    settings.CLINIC_PHOTOS = 0
    assert "full: nothing more is stored" in client.get(url("clinic-settings")).content.decode()
