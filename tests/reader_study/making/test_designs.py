"""Parallel arms, crossovers, blocks of photos and photos that come twice, from the design to the last answer."""

import uuid
from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from reader_study.models import Answer, Reading, Study, StudyImage
from reader_study.services.making import (
    design_points,
    designs,
    enrolment,
    opening,
    progress,
    protocol,
    readers,
    studies,
    told,
)
from reader_study.services.making.readers import Wanted
from reader_study.services.making.studies import Sessions
from reader_study.services.reading import answers
from reader_study.services.reading import reading as readings
from reader_study.services.reading.answers import Given
from skinclinic.archive.models import DatasetItem
from skinclinic.services.refused import Refused

pytestmark = pytest.mark.django_db

ALL = {"arms": "all", "blocks": 1, "blocks_a_reader": 1, "repeats": 0}


def opened_as(study: Study, user, design: dict, *, washout: int = 0, extra: int = 2) -> Study:
    """The ready study with this design, ``extra`` readers more in its second group, opened."""
    designs.choose(study, ALL | design)
    if design.get("arms", "all") != "all":
        studies.change_settings(study, {}, sessions=Sessions(True, washout))
    group = study.groups.last()
    readers.invite(study, [Wanted(f"Late {n}", "", group) for n in range(extra)], user, str)
    return opening.open_study(study, user)


def given(reader) -> list[tuple[str, int]]:
    return [(one.session.key, len(one.order)) for one in reader.readings.order_by("place", "session__number")]


def test_parallel_arms_are_balanced_and_a_place_is_never_given_twice(ready, coordinator):
    designs.choose(ready, ALL | {"arms": "parallel"})
    assert [point.code for point in opening.obstacles(ready)] == ["arms"]
    study = opened_as(ready, coordinator, {"arms": "parallel"})
    assert all(len(given(reader)) == 1 for reader in study.readers.all())
    arms = Counter((reader.group.key, given(reader)[0][0]) for reader in study.readers.all())
    assert set(arms.values()) == {1} and len(arms) == 4
    assert progress.share(study) == (0, 4 * 20)
    lines = progress.of(study)
    assert all([cell is None for cell in line.cells].count(True) == 1 and line.allocated for line in lines)
    assert {event.kind for event in study.events.filter(reader=lines[0].reader)} == {"invited", "allocated"}

    first = study.readers.get(name="Ann Chae")
    readers.withdraw(first, coordinator, "moved")
    (again,) = readers.invite(
        study, [Wanted("Ann Chae", "ann@example.org", first.group)], coordinator, str, reason="came back"
    )
    assert again.reader.allocation.place == 5
    event = study.events.get(kind="invited", reader=again.reader)
    assert event.details == {
        "code": "R05", "place": 5, "arm": again.reader.allocation.arm, "blocks": [], "again": "R01"
    }  # fmt: skip
    assert designs.follows_the_list(study) and protocol.check(study).passed
    place = first.allocation
    place.arm = ["aided"] if place.arm == ["unaided"] else ["unaided"]
    place.save()
    assert protocol.check(study).changed == ("allocation",)


def test_the_protocol_holds_the_design_and_tells_nobody_what_comes_next(ready, coordinator):
    before = set(protocol.of(ready))
    assert "design" not in before, "a study without a design keeps its hash"
    study = opened_as(ready, coordinator, {"arms": "parallel", "blocks": 2, "repeats": 1})
    stored = study.protocol["design"]
    assert stored["seed"] == study.design.seed is not None
    assert len(stored["block_of"]) == 20 and len(stored["repeated"]) == 2
    shown = protocol.shown(study, with_truth=False)
    assert shown["design"]["seed"] is None and shown["design"]["repeated"] is None
    assert protocol.shown(study, with_truth=True) == study.protocol
    StudyImage.objects.filter(study=study, number=1).update(block=9)
    assert protocol.check(study).changed == ("design",)


def test_a_crossover_has_both_orders_with_a_washout_between_either(ready, coordinator):
    study = opened_as(ready, coordinator, {"arms": "crossover"}, washout=14)
    orders = Counter(tuple(key for key, _n in given(reader)) for reader in study.readers.all())
    assert orders == {("unaided", "aided"): 2, ("aided", "unaided"): 2}
    reader = next(one for one in study.readers.all() if given(one)[0][0] == "aided")
    steps = readings.steps(reader)
    assert [(step.reading.session.key, step.state) for step in steps] == [
        ("aided", "ready"),
        ("unaided", "locked"),
    ]
    assert steps[1].washout_days == 14
    Reading.objects.filter(pk=steps[0].reading.pk).update(
        started_at=timezone.now(), finished_at=timezone.now()
    )
    assert readings.steps(reader)[1].opens_at > timezone.now() + timedelta(days=13)
    stages = {line.reader: line.stages for line in progress.of(study)}[reader]
    assert stages[1].session.key == "unaided" and stages[1].begins_at
    Reading.objects.filter(pk=steps[0].reading.pk).update(finished_at=timezone.now() - timedelta(days=15))
    assert readings.steps(reader)[1].state == "ready"


