"""Nonsense sent to every page of the archive: never a server error, nothing changed that nobody asked for."""

import base64
import json

import pytest
from django.urls import reverse

from skinclinic.archive.models import (
    BulkChange,
    Dataset,
    DatasetVersion,
    DuplicatePair,
    Entry,
    EntryChange,
    Import,
    Review,
)
from skinclinic.archive.services.datasets import datasets
from skinclinic.archive.urls import curating, duplicates
from skinclinic.archive.urls import datasets as dataset_urls
from skinclinic.archive.urls import imports as import_urls
from tests import factories
from tests.cases import each

pytestmark = pytest.mark.django_db
PATTERNS = [
    *curating.urlpatterns,
    *import_urls.urlpatterns,
    *duplicates.urlpatterns,
    *dataset_urls.urlpatterns,
]
NAMES = sorted({pattern.name for pattern in PATTERNS})
WITH_KEY = sorted({pattern.name for pattern in PATTERNS if "<int:pk>" in str(pattern.pattern)})
TEXTS = [
    "", " ", "\0", "a\0b", "%00", "\U0001f600", 
    "'; DROP TABLE archive_entry; --", "\" OR 1=1", "%", "_", "\\", "*", ".*(a+)+$", "[", "(?i)x",
    "<script>alert(1)</script>",
    "\u202e", "\r\nSet-Cookie: a=b", "가" * 200, "x" * 10_000,
]  # fmt: skip
SEARCHES = [
    *TEXTS, "(", ")", "(((((((((((a)))))))))))", "(" * 190, '"', '"a', 'a"', "AND", "OR", "NOT", "NOT NOT NOT a",
    "a AND", "OR a",
    "a OR OR b", "()", "-", "--a", "- a", "nosuch:a", "date:", "date:2020..", "date:..2020", "date:9999", "date:0000",
    "age:", "age:..", "age:60..70..80", "age:99999999999", "age:\u0666\u0660", "age:-1", "sex:", "skin:9", "skin:0..9",
    "skin:99", "skin:..", "site:", "site:nowhere", "kind:x", "proof:x", "lesion:#", "lesion:#99999999999999999999",
    "lesion:%", "tag:", "tag:x", "column:", "column:=", "column:=x", "column:a=", 'column:"a b=c d"', "column:0=1",
    "column:x__contains=1", "column:\U0001f600=%",
    "date:2020-99", "date:\u0662\u0660\u0662\u0660", "date:2020..1999", "patient:", 'patient:""', "icd10:%", "text:\\",
    "dataset:*", "source:'", "subtype:\U0001f600", " ".join(["a"] * 31), " ".join(["a"] * 30), "NOT " * 40 + "a",
    " OR ".join(["date:2020"] * 15), "a:b:c", "diagnosis:diagnosis:bcc", "text:(a", "1e309", "C44.9..D03",
]  # fmt: skip
KEYS = [
    "0", "-1", "999999999", "9" * 18, "9" * 19, "9" * 400, "1.5", "1e3", "\u0661", "abc", "", " 1", "1\0", "0x1", "NaN",
    "null", "[]",
]  # fmt: skip
CURSORS = [
    *TEXTS, *KEYS,
    *(base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=") for value in (
        None, 1, [], ["a"], ["a", 1, 2, 3], ["a", None], ["x", 1], ["a", 1e309], ["a", "1' OR 1"], ["b", -1],
        ["a", 10**30], ["a", [1]], ["a", {}], ["a", True], ["a", 1, 1], ["b", "2020-01-01", 1], {"a": 1}, "a" * 5000)),
    base64.urlsafe_b64encode(b"[" * 5000).decode(),
]  # fmt: skip


@pytest.fixture
def client(client_for, curator):
    return client_for(curator)


@pytest.fixture
def archive(clinic, curator):
    """One of everything; the keys by the name of an address."""
    rows = [
        factories.make_entry(factories.make_photo(clinic, curator, seed=seed), curator) for seed in range(3)
    ]
    Entry.objects.update(review=Review.ACCEPTED)
    pair = DuplicatePair.objects.create(clinic=clinic, first=rows[0], second=rows[1], distance=2)
    version = datasets.create(clinic, curator, "Tumours")
    datasets.set_members(version, Entry.objects.filter(clinic=clinic))
    source = rows[0].source
    row = Import.objects.create(
        clinic=clinic, name="I", format="csv", photos="/gone", source=source, created_by=curator
    )
    change = EntryChange.objects.filter(clinic=clinic).first() or EntryChange.objects.create(
        clinic=clinic, entry=rows[0], action="edited", by=curator, fields={"label": ["mm", "bcc"]}
    )
    keys = {"import": row.pk, "dataset": version.pk, "duplicate": pair.pk, "archive-change": change.pk}
    return {
        name: next((key for start, key in keys.items() if name.startswith(start)), rows[2].pk)
        for name in WITH_KEY
    }


def state_of_things() -> list:
    return [
        list(model.objects.order_by("pk").values())
        for model in (Entry, EntryChange, DatasetVersion, Dataset, DuplicatePair, Import, BulkChange)
    ]


def address(name: str, keys: dict) -> str:
    return reverse(name, args=[keys[name]] if name in keys else [])


def answered(answer) -> None:
    assert answer.status_code < 500, answer.status_code
    if getattr(answer, "streaming", False):
        b"".join(answer.streaming_content)


