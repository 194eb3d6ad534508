"""A clinic as large as a university's, rows only, made in minutes: cases with analyses, diagnoses and decisions, an
archive with datasets and photos that look alike, a study that is read, and a small clinic beside it."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.models import F, OuterRef, Subquery, Value
from django.db.models.functions import Mod
from django.utils import timezone

from classifier.models import Analysis, Assessment, ModelVersion, Publication
from classifier.services.evaluation import evaluations
from classifier.services.models import registry
from reader_study.models import Answer, Reader, ReaderGroup, Reading, Study, StudyImage, StudySession
from reader_study.services.making import enrolment
from reader_study.services.results import results as study_results
from skinclinic.archive.models import DatasetItem, DatasetVersion, DuplicatePair, Entry
from skinclinic.archive.services.datasets import counted, datasets, dividing, freezing
from skinclinic.archive.services.searching import selection
from skinclinic.engine import jobs
from skinclinic.models import Clinic, Diagnosis, Job, Lesion, Patient, Photo, User
from skinclinic.services import kept_counts
from skinclinic.vocabulary.diseases import BY_KEY, DISEASE_KEYS
from tests import archive_crowd, crowd, evaluated, factories
from tests.crowd import free_key, insert, reset_sequences

# Of the archive, how many look like another one; of the study, photos and readers.
_ONE_IN_ALIKE, STUDY_PHOTOS, READERS = 10, 480, 16
_FINE = {"brightness": 128.0, "sharpness": 90.0, "side_px": 512, "skin_fraction": 0.9, "warnings": []}
# Versions of the dataset that are frozen.
_FROZEN = 6


@dataclass(frozen=True)
class Sizes:
    """``lesions`` of the clinic, two photos each; ``archive``: photos of that; ``beside``: lesions of the small one."""

    lesions: int = 100_000
    archive: int = 200_000
    beside: int = 1000


@dataclass(frozen=True)
class People:
    """Who is looked with: of the large clinic but ``elsewhere``, an admin of the small one."""

    clinician: User
    curator: User
    admin: User
    elsewhere: User


def fill(sizes: Sizes, say=print) -> People:
    """Make all of it in an empty database."""
    clinic, small = factories.make_clinic("University"), factories.make_clinic("Small")
    people = People(
        factories.make_member(clinic, "clinician", "clara"),
        factories.make_member(clinic, "curator", "curtis"),
        factories.make_member(clinic, "admin", "ada"),
        factories.make_member(small, "admin", "oscar"),
    )
    colleagues = [factories.make_member(clinic, "clinician", f"colleague-{n}") for n in range(40)]
    model = registry.register(factories.make_model_dir(settings.MODELS_DIR / "chosen", name="chosen"))
    for one in (clinic, small):
        Publication.objects.create(clinic=one, model_version=model, published_by=people.admin)
    crowd.fill(small, people.elsewhere, sizes.beside, seed=1)
    archive_crowd.fill(small, people.elsewhere, sizes.beside, seed=1)
    _answer(small, people.elsewhere, model)
    say(f"the small clinic: {sizes.beside:,} lesions, {sizes.beside:,} photos of an archive")
    _cases(clinic, people.clinician, colleagues, sizes.lesions)
    say(f"{sizes.lesions:,} lesions")
    archive_crowd.fill(clinic, people.curator, sizes.archive)
    imported = Photo.objects.filter(clinic=clinic, lesion__is_archived=True)
    imported.update(created_at=timezone.now() - timedelta(days=30))
    say(f"an archive of {sizes.archive:,}")
    # Those of batches are the newest, as after an evaluation.
    _answer(clinic, people.clinician, model)
    _decide(clinic, people.clinician, colleagues)
    # A third of the patients consents to the archive; the others were not asked.
    own = Patient.objects.filter(clinic=clinic, is_archived=False).annotate(third=Mod(F("pk"), Value(3)))
    own.filter(third=0).update(research_consent=Patient.Consent.GIVEN)
    _answer_archive(clinic, model)
    say(f"{Analysis.objects.count():,} analyses, {Diagnosis.objects.count():,} diagnoses")
    _alike(clinic)
    _analyse()
    _versions(clinic, people.curator)
    _analyse()
    say(f"{DatasetItem.objects.count():,} members of {DatasetVersion.objects.count()} versions")
    version = DatasetVersion.objects.get(dataset__name="Big", number=1)
    for state in (Study.State.OPEN, Study.State.CLOSED):
        _study(clinic, people.clinician, version, state)
    say(f"{Answer.objects.count():,} answers of readers")
    evaluated.evaluated(clinic, people.curator, [model], [version], name="Large")
    say(f"an evaluation of {evaluations.test_items(version).count():,} photos")
    study_results.request(Study.objects.get(clinic=clinic, state=Study.State.CLOSED))
    jobs.run_waiting(study_results.JOB)
    say("results of a study")
    # What workers and the reconciler have done by the time somebody looks.
    kept_counts.count_anew()
    jobs.run_waiting(counted.JOB)
    _analyse()
    return people


def people() -> People:
    """Those of a database that ``fill`` has filled."""
    found = {user.username: user for user in User.objects.all()}
    return People(found["clara"], found["curtis"], found["ada"], found["oscar"])


def _analyse() -> None:
    """What the database's own cleaning does in the background of a server."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def _cases(clinic: Clinic, clinician: User, colleagues: list[User], count: int) -> None:
    """Lesions of two photos; most are decided, and each has somebody whose it is."""
    crowd.fill(clinic, clinician, count)
    own = Lesion.objects.filter(clinic=clinic, is_archived=False)
    first, photos = own.order_by("pk").values_list("pk", flat=True)[0], free_key(Photo)
    pattern = Photo(
        clinic=clinic, uploaded_by=clinician, file_key="none.jpg", thumbnail_key="none.jpg", width=512, height=512,
        source_format="JPEG",
    )  # fmt: skip
    insert(
        pattern, ("id", "lesion", "sha256"),
        ((photos + n, first + n, f"{photos + n:064x}") for n in range(count)),
    )  # fmt: skip
    reset_sequences(Photo)
    crowd.name_files(clinic)
    own.update(photo_count=2)
    # Taken when their lesions were made; today those of a clinician who files nothing.
    lately = list(own.filter(patient=None).order_by("-pk").values_list("pk", flat=True)[:150])
    made = Lesion.objects.filter(pk=OuterRef("lesion")).values("created_at")
    Photo.objects.filter(lesion__in=own).exclude(lesion__in=lately).update(created_at=Subquery(made))
    # One in forty is the clinician's, as with forty colleagues.
    whose = Mod(F("pk"), Value(len(colleagues))) + Value(colleagues[0].pk)
    own.exclude(pk__in=list(own.order_by("pk").values_list("pk", flat=True)[:: len(colleagues)])).update(
        created_by_id=whose
    )
    settled = timezone.now() - timedelta(days=1)
    waiting = list(own.order_by("-created_at").values_list("pk", flat=True)[:300])
    own.exclude(pk__in=waiting).update(to_decide=False, settled_at=settled)
    few = list(own.order_by("pk").values_list("pk", flat=True)[::1000])
    own.filter(pk__in=few).update(
        biopsy_on=settled, follow_up_on=settled, disagrees=True, assignee=clinician, is_unplanned=True
    )