def test_blocks_and_photos_that_come_twice(ready, coordinator):
    study = opened_as(ready, coordinator, {"blocks": 2, "repeats": 2})
    assert study.images.filter(is_practice=False).count() == 20, "what comes twice is no photo of the sample"
    for line in progress.of(study):
        (reading,) = line.reader.readings.all()
        (block,) = line.reader.allocation.blocks
        rows = StudyImage.with_repeats.filter(study=study, number__in=reading.order)
        assert {row.block for row in rows} == {block} and len(reading.order) == 12
        assert line.stages[0].total == 12 and not line.is_finished
    read = Counter(number for reading in Reading.objects.all() for number in reading.order)
    assert set(read.values()) == {2}

    group = study.groups.first()
    reader, secret = enrolment.enrol(study, group=group, by=coordinator, name="Answers")
    (reading,) = reader.readings.all()
    readings.confirm_instructions(reading)
    reading.refresh_from_db()
    readings.begin(reading)
    for place in range(1, 13):
        assert readings.photo_at(reading, place) is not None
        assert answers.take(secret, "unaided", place, Given(uuid.uuid4(), 0, "bcc")).is_in_force
    readings.finish(reading)
    twice = Answer.objects.filter(reading=reading).exclude(image__repeat_of=None)
    assert twice.count() == 2
    assert {one.image.repeat_of.photo for one in twice} == {one.image.photo for one in twice}
    assert progress.share(study)[0] == 12 and designs.follows_the_list(study)


@pytest.mark.parametrize(
    ("design", "words"),
    [
        ({"blocks": 21}, "There are more blocks"),
        ({"blocks": 4, "blocks_a_reader": 4}, "fewer than all"),
        ({"blocks": 5, "repeats": 3}, "At most half of a block can come twice: 2"),
    ],
)
def test_what_cannot_be_is_said(ready, design, words):
    with pytest.raises(Refused, match=words):
        designs.choose(ready, ALL | design)


def test_one_patient_is_in_one_block_and_the_protocol_says_so(ready, coordinator):
    items = [image.dataset_item for image in ready.images.filter(is_practice=False).order_by("number")]
    for place, item in enumerate(items):
        person, lesion = ("aa" * 8, "") if place < 7 else ("", "bb" * 8) if place in (7, 12) else ("", "")
        DatasetItem.objects.filter(pk=item.pk).update(person=person, lesion=lesion)
    with pytest.raises(Refused, match="enough for 13 blocks at most"):
        designs.choose(ready, ALL | {"blocks": 15})
    designs.choose(ready, ALL | {"blocks": 5})
    assert "5 blocks of 3 to 7 photos" in design_points.in_words(ready, designs.of(ready))[0]
    assert "few_in_blocks" in {point.code for point in opening.points(ready)}
    study = opened_as(ready, coordinator, {"blocks": 2, "repeats": 2})
    block = dict(study.images.values_list("number", "block"))
    assert len({block[number] for number in range(1, 8)}) == 1 and block[8] == block[13]
    assert study.protocol["design"]["keeps_patients"] is True and protocol.check(study).passed
    assert any("in one block" in text for text in told._shared_out(study.design))
    # A study that was dealt before says nothing of it, and its protocol stays what it was.
    study.design.keeps_patients = False
    study.design.save()
    assert "keeps_patients" not in designs.protocol_of(study)["design"]
    assert not any("in one block" in text for text in told._shared_out(study.design))


def test_the_preview_says_what_readers_would_read(ready, coordinator):
    group = ready.groups.first()
    readers.invite(ready, [Wanted(f"More {n}", "", group) for n in range(6)], coordinator, str)
    said = design_points.in_words(ready, designs.choose(ready, ALL | {"blocks": 4, "repeats": 2}))
    assert said == [
        "8 readers, 4 blocks of 5 photos: each photo is read by 2.",
        "Each reader sees 7 photos in a session, 2 of them a second time.",
    ]
    designs.choose(ready, ALL | {"blocks": 10})
    assert [point.code for point in opening.obstacles(ready)] == ["unread"]
