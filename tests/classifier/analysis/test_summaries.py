"""What a lesion carries follows its photos: on lists, on its page, in the API, whatever changes it."""

from datetime import UTC, datetime
from importlib import import_module

import pytest
from django.apps import apps

from classifier.models import Assessment
from classifier.services.analysis.analyses import request_analysis
from skinclinic.archive.services.curating import from_clinic
from skinclinic.models import Lesion, Photo
from skinclinic.services.filing import Details, file_photos
from skinclinic.services.photos import delete_photo
from tests import factories, results
from tests.skinclinic.pages import url

SUSPICIOUS = results.SCORES | {"mm": 0.8, "bcc": 0.05}
HARMLESS = dict.fromkeys(results.SCORES, 0.0) | {"nevus": 0.9, "bcc": 0.02}


@pytest.fixture
def first(photo, clinician):
    return results.finished(photo, clinician, SUSPICIOUS)


@pytest.fixture
def add(photo, clinic, clinician):
    """Another photo of the lesion, with its answer."""

    def make(seed, scores=HARMLESS, *, kind="close_up", taken=None, **more):
        row = factories.make_photo(clinic, clinician, seed=seed, lesion=photo.lesion, kind=kind)
        Photo.objects.filter(pk=row.pk).update(captured_at=taken)
        row.refresh_from_db()
        return results.finished(row, clinician, scores, **more).photo

    return make


def told(photo) -> tuple:
    lesion = Lesion.objects.get(pk=photo.lesion_id)
    return lesion.answer_photo_id, lesion.top_disease, lesion.set_aside


def test_another_photo_of_the_visit_does_not_lower_the_suspicion(client_for, clinician, first, add):
    added = add(31)
    assert told(added) == (first.photo_id, "mm", "")
    client = client_for(clinician)
    row = client.get("/").content.decode()
    assert "Malignant melanoma" in row and f"/photos/{first.photo_id}/" in row
    page = client.get(url("lesion", added.lesion_id)).content.decode()
    assert "The most suspicious of the last visit" in page and page.count("photo-answer") == 4
    assert "Melanocytic nevus" in page and page.count("the lesion's answer") == 2
    shown = client.get(f"/api/lesions/{added.lesion_id}/").json()
    assert (shown["answer_photo"], shown["top_disease"], shown["cover"]) == (first.photo_id, "mm", added.pk)


def test_it_follows_kind_day_deletion_and_what_is_on_the_photo(client_for, clinician, first, add):
    client = client_for(clinician)
    Photo.objects.filter(pk=first.photo_id).update(captured_at=datetime(2020, 3, 1, 12, tzinfo=UTC))
    next_visit = add(32, taken=datetime(2024, 1, 5, 12, tzinfo=UTC))
    assert told(next_visit) == (next_visit.pk, "nevus", "")
    address = f"/api/photos/{next_visit.pk}/"
    for change, carries in (
        ({"kind": "overview"}, first.photo_id),
        ({"kind": "close_up"}, next_visit.pk),
        ({"captured_at": "2020-01-05T12:00:00"}, first.photo_id),
    ):
        assert client.patch(address, change, content_type="application/json").status_code == 200
        assert told(next_visit)[0] == carries
    black = add(33, quality=results.BLACK, taken=datetime(2024, 1, 6, 12, tzinfo=UTC))
    assert told(black)[0] == first.photo_id
    delete_photo(first.photo)
    assert told(next_visit) == (next_visit.pk, "nevus", "")


