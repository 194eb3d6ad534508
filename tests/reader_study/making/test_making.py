"""From a draft to a closed study: sample, settings, opening, protocol, amendments, closing."""

import json
from collections import Counter

import pytest
from django.conf import settings

from classifier.models import Analysis
from classifier.services.analysis import batch_analyses
from reader_study.models import Study, StudyEvent
from reader_study.services.making import opening, progress, protocol, readers, sampling, studies, taking_out
from reader_study.services.making.readers import Wanted
from reader_study.services.making.sampling import Recipe
from reader_study.services.making.studies import Sessions
from reader_study.services.results import model_answers
from skinclinic.archive.models import DatasetItem, DuplicatePair, Entry
from skinclinic.engine import jobs, work
from skinclinic.files import store
from skinclinic.models import Job
from skinclinic.services.refused import Refused
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests import evaluated
from tests.cases import each
from tests.reader_study.conftest import LABELS, WANTED

pytestmark = pytest.mark.django_db


def content(study) -> list[tuple]:
    return list(study.images.order_by("number").values_list("number", "content_sha256", "is_practice"))


def codes(study) -> set[str]:
    return {point.code for point in opening.obstacles(study)}


# The sample


def test_the_sample_is_what_was_asked_for(draft, coordinator, recipe, stocked):
    study = sampling.draw(draft, coordinator, recipe)
    counted = list(study.images.filter(is_practice=False))
    assert Counter((image.dataset, image.truth) for image in counted) == {
        (str(version), key): n for version in stocked.versions for key, n in WANTED.items()
    }
    practice = list(study.images.filter(is_practice=True).select_related("dataset_item"))
    assert len(practice) == 2 and min(image.number for image in practice) > len(counted)
    people = {image.dataset_item.person for image in counted}
    assert not people & {image.dataset_item.person for image in practice}
    first = counted[0]
    item = first.dataset_item
    assert (first.content_sha256, first.truth, first.age) == (item.content_sha256, item.label, item.age)
    assert study.recipe["unfilled"] == [] and study.events.get().kind == StudyEvent.Kind.DRAWN


def test_same_seed_same_sample_other_seed_another(draft, coordinator, recipe):
    first = content(sampling.draw(draft, coordinator, recipe))
    assert content(sampling.draw(draft, coordinator, recipe)) == first
    other = Recipe(**{**recipe.__dict__, "seed": 8})
    assert content(sampling.draw(draft, coordinator, other)) != first


def test_what_cannot_be_filled_is_said(draft, coordinator, stocked):
    (one, _two) = stocked.versions
    study = sampling.draw(draft, coordinator, Recipe(per={one.pk: {"mm": 9, "bcc": 1}}, seed=1, practice=50))
    assert study.images.filter(truth="mm", is_practice=False).count() == 4
    assert {row["group"]: (row["wanted"], row["found"]) for row in study.recipe["unfilled"]} == {
        "mm": (9, 4),
        "practice": (50, len(LABELS) - 5),
    }
    assert "unfilled" in {point.code for point in opening.points(study) if point.is_advice}


def test_the_papers_numbers_are_offered_for_what_there_is(stocked):
    preset = sampling.as_in_paper(sampling.stock(stocked.versions, None))
    one = stocked.versions[0].pk
    assert preset[one] == {"bcc": 25, "mm": 25, "ak": 20, "sk": 20, "nevus": 20}


def test_what_may_not_be_drawn_is_left_out_by_reason(clinic, curator, stocked):
    version, entries = stocked.versions[0], stocked.entries
    DatasetItem.objects.filter(version=version, entry=entries[0]).update(is_proven=False)
    Entry.objects.filter(pk=entries[1].pk).update(review="rejected")
    patient = entries[2].patient
    patient.research_consent = "refused"
    patient.save()
    entries[3].photo.delete()
    DatasetItem.objects.filter(version=version, entry=entries[4]).update(label="psoriasis")
    taken = entries[5].content_sha256
    found = sampling.stock([version], None, taken_out=[taken])
    assert found.left_out_in_all() == {
        "unproven": 1, "rejected": 1, "consent": 1, "deleted": 1, "other_disease": 1, "taken_out": 1,
    }  # fmt: skip
    assert len(found.items) == len(LABELS) - 6
    assert sampling.stock([version], None, proven_only=False).left_out_in_all()["rejected"] == 1
    assert "unproven" not in sampling.stock([version], None, proven_only=False).left_out_in_all()


