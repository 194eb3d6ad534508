"""A study whose model may have seen the photos tells so and concludes nothing about it."""

import csv
import io
import re

import pytest

from classifier.networks.training_photos import TrainingPhoto
from reader_study.services.results import result_files, results
from reader_study.statistics.verdicts import OPEN
from tests import factories
from tests.reader_study.read_study import computed, read_study
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def read(standing):
    with standing.building() as home:
        clinic = factories.make_clinic("Hanok Dermatology")
        admin = factories.make_member(clinic, "admin", "ada")
        standing.keep(clinic=clinic, admin_user=admin, made=read_study(clinic, admin, home))


@pytest.fixture
def study(read, given):
    return given["made"].study


def text_of(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def forget_training(model) -> None:
    model.manifest = {name: value for name, value in model.manifest.items() if name != "training_photos"}
    model.save()


def of_the_model(report: dict) -> list[dict]:
    (found,) = report["datasets"].values()
    rows = [one for session in found["ai_vs_readers"].values() for one in session.values()]
    rows += [
        one
        for session in found["ai_vs_groups"].values()
        for group in session.values()
        for one in group.values()
    ]
    return [row for row in rows if row["difference"] is not None]


def test_one_that_has_seen_nothing_is_tested(study, admin_user, client_for):
    found = computed(study)
    assert found.doubt == "" and found.report["about"]["model_seen"]["seen"] == 0
    assert all(row["p"] is not None for row in of_the_model(found.report) if row["ci"])
    text = text_of(client_for(admin_user).get(url("study-results-model", study.pk)))
    assert "The model has seen none of these photos" in text
    assert "may have seen" not in text


@pytest.mark.parametrize("how", ["unknown", "seen"])
def test_of_one_that_may_have_nothing_is_concluded(study, admin_user, client_for, how):
    model = study.model_version
    if how == "unknown":
        forget_training(model)
        words = "could not be checked"
    else:
        image = study.images.first()
        from classifier.networks import training_photos, weights

        manifest = training_photos.add(
            model.path, weights.read_manifest(model.path),
            [TrainingPhoto(image.content_sha256)], is_complete=True,
        )  # fmt: skip
        model.manifest = manifest.to_json()
        model.save()
        words = "The model has seen 1 of the 19 photos in training"
    found = computed(study)
    assert words in found.doubt
    rows = of_the_model(found.report)
    assert rows and all(
        row["p"] is None and row["t"] is None and row["df"] is None and row["non_inferiority"] is None
        for row in rows
    )
    assert all(row["ci"] for row in rows if not row["note"]), "estimates keep their intervals"
    (dataset,) = found.report["datasets"].values()
    assert all(
        one["exact_p"] is None and one["corrected_p"] is None for session in dataset["mcnemar"].values()
        for one in session.values()
    )  # fmt: skip
    assert dataset["compare"]["unaided_vs_aided"]["bcc"]["sensitivity"]["p"] is not None, (
        "readers among themselves"
    )
    client = client_for(admin_user)
    for name in ("", "-model", "-readers", "-disease"):
        text = text_of(client.get(url(f"study-results{name}", study.pk)))
        assert words in text and "no p value is given for it" in text
    overview = text_of(client.get(url("study-results", study.pk)))
    assert "the model may have seen these photos" in overview
    assert "Non-inferior with" not in overview and "better than" not in overview
    content = dict(result_files.tables(found))["comparisons.csv"].decode("utf-8-sig")
    of_model = [
        line for line in csv.DictReader(io.StringIO(content)) if "model vs" in " ".join(line.values())
    ]
    assert of_model and all(line["p"] == "" for line in of_model)
    methods = text_of(client.get(url("study-results-methods", study.pk)))
    assert words in methods and "were not tested" in methods


def test_results_from_before_the_search_are_in_doubt(study):
    found = computed(study)
    import json

    for path in found.folder.glob("report-*.json"):
        content = json.loads(path.read_text())
        del content["about"]["model_seen"]
        path.write_text(json.dumps(content))
    older = results.Results(study)
    assert "Compute them again" in older.doubt
    assert all(row["p"] is None for row in of_the_model(older.report))


def test_a_doubt_leaves_every_verdict_open(study):
    forget_training(study.model_version)
    (dataset,) = computed(study).report["datasets"].values()
    found = [one for session in dataset["verdicts"].values() for one in session.values()]
    assert found and all((one["verdict"], one["reasons"][0]) == (OPEN, "model_seen") for one in found)
    assert not any(one["rules"] for one in found), "nor the p they would rest on"
