"""Files of photos and analyses by token: they open, are kept back as on the pages, come again only when changed."""

import io

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import Image

from classifier.services.analysis import assessments
from skinclinic.engine import jobs
from skinclinic.models import AuditEvent
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests import factories

pytestmark = pytest.mark.django_db


def body_of(response) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def program(user, **what) -> Client:
    return Client(headers={"Authorization": f"Token {factories.make_token(user, **what)}"})


@pytest.fixture
def done(analysis):
    jobs.run_waiting("analyse")
    analysis.refresh_from_db()
    return analysis


def files_of(client, analysis) -> dict[str, str]:
    """Every address of a file that the photo and its analysis name."""
    photo = client.get(f"/api/v1/photos/{analysis.photo_id}/").json()
    assert photo["analysis"]["url"] == f"http://testserver/api/v1/analyses/{analysis.pk}/"
    files = client.get(photo["analysis"]["url"]).json()["files"]
    found = {name: photo[name] for name in ("image", "thumbnail", "crop")}
    found |= {name: files[name] for name in ("square", "panels", "report")}
    return found | {f"heatmap of {key}": address for key, address in (files["heatmaps"] or {}).items()}


KINDS = {"panels": "image/png", "report": "application/pdf", "heatmap": "image/png"}


def test_the_token_that_reads_an_analysis_opens_every_file_it_names_and_is_told_when_it_has_it(
    clinician, outsider, done, subtests
):
    client, theirs = program(clinician, scope="read"), program(outsider)
    found = files_of(client, done)
    assert len(found) == 6 + len(DISEASE_KEYS)
    for name, address in found.items():
        with subtests.test(file=name):
            assert address.startswith("http://testserver/api/v1/")
            answer = client.get(address)
            kind = KINDS.get(name.split()[0], "image/jpeg")
            assert (answer.status_code, answer["Content-Type"]) == (200, kind)
            assert answer["Cache-Control"] == "no-cache, private"
            content = body_of(answer)
            if kind != "application/pdf":
                assert min(Image.open(io.BytesIO(content)).size) > 100
            again = client.get(address, headers={"If-None-Match": answer["ETag"]})
            assert (again.status_code, body_of(again), again["ETag"]) == (304, b"", answer["ETag"])
            assert theirs.get(address).status_code == 404
            assert Client().get(address).status_code == 401


def test_what_is_fetched_is_written_down_as_on_the_pages(clinician, done):
    client = program(clinician)
    for name, action in {
        "heatmap": "heatmap.view", "panels": "report.print", "report": "report.print", "square": "photo.view",
    }.items():  # fmt: skip
        before = AuditEvent.objects.count()
        client.get(f"/api/v1/analyses/{done.pk}/{name}/")
        row = AuditEvent.objects.order_by("-id")[0]
        assert AuditEvent.objects.count() == before + 1
        assert (row.action, row.subject_key, row.via) == (action, done.pk, "token")


def test_nothing_of_the_answer_comes_before_the_own_impression(clinician, clinic, done):
    clinic.impression_first = True
    clinic.save()
    client = program(clinician)
    files = client.get(f"/api/v1/analyses/{done.pk}/").json()["files"]
    assert files.pop("square") and set(files.values()) == {None}
    for name in ("heatmap", "panels", "report"):
        answer = client.get(f"/api/v1/analyses/{done.pk}/{name}/")
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "impression_first")
    before = client.get(f"/api/v1/analyses/{done.pk}/")
    assessments.record_impression(clinician, done, None)
    after = client.get(f"/api/v1/analyses/{done.pk}/", headers={"If-None-Match": before["ETag"]})
    assert after.status_code == 200 and after.json()["files"]["report"]


def test_a_heatmap_is_drawn_as_asked_and_nothing_else_is_passed_over(clinician, done):
    client, address = program(clinician), f"/api/v1/analyses/{done.pk}/heatmap/"
    alone, over, blue = (
        client.get(address, asked).content
        for asked in (
            {"disease": "mm"},
            {"disease": "mm", "over": "photo"},
            {"disease": "mm", "colours": "jet"},
        )
    )
    assert len({alone, over, blue}) == 3
    for wrong in ("disease=acne", "colours=red", "opacity=101", "over=all", "thresholds=none", "dissease=mm"):
        assert client.get(f"{address}?{wrong}").status_code == 400, wrong


def test_rows_and_lists_are_not_sent_twice(clinician, photo):
    client = program(clinician)
    for address in (f"/api/v1/photos/{photo.pk}/", "/api/v1/photos/", "/api/v1/diseases/"):
        first = client.get(address)
        assert first.status_code == 200
        assert client.get(address, headers={"If-None-Match": f'W/{first["ETag"]}, "x"'}).status_code == 304
    # The tag of a row that was read is one to change it by; what a program did not change it may send back.
    first = client.get(f"/api/v1/photos/{photo.pk}/")
    sent = first.json() | {"kind": "overview"}
    headers = {"If-Match": first["ETag"]}
    changed = client.patch(f"/api/v1/photos/{photo.pk}/", sent, "application/json", headers=headers)
    assert changed.status_code == 200
    refused = client.patch(
        f"/api/v1/photos/{photo.pk}/", {"kind": "close_up"}, "application/json", headers=headers
    )
    assert refused.status_code == 412
    still = client.get(f"/api/v1/photos/{photo.pk}/", headers={"If-None-Match": first["ETag"]})
    assert still.status_code == 200


def test_photos_take_the_same_queries_for_1_and_8(clinician, clinic, model_version):
    client = program(clinician)
    counts = []
    for seeds in ([1], range(2, 9)):
        for seed in seeds:
            factories.make_photo(clinic, clinician, seed=seed)
        client.get("/api/v1/photos/")
        with CaptureQueriesContext(connection) as asked:
            client.get("/api/v1/photos/")
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_addresses_of_before_there_were_versions_go_on_answering(clinician, photo):
    client = program(clinician)
    old = client.get(f"/api/photos/{photo.pk}/")
    assert old.status_code == 200 and old.json() == client.get(f"/api/v1/photos/{photo.pk}/").json()
    assert old["Link"] == f'<http://testserver/api/v1/photos/{photo.pk}/>; rel="successor-version"'
    assert client.get("/api/v2/photos/").status_code == 404
