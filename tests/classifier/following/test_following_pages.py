"""The page that follows a model in use, its rule, and what is told before another is published."""

import io
import zipfile

import pytest
from django.utils import timezone

from classifier.models import Monitor, MonitorAlarm, Publication, ThresholdSet
from classifier.presenters import following
from classifier.services import doctor
from classifier.services.evaluation import looking
from classifier.services.following import due, records, rules
from classifier.services.models import candidate as candidates
from classifier.services.models.card import card
from classifier.services.models.evidence import cohorts
from skinclinic.archive.services.datasets import large
from skinclinic.engine import jobs
from skinclinic.models import AuditEvent
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests import evaluated, factories, followed
from tests.classifier.evaluation.test_evaluation_pages import text_of

PAGE = "/models/after-publishing/"


@pytest.fixture(scope="module")
def stock(standing):
    with standing.building():
        clinic = factories.make_clinic("Hanok Dermatology")
        people = {
            role: factories.make_member(clinic, role, role)
            for role in ("admin", "curator", "clinician", "reader")
        }
        version = followed.make_version("tiny")
        for n in range(12):
            followed.proven(clinic, version, "mm", lists=("mm",) if n % 3 else ())
            followed.proven(clinic, version, "nevus", lists=("nevus",))
        standing.keep(clinic=clinic, version=version, **people)


@pytest.fixture
def world(stock, given):
    return given


def computed(world, **shares) -> Monitor:
    chosen = world["version"].threshold_sets.get()
    rule = rules.stated(chosen, 0.05, shares, {})
    row = records.state(world["clinic"], world["version"], chosen, rule, world["admin"], "before looking")
    due.run(row)
    row.refresh_from_db()
    return row


def with_alarm(world) -> Monitor:
    return followed.make_alarm(world["clinic"], world["version"], world["admin"])


def test_every_member_sees_figures_but_only_admins_state_rules(world, client_for):
    row = computed(world, sensitivity=0.6, specificity=0.6)
    for role in ("admin", "curator", "clinician", "reader"):
        client = client_for(world[role])
        shown = client.get(PAGE).content.decode()
        assert "8/12" in shown and "12/12" in shown
        assert ("/rule/" in shown) == (role == "admin")
        assert ("/look/" in shown) == (role in ("admin", "curator"))
        assert client.get(f"{PAGE}rule/").status_code == (200 if role == "admin" else 403)
    for role in ("admin", "curator", "clinician", "reader"):
        looked = client_for(world[role]).post(f"{PAGE}{row.pk}/look/").status_code
        assert looked == (302 if role in ("admin", "curator") else 403)


def test_before_there_is_anything_the_page_says_so(world, client_for):
    shown = client_for(world["admin"]).get(PAGE).content.decode()
    assert "Nothing to follow yet" in shown
    assert not Monitor.objects.exists()


def test_too_few_are_not_told_as_a_share_and_verification_bias_is_said(world, client_for):
    computed(world)
    for _ in range(3):
        followed.proven(world["clinic"], world["version"], "scc", lists=("scc",))
    due.run(records.current(world["clinic"]))
    shown = client_for(world["reader"]).get(PAGE).content.decode()
    assert "too few: 3/3" in shown
    assert "verification bias" in shown
    assert "No proven case of:" in shown


def test_what_was_promised_is_told_by_group_and_of_small_groups_nothing(world, client_for):
    kept = {"share": 0.95, "diseases": {"bcc": {"units": 60, "rank": 58, "low": 0.91}}}
    ThresholdSet.objects.create(
        model_version=world["version"], clinic=world["clinic"], name="covers",
        values=dict.fromkeys(DISEASE_KEYS, 0.1), details={"rule": "coverage", "coverage": kept},
    )  # fmt: skip
    row = records.state(
        world["clinic"], world["version"], world["version"].threshold_sets.get(name="balanced"), rules.Rule(),
        world["admin"], "before looking",
    )  # fmt: skip
    followed.proven(world["clinic"], world["version"], "bcc", lists=("bcc",))
    due.run(row)
    shown = client_for(world["reader"]).get(PAGE).content.decode()
    table = shown.split('aria-label="Covered, by group"')[1].split("</table>")[0]
    assert table.count("not evaluable: too few") == 5 and "Fitzpatrick skin type" in table


