"""A database of any version can be brought to this one."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from classifier.models import Analysis, Assessment
from classifier.services.analysis import case_decisions
from classifier.services.analysis.summaries import FIELDS, summarise
from skinclinic.models import Diagnosis, Lesion, PhotoDecision
from skinclinic.services import cases
from tests import factories, results
from tests.cases import each

pytestmark = pytest.mark.django_db


def squashed():
    """The migrations that stand for several earlier ones."""
    loader = MigrationLoader(None, replace_migrations=False)
    return {key: list(found.replaces) for key, found in loader.disk_migrations.items() if found.replaces}


def test_an_installation_from_before_the_first_version_has_nothing_left_to_apply():
    recorder = MigrationRecorder(connection)
    assert squashed()
    for (app, name), earlier in squashed().items():
        recorder.record_unapplied(app, name)
        for former in earlier:
            recorder.record_applied(*former)
    executor = MigrationExecutor(connection)
    assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []
    executor.check_replacements()
    assert recorder.applied_migrations().keys() >= squashed().keys()


def test_every_migration_of_a_new_database_is_applied():
    executor = MigrationExecutor(connection)
    assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []


# They change rows of tables that they make no index on.
RELEASED = {"archive.0002", "archive.0005", "reader_study.0008"}


def test_rows_and_tables_are_not_changed_in_one_transaction():
    """PostgreSQL makes no index on a table with rows that were changed just now; an empty database does not tell."""
    mixed = set()
    for (app, name), found in MigrationLoader(None, replace_migrations=False).disk_migrations.items():
        kinds = {type(operation).__name__ for operation in found.operations}
        is_ours = app in ("skinclinic", "archive", "classifier", "reader_study")
        if is_ours and found.atomic and "RunPython" in kinds and len(kinds) > 1:
            mixed.add(f"{app}.{name[:4]}")
    assert mixed <= RELEASED


def sums(row):
    names = (*FIELDS, "to_decide", "settled_at", "disagrees", "is_unplanned")
    return {name: getattr(Lesion.objects.get(pk=row.pk), name) for name in names}


@each(
    ("decision", "conclusion", "listed", "has_thresholds", "days_ago"),
    [
        ("agree", {"disease": "bcc"}, ["bcc"], True, 0),
        ("agree", {"disease": "nevus"}, ["bcc"], True, 0),
        ("change", {"disease": "nevus"}, ["bcc"], False, 0),  # nothing counts as listed
        ("change", {"icd10": "C44.9", "text": "Carcinoma"}, ["bcc"], True, 0),  # may be one of the 12
        ("change", {"text": "Keratoacanthoma"}, ["bcc"], True, 0),
        ("dismiss", None, ["bcc"], True, 0),
        ("agree", {"disease": "mm"}, ["mm"], True, 9),  # at a photo of an earlier visit
    ],
)
def test_what_migrations_make_of_old_decisions_is_what_the_product_would(
    photo, clinic, clinician, decision, conclusion, listed, has_thresholds, days_ago
):
    analysis = results.finished(photo, clinician)
    lesion = photo.lesion
    newer = factories.make_photo(clinic, clinician, seed=2, lesion=lesion)
    said = {"clinic": clinic, "lesion": lesion, "kind": "impression", "created_by": clinician}
    named = Diagnosis.objects.create(**said, **conclusion) if conclusion else None
    thresholds = analysis.model_version.threshold_sets.first() if has_thresholds else None
    Assessment.objects.create(
        clinic=clinic, analysis=analysis, user=clinician, impression=named, conclusion=named, listed=listed,
        decision=decision, decided_at=timezone.now(), threshold_set=thresholds,
    )  # fmt: skip
    lesion.photos.filter(pk=photo.pk).update(captured_at=newer.created_at - timedelta(days=days_ago))
    Lesion.objects.update(state="done", top_disease="", answer_photo=None)
    import_module("classifier.migrations.0004_decisions_and_lesions_told_rightly").bring_lesions_up_to_date(
        apps, None
    )
    import_module("classifier.migrations.0005_decisions_at_photos").tell_worklist(apps, None)
    migrated, kept = (
        sums(lesion),
        list(PhotoDecision.objects.values("photo", "user", "disagrees", "is_malignant")),
    )
    case_decisions.tell_worklist(Assessment.objects.get())
    summarise([lesion.pk])
    cases.refresh(lesion)
    assert migrated == sums(lesion) and migrated["answer_photo_id"] == photo.pk
    assert kept == list(PhotoDecision.objects.values("photo", "user", "disagrees", "is_malignant"))
    assert Analysis.objects.count() == 1
