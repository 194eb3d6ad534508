"""Squares that the model suggests: where they lie, asked for and chosen by people only, told as what they are."""

import json

import numpy as np
import pytest
from PIL import Image
from rest_framework.test import APIClient

from classifier.analysing import squares
from classifier.models import Analysis, Publication, SuggestedSquares
from classifier.runtimes import open_runtime
from classifier.runtimes.base import Computed
from classifier.services.analysis import suggested_squares
from classifier.services.analysis.analyses import request_analysis
from skinclinic.engine import jobs
from skinclinic.imaging import Box, BoxRejected
from skinclinic.models import AuditEvent, Job
from skinclinic.services import covering
from skinclinic.services.photos import set_box
from tests import results
from tests.cases import each
from tests.skinclinic.pages import url

HTML = {"accept": "text/html"}
# The photo has 320 × 256 pixels.
FOUND = [Box(10, 20, 100), Box(180, 100, 140), Box(40, 0, 256)]


@pytest.fixture
def known(monkeypatch):
    """Instead of the network's: squares that are known."""
    monkeypatch.setattr(squares, "suggest", lambda runtime, picture: FOUND)


@pytest.fixture
def api_for():
    def make(user) -> APIClient:
        client = APIClient()
        client.force_authenticate(user)
        return client

    return make


def post(client, address, body):
    return client.post(address, json.dumps(body), content_type="application/json")


def made(photo, user):
    suggested_squares.ask(photo, user)
    jobs.run_waiting(suggested_squares.JOB)
    return suggested_squares.of(photo)


@each(
    "size, tiles",
    [
        ((640, 480), [Box(0, 0, 480), Box(160, 0, 480)]),
        ((480, 1500), [Box(0, 0, 480), Box(0, 340, 480), Box(0, 680, 480), Box(0, 1020, 480)]),
        ((300, 300), [Box(0, 0, 300)]),
    ],
)
def test_tiles_cover_the_photo(size, tiles):
    assert squares.tiles_of(*size) == tiles


@each(
    "size, spot", [((640, 480), (400, 60, 180)), ((480, 640), (20, 420, 200)), ((500, 500), (250, 250, 200))]
)
def test_what_stands_out_is_in_the_first_square(size, spot):
    width, height = size
    x, y, side = spot
    cell = min(size) / 40
    signal = np.zeros((round(height / cell), round(width / cell)))
    signal[round(y / cell) : round((y + side) / cell), round(x / cell) : round((x + side) / cell)] = 1
    found = squares.best(signal, width, height)
    assert 1 <= len(found) <= squares.MOST
    assert squares.overlap(found[0], Box(*spot)) > 0.7
    for number, one in enumerate(found):
        assert one.x >= 0 and one.y >= 0 and one.size >= 32
        assert one.x + one.size <= width and one.y + one.size <= height
        assert all(squares.overlap(one, other) < squares.OVERLAP for other in found[:number])


def test_the_network_s_own_maps_suggest_squares_of_a_photo_and_none_of_what_shows_nothing(
    lite_dir, cache_dir
):
    runtime = open_runtime(lite_dir, cache_dir=cache_dir, prefer="cpu")
    side = runtime.manifest.preprocessing.input_size
    images = np.random.default_rng(0).normal(size=(2, 3, side, side)).astype(np.float32)
    maps = runtime.feature_maps(images)
    np.testing.assert_allclose(maps.mean(axis=(2, 3)), runtime.answer(images).features, rtol=1e-3, atol=1e-4)
    torch = open_runtime(lite_dir, cache_dir=cache_dir, prefer="torch")
    np.testing.assert_allclose(torch.feature_maps(images), maps, rtol=1e-3, atol=1e-3 * np.abs(maps).max())
    pixels = np.full((240, 320, 3), 200, np.uint8)
    pixels[80:180, 190:290] = np.random.default_rng(1).integers(0, 120, (100, 100, 3))
    found = squares.suggest(runtime, Image.fromarray(pixels))
    assert 1 <= len(found) <= 5, (
        "where they lie, of a network that has learnt, is measured in docs/squares.md"
    )
    assert squares.suggest(runtime, Image.new("RGB", (31, 300))) == []
    assert squares.suggest(runtime, Image.new("RGB", (1300, 300))) == []


