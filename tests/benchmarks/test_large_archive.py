"""Gallery, review queue, searches and dataset pages over 200,000 entries, as ratios to reading one row by its
key in the same run, and their number of queries, which is the same over one entry; the search for near-duplicates.

On PostgreSQL: python -m tests.servers python -m pytest tests/benchmarks/test_large_archive.py -s
"""

import statistics
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse

from skinclinic.archive.models import DatasetVersion, DuplicatePair, Entry, Source
from skinclinic.archive.services.curating import duplicates
from skinclinic.archive.services.datasets import (
    checks,
    counted,
    datasets,
    differences,
    dividing,
    freezing,
    summary,
)
from skinclinic.archive.services.searching import selection
from skinclinic.engine import jobs
from skinclinic.web import keyset, sessions
from tests import archive_crowd, factories
from tests.counted_queries import counted as counting

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(1800), pytest.mark.processor_time, pytest.mark.long]

COUNT = 200_000
# A page of the gallery costs some 150 times a single row, a search through all texts up to 1,000. A quarter of
# the entries, or all patients of a source, are found in some 2,000.
MOST, MOST_OF_WIDE = 4000, 8000
WIDE = ("many patients", "a span")
SEARCHES = {
    "a disease": "melanoma",
    "a word of the text": "palisading",
    "a word nobody wrote": "zzzzqq",
    "an ICD-10 code": "icd10:C43.9",
    "a patient": "patient:000777",
    "many patients": 'patient:"Archive A/0"',
    "text alone": "text:palisading",
    "a month": "date:2010-05",
    "a span": "date:2005..2009-06",
    "a dataset": "dataset:Big",
    "not in a dataset": "NOT dataset:Big",
    "AND": "melanoma AND text:nests AND date:2012",
    "OR": "melanoma OR bcc OR text:keratin",
    "NOT": "bcc NOT text:nests",
    "a source": 'source:"Archive B"',
    "an age": "age:60..70",
    "one year of age": "age:61",
    "a sex": "sex:female",
    "a rare sex": "sex:other",
    "a skin type": "skin:5..6",
    "a site": "site:nose",
    "a wider site": "site:head_neck",
    "a kind of photo": "kind:dermoscopic",
    "a proof": "proof:yes",
    "a lesion": "lesion:IL_000777",
    "a tag": "tag:ruler",
    "a column of the source": "column:background_father=ITALY",
    "a rare value of a column": 'column:"image_manipulation=instrument only"',
    "facts together": "age:60..70 sex:male site:face skin:1..2 -tag:ruler",
}


def measured(run: Callable, times: int) -> tuple[float, int]:
    """Median seconds and the number of queries, the same each time after the first, when who looks is written down."""
    run()
    spent, counts = [], set()
    for _time in range(times):
        with counting() as count:
            start = _clock()
            run()
            spent.append(_clock() - start)
        counts.add(count.queries)
    assert len(counts) == 1, counts
    return statistics.median(spent), counts.pop()


def once(run: Callable) -> tuple[float, int]:
    """Seconds and the number of queries."""
    with counting() as count:
        started = _clock()
        run()
        return _clock() - started, count.queries


def _clock() -> float:
    """With SQLite, whose work is done in this process, seconds of the processor: other work on the machine does not
    count."""
    return time.process_time() if connection.vendor == "sqlite" else time.perf_counter()


@pytest.fixture(scope="module")
def crowd(standing):
    """A clinic with ``COUNT`` entries, most of them in the draft "Big", and how long it took to fill that."""
    with standing.building():
        clinic = factories.make_clinic("Hanok Dermatology")
        curator = factories.make_member(clinic, "curator", "curtis")
        archive_crowd.fill(clinic, curator, COUNT)
        analyse()
        filling = once(lambda: dataset_of(clinic, curator, "Big"))
        analyse()
        version = DatasetVersion.objects.get(clinic=clinic)
        standing.keep(clinic=clinic, curator=curator, version=version, filling=filling)


def analyse() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def dataset_of(clinic, user, name: str) -> DatasetVersion:
    version = datasets.create(clinic, user, name)
    datasets.set_members(version, selection.entries(clinic, selection.Selection(review="accepted")))
    return version


