"""Other explanations of an answer: asked for, computed by a job, shown and printed with their name, never too early."""

import io

import numpy as np
import pytest
from pypdf import PdfReader

from classifier.analysing import explaining
from classifier.jobs import explanations as job
from classifier.models import Explanation
from classifier.runtimes.base import Computed
from classifier.services.analysis import explanations
from skinclinic.engine import jobs, work
from skinclinic.models import AuditEvent, BinnedRow, Job, Lesion
from skinclinic.services import covering
from skinclinic.services.binning import bin, restoring
from skinclinic.services.erasing import erase
from skinclinic.services.refused import Refused
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests import factories, results
from tests.cases import each
from tests.skinclinic.pages import messages_of, url

pytestmark = pytest.mark.django_db
MAPS = np.linspace(0, 1, 12 * 14 * 14).reshape(12, 14, 14).astype(np.float16)


@pytest.fixture
def quick(monkeypatch):
    """Instead of the network: maps that are known."""
    computed = Computed("pytorch-grad-cam 1.5.7, PyTorch 2.13.0", "f32")

    def explain(folder, crop, method, say):
        say(0.5)
        return explaining.Explained(MAPS, "blocks.10", computed)

    monkeypatch.setattr(explaining, "explain", explain)


@pytest.fixture
def answered(photo, clinician):
    return results.finished(photo, clinician)


def done(analysis, user, method="layer_cam_2x") -> Explanation:
    row = explanations.ask(analysis, method, user)
    jobs.run_waiting(explanations.JOB)
    row.refresh_from_db()
    return row


def test_it_is_computed_by_the_library_for_the_answer_s_square(client_for, clinician, analysis):
    client = client_for(clinician)
    page = client.get(url("photo", analysis.photo_id)).content.decode()
    assert "Other explanations" in page and page.count('name="method"') == 4
    client.post(url("analysis-explanations", analysis.pk), {"method": "layer_cam_2x"})
    assert jobs.run_waiting(explanations.JOB) == 1
    row = Explanation.objects.get()
    assert (row.state, row.error, row.layer, row.precision) == ("done", "", "blocks.10", "f32")
    assert row.runtime.startswith("pytorch-grad-cam 1.5.7, PyTorch 2.") and row.heatmaps().shape == (12, 4, 4)
    told = AuditEvent.objects.get(action="explanation.ask")
    assert (told.subject_key, told.facts["method"]) == (row.pk, "layer_cam_2x")
    page = client.get(url("photo", analysis.photo_id)).content.decode()
    assert "LayerCAM · blocks.10 · 4 × 4" in page and row.runtime in page
    maps = client.get(url("explanation-maps", row.pk)).json()
    assert (maps["height"], maps["box"]["size"]) == (4, analysis.box_size)
    assert AuditEvent.objects.filter(action="heatmap.view", subject_key=row.pk).exists()


def test_asking_twice_is_one_and_a_person_cannot_queue_many(client_for, clinic, clinician, curator):
    made = [results.finished(factories.make_photo(clinic, clinician, seed=n), clinician) for n in range(2)]
    for analysis, method in zip([made[0]] * 4, explanations.Method.values, strict=True):
        first = explanations.ask(analysis, method, clinician)
        assert explanations.ask(analysis, method, clinician) == first
    assert Job.objects.filter(kind=explanations.JOB).count() == 4
    with pytest.raises(Refused, match="4 explanations that you asked for"):
        explanations.ask(made[1], "score_cam", clinician)
    client = client_for(clinician)
    answer = client.post(url("analysis-explanations", made[1].pk), {"method": "score_cam"}, follow=True)
    assert "not done yet" in messages_of(answer)
    # Neither by stopping some and taking them up again.
    work.cancel(work.last([explanations.JOB], first.pk), clinician)
    explanations.ask(made[1], "score_cam", clinician)
    answer = client.post(url("work", "explanation", first.pk), {"act": "retry"}, follow=True)
    assert "not done yet" in messages_of(answer)
    if curator.memberships.get().can_edit:
        explanations.ask(made[1], "grad_cam_pp", curator)


def test_nothing_before_the_own_impression(client_for, clinic, clinician, coordinator, answered, quick):
    row = done(answered, clinician)
    waiting = explanations.ask(answered, "score_cam", clinician)
    clinic.impression_first = True
    clinic.save()
    client = client_for(clinician)
    page = client.get(url("photo", answered.photo_id)).content.decode()
    assert "Other explanations" not in page and "LayerCAM" not in page
    for address in (
        url("explanation-maps", row.pk),
        f"/api/explanations/{row.pk}/maps/",
        f"/api/analyses/{answered.pk}/explanations/",
        f"/analyses/{answered.pk}/report.pdf?explanation={row.pk}",
    ):
        response = client.get(address)
        assert (response.status_code, response.json()["error"]["code"]) == (409, "impression_first")
    for address in (url("analysis-explanations", answered.pk), f"/api/analyses/{answered.pk}/explanations/"):
        assert client.post(address, {"method": "grad_cam_pp"}).status_code == 409
    assert client.get(url("work", "explanation", waiting.pk)).status_code == 403
    assert client_for(coordinator).get(url("explanation-maps", row.pk)).status_code == 200


