"""The training pages in a real browser: asked for, followed by polling, stopped by keyboard, on a phone, in dark."""

import pytest
from playwright.sync_api import expect

from classifier.services.training import trainings
from skinclinic.archive.models import Entry
from skinclinic.archive.services.datasets import datasets, freezing
from skinclinic.engine import jobs
from skinclinic.models import Lesion
from tests import factories
from tests.browser import axe


@pytest.fixture
def frozen(transactional_db, clinic, curator, model_version):
    for n in range(10):
        patient = factories.make_patient(clinic, f"P-{n}")
        lesion = Lesion.objects.create(clinic=clinic, patient=patient, is_archived=True)
        photo = factories.make_photo(clinic, curator, seed=n, lesion=lesion)
        factories.make_entry(photo, curator, label=("bcc", "nevus")[n % 2], review="accepted")
    draft = datasets.create(clinic, curator, "Tumours")
    datasets.set_members(draft, Entry.objects.filter(clinic=clinic))
    return freezing.freeze(draft, curator)


def progress(epochs: int) -> dict:
    curves = [
        {"epoch": n, "step": 2 * n, "loss": 2.0 / n, "validation_loss": 2.2 / n, "macro_auc": 0.5 + 0.1 * n, "auc": {}}
        for n in range(1, epochs + 1)
    ]  # fmt: skip
    return {
        "step": 2 * epochs, "steps": 10, "epochs": 5, "seconds": 40.0 * epochs, "photos_a_second": 3.0,
        "curves": curves,
    }  # fmt: skip


def test_a_training_is_asked_for_followed_and_stopped(frozen, curator, open_page):
    page = open_page(curator, "/models/training/new/")
    page.get_by_label("Name of the model").fill("skin")
    expect(page.get_by_label("Tumours v1")).to_be_checked()
    page.get_by_label("Network").select_option("efficientnet_lite0")
    page.get_by_label("Starting weights").select_option("random")
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_role("heading", name="skin")).to_be_visible()
    expect(page.get_by_text("No worker for trainings")).to_be_visible()

    (row,) = jobs.claim("train", 1)
    run = row.training_run
    trainings.note(run, progress(1))
    charts = page.locator("svg.training-chart")
    expect(charts).to_have_count(2)
    expect(page.locator("#work-training")).to_contain_text("epoch 1 of 5")
    stop = page.get_by_role("button", name="Stop")
    stop.focus()
    trainings.note(run, progress(3))
    expect(page.locator("#training-curves tbody tr")).to_have_count(3)
    expect(page.locator("#work-training")).to_contain_text("about 1 minute left")
    expect(stop).to_be_focused()
    points = page.locator("polyline").first.get_attribute("points").split()
    assert len(points) == 3
    assert [float(p.split(",")[1]) for p in points] == sorted(float(p.split(",")[1]) for p in points), (
        "loss falls"
    )
    page.keyboard.press("Enter")
    page.locator("#confirm-dialog").get_by_role("button", name="Stop").click()
    expect(page.locator("#work-training [role=status]")).to_contain_text("Stopping")
    jobs.finish(row, jobs.JobError("stopped", "Stopped."))
    expect(page.get_by_role("button", name="Resume")).to_be_visible()


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (390, True)])
@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_pages_fit_and_are_accessible(frozen, curator, open_page, live_server, width, dark, language):
    wanted = trainings.Wanted("skin", architecture="efficientnet_lite0", init="random", runs=2)
    training = trainings.request(wanted, frozen, curator)
    jobs.claim("train", 2)
    for run in training.runs.all():
        trainings.note(run, progress(2 + run.number))
    page = open_page(curator, width=width, dark=dark, language=language)
    for address in (
        "/models/training/",
        "/models/training/new/",
        f"/models/training/{training.pk}/",
        "/models/",
    ):
        page.goto(live_server.url + address)
        assert axe.violations(page) == [], address
        assert page.evaluate("document.documentElement.scrollWidth") == width, address