@pytest.fixture
def trained(clinic, curator, tmp_path, stocked):
    """A model trained on three of Asan's photos, and on another photo of a fourth patient."""
    entries = stocked.entries
    patient = entries[10].patient
    other = evaluated.make_entries(clinic, curator, ["sk"], first=500, source="Asan again")[0]
    lesion = other.photo.lesion
    lesion.patient = patient
    lesion.save()
    Entry.objects.filter(pk=other.pk).update(patient=patient, patient_key=patient.pk)
    other.refresh_from_db()
    training = evaluated.freeze(clinic, curator, [*entries[:3], other], name="Training", role="train")
    return evaluated.make_model(clinic, tmp_path, "trained", seed=2, trained_on=training)


def test_photos_and_patients_the_model_was_trained_on_are_refused(clinic, stocked, trained):
    found = sampling.stock([stocked.versions[0]], trained)
    seen = {stocked.entries[n].content_sha256 for n in (0, 1, 2, 10)}
    assert found.left_out_in_all() == {"seen": 4}
    assert not seen & {one.key for one in found.items}
    assert sampling.stock([stocked.versions[0]], stocked.model).unknown == "one"


def test_a_sample_the_chosen_model_was_trained_on_never_opens(ready, coordinator, trained, stocked):
    study = sampling.draw(ready, coordinator, Recipe(per={stocked.versions[0].pk: {"bcc": 6}}, seed=1))
    study = studies.change_settings(study, {"model_version_id": trained.pk, "endpoints": ["bcc"]})
    assert "other_model" in codes(study)
    assert study.images.exclude(scores__isnull=True).count() == 0
    # Even if that check were fooled, opening looks again.
    study.recipe["model"] = trained.pk
    study.save()
    Job.objects.filter(kind=model_answers.JOB).delete()
    study.images.update(scores=dict.fromkeys(DISEASE_KEYS, 0.5))
    assert codes(study) == set()
    with pytest.raises(Refused, match="trained on 3 photos of the sample"):
        opening.open_study(study, coordinator)


def test_of_photos_that_look_alike_one_is_drawn(draft, coordinator, stocked, clinic):
    bcc = [entry for entry in stocked.entries[: len(LABELS)] if entry.label == "bcc"]
    DatasetItem.objects.filter(version=stocked.versions[0], label="bcc").update(phash=12345)
    per = {stocked.versions[0].pk: {"bcc": 6}}
    study = sampling.draw(draft, coordinator, Recipe(per=per, seed=1))
    assert study.images.count() == 1
    for first in bcc:
        for second in bcc:
            if first.pk < second.pk:
                DuplicatePair.objects.create(
                    clinic=clinic, first=first, second=second, distance=0, verdict="different"
                )
    assert sampling.draw(draft, coordinator, Recipe(per=per, seed=1)).images.count() == 6


def test_a_photo_whose_file_is_gone_is_passed_over(draft, coordinator, stocked):
    version = stocked.versions[0]
    lost = stocked.entries[0]
    store.path_of(lost.photo.file_key).unlink()
    study = sampling.draw(draft, coordinator, Recipe(per={version.pk: {"bcc": 6}}, seed=3))
    assert study.images.count() == 5
    assert study.recipe["left_out"]["file"] == 1


def test_a_photo_is_replaced_by_another_of_its_disease(ready, coordinator):
    image = ready.images.filter(truth="bcc", is_practice=False).first()
    assert taking_out.take_out(ready, image, coordinator, replace=True)
    new = ready.images.get(number=image.number)
    assert (new.truth, new.dataset) == ("bcc", image.dataset) and new.content_sha256 != image.content_sha256
    assert new.scores is None and Job.objects.filter(kind=model_answers.JOB, state="queued").exists()
    ready.refresh_from_db()
    assert ready.recipe["taken_out"] == [image.content_sha256]
    redrawn = sampling.draw(ready, coordinator, Recipe.of(ready))
    assert image.content_sha256 not in {row.content_sha256 for row in redrawn.images.all()}
    again = sampling.draw(redrawn, coordinator, Recipe.of(redrawn), again=[image.content_sha256])
    assert again.recipe["taken_out"] == []


def test_a_photo_taken_out_leaves_no_gap_and_new_orders(ready, coordinator):
    total = ready.images.count()
    image = ready.images.get(number=3)
    assert not taking_out.take_out(ready, image, coordinator)
    assert [number for number, _k, _p in content(ready)] == list(range(1, total))
    for reader in ready.readers.all():
        reading = reader.readings.get()
        assert sorted([*reading.order, *reading.practice_order]) == list(range(1, total))
    with pytest.raises(Refused, match="not in the sample"):
        taking_out.take_out(ready, image, coordinator)


