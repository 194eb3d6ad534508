"""Searches by words go by indexes where PostgreSQL has them, and find the same where it does not."""

import logging

import pytest
from django.db import connection

from skinclinic.archive.models import Entry
from skinclinic.archive.services.searching import facts
from skinclinic.models import Lesion, Patient
from skinclinic.services import held, word_indexes
from skinclinic.services.doctor import stores
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def is_postgresql() -> bool:
    return connection.vendor == "postgresql"


def statement(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def test_there_is_an_index_for_each_text_that_is_searched(is_postgresql):
    assert word_indexes.make(connection)
    if is_postgresql:
        assert word_indexes.missing(connection) == []
        statement("SET LOCAL enable_seqscan = off")
        statement("SET LOCAL enable_indexscan = off")
        for found, name in (
            (Entry.objects.filter(text__icontains="palisading"), "archive_entry_text_words"),
            (Entry.objects.filter(subtype__icontains="nodular"), "archive_entry_subtype_words"),
            (Patient.objects.filter(code__icontains="0123"), "skinclinic_patient_code_words"),
            (held.by_pairs(Entry.objects.all(), "text", "zq"), "archive_entry_text_pairs"),
            (held.by_pairs(Entry.objects.all(), "text", "z"), "archive_entry_text_pairs"),
            (held.by_pairs(Entry.objects.all(), "subtype", "zq"), "archive_entry_subtype_pairs"),
            (held.by_pairs(Patient.objects.all(), "code", "zq"), "skinclinic_patient_code_pairs"),
            (held.by_signs(Entry.objects.all(), "text", "§"), "archive_entry_text_signs"),
            (held.by_signs(Patient.objects.all(), "code", "§+"), "skinclinic_patient_code_signs"),
            (_column(None, "smoke"), "archive_entry_columns_keys"),
            (
                held.by_saying(Entry.objects.all(), "columns", "smoke", "yes"),
                "archive_entry_columns_said",
            ),
            (
                Lesion.objects.filter(note__gt="", note__iendswith=": lesion 7"),
                "skinclinic_lesion_note_words",
            ),
        ):
            assert name in found.explain()


def _column(clinic, text: str):
    return Entry.objects.filter(facts.FIELDS["column"](clinic, text))


def test_a_letter_or_two_or_signs_find_every_text_that_holds_them(clinic, clinician):
    entry = factories.make_entry(factories.make_photo(clinic, clinician), clinician)
    one = Entry.objects.filter(pk=entry.pk)
    texts = (
        "Melanoma", "a", "AK 9", "x_y%", "a\nz", "점 모반", "Straße", "§ 4 ++", "ⓐ\\-]é", "é\u0301¿?",
    )  # fmt: skip
    sought = (
        "a", "am", "MA", "k", "9", "_", "y%", "z", "\nz", "모반", "반", "ß", "ka", "§", "+", "++", "+++", "§ ", " +",
        "§+", "Ⓐ", "\\", "-]", "'", '"', "?", "¿?", "\u0301", " ", "\n", "\u00a0", "%%",
    )  # fmt: skip
    for text in texts:
        one.update(text=text)
        for wanted in sought:
            is_there = one.filter(text__icontains=wanted).exists()
            assert one.filter(held.holding(one, "text", wanted)).exists() == is_there, (text, wanted)


def test_a_column_is_found_whatever_it_says(clinic, clinician):
    entry = factories.make_entry(factories.make_photo(clinic, clinician), clinician)
    said = {"smoke": "No", "SMOKE": "Yes", "name": 'a\\", "b": "c', "empty": "", "코": "점\n2", "is": "is"}
    Entry.objects.filter(pk=entry.pk).update(columns=said)
    for wanted in (
        "smoke=no",
        "smoke=yes",
        "SMOKE=YES",
        'name=a\\", "b": "c',
        "empty=",
        "코=점\n2",
        "코",
        "is=is",
        "smoke",
    ):
        assert _column(clinic, wanted).exists(), wanted
    for wanted in ("b=c", "smoke=y", "moke=no", "no=no", "is=", "c", "=no"):
        assert not _column(clinic, wanted).exists(), wanted


def test_codes_are_found_beside_former_ones_by_a_list_of_keys(clinic, clinician, client_for, is_postgresql):
    """With a subquery among alternatives no index would be used."""
    from skinclinic.services import patients

    factories.make_patient(clinic, "P-0042")
    found = patients.matching(clinic, "0042")
    assert [patient.code for patient in found] == ["P-0042"]
    assert "IN (SELECT" not in str(patients.matching(clinic, "0042").query)


def test_who_may_not_make_the_extension_is_told_what_to_do(clinic, clinician, caplog, is_postgresql):
    entry = factories.make_entry(factories.make_photo(clinic, clinician), clinician, text="Palisading nests")
    if is_postgresql:
        statement("DROP EXTENSION pg_trgm CASCADE")
        statement("CREATE ROLE may_little NOLOGIN")
        statement("GRANT ALL ON ALL TABLES IN SCHEMA public TO may_little")
        statement("SET LOCAL ROLE may_little")
    with caplog.at_level(logging.WARNING):
        assert word_indexes.make(connection) is not is_postgresql
    assert ("CREATE EXTENSION pg_trgm" in caplog.text) is is_postgresql
    assert Entry.objects.get(text__icontains="palisading") == entry
    told = list(stores.search())
    if is_postgresql:
        assert [(one.level, one.remedy) for one in told] == [("warning", word_indexes.REMEDY)]
    else:
        assert told == []


def test_an_extension_that_came_later_is_taken_up(is_postgresql):
    if is_postgresql:
        statement("DROP EXTENSION pg_trgm CASCADE")
        statement("CREATE EXTENSION pg_trgm")
        assert "migrate" in next(stores.search()).remedy
    word_indexes.after_migrate(None, "default")
    assert all(one.level == "ok" for one in stores.search())
