"""The order in which a reader sees the photos: random, for each reader and each session anew."""

import random

from reader_study.models import Reader, Reading, Study


def draw(reader: Reader) -> None:
    """Give a reader without readings one for each session, its photos in random order."""
    images = list(reader.study.images.values_list("number", "is_practice"))
    chance = random.SystemRandom()

    def shuffled(practice: bool) -> list[int]:
        numbers = [number for number, is_practice in images if is_practice == practice]
        chance.shuffle(numbers)
        return numbers

    Reading.objects.bulk_create(
        Reading(reader=reader, session=session, order=shuffled(False), practice_order=shuffled(True))
        for session in reader.study.sessions.all()
    )


def redraw(study: Study) -> None:
    """Draw every order of a draft again, because its photos or sessions changed. What a preview answered goes."""
    Reading.objects.filter(reader__study=study).delete()
    for reader in study.readers.select_related("study"):
        draw(reader)


def complete(study: Study) -> None:
    """Whoever was enrolled without an order of exactly these photos and sessions gets one."""
    numbers = sorted(study.images.filter(is_practice=False).values_list("number", flat=True))
    sessions = study.sessions.count()
    for reader in study.readers.prefetch_related("readings"):
        readings = list(reader.readings.all())
        if len(readings) != sessions or any(sorted(reading.order) != numbers for reading in readings):
            reader.readings.all().delete()
            draw(reader)
