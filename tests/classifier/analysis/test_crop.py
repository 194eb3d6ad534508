"""A new square makes a new analysis, the old one stays; what is no square inside the photo is refused."""

import json

import pytest
from django.urls import reverse

from classifier.models import Analysis
from skinclinic.engine import jobs
from skinclinic.imaging import Box
from skinclinic.models import Job
from tests.cases import each

HTML = {"accept": "text/html"}


@pytest.fixture
def url(photo):
    return reverse("photo-crop", args=[photo.pk])


@pytest.fixture
def cropper(clinician, client_for):
    return client_for(clinician)


def test_a_new_square_is_analysed_and_the_old_analysis_stays(url, cropper, analysis, photo):
    before = dict(analysis.scores)
    response = cropper.post(url, {"x": 10, "y": 20, "size": 100})
    assert response.status_code == 200
    answer = response.json()
    assert answer["box"] == {"x": 10, "y": 20, "size": 100}
    assert (answer["state"], answer["url"]) == ("queued", f"/photos/{photo.pk}/")
    jobs.run_waiting("analyse")
    newest, oldest = Analysis.objects.all()
    assert newest.box == Box(10, 20, 100) and newest.is_done
    assert oldest.pk == analysis.pk and oldest.scores == before
    photo.lesion.refresh_from_db()
    assert photo.lesion.top_disease == max(newest.scores, key=newest.scores.get)


def test_the_same_square_twice_is_one_analysis(url, cropper, model_version):
    for _ in range(2):
        assert cropper.post(url, {"x": 10, "y": 20, "size": 100}).status_code == 200
    assert Analysis.objects.count() == Job.objects.count() == 1


def test_the_same_square_after_a_failure_tries_again(url, cropper, model_version):
    cropper.post(url, {"x": 10, "y": 20, "size": 100})
    Job.objects.update(state="failed", attempts=3)
    assert cropper.post(url, {"x": 10, "y": 20, "size": 100}).json()["state"] == "queued"
    assert Job.objects.get().attempts == 0


def test_back_to_an_earlier_square_shows_its_analysis(url, cropper, analysis, photo):
    old = analysis.box
    cropper.post(url, {"x": 10, "y": 20, "size": 100})
    answer = cropper.post(url, {"x": old.x, "y": old.y, "size": old.size}).json()
    assert answer["state"] == "done"
    photo.lesion.refresh_from_db()
    assert photo.lesion.state == "done"


def test_json_works_as_well(url, cropper, photo):
    response = cropper.post(url, json.dumps({"x": 1, "y": 2, "size": 64}), content_type="application/json")
    assert response.status_code == 200
    photo.refresh_from_db()
    assert photo.box == Box(1, 2, 64)


def test_without_a_model_the_square_is_kept(url, cropper, photo):
    assert cropper.post(url, {"x": 1, "y": 2, "size": 64}).json()["state"] == "no_model"
    photo.refresh_from_db()
    assert photo.box == Box(1, 2, 64)


# The photo has 320 × 256 pixels.
BAD = [
    ({"x": 300, "y": 0, "size": 64}, "box_outside"),
    ({"x": -1, "y": 0, "size": 64}, "box_outside"),
    ({"x": 0, "y": 200, "size": 64}, "box_outside"),
    ({"x": 0, "y": 0, "size": 0}, "box_empty"),
    ({"x": 0, "y": 0, "size": -50}, "box_empty"),
    ({"x": 0, "y": 0, "size": 31}, "box_too_small"),
    ({"x": 0, "y": 0, "width": 100, "height": 90}, "box_not_square"),
    ({"x": "NaN", "y": 0, "size": 64}, "box_not_numbers"),
    ({"x": 0, "y": "Infinity", "size": 64}, "box_not_numbers"),
    ({"x": "left", "y": 0, "size": 64}, "box_not_numbers"),
    ({"x": "", "y": 0, "size": 64}, "box_not_numbers"),
    ({"x": "9" * 400, "y": 0, "size": 64}, "box_not_numbers"),
    ({"x": 10**30, "y": 0, "size": 64}, "box_outside"),
    ({"x": 0, "y": 0, "size": 10**30}, "box_outside"),
    ({"y": 0, "size": 64}, "box_not_numbers"),
    ({}, "box_not_numbers"),
]


@each("box, code", BAD)
def test_what_is_no_square_inside_the_photo_is_refused(box, code, url, cropper, photo, model_version):
    response = cropper.post(url, box)
    assert (response.status_code, response.json()["error"]["code"]) == (400, code)
    assert len(response.json()["error"]["message"]) > 20
    photo.refresh_from_db()
    assert photo.box_size is None
    assert not Analysis.objects.exists()


@each(
    "body",
    [
        b"",
        b"{",
        b"[1, 2, 64]",
        b"null",
        b'"1,2,64"',
        b'{"x": true, "y": 0, "size": 64}',
        b'{"x": NaN, "y": 0, "size": 64}',
        b'{"x": {}, "y": 0, "size": 64}',
        b'{"x": ' + b"9" * 5000 + b', "y": 0, "size": 64}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_broken_json_is_refused(body, url, cropper, photo):
    response = cropper.post(url, body, content_type="application/json")
    assert (response.status_code, response.json()["error"]["code"]) == (400, "box_not_numbers")
    photo.refresh_from_db()
    assert photo.box_size is None


def test_without_scripts_a_form_goes_on_to_the_result(url, cropper, photo):
    response = cropper.post(url, {"x": 1, "y": 2, "size": 64}, headers=HTML)
    assert (response.status_code, response["Location"]) == (302, f"/photos/{photo.pk}/")


def test_without_scripts_a_refusal_is_on_the_page(url, cropper):
    response = cropper.post(url, {"x": 300, "y": 0, "size": 64}, headers=HTML)
    assert response.status_code == 400
    assert "The crop box reaches outside the photo of 320 × 256 pixels." in response.content.decode()


def test_htmx_is_sent_on_to_the_result(url, cropper, photo):
    response = cropper.post(url, {"x": 1, "y": 2, "size": 64}, headers={"hx-request": "true"})
    assert response["HX-Redirect"] == f"/photos/{photo.pk}/"


def test_the_page_and_the_form_alone(url, cropper):
    page = cropper.get(url, headers=HTML).content.decode()
    form = cropper.get(url, headers={"x-requested-with": "fetch"}).content.decode()
    assert "<html" in page and "data-crop" in page
    assert "<html" not in form and "data-crop" in form
    assert 'name="size"' in form and 'value="256"' in form, "the largest square to begin with"


def test_who_may_crop(url, photo, coordinator, outsider, cropper, client_for, client):
    box = {"x": 1, "y": 2, "size": 64}
    assert client_for(coordinator).post(url, box).status_code == 403
    assert client_for(coordinator).get(url).status_code == 403
    assert client_for(outsider).post(url, box).status_code == 404
    assert client_for(outsider).get(url).status_code == 404
    assert client.post(url, box).status_code == 302
    assert cropper.post(reverse("photo-crop", args=[photo.pk + 1]), box).status_code == 404
    assert cropper.put(url).status_code == 405
    photo.refresh_from_db()
    assert photo.box_size is None
