"""From an evaluation to the clinic: thresholds with their cohort, models compared, figures on the model's page."""

from dataclasses import replace

import numpy as np
import pytest
from django.utils import timezone

from classifier.metrics import roc
from classifier.metrics.delong import paired_test
from classifier.models import ThresholdSet
from classifier.services.evaluation import looking
from classifier.services.evaluation.report import Report
from classifier.services.models import comparison as model_comparison
from classifier.services.models import threshold_sets, transported
from skinclinic.archive.services.datasets import large
from skinclinic.engine import jobs
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests import evaluated, factories, results
from tests.cases import each
from tests.classifier.evaluation.test_evaluation_pages import text_of
from tests.skinclinic.pages import messages_of, url

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def stock(standing):
    with standing.building():
        clinic = factories.make_clinic("Hanok Dermatology")
        curator = factories.make_member(clinic, "curator", "curtis")
        entries = evaluated.make_entries(clinic, curator)
        test_set = evaluated.freeze(clinic, curator, entries)
        standing.keep(clinic=clinic, curator=curator, entries=entries, test_set=test_set)


@pytest.fixture
def entries(stock, given):
    return given["entries"]


@pytest.fixture
def test_set(stock, given):
    return given["test_set"]


@pytest.fixture
def models(clinic, tmp_path, entries):
    rows = [evaluated.make_model(clinic, tmp_path, name, seed=n) for n, name in enumerate(("one", "two"), 1)]
    for n, version in enumerate(rows):
        evaluated.score(version, entries, seed=n)
    return rows


@pytest.fixture
def row(clinic, curator, models, test_set):
    return evaluated.evaluated(clinic, curator, models, [test_set])


def ask(model, test_set, **more):
    return {"model": model.pk, "dataset": test_set.pk, "name": "From test set", "rule": "youden"} | more


def test_thresholds_are_those_of_the_evaluation_and_carry_its_cohort(
    row, clinic, admin_user, entries, models, test_set, client_for
):
    client = client_for(admin_user)
    answer = client.post(url("evaluation-thresholds", row.pk), ask(models[0], test_set))
    assert answer["Location"] == url("model", models[0].pk)
    made = ThresholdSet.objects.get(name="From test set")
    report = Report(row)
    for key in DISEASE_KEYS:
        found = report.disease(test_set.pk, models[0].pk, key)["youden"]
        # The model's own first set stands in where this dataset cannot tell.
        assert made.values[key] == (found["threshold"] if found else 0.1)
        assert ("from “balanced”" in made.details["basis"].get(key, "")) == (found is None)
    unknown = "; whether the model had seen them is not known"
    assert made.cohort == f"Test set v1, 12 photos of 12 patients{unknown}"
    assert (made.details["n"], made.details["optimistic"]) == (12, True)
    assert made.details["auc"] == report.figures_of(test_set.pk, models[0].pk)["averages"]["auc"]
    photo = factories.make_photo(clinic, admin_user, seed=5)
    analysis = results.finished(photo, admin_user, version=models[0])
    page = client.get(url("photo", photo.pk), {"thresholds": "From test set"})
    text = text_of(page)
    assert "Validated on Test set v1, 12 photos of 12 patients" in text
    assert f"Average AUC {made.details['auc']:.3f}" in text
    assert "optimistic" in text
    listed = {one.disease.key for one in page.context["view"].listed}
    assert listed == {key for key in DISEASE_KEYS if analysis.scores[key] > made.values[key]}
    assert "From test set" in text_of(client.get(url("model", models[0].pk)))
    # Its own page says what each threshold rests on, in the reader's language.
    shown = text_of(client.get(url("threshold-set", made.pk)))
    assert "3 photos with it" in shown and "not evaluable on these photos: from “balanced”" in shown
    for address in (url("threshold-set", made.pk), url("model", models[0].pk)):
        korean = text_of(client.get(address, headers={"accept-language": "ko"}))
        assert "Test set v1, 환자 12명의 사진 12장; 모델이 이 사진들을" in korean
        assert "photos of" not in korean and "photos with" not in korean
    result = client.get(
        url("photo", photo.pk), {"thresholds": "From test set"}, headers={"accept-language": "ko"}
    )
    assert "환자 12명의 사진 12장" in text_of(result) and "not evaluable" not in text_of(result)


def test_a_wanted_sensitivity_is_reached_as_specifically_as_can_be(
    row, admin_user, models, test_set, entries
):
    made = threshold_sets.make(
        row, models[0], test_set.pk, name="Screening", rule="sensitivity", wanted=0.9, user=admin_user
    )
    kept = Report(row).scores(test_set.pk, models[0].pk)
    for place, key in enumerate(DISEASE_KEYS):
        truth = kept["truth"] == key
        if truth.any():
            scores = kept["scores"][:, place]
            assert (scores[truth] > made.values[key]).mean() >= 0.9
            curve = roc.roc(scores, truth)
            higher = curve.thresholds[curve.thresholds > made.values[key]]
            assert all((scores[truth] > limit).mean() < 0.9 for limit in higher)
    assert made.purpose == "Sensitivity of at least 90 % for each disease"


