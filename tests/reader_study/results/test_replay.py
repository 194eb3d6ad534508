"""Replay from files: the files become a closed study with the results they have anywhere else; bad ones nothing."""

import io
import os
import re
import time
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from reader_study.models import Answer, Reader, Study, StudyImage, StudyResult
from reader_study.services.making import protocol
from reader_study.services.results import methods_text, replay_drafts, results, study_tables
from reader_study.statistics.report import report
from reader_study.statistics.tables import WholeSet, read_tables
from skinclinic.archive.models import SavedMapping
from skinclinic.engine import jobs
from tests.cases import each
from tests.reader_study.made_study import made_study
from tests.reader_study.read_study import computed, read_study
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db


@pytest.fixture
def tables():
    found = made_study(n=60, readers=4, missing=0.05)
    chance = np.random.default_rng(2)
    answers = tuple(
        replace(
            answer, seconds=round(chance.uniform(2, 30), 2), confidence=float(chance.integers(0, 101)),
            second="sk" if answer.answer and answer.answer != "sk" else "",
            first_answer="mm" if answer.session == "aided" else "",
        )
        for answer in found.answers
    )  # fmt: skip
    truth = tuple(image.truth for image in found.images) * 2
    whole = WholeSet(np.tile(found.scores, (2, 1)), truth, tuple(image.dataset for image in found.images) * 2)
    return replace(found, answers=answers, whole=whole)


def upload(files: dict[str, bytes], **more) -> dict:
    fields = {
        "images": "images.csv", "scores": "scores.csv", "answers": "answers.csv", "whole_images": "whole-images.csv",
        "whole_scores": "whole-scores.csv",
    }  # fmt: skip
    sent = {
        field: SimpleUploadedFile(name, files[name], "text/csv")
        for field, name in fields.items()
        if name in files
    }
    return {"act": "check", "name": "Replayed", "premalignant_as": "benign", **sent, **more}


def body(response) -> str:
    return response.content.decode()


def rows_of_everything() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Study, StudyImage, Reader, Answer, StudyResult))


def drafts() -> list:
    return [path for path in (settings.SKINCLINIC_HOME / "studies" / ".replays").glob("*/*")]


def make(client, files: dict[str, bytes], **more):
    """Check and make; the page after making."""
    checked = client.post(url("study-replay"), upload(files, **more))
    assert checked.status_code == 200, body(checked)
    sent = dict(checked.context["kept"]) | {"act": "create", "token": checked.context["token"]}
    if endpoints := more.get("endpoints"):
        sent["endpoints"] = endpoints
    return client.post(url("study-replay"), sent)


def test_files_become_a_closed_study_with_its_results(tables, client_for, coordinator, clinic):
    client = client_for(coordinator)
    before = rows_of_everything()
    files = study_tables.to_csv(tables)
    checked = client.post(url("study-replay"), upload(files, margin="0.1", endpoints=["bcc", "mm"]))
    page = body(checked)
    assert rows_of_everything() == before, "a dry run makes nothing"
    for shown in (
        "60:",
        "asan 30",
        "edinburgh 30",
        "whole test set of 120 photos",
        "professor",
        "Session aided",
    ):
        assert shown in page, shown
    made = client.post(
        url("study-replay"),
        {
            "act": "create", "token": checked.context["token"], "name": "Replayed", "margin": "0.1",
            "endpoints": ["bcc", "mm"], "premalignant_as": "benign",
        },
    )  # fmt: skip
    study = Study.objects.get(clinic=clinic)
    assert made.url == url("study-results", study.pk) and not drafts()
    assert (study.origin, study.state, study.margin, study.endpoints) == (
        "replay",
        "closed",
        0.1,
        ["bcc", "mm"],
    )
    assert study.readers.count() == 4 and not study.readers.exclude(secret_sha256=None).exists()
    assert dict(study.sessions.values_list("key", "is_aided")) == {"unaided": False, "aided": True}
    assert protocol.check(study).passed
    jobs.run_waiting(results.JOB)
    found = results.Results(study).report
    own = report(tables, margin=0.1, endpoints=["bcc", "mm"])
    assert {name: value for name, value in found.items() if name != "about"} == own
    assert own["datasets"]["asan"]["diseases"]["bcc"]["whole"] is not None
    shown = body(client.get(url("study-results", study.pk)))
    assert "How photos, scores and answers were collected is not recorded here." in shown
    text = methods_text.paragraph(study, found)
    assert "was set when the answers were already known" in text and "random order" not in text


