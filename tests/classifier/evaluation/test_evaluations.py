"""Evaluations from frozen datasets: figures, runs, leaks, files and the command."""

import csv
import io
import json
from datetime import UTC, datetime
from functools import partial

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from classifier.management.commands import evaluate
from classifier.metrics import bootstrap, roc
from classifier.metrics.delong import auc_estimate
from classifier.metrics.han2018 import HAN_2018
from classifier.metrics.youden import youden
from classifier.models import Analysis, Evaluation
from classifier.plots.canvas import Shape
from classifier.services.evaluation import evaluations, leakage
from classifier.services.evaluation import report as evaluation_report
from classifier.services.evaluation import run as evaluation_run
from classifier.services.evaluation import tables as evaluation_tables
from classifier.services.evaluation.report import Report
from classifier.services.models import registry
from skinclinic.archive.models import DatasetItem, DuplicatePair, Entry
from skinclinic.archive.services.datasets import datasets, dividing, freezing
from skinclinic.engine import jobs
from skinclinic.files import store, whole
from skinclinic.services.photos import delete_photo
from skinclinic.services.refused import Refused
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests import evaluated, factories
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db


@pytest.fixture
def entries(clinic, curator):
    return evaluated.make_entries(clinic, curator)


@pytest.fixture
def test_set(clinic, curator, entries):
    return evaluated.freeze(clinic, curator, entries)


@pytest.fixture
def model(clinic, tmp_path):
    return evaluated.make_model(clinic, tmp_path, "one")


def test_figures_are_those_of_the_stored_scores(clinic, curator, entries, test_set, model):
    scores = evaluated.score(model, entries)
    row = evaluated.evaluated(clinic, curator, [model], [test_set])
    assert (row.state, row.done, row.total) == ("done", 12, 12)
    report = Report(row)
    truth = np.array([entry.label for entry in entries])
    for place, key in enumerate(DISEASE_KEYS):
        found = report.disease(test_set.pk, model.pk, key)
        if key not in truth:
            assert (found["note"], found["auc"], found["youden"]) == ("no_positives", None, None)
            continue
        own = auc_estimate(scores[:, place], truth == key)
        assert found["auc"]["auc"] == pytest.approx(own.auc, abs=1e-12)
        assert found["auc"]["low"] == (None if own.low is None else pytest.approx(own.low, abs=1e-12))
        best = youden(roc.roc(scores[:, place], truth == key))
        assert found["youden"]["threshold"] == best.threshold
        assert found["youden"]["optimistic"]
    top_1 = (scores.argmax(1) == [DISEASE_KEYS.index(label) for label in truth]).sum()
    top = report.figures_of(test_set.pk, model.pk)["ranking"]["top"]
    assert [one["k"] for one in top] == [1, 2, 3, 4, 5]
    assert top[0]["right"]["count"] == top_1
    subgroups = report.disease(test_set.pk, model.pk, "sk")["subgroups"]
    assert {row["label"] for row in subgroups["sex"]} == {"female", "male"}
    assert set(subgroups) == {"age", "sex", "skin_type", "site", "source"}


def test_figures_are_of_answers_in_full_precision_alone_and_say_so(
    clinic, curator, entries, test_set, model, client_for
):
    """A photo with only a coarser answer, whose file cannot be read, is left out."""
    evaluated.score(model, entries)
    left_out = test_set.items.order_by("pk").first().entry.photo
    Analysis.objects.filter(photo=left_out).update(precision="bf16")
    store.path_of(left_out.file_key).unlink()
    row = evaluated.evaluated(clinic, curator, [model], [test_set])
    report = Report(row)
    assert left_out.pk not in report.scores(test_set.pk, model.pk)["photos"]
    assert report.computed(test_set.pk, model.pk) == {
        "precision": "f32", "runtimes": ["OpenVINO 2026.4.1"]
    }  # fmt: skip
    page = client_for(curator).get(url("evaluation", row.pk)).content.decode()
    assert "OpenVINO 2026.4.1, full precision (f32)" in page


def test_the_test_side_of_a_split_dataset_is_evaluated(clinic, curator, entries, model):
    version = datasets.create(clinic, curator, "Split")
    datasets.set_members(version, clinic.entries.all())
    dividing.split(version, "patient", 0.5, seed=1)
    version = freezing.freeze(version, curator)
    evaluated.score(model, entries)
    report = Report(evaluated.evaluated(clinic, curator, [model], [version]))
    (said,) = report.datasets
    test = set(version.items.filter(split="test").values_list("pk", flat=True))
    assert (said["side"], said["photos"], said["chosen"]) == ("test", len(test), len(test))
    assert set(report.scores(version.pk, model.pk)["items"].tolist()) == test