def test_an_alarm_is_shown_to_admins_and_curators_where_they_begin_and_to_all_on_the_page(world, client_for):
    row = with_alarm(world)
    words = "the sensitivity of tiny for malignant diseases has fallen below 90.0 %"
    for role in ("admin", "curator", "clinician"):
        client = client_for(world[role])
        assert words in client.get(PAGE).content.decode()
        for page in ("/", "/models/"):
            assert (words in client.get(page).content.decode()) == (role != "clinician")
    assert any("alarm of its sensitivity" in one.said for one in doctor.models())
    Monitor.objects.filter(pk=row.pk).update(ended_at=timezone.now())
    assert words not in client_for(world["admin"]).get("/models/").content.decode()
    assert words in client_for(world["admin"]).get(f"{PAGE}{row.pk}/").content.decode()


def test_a_rule_is_stated_with_a_reason_and_begins_a_new_record(world, client_for):
    before = computed(world)
    client = client_for(world["admin"])
    asked = {"sensitivity": "85", "specificity": "", "alpha": "0.01", "reason": ""}
    assert client.post(f"{PAGE}rule/", asked).status_code == 422
    for wrong in ({"sensitivity": "100"}, {"sensitivity": "x"}, {"alpha": "0.5"}):
        assert client.post(f"{PAGE}rule/", asked | {"reason": "new camera"} | wrong).status_code == 422
    assert Monitor.objects.count() == 1
    assert client.post(f"{PAGE}rule/", asked | {"reason": "new camera"}).status_code == 302
    row = records.current(world["clinic"])
    found = rules.Rule.of_json(row.rule)
    assert (found.alpha, list(found.references), row.reason) == (0.01, ["sensitivity"], "new camera")
    assert row.pk != before.pk
    assert AuditEvent.objects.filter(action="model.follow", reason="new camera").exists()
    # Whoever states another begins with this one.
    form = client.get(f"{PAGE}rule/").context["form"]
    assert (form["sensitivity"].value(), form["specificity"].value()) == ("85.0", None)
    assert (form["alpha"].value(), form["photos"].value()) == ("0.01", False)
    shown = client.get(PAGE).content.decode()
    assert "new camera" in shown and "the model does not say what its training photos are like" in shown
    assert client.post(f"{PAGE}rule/", asked | {"reason": "photos", "photos": "on"}).status_code == 302
    row = records.current(world["clinic"])
    assert list(rules.Rule.of_json(row.rule).references) == ["sensitivity", "quality"]
    assert "what the first 200 patients of this record say; 0 so far" in client.get(PAGE).content.decode()
    facts = {"cases": 40, "hits": 20, "reference": 0.8, "evidence": 200.0, "last_cases": 30, "last_hits": 12}
    MonitorAlarm.objects.create(monitor=row, clinic=world["clinic"], endpoint="quality", facts=facts)
    shown = text_of(client.get(PAGE))
    assert any("an alarm of the quality of photos" in one.said for one in doctor.models())
    assert "Alarm: fewer than 80.0 % of photos come without a warning" in shown
    assert (
        "when the first photos of 20 of 40 patients were as stated. Of the last 30 it was 12." in shown
        and "patients were right" not in shown
    )


def test_every_figure_is_a_file_and_all_of_them_a_zip(world, client_for):
    row = computed(world, sensitivity=0.6)
    client = client_for(world["clinician"])
    for kind in ("rates", "calibration", "list", "people", "drift-warned"):
        answer = client.get(f"{PAGE}{row.pk}/figure/?kind={kind}&as=csv")
        assert answer.status_code == 200, kind
    assert client.get(f"{PAGE}{row.pk}/figure/?kind=rates&as=svg").content.startswith(b"<")
    for query in ("kind=rates&as=exe", "kind=other&as=svg", ""):
        assert client.get(f"{PAGE}{row.pk}/figure/?{query}").status_code == 404
    whole = client.get(f"{PAGE}{row.pk}/download/?what=figures&format=svg")
    names = zipfile.ZipFile(io.BytesIO(b"".join(whole.streaming_content))).namelist()
    assert {"report.json", "index.html", "rates.svg", "calibration.svg"} <= set(names)
    report = client.get(f"{PAGE}{row.pk}/download/?what=report").json()
    assert report["figures"]["proven"]["policies"]["benign"]["sensitivity"]["all"] == [8, 12]
    assert AuditEvent.objects.filter(action="monitor.fetch").exists()


def test_the_page_and_its_files_are_in_korean_too(world, client_for):
    with_alarm(world)
    client = client_for(world["admin"])
    client.cookies["django_language"] = "ko"
    shown = client.get(PAGE).content.decode()
    for english in (
        "Proven cases since",
        "verification bias",
        "too few",
        "After publishing",
        "Sensitivity, malignant",
    ):
        assert english not in shown


