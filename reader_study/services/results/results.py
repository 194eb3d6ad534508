"""The results of a study: asked for when it closes, computed in the background, kept as files.

``request`` asks for them (again). Both places of actinic keratosis are computed, so that a page can show either.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from classifier.metrics.groups import AS_BENIGN, AS_MALIGNANT
from classifier.metrics.plain import plain
from classifier.plots.frame import WIDE, Form
from reader_study.models import Study, StudyEvent, StudyResult
from reader_study.plots import StudyFigures, curves
from reader_study.plots.readers_roc import CI, OWN
from reader_study.services import log
from reader_study.services.making import manners, operating, reference
from reader_study.services.results import asked_counts, model_seen, plan, study_tables
from reader_study.statistics.report import FORMAT, report
from reader_study.statistics.tables import StudyTables, read_tables
from skinclinic.engine import jobs
from skinclinic.engine.jobs import JobError
from skinclinic.files import whole
from skinclinic.models import Job

JOB = "study-results"
POLICIES = (AS_BENIGN, AS_MALIGNANT)
FOLDER = "results"
State = StudyResult.State


class NoResults(Exception):
    """The results are not there: not computed yet, or their files are gone."""


# Asking


@transaction.atomic
def request(study: Study) -> StudyResult:
    """Ask for the results, also when there are some: when a study is closed or unblinded, or on a button."""
    row, created = StudyResult.objects.get_or_create(study=study)
    if not created:
        # A computation that has begun may not have seen the last answer: one more is asked for.
        StudyResult.objects.filter(pk=row.pk).exclude(state=State.WAITING).update(
            number=F("number") + 1, state=State.WAITING, error="", done=0, asked_at=timezone.now()
        )
        row.refresh_from_db()
    jobs.enqueue(JOB, _key(row), subject=study.pk, clinic=study.clinic)
    return row


def _key(row: StudyResult) -> str:
    return f"{row.study_id}:{row.number}"


def rows_of(job: Job) -> QuerySet[StudyResult]:
    """The row a job computes, unless it was asked for anew since."""
    return StudyResult.objects.filter(study=job.subject, number=int(job.key.rpartition(":")[2]))


# Computing


def compute(
    row: StudyResult, say: Callable[[int, int], None] = lambda done, total: None
) -> Callable[[], None]:
    """Compute everything and write it beside what is there; returns what puts it in its place. Raises JobError."""
    study = row.study
    steps = 2 * len(POLICIES) + 1
    tables = study_tables.of_study(study)
    if not tables.answers:
        raise JobError(
            "no_answers", _("No reader who counts has answered anything: there is nothing to compute.")
        )
    say(1, steps)
    draft = whole.new_folder_draft(study.folder / FOLDER)
    try:
        for name, content in study_tables.to_csv(tables).items():
            (draft / name).write_bytes(content)
        about = _about(study, row) | {"model_seen": model_seen.look(study)}
        planned = {"plan": found} if (found := plan.of_study(study, tables)) else {}
        in_doubt = bool(model_seen.doubt(study, about))
        is_fixed = study.origin == Study.Origin.RUN and bool(study.protocol_sha256)
        for place, policy in enumerate(POLICIES):
            found = report(
                tables, ak=policy, margin=study.margin, endpoints=study.endpoints, is_fixed=is_fixed,
                # Readers and photos of a study that was run here have rows of their own, whatever they are called.
                names_differ=study.origin == Study.Origin.RUN,
                thresholds=operating.values(study), operating_point=study.operating_point,
            )  # fmt: skip
            if in_doubt:
                found = model_seen.without_tests(found)
            _write_json(draft / report_name(policy), {"about": about} | planned | found)
            say(2 + 2 * place, steps)
            _write_json(draft / _curves_name(policy), plain(curves(tables, policy)))
            say(3 + 2 * place, steps)
        whole.flush(draft)
    except BaseException:
        whole.remove(draft)
        raise
    return partial(_finish, row, draft, _facts(study, tables))


def _about(study: Study, row: StudyResult) -> dict:
    """Where the figures come from, kept with them."""
    model = study.model_version
    return {
        "study": study.name,
        "origin": study.origin,
        "synthetic": study.is_synthetic,
        "protocol_sha256": study.protocol_sha256,
        "closed_at": study.closed_at and study.closed_at.isoformat(),
        "unblinded_at": study.unblinded_at and study.unblinded_at.isoformat(),
        "model": model and {"name": model.name, "weights_sha256": model.weights_sha256},
        "thresholds": study.thresholds,
        "thresholds_shown": _thresholds_shown(study),
        "reference": dict(reference.strength(study).counts),
        "computed_at": timezone.now().isoformat(),
        "lacking_scores": study_tables.lacking_scores(study)[:100] if model else [],
        "whole": study_tables.coverage(study),
        "manner": manners.totals(study) if study.origin == Study.Origin.RUN else None,
        "asked": asked_counts.count(study),
        "refused": asked_counts.refused(study),
    }


def _thresholds_shown(study: Study) -> dict[str, str]:
    """The thresholds readers saw in each session with the model's answer, with their values."""
    kept = study.thresholds
    if not kept or not kept["name"]:
        return {}
    text = f"{kept['name']}: " + " ".join(f"{key}={value:.6g}" for key, value in kept["values"].items())
    return {session.key: text for session in study.sessions.filter(is_aided=True)}


