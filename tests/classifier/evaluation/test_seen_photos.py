"""Leaks by lesion, and by the list of hashes that a model brings."""

import json

import pytest

from classifier.networks import training_photos, weights
from classifier.networks.network import build
from classifier.networks.training_photos import TrainingPhoto
from classifier.networks.weights import ModelRejected
from classifier.presenters.training_known import training_known
from classifier.services.evaluation import evaluations, leakage, seen
from classifier.services.evaluation.standing import of as standings_of
from classifier.services.models import registry
from classifier.training import initial
from skinclinic.archive.models import Entry
from skinclinic.models import Lesion
from tests import evaluated, factories
from tests.cases import each
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db


@pytest.fixture
def entries(clinic, curator):
    return evaluated.make_entries(clinic, curator)


@pytest.fixture
def test_set(clinic, curator, entries):
    return evaluated.freeze(clinic, curator, entries)


def listed(entry: Entry, **changed) -> TrainingPhoto:
    """An archive photo as a list names it."""
    known = {
        "content_sha256": entry.content_sha256, "upload_sha256": entry.photo.sha256, "phash": entry.phash,
    }  # fmt: skip
    return TrainingPhoto(**known | changed)


def another(entry: Entry, curator, *, seed: int, lesion: Lesion | None = None) -> Entry:
    """One more photo of the entry's patient, of the same lesion or of ``lesion``."""
    photo = factories.make_photo(
        entry.clinic, curator, seed=seed, lesion=lesion or entry.photo.lesion
    )  # fmt: skip
    return factories.make_entry(photo, curator, label=entry.label, review="accepted", source=entry.source)


def find(model, test_set):
    return leakage.find(model, list(evaluations.test_items(test_set)))


# Lesions


def test_a_lesion_without_a_patient_is_a_leak(clinic, curator, tmp_path):
    rows = []
    for n in range(6):
        lesion = Lesion.objects.create(clinic=clinic, is_archived=True)
        rows.append(
            [
                factories.make_entry(
                    factories.make_photo(clinic, curator, seed=500 + 2 * n + photo, lesion=lesion), curator,
                    label="bcc" if n % 2 else "mm", review="accepted",
                )
                for photo in range(2)
            ]
        )  # fmt: skip
    train = evaluated.freeze(clinic, curator, [pair[0] for pair in rows[:4]], "Train", "train")
    test = evaluated.freeze(clinic, curator, [pair[1] for pair in rows[2:]], "Test")
    model = evaluated.make_model(clinic, tmp_path, "one", trained_on=train)
    found = find(model, test)
    assert found.counts == {"photo": 0, "near": found.counts["near"], "lesion": 2, "patient": 0}
    evaluated.score(model, [pair[1] for pair in rows[2:]])
    row = evaluated.evaluated(clinic, curator, [model], [test])
    assert row.state == "refused" and "the same lesion 2" in row.error


# Lists


def test_a_listed_photo_is_known_by_content_upload_and_likeness(clinic, entries, test_set, tmp_path):
    photos = [
        listed(entries[0], upload_sha256="", phash=None),
        listed(entries[1], content_sha256="a" * 64, phash=None),
        listed(entries[2], content_sha256="b" * 64, upload_sha256="", phash=entries[2].phash ^ 0b101),
    ]
    model = evaluated.make_model(clinic, tmp_path, "one", photos=photos)
    found = find(model, test_set)
    items = {item.entry_id: item.pk for item in test_set.items.all()}
    kinds = {(leak.kind, leak.test) for leak in found.found if leak.kind in ("photo", "near")}
    assert {
        ("photo", items[entries[0].pk]),
        ("photo", items[entries[1].pk]),
        ("near", items[entries[2].pk]),
    } <= kinds
    assert (found.unknown, found.by_hash) == ("", True)
    assert found.trained_on == "one/training-photos.csv (3)"


