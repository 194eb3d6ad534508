"""Results of a study: who counts, who may see them, and that every file holds the same figures."""

import csv
import io
import json
import zipfile

import pytest
from django.conf import settings
from django.utils import timezone

from classifier.metrics.conformal import ALWAYS_LISTED
from reader_study.models import Answer, Study, StudyEvent, StudyImage, StudyResult
from reader_study.plots.differences import difference_text
from reader_study.services.making import enrolment
from reader_study.services.making import studies as service
from reader_study.services.results import leaving, methods_text, results, study_tables
from reader_study.services.results.conclusions import conclusions
from reader_study.statistics.report import report
from reader_study.statistics.verdicts import verdicts
from skinclinic.engine import jobs
from skinclinic.files import store
from skinclinic.models import Job
from skinclinic.services import records
from skinclinic.vocabulary.diseases import BY_KEY, DISEASE_KEYS
from tests import factories
from tests.cases import each
from tests.reader_study.read_study import LABELS, answer_all, computed, read_study
from tests.skinclinic.pages import messages_of, url

pytestmark = pytest.mark.django_db

PAGES = ["", "-disease", "-readers", "-model", "-sessions", "-agreement", "-missed", "-methods"]


@pytest.fixture(scope="module")
def read(standing):
    with standing.building() as home:
        clinic = factories.make_clinic("Hanok Dermatology")
        admin = factories.make_member(clinic, "admin", "ada")
        standing.keep(clinic=clinic, admin_user=admin, made=read_study(clinic, admin, home))


@pytest.fixture
def made(read, given):
    return given["made"]


def body(response) -> str:
    return response.content.decode()


# What is counted


def test_the_tables_hold_who_and_what_counts(made, admin_user):
    study = made.study
    preview, _link = enrolment.enrol(study, group=made.readers[0].group, by=admin_user, is_preview=True)
    silent, _link = enrolment.enrol(study, group=made.readers[0].group, by=admin_user)
    answer_all(preview)
    enrolment.withdraw(made.readers[1], admin_user, "moved")
    tables = study_tables.of_study(study)
    assert [image.truth for image in tables.images] == LABELS
    assert {answer.reader for answer in tables.answers} == {"R01", "R03", "R04"}
    assert len(tables.answers) == 3 * 2 * len(LABELS), "practice photos do not count"
    row = Answer.objects.get(reading__reader=made.readers[0], reading__session__key="aided", image__number=2)
    found = next(
        one for one in tables.answers if (one.session, one.reader, one.image) == ("aided", "R01", "002")
    )
    assert (found.answer, found.first_answer, found.seconds) == (row.choice, row.first_choice, row.seconds)
    scores = study.images.get(number=3).scores
    assert tables.scores[2].tolist() == [scores[key] for key in DISEASE_KEYS]
    computed(study)
    facts = StudyResult.objects.get(study=study).facts
    assert facts["never_began"] == [silent.code] and facts["readers"] == 3


def test_the_whole_test_set_is_that_of_the_dataset(made):
    whole = study_tables.of_study(made.study).whole
    assert sorted(whole.truth) == sorted([*LABELS, "bcc", "bcc"]), (
        "the practice photos belong to the test set"
    )
    assert set(whole.datasets) == {made.study.images.first().dataset}


def test_a_test_set_of_which_much_is_not_analysed_is_left_out(made):
    photos = [entry.photo for entry in made.entries[:3]]
    made.study.model_version.analyses.filter(photo__in=photos).delete()
    assert study_tables.of_study(made.study).whole is None
    assert list(study_tables.coverage(made.study).values()) == [[len(LABELS) - 1, len(LABELS) + 2]]


def test_without_a_score_of_every_photo_there_is_no_model(made, client_for, admin_user):
    StudyImage.objects.filter(study=made.study, number=5).update(scores=None)
    found = computed(made.study)
    assert found.report["settings"]["has_model"] is False and found.report["about"]["lacking_scores"] == [
        "005"
    ]
    assert "005" in body(client_for(admin_user).get(url("study-results", made.study.pk)))


