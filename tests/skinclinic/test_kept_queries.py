"""Queries that are put together once: the same rows as Django's own, whatever the values; nothing of them is kept."""

from datetime import date

import pytest
from django.db import connection
from django.db.models import Q, QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from skinclinic import kept_queries
from skinclinic.kept_queries import kept
from skinclinic.models import Lesion, Patient

pytestmark = pytest.mark.django_db


def lesions(clinic: int, keys: list[int], sex: str, today: date, *, proven: bool = False) -> QuerySet[Lesion]:
    wanted = Q(patient__sex=sex) & (Q(follow_up_on=None) | Q(follow_up_on__lte=today))
    rows = Lesion.objects.filter(wanted, clinic=clinic, pk__in=keys, is_proven=proven)
    return rows.select_related("patient", "assignee").order_by("-pk")[:20]


@pytest.fixture
def patients(clinic) -> list[Patient]:
    return [
        Patient.objects.create(clinic=clinic, code=f"P{n}", sex=sex)
        for n, sex in enumerate(["male", "female"])
    ]


def test_rows_are_those_that_django_finds_for_other_values_each_time(clinic, other_clinic, patients):
    rows, today = kept(lesions), timezone.localdate()
    made = [Lesion.objects.create(clinic=clinic, patient=patients[n % 2]) for n in range(7)]
    keys = [row.pk for row in made]
    for count in range(8):
        for sex in ("male", "female"):
            for where in (clinic.pk, other_clinic.pk):
                wanted = lesions(where, keys[:count], sex, today)
                assert rows(where, keys[:count], sex, today) == list(wanted)
    with CaptureQueriesContext(connection) as asked:
        found = rows(clinic.pk, keys, "male", today)
        # What belongs to them came along.
        assert {row.patient.code for row in found} == {"P0"} and found[0].assignee is None
    assert len(asked) == 1
    assert rows(clinic.pk, keys, "male", today, proven=True) == []


def test_a_row_that_came_or_changed_since_is_seen(clinic, patients):
    rows, today = kept(lesions), timezone.localdate()
    first, second = (Lesion.objects.create(clinic=clinic, patient=patients[0]) for _n in range(2))
    assert rows(clinic.pk, [first.pk, second.pk], "male", today) == [second, first]
    Lesion.objects.filter(pk=second.pk).update(is_proven=True)
    assert rows(clinic.pk, [first.pk, second.pk], "male", today) == [first]


def test_columns_and_numbers_are_kept_too(clinic, patients):
    @kept
    def codes(clinic: int) -> QuerySet[Patient, str]:
        return Patient.objects.filter(clinic=clinic).order_by("code").values_list("code", flat=True)

    assert [codes(clinic.pk) for _time in range(2)] == [["P0", "P1"]] * 2


def test_the_function_is_called_for_a_form_once_and_never_sees_a_value(clinic):
    seen: list[object] = []

    @kept
    def of(clinic: int) -> QuerySet[Lesion]:
        seen.append(clinic)
        return Lesion.objects.filter(clinic=clinic)

    kept_queries.checks = 0
    try:
        for _time in range(3):
            assert of(clinic.pk) == []
    finally:
        kept_queries.checks = 8
    assert len(seen) == 2 and clinic.pk not in seen


def test_a_query_that_holds_a_value_in_another_way_is_refused(clinic):
    @kept
    def named(clinic: int, word: str) -> QuerySet[Patient]:
        return Patient.objects.filter(clinic=clinic, code__contains=word)

    @kept
    def looks(clinic: int) -> QuerySet[Lesion]:
        return Lesion.objects.filter(clinic=clinic)[: clinic % 7 + 1]

    for refused in (lambda: named(clinic.pk, "P"), lambda: looks(clinic.pk)):
        with pytest.raises(TypeError, match="does not hold each of its values"):
            refused()


def test_what_no_stand_in_is_made_for_is_asked_as_always(clinic, patients):
    @kept
    def of(clinic: int, patient: int | None) -> QuerySet[Lesion]:
        return Lesion.objects.filter(clinic=clinic, patient=patient)

    unfiled = Lesion.objects.create(clinic=clinic)
    filed = Lesion.objects.create(clinic=clinic, patient=patients[0])
    assert of(clinic.pk, None) == [unfiled] and of(clinic.pk, patients[0].pk) == [filed]