def test_runs_of_a_training_give_mean_and_sd(clinic, curator, entries, test_set, tmp_path):
    models = [
        evaluated.make_model(clinic, tmp_path, f"net-{n}", seed=n, training={"group": "net", "run": n})
        for n in (1, 2, 3)
    ]
    for n, version in enumerate(models):
        evaluated.score(version, entries, seed=n)
    report = Report(evaluated.evaluated(clinic, curator, models, [test_set]))
    (runs,) = report.runs_of(test_set.pk)
    bcc = next(row for row in runs["summary"]["rows"] if row["key"] == "bcc")
    values = [report.disease(test_set.pk, version.pk, "bcc")["auc"]["auc"] for version in models]
    assert bcc["auc"]["values"] == values
    assert bcc["auc"]["sd"] == pytest.approx(np.std(values, ddof=1))
    table = evaluation_tables.runs_table(report, test_set.pk, runs)
    first = next(row for row in table if row.key == "bcc")
    assert first.auc.text == f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}"
    assert table[-1].name == "Average of 5"
    # Each run has an interval, the mean has none.
    assert (
        "–"
        in next(
            row for row in evaluation_tables.table(report, test_set.pk, models[0].pk) if row.key == "bcc"
        ).auc.text
    )


def test_stored_analyses_are_used_and_missing_ones_made(clinic, curator, entries, test_set, model):
    evaluated.score(model, entries[:10])
    before = dict(Analysis.objects.values_list("photo", "analysed_at"))
    evaluated.evaluated(clinic, curator, [model], [test_set])
    after = dict(Analysis.objects.values_list("photo", "analysed_at"))
    assert len(after) == 12
    assert all(after[photo] == at for photo, at in before.items())


@pytest.fixture
def training_set(clinic, curator, entries):
    """Shares the first photo with the test set, the second's patient, and looks like the third."""
    own = evaluated.make_entries(clinic, curator, ["bcc", "mm", "sk"], first=50, source="Training")
    photo = factories.make_photo(clinic, curator, seed=900, lesion=entries[1].photo.lesion)
    same_patient = factories.make_entry(photo, curator, label="bcc", review="accepted")
    version = datasets.create(clinic, curator, "Training set", "train")
    chosen = [*own, entries[0], same_patient]
    datasets.set_members(version, clinic.entries.filter(pk__in=[entry.pk for entry in chosen]))
    near = version.items.get(entry=own[0])
    seen = DatasetItem.objects.get(version__dataset__name="Test set", entry=entries[2])
    DatasetItem.objects.filter(pk=near.pk).update(phash=seen.phash ^ 0b1011)
    return freezing.freeze(version, curator)


def test_what_a_model_has_seen_is_refused_with_counts_and_rows(
    clinic, curator, entries, test_set, training_set, model
):
    model.trained_on_version = training_set
    model.save()
    evaluated.score(model, entries)
    row = evaluated.evaluated(clinic, curator, [model], [test_set])
    assert row.state == "refused"
    assert "has seen 3 of the 12 photos" in row.error
    (leaks,) = evaluation_report.leaks(row)
    (found,) = leaks["models"]
    # The first photo is there itself, and so are its lesion and its patient.
    assert found["counts"] == {"photo": 1, "near": 1, "lesion": 2, "patient": 2}
    kinds = {(one["kind"], one["test"]) for one in found["rows"]}
    names = [entry.external_id for entry in entries]
    assert kinds == {
        ("photo", names[0]), ("lesion", names[0]), ("patient", names[0]), ("lesion", names[1]),
        ("patient", names[1]), ("near", names[2]),
    }  # fmt: skip
    assert next(one["distance"] for one in found["rows"] if one["kind"] == "near") == 3
    assert evaluations.go_on(row, remove_leaks=True)
    jobs.run_waiting(evaluations.JOB)
    row.refresh_from_db()
    (said,) = Report(row).datasets
    assert (row.state, said["photos"], said["left_out"]) == ("done", 9, {"leaks": 3})
    left = Report(row).scores(test_set.pk, model.pk)["names"].tolist()
    assert left == names[3:]


def test_each_photo_alone_is_found_to_look_alike(entries, test_set, training_set, model):
    model.trained_on_version = training_set
    items = list(evaluations.test_items(test_set))
    alike = next(leak.test for leak in leakage.find(model, items).found if leak.kind == leakage.NEAR)
    alone = [item for item in items if item.pk == alike]
    assert leakage.find(model, alone).counts["near"] == 1


