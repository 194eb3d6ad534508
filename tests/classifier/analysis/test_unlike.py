"""Photos unlike those a model was trained on: told before the scores, everywhere, and never where it is not known."""

import csv
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.template.loader import render_to_string
from django.utils import timezone

from classifier.analysing import familiarity as making
from classifier.analysing.photo_files import classify, find
from classifier.drawings.synthetic import synthetic_lesion
from classifier.metrics.familiarity import Calibrated, Familiar, limit_of
from classifier.metrics.proportions import proportion
from classifier.models import Analysis, ModelVersion
from classifier.networks import familiarity, training_photos, weights
from classifier.networks.familiarity import describe, to_bytes
from classifier.networks.manifest import ModelRejected
from classifier.presenters import analysis_files, case_words, cautions, dicom_files, opinion_answer
from classifier.presenters import unlike as unlike_words
from classifier.presenters.fhir import answers as fhir
from classifier.runtimes import open_runtime
from classifier.services.analysis import trials
from classifier.services.analysis.case_story import story_of
from classifier.services.following import due, records
from classifier.services.models import registry
from classifier.training import familiar as at_training
from skinclinic import imaging
from skinclinic.engine import jobs
from skinclinic.models import Lesion, Photo, SecondOpinion
from skinclinic.services import photo_answers
from tests import factories, followed, results
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db

SAID = {
    "file": "familiarity.safetensors", "sha256": "0" * 64, "limit": 9.5, "false_alarms": 0.05, "photos": 306,
    "patients": 272, "folds": 5, "realised": {"alarms": 15, "photos": 306, "low": 0.03, "high": 0.079},
    "unseen": {"alarms": 60, "photos": 400, "low": 0.118, "high": 0.188, "patients": 300},
}  # fmt: skip


def made(length: int, limit: float = 2.0) -> tuple[bytes, dict]:
    """The file and what is said of it, of features near to the direction of all ones."""
    mean = np.full(length, length**-0.5, np.float32)
    axes = np.eye(2, length, dtype=np.float32)
    found = Familiar(mean, axes, np.array([0.5, 0.25], np.float32), 0.1, limit)
    content = to_bytes(found)
    return content, describe(content, Calibrated(found, 100, 50, proportion(5, 100)))


def text_of(response) -> str:
    return " ".join(response.content.decode().split())


def answered(photo, user, unlike, **manifest):
    row = results.finished(photo, user, version=results.make_version(**manifest))
    Analysis.objects.filter(pk=row.pk).update(unlike=unlike)
    row.refresh_from_db()
    return row


def test_the_result_says_it_before_the_scores_and_after_the_own_impression(
    client_for, clinic, clinician, photo
):
    row = answered(photo, clinician, 1.2, familiarity=SAID)
    client = client_for(clinician)
    clinic.impression_first = True
    clinic.save()
    hidden = client.get(f"/api/analyses/{row.pk}/").json()
    assert hidden["impression_first"] and hidden["training_photos"] is None
    assert "like the model’s training photos" not in text_of(client.get(url("photo", photo.pk)))
    clinic.impression_first = False
    clinic.save()
    text = text_of(client.get(url("photo", photo.pk)))
    assert 0 < text.index("Not like the model’s training photos") < text.index("0.410")
    assert "306 training photos" in text and "It cannot tell why" in text
    # Not the 5 % that were meant: what was counted where the network had not learnt from the photos.
    assert (
        "are marked as well: 60 of 400 (15.0 %; 95% interval 11.8 % to 18.8 %)" in text
        and "about 5 %" not in text
    )
    without = {name: said for name, said in SAID.items() if name != "unseen"}
    said = unlike_words.told(1.2, {"familiarity": without}).details
    assert "about 5 % of such photos are marked as well; of new patients’ it may be more" in said
    told = client.get(f"/api/analyses/{row.pk}/").json()
    assert told["training_photos"] == {"state": "unlike", "distance": 1.2}
    report = analysis_files.report_of(clinician, row, results_view(row), analysis_files.Drawn("bcc"))
    assert any("Not like" in notice and "306" in notice for notice in report.notices)
    Analysis.objects.update(unlike=0.5)
    assert "Like the model’s training photos." in text_of(client.get(url("photo", photo.pk)))


