"""The order in which a reader sees the photos: random, for each reader and each session anew."""

import random

from reader_study import allocation
from reader_study.models import Reader, Reading, Study
from reader_study.services.making import designs


def draw(reader: Reader) -> None:
    """Give a reader without readings one for each session that is theirs, its photos in random order."""
    practice = list(reader.study.images.filter(is_practice=True).values_list("number", flat=True))
    sessions = {session.key: session for session in reader.study.sessions.all()}
    share, chance = designs.share_of(reader), random.SystemRandom()
    is_drawn_by_lot = share.sessions != tuple(sessions)
    Reading.objects.bulk_create(
        Reading(
            reader=reader,
            session=sessions[key],
            order=allocation.order(share.numbers, share.twins, chance),
            practice_order=chance.sample(practice, len(practice)),
            place=place if is_drawn_by_lot else 0,
        )
        for place, key in enumerate(share.sessions, start=1)
    )


def redraw(study: Study) -> None:
    """Draw every order of a draft again, because its photos or sessions changed. What a preview answered goes."""
    Reading.objects.filter(reader__study=study).delete()
    for reader in study.readers.select_related("study"):
        draw(reader)


def complete(study: Study) -> None:
    """Whoever was enrolled without an order of exactly the photos and sessions that are theirs gets one."""
    for reader in study.readers.prefetch_related("readings__session"):
        share, readings = designs.share_of(reader), list(reader.readings.all())
        wanted = sorted([*share.numbers, *share.twins])
        keys = [
            reading.session.key
            for reading in sorted(readings, key=lambda one: (one.place, one.session.number))
        ]
        if keys != list(share.sessions) or any(sorted(reading.order) != wanted for reading in readings):
            reader.readings.all().delete()
            draw(reader)