def pages(clinic, curator, version: DatasetVersion, cursor: str = "") -> dict[str, tuple[str, dict]]:
    """Name: (address, its query)."""
    source = Source.objects.filter(clinic=clinic).first().pk
    filters = {
        "": {},
        "one disease": {"label": "bcc"},
        "others": {"label": "others"},
        "malignant, proven, accepted": {"label": "malignant", "proven": "yes", "review": "accepted"},
        "rejected": {"review": "rejected"},
        "of a reviewer": {"reviewer": curator.pk},
        "of a source": {"source": source},
        "the model disagrees": {"disagree": "1"},
        "of a dataset": {"dataset": version.dataset_id},
        "a label nobody gave": {"label": "no such disease"},
        "age, sex and site": {"age": "60..70", "sex": "male", "site": "lower_limb"},
        "skin type": {"skin": "56"},
        "kind": {"kind": "dermoscopic"},
        "tagged": {"tag": "any"},
        "one tag": {"tag": "hair"},
        "second opinion differs": {"opinion": "differ"},
        **{name: {"q": text} for name, text in SEARCHES.items()},
    }
    asked = {}
    for name, values in filters.items():
        asked[f"gallery, {name}"] = (reverse("archive"), values)
        asked[f"queue, {name}"] = (reverse("review"), values)
    asked["gallery, deep"] = (reverse("archive"), {"cursor": cursor})
    asked["second opinions"] = (reverse("archive-second"), {})
    asked["second opinions that differ"] = (reverse("archive-second-differing"), {})
    asked["duplicates"] = (reverse("duplicates"), {})
    asked["datasets"] = (reverse("datasets"), {})
    asked["new dataset"] = (reverse("dataset-new"), {"q": "melanoma"})
    return asked