def test_readers_get_new_orders_with_a_new_sample(ready, coordinator):
    before = {reader.pk: reader.readings.get().order for reader in ready.readers.all()}
    per = {pk: {"bcc": 2} for pk in Recipe.of(ready).per}
    study = sampling.draw(ready, coordinator, Recipe(per=per, seed=1))
    for reader in study.readers.all():
        assert sorted(reader.readings.get().order) == [1, 2, 3, 4] != before[reader.pk]


@each("wrong", [
    {"seed": -1}, {"seed": 2**31}, {"practice": 51}, {"practice": -1}, {"per": {}}, {"per": {0: {"bcc": 1}}},
    {"per": "psoriasis"}, {"per": "negative"}, {"per": "many"}, {"per": "none"},
])  # fmt: skip
def test_a_wrong_recipe_changes_nothing(ready, coordinator, recipe, wrong, stocked):
    one = stocked.versions[0].pk
    numbers = {
        "psoriasis": {"psoriasis": 1},
        "negative": {"bcc": -1, "mm": 5},
        "many": {"bcc": 2001},
        "none": {},
    }
    if isinstance(wrong.get("per"), str):
        wrong = {"per": {one: numbers[wrong["per"]]}}
    before, stored = content(ready), ready.recipe
    with pytest.raises(Refused):
        sampling.draw(ready, coordinator, Recipe(**{**recipe.__dict__, **wrong}))
    ready.refresh_from_db()
    assert (content(ready), ready.recipe) == (before, stored)


def test_other_clinics_datasets_cannot_be_drawn_from(other_clinic, outsider, stocked):
    study = studies.create(other_clinic, outsider, name="Theirs")
    with pytest.raises(Refused):
        sampling.draw(study, outsider, Recipe(per={stocked.versions[0].pk: {"bcc": 1}}, seed=1))


# The model's answers


def test_the_model_looks_at_the_sample_and_the_whole_test_set(draft, coordinator, recipe, stocked):
    Analysis.objects.all().delete()
    study = sampling.draw(draft, coordinator, recipe)
    assert "model" in codes(study)
    assert model_answers.request(study).pk == work.last([model_answers.JOB], study.pk).pk
    jobs.run_waiting(model_answers.JOB)
    job = work.last([model_answers.JOB], study.pk)
    assert job.state == "done", job.error
    assert Analysis.objects.filter(model_version=stocked.model).count() == 2 * len(LABELS)
    stored = {
        row.photo_id: row.scores
        for row in batch_analyses.of_photos(stocked.model, model_answers.photos_of(study))
    }
    for image in study.images.all():
        assert image.scores == {key: pytest.approx(value) for key, value in stored[image.photo_id].items()}
    assert "model" not in codes(study) and model_answers.request(study) is None


def test_a_photo_the_model_cannot_read_fails_the_job_with_its_number(draft, coordinator, recipe):
    Analysis.objects.all().delete()
    study = sampling.draw(draft, coordinator, recipe)
    image = study.images.select_related("photo").get(number=4)
    store.path_of(image.photo.file_key).write_bytes(b"no photo")
    jobs.run_waiting(model_answers.JOB)
    job = work.last([model_answers.JOB], study.pk)
    assert (job.state, job.error_code) == ("failed", "photo_unreadable") and ": 4." in job.error


# Settings


def test_sessions_and_groups_are_set(ready):
    groups = list(ready.groups.all())
    study = studies.change_settings(
        ready, {}, sessions=Sessions(True, 14), groups={groups[1].pk: "Residents"}, new_groups=["간호사", ""]
    )
    assert list(study.sessions.values_list("key", "is_aided", "washout_days")) == [
        ("unaided", False, 0), ("aided", True, 14),
    ]  # fmt: skip
    assert list(study.groups.values_list("key", "name")) == [
        ("professors", "Professors"), ("clinicians", "Residents"), ("group-1", "간호사"),
    ]  # fmt: skip
    assert {reader.readings.count() for reader in study.readers.all()} == {2}
    studies.change_settings(study, {}, sessions=Sessions(), groups={groups[1].pk: ""})
    assert study.sessions.count() == 1 and study.groups.count() == 2
    assert {reader.readings.count() for reader in study.readers.all()} == {1}


@pytest.mark.parametrize("names", [["Professors"], [f"G{n}" for n in range(9)]])
def test_groups_that_cannot_be(ready, names):
    with pytest.raises(Refused):
        studies.change_settings(ready, {"question": "changed?"}, new_groups=names)
    ready.refresh_from_db()
    assert ready.groups.count() == 2 and ready.question != "changed?"


