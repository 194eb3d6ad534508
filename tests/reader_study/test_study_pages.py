"""Pages of the coordinator: the whole way through the views, bad input, who sees what."""

import json
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import translation

from reader_study.models import Answer, Reader, Study
from reader_study.services.making import readers, studies
from reader_study.services.results import model_answers
from skinclinic.engine import jobs
from skinclinic.services import step_up
from tests.cases import each
from tests.reader_study.conftest import WANTED
from tests.skinclinic.pages import NASTY, messages_of, url

pytestmark = pytest.mark.django_db


def text_of(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


@pytest.fixture
def client(client_for, coordinator):
    return client_for(coordinator)


def settings_form(study: Study, **changed) -> dict:
    sent = {
        "name": study.name, "question": study.question, "instructions": study.instructions, "choices": study.choices,
        "premalignant_as": "benign", "model_version": study.model_version_id or "", "may_go_back": "on",
        "endpoints": ["bcc"], "margin": "0.05", "washout_days": "0",
    }  # fmt: skip
    return sent | changed


def test_a_study_is_made_by_its_pages(client, clinic, stocked, client_for, monkeypatch):
    assert "No reader study yet" in text_of(client.get(url("studies")))
    answer = client.post(url("study-new"), {"name": "By page", "description": "Why"})
    study = Study.objects.get()
    assert answer["Location"] == url("study-settings", study.pk)
    sent = {
        "set": "1",
        "version": [one.pk for one in stocked.versions],
        "proven": "1",
        "patient": "1",
        "by": "disease",
    }
    page = client.get(url("study-sample", study.pk), sent)
    assert page.content.decode().count("of 6 photos") == 4
    paper = client.post(url("study-sample", study.pk), sent | {"act": "paper"})
    assert f'name="n-{stocked.versions[0].pk}-bcc" value="25"' in paper.content.decode()
    numbers = {f"n-{one.pk}-{key}": n for one in stocked.versions for key, n in WANTED.items()}
    drawn = client.post(
        url("study-sample", study.pk), sent | numbers | {"seed": "5", "practice": "2", "act": "draw"}
    )
    assert drawn.status_code == 302 and study.images.filter(is_practice=False).count() == 2 * sum(
        WANTED.values()
    )
    saved = client.post(url("study-settings", study.pk), settings_form(study, model_version=stocked.model.pk))
    assert saved.status_code == 302, text_of(saved)
    page = text_of(client.get(url("study", study.pk)))
    # After each part it is said what comes next.
    assert "Saved. Next: The sample was drawn before" in page
    assert "drawn before this model was chosen" in page and "No reader is invited yet" in page
    client.post(url("study-sample-act", study.pk), {"act": "redraw"})
    assert "were drawn. Next: " in text_of(client.get(url("study-sample", study.pk)))
    links = client.post(
        url("study-readers", study.pk), {"lines": "Ann, ann@example.org, Professors, 12\nBo,,Clinicians"}
    )
    assert re.findall(r"/reading/[\w-]{43}/", links.content.decode())
    assert not re.findall(r"/reading/[\w-]{43}/", client.get(url("study-readers", study.pk)).content.decode())
    assert (
        "disabled" in client.get(url("study", study.pk)).content.decode().split("Open the study")[-2][-200:]
    )
    assert "hx-get" in client.get(url("work", "study-model", study.pk)).content.decode()
    jobs.run_waiting(model_answers.JOB)
    assert client.get(url("work", "study-model", study.pk))["HX-Refresh"] == "true"
    assert "Nothing stands in the way" in text_of(client.get(url("study", study.pk)))
    client.post(url("study-act", study.pk), {"act": "open"})
    study.refresh_from_db()
    assert study.is_open
    page = text_of(client.get(url("study", study.pk)))
    assert "Unchanged since opening" in page and study.protocol_sha256 in page
    downloaded = client.get(url("study-protocol", study.pk))
    assert json.loads(downloaded.content)["margin"] == 0.05
    amended = {
        "description": "Why",
        "instructions": "Shorter.",
        "ends_on": "2030-01-31",
        "reason": "Too long",
    }
    client.post(url("study-amend", study.pk), amended)
    page = text_of(client.get(url("study", study.pk)))
    assert (
        "Too long" in page
        and "Shorter." in page
        and "2030-01-31" in page
        and "Unchanged since opening" in page
    )
    for name in ("study-log", "study-paper", "study-settings", "study-sample", "study-progress"):
        assert client.get(url(name, study.pk)).status_code == 200
    assert "Too long" in text_of(client.get(url("study-log", study.pk)))
    unblind = {"act": "unblind", "reason": "safety", "typed": "By page"}
    with monkeypatch.context() as patch:
        patch.setattr(step_up, "is_fresh", lambda request: False)
        assert client.post(url("study-act", study.pk), unblind).status_code == 403
    assert "Unblinded before closing" not in text_of(client.get(url("study", study.pk)))
    client.post(url("study-act", study.pk), unblind)
    assert "Unblinded before closing" in text_of(client.get(url("study", study.pk)))
    client.post(url("study-act", study.pk), {"act": "close", "typed": study.name})
    study.refresh_from_db()
    assert study.is_closed
    page = text_of(client.get(url("study", study.pk)))
    assert "Close the study" not in page and "Preview as a reader" not in page


def test_two_coordinators_keep_what_the_other_saved(client, clinic, coordinator):
    study = studies.create(clinic, coordinator, name="Two of us")
    address = url("study-settings", study.pk)
    page = client.get(address).context
    forms = (page["form"], page["protocol_form"], page["asked_form"], page["for_readers"])
    seen = {one.seen_name: one.initial[one.seen_name] for one in forms}
    assert len(seen) == 4 and all(f'name="{name}"' in client.get(address).content.decode() for name in seen)
    form = settings_form(study, model_version="", endpoints=[], margin="", may_go_back="on") | seen
    first = {
        "question": "Benign or malignant?", "margin": "0.1", "shown_facts": ["age"], "has_aided": "on",
        "washout_days": "7", "choices_after": "2", "ethics": "2026-1", "question_in-ko": "진단은?",
    }  # fmt: skip
    assert client.post(address, form | first).status_code == 302
    assert client.post(address, form | {"asks_second": "on", "funding": "None"}).status_code == 302
    study.refresh_from_db()
    assert (study.question, study.margin, study.shown_facts) == ("Benign or malignant?", 0.1, ["age"])
    assert (study.choices_after, study.ethics, study.funding) == (2, "2026-1", "None")
    assert study.asks_second and study.question_in == {"ko": "진단은?"}
    assert study.sessions.get(is_aided=True).washout_days == 7
    clash = client.post(
        address, form | {"shown_facts": ["sex"], "ethics": "2026-2", "question_in-ko": "무엇?"}
    )
    text = text_of(clash)
    assert clash.status_code == 409 and "2026-1" in text and "진단은?" in text and "meanwhile to: age" in text
    study.refresh_from_db()
    assert study.ethics == "2026-1"


def test_amending_only_the_day_leaves_the_text_alone(client, opened):
    """Browsers send line ends of their own."""
    text = opened.instructions.replace("\n", "\r\n")
    client.post(
        url("study-amend", opened.pk),
        {"description": "", "instructions": text, "ends_on": "2030-01-31", "reason": "More time"},
    )
    assert list(opened.events.filter(kind="amended").get().details) == ["ends_on"]


def test_opening_what_is_not_ready_says_why(client, draft):
    answer = client.post(url("study-act", draft.pk), {"act": "open"})
    assert "There is no sample yet" in messages_of(answer) and Study.objects.get(pk=draft.pk).is_draft


@each("changed, said", [
    ({"choices": ["bcc"]}, "at least two"), ({"choices": ["psoriasis", "bcc"]}, "not one of the available"),
    ({"margin": "0"}, "greater than or equal"), ({"margin": "abc"}, "Enter a number"),
    ({"margin": "nan"}, "Enter a"), ({"washout_days": "4000"}, "less than or equal"), ({"name": ""}, "required"),
    ({"question": "a\nb"}, "one line"),
    ({"model_version": "999999"}, "valid choice"), ({"instructions": ""}, "required"),
    ({"group-new": "Professors"}, "same name"), ({"ends_on": "soon"}, "valid date"),
])  # fmt: skip
def test_wrong_settings_are_said_and_change_nothing(client, ready, changed, said):
    before = Study.objects.filter(pk=ready.pk).values().get()
    answer = client.post(url("study-settings", ready.pk), settings_form(ready, **changed))
    assert answer.status_code == 422 and said in text_of(answer)
    assert Study.objects.filter(pk=ready.pk).values().get() == before and ready.groups.count() == 2


def test_another_clinics_model_cannot_be_chosen(client, ready, other_clinic, tmp_path):
    from tests import evaluated

    theirs = evaluated.make_model(other_clinic, tmp_path, "theirs", seed=3)
    answer = client.post(url("study-settings", ready.pk), settings_form(ready, model_version=theirs.pk))
    assert answer.status_code == 422


@each("value", NASTY)
def test_nonsense_is_answered_kindly(client, opened, value):
    draft = studies.create(opened.clinic, None, name="Another draft")
    reader = opened.readers.first()
    short = value[:2000]
    query = dict.fromkeys(("version", "by", "set", "cursor", "reading"), short)
    names = (
        "study",
        "study-sample",
        "study-settings",
        "study-readers",
        "study-paper",
        "study-paper-pdf",
        "study-log",
    )
    for name in names:
        assert client.get(url(name, opened.pk), query).status_code in (200, 302, 400, 404)
        assert client.get(url(name, draft.pk), query).status_code in (200, 302, 400, 404)
    assert client.get(url("studies"), query).status_code == 200
    fields = (
        "name", "act", "set", "version", "seed", "practice", "n-1-bcc", "lines", "reason", "group", "typed", "take",
        "replace", "question", "instructions", "choices", "margin", "group-new", "ends_on", "keep", "file", "reader",
        "session", "description",
    )  # fmt: skip
    sent = dict.fromkeys(fields, value)
    kind = (200, 302, 400, 413, 422)
    for pk in (opened.pk, draft.pk):
        for name in ("study-act", "study-amend", "study-sample", "study-sample-act", "study-settings", "study-readers",
                     "study-paper-answers"):  # fmt: skip
            assert client.post(url(name, pk), sent).status_code in kind, name
    assert client.post(url("study-reader", opened.pk, reader.pk), sent).status_code in kind
    assert client.post(url("study-new"), sent).status_code in kind
    opened.refresh_from_db()
    assert opened.is_open and not opened.is_unblinded


@each("sent, said", [
    ({}, "from 1 to 10 datasets"), ({"version": "0"}, "from 1 to 10 datasets"),
    ({"seed": "-3"}, "seed is a whole number"), ({"seed": "9" * 10}, "seed is a whole number"),
    ({"practice": "51"}, "0 to 50"), ({"bcc": "1.5"}, "whole numbers"), ({"bcc": ""}, "1 to 2,000"),
    ({"bcc": "2001"}, "1 to 2,000"),
])  # fmt: skip
def test_wrong_recipes_are_said(client, draft, stocked, sent, said):
    one = stocked.versions[0].pk
    full = {"set": "1", "version": one, "by": "disease", "act": "draw", f"n-{one}-bcc": sent.pop("bcc", "3")}
    if not sent and said.endswith("datasets"):
        full.pop("version")
    answer = client.post(url("study-sample", draft.pk), full | sent)
    assert answer.status_code == 422 and said in text_of(answer)
    assert not draft.images.exists()


def test_a_tier_is_drawn_by_its_page(client, draft, stocked):
    one = stocked.versions[0].pk
    sent = {"set": "1", "version": one, "proven": "1", "patient": "1", "by": "tier", "act": "draw"}
    client.post(url("study-sample", draft.pk), sent | {f"n-{one}-malignant": "4", f"n-{one}-benign": "5"})
    truths = list(draft.images.filter(is_practice=False).values_list("truth", flat=True))
    assert sum(truth in ("bcc", "mm") for truth in truths) == 4 and len(truths) == 9


def test_photos_are_taken_out_and_replaced_on_the_page(client, ready):
    image = ready.images.filter(truth="sk", is_practice=False).first()
    answer = client.post(url("study-sample-act", ready.pk), {"replace": image.pk})
    assert "took its place" in messages_of(answer)
    new = ready.images.get(number=image.number)
    client.post(url("study-sample-act", ready.pk), {"take": new.pk})
    answer = client.post(url("study-sample-act", ready.pk), {"take": new.pk})
    assert "not in the sample any more" in messages_of(answer)
    assert "2 photos were taken out" in text_of(client.get(url("study-sample", ready.pk)))


def test_readers_are_renewed_reminded_and_withdrawn(client, opened, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    ann, bo = opened.readers.order_by("pk")
    renewed = client.post(url("study-reader", opened.pk, ann.pk), {"act": "renew"})
    assert len(re.findall(r"/reading/[\w-]{43}/", renewed.content.decode())) == 1
    reminded = client.post(url("study-remind", opened.pk))
    assert "Reminders to send yourself" in text_of(reminded) and "0 of 20 photos" in text_of(reminded)
    client.post(url("study-reader", opened.pk, bo.pk), {"act": "withdraw", "reason": ""})
    assert Reader.objects.get(pk=bo.pk).withdrawn_at is None
    client.post(url("study-reader", opened.pk, bo.pk), {"act": "withdraw", "reason": "moved"})
    assert Reader.objects.get(pk=bo.pk).withdrawn_at
    assert "withdrawn" in text_of(client.get(url("study-progress", opened.pk)))
    other = studies.create(opened.clinic, None, name="Other")
    assert client.post(url("study-reader", other.pk, ann.pk), {"act": "renew"}).status_code == 404


def test_wrong_lines_come_back_as_they_were_typed(client, ready):
    lines = "Cho, nowhere, Professors\nAnn, ann@example.org, Professors"
    answer = client.post(url("study-readers", ready.pk), {"lines": lines})
    text = text_of(answer)
    assert (
        answer.status_code == 422
        and "Line 1:" in text
        and "Line 2:" in text
        and lines in answer.content.decode()
    )
    assert ready.readers.count() == 2


def test_a_preview_opens_the_readers_own_page_at_once(client, draft, ready):
    answer = client.post(url("study-preview", ready.pk))
    assert re.search(r"/reading/[\w-]{43}/$", answer["Location"])
    empty = studies.create(ready.clinic, None, name="Empty")
    assert "draw a sample first" in messages_of(client.post(url("study-preview", empty.pk)))


def test_the_pdf_is_sent_and_answers_come_back(client, opened):
    sent = client.get(url("study-paper-pdf", opened.pk))
    data = b"".join(sent.streaming_content)
    assert data.startswith(b"%PDF") and len(data) == int(sent["Content-Length"])
    reading = opened.readers.first().readings.get()
    assert client.get(url("study-paper-pdf", opened.pk), {"reading": reading.pk})[
        "Content-Disposition"
    ].count("R01")
    table = "\n".join(["number,answer", *(f"{n},mm" for n in reading.order)])
    file = SimpleUploadedFile("answers.csv", table.encode())
    checked = client.post(
        url("study-paper-answers", opened.pk), {"act": "check", "file": file, "reader": reading.reader_id}
    )
    assert "20 answers can be read" in text_of(checked) and not Answer.objects.exists()
    name = re.search(r'name="file" value="([0-9a-f]{64})"', checked.content.decode())[1]
    sent = {"act": "write", "file": name, "reader": reading.reader_id}
    client.post(url("study-paper-answers", opened.pk), sent)
    assert Answer.objects.filter(is_from_paper=True).count() == 20
    again = client.post(url("study-paper-answers", opened.pk), sent)
    assert again.status_code == 422 and "not here any more" in text_of(again)
    escape = client.post(url("study-paper-answers", opened.pk), sent | {"file": "../../secret"})
    assert escape.status_code == 422


def test_a_file_that_is_no_table_is_said(client, opened):
    for data in (b"", b"\x89PNG\r\n\x1a\n", b"number\n1\n", b"x" * (5 * 1024**2 + 1)):
        file = SimpleUploadedFile("answers.csv", data)
        answer = client.post(url("study-paper-answers", opened.pk), {"act": "check", "file": file})
        assert answer.status_code == 422 and 'role="alert"' in answer.content.decode()
    assert not list((opened.folder / "paper").glob("*")) and not Answer.objects.exists()


def test_members_see_that_a_study_exists_and_after_closing_its_sample(
    opened, clinician, client_for, coordinator
):
    client = client_for(clinician)
    assert opened.name in text_of(client.get(url("studies")))
    page = text_of(client.get(url("study", opened.pk)))
    assert "Close the study" not in page and "Answers on paper" not in page
    for name in ("study-sample", "study-log", "study-protocol", "study-readers", "study-settings"):
        assert client.get(url(name, opened.pk)).status_code == 403
    studies.close(opened, coordinator)
    for name in ("study-sample", "study-log", "study-protocol"):
        assert client.get(url(name, opened.pk)).status_code == 200
    assert client.get(url("study-readers", opened.pk)).status_code == 403


def test_hundreds_of_studies_come_in_pages(client, clinic, django_assert_max_num_queries):
    Study.objects.bulk_create(Study(clinic=clinic, name=f"Study {n:03d}", state="open") for n in range(120))
    with django_assert_max_num_queries(16):
        page = client.get(url("studies"))
    assert page.content.decode().count("/studies/") > 50 and "Study 119" in text_of(page)
    following = re.search(r'href="([^"]+cursor=[^"]+)"', page.content.decode())[1]
    assert "Study 069" in text_of(client.get(following)) and "Study 119" not in text_of(client.get(following))


def test_pages_hold_in_korean(client, opened):
    with translation.override("ko"):
        client.cookies["django_language"] = "ko"
    for name in ("study", "study-sample", "study-settings", "study-readers", "study-paper", "study-log"):
        assert client.get(url(name, opened.pk)).status_code == 200
    assert client.get(url("study-paper-pdf", opened.pk)).status_code == 200


def test_the_preview_reader_is_in_no_list(client, opened, coordinator):
    readers.preview(opened, coordinator)
    for name in ("study-readers", "study-paper", "study-log"):
        assert "preview" not in client.get(url(name, opened.pk)).content.decode().split("<main")[1].replace(
            url("study-preview", opened.pk), ""
        )
