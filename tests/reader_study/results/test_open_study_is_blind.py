"""While a study is open nobody learns how right its readers are, by any address, until it is unblinded."""

import hashlib
import re
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import NoReverseMatch, URLPattern, get_resolver, reverse

from reader_study.models import Answer, AnswerChange, Study
from reader_study.services.making import protocol, studies
from reader_study.services.reading import answer_files
from reader_study.services.results import results
from skinclinic.engine import jobs
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests.readings import Link, body_of
from tests.skinclinic.pages import url
from tests.studies import make_study

pytestmark = pytest.mark.django_db

TRUTH = ["bcc", "mm", "sk", "pg", "wart", "df"]
QUESTIONS = [{}, {"as": "csv", "kind": "accuracy"}, {"what": "answers"}, {"name": "answers-in-words.csv"}]
WORDS = {word for question in QUESTIONS for word in question}
# What differs from one answer to the next, whoever asks.
PASSING = re.compile(r'name="csrfmiddlewaretoken" value="\w+"|"[A-Za-z0-9]{32,64}"|\b\d\d:\d\d(:\d\d)?\b')


@pytest.fixture
def made(clinic, coordinator):
    """An open study whose two readers have answered everything; the first by screen, the second on paper."""
    made = make_study(clinic, coordinator, labels=TRUTH, practice=1, readers=2)
    study = made.study
    study.state, study.question = Study.State.DRAFT, "Which?"
    study.save()
    protocol.fix(study)
    study.state = Study.State.OPEN
    study.save()
    link = Link(made.secrets[0]).begin()
    for position in range(1, len(TRUTH) + 1):
        assert link.answer(position, "nevus").status_code == 200
    path = study.folder / "paper.csv"
    path.parent.mkdir(parents=True)
    path.write_bytes(sheet("R02", ["nevus"] * len(TRUTH)))
    answer_files.write(study, path, coordinator)
    return made


def sheet(reader: str, answers: list[str]) -> bytes:
    lines = [f"{number},{reader},{answer}" for number, answer in enumerate(answers, start=1)]
    return "\n".join(["number,reader,answer", *lines]).encode()


def patterns(resolver=None):
    for found in (resolver or get_resolver()).url_patterns:
        if isinstance(found, URLPattern):
            yield found
        else:
            yield from patterns(found)


def addresses(study: Study) -> list[str]:
    """Every address that a member can ask for a study, its readings, answers and results."""
    rows = {
        "api-reading": study.readers.first().readings.get().pk,
        "api-answer": Answer.objects.filter(reading__reader__study=study).first().pk,
        "api-answer-change": AnswerChange.objects.filter(reading__reader__study=study).first().pk,
    }
    found = []
    for name in sorted({one.name for one in patterns() if one.name}):
        if not re.match(r"(api-)?stud(y|ies)\b|api-(reading|answer)", name):
            continue
        base = name.removesuffix("-list").removesuffix("-detail")
        for args in ([], [rows.get(base, study.pk)], [study.pk, study.readers.first().pk]):
            try:
                found.append(reverse(name, args=args))
            except NoReverseMatch:
                continue
    assert len(found) > 40
    return found


@pytest.fixture
def seen_by(words_read) -> Callable:
    """seen_by(client, study) -> what each address answers to each question that can matter to it, without what is
    never twice the same."""

    def seen(client, study: Study) -> dict[str, tuple[int, str]]:
        said = {}
        for address in addresses(study):
            words_read.forget()
            for query in QUESTIONS:
                whole = f"{address}?{urlencode(query)}"
                response = client.get(whole)
                content = body_of(response) if "pdf" not in response.get("Content-Type", "") else b""
                said[whole] = (response.status_code, PASSING.sub("", content.decode()))
                if not words_read.any_of(WORDS):
                    break
        return said

    return seen


def let_all_be_right(study: Study) -> None:
    """Turn every answer into what the photo shows, leaving no other trace."""
    for model in (Answer, AnswerChange):
        for row in model.objects.filter(reading__reader__study=study).select_related("image"):
            model.objects.filter(pk=row.pk).update(choice=row.image.truth)


