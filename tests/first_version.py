"""Version 0.1 as far as its database goes: its tables, rows of it, and what it writes for an upload.

``python -m tests.first_version`` makes tables and rows in the database of DATABASE_URL; with ``check`` and keys of
photos it looks, by this version's models, whether they and all rows of before are there.
"""

import hashlib
import json
import os
import sys
from typing import Any

FIRST = {"skinclinic": "0001_version_0_1", "archive": "0001_initial", "classifier": "0001_version_0_1",
         "reader_study": "0001_version_0_1"}  # fmt: skip
PHOTOS = 120
# Tables of it that nothing of this version knows.
FORMER = (
    "CREATE TABLE django_session (session_key varchar(40) PRIMARY KEY, session_data text, expire_date timestamptz)",
    "CREATE TABLE authtoken_token (key varchar(40) PRIMARY KEY, created timestamptz, user_id bigint)",
)
KEY = "0123456789" * 4


def begin() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skinclinic.settings")
    django.setup()


def make() -> None:
    """Its tables, a clinic, and some cases with analyses."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    # What others bring came with later versions, but for what it stood on.
    executor.migrate(
        [
            *FIRST.items(),
            *(key for key in executor.loader.graph.leaf_nodes() if key[0] in ("auth", "contenttypes")),
        ]
    )
    there = connection.connection
    there.autocommit = False
    with there.cursor() as cursor:
        for statement in FORMER:
            cursor.execute(statement)
    user = insert(there, "skinclinic_user", password="!", is_superuser=False, username="old", first_name="",
                  last_name="", email="", is_staff=False, is_active=True, display_name="Old",
                  date_joined=NOW)  # fmt: skip
    clinic = insert(there, "skinclinic_clinic", name="Old", slug="old", impression_first=True, try_page_open=False,
                    created_at=NOW)  # fmt: skip
    insert(
        there,
        "skinclinic_member",
        role="admin",
        is_active=True,
        joined_at=NOW,
        clinic_id=clinic,
        user_id=user,
    )
    insert(there, "classifier_modelversion", name="old-model", folder="old-model", architecture="resnet152",
           weights_sha256="0" * 64, manifest="{}", registered_at=NOW)  # fmt: skip
    with there.cursor() as cursor:
        cursor.execute("INSERT INTO authtoken_token VALUES (%s, now(), %s)", [KEY, user])
    for number in range(PHOTOS):
        upload(there, f"old-{number}")
    there.commit()


class _Now:
    """The database's clock."""


NOW: Any = _Now()


def insert(there: Any, table: str, **values: Any) -> int:
    """A row with these columns, as its version writes it, and its key."""
    marks = ["now()" if value is NOW else "%s" for value in values.values()]
    with there.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(marks)}) RETURNING id",
            [value for value in values.values() if value is not NOW],
        )
        return cursor.fetchone()[0]


def upload(there: Any, name: str) -> int:
    """A patient, a lesion, a photo and its analysis that waits, in the transaction of the caller; the photo's key.
    Before that a look at the worklist."""
    with there.cursor() as cursor:
        cursor.execute("SELECT session_key FROM django_session WHERE session_key = %s", [name])
        cursor.execute(
            "SELECT id, state FROM skinclinic_lesion WHERE clinic_id = 1 ORDER BY id DESC LIMIT 20"
        )
        cursor.execute("SELECT id FROM classifier_modelversion LIMIT 1")
        (model,) = cursor.fetchone()
        cursor.execute("SELECT clinic_id, user_id FROM skinclinic_member LIMIT 1")
        clinic, user = cursor.fetchone()
    owned = {"clinic_id": clinic, "created_at": NOW}
    patient = insert(there, "skinclinic_patient", code=name, sex="", ethnicity="", research_consent="",
                     is_archived=False, created_by_id=user, **owned)  # fmt: skip
    lesion = insert(there, "skinclinic_lesion", site="cheek", note=f"note {name}", is_archived=False, state="queued",
                    top_disease="", proven_disease="", is_proven=False, photo_count=1, created_by_id=user,
                    patient_id=patient, **owned)  # fmt: skip
    digest = hashlib.sha256(name.encode()).hexdigest()
    photo = insert(there, "skinclinic_photo", kind="close_up", original_name=f"{name}.jpg", sha256=digest,
                   file_key=f"clinic-1/{digest}.jpg", thumbnail_key=f"clinic-1/{digest}-small.jpg", width=64,
                   height=64, source_format="JPEG", notes=json.dumps([]), is_synthetic=False, lesion_id=lesion,
                   uploaded_by_id=user, **owned)  # fmt: skip
    job = insert(there, "skinclinic_job", kind="analyse", key=name, state="queued", attempts=0, progress=0,
                 error_code="", error="", **owned)  # fmt: skip
    insert(there, "classifier_analysis", box_x=0, box_y=0, box_size=64, requested_at=NOW, clinic_id=clinic, job_id=job,
           photo_id=photo, requested_by_id=user, model_version_id=model)  # fmt: skip
    insert(there, "skinclinic_diagnosis", kind="impression", disease="nevus", icd10="D22.9", text="", confirmed_by="",
           created_by_id=user, lesion_id=lesion, **owned)  # fmt: skip
    with there.cursor() as cursor:
        cursor.execute("UPDATE skinclinic_lesion SET cover_id = %s WHERE id = %s", [photo, lesion])
    return photo


def check(keys: list[int]) -> None:
    """Raise AssertionError where something is missing or says something else."""
    from skinclinic.models import ApiToken, Job, Lesion, Patient, Photo
    from skinclinic.services import ready

    assert ready.migrations_waiting() == []
    photos = Photo.objects.select_related("lesion__patient").in_bulk()
    assert set(keys) <= set(photos), f"gone: {sorted(set(keys) - set(photos))}"
    assert len(photos) == len(keys) + PHOTOS, f"{len(photos)} photos, {len(keys)} written meanwhile"
    for photo in photos.values():
        name = photo.original_name.removesuffix(".jpg")
        lesion, patient = photo.lesion, photo.lesion.patient
        assert photo.sha256 == hashlib.sha256(name.encode()).hexdigest()
        assert (patient.code, lesion.note, lesion.cover_id, lesion.photo_count) == (
            name,
            f"note {name}",
            photo.pk,
            1,
        )
        analysis = photo.analyses.get()
        assert analysis.job.state == Job.State.QUEUED and analysis.job.key == name
        assert lesion.diagnoses.get().disease == "nevus"
        # This version writes them as it writes its own; of some, as each takes its time.
        if photo.pk % 10 == 0:
            for row in (photo, lesion, patient, analysis, analysis.job):
                row.save()
    assert Patient.objects.count() == Lesion.objects.count() == Job.objects.count() == len(photos)
    assert ApiToken.objects.get().begins == KEY[:4]
    print("all there")


if __name__ == "__main__":
    begin()
    check([int(key) for key in sys.argv[2:]]) if sys.argv[1:2] == ["check"] else make()
