"""Searching by the facts of a photo, in the search box and by filters, in both languages."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from skinclinic.archive.models import DatasetItem, Entry
from skinclinic.archive.services.datasets import counted, datasets, large
from skinclinic.archive.services.searching import search, selection
from skinclinic.archive.services.searching.selection import Selection
from skinclinic.engine import jobs
from skinclinic.models import FormerCode, Lesion, Photo
from tests import factories
from tests.cases import each
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db

PHOTOS = {
    "thirty": {"age": 30, "age_to": 35, "sex": "female", "skin_type": 1, "site": "nose", "tags": ",ruler,"},
    "sixty": {"age": 60, "sex": "male", "skin_type": 12, "site": "face", "tags": ",hair,ruler,"},
    "range": {"age": 65, "age_to": 75, "sex": "male", "skin_type": 34, "site": "sole"},
    "oldest": {"age": 85, "age_to": 120, "sex": "other", "skin_type": 3, "site": "lower_leg"},
    "unknown": {},
}


@pytest.fixture
def archive(clinic, curator):
    for seed, (name, fields) in enumerate(PHOTOS.items()):
        photo = factories.make_photo(clinic, curator, seed=seed)
        factories.make_entry(photo, curator, external_id=name)
        columns = {"smoke": "True", "Region X": "upper arm"} if name == "sixty" else {}
        Entry.objects.filter(external_id=name).update(**fields, columns=columns)
    Photo.objects.filter(archive_entry__external_id="oldest").update(kind="dermoscopic")
    Entry.objects.filter(external_id="range").update(is_proven=True, confirmed_by="histopathology")
    Lesion.objects.filter(photos__archive_entry__external_id="sixty").update(
        note="Test archive: lesion IL_12"
    )
    return clinic


def found(clinic, **asked) -> set[str]:
    return set(selection.entries(clinic, Selection.read(asked)).values_list("external_id", flat=True))


@each(
    "text, names",
    [
        ("age:60", "sixty"),
        ("age:30..40", "thirty"),
        ("age:32", ""),
        # Somebody 65 to 75 years old is not known to be 60 to 70.
        ("age:60..70", "sixty"),
        ("age:60..75", "sixty range"),
        ("age:85..", "oldest"),
        ("age:80+", "oldest"),
        ("age:..40", "thirty"),
        ("age:unknown", "unknown"),
        ("-age:unknown", "thirty sixty range oldest"),
        ("sex:female", "thirty"),
        ("sex:F", "thirty"),
        ("sex:여성", "thirty"),
        ("sex:unknown", "unknown"),
        ("skin:1", "thirty"),
        ("skin:I..II", "thirty sixty"),
        ("skin:12", "thirty sixty"),
        ("skin:3..4", "range oldest"),
        ("skin:unknown", "unknown"),
        ("site:nose", "thirty"),
        ("site:face", "thirty sixty"),
        ('site:"head or neck"', "thirty sixty"),
        ("site:head_neck", "thirty sixty"),
        ("site:foot", "range"),
        ("site:lower_limb", "range oldest"),
        ('site:"lower leg"', "oldest"),
        ("site:코", "thirty"),
        ("site:unknown", "unknown"),
        ("kind:dermoscopic", "oldest"),
        ("proof:yes", "range"),
        ("proof:no", "thirty sixty oldest unknown"),
        ("proof:histopathology", "range"),
        ("lesion:IL_12", "sixty"),
        ("lesion:il_12", "sixty"),
        ("lesion:IL_1", ""),
        ("tag:ruler", "thirty sixty"),
        ("tag:hair tag:ruler", "sixty"),
        ("tag:none", "range oldest unknown"),
        ("column:smoke=true", "sixty"),
        ('column:"Region X=upper arm"', "sixty"),
        ("column:smoke", "sixty"),
        ("column:smoke=False", ""),
        ("column:nothing=x", ""),
        ("sex:male -skin:12", "range"),
        ("sex:female OR age:85..", "thirty oldest"),
        ("age:sixty", ""),
        ("site:nowhere", ""),
    ],
)
def test_the_search_box(archive, text, names):
    assert found(archive, q=text) == set(names.split()), text


@each(
    "asked, names",
    [
        ({"age": "60..75"}, "sixty range"),
        ({"age": "nonsense"}, "thirty sixty range oldest unknown"),
        ({"sex": "male", "skin": "34"}, "range"),
        ({"skin": "34"}, "range oldest"),
        ({"skin": "unknown"}, "unknown"),
        ({"site": "face"}, "thirty sixty"),
        ({"site": "unknown"}, "unknown"),
        ({"kind": "dermoscopic"}, "oldest"),
        ({"tag": "ruler"}, "thirty sixty"),
        ({"tag": "any"}, "thirty sixty"),
        ({"tag": "unknown"}, "range oldest unknown"),
        ({"opinion": "none"}, "thirty sixty range oldest unknown"),
        ({"opinion": "differ"}, ""),
    ],
)
def test_the_filters(archive, asked, names):
    assert found(archive, **asked) == set(names.split())


def test_a_selection_by_facts_is_told_in_words(archive, clinic):
    words = Selection(age="60..70", sex="male", skin="34", site="face", tag="any", opinion="differ").in_words(
        clinic
    )
    assert words == "age 60–70 · sex Male · skin type III–IV · site Face · tag any · second opinion differs"


@each("language", ["en", "ko"])
def test_pages_explain_the_fields_and_keep_the_filters(archive, client_for, curator, language):
    page = client_for(curator).get(
        url("archive"), {"site": "face", "age": "20..70"}, headers={"accept-language": language}
    )
    text = page.content.decode()
    assert "age:60..70" in text and "column:smoke" in text and '<option value="face" selected>' in text
    assert 'value="20..70"' in text
    wrong = client_for(curator).get(url("archive"), {"q": "nosuch:1"}, headers={"accept-language": language})
    assert "lesion, age, sex, skin, site, kind, proof, tag" in wrong.content.decode()


def test_a_dataset_of_facts_keeps_its_search(archive, client_for, curator):
    client = client_for(curator)
    assert "age 60–75" in client.get(url("dataset-new"), {"age": "60..75"}).content.decode()


def test_a_range_is_shown_as_one_on_the_page_of_a_photo(archive, client_for, curator):
    client = client_for(curator)
    shown = {
        entry.external_id: client.get(url("archive-entry", entry.pk)).content.decode()
        for entry in Entry.objects.filter(clinic=archive)
    }
    assert "age 30–35" in shown["thirty"] and "30 years" not in shown["thirty"]
    assert "age 85 and older" in shown["oldest"] and "type III–IV" in shown["range"]


def test_what_is_outside_a_dataset_is_looked_for_once(archive, clinic, curator, monkeypatch):
    """Where a dataset holds nearly all, each part of a page would otherwise ask for every entry whether it is in it."""
    most = datasets.create(clinic, curator, "Most")
    datasets.set_members(most, Entry.objects.filter(clinic=clinic).exclude(external_id="sixty"))
    small = datasets.create(clinic, curator, "Small")
    datasets.set_members(small, Entry.objects.filter(external_id="sixty"))
    assert found(clinic, q="NOT dataset:Most") == {"sixty"}
    assert found(clinic, q="NOT dataset:m") == set()
    assert found(clinic, q="NOT dataset:Nobody") == set(PHOTOS)
    assert found(clinic, q="NOT dataset:Small age:60..120") == {"range", "oldest"}
    assert found(clinic, q="NOT (dataset:Most OR age:60)") == set()
    chosen = selection.entries(clinic, Selection.read({"q": "NOT dataset:Most"}))
    for rows in (chosen, chosen.order_by("-pk")[:1], chosen.filter(age=60)):
        assert "datasetitem" not in str(rows.query)
    monkeypatch.setattr(search, "_FEW_OUTSIDE", 0)
    assert found(clinic, q="NOT dataset:Most") == {"sixty"}
    assert found(clinic, q="NOT dataset:Small") == set(PHOTOS) - {"sixty"}


def test_what_is_outside_a_large_dataset_is_found_by_a_job(archive, clinic, curator, monkeypatch):
    monkeypatch.setattr(large, "MOST_AT_ONCE", 1)
    most = datasets.create(clinic, curator, "Most")
    datasets.set_members(most, Entry.objects.filter(clinic=clinic).exclude(external_id="sixty"))
    search_text = "NOT dataset:Most"
    # Asks the job; until it is done the archive is looked through.
    assert found(clinic, q=search_text) == {"sixty"} and jobs.run_waiting(counted.JOB) == 1
    with CaptureQueriesContext(connection) as asked:
        search.condition(clinic, search_text)
    reads = [one["sql"] for one in asked if one["sql"].startswith('SELECT "archive_entry"')]
    assert len(reads) == 1 and '"archive_entry"."id" > ' in reads[0]
    assert found(clinic, q=search_text) == {"sixty"} and not jobs.run_waiting(counted.JOB)
    # What came since, what was taken out, and what comes back from the bin under its old key.
    newer = factories.make_entry(
        factories.make_photo(clinic, curator, seed=4000), curator, external_id="newer"
    )
    assert found(clinic, q=search_text) == {"sixty", "newer"}
    counted.forget_outside([clinic.pk])
    newer.delete()
    assert found(clinic, q=search_text) == {"sixty"} and jobs.run_waiting(counted.JOB) == 1
    datasets.remove(most, DatasetItem.objects.filter(entry__external_id="range").values_list("pk", flat=True))
    assert found(clinic, q=search_text) == {"sixty", "range"}


def test_many_patients_are_found_as_few_are(archive, monkeypatch):
    codes = {"thirty": "HAM/0012", "sixty": "ak-3", "range": "HAM/0099"}
    for name, code in codes.items():
        patient = factories.make_patient(archive, code)
        Entry.objects.filter(external_id=name).update(patient=patient, patient_key=patient.pk)
    FormerCode.objects.create(clinic=archive, patient=patient, code="OLD-7")
    asked = {
        "patient:00": {"thirty", "range"}, "patient:ham": {"thirty", "range"}, "ak": {"sixty"},
        "h": {"thirty", "range"}, "patient:old": {"range"}, "patient:am": set(),
        "-patient:ham": {"sixty", "oldest", "unknown"},
    }  # fmt: skip
    for most in (500, 0):
        monkeypatch.setattr(search, "_MANY_PATIENTS", most)
        assert {text: found(archive, q=text) for text in asked} == asked, most
