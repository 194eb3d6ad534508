"""Covers and further lesions as pages, programs and answers meet them."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from classifier.models import Analysis
from classifier.services.analysis import batch_analyses
from classifier.services.analysis.analyses import current_analysis, request_analysis
from skinclinic.engine import jobs
from skinclinic.files import store
from skinclinic.imaging import Box
from skinclinic.models import Lesion, Photo, PhotoCover
from skinclinic.services import covering
from tests import factories

IN_SQUARE = [{"x": 60, "y": 40, "width": 60, "height": 60}]
BESIDE = [{"x": 0, "y": 0, "width": 30, "height": 200, "shape": "ellipse"}]
HTML = {"accept": "text/html"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor(clinician, client_for):
    return client_for(clinician)


def post(client, address, body, **more):
    return client.post(address, json.dumps(body), content_type="application/json", **more)


def test_a_cover_over_the_square_has_it_analysed_again(editor, photo, analysis, clinician):
    before = analysis.scores
    answer = post(editor, reverse("photo-cover", args=[photo.pk]), {"areas": IN_SQUARE})
    assert answer.status_code == 200
    assert answer.json()["cards"][0]["state"] == "queued" and "1 area" in answer.json()["done"]
    photo.refresh_from_db()
    photo.lesion.refresh_from_db()
    assert photo.lesion.top_disease, "the earlier answer stands on lists until the new one is there"
    jobs.run_waiting("analyse")
    newest, oldest = Analysis.objects.all()
    assert (newest.box, newest.is_done, newest.before_cover) == (oldest.box, True, False)
    assert (oldest.pk, oldest.scores, oldest.before_cover) == (analysis.pk, before, True)
    assert current_analysis(photo) == newest
    assert list(batch_analyses.of_photos(newest.model_version, [photo.pk])) == [newest]
    assert request_analysis(photo, user=clinician) == newest, "asked again it is the same"
    page = editor.get(reverse("analysis", args=[oldest.pk]), headers=HTML).content.decode()
    assert "before it was covered" in page
    assert "1 area covered by" in editor.get(reverse("photo", args=[photo.pk]), headers=HTML).content.decode()
    # A cover that leaves the square alone leaves the answer alone; one that touches it again makes a third.
    photo.refresh_from_db()
    covering.cover(photo, BESIDE, clinician)
    assert current_analysis(photo) == newest and Analysis.objects.count() == 2
    covering.cover(photo, IN_SQUARE, clinician)
    jobs.run_waiting("analyse")
    assert Analysis.objects.count() == 3 and current_analysis(photo) not in (newest, oldest)


@pytest.mark.django_db(transaction=True)
def test_a_photo_that_is_covered_while_it_is_looked_at(photo, clinician, model_version, monkeypatch):
    from classifier.jobs import analysis as job

    request_analysis(photo, user=clinician)
    real = job.stored

    def meanwhile(row):
        monkeypatch.setattr(job, "stored", real)
        seen = real(row)
        covering.cover(Photo.objects.get(pk=photo.pk), IN_SQUARE, clinician)
        return seen

    monkeypatch.setattr(job, "stored", meanwhile)
    jobs.run_waiting("analyse")
    old, new = Analysis.objects.order_by("pk")
    assert old.is_done and old.before_cover, "what came of the pixels that are gone does not count"
    jobs.run_waiting("analyse")
    new.refresh_from_db()
    assert new.is_done and not new.before_cover and current_analysis(photo) == new
    # And one whose file is gone when its turn comes is read as it is now.
    stale = Photo.objects.get(pk=photo.pk)
    covering.cover(stale, BESIDE, clinician)
    assert real(Photo(pk=photo.pk, file_key=photo.file_key)) == stored(photo)


def stored(photo):
    photo.refresh_from_db()
    return store.read(photo.file_key)


def test_what_cannot_be_covered_is_said(editor, photo, client_for, coordinator):
    address = reverse("photo-cover", args=[photo.pk])
    for body, code in (
        ({"areas": []}, "covers_none"),
        ([], "covers_none"),
        ({"areas": [{"x": 1}]}, "cover_not_numbers"),
    ):
        answer = post(editor, address, body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert post(client_for(coordinator), address, {"areas": IN_SQUARE}).status_code == 403
    stale = covering.stand(photo)
    # A browser without scripts sends columns; an empty row is none.
    sent = {
        "x": ["", "60"],
        "y": ["", "40"],
        "width": ["", "60"],
        "height": ["", "60"],
        "shape": ["box", "box"],
    }
    refused = editor.post(address, sent | {"x": ["", "999"]}, headers=HTML)
    assert refused.status_code == 400 and "Area 1 reaches outside" in refused.content.decode()
    done = editor.post(address, sent | {"seen": stale}, headers=HTML)
    assert done.status_code == 302 and PhotoCover.objects.get().areas[0]["x"] == 60
    late = post(editor, address, {"areas": IN_SQUARE, "seen": stale})
    photo.refresh_from_db()
    assert (late.status_code, late.json()["error"]["state"]) == (409, covering.stand(photo))
    upload = editor.post(
        reverse("photo-upload"), {"file": SimpleUploadedFile("a.jpg", factories.jpeg_bytes(0))}
    )
    assert (upload.json()["duplicate"], upload.json()["covered"]) == (True, True)


def test_another_lesion_in_the_photo(editor, photo, analysis):
    patient = factories.make_patient(photo.clinic)
    address = reverse("photo-square", args=[photo.pk])
    unfiled = editor.post(address, {"x": 90, "y": 90, "size": 90}).json()["id"]
    page = editor.get(reverse("photo", args=[photo.pk]), headers=HTML).content.decode()
    assert f"ids={photo.pk}&amp;ids={unfiled}" in page and "File 2 lesions of this photo" in page
    known = {"code": patient.code, "several": "1"}
    choices = editor.get(reverse("photo-filing-patient", args=[photo.pk]), known).content.decode()
    assert 'value="each" checked' in choices, "each is a lesion of its own, unless somebody says otherwise"
    editor.post(reverse("photo-delete", args=[unfiled]))
    Lesion.objects.filter(pk=photo.lesion_id).update(patient=patient)
    assert "squares-over" in editor.get(address, headers=HTML).content.decode()
    assert "Add this lesion" in editor.get(address, headers={"accept": "text/fragment"}).content.decode()
    answer = editor.post(address, {"x": 0, "y": 0, "size": 80})
    assert (answer.status_code, answer.json()["of"], answer.json()["state"]) == (201, photo.pk, "queued")
    second = Photo.objects.get(pk=answer.json()["id"])
    assert (second.box, second.lesion.patient) == (Box(0, 0, 80), patient)
    jobs.run_waiting("analyse")
    assert current_analysis(second).is_done and current_analysis(photo) == analysis
    second.lesion.refresh_from_db()
    assert second.lesion.state == Lesion.State.DONE
    page = editor.get(reverse("photo", args=[second.pk]), headers=HTML).content.decode()
    assert "Lesion 2 of 2 in this photo" in page and f'href="/photos/{photo.pk}/"' in page
    Lesion.objects.filter(pk=second.lesion_id).update(patient=factories.make_patient(photo.clinic, "P-2"))
    page = editor.get(reverse("photo", args=[photo.pk]), headers=HTML).content.decode()
    assert "filed under different patients" in page
    rows = editor.get("/?view=all", headers=HTML).content.decode()
    assert rows.count('<svg class="thumb"') == 2, "the worklist shows which lesion of the photo is meant"
    refused = editor.post(address, {"x": 0, "y": 0, "size": 9999})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "box_outside")
    assert editor.post(address, {"x": 0, "y": 0, "size": 9999}, headers=HTML).status_code == 400


def test_the_api(editor, photo):
    at = f"/api/photos/{photo.pk}/"
    made = post(editor, f"{at}squares/", {"x": 0, "y": 0, "size": 80})
    assert made.status_code == 201 and made.json()["picture"]
    assert post(editor, f"{at}squares/", {"x": 0, "y": 0, "size": 80}).status_code == 200
    assert (
        post(editor, f"{at}squares/", {"x": 0, "y": 0, "size": 3}).json()["error"]["code"] == "box_too_small"
    )
    assert [row["id"] for row in editor.get(f"{at}squares/").json()] == [photo.pk, made.json()["id"]]
    state = editor.get(at).json()["picture_state"]
    covered = post(editor, f"{at}cover/", {"areas": IN_SQUARE, "seen": state})
    assert covered.status_code == 200 and len(covered.json()) == 2
    assert post(editor, f"{at}cover/", {"areas": IN_SQUARE, "seen": state}).status_code == 409
    assert post(editor, f"{at}cover/", {"areas": "all"}).json()["error"]["code"] == "covers_none"
