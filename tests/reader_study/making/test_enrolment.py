"""Readers, their links and their own random orders."""

from datetime import timedelta

import pytest
from django.utils import timezone

from reader_study.services.making import enrolment
from tests.studies import make_study

pytestmark = pytest.mark.django_db


def test_every_reader_has_an_own_order_of_the_same_photos(clinic, coordinator):
    made = make_study(clinic, coordinator, readers=3, aided=True)
    readings = [reading for reader in made.readers for reading in reader.readings.all()]
    assert [len(reader.readings.all()) for reader in made.readers] == [2, 2, 2]
    assert {tuple(sorted(reading.order)) for reading in readings} == {tuple(range(1, 13))}
    assert len({tuple(reading.order) for reading in readings}) == 6
    assert {tuple(sorted(reading.practice_order)) for reading in readings} == {(13, 14)}
    assert [reader.code for reader in made.readers] == ["R01", "R02", "R03"]


def test_only_the_newest_link_works(clinic, coordinator):
    made = make_study(clinic, coordinator)
    reader, secret = made.readers[0], made.secrets[0]
    assert enrolment.find(secret) == reader
    assert secret not in str(reader.__dict__)
    newer = enrolment.renew_link(reader, coordinator)
    with pytest.raises(enrolment.LinkClosed):
        enrolment.find(secret)
    assert enrolment.find(newer) == reader
    enrolment.withdraw(reader, coordinator, "moved away")
    for link in (newer, "", "x" * 50, "\x00"):
        with pytest.raises(enrolment.LinkClosed):
            enrolment.find(link)
    assert [event.kind for event in made.study.events.all()] == ["withdrawn", "link", "invited"]


def test_a_link_that_lies_unused_for_half_a_year_opens_nothing_until_it_is_renewed(
    clinic, coordinator, client
):
    made = make_study(clinic, coordinator)
    reader, secret = made.readers[0], made.secrets[0]
    long_ago = timezone.now() - enrolment.ENDS_UNUSED_AFTER - timedelta(days=1)
    type(reader).objects.update(created_at=long_ago, link_made_at=long_ago)
    type(made.study).objects.update(opened_at=long_ago)
    for used in (timezone.now(), long_ago):
        type(reader).objects.update(last_seen_at=used)
        assert client.get(f"/reading/{secret}/").status_code == (404 if used == long_ago else 200)
    newer = enrolment.renew_link(reader, coordinator)
    assert client.get(f"/reading/{newer}/").status_code == 200