def test_what_a_curator_decided_counts(clinic, curator, entries, test_set, training_set, model):
    model.trained_on_version = training_set
    items = list(evaluations.test_items(test_set))
    assert leakage.find(model, items).counts["near"] == 1
    before = leakage.find(model, items).counts["lesion"]
    trained = training_set.items.get(entry__source__name="Training", phash=items[2].phash ^ 0b1011).entry
    low, high = sorted([entries[2], trained], key=lambda entry: entry.pk)
    pair = DuplicatePair.objects.create(
        clinic=clinic, first=low, second=high, distance=3, verdict=DuplicatePair.Verdict.DIFFERENT
    )
    assert leakage.find(model, items).counts["near"] == 0
    pair.verdict = DuplicatePair.Verdict.SAME_LESION
    pair.save()
    assert leakage.find(model, items).counts["lesion"] == before + 1


def test_the_other_piece_of_a_torn_lesion_is_a_leak(clinic, curator, entries, test_set, training_set, model):
    """A training photo and a test photo that the source calls one lesion, held as two."""
    model.trained_on_version = training_set
    items = list(test_set.items.select_related("entry__source"))
    trained = training_set.items.exclude(entry__in=[item.entry_id for item in items]).first()
    before = {leak.test for leak in leakage.find(model, items).found if leak.kind == leakage.LESION}
    other = next(item for item in items if item.pk not in before and item.lesion != trained.lesion)
    pair = Entry.objects.filter(pk__in=[trained.entry_id, other.entry_id])
    pair.update(source=trained.entry.source, source_lesion="L1", patient=None, patient_key=0)
    found = {leak.test for leak in leakage.find(model, items).found if leak.kind == leakage.LESION}
    assert found == before | {other.pk}


def test_a_model_of_unknown_origin_says_so(clinic, curator, entries, test_set, model):
    evaluated.score(model, entries)
    row = evaluated.evaluated(clinic, curator, [model], [test_set])
    assert not Report(row).models[0]["leaks_checked"]
    assert evaluation_report.leaks(row)[0]["models"][0]["unknown"] == "one"


def test_what_a_model_began_from_counts(clinic, entries, test_set, training_set, model, tmp_path):
    """A model trained on other photos, from the weights of one that has seen the test set."""
    items = list(evaluations.test_items(test_set))
    model.trained_on_version = training_set
    model.save()
    other = evaluated.freeze(clinic, None, entries[8:10], "Elsewhere", "train")
    start = {"init": "one", "weights_sha256": model.weights_sha256}
    child = evaluated.make_model(
        clinic, tmp_path, "child", seed=2, trained_on=other, training={"start": start}
    )
    found = leakage.find(child, items)
    assert (found.unknown, found.trained_on) == ("", "Elsewhere v1, Training set v1")
    assert found.counts == {"photo": 3, "near": 1, "lesion": 4, "patient": 4}
    child.manifest["training"]["start"]["weights_sha256"] = "0" * 64
    assert leakage.find(child, items).unknown == "one"
    child.manifest["training"] = {"start": {"init": "one"}, "base": {"weights_sha256": model.weights_sha256}}
    assert leakage.find(child, items).unknown == "", "as trainings of before say it"


def test_deleted_photos_are_left_out_and_said(clinic, curator, entries, test_set, model):
    evaluated.score(model, entries)
    delete_photo(entries[4].photo)
    (said,) = Report(evaluated.evaluated(clinic, curator, [model], [test_set])).datasets
    assert (said["photos"], said["left_out"]) == (11, {"deleted": 1})


def test_what_cannot_be_evaluated_is_refused(clinic, curator, entries, test_set, model, outsider, tmp_path):
    draft = datasets.create(clinic, curator, "Draft")
    train = evaluated.freeze(clinic, curator, entries[:3], "Train only", "train")
    ask = {"name": "x", "models": [model], "datasets": [test_set]}
    for wrong, field in (
        ({"datasets": [draft]}, "datasets"),
        ({"datasets": [train]}, "datasets"),
        ({"datasets": []}, "datasets"),
        ({"models": []}, "models"),
        ({"name": " "}, "name"),
        ({"name": "a\0b"}, "name"),
    ):
        with pytest.raises(Refused) as refused:
            evaluations.request(clinic, curator, **ask | wrong)
        assert refused.value.field == field
    elsewhere = evaluated.make_model(outsider.memberships.get().clinic, tmp_path, "theirs", seed=9)
    with pytest.raises(ValueError, match="its own"):
        evaluations.request(clinic, curator, **ask | {"models": [elsewhere]})
    assert not Evaluation.objects.exists()
    assert {offer.row: bool(offer.problem) for offer in evaluations.dataset_offers(clinic)} == {
        test_set: False, draft: True, train: True,
    }  # fmt: skip