def test_who_may_only_look_cannot_ask(client_for, coordinator, answered):
    client = client_for(coordinator)
    page = client.get(url("photo", answered.photo_id)).content.decode()
    assert "Other explanations" in page and 'name="method"' not in page
    assert client.post(url("analysis-explanations", answered.pk), {"method": "score_cam"}).status_code == 403


def test_what_does_not_count_or_is_covered_is_not_explained(clinician, answered, quick):
    with pytest.raises(Refused, match="no such method"):
        explanations.ask(answered, "guided_backprop", clinician)
    row = explanations.ask(answered, "score_cam", clinician)
    box = answered.box
    covering.cover(answered.photo, [{"x": box.x, "y": box.y, "width": 40, "height": 40}], clinician)
    jobs.run_waiting(explanations.JOB)
    row.refresh_from_db()
    assert row.state == "failed" and not row.is_done and "covered since" in row.error
    answered.refresh_from_db()
    with pytest.raises(Refused, match="covered since"):
        explanations.ask(answered, "grad_cam_pp", clinician)
    answered.before_cover, answered.quality = False, answered.quality | {"unfit": True}
    answered.photo.kind = "overview"
    with pytest.raises(Refused, match="does not count"):
        explanations.ask(answered, "grad_cam_pp", clinician)


@each(
    "code, words",
    [("no_such_stage", "no stage with feature maps"), ("library_missing", "administrator installs it")],
)
def test_a_method_that_cannot_be_used_is_told_in_the_reader_s_words(
    client_for, clinician, answered, monkeypatch, code, words
):
    def explain(*args):
        raise explaining.CannotExplain(code, "said by the network")

    monkeypatch.setattr(explaining, "explain", explain)
    row = done(answered, clinician)
    assert row.state == ("refused" if code == "no_such_stage" else "failed")
    page = client_for(clinician).get(url("photo", answered.photo_id)).content.decode()
    assert words in page and ('value="retry"' in page) == (code != "no_such_stage")


def test_a_lack_of_memory_is_told_as_such_and_tried_again(clinician, answered, monkeypatch):
    """PyTorch says it in an error of its own."""
    said = "[enforce fail at alloc_cpu.cpp:114] DefaultCPUAllocator: can't allocate memory"

    def explain(*args):
        raise RuntimeError(said)

    monkeypatch.setattr(explaining, "explain", explain)
    row = done(answered, clinician)
    assert row.state == "waiting", "it is tried again after a pause"
    for _attempt in range(2):
        Job.objects.update(not_before=None)
        jobs.run_waiting(explanations.JOB)
    row.refresh_from_db()
    assert (row.state, row.error) == ("failed", jobs.NO_MEMORY)


def test_what_is_wrong_with_the_model_is_told_in_the_reader_s_language(client_for, clinician, answered):
    """It was told in English, as the engine keeps it."""
    row = done(answered, clinician)
    assert row.state == "failed" and "manifest.json" in row.error
    client = client_for(clinician)
    korean = {"headers": {"Accept-Language": "ko"}}
    page = client.get(url("photo", answered.photo_id), **korean).content.decode()
    assert "모델 설명 파일이 없습니다. (There is no manifest.json" in page
    told = client.get(f"/api/explanations/{row.pk}/", **korean).json()["error"]
    assert told["code"] == "manifest_missing" and told["message"].endswith(f"({row.error})")
    assert row.error in client.get(url("photo", answered.photo_id)).content.decode().replace("&#x27;", "'")


def test_one_that_is_stopped_ends_and_begins_anew(client_for, clinician, answered, monkeypatch):
    steps = []

    def explain(folder, crop, method, say):
        for step in range(8):
            steps.append(step)
            if len(steps) == 3:
                work.cancel(work.last([explanations.JOB], Explanation.objects.get().pk), clinician)
            say(step / 8)
        return explaining.Explained(MAPS, "", Computed("x", "f32"))

    monkeypatch.setattr(explaining, "explain", explain)
    row = done(answered, clinician)
    assert (row.state, len(steps), row.is_done) == ("stopped", 3, False)
    client = client_for(clinician)
    answer = client.post(url("work", "explanation", row.pk), {"act": "retry"}, follow=True)
    assert "goes on from the beginning" in messages_of(answer)
    jobs.run_waiting(explanations.JOB)
    row.refresh_from_db()
    assert row.state == "done" and len(steps) == 11


