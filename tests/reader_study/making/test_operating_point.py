"""What readers are shown, and where the model is compared with them, is fixed when a study opens."""

import importlib

import numpy as np
import pytest
from django.apps import apps

from classifier.metrics.conformal import ALWAYS_LISTED
from classifier.models import ThresholdSet
from reader_study.models import Study
from reader_study.services.making import opening, operating, protocol, studies
from reader_study.services.reading import aid
from reader_study.services.results import protocol_text
from reader_study.services.results.results import request
from skinclinic.services.refused import Refused
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db


def add_set(model, clinic, name: str, value: float, **details) -> ThresholdSet:
    return ThresholdSet.objects.create(
        model_version=model, clinic=clinic, name=name, cohort=f"cohort of {name}",
        values=dict.fromkeys(DISEASE_KEYS, value), details=details,
    )  # fmt: skip


def test_sets_made_later_change_nothing_in_an_open_study(ready, stocked, clinic, coordinator, client_for):
    own = add_set(stocked.model, clinic, "ours", 0.5)
    sessions = studies.Sessions(has_aided=True)
    studies.change_settings(ready, {"threshold_set": own, "registration": "KCT-1"}, sessions=sessions)
    study = opening.open_study(ready, coordinator)
    assert (
        study.protocol["thresholds"]["values"]["bcc"] == 0.5
        and study.protocol["thresholds"]["name"] == "ours"
    )
    # Made on nobody knows which photos: the model came without a list.
    assert study.protocol["thresholds"]["overlap"]["is_known"] is False
    reading = study.readers.counted().first().readings.get(session__key="aided")
    before = aid.thresholds_of(reading)
    add_set(stocked.model, clinic, "balanced", 0.01)
    ThresholdSet.objects.filter(pk=own.pk).delete()
    reading.refresh_from_db()
    study = Study.objects.get(pk=study.pk)
    assert aid.thresholds_of(reading).values == before.values and protocol.check(study).passed
    assert "registration" in study.protocol["amendable"]
    told = " ".join(protocol_text.about_thresholds(study))
    assert "“ours”" in told and "0.5" in told and "cohort of ours" in told and "could not be checked" in told
    page = client_for(coordinator).get(url("study-settings", study.pk)).content.decode()
    assert "ours" in page and "KCT-1" in page
    # What the rows say otherwise is seen.
    Study.objects.filter(pk=study.pk).update(thresholds=study.thresholds | {"name": "other"})
    assert protocol.check(Study.objects.get(pk=study.pk)).changed == ("thresholds",)


def test_thresholds_of_the_samples_own_photos_are_said_and_never_the_operating_point(
    ready, stocked, clinic, coordinator
):
    model, (first, _second) = stocked.model, stocked.versions
    tuned = add_set(model, clinic, "tuned", 0.3, dataset_sha256=first.sha256)
    lost = add_set(model, clinic, "lost", 0.3, dataset_sha256="0" * 64)
    study = studies.change_settings(ready, {"threshold_set": tuned})
    n = study.images.filter(dataset=str(first)).count()
    assert operating.overlap(study) == operating.Overlap(True, n, n)
    said = {point.code: point for point in opening.points(study)}
    assert said["thresholds"].is_advice and str(n) in said["thresholds"].text
    study = studies.change_settings(study, {"operating_point": "thresholds"})
    with pytest.raises(Refused, match="optimistic here"):
        opening.open_study(study, coordinator)
    for wrong in ({"threshold_set": lost}, {"threshold_set": None}):
        with pytest.raises(Refused):
            opening.open_study(studies.change_settings(study, wrong), coordinator)
    other = add_set(model, clinic, "elsewhere", 0.3, dataset_sha256=elsewhere(clinic, coordinator).sha256)
    study = opening.open_study(studies.change_settings(study, {"threshold_set": other}), coordinator)
    assert study.protocol["operating_point"] == "thresholds"
    assert study.protocol["thresholds"]["overlap"] == {"is_known": True, "photos": 0, "same_photo": 0}
    studies.close(study, coordinator)
    request(study)


