"""One action on 17,000 photos and taking it back: seconds, also as a ratio to reading their rows in the same run, and
queries, which grow by the step and not by the photo. With SQLite, whose work is done in this process, seconds of the
processor: other work on the machine does not count.

On PostgreSQL: python -m tests.servers python -m pytest tests/benchmarks/test_bulk.py -s
"""

import math
import time

import pytest
from django.db import connection

from skinclinic.archive.models import Entry
from skinclinic.archive.services.bulk import bulk
from skinclinic.engine import jobs
from tests.archive import bulk_archive
from tests.counted_queries import counted

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(600), pytest.mark.processor_time]

COUNT = 17_000
# SQLite takes a thousand values a statement, so that it needs more of them to insert a step's history and audit.
QUERIES_A_STEP = {"sqlite": 34, "postgresql": 18}
MOST = 150


def measured(run) -> tuple[float, int]:
    clock = time.process_time if connection.vendor == "sqlite" else time.perf_counter
    with counted() as count:
        started = clock()
        run()
        return clock() - started, count.queries


def test_relabelling_17000_photos_and_taking_it_back(clinic, curator, record_property):
    bulk_archive.make(clinic, curator, COUNT)
    Entry.objects.filter(label="nevus").update(label="bcc", icd10="C44.9")
    before = bulk_archive.state(clinic)
    reading, _one = measured(lambda: bulk_archive.state(clinic))
    rows = []

    def work(ask) -> None:
        rows.append(ask())
        jobs.run_waiting(bulk.GATHER_JOB)
        rows[-1].refresh_from_db()

    there = measured(
        lambda: work(
            lambda: bulk_archive.ask(clinic, curator, "relabel", label="nevus", note="Error in the source")
        )
    )
    assert (rows[0].changed, rows[0].left) == (COUNT, 0)
    assert not Entry.objects.exclude(label="nevus", icd10="D22.9", is_proven=False, review="pending").exists()
    back = measured(lambda: work(lambda: bulk.undo(rows[0], curator)))
    assert (rows[1].changed, rows[1].left) == (COUNT, 0)
    assert bulk_archive.state(clinic) == before
    steps = math.ceil(COUNT / bulk.STEP)
    for name, (seconds, queries) in {"relabel": there, "undo": back}.items():
        print(f"{name} of {COUNT:,} photos: {seconds:.1f} s, {seconds / reading:.0f} times reading them, "
              f"{queries} queries in {steps} steps ({queries / steps:.1f} a step)")  # fmt: skip
        record_property(f"{name} seconds", round(seconds, 2))
        record_property(f"{name} queries", queries)
        assert queries < 40 + QUERIES_A_STEP[connection.vendor] * steps, name
        assert seconds < MOST * reading, name
