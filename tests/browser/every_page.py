"""Every page that links lead to, on a running installation: accessible, as wide as the screen, nothing thrown.

``python -m tests.browser.every_page http://127.0.0.1:8000 admin PASSWORD``; of pages with the same address but for
numbers and secrets the first few are looked at, each in two languages, widths and themes. Exits with 1 if something is
found. It takes minutes, so it is run by hand; the suites look at each page in some of these looks.
"""

import re
import sys
from urllib.parse import urljoin, urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.axe import violations_by_day_and_night
from tests.browser.conftest import ARGUMENTS
from tests.servers import chromium

LOOKS = ((1440, 900, "en"), (390, 844, "ko"), (1440, 900, "ko"), (390, 844, "en"))
EACH_KIND = 2
# Not pages, or the end of the session.
NOT_FOLLOWED = re.compile(
    r"^/(logout|static|api/(?!docs)|.*\.(pdf|png|svg|csv|zip|json|eps)$)|/(image|thumbnail)$"
)


def kind_of(path: str) -> str:
    """The address without what names a row."""
    return re.sub(r"/(\d+|[A-Za-z0-9_-]{20,})(?=/|$)", "/*", path)


def sign_in(browser: Browser, base: str, who: tuple[str, str], look: tuple[int, int, str]) -> Page:
    width, height, language = look
    context = browser.new_context(viewport={"width": width, "height": height}, service_workers="block")
    context.add_cookies([{"name": "django_language", "value": language, "url": base}])
    page = context.new_page()
    page.goto(f"{base}/login/")
    page.fill("[name=username]", who[0])
    page.fill("[name=password]", who[1])
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: "/login/" not in address)
    return page


def pages_of(page: Page, base: str) -> list[str]:
    """Addresses of pages, the first few of each kind, in the order links lead to them."""
    waiting, seen, kinds = ["/"], {"/"}, {}
    found: list[str] = []
    while waiting:
        path = waiting.pop(0)
        kind = kind_of(urlsplit(path).path)
        if len(kinds.setdefault(kind, [])) >= EACH_KIND:
            continue
        response = page.request.get(base + path)
        if "text/html" not in response.headers.get("content-type", ""):
            continue
        kinds[kind].append(path)
        found.append(path)
        for link in re.findall(r'<a\b[^>]*\bhref="([^"#]+)', response.text()):
            address = urlsplit(urljoin(base + path, link.replace("&amp;", "&")))
            onward = address.path + (f"?{address.query}" if address.query and path == "/" else "")
            is_here = address.netloc == urlsplit(base).netloc
            if is_here and not NOT_FOLLOWED.search(address.path) and onward not in seen:
                seen.add(onward)
                waiting.append(onward)
    return found


def look(page: Page, address: str) -> list[str]:
    """What is wrong with one page."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(f"threw {error}"))
    page.goto(address, wait_until="load")
    page.wait_for_timeout(300)
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    problems += [f"{wider} pixels wider than the screen"] if wider > 0 else []
    return problems + violations_by_day_and_night(page)


def main(base: str, *who: str) -> int:
    wrong = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        for size in LOOKS:
            page = sign_in(browser, base, (who[0], who[1]), size)
            paths = pages_of(page, base)
            for path in paths:
                for problem in look(page, base + path):
                    wrong += 1
                    print(f"{size[0]} {size[2]} {path}: {problem}", flush=True)
                page.close()
                page = page.context.new_page()
            print(f"{size[0]} {size[2]}: {len(paths)} pages looked at, light and dark", flush=True)
        browser.close()
    print(f"{wrong} problems")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
