"""The pictures of the help, taken from a running demo, so that they show the product as it is.

``make demo``, then ``python -m tests.browser.help_pictures http://127.0.0.1:8000 admin PASSWORD [NAME…]``

Takes none where the model in use is not the demo's, so that drawings alone are ever in a picture; makes one evaluation
if there is none. Written to ``static/help/LANGUAGE/NAME.webp``, light, each under 60 kB; a page of help without its
picture is text alone.
"""

import io
import re
import sys
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import ARGUMENTS
from tests.browser.every_page import sign_in
from tests.servers import chromium

FOLDER = Path(__file__).resolve().parents[2] / "static" / "help"
DESK, WIDE, PHONE = (1180, 780), (1400, 780), (390, 800)
MOST_BYTES = 60_000
LANGUAGES = ("en", "ko")
WORKLIST = "/?show=all"


class Taker:
    """A page of the demo, and how to find the rows that pictures are of."""

    def __init__(self, page: Page, base: str):
        self.page, self.base = page, base

    def link(self, path: str, pattern: str, number: int = 0) -> str:
        """The address of a link on a page that fits the pattern as a whole."""
        self.page.goto(self.base + path)
        links = self.page.eval_on_selector_all(
            "main a[href]", "all => all.map((one) => one.getAttribute('href'))"
        )
        paths = dict.fromkeys(links)
        return [path for path in paths if re.fullmatch(pattern, path)][number]

    def patient(self) -> str:
        """The one with most photos of one lesion."""
        return self.link("/patients/?q=DEMO-002", r"/patients/\d+/")

    def photo(self) -> str:
        return self.link(WORKLIST, r"/photos/\d+/.*")

    def comparison(self) -> str:
        return self.link(self.patient(), r"/lesions/\d+/", 1)

    def closed_study(self) -> str:
        """The demo's study of simulated readers."""
        return self.link("/studies/", r"/studies/\d+/", 1)

    def curve(self) -> str:
        """Its readers on the model's curve, of the first disease."""
        return self.link(f"{self.closed_study()}results/", r"/studies/\d+/results/diseases/.*")

    def evaluation(self) -> str:
        """One of the demo model; made where there is none, which takes minutes."""
        try:
            return self.link("/models/evaluations/", r"/models/evaluations/\d+/")
        except IndexError:
            self.page.goto(f"{self.base}/models/evaluations/new/")
            self.page.fill("[name=name]", "Drawings")
            self.page.locator("[name=model]:enabled").first.check()
            self.page.locator("[name=dataset]:enabled").first.check()
            self.page.locator("[name=remove_leaks]").check()
            self.page.locator("main form .btn-primary").click()
            self.page.wait_for_url(re.compile(r"/models/evaluations/\d+/"))
            self.page.wait_for_selector("#results, main table", timeout=600_000)
            return re.sub(r"^https?://[^/]+", "", self.page.url)


def heatmap(page: Page) -> None:
    """With the heatmap on, photo, overlay and map side by side."""
    page.keyboard.press("p")
    page.wait_for_timeout(1500)


def lower(page: Page) -> None:
    """What stands below the choices."""
    page.evaluate("window.scrollTo(0, 560)")
    page.wait_for_timeout(300)


# {name: (address, what is done before the picture is taken, size of the window)}
Place = Callable[[Taker], str]
PICTURES: dict[str, tuple[Place, Callable[[Page], None] | None, tuple[int, int]]] = {
    "upload": (lambda _: "/upload/", None, DESK),
    "worklist": (lambda _: WORKLIST, None, WIDE),
    "result": (Taker.photo, None, DESK),
    "heatmap": (Taker.photo, heatmap, DESK),
    "patient": (Taker.patient, None, DESK),
    "phone": (lambda taker: f"{taker.patient()}photos/", None, PHONE),
    "compare": (Taker.comparison, None, DESK),
    "archive": (lambda _: "/archive/", None, DESK),
    "dataset": (lambda taker: taker.link("/archive/datasets/", r"/archive/datasets/\d+/"), None, DESK),
    "study": (lambda taker: f"{taker.closed_study()}settings/", None, DESK),
    "study-results": (lambda taker: taker.curve(), lower, DESK),
    "overview": (lambda _: "/clinic/overview/", None, DESK),
    "models": (lambda _: "/models/", None, DESK),
    "evaluation": (Taker.evaluation, lower, DESK),
}


def kept(png: bytes, path: Path) -> int:
    """Write the picture as WebP, as good as MOST_BYTES lets it be. Returns its bytes."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    for quality in range(82, 20, -6):
        out = io.BytesIO()
        picture.save(out, "WEBP", quality=quality, method=6)
        if out.tell() <= MOST_BYTES:
            break
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(out.getvalue())
    return out.tell()


def main(base: str, name: str, password: str, *wanted: str) -> int:
    total = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        for language in LANGUAGES:
            page = sign_in(browser, base, (name, password), (*DESK, language))
            page.goto(base + WORKLIST)
            if not page.locator(".strip").count():
                print("The model in use is not the demo's: nothing was taken.", file=sys.stderr)
                return 1
            for picture in wanted or PICTURES:
                place, act, (width, height) = PICTURES[picture]
                address = place(Taker(page, base))
                page.set_viewport_size({"width": width, "height": height})
                answer = page.goto(base + address)
                if answer is None or not answer.ok:
                    print(f"{address} did not answer as it should", file=sys.stderr)
                    return 1
                page.wait_for_load_state("networkidle")
                if act:
                    act(page)
                size = kept(page.screenshot(animations="disabled"), FOLDER / language / f"{picture}.webp")
                total += size
                print(f"{language}/{picture}: {size / 1000:.0f} kB, {address}", flush=True)
                page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
        browser.close()
    print(f"{total / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