def test_wherever_scores_are_told_what_speaks_against_them_is(client_for, clinic, clinician, photo):
    row = answered(photo, clinician, 1.2, familiarity=SAID)
    Analysis.objects.filter(pk=row.pk).update(
        background=0.62,
        quality={**followed.GOOD, "warnings": ["blurred"]},
        box_x=photo.box.x,
        box_y=photo.box.y,
    )
    row.refresh_from_db()
    member = clinic.members.get(user=clinician)
    against = [
        "Not like the model’s training photos. Its scores may mean little here.",
        "Probably not among these 12 (62 %).",
        "This photo may be unfit: blurred.",
    ]
    (shown,) = opinion_answer.answers_of(
        SecondOpinion(clinic=clinic, shows=[SecondOpinion.Show.MODEL]), [photo]
    )
    page = " ".join(render_to_string("outside/model.html", {"answer": shown, "answers": [shown]}).split())
    assert [page.index(words) for words in against] == sorted(page.index(words) for words in against)
    assert page.index(against[-1]) < page.index("0.410")
    assert dicom_files._answer(row).facts[:3] == against
    assert fhir._conclusion(row).startswith(" ".join(against))
    letter = case_words.answer(story_of(clinician, member, photo.lesion), photo)
    assert letter.endswith("the photo is not like the model’s training photos, the photo may be unfit")
    card = text_of(client_for(clinician).get(url("upload")))
    assert "Not like the model’s training photos." in card and "Probably not among these 12" in card
    # Nothing speaks against an answer to a photo like those.
    Analysis.objects.update(unlike=0.5, background=0.0, quality=followed.GOOD)
    row.refresh_from_db()
    assert cautions.of_answer(row) == [] and "Not like" not in fhir._conclusion(row)
    # What the model was trained on is said, and nothing else of a demo model.
    assert "Model: chosen, a demo model" in dicom_files._answer(row).facts


def test_lists_of_cases_and_lesions_mark_it_with_one_query_for_all(
    client_for, clinic, clinician, photo, django_assert_num_queries
):
    patient = factories.make_patient(clinic, "P-1")
    Lesion.objects.filter(pk=photo.lesion_id).update(patient=patient)
    far = answered(photo, clinician, 1.2, familiarity=SAID)
    client, said = client_for(clinician), "Not like the model’s training photos."
    mark = f'role="img" aria-label="{said}"'
    pages = {name: url(name, key) for name, key in (("patient", patient.pk), ("lesion", photo.lesion_id))}
    pages["worklist"] = "/"
    for name, page in pages.items():
        text = text_of(client.get(page))
        assert said in text and text.index(said) < text.index("Basal cell", text.index(said)), name
        assert text.count(mark) == (name != "patient"), f"{name}: in words or read out"
    near = factories.make_photo(clinic, clinician, seed=5, lesion=Lesion.objects.create(clinic=clinic))
    row = results.finished(near, clinician, version=far.model_version)
    Analysis.objects.filter(pk=row.pk).update(unlike=0.9)
    assert text_of(client.get("/")).count(mark) == 1
    photos = list(Photo.objects.all())
    with django_assert_num_queries(1):
        assert photo_answers.unlike(photos) == {photo.pk}
    with django_assert_num_queries(0):
        assert photo_answers.unlike([None]) == set()
    Photo.objects.filter(pk=photo.pk).update(box_x=0, box_y=0, box_size=64)
    assert not photo_answers.unlike(Photo.objects.all()), "that was another square"
    Photo.objects.filter(pk=photo.pk).update(box_x=None, box_y=None, box_size=None)
    clinic.impression_first = True
    clinic.save()
    for name, page in pages.items():
        assert said not in text_of(client.get(page)), f"{name}: the own impression comes first"