def test_the_report_and_the_panels_name_what_they_show(client_for, clinician, answered, quick, photo):
    row = done(answered, clinician)
    client = client_for(clinician)

    def text(query: str) -> str:
        response = client.get(f"/analyses/{answered.pk}/report.pdf{query}")
        return " ".join(
            " ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(response.content)).pages
        )

    own = text("")
    assert "Grad-CAM · 7 × 7" in own and "LayerCAM" not in own
    other = text(f"?explanation={row.pk}")
    assert "LayerCAM · blocks.10 · 14 × 14" in other and "pytorch-grad-cam 1.5.7" in other
    assert "Grad-CAM · 7 × 7" not in other
    panels = client.get(f"/analyses/{answered.pk}/panels.png?disease=mm&explanation={row.pk}")
    assert panels["Content-Disposition"].endswith(f'photo-{photo.pk}-mm-layer_cam_2x.png"')
    assert panels.content != client.get(f"/analyses/{answered.pk}/panels.png?disease=mm").content
    for nonsense in ("0", "x", str(row.pk + 99)):
        address = f"/analyses/{answered.pk}/report.pdf?explanation={nonsense}"
        assert client.get(address).status_code == 404


def test_a_program_asks_follows_and_fetches(client_for, clinician, answered, quick):
    client = client_for(clinician)
    address = f"/api/analyses/{answered.pk}/explanations/"
    assert client.get(address).json() == []
    wrong = client.post(address, {"method": "lime"}, content_type="application/json")
    assert wrong.status_code == 400
    asked = client.post(address, {"method": "layer_cam_2x"}, content_type="application/json")
    assert asked.status_code == 202 and asked.json()["state"] == "waiting"
    own = f"/api/explanations/{asked.json()['id']}/"
    early = client.get(f"{own}maps/")
    assert (early.status_code, early.json()["error"]["code"]) == (409, "not_explained")
    assert client.post(f"{own}cancel/").json()["state"] == "stopped"
    assert client.post(f"{own}cancel/").status_code == 409
    assert client.post(f"{own}retry/").json()["state"] == "waiting"
    jobs.run_waiting(explanations.JOB)
    found = client.get(own).json()
    assert (found["state"], found["progress"], found["height"], found["layer"]) == (
        "done",
        1,
        14,
        "blocks.10",
    )
    assert client.post(f"{own}retry/").status_code == 409
    maps = client.get(f"{own}maps/").json()["maps"]
    np.testing.assert_allclose(maps[DISEASE_KEYS[3]], MAPS[3].astype(float), atol=1e-4)
    assert [one["id"] for one in client.get(f"/api/explanations/?analysis={answered.pk}").json()["results"]]


def test_it_goes_to_the_bin_with_its_photo_and_comes_back(clinician, answered, quick):
    ready, photo = done(answered, clinician), answered.photo
    waiting = explanations.ask(answered, "score_cam", clinician)
    item = bin.put(photo, clinician, reason="mistake")
    assert not Explanation.objects.exists()
    jobs.run_waiting(explanations.JOB)
    restoring.restore(item, clinician)
    back = Explanation.objects.get(pk=ready.pk)
    np.testing.assert_array_equal(back.heatmaps(), MAPS)
    jobs.run_waiting(explanations.JOB)
    assert Explanation.objects.get(pk=waiting.pk).is_done


def test_a_photo_that_goes_while_it_is_explained_takes_it_along(clinician, answered, monkeypatch):
    def explain(folder, crop, method, say):
        bin.put(answered.photo, clinician, reason="mistake")
        return explaining.Explained(MAPS, "", Computed("x", "f32"))

    monkeypatch.setattr(explaining, "explain", explain)
    explanations.ask(answered, "score_cam", clinician)
    jobs.run_waiting(explanations.JOB)
    failed = Job.objects.get(kind=explanations.JOB)
    assert (failed.state, failed.error_code) == ("failed", "photo_deleted")
    assert job.explain and not Explanation.objects.exists()


def test_who_is_erased_leaves_none(admin_user, clinician, answered, quick):
    patient = factories.make_patient(answered.clinic)
    Lesion.objects.filter(pk=answered.photo.lesion_id).update(patient=patient)
    done(answered, clinician)
    explanations.ask(answered, "score_cam", clinician)
    erase.erase(patient, admin_user, reason="asked")
    jobs.run_waiting(erase.JOB)
    jobs.run_waiting(explanations.JOB)
    assert not Explanation.objects.exists() and not BinnedRow.objects.exists()
