"""One clinic morning on a running installation: 20 photos of 8 patients by phone, a bad connection, two people at once,
then every case decided by keyboard; and what a result costs on a slow line.

``python -m tests.browser.clinic_morning http://127.0.0.1:8000 FOLDER_OF_PHOTOS clinician PASSWORD admin PASSWORD``

It types what a person would and stops at the first thing that is not as it should be. Run by hand: it takes minutes and
leaves its patients behind.
"""

import re
import sys
import time
from pathlib import Path

from playwright.sync_api import Browser, CDPSession, Page, expect, sync_playwright

from tests.browser.conftest import ARGUMENTS
from tests.servers import chromium

PATIENTS, PHOTOS = 8, 20
# 1.6 Mbit/s down, 750 kbit/s up, 150 ms.
SLOW = {"offline": False, "downloadThroughput": 200_000, "uploadThroughput": 93_750, "latency": 150}
# [first paint of words in ms, bytes asked for until then, end of loading in ms, all bytes]
PAINTED = """(() => {
  const painted = performance.getEntriesByName("first-contentful-paint")[0].startTime;
  const [page] = performance.getEntriesByType("navigation");
  const all = [page, ...performance.getEntriesByType("resource")];
  const bytes = (some) => some.reduce((sum, one) => sum + one.transferSize, 0);
  return [painted, bytes(all.filter((one) => one.responseStart <= painted)), page.loadEventEnd, bytes(all)];
})()"""
expect.set_options(timeout=60_000)


def person(browser: Browser, base: str, name: str, password: str, *, phone: bool = False) -> Page:
    size = {"width": 390, "height": 844} if phone else {"width": 1440, "height": 900}
    context = browser.new_context(viewport=size, has_touch=phone, is_mobile=phone, service_workers="block")
    page = context.new_page()
    page.goto(f"{base}/login/")
    page.fill("[name=username]", name)
    page.fill("[name=password]", password)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: "/login/" not in address)
    return page


def line_of(page: Page) -> CDPSession:
    """The page's line, a slow one."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", SLOW)
    return session


def new_patient(page: Page, base: str, code: str) -> str:
    """Made by typing; returns the address of the patient."""
    page.goto(f"{base}/patients/new/?code={code}")
    page.fill("[name=code]", code)
    page.locator("[name=code]").press("Enter")
    page.wait_for_url("**/patients/*/")
    return page.url


def shoot(page: Page, files: list[Path]) -> None:
    """The first at a place on the body, those after it at the same one."""
    with page.expect_file_chooser() as chooser:
        page.locator("#upload-form .body-map-region[data-site=back]").first.tap()
    chooser.value.set_files(str(files[0]))
    for file in files[1:]:
        page.set_input_files("[data-camera]", str(file))


def by_phone(page: Page, base: str, files: list[Path]) -> list[str]:
    """All 20 photos; during the third patient the connection is gone, and comes back before the page is left."""
    line = line_of(page)
    run = str(int(time.time()))[-5:]
    patients = [new_patient(page, base, f"M{run}-{number}") for number in range(PATIENTS)]
    for number, patient in enumerate(patients):
        own = files[number::PATIENTS]
        page.goto(f"{patient}photos/")
        line.send("Network.emulateNetworkConditions", SLOW | {"offline": number == 2})
        shoot(page, own)
        if number == 2:
            expect(page.locator("#sent .upload-card").filter(has_text="Kept on this device")).to_have_count(
                len(own)
            )
            expect(page.get_by_text("Offline").first).to_be_visible()
            line.send("Network.emulateNetworkConditions", SLOW)
        expect(page.locator("#sent [data-photo]")).to_have_count(len(own))
        print(f"  {page.locator('.capture-who strong').inner_text()}: {len(own)} photos", flush=True)
    return patients


def two_at_once(first: Page, second: Page, patient: str) -> None:
    """Both change one patient: the second is shown both versions, and nothing is overwritten."""
    for page in (first, second):
        page.goto(f"{patient}edit/")
    for page, year in ((first, "1960"), (second, "1970")):
        page.fill("[name=birth_year]", year)
        page.locator("[name=birth_year]").press("Enter")
        if page is first:
            page.wait_for_url(patient)
    expect(second.get_by_text("1960").first).to_be_visible()
    first.reload()
    expect(first.get_by_text("1960").first).to_be_visible()


def by_keyboard(page: Page, base: str) -> int:
    """Decide the undecided cases, one after the other: Enter opens, X and Enter decide, N is the next."""
    page.goto(f"{base}/")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    decided = 0
    while decided < PATIENTS:
        page.wait_for_url(re.compile(r"/photos/\d+/"))
        page.wait_for_load_state("networkidle")
        before = page.url
        page.keyboard.press("x")
        page.keyboard.press("Enter")
        expect(page.locator("[data-save-state], .save-state").first).to_contain_text("Saved")
        decided += 1
        page.keyboard.press("n")
        page.wait_for_url(lambda address, was=before: address != was)
    return decided


def cost(browser: Browser, base: str, who: tuple[str, str], address: str) -> None:
    """Bytes and seconds to the first disease name of a result on the slow line, nothing cached."""
    page = person(browser, base, *who, phone=True)
    session = line_of(page)
    session.send("Network.clearBrowserCache")
    page.goto(address, wait_until="load")
    # The names stand in the document: they are there with the first thing that is painted.
    expect(page.locator(".bar-name").first).to_be_visible()
    painted, then, whole, everything = page.evaluate(PAINTED)
    print(
        f"a result on a phone at 1.6 Mbit/s: first disease name after {painted / 1000:.1f} s and {then / 1000:.0f} kB, "
        f"everything after {whole / 1000:.1f} s and {everything / 1000:.0f} kB"
    )
    page.context.close()


def main(base: str, folder: str, *people: str) -> None:
    files = sorted(path for path in Path(folder).rglob("*") if path.suffix.lower() in (".jpg", ".png"))[
        :PHOTOS
    ]
    clinician, other = (people[0], people[1]), (people[2], people[3])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        phone = person(browser, base, *clinician, phone=True)
        patients = by_phone(phone, base, files)
        desk, colleague = person(browser, base, *clinician), person(browser, base, *other)
        two_at_once(desk, colleague, patients[0])
        print("two at once: both versions shown, nothing overwritten", flush=True)
        print(f"decided by keyboard: {by_keyboard(desk, base)} cases", flush=True)
        cost(browser, base, clinician, desk.url)
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