@pytest.mark.alike
def test_every_figure_is_drawn_as_svg_png_and_csv(clinic, curator, entries, test_set, model):
    evaluated.score(model, entries)
    report = Report(evaluated.evaluated(clinic, curator, [model], [test_set]))
    files = dict(report.files(test_set.pk, model.pk))
    assert {name.rsplit(".", 1)[1] for name in files} == {"svg", "png", "pdf", "csv"}
    # ROC and the like only of the five diseases there are; thresholds also of the others.
    assert "bcc-roc.svg" in files and "wart-roc.svg" not in files
    for name, content in files.items():
        if name.endswith(".png"):
            image = Image.open(io.BytesIO(content))
            image.load()
            assert len(image.convert("RGB").getcolors(1 << 24)) > 3, name
        if name.endswith(".svg"):
            assert b"class=" not in content and b"<text" not in content
    rows = list(csv.DictReader(io.StringIO(files["bcc-roc.csv"].decode("utf-8-sig"))))
    assert (rows[0]["Threshold"], rows[0]["True positives"]) == ("-inf", "3")
    assert (rows[-1]["Threshold"], rows[-1]["True negatives"]) == ("inf", "9")
    missing = report.figure("roc", test_set.pk, model.pk, "wart")
    assert (missing.drawing, missing.note) == (None, "not evaluable")


def test_a_dataset_without_negatives_has_sensitivity_alone(clinic, curator, model, entries, test_set):
    only = evaluated.make_entries(clinic, curator, ["bcc"] * 4, first=70, source="Hallym")
    version = evaluated.freeze(clinic, curator, only, "Only bcc")
    evaluated.score(model, [*entries, *only])
    report = Report(evaluated.evaluated(clinic, curator, [model], [test_set, version]))
    found = report.disease(version.pk, model.pk, "bcc")
    assert (found["note"], found["auc"]) == ("no_negatives", None)
    figure = report.figure("thresholds", version.pk, model.pk, "bcc")
    assert [series.name for series in figure.series] == [
        "Only bcc v1, sensitivity", "Test set v1, sensitivity", "Test set v1, specificity",
    ]  # fmt: skip
    # Datasets are told apart in grey as well.
    assert {mark.shape for mark in figure.drawing.marks if isinstance(mark, Shape)} == {"circle", "square"}


def test_the_published_table_is_the_printed_one():
    asan, edinburgh = HAN_2018
    assert (len(asan.rows), len(edinburgh.rows)) == (12, 10)
    assert edinburgh.row("lentigo") is None and edinburgh.row("wart") is None
    for table in HAN_2018:
        mean = np.mean([row.auc[0] for row in table.rows])
        assert mean == pytest.approx(table.average.auc[0], abs=0.0051)
        mean = np.mean([row.sensitivity[0] for row in table.rows])
        assert mean == pytest.approx(table.average.sensitivity[0], abs=0.0006)


def test_the_command_writes_report_tables_and_figures(clinic, curator, entries, test_set, model, tmp_path):
    scores = evaluated.score(model, entries)
    out, said = tmp_path / "out", io.StringIO()
    call_command(
        "evaluate", "--model", "one", "--dataset", "Test set:1", "--out", str(out), "--json", stdout=said
    )
    report = json.loads((out / "report.json").read_text())
    assert json.loads(said.getvalue()) == report
    folder = out / "Test_set-v1" / "one"
    assert (folder / "confusion.png").is_file() and (folder / "bcc-roc.csv").is_file()
    rows = list(csv.DictReader(io.StringIO((out / "table.csv").read_text("utf-8-sig"))))
    own = next(row for row in rows if row["model"] == "one" and row["disease"] == "bcc")
    truth = [entry.label == "bcc" for entry in entries]
    assert float(own["auc"]) == pytest.approx(roc.auc(scores[:, 0], truth))
    published = next(row for row in rows if row["dataset"].startswith("Asan") and row["disease"] == "mm")
    assert (published["auc"], "2018" in published["source"]) == ("0.96", True)
    assert "Basal cell carcinoma" in (out / "table.html").read_text()


