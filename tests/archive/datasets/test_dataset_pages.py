"""The pages of a dataset's photos, of what is stated of it, of sources and of the clinic's vocabulary."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from skinclinic.archive.models import BackgroundDisease, Entry, Source, Subtype
from skinclinic.archive.services.curating import review, vocabulary
from skinclinic.archive.services.searching import selection
from tests.cases import each
from tests.skinclinic.pages import messages_of, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(client_for, curator):
    return client_for(curator)


def test_photos_are_taken_out_of_a_draft_and_get_another_label(draft, client):
    address = f"/archive/datasets/{draft.pk}/photos/"
    keys = list(draft.items.filter(label="bcc").values_list("pk", flat=True))
    page = client.get(address, {"only": "bcc"})
    assert [item.pk for item in page.context["items"]] == keys
    answer = client.post(
        address + "act/", {"act": "relabel", "items": keys, "label_typed": "Wart", "only": "bcc"}
    )
    assert answer["Location"] == f"{address}?only=bcc"
    assert draft.items.filter(label="wart").count() == 2
    assert Entry.objects.filter(label="bcc").count() == 2
    client.post(address + "act/", {"act": "remove", "items": keys})
    assert draft.items.count() == 4


@each("body", [{}, {"act": "remove"}, {"act": "nothing", "items": "1"}, {"act": "relabel", "items": "1", "label": ""},
     {"act": "remove", "items": "99999999999999999999"},
     {"act": "relabel", "items": "-1", "label": "a\0b"}])  # fmt: skip
def test_what_makes_no_sense_changes_nothing(draft, client, body):
    before = list(draft.items.values())
    assert client.post(f"/archive/datasets/{draft.pk}/photos/act/", body).status_code == 302
    assert list(draft.items.values()) == before


def test_a_frozen_version_only_shows(frozen, client):
    page = client.get(f"/archive/datasets/{frozen.pk}/photos/").content.decode()
    assert "photos/act/" not in page.split('<ul class="archive-grid">')[1]
    key = frozen.items.first().pk
    client.post(f"/archive/datasets/{frozen.pk}/photos/act/", {"act": "remove", "items": key})
    assert frozen.items.count() == 6


def test_stated_counts_are_read_line_by_line(draft, client):
    act = f"/archive/datasets/{draft.pk}/act/"
    client.post(act, {"act": "state", "minimum": 2, "counts": "Malignant melanoma: 2\nrosacea 1\n\nbcc = 5"})
    draft.refresh_from_db()
    assert draft.stated == {"minimum": 2, "counts": {"mm": 2, "rosacea": 1, "bcc": 5}}
    page = client.get(f"/archive/datasets/{draft.pk}/").content.decode()
    assert "Basal cell carcinoma: 5 stated, 2 counted" in page


@pytest.mark.parametrize("line", ["melanoma", "melanoma many", "mm 1\nmm 2", "mm ١٢"])
def test_a_stated_line_that_cannot_be_read_is_named(draft, client, line):
    answer = client.post(
        f"/archive/datasets/{draft.pk}/act/", {"act": "state", "minimum": 1, "counts": line}, follow=True
    )
    assert "Line " in answer.content.decode()
    draft.refresh_from_db()
    assert draft.stated == {}


def test_what_is_missing_of_a_source_is_said_and_filled_in(entries, client, curator):
    source = entries[0].source
    page = client.get("/archive/sources/").content.decode()
    assert "ethics approval" in page
    address = f"/archive/sources/{source.pk}/"
    answer = client.post(address, {"name": source.name, "licence": "CC BY 4.0", "url": "https://example.org"})
    assert answer.status_code == 302
    source.refresh_from_db()
    assert source.licence == "CC BY 4.0"
    refused = client.post(address, {"name": source.name, "url": "no address"})
    assert refused.status_code == 422
    source.refresh_from_db()
    assert source.url == "https://example.org"


def test_two_sources_of_one_name_are_refused(entries, client, clinic):
    other = Source.objects.create(clinic=clinic, name="Other")
    answer = client.post(f"/archive/sources/{other.pk}/", {"name": entries[0].source.name})
    assert answer.status_code == 422 and "already" in answer.content.decode()


def test_a_new_subtype_joins_the_vocabulary_in_one_spelling(entries, curator, clinic):
    review.edit(entry=entries[0], user=curator, subtype="Fibroepithelioma")
    review.edit(entry=entries[1], user=curator, subtype="fibroepithelioma ")
    review.edit(entry=entries[1], user=curator, subtype="NODULAR")
    assert list(Subtype.objects.filter(clinic=clinic).values_list("name", flat=True)) == ["Fibroepithelioma"]
    entries[1].refresh_from_db()
    assert entries[1].subtype == "nodular"


def test_a_subtype_that_photos_bear_stays_and_they_are_counted_only_so_far(
    entries, client, curator, clinic, monkeypatch
):
    monkeypatch.setattr(vocabulary, "MOST_COUNTED", 2)
    for entry in entries[:3]:
        review.edit(entry=entry, user=curator, label="bcc", subtype="Fibroepithelioma")
    address = url("subtype-remove", Subtype.objects.get().pk)
    with CaptureQueriesContext(connection) as queries:
        assert "is the name of more than 2 photos" in messages_of(client.post(address))
    (looked,) = [one["sql"] for one in queries if '"subtype" >' in one["sql"]]
    assert "LIMIT 3" in looked and "ORDER BY" not in looked
    for said in ("is the name of 2 photos", "is the name of 1 photo;"):
        review.edit(entry=Entry.objects.filter(subtype="Fibroepithelioma").first(), user=curator, subtype="")
        assert said in messages_of(client.post(address))
    review.edit(entry=Entry.objects.get(subtype="Fibroepithelioma"), user=curator, subtype="")
    client.post(address)
    assert not Subtype.objects.exists()


def test_a_subtype_is_read_typed_and_found_in_the_readers_language(entries, client, curator, clinic):
    bcc = next(entry for entry in entries if entry.label == "bcc")
    with override("ko"):
        review.edit(entry=bcc, user=curator, subtype="결절형")
    bcc.refresh_from_db()
    assert bcc.subtype == "nodular" and not Subtype.objects.exists()
    page = f"/archive/photos/{bcc.pk}/"
    assert "Nodular" in client.get(page).content.decode()
    client.cookies["django_language"] = "ko"
    review.decide(clinic=clinic, user=curator, entry_ids=[bcc.pk], review="rejected", reason="duplicate")
    with override("en"):
        text = client.get(page).content.decode()
    assert "<dd>결절형</dd>" in text and 'value="결절형"' in text and "nodular" not in text
    assert "검토: 승인 → 반려" in text and "사유: – → 중복" in text
    for words in ("subtype:결절형", "subtype:nodular", "결절"):
        assert [entry.pk for entry in selection.entries(clinic, selection.Selection(q=words))] == [bcc.pk]


def test_words_in_use_cannot_be_removed(entries, client, clinic):
    client.post("/archive/vocabulary/", {"label": "bcc", "name": "Rare"})
    rare = Subtype.objects.get(clinic=clinic)
    rosacea = BackgroundDisease.objects.create(clinic=clinic, name="Rosacea")
    unused = BackgroundDisease.objects.create(clinic=clinic, name="Unused")
    assert "Rare" in client.get("/archive/vocabulary/").content.decode()
    answer = client.post(f"/archive/vocabulary/background/{rosacea.pk}/remove/", follow=True)
    assert "1 photo" in answer.content.decode()
    client.post(f"/archive/vocabulary/background/{unused.pk}/remove/")
    client.post(f"/archive/vocabulary/subtypes/{rare.pk}/remove/")
    assert not Subtype.objects.exists()
    assert list(BackgroundDisease.objects.values_list("name", flat=True)) == ["Rosacea"]


def test_only_curators_change_them(entries, client_for, coordinator):
    client = client_for(coordinator)
    source = entries[0].source
    assert client.get(f"/archive/sources/{source.pk}/").status_code == 200
    assert client.post(f"/archive/sources/{source.pk}/", {"name": "New"}).status_code == 403
    assert client.post("/archive/vocabulary/", {"label": "bcc", "name": "Rare"}).status_code == 403