WRONG = [
    {"rule": "best"},
    {"rule": "sensitivity", "wanted": "20"},
    {"rule": "sensitivity", "wanted": "nan"},
    {"rule": "sensitivity", "wanted": "inf"},
    {"rule": "sensitivity"},
    {"name": "balanced"},
    {"name": ""},
    {"name": "\0"},
    {"name": "x" * 100_000},
]


@each("wrong", WRONG)
def test_nonsense_makes_no_thresholds(row, admin_user, models, test_set, client_for, wrong):
    before = ThresholdSet.objects.count()
    client = client_for(admin_user)
    answer = client.post(url("evaluation-thresholds", row.pk), ask(models[0], test_set, **wrong))
    assert answer.status_code in (302, 400, 413)
    assert ThresholdSet.objects.count() == before
    if answer.status_code == 302:
        assert messages_of(answer)


def test_they_are_dated_in_the_zone_of_the_clinic(row, admin_user, models, test_set):
    """Not in that of the machine: it is always another day either west or east of it."""
    days = set()
    for zone in ("Etc/GMT+12", "Pacific/Kiritimati"):
        with timezone.override(zone):
            made = threshold_sets.make(
                row, models[0], test_set.pk, name=zone, rule="youden", wanted=None, user=admin_user
            )
            assert made.details["date"] == timezone.localdate().isoformat()
        days.add(made.details["date"])
    assert len(days) == 2


def test_only_an_admin_makes_thresholds(row, curator, clinician, outsider, models, test_set, client_for):
    for user, status in ((curator, 403), (clinician, 403), (outsider, 404)):
        answer = client_for(user).post(url("evaluation-thresholds", row.pk), ask(models[0], test_set))
        assert answer.status_code == status
    assert "Make thresholds" not in text_of(client_for(curator).get(url("evaluation", row.pk)))


def test_a_clinics_thresholds_of_a_shared_model_are_its_own(
    clinic, curator, admin_user, outsider, entries, test_set, model_version, client_for
):
    evaluated.score(model_version, entries)
    row = evaluated.evaluated(clinic, curator, [model_version], [test_set])
    client_for(admin_user).post(url("evaluation-thresholds", row.pk), ask(model_version, test_set))
    assert "From test set" in text_of(client_for(admin_user).get(url("model", model_version.pk)))
    theirs = client_for(outsider)
    assert "From test set" not in text_of(theirs.get(url("model", model_version.pk)))
    (known,) = theirs.get("/api/models/").json()["results"]
    assert {one["name"] for one in known["threshold_sets"]} == {"balanced", "screening"}
    (known,) = client_for(admin_user).get("/api/models/").json()["results"]
    assert {one["name"] for one in known["threshold_sets"]} == {"balanced", "screening", "From test set"}


def test_two_models_are_compared_by_paired_tests_and_photos(
    clinic, curator, test_set, client_for, entries, tmp_path, monkeypatch
):
    models = [
        evaluated.make_model(clinic, tmp_path, name, seed=n, photos=[])
        for n, name in enumerate(("one", "two"), 1)
    ]
    for n, version in enumerate(models):
        evaluated.score(version, entries, seed=n)
    row = evaluated.evaluated(clinic, curator, models, [test_set])
    # Of a disease here are three patients at most.
    monkeypatch.setattr(model_comparison, "LEAST", 1)
    itself = model_comparison.compare(Report(row), test_set.pk, models[0].pk, models[0].pk)
    assert {line.note for line in itself.lines if line.test} <= {
        "the same order",
        "one photo in a class: no interval",
    }
    found = model_comparison.compare(Report(row), test_set.pk, models[0].pk, models[1].pk)
    kept = [Report(row).scores(test_set.pk, version.pk) for version in models]
    truth = kept[0]["truth"]
    own = paired_test(kept[0]["scores"][:, 0], kept[1]["scores"][:, 0], truth == "bcc")
    line = found.lines[0]
    # What is compared is the peers' own test, but for the end of an interval that passes what a difference can be.
    assert own.low > -1 and own.high > 1
    assert (line.key, line.positives, line.test) == ("bcc", 3, replace(own, high=1.0))
    choices = [np.array(DISEASE_KEYS)[one["scores"].argmax(1)] for one in kept]
    assert {one.item for one in found.differing} == set(kept[0]["items"][choices[0] != choices[1]].tolist())
    assert sum(found.table.values()) == len(entries)
    page = client_for(curator).get(url("evaluation-compare", row.pk), {"model": models[0].pk})
    assert page.context["other"]["pk"] == models[1].pk
    text = text_of(page)
    assert f"{own.auc_a:.3f}" in text and f"{own.difference:.3f}" in text
    assert text.count("It does not diagnose: scores say") == 2
    for one in found.differing:
        assert one.name in text
        assert not any(one.name in path.read_text() for path in row.folder.glob("coverage-*.json"))
    gallery = url("evaluation-gallery", row.pk)
    assert_a_job_reads_what_no_page_does(
        monkeypatch, client_for(curator), row, page.wsgi_request.get_full_path(), gallery,
        f"{gallery}?truth=bcc&order=confident", f"{gallery}?order=plain",
    )  # fmt: skip


