"""Tags: given by one key, shown, searched, kept with datasets and counted there by disease."""

import csv
import io

import pytest
from django.utils.translation import override

from skinclinic.archive.models import Entry, EntryChange
from skinclinic.archive.presenters import summary_table
from skinclinic.archive.services.datasets import datasets, freezing, summary
from skinclinic.archive.services.exporting import export
from skinclinic.vocabulary import tags
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db


def test_tags_are_kept_in_one_order_and_read_in_both_languages():
    assert tags.join(["ruler", "hair", "ruler", "nonsense"]) == ",ruler,hair," and tags.join([]) == ""
    assert tags.split(",ruler,hair,") == ["ruler", "hair"] and tags.split("") == []
    assert max(len(tags.join(tags.TAG_KEYS)), 0) <= tags.LENGTH
    assert (
        tags.like("ruler") == ["ruler"] and tags.like("pen_marks") == ["pen_marks"] and tags.like("zzz") == []
    )
    with override("en"):
        assert tags.names(",hair,") == ["Hair"]


def test_one_click_gives_a_tag_and_another_takes_it_away(entries, client_for, curator):
    client, entry = client_for(curator), entries[0]
    address = url("archive-entry-tag", entry.pk)
    tile = client.post(address, {"tag": "ruler"}, headers={"HX-Request": "true"}).content.decode()
    assert "Ruler or scale" in tile and Entry.objects.get(pk=entry.pk).tags == ",ruler,"
    client.post(address, {"tag": "hair"})
    page = client.get(url("archive-entry", entry.pk)).content.decode()
    assert "Ruler or scale, Hair" in page and "Tagged" in page
    client.post(address, {"tag": "ruler"})
    assert Entry.objects.get(pk=entry.pk).tags == ",hair,"
    assert client.post(address, {"tag": "x"}, headers={"HX-Request": "true"}).status_code == 422
    change = EntryChange.objects.filter(entry=entry).first()
    client.post(url("archive-change-undo", change.pk))
    assert Entry.objects.get(pk=entry.pk).tags == ",ruler,hair,"


def test_a_dataset_keeps_counts_and_exports_them(entries, clinic, curator):
    Entry.objects.filter(pk__in=[entries[0].pk, entries[2].pk]).update(tags=tags.join(["ruler", "pen_marks"]))
    Entry.objects.filter(pk=entries[3].pk).update(tags=tags.join(["ruler"]))
    version = datasets.create(clinic, curator, "Tagged")
    datasets.set_members(version, Entry.objects.filter(clinic=clinic))
    counted = summary.of(version).tags
    assert counted == {"bcc": (1, {"pen_marks": 1, "ruler": 1}), "mm": (2, {"ruler": 2, "pen_marks": 1})}
    lines = {line.name: line.cells[0] for line in summary_table.table([summary.of(version)]).lines}
    assert lines["Malignant melanoma"] == "2 (100 %): Ruler or scale 2, Pen marks 1"
    assert lines["Seborrheic keratosis"] == "0 (0 %)"
    freezing.freeze(version, curator)
    Entry.objects.update(tags="")
    table = b"".join(
        b"".join(pieces) for name, pieces in export._tables(version, export.Options()) if name == "photos.csv"
    )
    rows = list(csv.DictReader(io.StringIO(table.decode("utf-8-sig"))))
    assert sorted(row["tags"] for row in rows) == ["", "", "", "pen_marks ruler", "pen_marks ruler", "ruler"]
