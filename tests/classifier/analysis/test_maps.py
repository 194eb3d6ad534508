"""The heatmaps as JSON."""

import numpy as np
import pytest

from classifier.services.analysis.analyses import request_analysis
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests import results
from tests.skinclinic.pages import url


@pytest.fixture
def answered(photo, clinician):
    return results.finished(photo, clinician)


def test_maps_come_with_their_square_and_are_those_stored(client_for, answered, clinician):
    response = client_for(clinician).get(url("analysis-maps", answered.pk))
    body = response.json()
    assert "no-store" in response["Cache-Control"]
    assert (body["height"], body["width"], list(body["maps"])) == (7, 7, list(DISEASE_KEYS))
    assert body["box"] == {"x": answered.box_x, "y": answered.box_y, "size": answered.box_size}
    sent = np.array([body["maps"][key] for key in DISEASE_KEYS])
    np.testing.assert_allclose(sent, answered.heatmaps().astype(float), atol=5e-5)
    assert len(response.content) < 6000


def test_only_members_get_them(client_for, answered, clinician, coordinator, outsider):
    address = url("analysis-maps", answered.pk)
    assert client_for(coordinator).get(address).status_code == 200
    assert client_for(outsider).get(address).status_code == 404
    assert client_for(clinician).get(url("analysis-maps", 987654321)).status_code == 404
    assert client_for(clinician).post(address).status_code == 405


def test_none_before_the_analysis(client_for, photo, clinician):
    waiting = request_analysis(photo, user=clinician, version=results.make_version())
    response = client_for(clinician).get(url("analysis-maps", waiting.pk))
    assert (response.status_code, response.json()["error"]["code"]) == (409, "not_analysed")


def test_none_before_the_own_impression(client_for, clinic, answered, clinician, coordinator):
    clinic.impression_first = True
    clinic.save()
    response = client_for(clinician).get(url("analysis-maps", answered.pk))
    assert (response.status_code, response.json()["error"]["code"]) == (409, "impression_first")
    assert "maps" not in response.json()
    assert client_for(coordinator).get(url("analysis-maps", answered.pk)).status_code == 200