def test_no_address_tells_how_right_the_readers_are(
    made, coordinator, admin_user, clinician, client_for, seen_by
):
    study = made.study
    for user in (coordinator, admin_user, clinician):
        client = client_for(user)
        wrong = seen_by(client, study)
        assert max(status for status, _text in wrong.values()) < 500
        before = {row.pk: row.choice for row in Answer.objects.all()}
        let_all_be_right(study)
        right = seen_by(client, study)
        assert {address for address, said in wrong.items() ^ right.items()} == set()
        for pk, choice in before.items():
            Answer.objects.filter(pk=pk).update(choice=choice)
        AnswerChange.objects.update(choice="nevus")


def test_the_same_addresses_tell_it_once_the_study_is_unblinded(
    made, coordinator, clinician, client_for, seen_by
):
    """Which also shows that the test above would notice."""
    study = studies.unblind(made.study, coordinator, reason="safety", typed=made.study.name)
    jobs.run_waiting(results.JOB)
    assert study.events.filter(kind="unblinded", by=coordinator, reason="safety").exists()
    client, member = client_for(coordinator), client_for(clinician)
    told, kept = seen_by(client, study), seen_by(member, study)
    let_all_be_right(study)
    differs = {address for address, said in seen_by(client, study).items() ^ told.items()}
    assert {address.partition("?")[0] for address in differs} >= {
        reverse("api-answer-list"),
        reverse("api-answer-change-list"),
    }
    assert told[url("study-results", study.pk) + "?"][0] == 200
    # Other members still wait for the end.
    assert kept[url("study-results", study.pk) + "?"][0] == 403
    assert seen_by(member, study) == kept


def test_a_file_of_what_the_photos_show_tells_nothing(made, coordinator, client_for):
    """The check of answers from paper says nothing of those on the screen, nor does writing over them."""
    study, client = made.study, client_for(coordinator)

    def said(**fields) -> list[str]:
        file = SimpleUploadedFile("truth.csv", sheet("R01", TRUTH))
        checked = client.post(url("study-paper-answers", study.pk), {"act": "check", "file": file})
        name = re.search(r'name="file" value="([0-9a-f]{64})"', checked.content.decode())[1]
        client.post(
            url("study-paper-answers", study.pk), {"act": "write", "file": name, "keep": "paper"}, follow=True
        )
        pages = [checked, *(client.get(url(one, study.pk)) for one in ("study-progress", "study-log"))]
        return [PASSING.sub("", page.content.decode()) for page in pages]

    before = list(Answer.objects.values())
    changes = set(AnswerChange.objects.values_list("pk", flat=True))
    events = set(study.events.values_list("pk", flat=True))
    wrong = said()
    AnswerChange.objects.exclude(pk__in=changes).delete()
    study.events.exclude(pk__in=events).delete()
    for row in before:
        Answer.objects.filter(pk=row["id"]).update(**row)
    let_all_be_right(study)
    assert said() == wrong


def test_what_a_photo_shows_is_kept_back_while_the_study_is_open(made, coordinator, client_for):
    study, client = made.study, client_for(coordinator)

    def told() -> list[bool]:
        page = client.get(url("study-sample", study.pk)).content.decode()
        protocols = [
            client.get(url("study-protocol", study.pk)).json(),
            client.get(f"/api/studies/{study.pk}/protocol/").json()["protocol"],
        ]
        alts = re.findall(r'alt="([^"]*)"', page)
        return [
            any("carcinoma" in alt for alt in alts),
            *({image["truth"] for image in one["images"]} & set(DISEASE_KEYS) != set() for one in protocols),
        ]

    assert told() == [False] * 3
    studies.unblind(study, coordinator, reason="safety", typed=study.name)
    assert told() == [True] * 3
    whole = client.get(url("study-protocol", study.pk)).content
    assert hashlib.sha256(whole).hexdigest() == study.protocol_sha256