def test_the_command_names_leaks_and_what_is_not_there(
    clinic, curator, entries, test_set, training_set, model, tmp_path
):
    model.trained_on_version = training_set
    model.save()
    evaluated.score(model, entries)
    ask = ["evaluate", "--out", str(tmp_path / "out"), "--no-figures"]
    with pytest.raises(CommandError, match="has seen 3 of the 12"):
        call_command(*ask, "--model", "one", "--dataset", "Test set")
    assert json.loads((tmp_path / "out" / "leaks.json").read_text())[0]["models"][0]["rows"]
    assert not Evaluation.objects.exists()
    said = io.StringIO()
    call_command(*ask, "--model", "one", "--dataset", "Test set", "--remove-leaks", stdout=said)
    assert "9 photos; left out: 3 leaks" in said.getvalue()
    for model_name, dataset_name, words in (
        ("two", "Test set", "no model"),
        ("one", "Nothing", "no frozen dataset"),
        ("one", "Test set:7", "no frozen dataset"),
        ("one", "Test set:x", "no frozen dataset"),
    ):
        with pytest.raises(CommandError, match=words):
            call_command(*ask, "--model", model_name, "--dataset", dataset_name)


def test_of_two_models_of_a_name_the_command_takes_the_clinics_own_as_classify_does(clinic, tmp_path):
    make = partial(factories.make_model_dir, name="same")
    own = factories.proven(registry.register(make(tmp_path / "own", seed=1), clinic=clinic))
    for_all = registry.register(make(tmp_path / "for-all", seed=2))
    assert list(registry.available(clinic)) == [for_all, own]
    assert evaluate._models(clinic, ["same"]) == [own]


def test_an_evaluation_that_is_asked_for_again_and_again(clinic, curator, entries, test_set, model):
    evaluated.score(model, entries)
    row = evaluated.evaluated(clinic, curator, [model], [test_set])
    with pytest.raises(Refused, match="already"):
        evaluations.request(clinic, curator, name="First", models=[model], datasets=[test_set])
    assert row.facts["results"][0]["photos"] == 12
    assert row.finished_at < datetime.now(UTC)
    assert not evaluations.go_on(row)
    folder = row.folder
    assert evaluations.delete(row)
    assert not folder.exists()
    assert Analysis.objects.count() == 12


def test_aucs_are_bootstrapped_by_patient_if_wanted(clinic, curator, test_set, entries, model):
    scores = evaluated.score(model, entries)
    with pytest.raises(Refused, match="repeats"):
        evaluated.evaluated(clinic, curator, [model], [test_set], bootstrap=10**9)
    row = evaluated.evaluated(clinic, curator, [model], [test_set], bootstrap=50)
    found = Report(row).disease(test_set.pk, model.pk, "sk")
    truth = np.array([entry.label == "sk" for entry in entries])
    people = [item.person for item in evaluations.test_items(test_set)]
    own = bootstrap.by_patient(scores[:, DISEASE_KEYS.index("sk")], truth, people, repeats=50)
    assert found["bootstrap_by_patient"]["low"] == own.low
    assert (found["bootstrap_by_patient"]["units"], found["bootstrap_by_photo"]["unit"]) == (12, "photo")


def test_a_new_report_that_cannot_be_put_in_place_leaves_the_old_one(
    clinic, curator, entries, test_set, model, monkeypatch
):
    evaluated.score(model, entries)
    row = evaluated.evaluated(clinic, curator, [model], [test_set])
    before = (row.folder / evaluation_report.REPORT).read_bytes()
    assert evaluation_run.run(row)["name"] == "First"
    assert (row.folder / evaluation_report.REPORT).read_bytes() != before
    before = (row.folder / evaluation_report.REPORT).read_bytes()

    def fails(draft, path):
        raise OSError("power cut")

    monkeypatch.setattr(whole, "_exchange", fails)
    with pytest.raises(OSError, match="power cut"):
        evaluation_run.run(row)
    assert (row.folder / evaluation_report.REPORT).read_bytes() == before
    assert Report(row).datasets


def test_what_a_model_was_trained_on_is_read_once_for_all_datasets(
    clinic, curator, entries, test_set, training_set, model, monkeypatch
):
    others = [evaluated.freeze(clinic, curator, entries, name=f"Test set {n}") for n in range(2)]
    evaluated.score(model, entries)
    model.trained_on_version = training_set
    model.save()
    read = []
    real = leakage.training_items
    monkeypatch.setattr(leakage, "training_items", lambda version: read.append(version) or real(version))
    row = evaluated.evaluated(clinic, curator, [model], [test_set, *others], remove_leaks=True)
    assert row.state == "done", row.error
    assert read == [training_set]
    assert len(evaluation_report.leaks(row)) == 3
