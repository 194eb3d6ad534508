"""A reader study with real rows and files, made without the pages that make one."""

from dataclasses import dataclass

from django.utils import timezone

from reader_study.models import Reader, ReaderGroup, Study, StudyImage, StudySession
from reader_study.services.making import enrolment
from skinclinic.models import Photo
from tests import evaluated

LABELS = ["bcc", "mm", "sk", "nevus", "ak", "bcc", "mm", "sk", "nevus", "df", "wart", "pg"]


@dataclass
class Made:
    study: Study
    entries: list
    readers: list[Reader]
    secrets: list[str]


def make_study(
    clinic, user, *, labels=LABELS, practice: int = 2, aided: bool = False, model=None, readers: int = 1,
    state: str = Study.State.OPEN, name: str = "Twelve lesions", dataset: str = "Cohort", **settings,
) -> Made:  # fmt: skip
    """A study of as many photos as ``labels`` and ``practice`` more, its sessions, groups and readers."""
    entries = evaluated.make_entries(clinic, user, [*labels, *["bcc"] * practice], source=dataset)
    version = evaluated.freeze(clinic, user, entries, name=dataset)
    if model is not None:
        evaluated.score(model, entries)
    study = Study.objects.create(
        clinic=clinic, name=name, created_by=user, model_version=model, is_synthetic=True, **settings
    )
    StudySession.objects.create(study=study, number=1, key="unaided")
    if aided:
        StudySession.objects.create(study=study, number=2, key="aided", is_aided=True)
    items = {item.entry_id: item for item in version.items.all()}
    for number, entry in enumerate(entries, start=1):
        item = items[entry.pk]
        photo = Photo.objects.get(pk=entry.photo_id)
        analysis = model and model.analyses.get(photo=photo)
        StudyImage.objects.create(
            study=study, number=number, name=f"{number:03d}", dataset=str(version), dataset_item=item,
            photo=photo, content_sha256=item.content_sha256, truth=item.label, sex=item.sex, age=item.age,
            skin_type=item.skin_type, site=item.site, is_practice=number > len(labels),
            scores=analysis.scores if analysis else None,
        )  # fmt: skip
    groups = [
        ReaderGroup.objects.create(study=study, key=key, name=key.title(), place=place)
        for place, key in enumerate(("professors", "clinicians"))
    ]
    made = [
        enrolment.enrol(study, group=groups[n % 2], by=user, name=f"Reader {n + 1}") for n in range(readers)
    ]
    if state != Study.State.DRAFT:
        study.state, study.opened_at, study.opened_by = state, timezone.now(), user
    if state == Study.State.CLOSED:
        study.closed_at, study.closed_by = timezone.now(), user
    study.save()
    return Made(study, entries, [reader for reader, _ in made], [secret for _, secret in made])