def test_an_exported_study_replays_to_the_same_report(clinic, admin_user, client_for, coordinator, tmp_path):
    made = read_study(clinic, admin_user, tmp_path)
    first = computed(made.study).report
    client = client_for(coordinator)
    response = client.get(url("study-results-download", made.study.pk) + "?what=replay")
    archive = zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))
    files = {name: archive.read(name) for name in archive.namelist()}
    assert set(files) == set(study_tables.FILES)
    make(client, files, margin="0.1", endpoints=["bcc"])
    jobs.run_waiting(results.JOB)
    second = results.Results(Study.objects.get(name="Replayed"))
    assert second.report["datasets"] == first["datasets"]
    assert {name: second.file(name) for name in study_tables.FILES} == files
    for table in files:
        one = client.get(f"{url('study-results-download', made.study.pk)}?what={table}")
        assert one.content == files[table]


def test_what_is_written_reads_back_exactly(tables, tmp_path):
    odd = replace(tables.images[0], name="=1+1.jpg", dataset='with "quotes", comma', sex="female", age=0)
    answers = tuple(
        replace(one, image=odd.name) if one.image == tables.images[0].name else one for one in tables.answers
    )
    tables = replace(tables, images=(odd, *tables.images[1:]), answers=answers)
    for name, content in study_tables.to_csv(tables).items():
        (tmp_path / name).write_bytes(content)
    back = read_tables(*(tmp_path / name for name in study_tables.FILES))
    assert back.images == tables.images and back.answers == tables.answers
    assert np.array_equal(back.scores, tables.scores) and np.array_equal(
        back.whole.scores, tables.whole.scores
    )


def broken(files: dict[str, bytes], name: str, row: int, old: bytes, new: bytes) -> dict[str, bytes]:
    """One row of a file (as a spreadsheet counts) changed."""
    lines = files[name].split(b"\r\n")
    assert old in lines[row - 1], lines[row - 1]
    lines[row - 1] = lines[row - 1].replace(old, new, 1)
    return files | {name: b"\r\n".join(lines)}


@each("name, row, old, new, says", [
    ("images.csv", 3, b"asan,", b",", ["images.csv", ">3<", "dataset", "is empty"]),
    ("images.csv", 3, b"photo-0001", b"photo-0000", ["images.csv", ">3<", "the image is in row 2 too"]),
    ("scores.csv", 5, b",0.", b",much0.", ["scores.csv", ">5<", "is not a number"]),
    ("answers.csv", 7, b"photo-0005", b"nobody", ["answers.csv", ">7<", "not among the images of the study"]),
    ("answers.csv", 2, b"unaided", b"u" * 60, ["answers.csv", "session", "longer than 40 characters"]),
    ("whole-images.csv", 9, b"asan", b"", ["whole-images.csv", ">9<", "is empty"]),
])  # fmt: skip
def test_files_that_do_not_fit_change_nothing_and_say_where(
    tables, client_for, coordinator, name, row, old, new, says
):
    client, before = client_for(coordinator), rows_of_everything()
    response = client.post(
        url("study-replay"), upload(broken(study_tables.to_csv(tables), name, row, old, new))
    )
    assert response.status_code == 422 and rows_of_everything() == before and not drafts()
    for part in says:
        assert part in body(response), part