def test_a_key_of_nothing_is_not_found(client, archive):
    for name in WITH_KEY:
        for key in KEYS:
            path = reverse(name, args=[77777]).replace("77777", key or "%20")
            for answer in (client.get(path), client.post(path, {"act": "freeze", "action": "start"})):
                assert answer.status_code in (404, 405), path


@each("name", NAMES)
def test_pages_take_any_text_in_their_address(client, archive, name, words_read):
    words = (
        "q", "label", "source", "dataset", "proven", "review", "reviewer", "disagree", "cursor", "show", "after",
        "decided", "version", "minimum", "as", "thumbnails", "isic", "age", "sex", "skin", "site", "kind", "tag",
        "opinion",
    )  # fmt: skip
    words_read.forget()
    answered(client.get(address(name, archive), dict(zip(words, [*TEXTS, *KEYS], strict=False))))
    for text in [*TEXTS, *KEYS] if words_read.any_of(words) else []:
        answered(client.get(address(name, archive), dict.fromkeys(words, text)))


@each("turn, name", list(enumerate(["archive", "review", "dataset-new"])))
def test_any_search_is_answered_or_explained(client, archive, turn, name):
    """Each search on each page, in the two languages in turn, so that it is explained in both."""
    for number, text in enumerate(SEARCHES, turn):
        answer = client.get(reverse(name), {"q": text}, headers={"accept-language": ("en", "ko")[number % 2]})
        assert answer.status_code == 200, text


@pytest.mark.parametrize("name", ["archive", "review", "imports", "duplicates-decided"])
def test_a_forged_cursor_shows_the_first_page(client, archive, name):
    for cursor in CURSORS:
        assert client.get(reverse(name), {"cursor": cursor}).status_code == 200, cursor


POSTED = (
    "decision", "reason", "seen", "entries", "label", "keep", "verdict", "show", "act", "action", "method", "percent",
    "seed", "note", "verify", "name", "role", "description", "photos", "subtype", "icd10", "impression", "confirmed_by",
    "text", "is_proven", "save_as", "column-file", "column-label", "format", "waiting", "mapping", "url", "s-q",
    "s-label", "s-source", "s-review", "all", "tags", "tag", "proof", "back", "agreed", "s-age", "s-tag",
)  # fmt: skip
# What these do needs no word; a label of any text is looked at below.
CHANGING = {"review-undo", "archive-change-undo", "duplicate-reopen", "import-map", "dataset-new", "archive-entry",
            "review-label", "archive-second-give"}  # fmt: skip


@each("name", NAMES)
def test_forms_take_any_text(client, archive, name, words_read):
    before = state_of_things()
    words_read.forget()
    answered(client.post(address(name, archive), dict(zip(POSTED, [*TEXTS, *KEYS], strict=False))))
    for text in TEXTS if words_read.any_of(POSTED) else []:
        answered(client.post(address(name, archive), dict.fromkeys(POSTED, text)))
    answered(client.post(address(name, archive), {}, headers={"HX-Request": "true"}))
    if name not in CHANGING:
        assert state_of_things() == before


def test_an_action_with_nonsense_beside_it(client, archive):
    key = archive["dataset"]
    for text in TEXTS:
        for act in ("split", "continue"):
            values = {"act": act, "note": text, "method": text, "percent": text, "seed": text}
            answered(client.post(reverse("dataset-act", args=[key]), values))
    assert DatasetVersion.objects.get(pk=key).split == {}


def test_a_label_of_any_text_is_kept_as_text_or_refused(client, archive):
    entry = Entry.objects.get(pk=archive["archive-entry"])
    for text in TEXTS:
        for name, values in (
            ("review-label", {"label": text}),
            ("archive-entry", {"label": text, "text": text}),
        ):
            answered(client.post(reverse(name, args=[entry.pk]), values))
            entry.refresh_from_db()
            assert "\0" not in entry.label + entry.text and len(entry.label) <= 120
            assert b"<script>alert" not in client.get(reverse("archive-entry", args=[entry.pk])).content


ID_LISTS = [KEYS, ["1"] * 900, [str(number) for number in range(900)], ["9" * 18] * 900]


@each("ids", ID_LISTS)
@each("name, field", [("review-decide", "entries"), ("dataset-candidates", "photos")])
def test_lists_of_odd_and_doubled_keys(client, archive, name, field, ids):
    answered(client.post(reverse(name), {field: ids, "decision": "rejected", "reason": "other"}))
    answered(client.get(reverse("dataset-compare"), {"version": ids}))


def test_more_fields_than_any_form_has_are_refused(client, archive):
    answer = client.post(reverse("review-decide"), {"entries": ["1"] * 20_000, "decision": "accepted"})
    assert answer.status_code == 400


def test_foreign_keys_change_nothing(client_for, curator, other_clinic, archive, clinic):
    stranger = factories.make_member(other_clinic, "curator", "stranger")
    foreign, before = client_for(stranger), state_of_things()
    for name in WITH_KEY:
        for answer in (
            foreign.get(address(name, archive)),
            foreign.post(address(name, archive), {"act": "freeze"}),
        ):
            assert answer.status_code in (404, 405), name
    ids = list(Entry.objects.values_list("pk", flat=True))
    foreign.post(reverse("review-decide"), {"entries": ids, "decision": "rejected", "reason": "other"})
    assert state_of_things() == before
