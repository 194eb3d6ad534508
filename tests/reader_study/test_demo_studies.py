"""The demo's studies: one closed with results of simulated readers, one that a newcomer can read."""

import pytest
from django.conf import settings

from classifier.demo import archive as demo_archive
from classifier.models import Analysis
from classifier.services.models import registry
from reader_study.demo import studies as demo
from reader_study.models import Study
from reader_study.services.making import enrolment, protocol
from reader_study.services.results import results
from skinclinic.archive.models import DatasetVersion
from skinclinic.engine import jobs
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def demo_clinic(standing, model_dir):
    with standing.building(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo_archive, "PATIENTS_A_DISEASE", 3)
        patch.setattr(demo_archive, "SIZE", 96)
        patch.setattr(demo_archive, "LEFT_TO_REVIEW", 4)
        clinic = factories.make_clinic("Hanok Dermatology")
        people = {
            "curator": factories.make_member(clinic, "curator", "curtis"),
            "coordinator": factories.make_member(clinic, "coordinator", "cora"),
        }
        demo_archive.seed_archive(clinic, people["curator"])
        registry.publish(registry.register(model_dir), clinic=clinic, user=None, reason="")
        secret = demo.seed_studies(clinic)
        jobs.run_waiting(results.JOB)
        standing.keep(clinic=clinic, seeded=secret, **people)


@pytest.fixture
def seeded(demo_clinic, given):
    return given["seeded"]


def test_one_is_closed_and_has_results_that_say_they_are_simulated(seeded, clinic, client_for, coordinator):
    study = Study.objects.get(clinic=clinic, name=demo.CLOSED)
    found = results.Results(study)
    assert study.is_synthetic and study.is_closed and protocol.check(study).passed
    assert found.report["about"]["synthetic"] is True
    (dataset,) = found.report["datasets"].values()
    assert set(dataset["sessions"]) == {"unaided", "aided"}
    counts = {name: len(group["readers"]) for name, group in dataset["sessions"]["unaided"]["groups"].items()}
    assert counts == {"professors": 10, "clinicians": 6}
    assert found.report["plan"]["arms"] == "crossover" and found.report["plan"]["periods"]
    assert 0.5 < found.report["plan"]["self_agreement"]["unaided"]["share"]["mean"] < 0.95
    assert found.report["about"]["reference"]["panel"] > 5 and found.report["about"]["asked"]
    assert study.images.exclude(reference="").count() == study.images.count()
    assert study.readers.filter(consents__decision="accepted", about__isnull=False).count() == 16
    skills = [dataset["sessions"]["unaided"]["groups"][name]["mean_accuracy"] for name in counts]
    assert 0.4 < skills[1] < skills[0] < 0.95
    images = study.images.all()
    assert all(image.photo.is_synthetic for image in images)
    assert Analysis.objects.filter(photo__in=images.values("photo"), maps__isnull=False).count() == len(
        images
    )
    assert dataset["diseases"]["bcc"]["whole"]["n_pos"] >= dataset["diseases"]["bcc"]["n_pos"]


def test_one_waits_for_its_reader(seeded, clinic):
    reader = enrolment.find(seeded)
    study = reader.study
    assert study.is_open and protocol.check(study).passed
    counted = study.images.filter(is_practice=False)
    assert counted.count() == demo.OPEN_PHOTOS == 24
    assert {key: counted.filter(truth=key).count() for key in DISEASE_KEYS} == dict.fromkeys(DISEASE_KEYS, 2)
    assert all(image.scores and image.photo.is_synthetic for image in study.images.all())
    wanted = sorted(counted.values_list("number", flat=True))
    assert [sorted(reading.order) for reading in reader.readings.all()] == [wanted] * 2
    # A Korean reader is spoken to in Korean.
    further = {code for code, _name in settings.LANGUAGES[1:]}
    assert set(study.question_in) == set(study.instructions_in) == set(study.consent_in) == further
    assert study.images.filter(is_practice=True).count() == 2


def test_a_second_seeding_changes_nothing(seeded, clinic):
    assert demo.seed_studies(clinic) == ""
    assert Study.objects.filter(clinic=clinic).count() == 2
    assert DatasetVersion.objects.filter(clinic=clinic).count() == 2
