"""The result page: who sees it, what it says in every state, thresholds, older analyses, retry."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from classifier.models import Assessment, Publication
from classifier.services.analysis.analyses import request_analysis
from skinclinic.engine import jobs
from skinclinic.imaging import Box
from skinclinic.models import Job, Lesion, Photo
from skinclinic.services.photos import set_box
from tests import factories, results
from tests.skinclinic.pages import url

POLL = {"HX-Request": "true", "HX-Target": "result-panel"}


@pytest.fixture
def version(db):
    return results.make_version()


@pytest.fixture
def answered(photo, clinician, version):
    return results.finished(photo, clinician, version=version)


def text_of(response) -> str:
    return " ".join(response.content.decode().split())


def test_members_see_it_and_outsiders_do_not(client_for, answered, clinician, coordinator, outsider):
    for name, pk in (("photo", answered.photo_id), ("analysis", answered.pk)):
        for user in (clinician, coordinator):
            assert client_for(user).get(url(name, pk), follow=True).status_code == 200
        assert client_for(outsider).get(url(name, pk)).status_code == 404
        assert client_for(clinician).get(url(name, 987654321)).status_code == 404
        assert client_for(clinician).post(url(name, pk)).status_code == 405


def test_only_members_who_may_edit_can_retry(client_for, answered, coordinator, outsider, clinician):
    address = url("photo-retry", answered.photo_id)
    assert client_for(coordinator).post(address).status_code == 403
    assert client_for(outsider).post(address).status_code == 404
    assert client_for(clinician).post(url("photo-retry", 987654321)).status_code == 404
    assert client_for(clinician).get(address).status_code == 405


def test_the_answer_says_scores_thresholds_model_and_what_it_is_not(client_for, answered, clinician):
    response = client_for(clinician).get(url("photo", answered.photo_id))
    text = text_of(response)
    assert "no-store" in response["Cache-Control"]
    assert "1 candidate above its threshold" in text
    assert text.index("Basal cell carcinoma") < text.index("Actinic keratosis")
    for said in (
        "0.410",
        "&lt;0.001",
        "photos of nobody",
        "Cohort A (n = 306, AUC 0.902)",
        "does not diagnose",
    ):
        assert said in text, said
    assert "Where the model looked, not where the disease is." in text
    assert "Synthetic" in text
    assert url("analysis-maps", answered.pk) in text


def test_thresholds_are_chosen_in_the_address_and_remembered(client_for, answered, clinician):
    client = client_for(clinician)
    text = text_of(client.get(url("photo", answered.photo_id), {"thresholds": "screening"}))
    assert "5 candidates above their thresholds" in text
    assert "0.0009" in text and 'threshold <span class="num">0.0003' in text
    assert "from synthetic photos" in text
    assert "5 candidates" in text_of(client.get(url("photo", answered.photo_id)))
    unknown = client.get(url("photo", answered.photo_id), {"thresholds": "nonsense"})
    assert "5 candidates" in text_of(unknown)


def test_none_listed_is_said_plainly(client_for, photo, clinician, version):
    results.finished(photo, clinician, dict.fromkeys(results.SCORES, 0.05), version=version)
    text = text_of(client_for(clinician).get(url("photo", photo.pk)))
    assert "No candidate above its threshold" in text
    assert "Probably not among these 12." not in text


def test_background_is_said_before_the_scores_only_where_the_model_has_one(client_for, photo, clinician):
    scores = dict.fromkeys(results.SCORES, 0.03)
    results.finished(photo, clinician, scores, version=results.make_version())
    client = client_for(clinician)
    text = text_of(client.get(url("photo", photo.pk)))
    assert text.index("Probably not among these 12.") < text.index("No candidate above")
    assert "64 %" in text
    plain = results.make_version("plain", background_classes=())
    results.finished(photo, clinician, scores, version=plain)
    assert "ot among these 12" not in text_of(client.get(url("photo", photo.pk)))


def test_an_unfit_photo_is_said_before_the_scores(client_for, photo, clinician, version):
    results.finished(photo, clinician, version=version, warnings=["blurred", "little_skin"])
    text = text_of(client_for(clinician).get(url("photo", photo.pk)))
    assert text.index("It is blurred.") < text.index("It shows little skin.") < text.index("0.410")


def test_without_a_model_it_says_so_and_offers_to_analyse_once_there_is_one(client_for, photo, clinician):
    client = client_for(clinician)
    assert "No model is ready" in text_of(client.get(url("photo", photo.pk)))
    client.post(url("photo-retry", photo.pk))
    assert photo.analyses.count() == 0
    results.make_version()
    assert "has not been analysed yet" in text_of(client.get(url("photo", photo.pk)))
    client.post(url("photo-retry", photo.pk))
    client.post(url("photo-retry", photo.pk))
    assert photo.analyses.count() == 1
    assert "Queued" in text_of(client.get(url("photo", photo.pk)))


def test_waiting_says_the_place_in_line_and_whether_the_engine_is_there(
    client_for, clinic, clinician, version
):
    photos = [factories.make_photo(clinic, clinician, seed=seed) for seed in range(3)]
    for row in photos:
        request_analysis(row, user=clinician, version=version)
    client = client_for(clinician)
    assert "The engine is offline" in text_of(client.get(url("photo", photos[2].pk)))
    jobs.worker_alive("worker")
    assert "Place 3 in line." in text_of(client.get(url("photo", photos[2].pk)))
    assert "Next in line." in text_of(client.get(url("photo", photos[0].pk)))
    Job.objects.filter(analysis__photo=photos[0]).update(state=Job.State.RUNNING, started_at=timezone.now())
    assert "about a second" in text_of(client.get(url("photo", photos[0].pk)))


def test_a_poll_gets_nothing_until_something_changes(client_for, photo, clinician, version):
    analysis = request_analysis(photo, user=clinician, version=version)
    client = client_for(clinician)
    watch = client.get(url("photo", photo.pk)).context["watch"]
    assert client.get(url("photo", photo.pk), {"seen": watch}, headers=POLL).status_code == 204
    results.finish(analysis)
    response = client.get(url("photo", photo.pk), {"seen": watch}, headers=POLL)
    text = text_of(response)
    assert response.status_code == 200 and "<html" not in text
    assert 'id="result-panel"' in text and 'id="stage-tools" hx-swap-oob="true"' in text
    assert "every 1500ms" not in text


def test_a_failure_says_why_and_retry_queues_it_once(client_for, photo, clinician, coordinator, version):
    analysis = request_analysis(photo, user=clinician, version=version)
    Job.objects.update(state=Job.State.FAILED, error_code="scores_not_finite", error="NaN")
    client = client_for(clinician)
    assert "was not a number" in text_of(client.get(url("photo", photo.pk)))
    assert "Retry" not in text_of(client_for(coordinator).get(url("photo", photo.pk)))
    for _twice in range(2):
        client.post(url("photo-retry", photo.pk))
    analysis.job.refresh_from_db()
    assert (analysis.job.state, analysis.job.attempts) == (Job.State.QUEUED, 0)
    assert photo.analyses.count() == 1


def test_an_older_analysis_has_its_own_page_with_a_notice(client_for, answered, clinician, version):
    photo = answered.photo
    set_box(photo, Box(0, 0, 128))
    newer = results.finished(photo, clinician, version=version)
    client = client_for(clinician)
    page = text_of(client.get(url("photo", photo.pk)))
    assert url("analysis", answered.pk) in page and url("analysis-maps", newer.pk) in page
    older = text_of(client.get(url("analysis", answered.pk)))
    assert "An older analysis of this photo" in older and url("analysis-maps", answered.pk) in older
    assert client.get(url("analysis", newer.pk)).headers["Location"] == url("photo", photo.pk)


def test_a_newer_model_is_offered(client_for, clinic, answered, clinician):
    newer = results.make_version("newer")
    Publication.objects.create(clinic=clinic, model_version=newer, published_by=clinician)
    client = client_for(clinician)
    assert "Analyse with newer, now in use" in text_of(client.get(url("photo", answered.photo_id)))
    client.post(url("photo-retry", answered.photo_id))
    assert answered.photo.analyses.filter(model_version=newer).count() == 1


def test_neighbours_are_of_the_same_clinic(client_for, clinic, other_clinic, clinician, outsider):
    first = factories.make_photo(clinic, clinician, seed=1)
    factories.make_photo(other_clinic, outsider, seed=2)
    last = factories.make_photo(clinic, clinician, seed=3)
    text = text_of(client_for(clinician).get(url("photo", last.pk)))
    assert f'data-next="{url("photo", first.pk)}"' in text
    assert "data-previous" not in text


def test_seeing_the_answer_is_kept_with_the_thresholds_it_was_shown_by(
    client_for, answered, clinician, coordinator
):
    client_for(coordinator).get(url("photo", answered.photo_id))
    assert not Assessment.objects.exists()
    client = client_for(clinician)
    client.get(url("photo", answered.photo_id), {"thresholds": "screening"})
    client.get(url("photo", answered.photo_id), {"thresholds": "balanced"})
    row = Assessment.objects.get()
    assert (row.user, row.threshold_set.name) == (clinician, "screening")
    assert row.listed == ["bcc", "ak", "scc", "iec", "df"]
    assert row.shown_at and not row.decision


def test_what_asks_only_for_the_head_of_the_page_has_not_seen_the_answer(client_for, answered, clinician):
    client = client_for(clinician)
    assert client.head(url("photo", answered.photo_id)).status_code == 200
    assert not Assessment.objects.exists()
    client.get(url("photo", answered.photo_id))
    assert Assessment.objects.get().shown_at


def test_a_page_asks_the_database_each_thing_once_and_a_second_look_writes_nothing(
    client_for, answered, clinician, django_capture_on_commit_callbacks
):
    set_box(answered.photo, Box(0, 0, 128))
    results.finished(answered.photo, clinician, version=answered.model_version)
    client = client_for(clinician)
    for address, most in ((url("photo", answered.photo_id), 21), (url("analysis", answered.pk), 22)):
        with django_capture_on_commit_callbacks(execute=True):
            client.get(address)
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address).status_code == 200
        statements = [one["sql"] for one in asked.captured_queries]
        assert len(statements) <= most, statements
        assert len(set(statements)) == len(statements)
        assert all(one.startswith("SELECT") for one in statements)


def test_the_page_that_compares_photos_names_the_models_once(client_for, clinician, clinic, version):
    lesion = Lesion.objects.create(clinic=clinic, patient=factories.make_patient(clinic, "P-1"))
    photos = [factories.make_photo(clinic, clinician, seed=n, lesion=lesion) for n in range(3)]
    first = results.make_version("an-earlier-one")
    for days, (photo, by) in enumerate(zip(photos, (version, version, first), strict=True)):
        Photo.objects.filter(pk=photo.pk).update(captured_at=timezone.now() - timedelta(days=30 * days))
        results.finished(photo, clinician, version=by)
    address = f"/lesions/{lesion.pk}/?a={photos[0].pk}&b={photos[1].pk}"
    text = text_of(client_for(clinician).get(address))
    assert "Answers of an-earlier-one, chosen: what each photo looks like to the model." in text
    assert "Answers of different models are not joined" in text, "the curves stand on the page"
    before_the_foot = text[: text.index("app-foot")]
    assert before_the_foot.count("not diagnose") == 1