def assert_a_job_reads_what_no_page_does(monkeypatch, client, row, *pages: str) -> None:
    """Of more photos than a request looks through: the scores are read by the job, and the pages are as they were."""
    before = [text_of(client.get(page)) for page in pages]
    for path in row.folder.glob("coverage-*.json"):
        path.unlink()
    read, scores = [], Report.scores
    monkeypatch.setattr(large, "MOST_AT_ONCE", 2)
    monkeypatch.setattr(Report, "scores", lambda *of: read.append(of[1]) or scores(*of))
    assert all("being looked through" in text_of(client.get(page)) for page in pages)
    pictures, gallery = (url(f"evaluation-{name}", row.pk) for name in ("heatmaps", "gallery"))
    assert client.get(pictures)["Location"].startswith(f"{gallery}?")
    assert not read
    jobs.run_waiting(looking.JOB)
    assert read
    read.clear()
    assert [text_of(client.get(page)) for page in pages] == before
    if any(page.startswith(gallery) for page in pages):
        assert len(b"".join(client.get(pictures).streaming_content)) > 1000
    assert not read
    # Nobody waits for a job that finds nothing to read.
    for path in (*row.folder.glob("coverage-*.json"), row.folder / "scores.npz"):
        path.unlink()
    assert {client.get(page).headers.get("Location") for page in pages} == {url("evaluation", row.pk)}


def test_one_model_alone_has_nothing_to_be_compared_with(clinic, curator, models, test_set, client_for):
    row = evaluated.evaluated(clinic, curator, models[:1], [test_set])
    assert client_for(curator).get(url("evaluation-compare", row.pk)).status_code == 404


def test_a_threshold_of_one_dataset_is_tried_on_the_other(
    clinic, curator, models, test_set, entries, client_for, monkeypatch
):
    more = evaluated.make_entries(clinic, curator, first=80, source="Second")
    # One patient is in both.
    shared = entries[5]
    other = evaluated.freeze(clinic, curator, [*more, shared], "Second set")
    evaluated.score(models[0], more, seed=7)
    row = evaluated.evaluated(clinic, curator, models[:1], [test_set, other])
    report = Report(row)
    lines = transported.transported(report, models[0].pk, "sk")
    assert [dataset["title"] for dataset, _line in lines] == ["Second set v1", "Test set v1"]
    threshold = report.disease(other.pk, models[0].pk, "sk")["youden"]["threshold"]
    kept = report.scores(test_set.pk, models[0].pk)
    truth, scores = kept["truth"] == "sk", kept["scores"][:, DISEASE_KEYS.index("sk")]
    line = lines[0][1]
    assert line.threshold == threshold
    truth &= kept["items"] != test_set.items.get(entry=shared).pk
    assert shared.label == "sk" and f"({int((scores[truth] > threshold).sum())}/3;" in line.cells[1][0]
    # On the photos that it was chosen on all of them are counted.
    assert "/5;" in line.cells[0][0] and "/4;" in lines[1][1].cells[1][0]
    page = client_for(curator).get(url("evaluation-disease", row.pk), {"key": "sk"})
    assert "Threshold from" in text_of(page)
    assert_a_job_reads_what_no_page_does(
        monkeypatch, client_for(curator), row, page.wsgi_request.get_full_path()
    )


def test_the_models_page_shows_cohorts_subgroups_and_training_data(
    row, clinic, curator, models, test_set, entries, client_for
):
    training = evaluated.freeze(
        clinic, curator, evaluated.make_entries(clinic, curator, ["bcc", "sk"], first=60, source="Trained"),
        "Training set", "train",
    )  # fmt: skip
    models[0].trained_on_version = training
    models[0].save()
    text = text_of(client_for(curator).get(url("model", models[0].pk)))
    auc = Report(row).figures_of(test_set.pk, models[0].pk)["averages"]["auc"]
    assert f"Average AUC {auc:.3f} over 5 diseases" in text
    assert "Not evaluable" in text and "Wart" in text
    # At the time of the evaluation nobody knew.
    assert "Nobody knows all photos the model has learnt from" in text
    assert "Photos (biopsy-proven) 2 (2)" in text
    assert "What is missing Trained: citation" in text
    assert "Female 6 too few" in text


def test_another_clinic_sees_none_of_it(
    clinic, curator, outsider, entries, test_set, model_version, client_for
):
    evaluated.score(model_version, entries)
    evaluated.evaluated(clinic, curator, [model_version], [test_set])
    assert "Test set" in text_of(client_for(curator).get(url("model", model_version.pk)))
    text = text_of(client_for(outsider).get(url("model", model_version.pk)))
    assert "Test set" not in text and "Not evaluated in this clinic yet." in text
