"""Lists of the API that are narrowed to what few have are found by an index, in the order of the list."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from classifier.presenters import result
from tests.plans import with_no_index_but

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]
LISTS = {
    "patients/": "patient_by_clinic",
    "patients/?sex=other": "patient_by_sex",
    "patients/?birth_year=1950": "patient_by_birth_year",
    "patients/?skin_type=6": "patient_by_skin_type",
    "patients/?research_consent=refused": "patient_by_consent",
    "patients/?is_archived=false": "patient_own",
    "fhir/Patient": "patient_own",
    "fhir/Media": "photo_of_cases",
    "lesions/?is_archived=false&state=empty": "lesion_empty",
    "lesions/?is_archived=false": "lesion_own",
    "lesions/?site=nose": "lesion_by_site",
    "diagnoses/?disease=mm": "diagnosis_by_disease",
    "diagnoses/?kind=pathology": "diagnosis_pathology",
    "diagnoses/": "diagnosis_by_clinic",
}


def rows_of(client, path: str) -> str:
    """What the database is asked for the rows of a list."""
    with CaptureQueriesContext(connection) as asked:
        assert client.get(f"/api/v1/{path}").status_code == 200
    (rows,) = (one["sql"] for one in asked if "ORDER BY" in one["sql"] and "LIMIT" in one["sql"])
    return rows


def explained(sql: str) -> str:
    """How the database would find the rows."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        return "\n".join(line for (line,) in cursor.fetchall())


def plan(client, path: str, index: str) -> str:
    """How the database finds the rows of a list by ``index``."""
    with with_no_index_but(index):
        told = explained(rows_of(client, path))
    # What is asked of each row of a page does not grow.
    return told.partition("SubPlan")[0]


def test_each_goes_by_its_index(clinic, clinician, client_for):
    client = client_for(clinician)
    found = {path: plan(client, path, index) for path, index in LISTS.items()}
    assert {
        path: LISTS[path] in told and "Sort" not in told for path, told in found.items()
    } == dict.fromkeys(LISTS, True), found


@pytest.mark.parametrize(("is_archived", "index"), [(False, "photo_of_cases"), (True, "photo_of_archive")])
def test_the_photos_beside_one_are_looked_for_among_their_own(clinic, is_archived, index):
    """An import of 200,000 photos lay between two of cases, and each of them was looked at."""
    with CaptureQueriesContext(connection) as asked:
        result.around(clinic.pk, 5, is_archived=is_archived)
    with with_no_index_but(index):
        told = explained(asked[-1]["sql"])
    assert told.count(f"Backward using {index}") + told.count(f"Scan using {index}") == 2, told


def test_a_clinics_name_is_looked_up_before_the_rows(clinic, clinician, client_for):
    """Beside them it would be asked of each."""
    rows = rows_of(client_for(clinician), f"patients/?clinic={clinic.slug}")
    assert '"slug" =' not in rows and '"clinic_id" IN' in rows
