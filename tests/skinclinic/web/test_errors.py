"""Error pages: what happened and what to do, for people and for programs, and never with the database."""

import contextlib
import errno
import sqlite3

import psycopg2.errors
import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import InterfaceError, OperationalError, connection, transaction
from django.test import Client
from django.urls import path

from skinclinic import urls as product
from skinclinic.api.errors import handle
from skinclinic.permissions import clinic_member
from tests.skinclinic.pages import url

ERRORS = {
    "operational": OperationalError("server closed the connection"),
    "interface": InterfaceError("connection already closed"),
    "key": KeyError("secret detail"),
    "suspicious": SuspiciousOperation("secret detail"),
    "denied": PermissionDenied("Only on Tuesdays."),
}


@clinic_member()
def broken(request, kind):
    raise ERRORS[kind]


urlpatterns = [path("broken/<str:kind>/", broken), *product.urlpatterns]
handler400, handler403 = product.handler400, product.handler403
handler404, handler500 = product.handler404, product.handler500

SCRIPT = {"X-Requested-With": "fetch"}


class _Full(psycopg2.errors.DiskFull):
    pgcode = "53100"


@pytest.fixture
def client(settings, client_for, clinician):
    settings.ROOT_URLCONF = __name__
    client = client_for(clinician)
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize(
    ("kind", "status", "words"),
    [
        ("operational", 503, b"database"),
        ("interface", 503, b"database"),
        ("key", 500, b"broke"),
        ("suspicious", 400, b"could not be read"),
        ("denied", 403, b"Only on Tuesdays."),
    ],
)
def test_pages(client, kind, status, words):
    response = client.get(f"/broken/{kind}/")
    assert response.status_code == status
    assert words in response.content
    assert b"secret detail" not in response.content
    assert b"<html" in response.content


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("operational", 503, "unavailable"),
        ("key", 500, "server_error"),
        ("suspicious", 400, "bad_request"),
        ("denied", 403, "forbidden"),
    ],
)
def test_programs_get_json(client, kind, status, code):
    response = client.get(f"/broken/{kind}/", headers=SCRIPT)
    assert response.status_code == status
    error = response.json()["error"]
    assert error["code"] == code
    assert "secret" not in error["message"]


def test_a_restarting_database_says_when_to_try_again(client):
    assert client.get("/broken/operational/")["Retry-After"] == "15"


def test_a_database_whose_disk_is_full_is_not_called_away(client, tmp_path):
    """SQLite's own words, of a real file that may not grow."""
    with contextlib.closing(sqlite3.connect(tmp_path / "small.sqlite3")) as small:
        small.execute("CREATE TABLE t (x)")
        small.execute("PRAGMA max_page_count = 3")
        with pytest.raises(sqlite3.OperationalError) as full:
            small.execute("INSERT INTO t VALUES (zeroblob(100000))")
    ERRORS["full"] = OperationalError(*full.value.args)
    ERRORS["full"].__cause__ = full.value
    # PostgreSQL's, where it is there; what it says of a file names no disk.
    ERRORS["server"] = OperationalError('could not extend file "base/16384/1259": No space left on device')
    ERRORS["server"].__cause__ = _Full()
    if connection.vendor == "postgresql":
        with pytest.raises(OperationalError) as full, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = '53100'; END $$")
        ERRORS["server"] = full.value
    # And a disk of files, such as that on which bodies of requests wait.
    ERRORS["no room"] = OSError(errno.ENOSPC, "No space left on device", "/secret detail")
    for kind in ("full", "server", "no room"):
        response = client.get(f"/broken/{kind}/")
        assert response.status_code == 507 and response["Retry-After"] == "300"
        assert b"disk is full" in response.content and b"secret" not in response.content
        response = client.get(f"/broken/{kind}/", headers=SCRIPT)
        assert response.json()["error"]["code"] == "storage_full" and response["Retry-After"] == "300"
        response = handle(ERRORS[kind], {})
        assert (response.status_code, response.data["error"]["code"]) == (507, "storage_full")
        assert response.headers["Retry-After"] == "300"
    away = handle(ERRORS["operational"], {})
    assert (away.status_code, away.headers["Retry-After"]) == (503, "15")


def test_the_database_away_before_any_view(client, monkeypatch):
    def away(user):
        raise OperationalError("could not connect")

    monkeypatch.setattr("skinclinic.web.middleware._memberships", away)
    response = client.get(url("account"))
    assert response.status_code == 503
    assert response["Retry-After"] == "15"


@pytest.mark.parametrize("address", ["/nowhere/", "/photos/x/", "/join//", "/%00/", "/" + "x" * 10_000])
def test_not_found(client, address):
    response = client.get(address)
    assert response.status_code == 404
    assert b"Nothing here" in response.content


def test_missing_csrf_token(clinician):
    client = Client(enforce_csrf_checks=True)
    response = client.post(url("login"), {"username": "clara", "password": "x"})
    assert response.status_code == 403
    assert b"open too long" in response.content
    response = client.post(url("login"), headers=SCRIPT)
    assert response.json()["error"]["code"] == "csrf_failed"


@pytest.mark.parametrize("length", [27 * 1024 * 1024, 10**12])
def test_large_bodies_are_refused_by_their_length(client, announced_only, length):
    response = client.post(url("account"), CONTENT_LENGTH=str(length))
    assert response.status_code == 413
    assert b"25 MB" in response.content
    response = client.post(url("account"), CONTENT_LENGTH=str(length), headers=SCRIPT)
    assert response.json()["error"]["code"] == "too_large"


def test_large_forms_without_files_are_refused(client, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    response = client.post(url("account"), "display_name=" + "x" * 2000, "application/x-www-form-urlencoded")
    assert response.status_code == 413


def test_too_many_fields_are_refused(client):
    body = "&".join(f"a{number}=1" for number in range(2000))
    assert client.post(url("account"), body, "application/x-www-form-urlencoded").status_code == 400


def test_foreign_host_names_are_refused(db):
    assert Client(headers={"Host": "evil.example"}).get(url("login")).status_code == 400


def test_a_member_of_nothing_is_told_so(client_for, django_user_model):
    person = django_user_model.objects.create_user("nobody", password="correct horse battery")
    response = client_for(person).get(url("worklist"))
    assert response.status_code == 403
    assert b"not a member of a clinic" in response.content


def test_healthz(client):
    assert client.get(url("healthz")).json() == {"status": "ok"}
    assert client.post(url("healthz")).status_code == 405