def test_the_report_is_that_of_the_rows(made):
    found = computed(made.study)
    own = report(
        study_tables.of_study(made.study), ak="benign", margin=0.1, endpoints=["bcc"], names_differ=True
    )
    assert {name: value for name, value in found.report.items() if name != "about"} == own
    other = results.Results(made.study, "malignant").report
    assert other["settings"]["ak"] == "malignant" and other["datasets"] != own["datasets"]
    assert found.report["about"]["study"] == made.study.name


def test_groups_are_held_against_the_model_at_the_operating_point_of_the_protocol(
    made, client_for, admin_user
):
    # One is listed with every photo, as by thresholds that cover the truth.
    values = dict.fromkeys(DISEASE_KEYS, 0.999) | {"mm": ALWAYS_LISTED}
    kept = {"name": "ours", "values": values}
    Study.objects.filter(pk=made.study.pk).update(operating_point="thresholds", thresholds=kept)
    found = computed(Study.objects.get(pk=made.study.pk)).report["datasets"]
    (groups,) = [one["ai_vs_groups"]["unaided"] for one in found.values()]
    page = body(client_for(admin_user).get(url("study-results-model", made.study.pk)))
    table = page[page.index("Against each group of readers") :]
    tests = [one["bcc"] for name, one in groups.items() if name]
    assert tests and all(one["at_threshold"]["difference"] != one["argmax"]["difference"] for one in tests)
    for one in tests:
        assert difference_text(one["at_threshold"]) in table and difference_text(one["argmax"]) not in table


# The job


def test_closing_asks_for_results(clinic, admin_user, tmp_path):
    made = read_study(clinic, admin_user, tmp_path, state=Study.State.OPEN, readers=2, aided=False)
    service.close(made.study, admin_user)
    jobs.run_waiting(results.JOB)
    made.study.refresh_from_db()
    assert results.Results(made.study).report["n"] == len(LABELS)
    assert made.study.events.filter(kind=StudyEvent.Kind.COMPUTED).count() == 1


def test_asking_twice_computes_once_and_asking_later_anew(made):
    first = results.request(made.study)
    assert results.request(made.study).number == first.number
    assert Job.objects.filter(kind=results.JOB).count() == 1
    jobs.run_waiting(results.JOB)
    Answer.objects.filter(reading__reader=made.readers[0]).update(choice="wart")
    before = results.Results(made.study).report
    after = computed(made.study).report
    assert after["datasets"] != before["datasets"]
    assert StudyResult.objects.get(study=made.study).number == 2


def test_an_older_computation_does_not_overwrite_a_newer_one(made, django_capture_on_commit_callbacks):
    row = results.request(made.study)
    stale = StudyResult.objects.select_related("study").get(pk=row.pk)
    finish = results.compute(stale)
    StudyResult.objects.filter(pk=row.pk).update(state="running")
    with django_capture_on_commit_callbacks(execute=True):
        newer = computed(made.study).report["about"]["computed_at"]
        finish()
    assert results.Results(made.study).report["about"]["computed_at"] == newer
    assert not list(made.study.folder.glob(".draft-*"))


def test_no_answer_fails_with_the_reason_and_can_be_tried_again(clinic, admin_user, client_for, tmp_path):
    made = read_study(clinic, admin_user, tmp_path, readers=0)
    results.request(made.study)
    jobs.run_waiting(results.JOB)
    client = client_for(admin_user)
    page = body(client.get(url("study-results", made.study.pk)))
    assert "nothing to compute" in page and 'value="retry"' in page
    reader, _link = enrolment.enrol(made.study, group=made.study.groups.first(), by=admin_user)
    answer_all(reader)
    client.post(url("work", "study-results", made.study.pk), {"act": "retry"})
    jobs.run_waiting(results.JOB)
    assert "Fleiss" in body(client.get(url("study-results", made.study.pk)))


# Who sees them