def deep_cursor(clinic) -> str:
    """The cursor of a reader who has turned nearly all pages of the gallery."""
    entries = Entry.objects.filter(clinic=clinic)
    far = entries.order_by("patient_key", "id")[COUNT // 20]
    older = entries.filter(patient_key__lte=far.patient_key)
    return keyset.page(older, ("-patient_key", "-id"), "", 1).next


def test_pages_and_searches(crowd, given, clinic, curator, client_for, record_property, monkeypatch):
    # That a session was used is written down every half minute.
    monkeypatch.setattr(sessions, "TOUCH_AFTER", timedelta(days=1))
    small = factories.make_clinic("With one photo")
    beginner = factories.make_member(small, "curator", "bora")
    archive_crowd.fill(small, beginner, 1, seed=1)
    client = client_for(beginner)

    def queries_of(address, values) -> int:
        return measured(lambda: client.get(address, values), 2)[1]

    one_photo = pages(small, beginner, dataset_of(small, beginner, "Big"))
    few = {name: queries_of(*asked) for name, asked in one_photo.items()}
    client = client_for(curator)
    key = Entry.objects.filter(clinic=clinic).first().pk
    trivial, _one = measured(lambda: list(Entry.objects.filter(pk=key)), 50)
    ratios, many = {}, {}
    for name, (address, values) in pages(clinic, curator, given["version"], deep_cursor(clinic)).items():
        seconds, many[name] = measured(lambda page=(address, values): client.get(*page), 1)
        ratios[name] = seconds / trivial
        print(f"{name}: {ratios[name]:.0f} times one row ({seconds * 1000:.0f} ms), {many[name]} queries")
        record_property(name, round(ratios[name], 1))
    # Over one entry, a page may lack what it shows of what a search finds (no patient of that code: no photos,
    # no dates).
    assert not {name: (few[name], many[name]) for name in few if many[name] > few[name] + 2}
    # One of them asks, for the header, how many cases wait for the person, and one what time it is where rows are,
    # of no table. What is not in a dataset is kept, and what came since is asked for in two more; it was a scan of all.
    assert not {name: n for name, n in many.items() if n > (20 if name.endswith("not in a dataset") else 18)}
    for name, ratio in ratios.items():
        assert ratio < (MOST_OF_WIDE if name.endswith(WIDE) else MOST), name
    # No page is found by counting through the ones before it.
    assert ratios["gallery, deep"] < 3 * ratios["gallery, "], ratios


def test_datasets(crowd, given, clinic, curator, client_for, monkeypatch, record_property):
    """Fill, split, check, freeze, continue and compare a dataset of 120,000, as ratios to reading its members."""
    monkeypatch.setattr(freezing, "_bad_files", lambda version, verify, say: 0)  # the crowd has no files
    client, version = client_for(curator), given["version"]
    spent, counts = ({"fill": value} for value in given["filling"])

    def step(name: str, run: Callable) -> None:
        spent[name], counts[name] = once(run)

    members = version.items.count()
    step("read", lambda: sum(1 for _row in version.items.iterator(2000)))
    step("split", lambda: dividing.split(version, "time", 0.9))
    step("summary", lambda: summary.of(version))
    step("checks", lambda: checks.of(version))
    step("page", lambda: client.get(reverse("dataset", args=[version.pk])))
    step("freeze", lambda: freezing.freeze(version, curator))
    step("new version", lambda: datasets.new_version(version.dataset, curator))
    draft = version.dataset.versions.latest("pk")
    everything = selection.entries(clinic, selection.Selection())
    step("fill with all", lambda: datasets.set_members(draft, everything))
    analyse()
    step("differences", lambda: differences.between(version, draft))
    counted_pages = {
        "page of a new version": lambda: client.get(reverse("dataset", args=[draft.pk])),
        "compare": lambda: client.get(reverse("dataset-compare"), {"version": [version.pk, draft.pk]}),
    }
    for name in counted_pages:
        step(name, counted_pages[name])
    step("count", lambda: jobs.run_waiting(counted.JOB))
    for name in counted_pages:
        step(f"{name}, counted", counted_pages[name])
    for name, seconds in spent.items():
        ratio = seconds / spent["read"]
        print(
            f"{name}: {ratio:.2f} times reading the {members:,} members ({seconds:.2f} s), {counts[name]} queries"
        )
        record_property(name, round(ratio, 2))
    assert draft.items.count() == COUNT
    for name in ("summary", "checks", "page", "differences", "page of a new version", "compare"):
        assert spent[name] < 8 * spent["read"], name
        assert counts[name] < 70, name
    # What was counted once is read, whatever the number of photos.
    for name in counted_pages:
        assert spent[f"{name}, counted"] < spent["read"], name
        assert counts[f"{name}, counted"] < 30, name
    for name in ("fill", "split", "freeze", "new version", "fill with all", "count"):
        assert spent[name] < 30 * spent["read"], name


def test_the_whole_search_for_near_duplicates(crowd, clinic):
    """Read, compare and store, against only reading what is compared."""
    _copy_hashes(clinic, COUNT // 100)

    def read():
        rows = Entry.objects.filter(clinic=clinic).values_list("pk", "phash", "patient_id", "source_id")
        return sum(1 for _row in rows.iterator(2000))

    reading, _one = once(read)
    duplicates.request_search(clinic)
    whole, queries = once(lambda: jobs.run_waiting(duplicates.JOB))
    found = DuplicatePair.objects.filter(clinic=clinic)
    print(
        f"\nthe job on {COUNT:,} entries: {found.count():,} pairs, {whole / reading:.1f} times reading them "
        f"({whole:.1f} s), {queries} queries"
    )
    rejected = Entry.objects.filter(clinic=clinic, review="rejected")
    assert found.count() >= COUNT // 100 * 0.85  # one in twenty of either side is rejected
    assert not found.filter(first__in=rejected).exists() and not found.filter(second__in=rejected).exists()
    assert whole < 60 * reading
    assert list(duplicates.find_pairs(clinic)) == []


def _copy_hashes(clinic, count: int) -> None:
    """Give the last ``count`` entries the hashes of the first, in one bit turned."""
    keys = list(Entry.objects.filter(clinic=clinic).order_by("pk").values_list("pk", "phash"))
    copies = [
        Entry(pk=pk, phash=phash ^ 1)
        for (pk, _own), (_pk, phash) in zip(keys[-count:], keys[:count], strict=True)
    ]
    Entry.objects.bulk_update(copies, ["phash"], batch_size=200)