def test_words_and_letters_are_asked_about_kept_and_told(tables, client_for, coordinator, clinic):
    """Words nobody knows and text that could be read in several ways: asked, one after the other, then read so."""
    files = study_tables.to_csv(tables)
    files["images.csv"] = files["images.csv"].replace(b"nevus", b"Lesion type 7").replace(b",21,", b",85+,")
    files["images.csv"] = files["images.csv"].replace(b",female,", b",lady,")
    text = (
        files["answers.csv"]
        .decode("utf-8-sig")
        .replace("nevus", "Lesion type 7")
        .replace("professor", "Müller")
    )
    files["answers.csv"] = text.replace("iec", "other").replace("reader-03", "READER-01").encode("cp1252")
    client, before = client_for(coordinator), rows_of_everything()
    asked = client.post(url("study-replay"), upload(files, endpoints=["bcc"]))
    kept = [*asked.context["kept"], ("token", asked.context["token"])]

    def say(act: str, **more):
        sent: dict = {"endpoints": ["bcc"]}
        sent |= {name: value for name, value in kept if name != "endpoints"}
        return client.post(url("study-replay"), sent | {"act": act} | more)

    assert [one["file"] for one in asked.context["texts"]] == ["answers.csv"] and "Müller" in body(asked)
    refused = say("create", follow=True)
    assert refused.status_code == 302 and rows_of_everything() == before
    asked = say("say", **{"encoding-answers.csv": "cp1252"})
    words = {one["word"]: one for one in asked.context["words"]}
    assert set(words) == {"Lesion type 7", "other"}
    assert words["Lesion type 7"]["files"] == "images.csv, answers.csv" and words["other"]["count"] > 20
    none = say("say", word=["Lesion type 7", "other"], meaning=["acne", "psoriasis"])
    assert len(none.context["words"]) == 2
    kept_before = SavedMapping.objects.create(
        clinic=clinic, name="Ours", labels={"lesion TYPE 7": "nevus", "x": "mm"}
    )
    half = say("", use_saved="1", saved=kept_before.pk, word=["Lesion type 7", "other"], meaning=["", ""])
    assert [one["word"] for one in half.context["words"]] == ["other"]
    checked = say("say", word=["other"], meaning=["-"])
    page = body(checked)
    assert "“Lesion type 7” was read as Melanocytic nevus, as the mapping says" in page
    assert "Readers “reader-01”, “READER-01” are taken as different" in page
    assert (
        "answers.csv was read as Western European (Windows-1252) text" in page
        and rows_of_everything() == before
    )
    again = say("ask")
    assert [(one["word"], one["chosen"]) for one in again.context["words"]] == [
        ("Lesion type 7", "nevus"), ("other", "-"),
    ]  # fmt: skip
    assert [one["chosen"] for one in again.context["texts"]] == ["cp1252"]
    say("create")
    study = Study.objects.get()
    assert (
        study.read_as["labels"]
        == {"Lesion type 7": "nevus", "other": "-"}
        == study.protocol["read_as"]["labels"]
    )
    assert protocol.check(study).passed and not drafts()
    assert study.images.filter(truth="nevus").count() == sum(one.truth == "nevus" for one in tables.images)
    old = study.images.exclude(age_to=None).get()
    assert (old.age, old.age_to, old.age_range) == (85, 120, (85, 120))
    jobs.run_waiting(results.JOB)
    found = results.Results(study)
    assert b",85+," in found.file("images.csv")
    overview = body(client.get(url("study-results", study.pk)))
    assert "How the files were read" in overview and "“other” was taken as no answer" in overview
    said = "images.csv, sex “lady”: none of female, male, other; taken as not known (rows: 20)"
    assert said in page and said in overview
    text = methods_text.paragraph(study, found.report)
    assert "“Lesion type 7” was read as Melanocytic nevus, as the mapping says" in text
    assert found.tables.images == study_tables.of_study(study).images
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "ko"
    assert "sex “lady”: female, male, other 중 하나가 아님" in body(
        client.get(url("study-results", study.pk))
    )


def test_equal_errors_are_one_line(tables, client_for, coordinator):
    files = study_tables.to_csv(tables)
    files["answers.csv"] = files["answers.csv"].replace(b",photo-00", b",picture-00")
    files["images.csv"] = files["images.csv"].replace(b"photo-0002,", b"photo-0001,")
    response = client_for(coordinator).post(url("study-replay"), upload(files))
    first, *more = response.context["refused"].lines
    assert (first.column, first.value, first.rows) == ("image", "photo-0001", "4")
    (line,) = [one for one in more if one.file == "answers.csv"]
    assert (line.count, line.value) == (len(tables.answers), "picture-0000, picture-0001, picture-0002 …")
    assert line.rows.startswith("2, 3, 4, ") and line.rows.endswith(" …")
    assert f'{len(tables.answers)} rows: <span class="num">2, 3, 4' in body(response)


def test_odd_files_are_refused_with_the_reason(tables, client_for, coordinator):
    client, good = client_for(coordinator), study_tables.to_csv(tables)
    confident = good["answers.csv"].replace(b",50.0,", b",50.5,")
    assert confident != good["answers.csv"]
    header = good["answers.csv"].split(b"\r\n")[0]
    cases = {
        "This field is required": {name: good[name] for name in ("images.csv", "scores.csv")},
        "go together": {name: good[name] for name in good if name != "whole-scores.csv"},
        "say nothing": {name: good[name] for name in good if name != "scores.csv"},
        "The submitted file is empty": good | {"answers.csv": b""},
        "These columns are missing": good | {"answers.csv": b"a,b\r\n1,2\r\n"},
        "There is no answer in it": good | {"answers.csv": header + b"\r\n"},
        "Save it as CSV": good | {"images.csv": b"PK\x03\x04" + bytes(200)},
        "give whole numbers from 0 to 100": good | {"answers.csv": confident},
    }
    for says, files in cases.items():
        response = client.post(url("study-replay"), upload(files))
        assert response.status_code == 422 and says in body(response), says
    assert not Study.objects.exists() and not drafts()


