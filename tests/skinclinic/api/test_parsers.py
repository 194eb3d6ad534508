"""Bodies that no view and no column takes are refused in one place, in words."""

import io
import json

import pytest
from rest_framework.exceptions import APIException
from rest_framework.test import APIClient

from skinclinic.api.parsers import JSONParser
from tests import factories
from tests.cases import each

NO_OBJECT = ["[]", '[{"a": 1}]', '"x"', "5", "null", "true", "{", "", "NaN", "[" * 100_000, '{"a":' * 100_000]
NOT_STORABLE = [r'"\u0000"', r'"\ud800"', '"x\\udfff"', "1e999", "-1e999", "9" * 25, "9" * 5000, "[" * 30 + "]" * 30,
                r'{"\ud800": 1}', r'[{"b": ["\u0000"]}]']  # fmt: skip


def parse(body: str):
    return JSONParser().parse(io.BytesIO(body.encode()), "application/json", {})


@each("body", [*NO_OBJECT, *(f'{{"a": {value}}}' for value in NOT_STORABLE), r'{"\ud800": 1}'])
def test_a_body_is_refused_in_words(body):
    with pytest.raises(APIException) as refused:
        parse(body)
    assert refused.value.status_code == 400
    assert json.dumps(refused.value.detail, ensure_ascii=False).encode()


def test_what_can_be_stored_comes_through():
    sent = {"a": ["ü", "피부", "\U0001f600", 2**63 - 1, -1.5, None, True, {"b": [[1]]}]}
    assert parse(json.dumps(sent)) == sent


@pytest.mark.django_db
def test_the_field_is_named(clinician):
    client = APIClient()
    client.force_authenticate(clinician)
    answer = client.post(
        "/api/patients/", '{"code": "A", "ethnicity": "\\ud800"}', content_type="application/json"
    )
    assert answer.status_code == 400 and list(answer.json()["error"]["fields"]) == ["ethnicity"]


@pytest.mark.django_db
def test_a_browsers_tab_and_any_accept_get_json(clinician, client_for, clinic):
    photo = factories.make_photo(clinic, clinician)
    for client in (APIClient(), client_for(clinician)):
        for accept in ("text/html,application/xhtml+xml,application/xml;q=0.9", "image/*", "application/pdf"):
            for path in ("me/", "patients/", "nothing/", "patients/0/", f"photos/{photo.pk}/"):
                answer = client.get(f"/api/{path}", headers={"Accept": accept})
                assert answer.status_code in (200, 401, 404), path
                assert answer["Content-Type"].startswith("application/json")
