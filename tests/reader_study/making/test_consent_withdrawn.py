"""A consent that is taken back has effect at once: archive, datasets, export, training, evaluation, studies."""

import json

import pytest

from classifier.models import Evaluation, Training
from classifier.services.evaluation import evaluations
from classifier.services.evaluation.run import EvaluatedPhotos
from classifier.services.training import data, trainings
from reader_study.models import Reading, StudyEvent, StudyImage
from reader_study.services.results import study_tables
from skinclinic.archive.models import Entry, Source
from skinclinic.archive.services.datasets import datasets
from skinclinic.archive.services.exporting import export
from skinclinic.models import Patient, RecordChange
from skinclinic.services import consent, records
from skinclinic.services.refused import Refused
from tests.readings import Link, code_of
from tests.studies import make_study

pytestmark = pytest.mark.django_db

LABELS = ["bcc", "mm", "sk", "nevus"]


@pytest.fixture
def made(clinic, coordinator):
    return make_study(clinic, coordinator, labels=LABELS, practice=0)


@pytest.fixture
def patient(made, clinic):
    """The patient of the second photo, as if that was one of the clinic's own."""
    entry = made.entries[1]
    Source.objects.filter(pk=entry.source_id).update(is_own=True)
    Patient.objects.filter(entries__in=made.entries).update(is_archived=False, research_consent="given")
    return Patient.objects.get(pk=entry.patient_id)


@pytest.fixture
def version(made):
    found = StudyImage.objects.filter(study=made.study).first().dataset_item.version
    found.dataset.role = "both"
    found.dataset.save()
    return found


def refuse(client, patient) -> list[dict]:
    answer = client.patch(
        f"/api/patients/{patient.pk}/",
        json.dumps({"research_consent": "refused"}),
        content_type="application/json",
    )
    assert answer.status_code == 200 and answer.json()["consent_on"]
    return answer.json()["effects"]


def test_everywhere_at_once_and_counted(made, patient, version, clinic, client_for, clinician, curator):
    draft = datasets.create(clinic, curator, "Draft")
    datasets.add(draft, Entry.objects.filter(clinic=clinic))
    training = trainings.request(
        trainings.Wanted("net", "efficientnet_lite0", init="random"), version, curator
    )
    evaluation = Evaluation.objects.create(clinic=clinic, name="Looked at")
    evaluation.dataset_versions.set([version])
    data.samples(version)
    export.check(version)
    photos = len(EvaluatedPhotos(version).items)

    page = client_for(clinician).get(f"/patients/{patient.pk}/edit/").content.decode()
    foreseen = [effect.text for effect in consent.foreseen(patient)]
    assert foreseen and all(text in page for text in foreseen)
    assert Entry.objects.filter(review="rejected").count() == 0  # so far only said

    effects = refuse(client_for(clinician), patient)
    assert {one["what"]: one["count"] for one in effects} == {
        "entries": 1, "drafts": 1, "frozen": 1, "trainings": 1, "evaluations": 1, "open_studies": 1,
    }  # fmt: skip
    assert [one["text"] for one in effects] == foreseen
    change = made.entries[1].changes.get(action="rejected")
    assert (change.by, change.fields["reject_reason"][1]) == (clinician, "no_consent")
    assert draft.items.count() == len(LABELS) - 1
    with pytest.raises(Refused, match="does not consent any more"):
        export.check(version)
    with pytest.raises(data.Unfit, match="1 photo does not consent any more"):
        data.samples(version)
    assert Training.objects.get(pk=training.pk).is_stopped
    assert "does not consent" in data.offer(version).problem
    now = EvaluatedPhotos(version)
    assert (len(now.items), now.left_out["consent"]) == (photos - 1, 1)
    again = datasets.new_version(version.dataset, curator)
    assert again.items.count() == len(LABELS) - 1
    patient.refresh_from_db()
    assert {"entries", "drafts", "open_studies"}.isdisjoint(
        effect.key for effect in consent.take_effect(patient, None)
    )  # done once
    answer = client_for(clinician).get(f"/patients/{patient.pk}/").content.decode()
    assert "Given → Refused or withdrawn" in answer and "Clara" in answer
    assert RecordChange.objects.filter(patient=patient, by=clinician).count() == 1

    sent = {"code": patient.code, "research_consent": "given"}
    back = client_for(clinician).post(f"/patients/{patient.pk}/edit/", sent, follow=True).content.decode()
    assert "1 photo that was rejected for want of consent stays rejected" in back


@pytest.mark.parametrize("may_go_back", [True, False])
def test_readers_of_an_open_study_go_on_without_the_photo(made, patient, client_for, clinician, may_go_back):
    made.study.may_go_back = may_go_back
    made.study.save()
    link = Link(made.secrets[0]).begin()
    order = link.row.order
    gone = order.index(2) + 1
    for place in range(1, gone):
        link.answer(place)
    assert link.get("reading-photo", gone).status_code == 200
    refuse(client_for(clinician), patient)
    refused = link.get("reading-photo", gone)
    assert refused.status_code == 410 and code_of(refused) == "photo_gone"
    assert link.get("reading-state").json()["gone"] == [gone]
    for place in range(gone + 1, len(order) + 1):
        assert link.answer(place).status_code == 200
    if may_go_back:
        assert link.post("reading-finish").status_code == 200
    assert Reading.objects.get(pk=link.row.pk).finished_at
    event = made.study.events.get(kind=StudyEvent.Kind.TAKEN_OUT)
    assert (event.by, event.details) == (clinician, {"photos": [2]})
    tables = study_tables.of_study(made.study)
    assert len(tables.images) == len(LABELS) - 1
    assert {answer.image for answer in tables.answers} == {image.name for image in tables.images}


def test_a_session_that_lacked_only_this_photo_is_finished(made, patient, clinician):
    made.study.may_go_back = False
    made.study.save()
    link = Link(made.secrets[0]).begin()
    row = link.row
    row.order = [1, 3, 4, 2]
    row.save()
    for place in (1, 2, 3):
        assert link.answer(place).status_code == 200
    assert link.row.finished_at is None
    records.change(patient, {"research_consent": ""}, clinician)
    assert link.row.finished_at
    patient.refresh_from_db()
    assert patient.consent_on is None


def test_a_photo_that_is_filed_under_who_refused_leaves_as_well(made, patient, clinic, clinician):
    other = Patient.objects.create(clinic=clinic, code="refuses", research_consent="refused")
    lesion = made.entries[1].photo.lesion
    lesion.is_archived = False
    lesion.save()
    effects = records.change(lesion, {"patient": other}, clinician).effects
    assert {one.key: one.count for one in effects} == {
        "entries": 1, "frozen": 1, "open_studies": 1,
    }  # fmt: skip
    assert made.entries[1].changes.get(action="rejected").by == clinician
    entry = Entry.objects.get(pk=made.entries[1].pk)
    assert (entry.patient, entry.review, entry.reject_reason) == (other, "rejected", "no_consent")
    assert evaluations.test_items(version := StudyImage.objects.first().dataset_item.version).count()
    assert EvaluatedPhotos(version).left_out["consent"] == 1