def _facts(study: Study, tables: StudyTables) -> dict:
    """What lists and pages say of the results without opening them."""
    readers = {answer.reader for answer in tables.answers}
    counted = study.readers.counted()
    return {
        "photos": len(tables.images),
        "answers": sum(answer.answer != "" for answer in tables.answers),
        "readers": len(readers),
        "never_began": sorted(counted.exclude(code__in=readers).values_list("code", flat=True)),
    }


def _finish(row: StudyResult, draft: Path, facts: dict) -> None:
    """Put the files in their place; those of an older request are thrown away."""
    current = StudyResult.objects.filter(pk=row.pk, number=row.number)
    if not current.exists():
        transaction.on_commit(partial(whole.remove, draft))
        return
    whole.put(draft, row.study.folder / FOLDER, replace=True)
    current.update(facts=facts, computed_at=timezone.now())
    log.note(row.study, StudyEvent.Kind.COMPUTED, number=row.number)


def _write_json(path: Path, content: dict) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, allow_nan=False), encoding="utf-8")


def report_name(policy: str) -> str:
    return f"report-{policy}.json"


def _curves_name(policy: str) -> str:
    return f"curves-{policy}.json"


# Reading


class Results:
    """The stored results of a study, with actinic keratosis counted as ``policy`` says. Raises NoResults."""

    def __init__(self, study: Study, policy: str = ""):
        self.study = study
        self.policy = policy if policy in POLICIES else study.premalignant_as
        self.folder = study.folder / FOLDER
        self.report = _read(self.folder / report_name(self.policy))
        if self.report["format"] != FORMAT:
            # An older report may conclude what is not to be concluded.
            raise NoResults("computed by other rules")
        # Why nothing is concluded about the model; "" where nothing speaks against it.
        self.doubt = model_seen.doubt(study, self.report["about"])
        if self.doubt and "model_seen" not in self.report["about"]:
            # Computed before tests were left out.
            self.report = model_seen.without_tests(self.report)

    @property
    def curves(self) -> dict:
        """Curves by dataset and disease."""
        return _read(self.folder / _curves_name(self.policy))

    @property
    def tables(self) -> StudyTables:
        """Everything the report was computed from."""
        images, scores, answers, *whole = (self._path(name) for name in study_tables.FILES)
        if images is None or answers is None:
            raise NoResults("the tables are not there")
        try:
            found = read_tables(images, scores, answers, *whole, is_own=True)
            return replace(
                found, choices=tuple(self.report["settings"]["choices"]), by_design="plan" in self.report
            )
        except (OSError, TypeError, ValueError) as error:
            raise NoResults(str(error)) from error

    def figures(self, *, labels: str = OWN, interval: str = CI, form: Form = WIDE) -> StudyFigures:
        """What can be drawn."""
        groups = dict(self.study.groups.values_list("key", "name"))
        return StudyFigures(
            self.report, self.curves, groups, self.study.endpoints, self.study.is_synthetic, labels, interval, form,
            self.study.name, StudyResult.objects.filter(study=self.study).values_list("computed_at", flat=True).first(),
        )  # fmt: skip

    def file(self, name: str) -> bytes | None:
        """One of the tables (``study_tables.FILES``); None where there is none."""
        path = self._path(name)
        return path.read_bytes() if path else None

    def _path(self, name: str) -> Path | None:
        path = self.folder / name
        return path if name in study_tables.FILES and path.is_file() else None


def _read(path: Path) -> dict:
    try:
        return _parsed(path, path.stat().st_mtime_ns)
    except (OSError, ValueError) as error:
        raise NoResults(str(error)) from error


@lru_cache(maxsize=8)
def _parsed(path: Path, changed: int) -> dict:
    return json.loads(path.read_bytes())
