"""Lists of a small clinic do not read a large neighbour's rows."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from classifier.models import Analysis
from tests.cases import each

pytestmark = pytest.mark.django_db

LISTS = ["patients", "lesions", "photos", "analyses", "diagnoses", "assessments"]


@each("name", LISTS)
def test_the_database_is_told_which_clinics_are_meant(client_for, clinician, clinic, name):
    """By their keys: only of these can it tell how many rows they have; of a subquery it knows nothing."""
    client = client_for(clinician)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(f"/api/{name}/").status_code == 200
    listing = [one["sql"] for one in queries if "ORDER BY" in one["sql"] and "LIMIT 51" in one["sql"]]
    assert len(listing) == 1
    assert f'"clinic_id" IN ({clinic.pk})' in listing[0] and "skinclinic_member" not in listing[0]


def test_analyses_that_were_asked_for_have_an_index_of_their_own():
    found = Analysis.objects.asked_for().filter(clinic__in=[1]).order_by("-id")[:51]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")
    plan = found.explain()
    assert "analysis_asked_for" in plan and "SORT" not in plan.upper()
