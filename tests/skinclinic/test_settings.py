"""Settings: what production refuses, what cookies and headers look like. Each case in a fresh process."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.checks import run_checks
from django.core.exceptions import ValidationError

from skinclinic.settings.own_key import kept_key
from tests.skinclinic.pages import url

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "DATABASE_URL": "postgres://skinclinic:secret@db/skinclinic",
    "CELERY_BROKER_URL": "redis://redis:6379/0",
    "SECRET_KEY": "a key of tests that nobody else uses, and as long as it has to be",
    "ALLOWED_HOSTS": "skin.example.org",
}
OURS = (*PRODUCTION, "DEBUG", "SKINCLINIC_EMBEDDED", "EMAIL_URL", "X_ACCEL_PREFIX", "CSRF_TRUSTED_ORIGINS")
SHOW = """
import json
from django.conf import settings
names = %r
print(json.dumps({name: getattr(settings, name, None) for name in names}, default=str))
"""


def load(home, names=(), *, preexec_fn=None, **environment) -> subprocess.CompletedProcess:
    """Load the settings with only these variables and print some of them as JSON."""
    clean = {name: value for name, value in os.environ.items() if name not in OURS}
    clean |= {"SKINCLINIC_HOME": str(home), "DJANGO_SETTINGS_MODULE": "skinclinic.settings", **environment}
    return subprocess.run(
        [sys.executable, "-c", SHOW % (list(names),)],
        env=clean, cwd=ROOT, capture_output=True, text=True, preexec_fn=preexec_fn,
    )  # fmt: skip


def loaded(home, *names, **environment) -> dict:
    result = load(home, names, **environment)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def without(name: str) -> dict:
    return {key: value for key, value in PRODUCTION.items() if key != name}


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        (without("SECRET_KEY"), "Set SECRET_KEY"),
        (PRODUCTION | {"SECRET_KEY": ""}, "Set SECRET_KEY"),
        (PRODUCTION | {"SECRET_KEY": "abc"}, "SECRET_KEY is too weak"),
        (PRODUCTION | {"SECRET_KEY": "x" * 60}, "SECRET_KEY is too weak"),
        (without("CELERY_BROKER_URL"), "embedded broker is for one machine"),
        (PRODUCTION | {"CELERY_BROKER_URL": "embedded://"}, "embedded broker is for one machine"),
        (PRODUCTION | {"PHOTO_STORAGE": "https://store/"}, "PHOTO_STORAGE: it does not begin with s3://"),
        (PRODUCTION | {"PHOTO_KEY": "secret"}, "PHOTO_KEY: A key is 32 random bytes"),
    ],
)
def test_production_refuses(tmp_path, environment, message):
    result = load(tmp_path, ["SECRET_KEY"], **environment)
    assert result.returncode != 0
    assert "ImproperlyConfigured" in result.stderr
    assert message in result.stderr


def test_one_machine_with_postgresql_may_be_told_to(tmp_path):
    environment = without("CELERY_BROKER_URL") | {"SKINCLINIC_EMBEDDED": "1"}
    assert loaded(tmp_path, "CELERY_BROKER_URL", **environment)["CELERY_BROKER_URL"].startswith("embedded://")


def test_program_and_database_notice_a_network_that_swallows_everything(tmp_path):
    options = loaded(tmp_path, "DATABASES", **PRODUCTION)["DATABASES"]["default"]["OPTIONS"]
    assert options["tcp_user_timeout"] == 30_000 and options["keepalives_idle"] == 15
    assert (
        "-c tcp_user_timeout=30000" in options["options"]
        and "-c tcp_keepalives_idle=15" in options["options"]
    )
    # Whoever's server it is, lists go by their indexes.
    assert "-c random_page_cost=1.1 -c jit=off" in options["options"]
    own = PRODUCTION | {"DATABASE_URL": "postgres://a@b/c?sslmode=verify-full&connect_timeout=3"}
    options = loaded(tmp_path, "DATABASES", **own)["DATABASES"]["default"]["OPTIONS"]
    assert (options["sslmode"], options["connect_timeout"]) == ("verify-full", 3)


def test_production_is_closed(tmp_path):
    names = [
        "DEBUG",
        "SESSION_COOKIE_SECURE",
        "CSRF_COOKIE_SECURE",
        "SESSION_COOKIE_HTTPONLY",
        "SECURE_HSTS_SECONDS",
        "SECURE_PROXY_SSL_HEADER",
        "ALLOWED_HOSTS",
        "X_FRAME_OPTIONS",
        "SECURE_CONTENT_TYPE_NOSNIFF",
        "PROXY_COUNT",
    ]
    settings = loaded(tmp_path, *names, **PRODUCTION)
    assert settings == {
        "DEBUG": False,
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "SESSION_COOKIE_HTTPONLY": True,
        "SECURE_HSTS_SECONDS": 31_536_000,
        "SECURE_PROXY_SSL_HEADER": ["HTTP_X_FORWARDED_PROTO", "https"],
        "ALLOWED_HOSTS": ["skin.example.org"],
        "X_FRAME_OPTIONS": "DENY",
        "SECURE_CONTENT_TYPE_NOSNIFF": True,
        "PROXY_COUNT": 1,
    }


def test_production_passes_djangos_checks_for_it(tmp_path, settings):
    """What ``manage.py check --deploy`` asks of security, of the settings that production has."""
    asked = [
        "SECURE_HSTS_SECONDS",
        "SESSION_COOKIE_SECURE",
        "CSRF_COOKIE_SECURE",
        "SECRET_KEY",
        "ALLOWED_HOSTS",
    ]
    for name, value in loaded(tmp_path, *asked, **PRODUCTION).items():
        setattr(settings, name, value)
    found = run_checks(tags=["security"], include_deployment_checks=True)
    assert [problem for problem in found if not problem.is_silenced()] == []
    assert {problem.id for problem in found} <= set(settings.SILENCED_SYSTEM_CHECKS)


def test_a_secret_is_the_text_that_stands_there(tmp_path):
    """Also one that begins with $, as one of fifty keys that Django draws, or that would name another variable."""
    file = tmp_path / "password"
    file.write_text("$HOME and a \\$ and $$\n")
    key = r"$7_ofr and \$ and $$ and HOME, and as long as a key has to be"
    given = PRODUCTION | {"SECRET_KEY": key, "POSTGRES_PASSWORD_FILE": str(file)}
    kept = loaded(tmp_path, "SECRET_KEY", "DATABASES", **given)
    assert kept["SECRET_KEY"] == key
    assert kept["DATABASES"]["default"]["PASSWORD"] == "$HOME and a \\$ and $$"
    assert loaded(tmp_path, "SECRET_KEY", SECRET_KEY="$HOME") == {"SECRET_KEY": "$HOME"}


def test_debug_is_off_unless_asked(tmp_path):
    assert loaded(tmp_path, "DEBUG") == {"DEBUG": False}


def test_one_machine_keeps_its_key_to_itself(tmp_path):
    first = loaded(tmp_path, "SECRET_KEY")
    assert loaded(tmp_path, "SECRET_KEY") == first
    file = tmp_path / "secret_key"
    assert file.stat().st_mode & 0o077 == 0
    assert len(file.read_text()) >= 50


def test_a_key_that_a_full_disk_did_not_take_is_made_anew(tmp_path):
    """The first start on a full disk, and a file of which a power cut left nothing: an empty key would keep every
    later start from succeeding."""
    # No file may have a byte, as on a full disk; what is printed goes into a pipe.
    full = load(
        tmp_path, ["SECRET_KEY"], preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    )
    assert full.returncode == 0, full.stderr
    made = loaded(tmp_path, "SECRET_KEY")["SECRET_KEY"]
    assert len(made) == 50 and (tmp_path / "secret_key").read_text() == made
    for left in ("", "\0" * 50):
        (tmp_path / "secret_key").write_text(left)
        anew = kept_key(tmp_path / "secret_key")
        assert len(anew) == 50 and kept_key(tmp_path / "secret_key") == anew != made


def test_everything_written_lies_in_the_home(tmp_path):
    names = ["PHOTOS_DIR", "MODELS_DIR", "CACHE_DIR", "STATIC_ROOT"]
    settings = loaded(tmp_path, *names, "DATABASES", "CELERY_BROKER_TRANSPORT_OPTIONS")
    paths = [settings[name] for name in names]
    paths += [settings["DATABASES"]["default"]["NAME"], settings["CELERY_BROKER_TRANSPORT_OPTIONS"]["folder"]]
    assert all(Path(path).is_relative_to(tmp_path) for path in paths), paths


@pytest.mark.django_db
def test_pages_carry_a_strict_policy(client):
    response = client.get(url("login"))
    policy = response["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "object-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    for address in (url("login"), "/static/css/base.css", "/nothing/", "/api/me/"):
        assert client.get(address)["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "Access-Control-Allow-Origin" not in client.get(address)


@pytest.mark.django_db
def test_cookies(client, settings, clinician):
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    response = client.post(url("login"), {"username": "clara", "password": "correct horse battery"})
    session, csrf = response.cookies["sessionid"], response.cookies["csrftoken"]
    assert session["secure"] and session["httponly"] and session["samesite"] == "Lax"
    assert csrf["secure"] and csrf["samesite"] == "Lax"


def test_cookies_of_production_are_this_hosts_alone(tmp_path):
    names = ["SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "LANGUAGE_COOKIE_NAME"]
    assert {name[:7] for name in loaded(tmp_path, *names, **PRODUCTION).values()} == {"__Host-"}
    assert loaded(tmp_path, "LANGUAGE_COOKIE_SECURE", **PRODUCTION) == {"LANGUAGE_COOKIE_SECURE": True}
    for plain in ({}, {**PRODUCTION, "COOKIES_SECURE": "off"}):
        assert loaded(tmp_path, *names, **plain)["SESSION_COOKIE_NAME"] == "sessionid"


@pytest.mark.django_db
def test_https_only_once_seen(client, settings):
    settings.SECURE_HSTS_SECONDS = 60
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    response = client.get(url("login"), headers={"X-Forwarded-Proto": "https"})
    assert response["Strict-Transport-Security"] == "max-age=60"


def test_passwords_must_be_hard_to_guess(settings):
    names = {entry["NAME"].rsplit(".", 1)[1] for entry in settings.AUTH_PASSWORD_VALIDATORS}
    assert {"Length", "NotCommon"} <= names
    for password in ("cold milk 11", "ねこ😀cold milk", "cold milk 12" * 10):
        validate_password(password)
    for password in (
        "cold milk 1",
        "cold      milk",
        "cold milk 12" * 11,
        "password1234",
        "!Dragon-2026!!",
        "sunshine" * 2,
    ):
        with pytest.raises(ValidationError):
            validate_password(password)
