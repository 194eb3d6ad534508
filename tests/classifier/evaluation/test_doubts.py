"""What may be memory is told wherever figures are, and not tested."""

import json
import re

import pytest

from classifier.metrics.delong import AucTest
from classifier.models import Publication
from classifier.services.evaluation.report import Report
from classifier.services.evaluation.run import LEAKS
from classifier.services.models import comparison
from classifier.services.models.candidate import candidate
from classifier.services.models.card import card
from classifier.services.models.evidence import cohorts
from skinclinic.archive.models import DatasetItem
from tests import evaluated, factories
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def stock(standing):
    with standing.building() as home:
        clinic = factories.make_clinic("Hanok Dermatology")
        curator = factories.make_member(clinic, "curator", "curtis")
        entries = evaluated.make_entries(clinic, curator)
        test_set = evaluated.freeze(clinic, curator, entries)
        known = [evaluated.make_model(clinic, home, f"known-{n}", seed=n, photos=[]) for n in (1, 2)]
        unknown = evaluated.make_model(clinic, home, "unknown", seed=3)
        for n, model in enumerate([*known, unknown]):
            evaluated.score(model, entries, seed=n)
        row = evaluated.evaluated(clinic, curator, [*known, unknown], [test_set])
        standing.keep(
            clinic=clinic, curator=curator, test_set=test_set, known=known, unknown=unknown, row=row
        )


@pytest.fixture
def row(stock, given):
    return given["row"]


def text_of(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def compared(row, given, first, second):
    return comparison.compare(Report(row), given["test_set"].pk, first.pk, second.pk)


def test_models_that_were_checked_are_tested_where_there_are_patients_enough(
    row, given, client_for, monkeypatch
):
    found = compared(row, given, *given["known"])
    tests = [line.test for line in found.lines if line.test]
    # Of no disease there are ten patients.
    assert not found.doubts and tests and all(line.too_few for line in found.lines)
    assert all(test.p is None and test.statistic is None for test in tests)
    assert any(test.low is not None for test in tests)
    text = text_of(client_for(given["curator"]).get(url("evaluation-compare", row.pk)))
    assert (
        "too few" in text
        and "Of a disease that fewer than 10 patients have, or have not, nothing is tested" in text
    )
    monkeypatch.setattr(comparison, "LEAST", 3)
    found = compared(row, given, *given["known"])
    assert {line.key for line in found.lines if line.test and line.test.p is not None} == {"bcc", "sk"}


def test_one_that_could_not_be_checked_is_not(row, given, client_for):
    plain = compared(row, given, *given["known"])
    found = compared(row, given, given["known"][0], given["unknown"])
    assert [one.name for one in found.doubts] == ["unknown"]
    tests = [line.test for line in found.lines if line.test]
    assert tests and all(test.p is None and test.statistic is None for test in tests)
    assert any(test.low is not None for test in tests), "estimates keep their intervals"
    assert tests[0].auc_a == next(line.test for line in plain.lines if line.test).auc_a
    query = {"model": given["known"][0].pk, "other": given["unknown"].pk}
    text = text_of(client_for(given["curator"]).get(url("evaluation-compare", row.pk), query))
    assert "unknown: whether it has seen the photos could not be checked" in text
    assert "are not tested" in text and "<0.001" not in text


def test_the_list_names_each_figure_and_its_doubt(row, given, client_for):
    text = text_of(client_for(given["curator"]).get(url("evaluations")))
    assert re.search(r"known-1 · Test set v1: 0\.\d{3}", text)
    assert re.search(
        r"unknown · Test set v1: 0\.\d{3} whether it has seen the photos could not be checked", text
    )
    assert text.count("could not be checked") == 1


def test_a_search_that_did_not_compare_lesions_says_so(row, given, client_for):
    path = row.folder / LEAKS
    before = path.read_bytes()
    content = json.loads(before)
    for one in content:
        del one["lesions"]
    try:
        path.write_text(json.dumps(content))
        found = compared(row, given, *given["known"])
        assert len(found.doubts) == 2
        text = text_of(client_for(given["curator"]).get(url("evaluation", row.pk)))
        assert "Lesions were not compared then" in text
    finally:
        path.write_bytes(before)


def test_a_search_that_is_lost_leaves_everything_in_doubt(row, given):
    path = row.folder / LEAKS
    moved = path.rename(path.with_suffix(".away"))
    try:
        assert len(compared(row, given, *given["known"]).doubts) == 2
    finally:
        moved.rename(path)


def test_models_say_whether_it_can_be_checked(row, given, client_for):
    client = client_for(given["curator"])
    text = text_of(client.get(url("models")))
    assert text.count("Nobody knows which photos it was trained on") == 1
    assert "by the hashes of its training photos: known-1/training-photos.csv (0)" in text
    assert "Nobody knows which photos" in text_of(client.get(url("model", given["unknown"].pk)))


def test_an_interval_of_a_difference_ends_where_a_difference_must(row, given, client_for):
    found = compared(row, given, *given["known"])
    tests = [line.test for line in found.lines if line.test and line.test.low is not None]
    assert tests and all(-1 <= test.low <= test.difference <= test.high <= 1 for test in tests)
    wide = AucTest(0.9, 0.1, 0.8, 0.2, 0.8 - 0.392, 0.8 + 0.392, 4.0, None, 0.0001)
    assert (comparison._within(wide).low, comparison._within(wide).high) == (wide.low, 1.0)
    answer = client_for(given["curator"]).get(url("evaluation-compare", row.pk))
    assert "its intervals cut to −1 to 1" in text_of(answer)


def test_a_candidate_is_held_against_the_model_in_use_on_the_same_photos_alone(row, given, client_for):
    first, second, unknown, clinic = *given["known"], given["unknown"], given["clinic"]

    def beside(now, then):
        told = card(then, clinic)
        (found,) = candidate(then, clinic, now, told, cohorts(then, clinic)).same
        return found

    found = beside(first, second)
    assert found.now and found.then and not found.why_not
    found = beside(first, unknown)
    assert (found.now, found.then) == (None, None)
    assert "unknown: whether it has seen the photos could not be checked" in found.why_not
    # Evaluated anew without a photo that was withdrawn meanwhile, which the other still has.
    again = evaluated.evaluated(clinic, given["curator"], [second], [given["test_set"]], name="The same")
    assert (
        beside(first, second).then == cohorts(second, clinic)[0].auc
        and again == cohorts(second, clinic)[0].evaluation
    )
    gone = DatasetItem.objects.filter(version=given["test_set"]).first()
    DatasetItem.objects.filter(pk=gone.pk).update(
        content_sha256=f"{DatasetItem.WITHDRAWN}1", person="", lesion=""
    )
    evaluated.evaluated(clinic, given["curator"], [second], [given["test_set"]], name="Later")
    found = beside(first, second)
    assert (found.now, found.then) == (None, None) and "(12 and 11)" in found.why_not
    Publication.objects.create(clinic=clinic, model_version=first)
    text = text_of(client_for(factories.make_member(clinic, "admin", "ada")).get(url("model", second.pk)))
    assert "Test set v1: not comparable: each was evaluated on other photos of it (12 and 11)." in text