def test_members_see_results_once_the_study_is_closed(made, client_for, clinician, outsider):
    computed(made.study)
    for page in PAGES:
        address = url(f"study-results{page}", made.study.pk)
        assert client_for(clinician).get(address).status_code == 200, page
        assert client_for(outsider).get(address).status_code == 404, page
    refused = client_for(clinician).post(url("study-results-act", made.study.pk), {"act": "compute"})
    assert refused.status_code == 403


@pytest.mark.parametrize("state", [Study.State.DRAFT, Study.State.OPEN])
def test_nobody_sees_results_before(clinic, admin_user, coordinator, client_for, clinician, tmp_path, state):
    made = read_study(clinic, admin_user, tmp_path, state=state, readers=2)
    computed(made.study)
    truth = BY_KEY["bcc"].name()
    files = [
        f"{url('study-results-download', made.study.pk)}?what={what}"
        for what in ("report", "answers", "everything")
    ]
    files.append(f"{url('study-results-figure', made.study.pk)}?kind=accuracy&as=csv")
    for user in (clinician, coordinator, admin_user):
        for address in [url(f"study-results{page}", made.study.pk) for page in PAGES] + files:
            response = client_for(user).get(address)
            assert response.status_code == 403 and truth not in body(response)
        api = client_for(user).get(url("api-study-result-detail", made.study.pk))
        assert api.status_code == 403
        assert client_for(user).get(url("api-study-result-list")).json()["results"] == []


def test_after_a_logged_decision_those_who_run_it_see_them(
    clinic, admin_user, coordinator, client_for, clinician, tmp_path
):
    made = read_study(clinic, admin_user, tmp_path, state=Study.State.OPEN, readers=2)
    service.unblind(made.study, admin_user, reason="A reader fell ill", typed=made.study.name)
    jobs.run_waiting(results.JOB)
    page = body(client_for(coordinator).get(url("study-results", made.study.pk)))
    assert "Preliminary" in page and "A reader fell ill" in page and "Ada" in page
    assert client_for(clinician).get(url("study-results", made.study.pk)).status_code == 403
    text = methods_text.paragraph(made.study, results.Results(Study.objects.get(pk=made.study.pk)).report)
    assert "before the study was closed" in text


# Pages and files


def test_the_pages_show_the_figures_of_the_report(made, client_for, clinician):
    found = computed(made.study).report
    (dataset,) = found["datasets"].values()
    client = client_for(clinician)
    page = body(client.get(url("study-results-disease", made.study.pk) + "?key=mm"))
    for point in (reader["points"]["mm"] for reader in dataset["sessions"]["unaided"]["readers"].values()):
        assert f"({point['true_positives']}/{point['positives']};" in page
    assert f"{dataset['diseases']['mm']['auc']:.3f}" in page
    readers = body(client.get(url("study-results-readers", made.study.pk) + "?session=1"))
    for reader in dataset["sessions"]["aided"]["readers"].values():
        assert f"({reader['right']}/{reader['n']};" in readers
    missed = body(client.get(url("study-results-missed", made.study.pk)))
    worst = dataset["sessions"]["unaided"]["most_missed"][0]
    assert worst["image"] in missed and f"{worst['wrong']} of {worst['of']} readers" in missed
    address = url("study-results-heatmap", made.study.pk) + "?image=1"
    assert client.get(address).content[:3] == b"\xff\xd8\xff"
    assert client.get(address + "999").status_code == 404
    photo = made.study.images.get(number=1).photo
    records.change(photo.lesion.patient, {"research_consent": "refused"}, clinician)
    assert client.get(address).status_code == 404
    missed = client.get(url("study-results-missed", made.study.pk))
    assert [one["is_barred"] for one in missed.context["tiles"] if one["row"].number == 1] in ([True], [])