@pytest.mark.parametrize(
    "kind, quality, word",
    [
        ("overview", None, "Overview only"),
        ("dermoscopic", None, "Dermoscopic only"),
        ("close_up", results.BLACK, "Photo unfit"),
    ],
)
def test_what_does_not_count_is_told_and_lists_nothing(client_for, clinic, clinician, kind, quality, word):
    photo = factories.make_photo(clinic, clinician, seed=41, kind=kind)
    analysis = results.finished(photo, clinician, SUSPICIOUS, quality=quality)
    client = client_for(clinician)
    assert told(photo) == (None, "", kind if quality is None else "unfit")
    row = client.get("/").content.decode()
    assert (
        word in row
        and "Malignant melanoma (" not in row
        and "80" not in row[row.index("case-disease") :][:400]
    )
    page = client.get(url("photo", photo.pk)).content.decode()
    assert "nothing is listed" in page and page.index("nothing is listed") < page.index(
        "Show the scores anyway"
    )
    assert page.index("Show the scores anyway") < page.index("0.800") and "bar-listed" not in page
    assert "Take the model" not in page
    assert "Overview: nothing" in client.get(url("upload")).content.decode() or kind != "overview"
    shown = client.get(f"/api/analyses/{analysis.pk}/").json()
    assert shown["set_aside"] and shown["differential"] == {"balanced": [], "screening": []}
    assert shown["scores"]["mm"] == 0.8
    decided = client.post(
        f"/api/analyses/{analysis.pk}/decision/", {"decision": "change", "disease": "mm"}
    ).json()
    assert (decided["agreement"], decided["threshold_set"]) == ("", None)
    assert from_clinic.why_not(photo, clinic)
    report = client.get(url("analysis-report", analysis.pk))
    assert report.status_code == 200


def test_changing_the_kind_lists_at_once(client_for, clinic, clinician):
    photo = factories.make_photo(clinic, clinician, seed=42, kind="overview")
    results.finished(photo, clinician, SUSPICIOUS)
    client = client_for(clinician)
    assert "bar-listed" not in client.get(url("photo", photo.pk)).content.decode()
    client.patch(f"/api/photos/{photo.pk}/", {"kind": "close_up"}, content_type="application/json")
    assert "bar-listed" in client.get(url("photo", photo.pk)).content.decode()
    assert told(photo) == (photo.pk, "mm", "")
    patient = factories.make_patient(clinic)
    file_photos([photo], user=clinician, patient=patient, details=Details(kind="dermoscopic"))
    assert told(photo) == (None, "", "dermoscopic")


def test_what_a_lesion_carries_is_hidden_with_its_photo(client_for, clinic, clinician, first, add):
    """Seen of the newest photo, not yet of the one whose answer it is."""
    clinic.impression_first = True
    clinic.save()
    added = add(34)
    client = client_for(clinician)
    client.post(url("analysis-impression", added.analyses.get().pk), {"skip": "1"})
    assert Assessment.objects.count() == 1
    for page in ("/", url("lesion", added.lesion_id)):
        shown = client.get(page).content.decode()
        assert "Malignant melanoma</span>" not in shown and f"/photos/{first.photo_id}/" in shown
    assert client.get(f"/api/lesions/{added.lesion_id}/").json()["top_disease"] is None


def test_an_answer_stands_while_it_is_made_anew(photo, clinician, first):
    newer = request_analysis(photo, user=clinician, version=results.make_version("newer"))
    lesion = Lesion.objects.get()
    assert (lesion.state, lesion.top_disease) == ("queued", "mm")
    results.finish(newer, HARMLESS)
    assert told(photo) == (photo.pk, "nevus", "")


def test_rows_of_an_older_version_are_brought_up_to_date_once(first, add, django_assert_num_queries):
    """By the migration: only what is wrong is written, so that it can be interrupted and run again."""
    added = add(35)
    migration = import_module("classifier.migrations.0004_decisions_and_lesions_told_rightly")
    Lesion.objects.update(answer_photo=None, top_disease="nevus", top_score=0.9, malignant_sum=0.02)
    migration.bring_lesions_up_to_date(apps, None)
    assert told(added) == (first.photo_id, "mm", "")
    with django_assert_num_queries(7):  # two chunks looked for, one held and read; nothing written
        migration.bring_lesions_up_to_date(apps, None)
