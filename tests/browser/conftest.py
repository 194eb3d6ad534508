"""A real browser against a live server, with a real worker when the test asks for ``engine``."""

import functools
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from skinclinic.engine import jobs
from tests import servers

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
# What a person does to a part of a page.
ACTS = (
    "check", "clear", "click", "dblclick", "fill", "focus", "hover", "press", "press_sequentially", "select_option",
    "set_checked", "set_input_files", "tap", "uncheck",
)  # fmt: skip
# Its five seconds are not always enough on a machine that has other tests to run.
expect.set_options(timeout=20_000)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    # Playwright runs an event loop in this thread; Django must not take it for async code.
    import os

    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        for name in ACTS:
            patch.setattr(Locator, name, _when_it_hears(getattr(Locator, name)))
            if hasattr(Page, name):
                patch.setattr(Page, name, _to_the_first(name))
        browser = playwright.chromium.launch(executable_path=servers.chromium(), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def engine_online(db, monkeypatch) -> None:
    """A worker that says once that it is alive, for as long as the test takes, which runs the jobs."""
    monkeypatch.setattr(jobs, "WORKER_SILENT_AFTER", timedelta(hours=1))
    jobs.worker_alive("test")


@pytest.fixture
def open_page(chromium, live_server, client_for) -> Iterator[Callable[..., Page]]:
    """open_page(user, path, width=1440, dark=False, language="en") -> a page, signed in as ``user`` (or None).
    ``installed``: with the service worker, which everywhere else would hide requests from the test.

    The test fails if a page of it logged an error, threw, or broke the content security policy;
    ``page.allowed_errors`` (a list of texts) names those it expects.
    """
    pages: list[Page] = []

    def open_one(
        user,
        path: str = "/",
        *,
        width: int = 1440,
        dark: bool = False,
        language: str = "en",
        touch: bool = False,
        installed: bool = False,
    ) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": 900 if width > 500 else 844},
            color_scheme="dark" if dark else "light",
            locale={"en": "en-GB", "ko": "ko-KR"}.get(language, language),
            has_touch=touch,
            service_workers="allow" if installed else "block",
        )
        cookies = [{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": live_server.url}]
        if user is not None:
            session = client_for(user).cookies[settings.SESSION_COOKIE_NAME].value
            cookies.append({"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url})
        context.add_cookies(cookies)
        page = context.new_page()
        page.problems = []
        page.allowed_errors = []
        page.on("pageerror", lambda error: page.problems.append(f"threw: {error}"))
        page.on("console", lambda m: page.problems.append(m.text) if m.type == "error" else None)
        _press_when_loaded(page)
        page.goto(live_server.url + path)
        pages.append(page)
        return page

    yield open_one
    problems = [
        problem
        for page in pages
        for problem in page.problems
        if not any(text in problem for text in page.allowed_errors)
    ]
    for page in pages:
        page.context.close()
    assert problems == []


def _when_it_hears(act: Callable) -> Callable:
    """The same act, once the scripts of the page in which that part is have run: what is seen while a page is still
    loading does nothing yet. Of the new page, where one is on its way: the part is looked for first. Scripts here are
    modules, which have run when the document is said to be there; a picture may still be on its way."""

    @functools.wraps(act)
    def acted(part: Locator, *words, **options):
        part.wait_for(state="attached", timeout=options.get("timeout"))
        part.page.wait_for_load_state("domcontentloaded")
        return act(part, *words, **options)

    return acted


def _to_the_first(name: str) -> Callable:
    """That act of a page: to the first of what a selector finds."""

    def acted(page: Page, selector: str, *words, **options):
        return getattr(page.locator(selector).first, name)(*words, **options)

    return acted


def _press_when_loaded(page: Page) -> None:
    """Keys wait for the page's scripts: what is seen while it is still loading has nobody who hears a key."""
    press = page.keyboard.press

    def press_when_loaded(key: str, **options) -> None:
        page.wait_for_load_state()
        press(key, **options)

    page.keyboard.press = press_when_loaded
