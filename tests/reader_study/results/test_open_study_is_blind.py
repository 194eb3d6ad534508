"""While a study is open nobody learns what a photo shows or how right its readers are, by any address, until it is
unblinded. The addresses are those of the URL configuration, so that no new one is forgotten."""

import hashlib
import re
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, get_resolver, reverse, reverse_lazy

from reader_study.models import Answer, AnswerChange, Study
from reader_study.panel import Vote
from reader_study.services.making import protocol, reference, studies
from reader_study.services.reading import answer_files
from reader_study.services.results import results
from skinclinic.engine import jobs
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests.readings import Link, body_of
from tests.skinclinic.isolation_table import TABLE
from tests.skinclinic.pages import url
from tests.studies import make_study

pytestmark = pytest.mark.django_db

TRUTH = ["bcc", "mm", "sk", "pg", "wart", "df"]
QUESTIONS = [{}, {"as": "csv", "kind": "accuracy"}, {"what": "answers"}, {"name": "answers-in-words.csv"}]
WORDS = {word for question in QUESTIONS for word in question}
LISTS_OF_STUDIES = {
    reverse_lazy(name) for name in ("studies", "api-study-list", "api-study-result-list", "api-reading-list",
                                    "api-answer-list", "api-answer-change-list")
}  # fmt: skip
# What differs from one answer to the next, whoever asks.
PASSING = re.compile(
    r'name="csrfmiddlewaretoken" value="\w+"|\b[A-Za-z0-9]{32,64}\b|\bbegan=[\d.]+|(?<!\d)\d\d:\d\d(:\d\d(\.\d+)?)?'
)


@pytest.fixture
def made(clinic, coordinator):
    """An open study whose two readers have answered everything; the first by screen, the second on paper."""
    made = make_study(clinic, coordinator, labels=TRUTH, practice=1, readers=2)
    study = made.study
    study.state, study.question = Study.State.DRAFT, "Which?"
    study.save()
    votes = [Vote(number, rater, "nevus") for number in (1, 2) for rater in ("Dr A", "Dr B")]
    reference.note(study, votes, coordinator)
    reference.fix(study)
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


def routes(resolver=None):
    """The names of all addresses with the parts to be filled in."""
    for found in (resolver or get_resolver()).url_patterns:
        if isinstance(found, URLPattern):
            if found.name in TABLE:
                yield found.name
        else:
            yield from routes(found)


ALL_ROUTES = sorted(set(routes()))
OF_STUDIES = [one for one in ALL_ROUTES if re.match(r"(api-)?(stud(y|ies)|reading|answer)\b", one)]
# What belongs to no clinic tells nothing of a study; to sign out would end the test.
OTHERS = [one for one in ALL_ROUTES if one not in OF_STUDIES and TABLE[one].kind in ("row", "listing")]


def world(study: Study, secret: str = "x" * 43) -> dict[str, object]:
    """What stands in the addresses, by the words of the table of isolation."""
    image, reading = study.images.first(), study.readers.first().readings.get()
    item = image.dataset_item
    rows = {
        "study": study, "reader": study.readers.first(), "reading": reading, "photo": image.photo,
        "answer": Answer.objects.filter(reading=reading).first(), "entry": item.entry, "version": item.version,
        "answer_change": AnswerChange.objects.filter(reading=reading).first(), "source": item.entry.source,
        "lesion": image.photo.lesion, "patient": image.photo.lesion.patient,
    }  # fmt: skip
    return {name: row.pk for name, row in rows.items()} | {
        "unknown_secret": secret, "session_key": "unaided", "position": 1, "kind_of_work": "study-results",
        "checklist_kind": "csv",
    }  # fmt: skip


def addresses(names: list[str], rows: dict[str, object]) -> list[str]:
    found = []
    for name in names:
        args = {part: rows.get(word, 1) for part, word in TABLE[name].args.items()}
        for given in (args, args | {"format": "json"}, {}):
            try:
                found.append(reverse(name, kwargs=given))
            except NoReverseMatch:
                continue
            break
    return found