def _scores(chance: random.Random, top: str) -> str:
    odds = [chance.random() + (2 if key == top else 0) for key in DISEASE_KEYS]
    return json.dumps(dict(zip(DISEASE_KEYS, (round(one / sum(odds), 6) for one in odds), strict=True)))


def _made(chance: random.Random) -> tuple[dict[str, list[str]], list[bytes]]:
    """Some answers of each disease and some heatmaps, which rows take turns with."""
    return (
        {key: [_scores(chance, key) for _n in range(40)] for key in DISEASE_KEYS},
        [chance.randbytes(12 * 7 * 7 * 2) for _n in range(50)],
    )


def _answer(clinic: Clinic, user: User, model: ModelVersion) -> None:
    """An analysis with its job for each photo of a case, in the state of the lesion."""
    chance = random.Random(2)
    scores, maps = _made(chance)
    photos = Photo.objects.filter(clinic=clinic, lesion__is_archived=False).order_by("pk")
    rows = list(photos.values_list("pk", "lesion__state", "lesion__top_disease"))
    first, now = free_key(Job), timezone.now()
    insert(
        Job(kind="analyse", clinic=clinic, attempts=1, finished_at=now), ("id", "key", "subject", "state"),
        ((first + n, f"photo-{pk}", pk, state) for n, (pk, state, _top) in enumerate(rows)),
    )  # fmt: skip
    analyses = free_key(Analysis)
    # How long ago, in order: what is asked of the last days finds few.
    start, step = now - timedelta(minutes=5 * len(rows)), timedelta(minutes=5)

    def each() -> Iterator[tuple]:
        for n, (pk, state, top) in enumerate(rows):
            done = state == Lesion.State.DONE
            at = connection.ops.adapt_datetimefield_value(start + n * step)
            yield (
                analyses + n, pk, first + n, at, chance.choice(scores[top]) if done else None,
                chance.choice(maps) if done else None, at if done else None,
            )  # fmt: skip

    insert(
        _pattern(clinic, model, user),
        ("id", "photo", "job", "requested_at", "scores", "maps", "analysed_at"),
        each(),
    )
    reset_sequences(Job, Analysis)


