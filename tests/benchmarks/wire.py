"""What a browser that has nothing yet loads of a page, in bytes on the wire."""

from collections import Counter
from collections.abc import Mapping
from urllib.parse import urlsplit

from playwright.sync_api import sync_playwright

from tests import servers

# A photo is what the page is for, whatever it weighs.
PHOTOS = "photos"


def loaded(site: str, path: str, cookie: str = "", language: str = "en") -> dict[str, int]:
    """Bytes of each answer, head and body as they came, by address. ``cookie``: "sessionid=…" of who looks."""
    sizes: dict[str, int] = {}
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=servers.chromium(), args=["--no-sandbox"])
        # What the service worker keeps for a day without connection is fetched after the page.
        context = browser.new_context(
            service_workers="block", locale=language, viewport={"width": 1440, "height": 900}
        )
        if cookie:
            name, _equals, value = cookie.partition("=")
            context.add_cookies([{"name": name, "value": value, "url": site}])
        context.add_cookies([{"name": "django_language", "value": language, "url": site}])
        page = context.new_page()
        devtools = context.new_cdp_session(page)
        devtools.send("Network.enable")
        asked: dict[str, str] = {}
        devtools.on(
            "Network.requestWillBeSent",
            lambda event: asked.update({event["requestId"]: event["request"]["url"]}),
        )
        devtools.on(
            "Network.loadingFinished",
            lambda event: sizes.update({asked[event["requestId"]]: int(event["encodedDataLength"])}),
        )
        page.goto(site + path, wait_until="networkidle")
        browser.close()
    return sizes


def by_kind(sizes: Mapping[str, int]) -> Counter[str]:
    """The same by what it is: pages, photos, and files by the ends of their names."""
    kinds: Counter[str] = Counter()
    for address, size in sizes.items():
        path = urlsplit(address).path
        if path.startswith("/static/"):
            kinds[path.rpartition(".")[2]] += size
        else:
            kinds[PHOTOS if path.startswith("/photos/") and path.count("/") > 3 else "pages"] += size
    return kinds
