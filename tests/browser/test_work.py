"""Long work in a browser: watched, stopped after a question, taken up again; narrow and wide, light and dark."""

import os

import pytest
from playwright.sync_api import expect

from skinclinic.engine import jobs
from skinclinic.models import Job
from skinclinic.presenters.work import kinds
from tests.browser.axe import violations_by_day_and_night
from tests.skinclinic.engine import test_work
from tests.skinclinic.pages import url

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

PAGES = {
    "explanation": lambda row: url("photo", row.analysis.photo_id),
    "evaluation": lambda row: url("evaluation", row.pk),
    "label-check": lambda row: url("review"),
    "import": lambda row: url("import", row.pk),
    "dataset": lambda row: url("dataset", row.pk),
    "duplicates": lambda row: url("duplicates"),
    "bulk": lambda row: url("archive-bulk-row", row.pk),
    "training": lambda row: url("model-training", row.pk),
    "study-results": lambda row: url("study-results", row.pk),
}


def picture(page, name: str) -> None:
    """Keep a picture of the page where somebody wants to look at them."""
    if folder := os.environ.get("SKINCLINIC_PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def test_an_evaluation_is_watched_stopped_and_taken_up_again(open_page, clinic, curator):
    row = test_work.make_evaluation(clinic, curator)
    page = open_page(curator, url("evaluation", row.pk))
    part = page.locator("#work-evaluation")
    expect(part).to_contain_text("Waiting")
    (claimed,) = jobs.claim("evaluate", 1)
    jobs.progress(claimed, 0.4)
    type(row).objects.filter(pk=row.pk).update(done=16)
    expect(part).to_contain_text("16 of 40 analyses")
    expect(part.get_by_role("progressbar", name="Progress")).to_have_attribute("value", "40")

    part.get_by_role("button", name="Stop").click()
    dialog = page.locator("#confirm-dialog")
    expect(dialog).to_contain_text("What is done so far is kept")
    # The part fetches itself anew while the question stands; the answer still counts.
    with page.expect_response(lambda response: "/work/evaluation/" in response.url):
        pass
    dialog.get_by_role("button", name="Cancel").click()
    assert Job.objects.get(pk=claimed.pk).state == "running"
    part.get_by_role("button", name="Stop").click()
    with page.expect_response(lambda response: "/work/evaluation/" in response.url):
        pass
    dialog.get_by_role("button", name="Stop").click()
    expect(part).to_contain_text(f"Stopped by {curator}.")
    with pytest.raises(jobs.LeaseLost):
        jobs.progress(claimed, 0.5)

    part.get_by_role("button", name="Resume").click()
    expect(part).to_contain_text("Waiting")
    (claimed,) = jobs.claim("evaluate", 1)
    jobs.finish(claimed, jobs.JobError("broken", "The disk is broken."))
    expect(part.get_by_role("alert")).to_have_text("The disk is broken.")
    expect(part.get_by_role("button", name="Try again")).to_be_visible()


@pytest.mark.parametrize(("width", "language"), [(1440, "en"), (390, "ko")])
def test_it_fits_and_is_accessible_on_every_page(
    open_page, live_server, clinic, admin_user, width, language, engine_online
):
    page = open_page(admin_user, width=width, language=language)
    for kind, page_of in PAGES.items():
        row = test_work.MADE[kind](clinic, admin_user)
        job = Job.objects.latest("pk")
        name = f"{kind}-{width}-{language}"
        for state in ("waiting", "running", "stopped"):
            if state == "running":
                (claimed,) = jobs.claim(job.kind, 1)
                jobs.progress(claimed, 0.3)
            elif state == "stopped":
                (progress,) = [one for one in kinds() if one.kind == kind]
                assert progress(row, admin_user.memberships.get()).cancel(admin_user)
            # It may be fetching itself anew just now, because its work ended.
            page.goto("about:blank")
            page.emulate_media(color_scheme="light")
            page.goto(live_server.url + page_of(row))
            picture(page, f"{name}-{state}")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
            assert violations_by_day_and_night(page) == [], name
