"""Bodies that no view and no column takes are refused in one place, in words."""

import io
import json
from urllib.parse import quote

import pytest
from rest_framework.exceptions import APIException
from rest_framework.test import APIClient

from skinclinic.api.parsers import JSONParser
from skinclinic.models import Patient
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


@pytest.mark.django_db
def test_what_would_be_lost_or_read_otherwise_is_refused_with_its_name(clinician):
    """Two codes in another charset than was said, of which the same would be left; all but the last of two."""
    client = APIClient()
    client.force_authenticate(clinician)

    def send(body: bytes, kind: str, **more) -> tuple[int, list[str]]:
        answer = client.generic("POST", "/api/v1/patients/", body, content_type=kind, **more)
        error = answer.json().get("error", {})
        return answer.status_code, list(error.get("fields", [error.get("code", "")]))

    form, parts = "application/x-www-form-urlencoded", 'multipart/form-data; boundary="b"'
    korean = "환자-1".encode("cp949")
    part = b'--b\r\nContent-Disposition: form-data; name="code"\r\n\r\n%s\r\n'
    assert send(b"code=" + korean, form) == (400, ["parse_error"])
    assert send(b"code=" + quote(korean).encode(), form) == (400, ["code"])
    assert send(part % korean + b"--b--\r\n", parts) == (400, ["code"])
    assert send(b"code=A-1&code=A-2", form) == (400, ["code"])
    assert send(part % b"A-1" + part % b"A-2" + b"--b--\r\n", parts) == (400, ["code"])
    assert send(b'{"code": "A-1", "code": "A-2"}', "application/json") == (400, ["code"])
    assert send(b'{"code": "A-1"}', "application/json; charset=no-such") == (415, ["unsupported_media_type"])
    assert send(b'{"code": "A-1"}', "application/json", HTTP_CONTENT_ENCODING="gzip")[0] == 415
    assert not Patient.objects.exists()
    assert send(b'{"code": "%s"}' % "환자-1".encode(), "application/json")[0] == 201
    assert send(b"code=" + "환자-2".encode(), form)[0] == 201