def _answer_archive(clinic: Clinic, model: ModelVersion) -> None:
    """An analysis of a batch for each photo of the archive."""
    chance = random.Random(3)
    scores, maps = _made(chance)
    rows = Entry.objects.filter(clinic=clinic).order_by("pk").values_list("photo", "model_label")
    first, now = free_key(Analysis), connection.ops.adapt_datetimefield_value(timezone.now())
    insert(
        _pattern(clinic, model, None),
        ("id", "photo", "scores", "maps", "analysed_at"),
        (
            (first + n, photo, chance.choice(scores.get(label, scores["nevus"])), chance.choice(maps), now)
            for n, (photo, label) in enumerate(list(rows))
        ),
    )
    reset_sequences(Analysis)


def _pattern(clinic: Clinic, model: ModelVersion, user: User | None) -> Analysis:
    return Analysis(
        clinic=clinic, model_version=model, box_x=0, box_y=0, box_size=512, requested_by=user, background=0.0,
        map_height=7, map_width=7, precision="f32", runtime="OpenVINO", quality=_FINE,
    )  # fmt: skip


def _decide(clinic: Clinic, clinician: User, colleagues: list[User]) -> None:
    """An impression and a decision for half of the cases, pathology for those that are proven."""
    chance = random.Random(4)
    lesions = Lesion.objects.filter(clinic=clinic, is_archived=False, state=Lesion.State.DONE).order_by("pk")
    rows = list(lesions.values_list("pk", "top_disease", "is_proven", "cover", "created_by"))
    first, now = free_key(Diagnosis), timezone.now()
    said: list[tuple] = []
    decided: list[tuple[int, int, int, str]] = []
    for pk, top, is_proven, cover, user in rows:
        if chance.random() < 0.7:
            key = first + len(said)
            other = chance.random() < 0.1
            said.append(
                (
                    key, pk, "impression", "" if other else top, "L40.0" if other else BY_KEY[top].icd10,
                    "Psoriasis vulgaris" if other else "", "", user,
                )
            )  # fmt: skip
            decided.append((key, cover, user, top))
        if is_proven:
            said.append(
                (
                    first + len(said), pk, "pathology", top, BY_KEY[top].icd10, "", "histopathology", user,
                )
            )  # fmt: skip
    insert(
        Diagnosis(clinic=clinic),
        ("id", "lesion", "kind", "disease", "icd10", "text", "confirmed_by", "created_by"),
        said,
    )
    analyses = dict(Analysis.objects.filter(clinic=clinic).order_by().values_list("photo", "pk"))
    key = free_key(Assessment)
    insert(
        Assessment(clinic=clinic, decision="agree", decided_at=now, shown_at=now),
        ("id", "analysis", "user", "impression", "conclusion", "listed"),
        (
            (key + n, analyses[cover], user, impression, impression, json.dumps([top]))
            for n, (impression, cover, user, top) in enumerate(decided)
        ),
    )
    reset_sequences(Diagnosis, Assessment)