def test_a_group_with_readers_is_not_removed(ready):
    with pytest.raises(Refused, match="has readers"):
        studies.change_settings(ready, {}, groups={ready.groups.first().pk: ""})


# Opening


def test_nothing_stands_in_the_way_of_a_ready_study(ready):
    assert opening.obstacles(ready) == []


@each("change, code", [
    ({"question": " "}, "question"), ({"instructions": ""}, "instructions"),
    ({"choices": ["bcc", "mm"]}, "choices"),
    ({"margin": None}, "margin"), ({"endpoints": ["wart"]}, "endpoints"), ({"model_version_id": None}, "endpoints"),
])  # fmt: skip
def test_what_keeps_a_study_from_opening(ready, coordinator, change, code):
    study = studies.change_settings(ready, change)
    assert code in codes(study)
    with pytest.raises(Refused):
        opening.open_study(study, coordinator)
    study.refresh_from_db()
    assert study.is_draft and study.protocol is None


def test_questions_between_sessions_need_two_sessions_and_no_model(ready, coordinator):
    """An endpoint may be a question of all diseases; in their own order, whatever order they were sent in."""
    wanted = {
        "model_version_id": None,
        "margin": None,
        "endpoints": ["sessions_management", "sessions_accuracy"],
    }
    study = studies.change_settings(ready, wanted, sessions=Sessions(False, 0))
    assert study.endpoints == ["sessions_accuracy", "sessions_management"]
    texts = [point.text for point in opening.points(study) if point.code == "endpoints"]
    assert len(texts) == 2 and "one session only" in texts[0] and "biopsy or not" in texts[1]
    study = studies.change_settings(study, {"management_choices": ["biopsy", "no_biopsy"]})
    study.sessions.create(number=2, key="later", washout_days=7)
    assert "endpoints" not in codes(study) and "margin" not in codes(study)


def test_readers_sample_files_and_consent_are_looked_at(ready, draft, coordinator):
    image = ready.images.select_related("photo__lesion__patient").first()
    file = store.path_of(image.photo.file_key)
    file.rename(file.with_suffix(".away"))
    assert codes(ready) == {"file"}
    file.with_suffix(".away").rename(file)
    patient = image.photo.lesion.patient
    patient.research_consent = "refused"
    patient.save()
    assert codes(ready) == {"consent"}
    patient.research_consent = ""
    patient.save()
    for reader in ready.readers.all():
        readers.withdraw(reader, coordinator, "")
    assert codes(ready) == {"readers"}
    ready.images.all().delete()
    assert "sample" in codes(ready)


def test_an_aided_session_needs_a_model(ready):
    study = studies.change_settings(
        ready, {"model_version_id": None, "endpoints": []}, sessions=Sessions(True, 3)
    )
    assert "aided" in codes(study)


def test_opening_fixes_a_protocol(opened, coordinator, stocked):
    fixed = opened.protocol
    assert opened.is_open and opened.opened_by == coordinator
    assert fixed["model"] == {"name": "one", "weights_sha256": stocked.model.weights_sha256}
    assert (fixed["margin"], fixed["endpoints"], fixed["recipe"]["seed"]) == (0.05, ["bcc", "mm"], 7)
    assert [image["content_sha256"] for image in fixed["images"]] == [key for _n, key, _p in content(opened)]
    import hashlib

    assert hashlib.sha256(protocol.canonical(fixed)).hexdigest() == opened.protocol_sha256
    assert json.loads(protocol.canonical(fixed)) == fixed
    assert protocol.check(Study.objects.get(pk=opened.pk)).passed
    assert opened.events.first().details["protocol_sha256"] == opened.protocol_sha256


@each("field, change", [
    ("margin", lambda s: Study.objects.filter(pk=s.pk).update(margin=0.2)),
    ("choices", lambda s: Study.objects.filter(pk=s.pk).update(choices=["bcc", "mm", "sk", "nevus"])),
    ("images", lambda s: s.images.filter(number=1).update(truth="wart")),
    ("scores_sha256", lambda s: s.images.filter(number=1).update(scores=dict.fromkeys(DISEASE_KEYS, 0.5))),
    ("sessions", lambda s: s.sessions.update(washout_days=2)),
    ("groups", lambda s: s.groups.filter(key="professors").update(name="Others")),
    ("amendable", lambda s: Study.objects.filter(pk=s.pk).update(instructions="The third is a melanoma.")),
])  # fmt: skip
def test_a_change_behind_the_protocols_back_shows(opened, field, change):
    change(opened)
    found = protocol.check(Study.objects.get(pk=opened.pk))
    assert found.changed == (field,) and found.is_whole