def test_the_usual_rule_is_held_against_an_evaluation_the_model_had_not_learnt_from(
    clinic, admin_user, tmp_path, client_for, monkeypatch
):
    model = evaluated.make_model(clinic, tmp_path, "first", photos=[])
    labels = ["mm"] * 12 + ["nevus"] * 14
    entries = evaluated.make_entries(clinic, admin_user, labels)
    evaluated.score(model, entries, strength=3.0)
    version = evaluated.freeze(clinic, admin_user, entries)
    row = evaluated.evaluated(clinic, admin_user, [model], [version])
    chosen = model.usual_thresholds(clinic.pk)
    found = dict(rules.usual(model, clinic, chosen).references)
    assert found.pop("quality").source == "first"
    assert {name: (one.of, one.evaluation, one.source) for name, one in found.items()} == {
        "sensitivity": (12, row.pk, "evaluation"), "specificity": (14, row.pk, "evaluation"),
    }  # fmt: skip
    assert all(one.share < one.count / one.of for one in found.values())
    # A page reads what is kept; of many photos it looks through none itself.
    monkeypatch.setattr(large, "MOST_AT_ONCE", 5)
    Publication.objects.create(clinic=clinic, model_version=model, published_by=admin_user)
    client = client_for(admin_user)
    given = text_of(client.get(f"{PAGE}rule/"))
    assert "the lower limit of the 95 % interval in First, Test set v1: 100.0 % (12/12" in given
    for path in row.folder.glob("coverage-*.json"):
        path.unlink()
    assert "are being looked through" in text_of(client.get(f"{PAGE}rule/"))
    answer = client.post(f"{PAGE}rule/", {"sensitivity": "60", "alpha": "0.05", "reason": "Before looking"})
    assert answer.status_code == 422 and "is being worked out" in text_of(answer)
    jobs.run_waiting(looking.JOB)
    assert text_of(client.get(f"{PAGE}rule/")) == given
    # Thresholds that were chosen on these photos prove nothing on them.
    chosen.details = {"dataset_sha256": version.sha256}
    assert set(rules.usual(model, clinic, chosen).references) == {"quality"}
    told = candidates.candidate(model, clinic, None, card(model, clinic), cohorts(model, clinic))
    assert [one.evaluation for one in told.evaluations] == [row]
    assert "bcc" in told.untested and "mm" not in told.untested


def test_before_publishing_one_reads_which_diseases_were_tested_on_few_photos(
    clinic, admin_user, tmp_path, client_for
):
    model = evaluated.make_model(clinic, tmp_path, "first", photos=[])
    entries = evaluated.make_entries(clinic, admin_user, ["mm"] * 10 + ["nevus"] * 9 + ["sk"])
    evaluated.score(model, entries, strength=3.0)
    version = evaluated.freeze(clinic, admin_user, entries)
    evaluated.evaluated(clinic, admin_user, [model], [version])
    told = candidates.candidate(model, clinic, None, card(model, clinic), cohorts(model, clinic))
    assert told.few == (("sk", 1), ("nevus", 9)) and not {"mm", "sk", "nevus"} & set(told.untested)
    shown = text_of(client_for(admin_user).get(f"/models/{model.pk}/"))
    assert "Tested on few photos Seborrheic keratosis (1), Melanocytic nevus (9)" in shown
    # Without an evaluation none was tested, which is said otherwise.
    assert candidates.candidate(model, clinic, None, card(model, clinic), []).few == ()


def test_without_thresholds_that_cover_the_truth_no_patients_are_said_to_be_missing(world):
    row = computed(world, sensitivity=0.6)
    assert "no such thresholds" in following.figure(row, following.COVERED).note


def test_before_publishing_one_reads_evaluations_limits_thresholds_and_what_differs(world, client_for):
    newer = followed.make_version("newer", world["clinic"], limits="only dry skin", trained_on="other photos")
    newer.threshold_sets.update(name="screening")
    shown = client_for(world["admin"]).get(f"/models/{newer.pk}/").content.decode()
    part = shown[shown.index('id="publish-about"') : shown.index("data-confirm-shows")]
    for words in (
        "nobody knows how it does",
        "only dry skin",
        "other photos",
        "balanced",
        "What differs from tiny",
    ):
        assert words in part or words.title() in part, words
    assert "publish-about" not in client_for(world["clinician"]).get(f"/models/{newer.pk}/").content.decode()


def test_a_page_of_many_is_computed_by_a_job_and_read_from_one_row(
    world, client_for, django_assert_max_num_queries
):
    row = computed(world, sensitivity=0.6)
    jobs.run_waiting(due.JOB)
    client = client_for(world["clinician"])
    client.get(PAGE)
    for _ in range(20):
        followed.proven(world["clinic"], world["version"], "sk", lists=("sk",))
    due.run(row)
    with django_assert_max_num_queries(25):
        client.get(PAGE)