def test_lists_of_the_api_say_it_where_they_show_the_answer(client_for, clinic, clinician, photo):
    Lesion.objects.filter(pk=photo.lesion_id).update(patient=factories.make_patient(clinic, "P-1"))
    far = answered(photo, clinician, 1.2, familiarity=SAID)
    near = factories.make_photo(clinic, clinician, seed=5, lesion=Lesion.objects.create(clinic=clinic))
    row = results.finished(near, clinician, version=far.model_version)
    Analysis.objects.filter(pk=row.pk).update(unlike=0.9)
    unknown = factories.make_photo(clinic, clinician, seed=6, lesion=Lesion.objects.create(clinic=clinic))
    results.finished(unknown, clinician, version=far.model_version)
    empty = Lesion.objects.create(clinic=clinic)
    client = client_for(clinician)

    def told() -> dict:
        rows = client.get("/api/lesions/").json()["results"]
        for one in rows:
            assert (
                client.get(f"/api/lesions/{one['id']}/").json()["training_photos"] == one["training_photos"]
            )
        return {one["id"]: one["training_photos"] for one in rows}

    expected = {
        photo.lesion_id: {"state": "unlike", "distance": 1.2},
        near.lesion_id: {"state": "like", "distance": 0.9},
        unknown.lesion_id: {"state": "not_evaluable", "distance": None},
        empty.pk: None,
    }
    assert told() == expected
    # It is said with the answer, so not where that does not count.
    client.patch(f"/api/photos/{near.pk}/", {"kind": "overview"}, content_type="application/json")
    assert told() == {**expected, near.lesion_id: None}
    clinic.impression_first = True
    clinic.save()
    assert not any(told().values()), "the own impression comes first"


def results_view(row):
    from classifier.presenters.result import answer_view

    return answer_view(row, row.model_version.threshold_sets.first())


def test_a_model_that_does_not_know_says_not_evaluable(client_for, clinician, photo, admin_user):
    row = answered(photo, clinician, None)
    client = client_for(clinician)
    assert "is not evaluable: the model does not say" in text_of(client.get(url("photo", photo.pk)))
    assert client.get(f"/api/analyses/{row.pk}/").json()["training_photos"]["state"] == "not_evaluable"
    card = text_of(client.get(url("model", row.model_version_id)))
    assert "Not evaluable: the model does not say" in card
    ModelVersion.objects.update(manifest=row.model_version.manifest | {"familiarity": SAID})
    assert "this answer holds nothing to compare" in text_of(client.get(url("photo", photo.pk)))
    card = text_of(client.get(url("model", row.model_version_id)))
    assert "15 of 306 (4.9 %; 95% interval 3.0 % to 7.9 %)" in card and "more than meant" in card


def test_what_is_counted_after_publishing(clinic, clinician):
    version = followed.make_version("watched", clinic)
    from classifier.models import Publication

    Publication.objects.create(clinic=clinic, model_version=version)
    for _ in range(40):
        followed.answer(clinic, version)
    Analysis.objects.update(unlike=0.8, requested_at=timezone.now())
    some = list(Analysis.objects.values_list("pk", flat=True)[:10])
    Analysis.objects.filter(pk__in=some).update(unlike=1.5)
    row = records.begin(clinic)
    due.run(row)
    row.refresh_from_db()
    assert row.figures["photos"]["drift"]["unlike"]["first"]["mean"] == pytest.approx(0.25)
    assert row.figures["photos"]["drift"]["distance"]["first"]["median"] == pytest.approx(0.8)


def test_answers_of_before_are_told_anew_when_the_model_learns_it(
    lite_dir, tmp_path, clinic, clinician, photo
):
    folder = tmp_path / "known"
    shutil.copytree(lite_dir, folder)
    version = registry.register(folder)
    vector = np.ones(1280, np.float32)
    row = results.finished(photo, clinician, version=version, features=vector)
    assert row.unlike is None
    content, said = made(1280)
    familiarity.add(folder, weights.read_manifest(folder), content, said)
    registry.register(folder)
    row.refresh_from_db()
    version.refresh_from_db()
    assert row.unlike == pytest.approx(0, abs=1e-3) and version.manifest["familiarity"] == said