@pytest.fixture
def seen_by(words_read) -> Callable:
    """seen_by(client, asked) -> what each address answers to each question that can matter to it, without what is
    never twice the same."""

    def seen(client, asked: list[str], questions=QUESTIONS) -> dict[str, tuple[int, str]]:
        said = {}
        for address in asked:
            words_read.forget()
            for query in questions:
                whole = f"{address}?{urlencode(query)}"
                response = client.get(whole)
                is_text = re.search("text|json", response.get("Content-Type", ""))
                content = body_of(response) if is_text else b""
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


def exchange_truths(study: Study) -> None:
    """Let every photo show what another does, with a protocol that says so: only a truth that is told can differ."""
    rows = list(study.images.filter(is_practice=False).order_by("number"))
    truths = [row.truth for row in rows]
    for row, truth in zip(rows, [*truths[1:], truths[0]], strict=True):
        study.images.filter(pk=row.pk).update(truth=truth)
    study.panel_votes.update(diagnosis="lentigo")
    protocol.fix(study)
    study.save()


def differing(before: dict, after: dict) -> list[str]:
    return [address for address in sorted(before | after) if before.get(address) != after.get(address)]


@pytest.mark.alike
def test_no_address_tells_what_photos_show_or_how_right_readers_are(
    made, coordinator, curator, admin_user, clinician, outsider, client_for, seen_by
):
    """Everybody asks for everything; then every answer is right and every photo shows something else."""
    study, rows = made.study, world(made.study)
    assert len(OF_STUDIES) > 50 and len(OTHERS) > 100
    asked, rest = addresses(OF_STUDIES, rows), addresses(OTHERS, rows)
    assert {"study-reference", "study-votes", "study-documents", "api-answer-list"} <= set(OF_STUDIES)
    roles = {
        "coordinator": (client_for(coordinator), asked + rest, QUESTIONS),
        "admin": (client_for(admin_user), asked, [{}]),
        "curator": (client_for(curator), asked, [{}]),
        "dermatologist": (client_for(clinician), asked, [{}]),
    }
    before = {role: seen_by(*how) for role, how in roles.items()}
    assert max(status for said in before.values() for status, _text in said.values()) < 500
    # The reader's own answers stay, and are all that a reader is told.
    link = Link(made.secrets[0])
    of_reader = [one for one in OF_STUDIES if one.startswith("reading")]
    of_reader = addresses(of_reader, world(study, made.secrets[0]))
    read = seen_by(link.client, of_reader)
    assert any(status == 200 for status, _text in read.values())
    exchange_truths(study)
    assert differing(read, seen_by(link.client, of_reader)) == []
    let_all_be_right(study)
    for role, how in roles.items():
        assert differing(before[role], seen_by(*how)) == [], role
    # Who does not run the study is told no more than that it exists; outsiders not even that.
    allowed = {*LISTS_OF_STUDIES, url("study", study.pk), reverse("api-study-detail", args=[study.pk])}
    for role in ("curator", "dermatologist"):
        answered = {a.partition("?")[0] for a, (status, _text) in before[role].items() if status == 200}
        assert answered <= allowed, role
    for client in (client_for(outsider), Client()):
        assert not [a for a, (_status, text) in seen_by(client, asked, [{}]).items() if study.name in text]


@pytest.mark.alike
def test_the_same_addresses_tell_it_once_the_study_is_unblinded(
    made, coordinator, clinician, client_for, seen_by
):
    """Which also shows that the test above would notice."""
    study = studies.unblind(made.study, coordinator, reason="safety", typed=made.study.name)
    jobs.run_waiting(results.JOB)
    assert study.events.filter(kind="unblinded", by=coordinator, reason="safety").exists()
    asked = addresses(OF_STUDIES, world(study))
    client, member = client_for(coordinator), client_for(clinician)
    told, kept = seen_by(client, asked), seen_by(member, asked, [{}])
    exchange_truths(study)
    let_all_be_right(study)
    found = {address.partition("?")[0] for address in differing(told, seen_by(client, asked))}
    names = ("api-answer-list", "api-answer-change-list")
    own = ("study-votes", "study-reference", "study-protocol", "study-sample")
    assert found >= {*map(reverse, names), *(url(name, study.pk) for name in own)}
    assert told[url("study-results", study.pk) + "?"][0] == 200
    # Other members still wait for the end.
    assert kept[url("study-results", study.pk) + "?"][0] == 403
    assert differing(kept, seen_by(member, asked, [{}])) == []


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
