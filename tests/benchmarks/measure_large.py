"""Pages and lists over 200,000 photos of a clinic's cases and 200,000 of an archive: how long each takes.

``python -m tests.servers python -m tests.benchmarks.measure_large [ROUNDS] [PART|PAGE …]`` makes a clinic as large as a
university's in an empty PostgreSQL (``tests/large_clinic.py``; minutes), or takes the one that is there, and asks each
page ROUNDS (20) times, all of them in turn, so that other work on the machine slows all alike. Tells of each the
median and the 95th percentile of the processor time, that of the web process and of the database for it together, which
is what a page takes on a machine that does nothing else; the part of the web process; the median by the clock, in which
other work is; the number of queries; how many thousand rows and entries of indexes the database read for them, which
shows what grows with the archive whatever else the machine does; and the size. What is over 300 ms of processor time at
the 95th percentile is marked with a star. ``SKINCLINIC_LARGE``: so many lesions instead of 100,000. Photos have rows
and no files, so that pictures are not among the pages; nginx is not before it. To ask a filled database again, keep a
PostgreSQL of your own and the folder: ``DATABASE_URL``, ``SKINCLINIC_HOME``.
"""

import gc
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

MOST_MS = 300


class Page(NamedTuple):
    """What is asked for, and as whom."""

    part: str
    name: str
    path: str
    user: str


class Cost(NamedTuple):
    """Of one page: queries, rows that the database read for them, bytes of the answer."""

    queries: int
    rows: int
    size: int


class Taken(NamedTuple):
    """Of one page: seconds by the clock, of the processor in this process, and in that of the database, each time."""

    clock: list[float]
    web: list[float]
    database: list[float]

    @property
    def both(self) -> list[float]:
        return [sum(pair) for pair in zip(self.web, self.database, strict=True)]


def main(rounds: int = 20, parts: list[str] | None = None) -> None:
    with tempfile.TemporaryDirectory(prefix="skinclinic-large-") as folder:
        os.environ.setdefault("SKINCLINIC_HOME", folder)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skinclinic.settings")
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection

        from skinclinic.models import Clinic
        from tests import large_clinic

        if connection.vendor != "postgresql":
            sys.exit("measured is PostgreSQL: begin the command with python -m tests.servers")
        call_command("migrate", verbosity=0)
        if not Clinic.objects.exists():
            lesions = int(os.environ.get("SKINCLINIC_LARGE", "100000"))
            large_clinic.fill(large_clinic.Sizes(lesions, 2 * lesions, min(1000, lesions)), _say)
        measure(pages(parts or []), rounds)


def _say(text: str) -> None:
    print(text, flush=True)


def pages(parts: list[str]) -> list[Page]:
    """All pages and lists, or those of these parts and names."""
    from tests import large_clinic

    people = large_clinic.people()
    found: list[Page] = []
    for part, user, asked in (
        ("worklist", people.clinician, _worklist), ("records", people.clinician, _records),
        ("archive", people.curator, _archive), ("datasets", people.curator, _datasets),
        ("studies", people.admin, _studies), ("models", people.admin, _models),
        ("clinic", people.admin, _clinic), ("api", people.clinician, _api),
        ("api of a small clinic", people.elsewhere, _lists),
    ):  # fmt: skip
        found += [
            Page(part, name, path, user.username)
            for name, path in asked()
            if not parts or part in parts or name in parts
        ]
    return found


Asked = Iterator[tuple[str, str]]


def _to(view: str, *args: object, **query: object) -> str:
    from django.urls import reverse

    return reverse(view, args=args) + (f"?{urlencode(query)}" if query else "")


def _own(**such: object):
    """Cases of the large clinic."""
    from skinclinic.models import Lesion

    return Lesion.objects.filter(clinic__name="University", is_archived=False, **such)


def _deep(rows: Callable[[], object], order: tuple[str, ...]) -> str:
    """The cursor of somebody who has turned nearly all pages."""
    from skinclinic.web import keyset

    return keyset.page(rows(), order, "", 1).next


