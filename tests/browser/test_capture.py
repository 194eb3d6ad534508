"""Patient first, filing over the cards, and the installed product, in a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from skinclinic.models import Lesion, Photo
from tests import factories
from tests.browser.axe import violations

pytestmark = pytest.mark.django_db(transaction=True)


# A camera, and a browser that reads codes: first one that is misread, then another sheet beside it, then the code.
SCANS = """
  const seen = [["P-71"], ["P-77", "P-78"], ["P-77"], ["P-77"]];
  window.BarcodeDetector = class {
    detect() { return Promise.resolve((seen.shift() ?? []).map((rawValue) => ({ rawValue }))); }
  };
  Object.defineProperty(navigator, "mediaDevices", {
    value: { getUserMedia: () => Promise.resolve(document.createElement("canvas").captureStream()) },
  });
  HTMLMediaElement.prototype.play = () => Promise.resolve();
"""


@pytest.fixture
def files(tmp_path) -> list[str]:
    for seed in range(4):
        (tmp_path / f"{seed}.jpg").write_bytes(factories.jpeg_bytes(seed))
    return [str(tmp_path / f"{seed}.jpg") for seed in range(4)]


def shoot(page: Page, where: str, *files: str) -> None:
    """Tap there, and take these photos."""
    with page.expect_file_chooser() as chooser:
        page.locator(where).first.click()
    chooser.value.set_files(list(files))


def places() -> list[tuple]:
    rows = Photo.objects.order_by("original_name")
    return list(rows.values_list("original_name", "lesion__patient__code", "lesion__site"))


def test_patient_then_body_then_camera_and_what_waits_is_filed_rightly(
    open_page, clinic, clinician, model_version, engine_online, files
):
    patient = factories.make_patient(clinic, "P-77")
    back = Lesion.objects.create(clinic=clinic, patient=patient, site="back")
    page = open_page(clinician, "/patients/", width=390, touch=True, dark=True)
    page.allowed_errors = ["net::ERR_FAILED", "status of 404", "status of 409"]
    if not page.evaluate("'BarcodeDetector' in window"):
        expect(page.get_by_role("button", name="Scan a code")).to_be_hidden()
    page.add_init_script(SCANS)
    page.reload()
    page.get_by_role("button", name="Scan a code").click()
    page.wait_for_url(f"**/patients/{patient.pk}/")
    shoot(page, "[data-shoot] .body-map-region[data-site=cheek]", files[0])
    page.wait_for_url("**/photos/?*")
    expect(page.locator("#sent .upload-filed")).to_have_text("P-77 · Cheek")
    # The next one goes to the same place, and the patient stays in sight.
    page.set_input_files("[data-camera]", files[1])
    expect(page.locator("#sent [data-photo]")).to_have_count(2)
    expect(page.locator(".capture-who")).to_be_in_viewport()
    assert violations(page) == []
    # No connection: kept for this patient and this place, which is chosen once more.
    page.route("**/photos/", lambda route: route.abort())
    shoot(page, f"[data-lesion='{back.pk}']", files[2])
    card = page.locator("#sent .upload-card").filter(has_text="2.jpg")
    expect(card).to_contain_text("For P-77 · 1 · Back")
    card.get_by_role("button", name="Another place").click()
    expect(page.locator("#capture-where")).to_have_text("Choose where 2.jpg belongs")
    page.locator("#upload-form .body-map-region[data-site=thigh]").first.click()
    expect(card).to_contain_text(re.compile("For P-77 · New lesion B · Thigh, (left|right)"))
    shoot(page, f"[data-lesion='{back.pk}']", files[3])
    expect(page.locator("#sent .upload-card").filter(has_text="3.jpg")).to_contain_text("Kept on this device")
    # The next day, on the page of all uploads; meanwhile one lesion went to another patient.
    Lesion.objects.filter(pk=back.pk).update(patient=factories.make_patient(clinic, "P-78"))
    page.unroute("**/photos/")
    page.goto(page.url.partition("/patients")[0] + "/upload/")
    expect(page.locator("#earlier-section")).to_contain_text(
        re.compile("For P-77 · New lesion B · Thigh, (left|right)")
    )
    page.get_by_role("button", name="Send all").click()
    gone = page.locator("#sent .upload-card").filter(has_text="3.jpg")
    expect(gone).to_contain_text("The lesion it was taken for is no longer there.")
    gone.get_by_role("button", name="Retry").click()
    expect(page.locator("#sent [data-photo]")).to_have_count(2)
    # Not filed, and it says why.
    expect(page.locator("#sent .upload-card").filter(has_text="Taken for P-77 · 1 · Back")).to_have_count(1)
    assert places() == [
        ("0.jpg", "P-77", "cheek"), ("1.jpg", "P-77", "cheek"), ("2.jpg", "P-77", "thigh"), ("3.jpg", None, ""),
    ]  # fmt: skip
    assert Lesion.objects.filter(site="cheek").count() == 1


def test_filing_over_the_cards_a_place_for_each_and_undo(open_page, clinic, clinician, model_version, files):
    factories.make_patient(clinic, "P-77")
    page = open_page(clinician, "/upload/")
    page.allowed_errors = ["status of 422"]
    page.set_input_files("input[name=file]", files)
    expect(page.locator("#sent [data-photo]")).to_have_count(4)
    order = page.locator("#sent .upload-name").all_inner_texts()
    panel = page.locator("#filing-panel")
    page.locator("#sent [data-action=file]").first.click()
    expect(page.locator("#filing-code")).to_be_focused()
    page.keyboard.type("P-7")
    panel.get_by_role("link", name="Later").click()
    # Closed by mistake: what was typed is there again.
    expect(page.locator("#sent [data-action=file]").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#filing-code")).to_have_value("P-7")
    page.locator("#filing-code").fill("a@b.example")
    panel.get_by_role("button", name="File").click()
    expect(page.locator("#filing-code")).to_be_focused()
    expect(panel).to_contain_text("This holds an e-mail address.")
    page.locator("#filing-code").fill("N-1")
    page.locator("#id_site").select_option("nose")
    panel.get_by_role("button", name="File").click()
    expect(page.locator("#filed-here")).to_contain_text("1 photo is filed under N-1.")
    expect(page.locator("#sent .upload-card").nth(1).locator("[data-action=file]")).to_be_focused()
    # The others together, each a lesion at a place of its own, one by the list and one on the picture.
    page.get_by_role("button", name="Select all").first.click()
    page.locator("#file-together").get_by_role("button", name="Add patient").click()
    page.locator("#filing-code").fill("P-77")
    page.locator("#filing-patient input[value=each]").check()
    rows = page.locator(".filing-place-each > li")
    rows.nth(0).locator("select").select_option("back")
    rows.nth(1).locator("input[type=radio]").check()
    panel.locator(".body-map-region[data-site=cheek]").first.click()
    expect(panel.locator(".lesion-mark")).to_have_count(2)
    assert violations(page) == []
    panel.get_by_role("button", name="File").click()
    expect(page.locator("#filed-here")).to_contain_text("3 photos are filed under P-77.")
    filed = {name: (code, site) for name, code, site in places()}
    assert [filed[name] for name in order] == [
        ("N-1", "nose"),
        ("P-77", "back"),
        ("P-77", "cheek"),
        ("P-77", ""),
    ]
    assert Lesion.objects.get(site="cheek").site_x is not None
    page.locator("#filed-here").get_by_role("button", name="Undo").click()
    expect(page.locator("#sent [data-action=file]:not([data-filed])")).to_have_count(3)
    expect(page.locator("#sent .upload-filed")).to_have_count(1)
    assert page.url.endswith("/upload/")


KEPT = """async () => {
  const all = [];
  for (const name of await caches.keys())
    for (const request of await (await caches.open(name)).keys()) all.push(`${name} ${new URL(request.url).pathname}`);
  return all;
}"""
NEW_RELEASE = """async () => {
  await (await caches.open("skinclinic-shell-before")).put("/static/old.js", new Response("old"));
  await (await navigator.serviceWorker.ready).unregister();
}"""
CONTROLLED = "() => navigator.serviceWorker.controller?.state === 'activated'"


def test_the_installed_product_keeps_its_shell_and_nothing_else(
    open_page, live_server, clinic, clinician, model_version, files
):
    patient = factories.make_patient(clinic, "P-77")
    page = open_page(clinician, "/account/", installed=True)
    page.wait_for_function(CONTROLLED)
    page.evaluate(NEW_RELEASE)
    page.goto(live_server.url + "/upload/")
    page.wait_for_function(CONTROLLED)
    page.set_input_files("input[name=file]", files[0])
    page.locator("#sent [data-photo]").wait_for()
    for path in (f"/patients/{patient.pk}/photos/", f"/photos/{Photo.objects.get().pk}/", "/"):
        page.goto(live_server.url + path)
    kept = page.evaluate(KEPT)
    assert "skinclinic-shell-plain /offline/" in kept and not any("before" in one for one in kept)
    assert {one.split()[1].split("/")[1] for one in kept} == {"static", "offline"}
    page.allowed_errors = ["ERR_INTERNET_DISCONNECTED", "ERR_FAILED"]
    page.context.set_offline(True)
    page.goto(live_server.url + "/patients/")
    expect(page.locator("h1")).to_have_text("No connection to the server")
    expect(page.locator("section[lang=ko] h2")).to_be_visible()
    assert "P-77" not in page.content() and str(clinician) not in page.content()
    page.context.set_offline(False)
    page.get_by_role("link", name="Try again").first.click()
    page.get_by_role("button", name=clinician.display_name or clinician.username).click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login/**")
    page.wait_for_function("async () => !(await caches.match('/offline/'))")