@pytest.mark.django_db
def test_they_are_asked_for_once_and_nothing_is_chosen_by_itself(
    client_for, clinician, photo, analysis, known
):
    client = client_for(clinician)
    page = client.get(url("photo-crop", photo.pk), headers=HTML).content.decode()
    assert "Have squares suggested" in page and "data-choose" not in page
    address = url("photo-suggested-squares", photo.pk)
    assert client.get(address).json()["state"] == "not_asked"
    for _ in range(2):
        answer = post(client, address, {})
        assert (answer.status_code, answer.json()["state"]) == (202, "waiting")
    assert AuditEvent.objects.filter(action="squares.suggest").count() == 1
    assert jobs.run_waiting(suggested_squares.JOB) == 1
    told = client.get(address).json()
    assert told["state"] == "done" and told["squares"][1] == {"x": 180, "y": 100, "size": 140}
    assert analysis.model_version.name in told["words"] and "often wrong" in told["words"]
    page = client.get(url("photo-crop", photo.pk), headers=HTML).content.decode()
    assert page.count("data-choose") == 3 and 'aria-label="Suggested square 2"' in page
    photo.refresh_from_db()
    assert photo.box_size is None and Analysis.objects.count() == 1
    assert post(client, address, {}).json()["state"] == "done", "and not computed again"
    assert Job.objects.filter(kind=suggested_squares.JOB).count() == 1


@pytest.mark.django_db
def test_who_chose_one_is_kept_with_the_answer(client_for, clinician, photo, analysis, known):
    made(photo, clinician)
    client = client_for(clinician)
    answer = client.post(url("photo-crop", photo.pk), {"suggested": "2"}, headers=HTML)
    assert answer.status_code == 302, "a button, without a script"
    photo.refresh_from_db()
    assert photo.box == FOUND[1]
    jobs.run_waiting("analyse")
    newest = Analysis.objects.first()
    assert (newest.box, newest.suggested_square, newest.requested_by) == (FOUND[1], 2, clinician)
    page = client.get(url("photo", photo.pk)).content.decode()
    assert f"suggestion 2 of the network, chosen by {clinician}" in page
    # A script sends the square itself; one of a person's own is none of them.
    post(client, url("photo-crop", photo.pk), {"x": 10, "y": 20, "size": 100})
    post(client, url("photo-crop", photo.pk), {"x": 11, "y": 20, "size": 100})
    assert [row.suggested_square for row in Analysis.objects.all()] == [None, 1, 2, None]
    further = post(client, url("photo-square", photo.pk), {"x": 40, "y": 0, "size": 256})
    assert further.status_code == 201
    assert Analysis.objects.get(photo=further.json()["id"]).suggested_square == 3
    refused = client.post(url("photo-crop", photo.pk), {"suggested": "4"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "no_such_suggestion")


@pytest.mark.django_db
def test_a_button_of_a_page_from_before_another_model_came_into_use_chooses_none(
    client_for, clinic, clinician, admin_user, photo, model_version, known, monkeypatch
):
    """Its number is then that of another square."""
    made(photo, clinician)
    client, address = client_for(clinician), url("photo-crop", photo.pk)
    before = f"2:{model_version.pk}"
    assert f'name="suggested" value="{before}"' in client.get(address, headers=HTML).content.decode()
    other = results.make_version("another")
    Publication.objects.create(clinic=clinic, model_version=other, published_by=admin_user)
    SuggestedSquares.objects.create(
        clinic=clinic, photo=photo, model_version=other, squares=[[0, 0, 64], [9, 9, 64]]
    )
    refused = client.post(address, {"suggested": before}, headers=HTML)
    assert (
        refused.status_code == 400
        and "no suggested square of this number any more" in refused.content.decode()
    )
    refused = client.post(url("photo-square", photo.pk), {"suggested": before}, headers=HTML)
    assert refused.status_code == 400
    client.post(address, {"suggested": f"2:{other.pk}"}, headers=HTML)
    photo.refresh_from_db()
    assert photo.box == Box(9, 9, 64)


@pytest.mark.django_db
def test_programs_ask_and_choose_as_well(api_for, clinician, coordinator, photo, model_version, known):
    api = api_for(clinician)
    address = f"/api/v1/photos/{photo.pk}/suggested-squares/"
    assert api.get(address).json() == {
        "state": "not_asked", "model": model_version.name, "squares": [], "error": None
    }  # fmt: skip
    assert api_for(coordinator).post(address).status_code == 403
    assert api.post(address, {"all": 1}, format="json").status_code == 400
    assert api.post(address).status_code == 202
    jobs.run_waiting(suggested_squares.JOB)
    assert len(api.get(address).json()["squares"]) == 3
    crop = f"/api/v1/photos/{photo.pk}/crop/"
    chosen = api.post(crop, {"suggested": 1}, format="json")
    assert (chosen.status_code, chosen.json()["suggested_square"]) == (202, 1)
    assert chosen.json()["box"] == {"x": 10, "y": 20, "size": 100}
    named = api.post(crop, {"suggested": 2, "model": model_version.name}, format="json")
    assert (named.status_code, named.json()["suggested_square"]) == (202, 2)
    of_another = api.post(crop, {"suggested": 2, "model": "of last year"}, format="json")
    assert (of_another.status_code, of_another.json()["error"]["code"]) == (400, "no_such_suggestion")
    # A number and a square at once would leave one of the two out.
    assert api.post(crop, {"suggested": 2, "x": 1, "y": 1, "size": 64}, format="json").status_code == 400
    assert api.post(crop, {"model": "x", "x": 1, "y": 1, "size": 64}, format="json").status_code == 400
    for wrong in (0, 4, "x", None, True):
        answer = api.post(crop, {"suggested": wrong}, format="json")
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "no_such_suggestion"), wrong


