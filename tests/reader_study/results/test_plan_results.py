"""The results of studies whose reading was shared out, from real rows to the page."""

import random

import pytest
from django.utils import timezone

from reader_study.jobs.results import compute  # noqa: F401
from reader_study.models import Answer, StudyImage
from reader_study.services.making import designs, flow, opening, readers, studies
from reader_study.services.making.readers import Wanted
from reader_study.services.making.studies import Sessions
from reader_study.services.making.told import told
from reader_study.services.results import methods_text, plan
from reader_study.services.results.result_files import tables as files
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests.reader_study.read_study import computed
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db


def read_all(study, *, but: int = 0) -> None:
    """Everybody answers all that is theirs, but for the last ``but`` photos of each session."""
    chance = random.Random(3)
    for reader in study.readers.all():
        for reading in reader.readings.all():
            numbers = reading.order[: len(reading.order) - but]
            images = StudyImage.with_repeats.filter(study=study, number__in=numbers)
            now = timezone.now()
            Answer.objects.bulk_create(
                Answer(
                    reading=reading, image=image, answered_at=now, changed_at=now, seconds=3.0,
                    choice=image.truth if chance.random() < 0.7 else chance.choice(DISEASE_KEYS),
                )
                for image in images
            )  # fmt: skip
            reading.started_at = reading.finished_at = now
            reading.save()


def finished(ready, coordinator, design: dict):
    designs.choose(ready, {"arms": "all", "blocks": 1, "blocks_a_reader": 1, "repeats": 0} | design)
    if design.get("arms", "all") != "all":
        studies.change_settings(ready, {}, sessions=Sessions(True, 7))
    for group in ready.groups.all():
        readers.invite(ready, [Wanted(f"{group} {n}", "", group, 5 + n) for n in range(3)], coordinator, str)
    study = opening.open_study(ready, coordinator)
    read_all(study)
    return studies.close(study, coordinator)


def page_of(client_for, user, study, name: str) -> str:
    answer = client_for(user).get(url(name, study.pk))
    assert answer.status_code == 200
    return answer.content.decode()


def test_blocks_and_repeats(ready, coordinator, client_for):
    study = finished(ready, coordinator, {"blocks": 2, "repeats": 3})
    results = computed(study)
    (dataset, *_rest) = results.report["datasets"].values()
    design = dataset["design"]["unaided"]
    assert design["complete"] and design["note"] == "blocks" and not design["never_shown"]
    assert dataset["verdicts"]["unaided"]["bcc"]["verdict"] == "open"
    found = results.report["plan"]["self_agreement"]["unaided"]
    assert (found["n_readers"], found["photos"]) == (8, 24) and 0 < found["share"]["mean"] <= 1
    assert len(results.tables.images) == 20, "photos that came twice are in no figure"
    assert {"allocation.csv", "shown-twice.csv", "self-agreement.csv"} <= {
        name for name, _content in files(results)
    }
    content = page_of(client_for, coordinator, study, "study-results-plan")
    assert "Readers against themselves" in content and "block 2" in content
    methods = methods_text.paragraph(study, results.report)
    assert "split at random into 2 blocks" in methods and "U-statistics" in methods
    assert (flow.of(study).drawn, flow.of(study).read) == (20, 20)
    assert "2 blocks" in told(study)["design"] and "by lot" in told(study)["allocation"]
    assert "not assigned" in page_of(client_for, coordinator, study, "study-results-readers")


def test_parallel_arms_have_different_readers(ready, coordinator, client_for):
    study = finished(ready, coordinator, {"arms": "parallel"})
    results = computed(study)
    (dataset, *_rest) = results.report["datasets"].values()
    for session in ("unaided", "aided"):
        assert dataset["design"][session]["complete"] and dataset["design"][session]["n_readers"] == 4
        notes = [one["note"] for one in dataset["sessions"][session]["readers"].values()]
        assert notes.count("not_assigned") == 4
    one = dataset["compare"]["unaided_vs_aided"]["bcc"]["specificity"]
    of_all = dataset["questions"]["accuracy"]["compare"]["unaided_vs_aided"]["all"]["accuracy"]
    for found in (one, of_all):
        assert (found["method"], found["pattern"]) == ("u_statistics", "readers_in_tests")
        assert found["n_readers"] == 8 and found["difference"] == pytest.approx(found["b"] - found["a"])
        assert found["ci"][0] <= found["difference"] <= found["ci"][1]
    assert "Different readers read in the two sessions" in page_of(
        client_for, coordinator, study, "study-results-sessions"
    )
    methods = methods_text.paragraph(study, results.report)
    assert "compared by U-statistics" in methods and "were compared by the Obuchowski" not in methods
    assert "U-statistics" in told(study)["statistics"]
    one = results.report["plan"]["table"][0]
    assert one["allocated"] == one["finished"] == 4 and sum(n for _group, n in one["groups"]) == 4


def test_a_crossover_shows_its_periods(ready, coordinator, client_for):
    study = finished(ready, coordinator, {"arms": "crossover"})
    results = computed(study)
    found = next(iter(results.report["plan"]["periods"].values()))
    assert [one["n_readers"] for one in found["as_read"]["orders"]] == [4, 4]
    assert found["missing_is_wrong"]["period"]["df"] == 6
    content = page_of(client_for, coordinator, study, "study-results-plan")
    assert "Second minus first period" in content
    study.sessions.filter(is_aided=True).update(washout_days=14)
    methods = methods_text.paragraph(study, results.report)
    assert (
        "order drawn by lot" in methods and "At least 14 days lay between a reader's two sessions" in methods
    )
    assert "at least 14 days between" in told(study)["design"]
    assert [name for name, *_rest in plan.tables(results.report)] == ["allocation", "periods"]


def test_a_study_that_everybody_reads_has_no_such_page(opened, coordinator, client_for):
    read_all(opened)
    study = studies.close(opened, coordinator)
    assert "plan" not in computed(study).report
    answer = client_for(coordinator).get(url("study-results-plan", study.pk))
    assert answer["Location"] == url("study-results", study.pk)
