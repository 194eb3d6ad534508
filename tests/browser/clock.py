"""The time of a page, in the hand of a test."""

from playwright.sync_api import Page


def pause(page: Page) -> None:
    """From now on time passes in the page, and where it leads to, only by ``page.clock.fast_forward``."""
    page.clock.install()
    page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 60)