def _alike(clinic: Clinic) -> None:
    """Pairs for one in ten photos of the archive, half of them decided."""
    chance = random.Random(5)
    rows = list(Entry.objects.filter(clinic=clinic).order_by("pk").values_list("pk", "patient_key", "source"))
    pairs = []
    for (first, patient, source), (second, other, from_there) in zip(
        rows[: len(rows) // _ONE_IN_ALIKE], rows[len(rows) // 2 :], strict=False
    ):
        pairs.append(
            DuplicatePair(
                clinic=clinic,
                first_id=first,
                second_id=second,
                distance=chance.randrange(7),
                across_patients=patient != other,
                across_sources=source != from_there,
                verdict=chance.choice(["open", "different"]),
            )
        )
    DuplicatePair.objects.bulk_create(pairs, batch_size=2000)


def _versions(clinic: Clinic, curator: User) -> None:
    """Frozen versions of what is accepted, and a draft of everything."""
    version = datasets.create(clinic, curator, "Big")
    datasets.set_members(version, selection.entries(clinic, selection.Selection(review="accepted")))
    _analyse()
    dividing.split(version, "patient", 0.5)
    for _n in range(_FROZEN):
        version.refresh_from_db()
        freezing.fix(version, curator, freezing.Looked(freezing.fingerprint_of(version), []))
        version = datasets.new_version(version.dataset, curator)
    datasets.set_members(version, selection.entries(clinic, selection.Selection()))
    _analyse()
    for one in DatasetVersion.objects.filter(clinic=clinic):
        counted.ask(one)
    while jobs.run_waiting(counted.JOB):
        pass


def _study(clinic: Clinic, user: User, version: DatasetVersion, state: str) -> None:
    """A study of photos of the version, with all answers but a tenth."""
    chance = random.Random(6)
    now = timezone.now()
    study = Study.objects.create(
        clinic=clinic, name=f"A study that is {state}", created_by=user, is_synthetic=True,
        model_version=ModelVersion.objects.get(name="chosen"), margin=0.1, endpoints=["bcc"],
    )  # fmt: skip
    sessions = [StudySession(study=study, number=1, key="unaided")]
    if state == Study.State.OPEN:
        sessions.append(StudySession(study=study, number=2, key="aided", is_aided=True))
    StudySession.objects.bulk_create(sessions)
    items = version.items.filter(split="test", label__in=DISEASE_KEYS).exclude(entry=None)
    chosen = list(items.order_by("pk").select_related("entry")[:STUDY_PHOTOS])
    analyses = dict(
        Analysis.objects.filter(photo__in=[item.entry.photo_id for item in chosen]).values_list(
            "photo", "scores"
        )
    )
    StudyImage.objects.bulk_create(
        StudyImage(
            study=study, number=n, name=f"{n:03d}", dataset=str(version), dataset_item=item,
            photo_id=item.entry.photo_id, content_sha256=item.content_sha256, truth=item.label, sex=item.sex,
            age=item.age, skin_type=item.skin_type, site=item.site, scores=analyses[item.entry.photo_id],
        )
        for n, item in enumerate(chosen, start=1)
    )  # fmt: skip
    groups = [
        ReaderGroup.objects.create(study=study, key=key, name=key.title(), place=place)
        for place, key in enumerate(("professors", "clinicians"))
    ]
    for n in range(READERS):
        enrolment.enrol(study, group=groups[n % 2], by=user, name=f"Reader {n + 1}")
    images = list(study.images.order_by("number"))
    for reading in Reading.objects.filter(reader__in=Reader.objects.filter(study=study)):
        rows = [
            Answer(
                reading=reading, image=image, seconds=chance.uniform(3, 30), answered_at=now, changed_at=now,
                choice=image.truth if chance.random() < 0.6 else chance.choice(DISEASE_KEYS),
            )
            for image in images
            if state == Study.State.CLOSED or chance.random() < 0.9
        ]  # fmt: skip
        Answer.objects.bulk_create(rows, batch_size=1000)
    study.state, study.opened_at, study.opened_by = state, now, user
    if state == Study.State.CLOSED:
        study.closed_at, study.closed_by = now, user
    study.save()