def test_a_worker_keeps_it_with_the_answer_and_the_try_page_says_it(
    lite_dir, tmp_path, settings, clinic, clinician, photo, client_for
):
    folder = tmp_path / "known"
    shutil.copytree(lite_dir, folder)
    content, said = made(1280, limit=1e-3)
    familiarity.add(folder, weights.read_manifest(folder), content, said)
    version = registry.register(folder)
    row = results.request_analysis(photo, user=clinician, version=version)
    trial = trials.start(clinic, sender="x", data=factories.jpeg_bytes(4))
    jobs.run_waiting("analyse")
    jobs.run_waiting("try")
    row.refresh_from_db()
    trial.refresh_from_db()
    assert row.unlike > 1 and trial.result["unlike"] > 1
    client = client_for(clinician)
    assert "Not like the model’s training photos" in text_of(client.get(url("try-result", trial.token)))
    told = client.get(f"/api/try/{trial.token}/").json()
    assert told["training_photos"]["state"] == "unlike"


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda folder: (folder / "familiarity.safetensors").unlink(), "familiarity_missing"),
        (lambda folder: (folder / "familiarity.safetensors").write_bytes(b"x"), "familiarity_wrong_hash"),
        (lambda folder: change(folder, limit=-1), "bad_familiarity"),
        (lambda folder: change(folder, realised={}), "bad_familiarity"),
        (lambda folder: change(folder, networks="yes"), "bad_familiarity"),
        (lambda folder: change(folder, file="../x"), "bad_familiarity"),
        (lambda folder: replaced(folder, axes=np.ones((2, 1280), np.float32)), "familiarity_unreadable"),
        (lambda folder: replaced(folder, rest=np.zeros(1, np.float32)), "familiarity_unreadable"),
    ],
)
def test_a_spoilt_file_is_refused(lite_dir, tmp_path, spoil, code):
    folder = tmp_path / "spoilt"
    shutil.copytree(lite_dir, folder)
    familiarity.add(folder, weights.read_manifest(folder), *made(1280))
    weights.check_files(folder)
    spoil(folder)
    with pytest.raises(ModelRejected) as refused:
        weights.check_files(folder)
    assert refused.value.code == code


def change(folder, **changes):
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"familiarity": content["familiarity"] | changes}))


