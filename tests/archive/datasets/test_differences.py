"""The differences of two versions, photo by photo, as pages and as a table."""

import csv
import io

import pytest

from skinclinic.archive.models import DatasetItem, Entry
from skinclinic.archive.services.datasets import datasets
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(client_for, curator):
    return client_for(curator)


@pytest.fixture
def changed(frozen, entries, clinic, curator):
    """The next version: one photo more, one less, one relabelled, one on the other side."""
    version = datasets.new_version(frozen.dataset, curator)
    items = {item.entry_id: item.pk for item in version.items.all()}
    datasets.relabel(version, [items[entries[0].pk]], "scc")
    DatasetItem.objects.filter(pk=items[entries[1].pk]).delete()
    side = frozen.items.get(entry=entries[2]).split
    DatasetItem.objects.filter(pk=items[entries[2].pk]).update(split="test" if side == "train" else "train")
    factories.make_entry(factories.make_photo(clinic, curator, seed=77), curator, label="df")
    DatasetItem.objects.bulk_create(
        [DatasetItem(version=version, entry=Entry.objects.latest("pk"), content_sha256="f" * 64, label="df")]
    )
    return version


def test_each_kind_has_its_list(frozen, changed, entries, client):
    address = f"/archive/datasets/{changed.pk}/differences/"
    for kind, entry in (("removed", entries[1]), ("relabelled", entries[0]), ("moved", entries[2])):
        page = client.get(address, {"since": frozen.pk, "kind": kind})
        assert [item.entry for item in page.context["items"]] == [entry], kind
        assert entry.external_id in page.content.decode()
    page = client.get(address, {"since": frozen.pk})
    assert page.context["kind"] == "added" and page.context["items"][0].label == "df"
    assert [n for _kind, _name, n, _url in page.context["kinds"]] == [1, 1, 1, 1]
    text = client.get(address, {"since": frozen.pk, "kind": "relabelled"}).content.decode()
    assert "Basal cell carcinoma → Squamous cell carcinoma" in text


def test_all_of_them_are_a_table(frozen, changed, entries, client):
    answer = client.get(f"/archive/datasets/{changed.pk}/differences/", {"since": frozen.pk, "as": "csv"})
    content = b"".join(answer.streaming_content).decode("utf-8-sig")
    rows = {row["change"]: row for row in csv.DictReader(io.StringIO(content))}
    assert set(rows) == {"added", "removed", "relabelled", "moved"}
    assert rows["relabelled"]["label_before"] == "Basal cell carcinoma"
    assert rows["relabelled"]["label"] == "Squamous cell carcinoma"
    assert rows["removed"]["photo"] == entries[1].external_id and rows["removed"]["label"] == ""
    assert {rows["moved"]["side_before"], rows["moved"]["side"]} == {"train", "test"}


def test_pages_lead_there_and_mark_what_differs(frozen, changed, client):
    link = f"/archive/datasets/{changed.pk}/differences/?since={frozen.pk}"
    assert link in client.get(f"/archive/datasets/{changed.pk}/").content.decode()
    page = client.get("/archive/datasets/compare/", {"version": [frozen.pk, changed.pk]}).content.decode()
    assert link in page and "dataset-line-differs" in page
    same = client.get("/archive/datasets/compare/", {"version": frozen.pk}).content.decode()
    assert "dataset-line-differs" not in same


def test_without_a_word_it_is_the_version_before(frozen, changed, client):
    assert client.get(f"/archive/datasets/{changed.pk}/differences/").context["old"] == frozen
    assert client.get(f"/archive/datasets/{frozen.pk}/differences/").context["old"] == frozen


def test_what_is_not_there_or_anothers_is_not_found(frozen, client, client_for, outsider):
    address = f"/archive/datasets/{frozen.pk}/differences/"
    for since in ("0", "999999", "x", "99999999999999999999"):
        assert client.get(address, {"since": since}).status_code == 404
    assert client_for(outsider).get(address, {"since": frozen.pk}).status_code == 404
    empty = client.get(address, {"since": frozen.pk, "kind": "x", "cursor": "x"})
    assert "The two versions do not differ in this." in empty.content.decode()


def test_the_list_says_how_many_photos(frozen, client):
    assert [n for _version, n in client.get("/archive/datasets/").context["versions"]] == [6]
