"""What a request may be: its method, and parameters that come twice."""

import pytest

from skinclinic.models import Job, Photo
from tests import factories
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db


def test_methods_that_nothing_here_knows_are_refused_and_logged(client_for, admin_user, caplog):
    client = client_for(admin_user)
    for address in (url("login"), url("set_language"), url("import-new"), "/nowhere/", "/static/logo.svg"):
        for method in ("PUT", "DELETE", "TRACE", "PROPFIND"):
            answer = client.generic(method, address)
            assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, POST, OPTIONS"), (
                method,
                address,
            )
    answer = client.generic("TRACE", "/api/v1/patients/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method_not_allowed")
    assert "Method Not Allowed: /api/v1/patients/" in caplog.text
    assert client.generic("PUT", "/api/v1/patients/").status_code == 405, "known, but not here"


def test_head_in_the_api_is_get_without_a_body_and_changes_nothing(client_for, clinician, clinic):
    photo = factories.make_photo(clinic, clinician)
    client = client_for(clinician)
    addresses = ["me/", "sites/", "diseases/", "codes/", "patients/", f"lesions/{photo.lesion_id}/sizes/"]
    addresses += [f"photos/{photo.pk}/{one}" for one in ("", "squares/", "suggested-squares/", "image/")]
    before = (Photo.objects.count(), Job.objects.count())
    for address in addresses:
        got, head = client.get(f"/api/v1/{address}"), client.head(f"/api/v1/{address}")
        assert (head.status_code, head["ETag"], head.getvalue()) == (got.status_code, got["ETag"], b""), (
            address
        )
    assert (Photo.objects.count(), Job.objects.count()) == before


def test_addresses_of_the_api_lead_to_their_version_and_slash_or_say_that_there_are_none(client):
    for address in ("/api", "/api/v1"):
        assert client.get(address).headers["Location"] == "/api/v1/"
    old = client.get("/api/patients/")
    assert old.status_code == 401 and "/api/v1/patients/" in old["Link"]
    for address in ("/api/v2/", "/api/v2/patients/", "/api/nothing/", "/api/v1/nothing/"):
        none = client.get(address)
        assert (none.status_code, none.json()["error"]["code"]) == (404, "not_found")
        assert "Link" not in none.headers and "Deprecation" not in none.headers, address
    # By 301 it would come again as GET.
    sent = client.post("/api/v1/patients", {"code": "P-1"}, content_type="application/json")
    assert (sent.status_code, sent["Location"]) == (308, "/api/v1/patients/")
    assert client.get("/api/v1/patients").status_code == 301


def test_a_parameter_that_comes_twice_means_its_last_value_on_pages_and_is_refused_in_the_api(
    client_for, clinician, clinic, other_clinic
):
    client = client_for(clinician)
    for first, last, found in ((clinic, other_clinic, False), (other_clinic, clinic, True)):
        listed = client.get(f"/api/patients/?clinic={first.slug}&clinic={last.slug}")
        assert listed.status_code == 400 and list(listed.json()["error"]["fields"]) == ["clinic"]
        sent = client.post(url("switch-clinic"), {"clinic": [first.slug, last.slug]})
        assert sent.status_code == (302 if found else 404)
    # What stands in the address is no field of the form.
    assert client.post(f"{url('switch-clinic')}?clinic={clinic.slug}").status_code == 404
