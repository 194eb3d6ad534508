"""The demo's closed study: a crossover of drawn lesions, its photos, its panel and its simulated readers.

Everything is made as the pages make it; only the answers and their days are invented, and all of it says so.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np
from django.db.models import F
from django.utils import timezone

from classifier.demo import archive as demo_archive
from classifier.models import ModelVersion
from reader_study.about_reader import DERMOSCOPY, DEVICE
from reader_study.demo import simulated
from reader_study.demo.simulated import GROUPS, Person, Photos
from reader_study.models import (
    Answer,
    Reader,
    ReaderAbout,
    ReaderConsent,
    ReaderGroup,
    Reading,
    Study,
    StudyDesign,
    StudyEvent,
    StudyImage,
    StudySession,
)
from reader_study.panel import Vote
from reader_study.services import log
from reader_study.services.making import (
    designs,
    enrolment,
    operating,
    orders,
    protocol,
    reference,
    studies,
    texts,
)
from skinclinic.models import Clinic, User
from skinclinic.vocabulary.diseases import DISEASE_KEYS

NAME = "Drawn lesions, simulated readers"
MARGIN = 0.1
REPEATS, WASHOUT_DAYS, OPENED_DAYS_AGO = 8, 14, 60
CENTRES = ("Centre A", "Centre B", "Centre C")
PANEL = ("Expert 1", "Expert 2", "Expert 3")
ADJUDICATOR = "Adjudicator"
# Every so manieth photo of the panel is one on which a member differs.
DIFFERS_EVERY = 4
_SEED = 7


def make(
    clinic: Clinic, user: User, images: Sequence[StudyImage], model: ModelVersion, recipe: dict
) -> Study:
    """``images``: the sample with the model's scores, not saved yet. In the caller's transaction."""
    study = _draft(clinic, user, model, recipe)
    for image in images:
        image.study = study
    StudyImage.objects.bulk_create(images)
    _vote(study, user)
    chance = np.random.default_rng(_SEED)
    persons = simulated.people(chance)
    readers = [_enrol(study, user, person, place) for place, person in enumerate(persons)]
    _open(study, user)
    opened = timezone.localtime().replace(hour=9, minute=0) - timedelta(days=OPENED_DAYS_AGO)
    _say_of_themselves(study, readers, persons, opened)
    _answer(study, readers, persons, opened, chance)
    # Who stops after ten photos is seen in the flow, and counts nowhere.
    leaver, _secret = enrolment.enrol(
        study, group=study.groups.last(), by=user, name="Simulated reader 17", years_of_practice=3,
        centre=CENTRES[0],
    )  # fmt: skip
    _answer(study, [leaver], [persons[-1]], opened, chance, only=10)
    enrolment.withdraw(leaver, user, "Simulated: has moved to another clinic")
    study = studies.close(study, user)
    _date(study, opened)
    return study


def _draft(clinic: Clinic, user: User, model: ModelVersion, recipe: dict) -> Study:
    study = Study(
        clinic=clinic, name=NAME, is_synthetic=True, model_version=model, created_by=user, recipe=recipe,
        description="Lesions drawn by a program, read by simulated readers without and with the model's answer, in an "
        "order drawn by lot. It shows what a study and its results look like; nothing in it is about people.",
        question=texts.default_question(), instructions=texts.default_instructions(), shown_facts=["age", "sex"],
        asks_confidence=True, management_choices=[simulated.BIOPSY, simulated.NO_BIOPSY], asks_consent=True,
        consent_text=texts.default_consent(), asks_about_reader=True, shows_own_result=True, margin=MARGIN,
        endpoints=["malignant", "sessions_accuracy", "sessions_management"], registration="None: a demonstration",
        ethics="Not needed: drawings by a program, simulated readers",
        analysis_plan="Malignant or benign, the model against the readers' mean, is primary for the model; overall "
        "accuracy and the decision to biopsy are primary between the sessions.",
    )  # fmt: skip
    study.threshold_set = operating.default_for(study, model)
    study.save()
    StudySession.objects.create(study=study, number=1, key=studies.UNAIDED)
    StudySession.objects.create(
        study=study, number=2, key=studies.AIDED, is_aided=True, washout_days=WASHOUT_DAYS
    )
    for place, (key, name, *_rest) in enumerate(GROUPS):
        ReaderGroup.objects.create(study=study, key=key, name=name, place=place)
    StudyDesign.objects.create(study=study, arms=designs.Arms.CROSSOVER, repeats=REPEATS)
    return study


def _vote(study: Study, user: User) -> None:
    """A panel votes on what nothing proves."""
    kinds = reference.kinds_of(study)
    rows = study.images.filter(is_practice=False).order_by("number")
    unproven = [image for image in rows if kinds[image.number] != reference.PROVEN]
    votes = []
    for place, image in enumerate(unproven):
        said = [image.truth] * len(PANEL)
        if place % DIFFERS_EVERY == 0:
            said[place // DIFFERS_EVERY % len(PANEL)] = _taken_for(image.truth)
            votes.append(Vote(image.number, ADJUDICATOR, image.truth, None, True))
        votes += [Vote(image.number, rater, one, None, False) for rater, one in zip(PANEL, said, strict=True)]
    reference.note(study, votes, user, origin="demo")


def _taken_for(disease: str) -> str:
    return demo_archive.lookalikes(disease)[0]


def _enrol(study: Study, user: User, person: Person, place: int) -> Reader:
    reader, _secret = enrolment.enrol(
        study, group=study.groups.get(key=person.group), by=user, name=f"Simulated reader {place + 1}",
        years_of_practice=person.years, centre=CENTRES[place % len(CENTRES)],
    )  # fmt: skip
    return reader


def _open(study: Study, user: User) -> None:
    """What opening fixes; the look for what the model has seen is left out, and results make it."""
    study.thresholds = operating.copy(study, operating.overlap(study))
    reference.fix(study)
    designs.prepare(study)
    orders.complete(study)
    study.state, study.opened_at, study.opened_by = Study.State.OPEN, timezone.now(), user
    texts.fill(study)
    protocol.fix(study)
    study.save()
    log.note(study, StudyEvent.Kind.OPENED, by=user, protocol_sha256=study.protocol_sha256)
    for place in study.allocations.select_related("reader").order_by("place"):
        log.note(study, StudyEvent.Kind.ALLOCATED, reader=place.reader, **log.allocation(place))


def _say_of_themselves(
    study: Study, readers: Sequence[Reader], persons: Sequence[Person], opened: datetime
) -> None:
    version = texts.consent_version(study)
    ReaderConsent.objects.bulk_create(
        ReaderConsent(
            reader=reader, decision=ReaderConsent.Decision.ACCEPTED, version=version, language="en",
            text=study.consent_text,
        )
        for reader in readers
    )  # fmt: skip
    experience, devices = list(DERMOSCOPY), list(DEVICE)
    ReaderAbout.objects.bulk_create(
        ReaderAbout(
            reader=reader, specialty="dermatologist" if person.years > 4 else "resident", years=person.years,
            dermoscopy=experience[-1] if person.years > 9 else experience[1 + place % 2],
            device=devices[place % 3],
        )
        for place, (reader, person) in enumerate(zip(readers, persons, strict=True))
    )  # fmt: skip


def _answer(
    study: Study, readers: Sequence[Reader], persons: Sequence[Person], opened: datetime,
    chance: np.random.Generator, only: int | None = None,
) -> None:  # fmt: skip
    """Every session of the readers, or its first photos ``only``."""
    rows = list(StudyImage.with_repeats.filter(study=study, is_practice=False).order_by("number"))
    photos = [row for row in rows if row.repeat_of_id is None]
    place_of = {row.pk: place for place, row in enumerate(photos)}
    twins = [row for row in rows if row.repeat_of_id is not None]
    again = {len(photos) + n: place_of[row.repeat_of_id or 0] for n, row in enumerate(twins)}
    scores = np.array([_listed(row.scores) for row in photos], float)
    seen = Photos.of([row.truth for row in photos], scores, np.random.default_rng(_SEED))
    answers: list[Answer] = []
    for turn, (reader, person) in enumerate(zip(readers, persons, strict=True)):
        begins = opened + timedelta(days=turn % 8, hours=turn % 9, minutes=7 * turn)
        for reading in reader.readings.select_related("session").order_by("place", "session__number")[
            : only and 1
        ]:
            aided = reading.session.is_aided
            said = list(simulated.session(person, seen, again, is_aided=aided, chance=chance))
            by_number = {
                image.number: (image, one) for image, one in zip([*photos, *twins], said, strict=True)
            }
            at = begins
            for number in reading.order[:only]:
                image, one = by_number[number]
                at += timedelta(seconds=one.seconds + 1)
                answers.append(
                    Answer(
                        reading=reading, image=image, choice=one.choice, confidence=one.confidence,
                        management=one.management, seconds=one.seconds, first_choice=one.first,
                        first_seconds=one.first_seconds, saw_model=True if aided else None,
                        model_shown_at=at if aided else None, device="desktop", viewport="1440x900@1",
                        answered_at=at, changed_at=at,
                    )
                )  # fmt: skip
            ReaderConsent.objects.filter(reader=reader, at__gt=begins).update(
                at=begins - timedelta(minutes=4)
            )
            Reading.objects.filter(pk=reading.pk).update(
                instructions_read_at=begins, started_at=begins, finished_at=None if only else at
            )
            Reader.objects.filter(pk=reader.pk).update(last_seen_at=at)
            begins = at + timedelta(days=WASHOUT_DAYS + 1 + turn % 5)
        Reader.objects.filter(pk=reader.pk, first_seen_at=None).update(first_seen_at=opened)
    Answer.objects.bulk_create(answers, batch_size=500)


def _listed(scores: Mapping[str, float] | None) -> list[float]:
    return [(scores or {})[key] for key in DISEASE_KEYS]


def _date(study: Study, opened: datetime) -> None:
    """The days that the story has, for opening and what came before it; what computes the results is of now."""
    before = StudyEvent.objects.filter(study=study)
    kinds = StudyEvent.Kind
    before.filter(kind__in=(kinds.INVITED, kinds.PANEL)).update(at=opened - timedelta(days=1))
    before.filter(kind__in=(kinds.OPENED, kinds.ALLOCATED)).update(at=opened)
    # Who came later.
    late = opened + timedelta(days=1)
    before.filter(kind=kinds.INVITED, details__has_key="place").update(at=late)
    before.filter(kind=kinds.WITHDRAWN).update(at=opened + timedelta(days=9))
    study.readers.filter(withdrawn_at=None).update(
        created_at=opened - timedelta(days=1), link_made_at=opened - timedelta(days=1)
    )
    study.readers.exclude(withdrawn_at=None).update(created_at=late, link_made_at=late)
    Study.objects.filter(pk=study.pk).update(
        opened_at=opened, created_at=F("created_at") - timedelta(days=OPENED_DAYS_AGO + 7)
    )