def test_a_study_without_a_model_can_be_replayed(tables, client_for, coordinator):
    files = study_tables.to_csv(replace(tables, scores=None, whole=None))
    make(client_for(coordinator), files)
    jobs.run_waiting(results.JOB)
    study = Study.objects.get()
    assert results.Results(study).report["settings"]["has_model"] is False
    for page in (
        "study-results",
        "study-results-disease",
        "study-results-model",
        "study-results-agreement",
        "study-results-missed",
    ):
        response = client_for(coordinator).get(url(page, study.pk))
        assert response.status_code == 200 and ">Model against readers</a>" not in body(response), page
        if page == "study-results-agreement":
            assert response.context["who"] == "readers"


@pytest.mark.parametrize("seconds", [None, 0.0])
def test_a_session_without_answers_or_a_model_has_pages_and_files(tables, client_for, coordinator, seconds):
    answers = tuple(
        replace(
            one, answer="" if one.session == "aided" else one.answer, second="", first_answer="", group="",
            seconds=seconds,
        )
        for one in tables.answers
    )  # fmt: skip
    client = client_for(coordinator)
    make(client, study_tables.to_csv(replace(tables, scores=None, whole=None, answers=answers)))
    jobs.run_waiting(results.JOB)
    study = Study.objects.get()
    for session in range(2):
        for part in (
            "",
            "-disease",
            "-panels",
            "-readers",
            "-model",
            "-sessions",
            "-agreement",
            "-missed",
            "-methods",
        ):
            response = client.get(f"{url(f'study-results{part}', study.pk)}?dataset=1&session={session}")
            assert response.status_code == 200, (part, session)
    page = body(client.get(f"{url('study-results-disease', study.pk)}?session=1"))
    assert "not evaluable: no answers" in page
    response = client.get(url("study-results-download", study.pk) + "?what=everything")
    names = zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content))).namelist()
    assert "report.json" in names and "figures/roc/asan-bcc-unaided-roc.svg" in names
    assert "figures/roc/asan-bcc-aided-roc.svg" not in names
    assert ("figures/readers/asan-unaided-time.svg" in names) == (seconds is not None)


def test_missing_answers_of_a_dataset_never_reached_are_in_the_methods(tables, client_for, coordinator):
    """A reader who never came to the second dataset; another who read one session only."""
    first = {image.name for image in tables.images if image.dataset == "asan"}
    answers = tuple(
        replace(one, answer=one.answer or "mm")
        if one.reader != "reader-01" or one.image in first
        else replace(one, answer="", reached=False)
        for one in tables.answers
        if (one.reader, one.session) != ("reader-02", "aided")
    )
    make(client_for(coordinator), study_tables.to_csv(replace(tables, answers=answers)))
    jobs.run_waiting(results.JOB)
    study = Study.objects.get()
    text = methods_text.paragraph(study, results.Results(study).report)
    # 30 photos of the second dataset in 2 sessions.
    assert "60 missing answers count as wrong." in text
    overview = body(client_for(coordinator).get(url("study-results", study.pk)))
    assert "90 / 120" in overview and "60 / 90" in overview, "of those who count in the session"
    address = url("study-results-readers", study.pk)
    never_reached = body(client_for(coordinator).get(f"{address}?dataset=1"))
    assert "0 / 30" in never_reached and "(0/30;" in never_reached
    silent = body(client_for(coordinator).get(f"{address}?session=1"))
    assert "reader-02" in silent and "not evaluable: no answers" in silent
    assert (
        "30 not reached" in overview
        and "Nothing is concluded: 33.3 % of the answers are missing." in overview
    )