def replaced(folder, **changes):
    import hashlib

    from safetensors.numpy import load, save

    path = folder / "familiarity.safetensors"
    path.write_bytes(save(load(path.read_bytes()) | changes))
    change(folder, sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def test_the_limit_of_a_cross_validation_rests_on_networks_that_did_not_know_the_patients(lite_dir, tmp_path):
    folder = tmp_path / "validated"
    shutil.copytree(lite_dir, folder)
    content, said = made(1280)
    manifest = familiarity.add(folder, weights.read_manifest(folder), content, said)
    distances = np.random.default_rng(1).gamma(20, size=200)
    patients, fold_of = [str(place // 2) for place in range(200)], np.arange(200) // 2 % 4
    found = familiarity.limit_by_networks(folder, manifest, distances, fold_of, patients)
    assert weights.check_files(folder) == found, "the file is the same, and what is said of it is sound"
    told = found.familiarity
    assert told["limit"] == limit_of(distances) == familiarity.read(folder, found).limit
    alarms = sum(
        (distances[fold_of == fold] > limit_of(distances[fold_of != fold])).sum() for fold in range(4)
    )
    assert (told["realised"]["alarms"], told["folds"], told["networks"]) == (alarms, 4, True)
    (card,) = unlike_words.of_model(found.to_json())
    assert "which neither the fold’s network nor statistics nor limit had seen" in card
    result = unlike_words.told(1.5, found.to_json()).details
    assert "that the network of their fold had not learnt from" in result and f"{alarms} of 200" in result
    assert "it may be more" in unlike_words.told(1.5, found.to_json() | {"familiarity": said}).details


def test_a_sent_model_brings_it_and_takes_it_away(lite_dir, tmp_path, clinic, admin_user, client_for):
    folder = tmp_path / "sent"
    shutil.copytree(lite_dir, folder)
    familiarity.add(folder, weights.read_manifest(folder), *made(1280))
    files = {
        "weights": "model.safetensors", "manifest": "manifest.json", "familiarity": "familiarity.safetensors",
    }  # fmt: skip
    client = client_for(admin_user)

    def send(*names):
        sent = {name: SimpleUploadedFile(files[name], (folder / files[name]).read_bytes()) for name in names}
        return client.post(url("model-register"), sent)

    assert send("weights", "manifest").status_code == 422
    assert send(*files).status_code == 302
    version = ModelVersion.objects.get(clinic=clinic)
    assert (version.path / "familiarity.safetensors").read_bytes() == (
        folder / "familiarity.safetensors"
    ).read_bytes()
    taken = b"".join(client.get(url("model-download", version.pk)).streaming_content)
    assert b"familiarity.safetensors" in taken


def test_the_command_makes_it_of_the_listed_photos_alone(lite_dir, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("classifier.metrics.familiarity.LEAST_PHOTOS", 25)
    folder, given = tmp_path / "model", tmp_path / "photos"
    shutil.copytree(lite_dir, folder)
    given.mkdir()
    for seed in range(32):
        synthetic_lesion("mm", seed, 64).save(given / f"{seed}.jpg")
    with (tmp_path / "patients.csv").open("w") as file:
        rows = csv.writer(file)
        rows.writerow(("file_name", "patient_id"))
        rows.writerows((f"{seed}.jpg", f"patient {seed}") for seed in range(32))
    told = {"model": str(folder), "photos": [given], "patients": tmp_path / "patients.csv"}
    with pytest.raises(CommandError, match="no list of its training photos"):
        call_command("learn_familiarity", **told)
    listed = [
        training_photos.TrainingPhoto.of_upload((given / f"{seed}.jpg").read_bytes()) for seed in range(28)
    ]
    training_photos.add(folder, weights.read_manifest(folder), listed, is_complete=True)
    before = (folder / "manifest.json").read_bytes()
    call_command("learn_familiarity", **told)
    said = weights.check_files(folder).familiarity
    assert (said["photos"], said["patients"], said["unseen"]["photos"], said["unseen"]["patients"]) == (
        28,
        28,
        4,
        4,
    )
    assert "28 training photos of 28 patients" in capsys.readouterr().out
    first = (folder / "familiarity.safetensors").read_bytes(), (folder / "manifest.json").read_bytes()
    with pytest.raises(CommandError, match="already"):
        call_command("learn_familiarity", **told)
    (folder / "manifest.json").write_bytes(before)
    call_command("learn_familiarity", **told)
    assert first == (
        (folder / "familiarity.safetensors").read_bytes(),
        (folder / "manifest.json").read_bytes(),
    )
    runtime = open_runtime(folder, cache_dir=tmp_path / "cache", prefer="torch")
    (one,) = classify(find([str(given / "0.jpg")]), runtime)
    assert 0 < one.outcome.unlike < 1


def test_a_training_makes_it_where_its_photos_are_enough(lite_dir, tmp_path, monkeypatch):
    from classifier.training.plan import Sample

    manifest, state = weights.load_verified(lite_dir)
    samples = []
    for seed in range(30):
        path = tmp_path / f"{seed}.jpg"
        synthetic_lesion("mm", seed, 64).save(path)
        samples.append(Sample(str(path), "", imaging.Box(0, 0, 64), 0, str(seed)))
    validates = np.arange(30) >= 26
    device = __import__("torch").device("cpu")
    assert at_training.told(manifest, state, samples, validates, device) == (manifest, {})
    for module in ("classifier.metrics.familiarity", "classifier.training.familiar"):
        monkeypatch.setattr(f"{module}.LEAST_PHOTOS", 26)
    kept = {name: value.clone() for name, value in state.items()}
    found, beside = at_training.told(manifest, state, samples, validates, device)
    assert (found.familiarity["photos"], found.familiarity["unseen"]["photos"]) == (26, 4)
    assert all((state[name] == kept[name]).all() for name in kept), (
        "the weights that are saved stay as they are"
    )
    weights.save(tmp_path / "saved", found, state, beside=beside)
    assert weights.check_files(tmp_path / "saved").familiarity == found.familiarity


def test_the_shipped_model_tells_drawings_and_pages_from_photos(tmp_path):
    from classifier.drawings.other import not_a_lesion

    folder = weights.SHIPPED_DIR / "skinclinic-demo"
    runtime = open_runtime(folder, cache_dir=tmp_path, prefer="torch")
    pictures = [(not_a_lesion(seed, 224), "") for seed in (1, 2, 4, 5, 7, 8)]
    vectors = np.stack(making.features_of(runtime, pictures).rows)
    assert (runtime.familiar.unlike(vectors) > 1).sum() >= 5


def test_the_shipped_model_knows_its_own_photos(tmp_path, real_photos):
    folder = weights.SHIPPED_DIR / "skinclinic-demo"
    runtime = open_runtime(folder, cache_dir=tmp_path, prefer="torch")
    files = sorted((real_photos / "images").iterdir())[::10]
    told = [one.outcome.unlike for one in classify(find([str(path) for path in files]), runtime)]
    assert np.mean(np.array(told) > 1) <= 0.05
    said = replace(runtime.manifest).familiarity
    assert said["photos"] == runtime.manifest.training_photos["photos"]
    assert abs(said["realised"]["alarms"] / said["realised"]["photos"] - 0.05) < 0.02