def test_a_finished_study_is_a_pilot_for_those_of_its_clinic(made, client_for, coordinator):
    computed(made.study)
    other = factories.make_member(factories.make_clinic("Other"), "coordinator", "stranger")
    sent = {
        "plan": "1", "pilot": made.study.pk, "compare": "sessions", "measure": "accuracy", "difference": "0.1",
        "alpha": "0.05", "power": "0.8", "readers": "5",
    }  # fmt: skip
    for who, status in ((coordinator, 200), (other, 422)):
        planned = service.create(who.memberships.get().clinic, who, name="Planned")
        page = client_for(who).get(url("study-precision", planned.pk), sent)
        assert page.status_code == status
        assert ("4 readers, 19 photos" in body(page)) is (str(made.study) in body(page)) is (status == 200)
    home = url("study-precision", made.study.pk)
    assert "Choose the disease" in body(client_for(coordinator).get(home, sent | {"measure": "sensitivity"}))


def test_every_figure_can_be_had_as_every_kind_of_file(made, client_for, clinician):
    computed(made.study)
    client = client_for(clinician)
    kinds = [
        "kind=roc&key=bcc", "kind=roc&key=bcc&way=malignant", "kind=accuracy", "kind=time", "kind=agreement",
        "kind=against-model", "kind=subgroups", "kind=confusion&who=model", "kind=confusion&who=readers",
        "kind=confusion&who=reader:R02", "kind=slopes&first=unaided&second=aided",
    ]  # fmt: skip
    starts = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF", "csv": b"\xef\xbb\xbf"}
    for kind in kinds:
        for wanted, start in starts.items():
            response = client.get(f"{url('study-results-figure', made.study.pk)}?{kind}&as={wanted}")
            assert response.status_code == 200 and response.content.startswith(start), (kind, wanted)
            assert "synthetic-twelve-lesions-" in response["Content-Disposition"]
    for bad in (
        "kind=roc&key=acne&as=svg",
        "kind=none&as=svg",
        "kind=accuracy&as=exe",
        "kind=confusion&who=reader:R99&as=csv",
        "kind=confusion&who=R02&as=csv",
    ):
        assert client.get(f"{url('study-results-figure', made.study.pk)}?{bad}").status_code == 404


def test_the_zip_holds_everything(made, client_for, clinician):
    found = computed(made.study)
    response = client_for(clinician).get(url("study-results-download", made.study.pk) + "?what=everything")
    archive = zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))
    names = set(archive.namelist())
    assert json.loads(archive.read("report.json")) == found.report
    assert {
        "methods-en.txt",
        "methods-ko.txt",
        "replay/images.csv",
        "replay/scores.csv",
        "replay/answers.csv",
        "exchange/mrmcaov.csv",
        "exchange/README.txt",
    } <= names
    log = list(csv.DictReader(io.StringIO(archive.read("tables/reading_log.csv").decode().lstrip("\ufeff"))))
    answers = Answer.objects.filter(reading__reader__study=made.study, image__is_practice=False)
    assert len(log) == answers.count() and all(int(row["changes"]) >= 0 for row in log)
    first = answers.get(
        reading__reader__code=log[0]["reader"],
        reading__session__key=log[0]["session"],
        image__name=log[0]["image"],
    )
    assert first.reading.order[int(log[0]["position"]) - 1] == first.image.number
    assert (log[0]["from_paper"], log[0]["answered_at"]) == ("0", first.answered_at.isoformat())
    figures = {
        name.removesuffix(".svg") for name in names if name.startswith("figures/") and name.endswith(".svg")
    }
    assert figures == {
        folder + figure.name
        for folder, make in found.figures().makers()
        if (figure := make()).drawing is not None
    }
    listed = archive.read("index.html").decode()
    for kind in ("png", "pdf", "csv"):
        assert {f"{name}.{kind}" for name in figures} <= names
    assert all(f'href="{name}"' in listed for name in names - {"index.html"})
    # As chosen: here without figures; what is not offered is not found.
    address = url("study-results-download", made.study.pk) + "?what=everything&format="
    bare = zipfile.ZipFile(io.BytesIO(b"".join(client_for(clinician).get(address).streaming_content)))
    assert set(bare.namelist()) == {name for name in names if not name.startswith("figures/")}
    assert client_for(clinician).get(f"{address}exe").status_code == 404