@pytest.mark.django_db
def test_without_a_model_none_are_offered(client_for, clinician, photo):
    client = client_for(clinician)
    assert "data-suggested" not in client.get(
        url("photo-crop", photo.pk), headers=HTML
    ).content.decode().replace("data-suggested-over", "")
    answer = post(client, url("photo-suggested-squares", photo.pk), {})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "no_model")


@pytest.mark.django_db
def test_a_cover_takes_them_away(clinician, photo, model_version, known):
    made(photo, clinician)
    suggested_squares.ask(photo, clinician)
    covering.cover(photo, [{"x": 0, "y": 0, "width": 40, "height": 40}], clinician)
    photo.refresh_from_db()
    assert not SuggestedSquares.objects.exists() and suggested_squares.of(photo).state == "not_asked"
    with pytest.raises(BoxRejected):
        suggested_squares.chosen(photo, 1)
    # What was computed of the photo before is not kept either.
    before = type(photo)(pk=photo.pk, clinic=photo.clinic, lesion=photo.lesion, file_key="former")
    with pytest.raises(jobs.JobError):
        suggested_squares.store(before, model_version, FOUND, Computed("x", "f32"))
    assert made(photo, clinician).boxes == FOUND, "asked again, they are made of the covered photo"


@pytest.mark.django_db
def test_a_lost_photo_is_told_and_can_be_tried_again(
    client_for, clinician, photo, model_version, known, monkeypatch
):
    from skinclinic.files import store

    read = store.read
    monkeypatch.setattr(store, "read", lambda key: (_ for _ in ()).throw(FileNotFoundError(key)))
    found = made(photo, clinician)
    assert found.state == "failed"
    told = client_for(clinician).get(url("photo-suggested-squares", photo.pk)).json()
    assert told["words"].startswith("No squares could be suggested: ") and "file" in told["words"]
    monkeypatch.setattr(store, "read", read)
    assert made(photo, clinician).boxes == FOUND


@pytest.mark.django_db
def test_another_model_did_not_suggest_it(clinician, photo, analysis, known):
    made(photo, clinician)
    set_box(photo, FOUND[0])
    SuggestedSquares.objects.update(squares=[])
    assert request_analysis(photo, user=clinician).suggested_square is None
