"""The real proxy before the real web process: private photos only through the permission check."""

import gzip
import http.cookiejar
import os
import re
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.urls import URLResolver, get_resolver

from skinclinic.models import User
from tests import factories, servers, web_image
from tests.engine import database_url

ROOT = Path(django_settings.BASE_DIR)
pytestmark = [pytest.mark.nginx, pytest.mark.django_db(transaction=True)]


class Visitor:
    """A person with a cookie jar."""

    def __init__(self, port: int, session: str = ""):
        jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        self.base = f"http://127.0.0.1:{port}"
        if session:
            self.opener.addheaders.append(("Cookie", f"sessionid={session}"))

    def get(self, path: str):
        try:
            with self.opener.open(self.base + path, timeout=120) as response:
                return response.status, dict(response.headers), response.read()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read()


@pytest.fixture
def proxy(home, tmp_path):
    """nginx with docker/nginx.conf (ports, folders and TLS adapted to this test) before gunicorn."""
    web, front = servers.free_port(), servers.free_port()
    config = (Path(django_settings.BASE_DIR) / "docker/nginx.conf").read_text()
    first, second = (found.start() for found in re.finditer("^server {", config, re.M))
    secure = config[:first] + config[second:]
    for old, new in (
        ("listen 443 ssl;", f"listen 127.0.0.1:{front};"),
        ("    http2 on;\n", ""),
        ("http://web:8000", f"http://127.0.0.1:{web}"),
        ("/data/", f"{home}/"),
        ("/var/log/nginx/", f"{tmp_path}/"),
    ):
        assert old in secure, old
        secure = secure.replace(old, new)
    secure = "\n".join(line for line in secure.splitlines() if not line.strip().startswith("ssl_"))
    (tmp_path / "nginx.conf").write_text(
        f"user root; daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error.log;\n"
        f"events {{}}\nhttp {{ client_body_temp_path {tmp_path}/body; "
        f"proxy_temp_path {tmp_path}/proxy; fastcgi_temp_path {tmp_path}/f; uwsgi_temp_path {tmp_path}/u; "
        f"scgi_temp_path {tmp_path}/s;\n{secure}\n}}\n"
    )
    environment = os.environ | {
        "SKINCLINIC_HOME": str(home),
        "DATABASE_URL": database_url(),
        "SKINCLINIC_EMBEDDED": "1",
        "X_ACCEL_PREFIX": "/private-photos/",
        "SECRET_KEY": django_settings.SECRET_KEY,
    }
    with (tmp_path / "web.log").open("wb") as log:
        serving = subprocess.Popen(
            web_image.gunicorn(web, workers=1),
            env=environment,
            cwd=django_settings.BASE_DIR,
            stdout=log,
            stderr=log,
        )
    running = [
        serving,
        subprocess.Popen(
            [servers.nginx(), "-c", str(tmp_path / "nginx.conf"), "-e", f"{tmp_path}/error.log"]
        ),
    ]
    try:
        servers.wait_for(web)
        servers.wait_for(front)
        yield front
    finally:
        for process in running:
            process.terminate()
            process.wait(45)


def test_photos_come_through_the_check_and_nowhere_else(proxy, client_for, photo, clinician, outsider):
    def visitor(user: User | None) -> Visitor:
        return Visitor(proxy, client_for(user).cookies["sessionid"].value if user else "")

    from skinclinic.files import store

    status, headers, body = visitor(clinician).get(f"/photos/{photo.pk}/image")
    assert status == 200
    assert body == store.read(photo.file_key)
    assert headers["Content-Type"] == "image/jpeg"
    assert "no-store" in headers["Cache-Control"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Strict-Transport-Security"] == "max-age=31536000"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Server"] == "nginx"
    assert "X-Accel-Redirect" not in headers
    assert visitor(outsider).get(f"/photos/{photo.pk}/image")[0] == 404
    assert visitor(clinician).get(f"/private-photos/{photo.file_key}")[0] == 404
    assert visitor(None).get(f"/private-photos/{photo.file_key}")[0] == 404
    assert visitor(clinician).get(f"/private-photos/../{photo.file_key}")[0] in (400, 404)
    signed_out = visitor(None).get(f"/photos/{photo.pk}/image")
    assert signed_out[2] != body


def test_the_proxy_refuses_a_body_over_26_megabytes(proxy):
    request = urllib.request.Request(
        f"http://127.0.0.1:{proxy}/photos/", method="POST", data=bytes(27 * 2**20)
    )
    with pytest.raises((urllib.error.HTTPError, urllib.error.URLError)) as refused:
        urllib.request.urlopen(request, timeout=120)
    if isinstance(refused.value, urllib.error.HTTPError):
        assert refused.value.code == 413
    assert factories.make_clinic("still here").pk


