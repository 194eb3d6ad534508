"""What a request may be: its method, and parameters that come twice."""

import pytest

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


def test_a_parameter_that_comes_twice_means_its_last_value_to_the_check_and_to_what_is_done(
    client_for, clinician, clinic, other_clinic
):
    own, other = factories.make_patient(clinic, "OWN-1"), factories.make_patient(other_clinic, "OTHER-1")
    client = client_for(clinician)
    for first, last, found in ((clinic, other_clinic, []), (other_clinic, clinic, [own.pk])):
        listed = client.get(f"/api/patients/?clinic={first.slug}&clinic={last.slug}").json()["results"]
        assert [row["id"] for row in listed] == found
        sent = client.post(url("switch-clinic"), {"clinic": [first.slug, last.slug]})
        assert sent.status_code == (302 if found else 404)
    # What stands in the address is no field of the form.
    assert client.post(f"{url('switch-clinic')}?clinic={clinic.slug}").status_code == 404
    assert other.clinic == other_clinic