def test_no_file_of_a_study_leaves_that_names_a_patient_a_file_or_a_reader(
    made, client_for, clinician, clinic, tmp_path
):
    image = made.study.images.counted().first()
    image.photo.original_name = "mole_of_kim_minji.jpg"
    image.photo.save()
    image.photo.lesion.patient = factories.make_patient(clinic, "HD-2231-X")
    image.photo.lesion.save()
    made.study.readers.filter(pk=made.readers[0].pk).update(name="Minji Kim", email="minji@example.org")
    known = leaving.watched(made.study)
    for named, what in (
        ("HD-2231-X", leaving.CODE), ("mole_of_kim_minji.jpg", leaving.FILE), ("Minji Kim", leaving.READER),
        ("minji@example.org", "email"), ("Reader 2", ""), ("P0001", ""), (image.name, ""),
    ):  # fmt: skip
        assert known.found_in("methods.txt", f"a study of {named}.".encode()) == what, named
    made.study.images.update(dataset="Cohort of HD-2231-X")
    computed(made.study)
    client, address = client_for(clinician), url("study-results-download", made.study.pk)
    for what in ("everything", "replay", "answers", "report", "images.csv"):
        refused = client.get(f"{address}?what={what}")
        assert refused.status_code == 302, what
        assert "holds what may not leave (a patient's code)" in messages_of(refused), what
    api = f"/api/study-results/{made.study.pk}/"
    for answer in (client.get(api), client.get(f"{api}file/?name=images.csv")):
        assert answer.status_code == 409 and "may not leave" in answer.json()["error"]["message"]
    # The dataset stands on figures, too, and in the names of their files.
    figure = f"{url('study-results-figure', made.study.pk)}?kind=accuracy&as="
    for kind in ("svg", "csv", "png"):
        assert client.get(figure + kind).status_code == 302, kind


def test_a_photo_that_holds_more_than_the_picture_is_not_printed(made, admin_user, client_for):
    image = made.study.images.counted().first()
    path = store.path_of(image.photo.file_key)
    path.write_bytes(path.read_bytes() + b"GPS")
    refused = client_for(admin_user).get(url("study-paper-pdf", made.study.pk))
    assert refused.status_code == 302 and "bytes behind its end" in messages_of(refused)


def test_all_answers_in_words_are_one_tidy_table(made, client_for, clinician):
    group = made.study.groups.first()
    group.key = "=cmd()"
    group.save()
    computed(made.study)
    content = body(client_for(clinician).get(url("study-results-download", made.study.pk) + "?what=answers"))
    rows = list(csv.DictReader(io.StringIO(content.lstrip("\ufeff"))))
    assert len(rows) == 4 * 2 * len(LABELS)
    assert {row["truth"] for row in rows} == {BY_KEY[key].name() for key in LABELS}
    assert "'=cmd()" in {row["group"] for row in rows}, "no cell is a formula"
    right = sum(row["result"] == "right" and row["session"] == "unaided" for row in rows)
    (dataset,) = results.Results(made.study).report["datasets"].values()
    assert right == sum(reader["right"] for reader in dataset["sessions"]["unaided"]["readers"].values())


def test_files_that_are_gone_can_be_computed_again(made, client_for, admin_user):
    computed(made.study)
    for path in (made.study.folder / results.FOLDER).iterdir():
        path.unlink()
    client = client_for(admin_user)
    assert "computed again" in body(client.get(url("study-results", made.study.pk)))
    assert client.get(url("study-results-readers", made.study.pk)).status_code == 302
    client.post(url("study-results-act", made.study.pk), {"act": "compute"})
    jobs.run_waiting(results.JOB)
    assert client.get(url("study-results-readers", made.study.pk)).status_code == 200


