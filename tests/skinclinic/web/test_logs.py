"""The secrets of links stand in no log."""

import json
import logging
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils.functional import SimpleLazyObject
from gunicorn.config import Config

from skinclinic.web import acting
from skinclinic.web.gunicorn_logs import MaskingLogger
from skinclinic.web.logs import JsonFormatter, MaskingFormatter, masked
from tests import factories
from tests.cases import each

SECRET = "KDANPo-abcdefghijklmnopqrstuvwxyz_0123456789ABC"


def with_secrets(resolver: URLResolver | None = None):
    """Every pattern whose address holds a secret."""
    for found in (resolver or get_resolver()).url_patterns:
        if isinstance(found, URLResolver):
            yield from with_secrets(found)
        else:
            yield found


def test_every_address_with_a_secret_is_masked():
    names = set()
    for pattern in with_secrets():
        assert isinstance(pattern, URLPattern)
        for name in {"secret", "token"} & set(pattern.pattern.converters):
            others = {"session": "unaided", "position": 1, "number": 1}
            args = {key: others.get(key, SECRET) for key in pattern.pattern.converters}
            for full in get_resolver().reverse_dict.getlist(pattern.name):
                args |= {key: others.get(key, SECRET) for key in full[0][0][1]}
            address = reverse(pattern.name, kwargs=args)
            assert SECRET in address and SECRET not in masked(address), address
            assert masked(address).count("***") == 1
            names.add((pattern.name, name))
    assert len(names) > 15


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("GET /reading/KD_-9/a/photo/1/answer?x=1 HTTP/1.1", "GET /reading/***/a/photo/1/answer?x=1 HTTP/1.1"),
        ("https://a.example/join/KD9/ and /try/AB#c", "https://a.example/join/***/ and /try/***#c"),
        ("/login/?next=%2Fjoin%2FKD9%2F&x=1", "/login/?next=%2Fjoin%2F***%2F&x=1"),
        ("/archive/imports/12/ and /studies/3/readers/", "/archive/imports/12/ and /studies/3/readers/"),
    ],
)  # fmt: skip
def test_only_secrets_are_masked(said, left):
    assert masked(said) == left


def logged(text: str, formatter=None) -> str:
    record = logging.LogRecord("x", logging.WARNING, "f", 1, text, (), None)
    return (formatter or MaskingFormatter("%(message)s")).format(record)


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ('"GET /patients/?q=P-0815&only=x HTTP/1.1" 200', '"GET /patients/?*** HTTP/1.1" 200'),
        ("/login/?next=%2Fpatients%2F%3Fq%3DP-0815", "/login/?***"),
        ("from https://a.example/archive/?q=patient:%22Kim%22)", "from https://a.example/archive/?***)"),
        ("what? a=b", "what? a=b"),
        (
            "duplicate key\nDETAIL:  Key (clinic_id, code)=(1, P-0815) already exists.\nSTATEMENT: x",
            "duplicate key\nDETAIL: ***\nSTATEMENT: x",
        ),
        ("Failing row contains (4, P-0815, Kim).", "Failing row contains  ***"),
    ],
)  # fmt: skip
def test_nothing_that_people_search_for_and_no_row_is_logged(said, left):
    assert logged(said) == left


def test_lines_carry_request_job_and_person(rf, django_user_model):
    request = rf.get("/patients/?q=P-0815")
    request._cached_user = django_user_model(pk=12, username="clara")
    with acting.acting(acting.Acting(request=request, request_id="abc-12345")):
        assert logged("went wrong\nand more") == "went wrong [request=abc-12345 user=12]\nand more"
        told = json.loads(logged("went wrong at /p/?q=P-0815", JsonFormatter()))
    assert (told["request"], told["user"], told["message"]) == ("abc-12345", "12", "went wrong at /p/?***")
    assert "clara" not in str(told)
    with acting.acting(acting.job("analyse", [7, 8])):
        assert logged("slow") == "slow [job=7,8 kind=analyse]"
    assert logged("nobody") == "nobody"


def test_what_was_denied_is_logged(client_for, clinician, outsider, clinic, caplog):
    patient = factories.make_patient(clinic)
    client_for(outsider).get(f"/patients/{patient.pk}/")
    client_for(clinician).get("/clinic/members/")
    client_for(clinician).post("/api/models/roll-back/", {}, "application/json")
    for said in (
        f"Not Found: /patients/{patient.pk}/",
        "Forbidden (Permission denied): /clinic/members/",
        "Forbidden: /api/v1/models/roll-back/",
    ):
        assert said in caplog.text


def test_nobody_writes_lines_of_their_own_into_the_log():
    line = logged("no page /a\r\n2026-01-01 ERROR all well\x1b[2J\x85\u2028", JsonFormatter())
    assert len(line.encode().splitlines()) == 1 and "\x1b" not in line
    assert json.loads(line)["level"] == "WARNING"


def test_who_asks_is_not_looked_up_for_a_line_of_a_log(rf):
    request = rf.get("/")
    request.user = SimpleLazyObject(lambda: pytest.fail("asked the database"))
    with acting.acting(acting.Acting(request=request, request_id="abc-12345")):
        assert logged("x") == "x [request=abc-12345]"


@each("is_json", [True, False])
def test_gunicorns_lines_have_no_query(settings, capsys, is_json):
    settings.LOG_FORMAT = "json" if is_json else "text"
    config = Config()
    config.set("accesslog", "-")
    response = SimpleNamespace(status="200 OK", sent=12, headers=[("X-Request-ID", "abc-12345")])
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": f"/join/{SECRET}/%s",
        "QUERY_STRING": "q=P-0815",
        "REMOTE_ADDR": "::1",
    }
    MaskingLogger(config).access(response, None, environ, timedelta(milliseconds=5))
    line = capsys.readouterr().out
    assert "/join/***/%s" in line and "abc-12345" in line and "P-0815" not in line
    assert not is_json or json.loads(line)["ms"] == 5


def test_an_unexpected_error_shows_its_number_and_no_stack(db, client_for, clinician, monkeypatch, caplog):
    def broken(*args):
        raise RuntimeError("inner words")

    monkeypatch.setattr("skinclinic.services.patients.matching", broken)
    monkeypatch.setattr("skinclinic.api.base.ClinicViewSet.get_queryset", broken)
    client = client_for(clinician)
    client.raise_request_exception = False
    page = client.get("/patients/")
    number = page["X-Request-ID"]
    assert (
        page.status_code == 500
        and number in page.content.decode()
        and "inner words" not in page.content.decode()
    )
    answer = client.get("/api/patients/")
    assert answer.json()["error"]["request"] == answer["X-Request-ID"] and "inner words" not in str(
        answer.json()
    )


def test_tracebacks_are_masked_too():
    try:
        raise ValueError(f"/join/{SECRET}/")
    except ValueError as error:
        found = (type(error), error, error.__traceback__)
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "at %s", (f"/try/{SECRET}/",), found)
    text = MaskingFormatter("%(message)s").format(record)
    assert SECRET not in text and "/try/***/" in text and "ValueError: /join/***/" in text


@pytest.mark.parametrize(
    ("path", "policy"),
    [
        (f"/join/{SECRET}/", "strict-origin"),
        (f"/login/?next=/join/{SECRET}/", "strict-origin"),
        (f"/reading/{SECRET}/", "no-referrer"),
        (f"/opinion/{SECRET}/", "no-referrer"),
    ],
)
def test_a_page_with_a_secret_is_not_told_to_other_requests(client, db, path, policy):
    assert client.get(path)["Referrer-Policy"] == policy
    assert client.get("/login/")["Referrer-Policy"] == "same-origin"