def test_static_files_may_be_kept_for_good_where_their_name_holds_their_hash(proxy, home):
    folder = home / "static" / "js"
    folder.mkdir(parents=True)
    for name in ("app.0123456789ab.js", "app.js"):
        (folder / name).write_text("plain")
        (folder / f"{name}.gz").write_bytes(gzip.compress(b"packed"))
    visitor = Visitor(proxy)
    status, headers, body = visitor.get("/static/js/app.0123456789ab.js")
    assert (status, body, headers["Cache-Control"]) == (200, b"plain", "public, max-age=31536000, immutable")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Strict-Transport-Security"] and headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert visitor.get("/static/js/app.js")[1]["Cache-Control"] == "public, max-age=300"
    visitor.opener.addheaders.append(("Accept-Encoding", "gzip"))
    assert gzip.decompress(visitor.get("/static/js/app.0123456789ab.js")[2]) == b"packed"
    for name in ("README.md", "app.js.bak", "app.js~", "manifest.json", ".env"):
        (folder / name).write_text("not for browsers")
        assert visitor.get(f"/static/js/{name}")[0] == 404, name
    assert visitor.get("/static/js/app.js.gz")[0] == visitor.get("/static/js/")[0] == 404
    # All that is there and pages load has such an ending.
    (endings,) = re.findall(r'~\\\.\(([a-z0-9|]+)\)\$" 1;', (ROOT / "docker/nginx.conf").read_text())
    kept = {path.suffix[1:] for path in (ROOT / "static").rglob("*") if path.is_file()}
    assert kept - set(endings.split("|")) <= {"md", "json", "txt", ""}


def longest_bodies(resolver=None, prefix: str = "/"):
    """(address, bytes) of every view that takes more than a photo; of the API those that make a row."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = prefix + str(pattern.pattern).removeprefix("^").removesuffix("$")
        if isinstance(pattern, URLResolver):
            yield from longest_bodies(pattern, route)
        elif "create" in getattr(pattern.callback, "actions", {"": "create"}).values() and (
            most := getattr(getattr(pattern.callback, "cls", pattern.callback), "max_body_bytes", 0)
        ):
            yield route, most


def test_the_proxy_lets_through_what_each_page_takes():
    config = (Path(django_settings.BASE_DIR) / "docker/nginx.conf").read_text()
    limits = {
        address.strip("^$").replace("(v1/)?", "v1/"): int(megabytes) * 2**20
        for address, megabytes in re.findall(r"location [=~] (\S+) \{\s+client_max_body_size (\d+)m;", config)
    }
    # Of passwords, which are short.
    limits = {address: most for address, most in limits.items() if most > 2**20}
    wanted = dict(longest_bodies())
    assert set(wanted) == set(limits) >= {"/archive/imports/new/", "/models/register/", "/api/v1/models/"}
    for address, most in wanted.items():
        assert most < limits[address] <= most + 2 * 2**20, address


def test_a_body_of_30_megabytes_reaches_the_page_that_takes_it(proxy, client_for, admin_user):
    visitor = Visitor(proxy, client_for(admin_user).cookies["sessionid"].value)
    for address in (
        "/archive/imports/new/",
        "/models/register/",
        "/api/models/",
        "/api/v1/models/",
        "/photos/",
    ):
        request = urllib.request.Request(visitor.base + address, method="POST", data=bytes(30 * 2**20))
        request.add_header("Content-Type", "multipart/form-data; boundary=x")
        try:
            with visitor.opener.open(request, timeout=120) as response:
                answered = response.headers
        except urllib.error.HTTPError as error:
            answered = error.headers
        # Django's answer to what is no form at all, not nginx's refusal.
        assert "Content-Security-Policy" in answered, address


def test_no_log_holds_the_secret_of_a_link(proxy, client_for, clinician, tmp_path):
    """Neither nginx's nor gunicorn's nor Django's; of pages, errors, wrong requests and where one comes from."""
    secret = "KDANPo-abcdefghijklmnopqrstuvwxyz_0123456789ABC"
    visitor = Visitor(proxy, client_for(clinician).cookies["sessionid"].value)
    paths = [
        f"/{before}/{secret}/{rest}"
        for before in ("reading", "join", "try", "api/try", "api/v1/try", "//reading")
        for rest in ("", "unaided/photo/1/answer", "nothing?x=1")
    ]
    quoted = urllib.parse.quote(f"/join/{secret}/", safe="")
    paths += [f"/login/?next=/join/{secret}/", f"/login/?next={quoted}", f"/reading%2F{secret}%2F"]
    visitor.opener.addheaders.append(("Referer", f"{visitor.base}/reading/{secret}/unaided/"))
    for path in (*paths, "/static/nothing.js", "/worklist-of-nobody/?q=P-0"):
        visitor.get(path)
        request = urllib.request.Request(visitor.base + path, method="POST", data=b"{")
        try:
            visitor.opener.open(request, timeout=120).close()
        except urllib.error.HTTPError:
            continue
    said = {name: (tmp_path / name).read_text() for name in ("access.log", "error.log", "web.log")}
    assert secret not in "".join(said.values())
    assert "P-0" not in said["access.log"]
    for name in ("access.log", "web.log"):
        assert "/reading/***/unaided/photo/1/answer" in said[name], name
        assert "/join/***/" in said[name] and "/api/v1/try/***/" in said[name], name
    assert "Not Found: /reading/***/nothing" in said["web.log"]


def test_whoever_asks_too_often_is_told_so_before_anything_costs(proxy):
    """Sign-in and the try page, which anybody may ask; pages beside them answer as before."""
    visitor = Visitor(proxy)
    for address, at_once in (("/login/", 61), ("/api/v1/try/", 31)):
        passed, began = 0, time.monotonic()
        # One more may for each second that it takes to ask.
        while visitor.get(address)[0] != 429:
            passed += 1
            assert passed <= at_once + 1 + (time.monotonic() - began), address
        assert passed >= at_once, address
    assert visitor.get("/healthz")[0] == 200