def test_thresholds_that_cover_the_truth_can_be_shown_and_be_the_operating_point(
    ready, stocked, clinic, coordinator, client_for
):
    """Also where one lies below every score, or next below one of a calibration."""
    covers = add_set(
        stocked.model, clinic, "covers", float(np.nextafter(0.07860618, 0)),
        dataset_sha256=elsewhere(clinic, coordinator).sha256, dataset="Busan v1", rule="coverage", wanted=0.9,
        coverage={
            "share": 0.9, "unit": "patient", "unknown": 0, "left_out": 0, "least": 9, "doubt": False, "synthetic": [],
            "diseases": {
                "bcc": {"units": 40, "photos": 41, "rank": 37, "expected": 37 / 41, "low": 0.81, "high": 0.96},
                "mm": {"units": 2, "photos": 2, "instead": ""},
            },
        },
    )  # fmt: skip
    covers.values["mm"] = ALWAYS_LISTED
    covers.save()
    chosen = {"threshold_set": covers, "operating_point": "thresholds"}
    study = studies.change_settings(ready, chosen, sessions=studies.Sessions(has_aided=True))
    assert client_for(coordinator).get(url("study-settings", study.pk)).status_code == 200
    said = [point for point in opening.points(study) if point.code == "thresholds"]
    assert [point.is_advice for point in said] == [True] and "calls every photo malignant" in said[0].text
    study = Study.objects.get(pk=opening.open_study(study, coordinator).pk)
    assert study.thresholds["values"] == covers.values and protocol.check(study).passed
    told = " ".join(protocol_text.about_thresholds(study))
    assert "Malignant melanoma always listed" in told and "in at least 90 % of such patients" in told
    assert "Nothing is promised of Malignant melanoma (2 patients)." in told
    assert "always listed" in client_for(coordinator).get(url("study-settings", study.pk)).content.decode()


def elsewhere(clinic, user):
    from tests import evaluated

    entries = evaluated.make_entries(clinic, user, ["bcc", "sk"], first=500, source="Busan")
    return evaluated.freeze(clinic, user, entries, name="Busan")


def test_a_model_takes_its_own_thresholds_along_and_the_recipe_stays(
    ready, stocked, clinic, coordinator, client_for, home
):
    from tests import evaluated

    other = evaluated.make_model(clinic, home, "two", seed=2)
    kept = ready.recipe["seed"], [image.content_sha256 for image in ready.images.order_by("number")]
    foreign = ready.threshold_set
    assert foreign.name == "balanced"
    study = studies.change_settings(ready, {"model_version": other})
    assert study.threshold_set in other.threshold_sets.all()
    with pytest.raises(Refused, match="belong to the model"):
        studies.change_settings(study, {"threshold_set": foreign})
    client = client_for(coordinator)
    assert "drawn for another model" in client.get(url("study-sample", study.pk)).content.decode()
    assert client.post(url("study-sample-act", study.pk), {"act": "same"}).status_code == 302
    study.refresh_from_db()
    assert (study.recipe["seed"], [one.content_sha256 for one in study.images.order_by("number")]) == kept
    assert study.recipe["model"] == other.pk


def test_what_readers_of_open_studies_were_shown_is_fixed_by_the_migration(
    opened, stocked, clinic, coordinator
):
    Study.objects.filter(pk=opened.pk).update(thresholds=None, threshold_set=None)
    opened.sessions.create(number=2, key="aided", is_aided=True)
    opened.refresh_from_db()
    protocol.fix(opened)
    opened.save()
    add_set(stocked.model, clinic, "zz", 0.9)
    steps = importlib.import_module("reader_study.migrations.0008_protocol_and_reference")
    steps.fix_what_readers_are_shown(apps, None)
    add_set(stocked.model, clinic, "later", 0.01)
    opened.refresh_from_db()
    assert opened.thresholds["name"] == "balanced"
    assert opened.events.get(kind="limits").details["thresholds"] == opened.thresholds
    assert protocol.check(opened).passed