def test_through_the_archive_other_photos_of_their_patients_and_lesions_are_known(
    clinic, curator, entries, test_set, tmp_path
):
    """The list names a photo that is no test photo but is in the archive, beside a test photo's lesion or patient."""
    same_lesion = another(entries[3], curator, seed=701)
    elsewhere = Lesion.objects.create(clinic=clinic, patient=entries[4].patient, is_archived=True)
    same_patient = another(entries[4], curator, seed=702, lesion=elsewhere)
    model = evaluated.make_model(
        clinic, tmp_path, "one", photos=[listed(same_lesion), listed(same_patient, upload_sha256="")]
    )
    found = find(model, test_set)
    items = {item.entry_id: item.pk for item in test_set.items.all()}
    kinds = {(leak.kind, leak.test) for leak in found.found if leak.kind in ("lesion", "patient")}
    assert kinds == {
        ("lesion", items[entries[3].pk]), ("patient", items[entries[3].pk]), ("patient", items[entries[4].pk]),
    }  # fmt: skip


def test_other_photos_of_a_seen_test_photos_patient_are_leaks_too(clinic, curator, entries, tmp_path):
    second = another(entries[0], curator, seed=703)
    version = evaluated.freeze(clinic, curator, [entries[0], second, *entries[3:5]], "Two of one")
    model = evaluated.make_model(clinic, tmp_path, "one", photos=[listed(entries[0])])
    found = find(model, version)
    assert found.items == set(
        version.items.filter(entry__in=[entries[0].pk, second.pk]).values_list("pk", flat=True)
    )
    assert found.counts["lesion"] == found.counts["patient"] == 2


def test_an_evaluation_with_a_list_is_refused_told_and_done_without(
    clinic, curator, entries, test_set, tmp_path, client_for
):
    model = evaluated.make_model(clinic, tmp_path, "one", photos=[listed(entries[0])])
    evaluated.score(model, entries)
    row = evaluated.evaluated(clinic, curator, [model], [test_set])
    assert row.state == "refused" and "one has seen 1 of the 12 photos" in row.error
    client = client_for(curator)
    assert "has seen 1 of the 12 photos" in client.get(url("evaluations")).content.decode()
    client.post(url("evaluation-act", row.pk), {"act": "remove-leaks"})
    from skinclinic.engine import jobs

    jobs.run_waiting(evaluations.JOB)
    row.refresh_from_db()
    assert row.state == "done"
    text = client.get(url("evaluations")).content.decode()
    assert "1 photo it has seen left out" in text
    assert not standings_of(row)[test_set.pk, model.pk].is_in_doubt


def test_a_list_that_is_lost_or_changed_leaves_the_model_unknown(clinic, entries, test_set, tmp_path):
    model = evaluated.make_model(clinic, tmp_path, "one", photos=[listed(entries[0])])
    (model.path / "training-photos.csv").write_text("content_sha256,upload_sha256,phash\n")
    found = find(model, test_set)
    assert (found.unknown, found.items) == ("one", set())


def test_a_list_that_is_not_complete_ends_in_the_dark(clinic, entries, test_set, tmp_path):
    start = {"init": "elsewhere", "sha256": "0" * 64}
    model = evaluated.make_model(clinic, tmp_path, "one", photos=[], training={"start": start})
    assert find(model, test_set).unknown == "", "a complete list names what it began from as well"
    model.manifest["training_photos"]["complete"] = False
    assert find(model, test_set).unknown == "elsewhere"
    assert not training_known(model).can_be_checked


def test_a_training_lists_its_own_photos_and_those_it_began_from(clinic, curator, entries, tmp_path):
    train = evaluated.freeze(clinic, curator, entries[:4], "Train", "train")
    photos, is_complete = seen.photos_of(seen.origin_of_training(train, {"init": "random"}))
    assert is_complete
    assert set(photos) == {listed(entry) for entry in entries[:4]}
    base = evaluated.make_model(clinic, tmp_path, "base", photos=[listed(entries[7])])
    start = initial.start(build(base.architecture, 13), base.architecture, str(base.path))
    photos, is_complete = seen.photos_of(seen.origin_of_training(train, start))
    assert is_complete and listed(entries[7]) in photos and len(photos) == 5
    photos, is_complete = seen.photos_of(
        seen.origin_of_training(train, {"init": "who knows", "weights_sha256": "1" * 64})
    )
    assert not is_complete and len(photos) == 4


# The file


def spoilt(folder, **changed):
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    content["training_photos"] |= changed
    path.write_text(json.dumps(content))