def test_a_changed_protocol_has_not_its_hash(opened):
    opened.protocol["margin"] = opened.margin = 0.3
    opened.save()
    assert not protocol.check(Study.objects.get(pk=opened.pk)).is_whole


def test_nothing_fixed_changes_after_opening(opened, coordinator, recipe):
    before, margin = content(opened), opened.margin
    for change in (
        lambda: studies.change_settings(opened, {"margin": 0.5}),
        lambda: sampling.draw(opened, coordinator, recipe),
        lambda: taking_out.take_out(opened, opened.images.first(), coordinator, replace=True),
        lambda: studies.delete(opened),
        lambda: opening.open_study(opened, coordinator),
        lambda: studies.amend(opened, coordinator, {"margin": 0.5}, "reasons"),
        lambda: studies.amend(opened, coordinator, {"choices": ["bcc"]}, "reasons"),
    ):
        with pytest.raises(Refused):
            change()
    opened.refresh_from_db()
    assert (content(opened), opened.margin) == (before, margin)
    assert protocol.check(opened).passed


def test_amendments_are_seen_with_before_and_after(opened, coordinator):
    before = opened.instructions
    with pytest.raises(Refused, match="Say why"):
        studies.amend(opened, coordinator, {"instructions": "Other"}, "  ")
    studies.amend(opened, coordinator, {"instructions": "Other", "description": opened.description}, "A typo")
    with pytest.raises(Refused, match="Nothing is different"):
        studies.amend(opened, coordinator, {"instructions": "Other"}, "Again")
    event = opened.events.filter(kind="amended").get()
    # The other languages of the old text go with it.
    assert (event.details["instructions"], event.reason) == ([before, "Other"], "A typo")
    assert event.details.keys() == {"instructions", "instructions_in"}
    assert event.details["instructions_in"][0].keys() == {code for code, _name in settings.LANGUAGES[1:]}
    assert event.details["instructions_in"][1] == {}
    assert protocol.check(Study.objects.get(pk=opened.pk)).passed


def test_readers_added_later_are_an_amendment(opened, coordinator):
    group = opened.groups.first()
    with pytest.raises(Refused, match="why"):
        readers.invite(opened, [Wanted("Late", "", group)], coordinator, str)
    assert opened.readers.count() == 2
    (made,) = readers.invite(opened, [Wanted("Late", "", group)], coordinator, str, reason="One fell ill")
    reading = made.reader.readings.get()
    assert sorted(reading.order) == [n for n, _k, practice in content(opened) if not practice]
    assert opened.events.filter(kind="amended").get().details == {"readers": [2, 3]}
    assert protocol.check(Study.objects.get(pk=opened.pk)).passed


def test_closing_keeps_who_had_not_finished_and_is_for_good(opened, coordinator):
    assert "2 readings are not finished" in studies.lost_by_closing(len(progress.unfinished(opened)))
    readers.preview(opened, coordinator)
    study = studies.close(opened, coordinator)
    assert study.is_closed and study.events.first().details["unfinished"] == ["R01: unaided", "R02: unaided"]
    assert not study.readers.filter(is_preview=True).exists()
    for change in (
        lambda: studies.close(study, coordinator),
        lambda: studies.amend(study, coordinator, {"description": "x"}, "why"),
        lambda: readers.invite(
            study, [Wanted("Late", "", study.groups.first())], coordinator, str, reason="x"
        ),
        lambda: readers.preview(study, coordinator),
        lambda: readers.renew(study.readers.first(), coordinator, str),
        lambda: readers.withdraw(study.readers.first(), coordinator, "x"),
    ):
        with pytest.raises(Refused):
            change()


def test_unblinding_needs_a_reason_and_the_typed_name(opened, coordinator):
    for reason, typed in (("", opened.name), ("safety", "yes"), ("safety", "")):
        with pytest.raises(Refused):
            studies.unblind(opened, coordinator, reason=reason, typed=typed)
    assert not Study.objects.get(pk=opened.pk).is_unblinded
    study = studies.unblind(opened, coordinator, reason="safety", typed=opened.name)
    assert study.is_unblinded and study.events.first().reason == "safety"
    with pytest.raises(Refused, match="already"):
        studies.unblind(study, coordinator, reason="safety", typed=opened.name)


def test_two_studies_have_two_names(draft, clinic, coordinator):
    with pytest.raises(Refused, match="already has a study"):
        studies.create(clinic, coordinator, name=draft.name)
    other = studies.create(clinic, coordinator, name="Other")
    with pytest.raises(Refused, match="already has a study"):
        studies.change_settings(other, {"name": draft.name})
    assert Study.objects.get(pk=other.pk).name == "Other"