def test_photos_that_readers_were_never_shown_are_said_and_leave_every_verdict_open(
    tables, client_for, coordinator
):
    """Readers of halves, in the second session of the other half: what the others read is not missing, and nothing is
    concluded."""
    half = {image.name for image in tables.images[::2]}
    answers = tuple(
        replace(one, answer=one.answer or "mm")
        for one in tables.answers
        if (one.image in half) == ((one.reader == "reader-01") == (one.session == "unaided"))
    )
    client = client_for(coordinator)
    make(client, study_tables.to_csv(replace(tables, answers=answers)))
    jobs.run_waiting(results.JOB)
    study = Study.objects.get()
    stored = study_tables.of_study(study)
    assert {(one.session, one.reader, one.image) for one in stored.answers} == {
        (one.session, one.reader, one.image) for one in answers
    }
    for name in ("", "-model", "-sessions", "-readers"):
        text = re.sub(r"\s+", " ", body(client.get(url(f"study-results{name}", study.pk))))
        assert "Nothing is concluded: readers read different photos." in text, name
        assert "0 skipped, 0 not reached" in text and "never shown" in text
        assert "Design: split-plot" in text and "(2 blocks)" in text
        assert ("As two independent samples: " in text) == (name == "-sessions")
        assert "Non-inferior with" not in text and "better than the readers" not in text
    (first, *_rest) = results.Results(study).report["datasets"].values()
    assert {one["verdict"] for one in first["verdicts"]["unaided"].values()} == {"open"}
    assert "Readers were shown different photos" in methods_text.paragraph(
        study, results.Results(study).report
    )


def test_the_methods_name_the_model_whose_scores_were_in_the_files(tables, client_for, coordinator):
    make(client_for(coordinator), study_tables.to_csv(tables))
    jobs.run_waiting(results.JOB)
    study = Study.objects.get()
    text = methods_text.paragraph(study, results.Results(study).report)
    assert "The model whose scores were in the files decides by the Youden threshold" in text
    assert "It decides" not in text and "The model was" not in text


def test_readers_may_be_called_model_and_readers(tables, client_for, coordinator):
    called = {"reader-00": "model", "reader-01": "readers", "reader-02": "reader:model"}
    answers = tuple(replace(one, reader=called.get(one.reader, one.reader)) for one in tables.answers)
    client = client_for(coordinator)
    make(client, study_tables.to_csv(replace(tables, answers=answers)))
    jobs.run_waiting(results.JOB)
    study = Study.objects.get()
    titles = {
        who: client.get(url("study-results-agreement", study.pk), {"who": who}).context["drawn"][0][1].title
        for who in ("model", "readers", *(f"reader:{code}" for code in (*called.values(), "reader-03")))
    }
    assert titles == {
        "model": "Confusion matrix of the model: asan",
        "readers": "Confusion matrix of all readers together: asan, unaided",
        **{
            f"reader:{code}": f"Confusion matrix of {code}: asan, unaided"
            for code in (*called.values(), "reader-03")
        },
    }
    page = body(client.get(url("study-results-agreement", study.pk)))
    for value in titles:
        assert f'<option value="{value}"' in page, value
    content = client.get(
        url("study-results-figure", study.pk), {"kind": "confusion", "who": "reader:model", "as": "csv"}
    )
    matrix = results.Results(study).report["datasets"]["asan"]["sessions"]["unaided"]["readers"]["model"]
    first = body(content).splitlines()[1].split(",")[1:]
    assert [int(cell) for cell in first] == matrix["confusion"]["counts"][0][: len(first)]


def test_names_are_kept_apart_and_settings_checked(tables, client_for, coordinator):
    client, files = client_for(coordinator), study_tables.to_csv(tables)
    make(client, files)
    taken = client.post(url("study-replay"), upload(files))
    assert taken.status_code == 422 and "already has a study" in body(taken)
    for wrong in (
        {"margin": "1.5"},
        {"margin": "nan"},
        {"premalignant_as": "other"},
        {"endpoints": ["acne"]},
        {"name": "a\0b"},
    ):
        assert (
            client.post(url("study-replay"), upload(files, **({"name": "Another"} | wrong))).status_code
            == 422
        ), wrong


def test_files_that_wait_belong_to_who_sent_them(tables, client_for, coordinator, admin_user):
    token = (
        client_for(coordinator)
        .post(url("study-replay"), upload(study_tables.to_csv(tables)))
        .context["token"]
    )
    sent = {"act": "create", "name": "Stolen", "premalignant_as": "benign"}
    for stolen in (token, f"../{coordinator.pk}/{token}", "..", "", "\0"):
        client_for(admin_user).post(url("study-replay"), sent | {"token": stolen})
    assert not Study.objects.exists()
    (waiting,) = drafts()
    old = time.time() - 2 * 86_400
    os.utime(waiting, (old, old))
    replay_drafts.drop_old()
    assert not drafts()
    late = client_for(coordinator).post(url("study-replay"), sent | {"token": token}, follow=True)
    assert "Choose them again" in body(late) and not Study.objects.exists()


def test_only_those_who_run_studies_may_replay(tables, client_for, clinician):
    response = client_for(clinician).post(url("study-replay"), upload(study_tables.to_csv(tables)))
    assert response.status_code == 403 and not drafts()