@each(
    "spoil, code",
    [
        (lambda folder: (folder / "training-photos.csv").unlink(), "photos_missing"),
        (lambda folder: (folder / "training-photos.csv").write_text("x"), "photos_wrong_hash"),
        (lambda folder: spoilt(folder, file="../secret"), "bad_training_photos"),
        (lambda folder: spoilt(folder, sha256="no"), "bad_training_photos"),
        (lambda folder: spoilt(folder, photos=True), "bad_training_photos"),
        (lambda folder: spoilt(folder, complete="yes"), "bad_training_photos"),
        (lambda folder: spoilt(folder, photos=7), "photos_unreadable"),
    ],
)
def test_a_list_that_is_not_what_the_manifest_says_is_refused(tmp_path_factory, spoil, code):
    folder = factories.make_model_dir(tmp_path_factory.mktemp("m") / "one", name="one")
    training_photos.add(
        folder, weights.read_manifest(folder), [TrainingPhoto("a" * 64, "", -5)], is_complete=True
    )
    assert training_photos.read(folder, weights.check_files(folder)) == [TrainingPhoto("a" * 64, "", -5)]
    spoil(folder)
    with pytest.raises(ModelRejected) as refused:
        weights.check_files(folder)
    assert refused.value.code == code


@each(
    "line",
    ["x,,", "a,b", f"{'a' * 64},{'b' * 63},", f"{'a' * 64},,12", f"{'a' * 64},,zzzzzzzzzzzzzzzz", "é,,"],
)
def test_a_line_that_is_none_is_named(tmp_path_factory, line):
    folder = factories.make_model_dir(tmp_path_factory.mktemp("m") / "one", name="one")
    content = f"content_sha256,upload_sha256,phash\n{line}\n".encode()
    from dataclasses import replace

    manifest = replace(
        weights.read_manifest(folder), training_photos=training_photos.describe(content, is_complete=True)
    )
    training_photos.put(folder, manifest, content)
    with pytest.raises(ModelRejected) as refused:
        weights.check_files(folder)
    assert refused.value.code == "photos_unreadable"


def test_the_same_photos_are_the_same_bytes_each_once():
    one, other = TrainingPhoto("a" * 64, "b" * 64, 2**63 - 1), TrainingPhoto("c" * 64, "", -(2**63))
    content = training_photos.to_bytes([other, one, one])
    assert content == training_photos.to_bytes([one, other])
    assert training_photos.describe(content, is_complete=True)["photos"] == 2


def test_a_photo_is_listed_as_the_product_stores_it(clinic, curator):
    photo = factories.make_photo(clinic, curator, seed=5)
    entry = factories.make_entry(photo, curator)
    assert TrainingPhoto.of_upload(factories.jpeg_bytes(5)) == listed(entry)


def test_a_model_registered_without_its_list_gets_it_from_a_newer_release(
    clinic, entries, test_set, tmp_path, monkeypatch, settings
):
    monkeypatch.setattr(weights, "SHIPPED_DIR", tmp_path / "shipped")
    shipped = factories.make_model_dir(tmp_path / "shipped" / "tiny")
    version = registry.register_shipped()
    assert find(version, test_set).unknown == version.name
    training_photos.add(shipped, weights.read_manifest(shipped), [listed(entries[0])], is_complete=True)
    again = registry.register_shipped()
    assert again == version
    assert find(again, test_set).counts["photo"] == 1
    assert weights.check_files(again.path).training_photos["photos"] == 1


def test_the_shipped_model_brings_the_list_of_its_photos():
    manifest = weights.check_files(weights.SHIPPED_DIR / "skinclinic-demo")
    assert manifest.training_photos["complete"]
    photos = training_photos.read(weights.SHIPPED_DIR / "skinclinic-demo", manifest)
    assert len(photos) == 1006 and all(photo.upload_sha256 and photo.phash is not None for photo in photos)


def test_the_shipped_model_knows_the_photos_it_was_trained_on(real_photos):
    folder = weights.SHIPPED_DIR / "skinclinic-demo"
    known = set(training_photos.read(folder, weights.read_manifest(folder)))
    sent = [
        TrainingPhoto.of_upload(path.read_bytes()) for path in sorted((real_photos / "images").iterdir())[:20]
    ]
    # One of these is another JPEG of the photo it was trained on: that is known by its likeness.
    assert sum(photo in known for photo in sent) == 19
    assert {photo.phash for photo in sent} <= {photo.phash for photo in known}