def _worklist() -> Asked:
    from skinclinic.services import worklist

    old = _own().order_by("created_at")[_own().count() // 20]
    day = old.created_at.date().isoformat()
    deep = _deep(lambda: _own(created_at__lte=old.created_at), worklist.NEWEST_FIRST)
    code = old.patient.code if old.patient else "P-000777"
    for name, query in {
        "as it opens": {}, "all": {"show": "all"}, "all, deep": {"show": "all", "cursor": deep},
        "no photo": {"show": "all", "state": "empty"}, "queued": {"show": "all", "state": "queued"},
        "analysed": {"show": "all", "state": "done"}, "failed": {"show": "all", "state": "failed"},
        "melanoma": {"show": "all", "disease": "mm"}, "proven": {"show": "proven"},
        "melanoma, proven": {"show": "proven", "disease": "mm"}, "not filed": {"show": "not-filed"},
        "failed, not filed": {"show": "not-filed", "state": "failed"}, "mine": {"show": "all", "mine": 1},
        "mine, failed": {"show": "all", "mine": 1, "state": "failed"},
        "malignant first": {"show": "all", "sort": "malignant"},
        "malignant first, mine": {"show": "all", "sort": "malignant", "mine": 1},
        "biopsy": {"show": "biopsy"}, "follow-up": {"show": "follow-up"}, "disagreement": {"show": "disagreement"},
        "an old day": {"show": "all", "since": day, "until": day},
        "an old day, failed": {"show": "all", "since": day, "until": day, "state": "failed"},
        "a patient's code": {"show": "all", "q": code}, "codes that begin so": {"show": "all", "q": "P-0123"},
        "P": {"show": "all", "q": "P"}, "nobody": {"show": "all", "q": "zzzz"},
        "melanoma, a word": {"show": "all", "q": "melanoma"}, "C43.9": {"show": "all", "q": "C43.9"},
        "흑색종": {"show": "all", "q": "흑색종"}, "L40, another diagnosis": {"show": "all", "q": "L40"},
        "a date": {"show": "all", "q": day}, "a month": {"show": "all", "q": day[:7]},
        "melanoma, failed": {"show": "all", "q": "melanoma", "state": "failed"},
        "a file": {"show": "all", "q": f"IMG_{old.cover_id}.jpg"},
    }.items():  # fmt: skip
        yield name, _to("worklist", **query)
    some = _own().order_by("-created_at").values_list("pk", flat=True)[:100]
    yield (
        "rows that are asked for again, 100",
        _to("worklist-rows", seen=",".join(f"{pk}:x" for pk in some), show="all"),
    )


def _records() -> Asked:
    from classifier.models import Analysis
    from skinclinic.models import Patient, Photo

    lesion = _own(is_proven=True).select_related("patient").exclude(patient=None).order_by("pk")[10]
    analysis = Analysis.objects.asked_for().filter(photo__lesion=lesion)[0]
    queued = Photo.objects.filter(lesion__in=_own(state="queued")).order_by("-pk")[0]
    unfiled = Photo.objects.filter(lesion__in=_own(patient=None, state="done")).order_by("-pk")[0]
    many = list(Photo.objects.filter(lesion__in=_own(patient=None)).order_by("-pk")[:100])
    deep = Patient.objects.filter(clinic=lesion.clinic_id, is_archived=False).order_by("code")
    yield "lesion", _to("lesion", lesion.pk)
    yield "lesion, change", _to("lesion-edit", lesion.pk)
    yield "patients", _to("patients")
    yield "patients, a word", _to("patients", q="P-01")
    yield "patients, nobody", _to("patients", q="zzzz")
    yield "patients, two letters of nobody", _to("patients", q="zz")
    yield (
        "patients, deep",
        _to("patients", cursor=_deep(lambda: deep.filter(code__gte="P-03"), ("code", "id"))),
    )
    yield "patient", _to("patient", lesion.patient_id)
    yield "photo with its answer", _to("photo", analysis.photo_id)
    yield "photo that waits", _to("photo", queued.pk)
    yield "heatmaps", _to("analysis-maps", analysis.pk)
    yield "upload", _to("upload")
    yield "cards of 100 photos", _to("photo-cards", have=",".join(f"{photo.pk}:x" for photo in many))
    yield "filing", _to("photo-filing", unfiled.pk)
    yield "filing 100", _to("filing", ids=",".join(str(photo.pk) for photo in many))
    for text in ("P-01", "0123", "zz"):
        yield f"codes like {text}", _to("photo-filing-codes", unfiled.pk, q=text)
    yield "filing, a patient", _to("photo-filing-patient", unfiled.pk, code=lesion.patient.code)
    yield "engine's light", _to("engine-status")
    yield "bin", _to("bin")
    yield "healthz", _to("healthz")


_SEARCHES = (
    "melanoma", "palisading", "zzzzqq", "basaloid nests", "icd10:C43.9", "patient:000777", 'patient:"Archive A/0"',
    "patient:nobody", "text:palisading", "date:2010-05", "date:2005..2009-06", "date:2010-05-11", "dataset:Big",
    "NOT dataset:Big", "melanoma AND text:nests AND date:2012", "melanoma OR bcc OR text:keratin",
    "bcc NOT text:nests", 'source:"Archive B"', "(melanoma OR bcc) AND (nests OR horn) NOT keratin",
    "subtype:nodular", "2012", "a OR basaloid OR nests OR horn OR cysts OR dermis OR margins OR solar",
    "흑색종", "a", "zq", "w", "age:60..70", "sex:other", "site:head_neck", "kind:dermoscopic", "tag:ruler",
    "lesion:#77", 'column:"image_manipulation=instrument only"', "age:60..70 sex:male site:face skin:1..2 -tag:ruler",
)  # fmt: skip


def _archive() -> Asked:
    from skinclinic.archive.models import Dataset, Entry, Source
    from skinclinic.models import User

    entries = Entry.objects.filter(clinic__name="University")
    half = entries.order_by("patient_key", "id")[entries.count() // 20]
    deep = _deep(lambda: entries.filter(patient_key__lte=half.patient_key), ("-patient_key", "-id"))
    big, curator = Dataset.objects.get(name="Big").pk, User.objects.get(username="curtis").pk
    source = Source.objects.filter(clinic__name="University")[0].pk
    filters: dict[str, dict] = {
        "all": {}, "bcc": {"label": "bcc"}, "others": {"label": "others"},
        "malignant, proven, accepted": {"label": "malignant", "proven": "yes", "review": "accepted"},
        "pending": {"review": "pending"}, "rejected": {"review": "rejected"}, "accepted": {"review": "accepted"},
        "a reviewer": {"reviewer": curator}, "a source": {"source": source},
        "the model disagrees": {"disagree": "1"}, "a dataset": {"dataset": big},
        "a label nobody gave": {"label": "no such disease"}, "not proven": {"proven": "no"},
        "a background disease": {"label": "background disease 007"}, "deep": {"cursor": deep},
        "deep, melanoma": {"cursor": deep, "q": "melanoma"},
        **{text: {"q": text} for text in _SEARCHES},
    }  # fmt: skip
    for name, query in filters.items():
        yield f"gallery: {name}", _to("archive", **query)
    for name in (
        "all", "bcc", "others", "rejected", "accepted", "a reviewer", "a source", "the model disagrees", "a dataset",
        "melanoma", "palisading", 'patient:"Archive A/0"', "date:2010-05", "NOT dataset:Big",
        "melanoma AND text:nests AND date:2012",
    ):  # fmt: skip
        yield f"review: {name}", _to("review", **filters[name])
    for name in (
        "all",
        "bcc",
        "accepted",
        "a dataset",
        "palisading",
        'patient:"Archive A/0"',
        "date:2010-05",
    ):
        yield f"dates: {name}", _to("archive-dates", **filters[name])
    yield "labels like me", _to("archive-labels", q="me")
    yield "an entry", _to("archive-entry", half.pk)
    yield "sources", _to("sources")
    yield "a source", _to("source", source)
    yield "vocabulary", _to("vocabulary")
    for show in ("", "patients", "sources"):
        yield f"duplicates {show}", _to("duplicates", show=show)
    yield "duplicates decided", _to("duplicates-decided")
    yield "duplicates decided, page 200", _to("duplicates-decided", page=200)
    yield "second opinions", _to("archive-second")
    yield "second opinions that differ", _to("archive-second-differing")
    yield "imports", _to("imports")
    yield "bulk changes", _to("archive-bulk")


def _datasets() -> Asked:
    from skinclinic.archive.models import DatasetVersion

    versions = list(DatasetVersion.objects.filter(dataset__name="Big").order_by("number"))
    frozen, draft = versions[0], versions[-1]
    yield "datasets", _to("datasets")
    yield "new, melanoma", _to("dataset-new", q="melanoma")
    yield "new, all", _to("dataset-new")
    yield "from the clinic", _to("dataset-candidates")
    yield "a frozen version of 120,000", _to("dataset", frozen.pk)
    yield "a draft of 200,000", _to("dataset", draft.pk)
    yield "compare two", _to("dataset-compare") + f"?version={versions[-2].pk}&version={draft.pk}"
    yield "differences of the draft", _to("dataset-differences", draft.pk, since=versions[-2].pk)
    for name, query in {
        "all": {}, "bcc": {"only": "bcc"}, "test": {"split": "test"}, "bcc, test": {"only": "bcc", "split": "test"},
        "background": {"only": "background disease 007"}, "a label nobody gave": {"only": "no such disease"},
    }.items():  # fmt: skip
        yield f"photos: {name}", _to("dataset-photos", frozen.pk, **query)
    yield "photos of the draft, undecided", _to("dataset-photos", draft.pk, against="undecided")
    yield "the same, bcc", _to("dataset-photos", draft.pk, against="undecided", only="bcc")
    yield "alike, bcc", _to("dataset-photos", draft.pk, against="alike", only="bcc")


def _studies() -> Asked:
    from reader_study.models import Study

    being_read, closed = (Study.objects.get(state=state) for state in ("open", "closed"))
    yield "studies", _to("studies")
    yield "new", _to("study-new")
    for view in ("study", "study-settings", "study-sample", "study-readers", "study-progress", "study-log"):
        yield f"{view}, open", _to(view, being_read.pk)
    yield "paper", _to("study-paper", being_read.pk)
    for view in ("study", "study-sample", "study-reference", "study-documents"):
        yield f"{view}, closed", _to(view, closed.pk)
    for part in ("", "-disease", "-readers", "-model", "-sessions", "-agreement", "-missed", "-methods"):
        yield f"results{part.replace('-', ', ')}", _to(f"study-results{part}", closed.pk)


def _models() -> Asked:
    from classifier.models import Evaluation, ModelVersion

    row, model = Evaluation.objects.get(name="Large"), ModelVersion.objects.get(name="chosen")
    yield "models", _to("models")
    yield "model", _to("model", model.pk)
    yield "trainings", _to("model-trainings")
    yield "new training", _to("model-training-new")
    yield "evaluations", _to("evaluations")
    yield "new evaluation", _to("evaluation-new")
    yield "evaluation of 60,000", _to("evaluation", row.pk)
    yield "its photos", _to("evaluation-gallery", row.pk)
    yield "one disease of it", _to("evaluation-disease", row.pk, key="bcc")
    yield "after publishing", _to("after-publishing")
    yield "rule of alarms", _to("monitor-rule")


def _clinic() -> Asked:
    yield "overview", _to("overview")
    yield "members", _to("members")
    yield "settings", _to("clinic-settings")
    yield "queue", _to("queue")
    yield "audit", _to("audit")
    yield "retention", _to("retention")


_KINDS = (
    "patients", "lesions", "photos", "analyses", "diagnoses", "assessments", "follow-ups", "biopsies", "answers",
    "answer-changes", "readings", "studies", "study-results", "models", "publications", "members",
)  # fmt: skip


def _lists() -> Asked:
    from django.urls import reverse

    api = reverse("worklist") + "api/v1/"
    for kind in ("patients", "lesions", "photos", "analyses", "diagnoses"):
        yield kind, f"{api}{kind}/"


def _api() -> Asked:
    from reader_study.models import Study
    from skinclinic.models import Photo

    lesion = _own(is_proven=True).exclude(patient=None).order_by("pk")[10]
    photo = Photo.objects.filter(lesion=lesion)[0]
    study = Study.objects.get(state="closed").pk
    for kind in _KINDS:
        yield kind, f"/api/v1/{kind}/"
    for text in (
        "lesions/?page_size=200", "analyses/?page_size=200", "photos/?page_size=200", "patients/?code=P-000777",
        "patients/?code=nobody", "patients/?sex=other", "patients/?birth_year=1950", "patients/?is_archived=false",
        "patients/?skin_type=6", "patients/?research_consent=refused", "lesions/?is_archived=false",
        "lesions/?site=genital",
        "patients/?clinic=university", "patients/?clinic=elsewhere", f"lesions/?patient={lesion.patient_id}",
        "lesions/?state=failed", "lesions/?state=running", "lesions/?is_archived=false&state=empty",
        "lesions/?proven_disease=mm", "lesions/?is_archived=false&state=failed", f"photos/?sha256={photo.sha256}",
        f"photos/?sha256={'f' * 64}", f"photos/?lesion={lesion.pk}", "photos/?kind=overview",
        "photos/?is_synthetic=true",
        f"analyses/?photo={photo.pk}", f"analyses/?photo__lesion={lesion.pk}", "analyses/?job__state=failed",
        "analyses/?job__state=running", f"analyses/?model_version={_model()}", f"diagnoses/?lesion={lesion.pk}",
        "diagnoses/?kind=pathology&disease=mm", f"answers/?study={study}", f"lesions/{lesion.pk}/",
        f"photos/{photo.pk}/", f"patients/{lesion.patient_id}/",
        "fhir/Patient?_count=50", "fhir/Media?_count=50", f"fhir/Media?patient={lesion.patient_id}",
        "fhir/Observation?_count=50",
    ):  # fmt: skip
        yield text, f"/api/v1/{text}"


def _model() -> int:
    from classifier.models import ModelVersion

    return ModelVersion.objects.get(name="chosen").pk


def measure(asked: list[Page], rounds: int) -> None:
    """Ask each page once, then all of them in turn, and tell."""
    from django.conf import settings
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from skinclinic.models import User

    settings.ALLOWED_HOSTS = ["*"]
    logging.getLogger("django.request").setLevel(logging.CRITICAL)
    clients = {}
    for name in {page.user for page in asked}:
        clients[name] = Client(raise_request_exception=False)
        clients[name].force_login(
            User.objects.get(username=name), backend="django.contrib.auth.backends.ModelBackend"
        )
    costs, taken = {}, {page: Taken([], [], []) for page in asked}
    for page in list(taken):
        # Once for what is kept from then on, of the database's plans and the process's own.
        clients[page.user].get(page.path)
        read = rows_read()
        with CaptureQueriesContext(connection) as captured:
            response = clients[page.user].get(page.path)
        if response.status_code != 200:
            print(f"not measured: {page.part}, {page.name}: status {response.status_code}")
            del taken[page]
            continue
        costs[page] = Cost(len(captured), rows_read() - read, len(_body(response)))
    # As web processes look for garbage (``gunicorn.conf.py``).
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)
    for _round in range(rounds):
        for page, times in taken.items():
            clock, web, database = time.perf_counter(), time.process_time(), spent_by_database()
            _body(clients[page.user].get(page.path))
            times.web.append(time.process_time() - web)
            times.clock.append(time.perf_counter() - clock)
            times.database.append(spent_by_database() - database)
    tell(taken, costs)


def spent_by_database() -> float:
    """Seconds of the processor that the database's process of this connection has spent; without those it has let help
    it."""
    from django.db import connection

    connection.ensure_connection()
    told = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat").read_text()
    return int(told.split()[0]) / 1e9


def rows_read() -> int:
    """Rows and entries of indexes that the database has read until now."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT tup_returned FROM pg_stat_database WHERE datname = current_database()")
        return cursor.fetchone()[0]


def _body(response) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def tell(taken: dict[Page, Taken], costs: dict[Page, Cost]) -> None:
    """A line each, and the longest at the end."""
    print(
        "milliseconds of the processor: median, 95th percentile; of the web process; by the clock; queries; thousands"
        " of rows read; kB"
    )
    part, slow = "", 0
    for page, times in taken.items():
        if page.part != part:
            part = page.part
            print(f"-- {part}, as {page.user}")
        p95 = percentile(times.both) * 1000
        median, web, clock = (statistics.median(one) * 1000 for one in (times.both, times.web, times.clock))
        star = "*" if p95 > MOST_MS else " "
        queries, read, size = costs[page].queries, costs[page].rows / 1000, costs[page].size / 1000
        print(
            f"{star} {median:6.0f} {p95:6.0f} {web:6.0f} {clock:6.0f} {queries:4} {read:7.1f} {size:6.0f}  {page.name}"
        )
        slow += p95 > MOST_MS
    print(f"{len(taken)} pages and lists, {slow} of them over {MOST_MS} ms at the 95th percentile")


def percentile(seconds: list[float], share: float = 0.95) -> float:
    """The least of these that so many are not above."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, max(0, -(-int(len(ordered) * share * 100) // 100) - 1))]


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    words = sys.argv[1:]
    main(*map(int, words[:1]), parts=words[1:])