def test_the_progress_is_polled_until_it_stops(made, client_for, clinician):
    results.request(made.study)
    client = client_for(clinician)
    waiting = client.get(url("work", "study-results", made.study.pk))
    assert "Waiting" in body(waiting) and "HX-Refresh" not in waiting
    jobs.run_waiting(results.JOB)
    assert client.get(url("work", "study-results", made.study.pk))["HX-Refresh"] == "true"


# Words


WHOLE = {"note": "", "missing_share": 0.0}


def figures_of(given: dict) -> dict:
    """Tests of the first choice by disease: difference, low, high, p of non-inferiority, and p; read means other
    figures where missing answers are left out."""
    nothing = {"difference": None, "ci": None, "note": "no_positives", "argmax": None, "too_few": False}
    found = dict.fromkeys(DISEASE_KEYS, nothing)
    for key, (wrong, read, *few) in given.items():
        argmax = figure_of(*wrong) | {"as_read": figure_of(*(read or wrong))}
        # At the Youden threshold the model is far better, which must not matter.
        found[key] = figure_of(0.4, 0.3, 0.5, 1e-9, 1e-9) | {"argmax": argmax, "too_few": bool(few)}
    return found


def figure_of(difference, low, high, margin_p, p=0.5):
    return {
        "difference": difference, "ci": [low, high], "note": "", "p": p, "n_readers": 8,
        "non_inferiority": {"margin": 0.1, "t": 1.0, "df": 9.0, "p": margin_p},
    }  # fmt: skip


def said(tests, margin, primary, design=WHOLE, is_fixed=True):
    found = verdicts(tests, design, primary, margin, is_fixed=is_fixed)
    return {one.key: one for one in conclusions(found, tests, design, margin, primary)}


def test_conclusions_say_no_more_than_the_tests():
    tests = figures_of({
        "bcc": ((0.02, -0.06, 0.10, 0.002), None), "mm": ((-0.01, -0.095, 0.07, 0.02), None),
        "sk": ((-0.05, -0.2, 0.1, 0.2), None), "ak": ((-0.3, -0.4, -0.2, 0.99, 1e-4), None),
    })  # fmt: skip
    found = said(tests, 0.1, ["mm", "bcc"])
    assert list(found)[:2] == ["bcc", "mm"] and found["bcc"].is_primary and not found["sk"].is_primary
    assert found["bcc"].text == "Non-inferior with margin 0.1."
    assert found["bcc"].difference == "+0.020 (−0.060 to +0.100)" and found["bcc"].youden[:6] == "+0.400"
    assert "one-sided p after Holm: 0.004" in found["bcc"].multiplicity
    # 0.02 is below 0.025, and so it stays after Holm's correction: it is the larger of two.
    assert found["mm"].text == "Non-inferior with margin 0.1."
    assert found["sk"].text == "Secondary: an estimate, from which nothing is concluded."
    assert found["wart"].text == "not evaluable: no photo of it"
    assert "worse by more than 0.1" in said(tests, 0.1, ["ak"])["ak"].text
    assert said(tests, 0.1, ["sk"])["sk"].text == "Non-inferiority with margin 0.1 is not shown."
    smaller = tests | figures_of({"bcc": ((0.0, -0.099, 0.09, 0.024), None)})
    assert said(tests | {"bcc": smaller["bcc"]}, 0.1, ["mm", "bcc"])["bcc"].verdict == "not_shown", (
        "Holm: 0.04"
    )
    alone = said(tests, None, [])["bcc"]
    assert "no endpoint was named as primary" in alone.text and "nothing is adjusted" in alone.multiplicity
    assert "No margin was set" in said(tests, None, ["bcc"])["bcc"].text


def test_better_needs_the_primary_endpoints_together():
    one = (0.08, 0.01, 0.15, 1e-4, 0.03)
    alone = said(figures_of({"bcc": (one, None)}), 0.1, ["bcc"])
    assert alone["bcc"].text == "Non-inferior with margin 0.1, and better than the readers' mean."
    two = said(figures_of({"bcc": (one, None), "mm": (one, None)}), 0.1, ["bcc", "mm"])
    assert {two[key].text for key in ("bcc", "mm")} == {"Non-inferior with margin 0.1."}, "Holm: 0.06"


