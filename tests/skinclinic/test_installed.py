"""What makes the product installable, and what pages may use of a device."""

from django.contrib.staticfiles import finders
from PIL import Image

from skinclinic.views.installed import SHELL


def test_manifest_worker_and_offline_page_are_for_everybody(client, client_for, clinician, settings):
    manifest = client.get("/manifest.webmanifest")
    assert manifest["Content-Type"] == "application/manifest+json"
    facts = manifest.json()
    assert (facts["start_url"], facts["scope"], facts["display"]) == ("/", "/", "standalone")
    for icon in facts["icons"]:
        path = finders.find(icon["src"].removeprefix("/static/"))
        if icon["type"] == "image/png":
            with Image.open(path) as image:
                assert icon["sizes"] == "{}x{}".format(*image.size)
    assert {"any", "maskable"} == {icon["purpose"] for icon in facts["icons"]}
    worker = client.get("/service-worker.js")
    assert worker["Content-Type"].startswith("text/javascript") and worker["Service-Worker-Allowed"] == "/"
    assert '"offline": "/offline/"' in worker.content.decode()
    # The same for everybody, in every language, with every file it needs kept beside it.
    signed_in = client_for(clinician)
    page = signed_in.get("/offline/").content.decode()
    assert page == client.get("/offline/").content.decode()
    assert 'lang="en"' in page and 'lang="ko"' in page
    for path in SHELL:
        assert f"/static/{path}" in page and finders.find(path)
    policy = signed_in.get("/")["Content-Security-Policy"]
    assert "worker-src 'self'" in policy and "manifest-src 'self'" in policy
    assert 'data-service-worker="/service-worker.js"' in signed_in.get("/account/").content.decode()
    settings.DEBUG = True
    assert 'data-service-worker=""' in signed_in.get("/account/").content.decode()


def test_the_camera_is_for_pages_that_read_codes(client_for, clinician, client):
    signed_in = client_for(clinician)
    for address, may in (("/patients/", True), ("/upload/", True), ("/", False), ("/account/", False)):
        assert ("camera=(self)" in signed_in.get(address)["Permissions-Policy"]) is may
    assert "camera=()" in client.get("/login/")["Permissions-Policy"]
