"""A second opinion: another curator's, given without the first in sight; what two agree on is kept."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from skinclinic.archive.models import Entry
from skinclinic.archive.presenters import shown
from skinclinic.archive.services.curating import opinions, review
from skinclinic.archive.services.curating.relabelling import ReviewError
from skinclinic.archive.services.searching.selection import Selection, entries
from tests import factories
from tests.skinclinic.pages import messages_of, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def second(clinic):
    return factories.make_member(clinic, "curator", "sora")


@pytest.fixture
def entry(clinic, curator):
    made = factories.make_entry(
        factories.make_photo(clinic, curator), curator, label="nevus", is_proven=True,
        confirmed_by="histopathology", text="SECRETREPORT", external_id="SECRETNEVUS-1",
    )  # fmt: skip
    review.decide(clinic=clinic, user=curator, entry_ids=[made.pk], review="accepted")
    return made


def found(clinic, opinion: str) -> int:
    return entries(clinic, Selection(opinion=opinion)).count()


def test_the_page_shows_nothing_of_the_first_label(client_for, second, entry):
    page = client_for(second).get(url("archive-second"))
    assert page.context["entry"] == entry
    text = page.content.decode()
    for told in ("nevus", "Nevus", "SECRET", "Biopsy-proven", "D22"):
        assert told not in text.split('<div class="opinion">')[1].split("</main>")[0], told


def test_a_filter_that_tells_of_the_label_is_not_taken(client_for, second, entry):
    assert (
        client_for(second).get(url("archive-second"), {"label": "bcc", "q": "bcc"}).context["entry"] == entry
    )


def test_nobody_gives_a_second_opinion_on_their_own_label(client_for, curator, second, clinic, entry):
    assert client_for(curator).get(url("archive-second")).context["entry"] is None
    with pytest.raises(ReviewError, match="own_label"):
        opinions.give(entry=entry, user=curator, label="mm")
    opinions.give(entry=entry, user=second, label="mm")
    third = factories.make_member(clinic, "curator", "theo")
    with pytest.raises(ReviewError, match="had_opinion"):
        opinions.give(entry=entry, user=third, label="bcc")


def test_photos_come_newest_first_few_or_many_without_a_look_at_those_of_ones_own(
    client_for, curator, second, clinic, entry, monkeypatch
):
    """Of few their keys are known: the newest of them is not looked for among all photos of the archive."""
    newer = factories.make_entry(factories.make_photo(clinic, curator, seed=1), curator)
    client = client_for(second)
    for most, is_ordered in ((1, True), (10, False)):
        monkeypatch.setattr(shown, "MOST_COUNTED", most)
        with CaptureQueriesContext(connection) as asked:
            page = client.get(url("archive-second"))
        assert page.context["entry"] == newer
        assert page.context["found"] == {"count": min(most, 2), "more": most < 2}
        (listing,) = (
            one["sql"]
            for one in asked
            if "entrychange" in one["sql"] and one["sql"].endswith('"id" DESC LIMIT 1')
        )
        assert is_ordered == (f'"archive_entry"."id" = {newer.pk}' not in listing)
        assert client.get(page.context["skip"]).context["entry"] == entry
        assert client.get(url("archive-second"), {"after": entry.pk}).context["entry"] is None


def test_an_opinion_is_given_listed_and_agreed_on(client_for, curator, second, clinic, entry):
    client = client_for(second)
    assert found(clinic, "none") == 1
    answer = client.post(
        url("archive-second-give", entry.pk), {"label_typed": "Melanoma, malignant", "label": "mm"}
    )
    assert answer.status_code == 302
    entry.refresh_from_db()
    assert (entry.label, entry.second_label, entry.second_by, entry.is_settled) == (
        "nevus",
        "mm",
        second,
        False,
    )
    assert [found(clinic, state) for state in opinions.STATES] == [0, 0, 1, 0]
    page = client_for(curator).get(url("archive-second-differing")).content.decode()
    assert "Malignant melanoma" in page and str(second) in page and "Melanocytic nevus" in page

    settle = url("archive-second-settle", entry.pk)
    refused = client_for(curator).post(settle, {"agreed": "second"})
    assert "Say why" in messages_of(refused)
    client_for(curator).post(settle, {"agreed": "second", "reason": "Seen together"})
    entry.refresh_from_db()
    assert (entry.label, entry.icd10, entry.is_proven, entry.is_settled) == ("mm", "C43.9", False, True)
    assert [found(clinic, state) for state in opinions.STATES] == [0, 0, 0, 1]
    history = client_for(curator).get(url("archive-entry", entry.pk)).content.decode()
    assert "Agreed on" in history and "Seen together" in history and "Second opinion" in history


def test_the_first_label_may_stand(client_for, curator, second, clinic, entry):
    opinions.give(entry=entry, user=second, label="mm")
    client_for(curator).post(url("archive-second-settle", entry.pk), {"agreed": "first"})
    entry.refresh_from_db()
    assert (entry.label, entry.is_proven, entry.review, entry.is_settled) == ("nevus", True, "accepted", True)
    with pytest.raises(ReviewError, match="changed_since"):
        opinions.settle(entry=entry, user=curator, label="nevus")
    # Another label afterwards is not what the two agreed on.
    review.edit(entry=entry, user=curator, label="bcc", reason="x")
    assert found(clinic, "differ") == 1


def test_two_that_agree_need_nothing_and_an_opinion_can_be_taken_back(second, clinic, entry):
    change = opinions.give(entry=entry, user=second, label="nevus")
    assert found(clinic, "agree") == 1 and found(clinic, "differ") == 0
    review.undo(change, second)
    assert Entry.objects.get().second_by is None and found(clinic, "none") == 1


def test_a_missing_label_is_asked_for_again(client_for, second, entry):
    client = client_for(second)
    answer = client.post(url("archive-second-give", entry.pk), {"label": ""}, follow=True)
    assert "A label is needed" in answer.content.decode() and answer.context["entry"] == entry


def test_those_who_may_not_curate_see_no_queue(client_for, clinician, entry):
    assert client_for(clinician).get(url("archive-second")).status_code == 403
    assert client_for(clinician).get(url("archive-second-differing")).status_code == 200
    assert (
        client_for(clinician).post(url("archive-second-give", entry.pk), {"label": "mm"}).status_code == 403
    )