@each(
    "change, words",
    [
        ({"design": {"note": "other_images", "missing_share": 0.0}}, "Open: readers read different photos."),
        ({"design": {"note": "many_missing", "missing_share": 0.12}}, "Open: 12.0 % of the answers are"),
        ({"is_fixed": False}, "were not fixed in a protocol before the answers."),
        ({"few": True}, "Not evaluable: too few: fewer than 10 photos"),
        ({"read": (-0.2, -0.3, -0.1, 0.9, 0.01)}, "do not lead to the same conclusion"),
        ({"primary": ["mm"]}, "Secondary: an estimate"),
    ],
)  # fmt: skip
def test_whatever_speaks_against_it_leaves_the_verdict_open(change, words):
    change = dict(change)
    given = [(0.2, 0.1, 0.3, 1e-6, 1e-6), change.pop("read", None)] + [True] * change.pop("few", False)
    found = said(figures_of({"bcc": given}), 0.1, change.pop("primary", ["bcc"]), **change)["bcc"]
    assert found.verdict == "open" and words in found.text
    assert "Non-inferior" not in found.text and "better" not in found.text


def test_the_methods_say_what_was_done_and_no_more(made):
    study = made.study
    study.protocol_sha256, study.recipe = "ab" * 32, {"seed": 4242, "proven_only": True}
    study.opened_at = timezone.now()
    study.save()
    found = computed(study).report
    (name,) = found["datasets"]
    text = methods_text.paragraph(study, found)
    for part in (
        f"{len(LABELS)} photos were used, from {name}", "seed 4242", "4 readers took part (Professors 2, Clinicians 2)",
        "Basal cell carcinoma 4", "margin was 0.1", "abababababab", "All diagnoses were proven", "synthetic",
    ):  # fmt: skip
        assert part in text, part
    for absent in ("missing answer", "amended", "withdrew", "before the study was closed", "files"):
        assert absent not in text, absent
    study.recipe, study.protocol_sha256 = {}, ""
    Answer.objects.filter(reading__reader=made.readers[0], image__number=1).delete()
    enrolment.withdraw(made.readers[1], made.study.created_by)
    text = methods_text.paragraph(study, computed(study).report)
    assert "2 missing answers count as wrong" in text and "1 reader withdrew" in text
    assert "seed" not in text and "protocol" not in text and "proven" not in text
    paragraphs = dict(methods_text.paragraphs(study, found))
    assert list(paragraphs) == [code for code, _name in settings.LANGUAGES]
    assert "기저세포암종" in paragraphs["ko"]


# For programs


def test_programs_get_the_report_and_the_tables(made, client_for, clinician, admin_user, outsider):
    client, address = client_for(clinician), url("api-study-result-detail", made.study.pk)
    assert client.get(address).json()["error"]["code"] == "not_computed"
    found = computed(made.study)
    assert client.get(address).json() == found.report
    assert client.get(address + "?ak=malignant").json()["settings"]["ak"] == "malignant"
    (listed,) = client.get(url("api-study-result-list")).json()["results"]
    assert (listed["id"], listed["state"]) == (made.study.pk, "done")
    table = client.get(url("api-study-result-file", made.study.pk) + "?name=answers.csv")
    assert table.content == found.file("answers.csv")
    assert client.get(url("api-study-result-file", made.study.pk) + "?name=../report.json").status_code == 404
    assert client_for(outsider).get(address).status_code == 404
    compute = url("api-study-result-compute", made.study.pk)
    assert client.post(compute).status_code == 403
    assert client_for(admin_user).post(compute).json()["state"] == "waiting"


def test_results_are_there_while_they_are_computed_again(made):
    for _time in range(2):
        results.request(made.study)
        jobs.run_waiting(results.JOB)
        assert results.Results(made.study).curves
    assert [path.name for path in made.study.folder.iterdir() if path.name.startswith(".draft")] == []
