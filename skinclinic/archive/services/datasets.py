"""Datasets: made, filled, changed, split and continued in new versions. Frozen versions refuse all change."""

from collections.abc import Callable, Iterable

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils.translation import gettext as _

from skinclinic import jobs
from skinclinic.archive import labels
from skinclinic.archive.models import (
    Dataset,
    DatasetItem,
    DatasetVersion,
    DuplicatePair,
    Entry,
    Import,
    Review,
)
from skinclinic.archive.services import pseudonyms, splits
from skinclinic.models import Clinic, Job, User

FILL_JOB = "dataset-fill"
MOST_AT_ONCE = 2000
_BATCH = 2000
_COPIED = [
    field.name for field in DatasetItem._meta.concrete_fields if field.name not in ("id", "version", "entry")
]
_TAKEN = {  # field of the item: where the entry has it
    "content_sha256": "content_sha256",
    "phash": "phash",
    "label": "label",
    "subtype": "subtype",
    "is_proven": "is_proven",
    "taken_on": "taken_on",
    "age": "age",
    "sex": "patient__sex",
    "skin_type": "patient__skin_type",
    "ethnicity": "patient__ethnicity",
    "site": "photo__lesion__site",
    "source_name": "source__name",
}


class Refused(Exception):
    """It cannot be done; the message says why and what to do."""


@transaction.atomic
def create(
    clinic: Clinic, user: User | None, name: str, role: str = "both", description: str = ""
) -> DatasetVersion:
    """Make a dataset with an empty draft; return the draft. Raises Refused for a name that is taken."""
    if Dataset.objects.filter(clinic=clinic, name=name).exists():
        raise Refused(_("This clinic already has a dataset with this name."))
    dataset = Dataset.objects.create(
        clinic=clinic, name=name, role=role, description=description, created_by=user
    )
    return DatasetVersion.objects.create(clinic=clinic, dataset=dataset, number=1, created_by=user)


def draft_of(dataset: Dataset) -> DatasetVersion | None:
    """The version that can be changed, if there is one."""
    return dataset.versions.filter(state=DatasetVersion.State.DRAFT).first()


def lock_draft(version: DatasetVersion) -> DatasetVersion:
    """The version's row, held until the transaction ends. Raises Refused if it is frozen."""
    row = DatasetVersion.objects.select_for_update().get(pk=version.pk)
    if row.is_frozen:
        raise Refused(
            _("Version %(number)s is frozen and does not change. Make a new version.")
            % {"number": row.number}
        )
    return row


def entries_of(version: DatasetVersion) -> QuerySet[Entry]:
    """The photos the version's stored search finds now."""
    from skinclinic.archive.services import selection

    return selection.entries(version.clinic, selection.Selection.read(version.query))


def fill(version: DatasetVersion, entries: QuerySet[Entry], query: dict | None = None) -> bool:
    """Make these the members: now, or as a job when there are many (True). Raises Refused.

    Photos that stay keep the label and side they have; of a job only the ``query`` is stored.
    """
    with transaction.atomic():
        row = lock_draft(version)
        if query is not None:
            row.query = query
            row.save(update_fields=["query"])
        if query is not None and entries.order_by()[: MOST_AT_ONCE + 1].count() > MOST_AT_ONCE:
            runs = Job.objects.filter(kind=FILL_JOB, subject=row.pk).count()
            jobs.enqueue(FILL_JOB, f"{row.pk}:{runs + 1}", subject=row.pk, clinic=row.clinic)
            return True
        set_members(row, entries)
    return False


@transaction.atomic
def set_members(
    version: DatasetVersion, entries: QuerySet[Entry], say: Callable[[int], None] = lambda done: None
) -> None:
    """Make exactly these entries the members. Photos that stay keep their label and side."""
    version = lock_draft(version)
    wanted = entries.order_by().filter(clinic=version.clinic_id)
    removed, _rows = version.items.filter(~Exists(wanted.filter(pk=OuterRef("entry")))).delete()
    added = _add(version, wanted, say)
    if removed or added:
        _forget_split(version)


@transaction.atomic
def add(version: DatasetVersion, entries: QuerySet[Entry]) -> int:
    """Add entries of the version's clinic; return how many were new. Raises Refused."""
    version = lock_draft(version)
    added = _add(version, entries.filter(clinic=version.clinic_id))
    if added:
        _forget_split(version)
    return added


@transaction.atomic
def remove(version: DatasetVersion, items: Iterable[int]) -> int:
    """Take items out of a draft; return how many. Raises Refused."""
    version = lock_draft(version)
    removed, _rows = version.items.filter(pk__in=list(items)).delete()
    if removed:
        _forget_split(version)
    return removed


@transaction.atomic
def relabel(item: DatasetItem, label: str) -> None:
    """Give one photo another label in this draft only. Raises Refused."""
    lock_draft(item.version)
    label = labels.tidy(label)
    if not label:
        raise Refused(_("A photo in a dataset needs a label."))
    DatasetItem.objects.filter(pk=item.pk).update(label=label[:120], subtype="")


@transaction.atomic
def refresh(version: DatasetVersion) -> None:
    """Take over what the archive says now of every member: labels given here only are lost. Raises Refused."""
    version = lock_draft(version)
    sides = dict(version.items.exclude(entry=None).exclude(split="").values_list("entry", "split"))
    members = list(version.items.exclude(entry=None).values_list("entry", flat=True))
    version.items.all().delete()
    for start in range(0, len(members), 500):
        _add(version, Entry.objects.filter(pk__in=members[start : start + 500]), sides=sides)


def _add(version: DatasetVersion, entries: QuerySet[Entry], say=lambda done: None, sides=None) -> int:
    entries, added, last = entries.order_by("pk"), 0, 0
    while True:
        # Who is there already is asked for a range of keys: a plan that no statistics can mislead.
        found = list(
            entries.filter(pk__gt=last).values("pk", "clinic_id", "patient_id", *_TAKEN.values())[:_BATCH]
        )
        if not found:
            return added
        there = version.items.filter(entry__gt=last, entry__lte=found[-1]["pk"]).order_by()
        there = set(there.values_list("entry", flat=True))
        rows = [row for row in found if row["pk"] not in there]
        DatasetItem.objects.bulk_create(
            [
                DatasetItem(
                    version=version,
                    entry_id=row["pk"],
                    person=pseudonyms.person(row["clinic_id"], row["patient_id"]),
                    split=(sides or {}).get(row["pk"], ""),
                    # What a patient has is empty for an unknown patient.
                    **{
                        name: "" if row[path] is None and name in ("sex", "ethnicity") else row[path]
                        for name, path in _TAKEN.items()
                    },
                )
                for row in rows
            ],
            batch_size=500,
        )
        added += len(rows)
        last = found[-1]["pk"]
        say(added)


def _forget_split(version: DatasetVersion) -> None:
    """Other members: the earlier division says nothing any more."""
    if version.split:
        version.items.exclude(split="").update(split="")
        version.split = {}
        version.save(update_fields=["split"])


@transaction.atomic
def split(version: DatasetVersion, method: str, share: float, seed: int = 0) -> dict:
    """Divide the draft into training and test; return what was done. Raises Refused."""
    version = lock_draft(version)
    rows = list(version.items.values_list("pk", "entry_id", "content_sha256", "person", "taken_on"))
    item_of = {entry: pk for pk, entry, *_rest in rows if entry}
    together = DuplicatePair.objects.filter(
        clinic=version.clinic_id,
        verdict__in=(DuplicatePair.Verdict.SAME_PHOTO, DuplicatePair.Verdict.SAME_LESION),
    ).values_list("first_id", "second_id")
    joined = [(item_of[a], item_of[b]) for a, b in together if a in item_of and b in item_of]
    members = [splits.Member(pk, sha256, person, day) for pk, _entry, sha256, person, day in rows]
    try:
        sides, said = splits.split(members, method, share, seed, joined)
    except splits.CannotSplit:
        raise Refused(
            _("A split needs photos of at least two patients, a method, and a share between 0 and 100 %.")
        ) from None
    # All to one side first, so that only the smaller side is named key by key.
    fewer = splits.TEST if said["test"] <= said["train"] else splits.TRAIN
    version.items.update(split=splits.TRAIN if fewer == splits.TEST else splits.TEST)
    keys = [pk for pk, side in sides.items() if side == fewer]
    for start in range(0, len(keys), 500):
        version.items.filter(pk__in=keys[start : start + 500]).update(split=fewer)
    version.split = {"method": method, "share": share, "seed": seed, "said": said}
    version.save(update_fields=["split"])
    return said


@transaction.atomic
def new_version(dataset: Dataset, user: User | None, note: str = "") -> DatasetVersion:
    """A draft that begins as a copy of the newest version; the draft there is, if there is one."""
    dataset = Dataset.objects.select_for_update().get(pk=dataset.pk)
    if draft := draft_of(dataset):
        return draft
    last = dataset.versions.order_by("-number").first()
    version = DatasetVersion.objects.create(
        clinic_id=dataset.clinic_id, dataset=dataset, number=(last.number if last else 0) + 1, note=note,
        query=last.query if last else {}, split=last.split if last else {}, created_by=user,
    )  # fmt: skip
    if last:
        _copy(last, version)
    return version


def _copy(old: DatasetVersion, new: DatasetVersion) -> None:
    last = 0
    while rows := list(
        old.items.filter(pk__gt=last, entry__isnull=False)
        .order_by("pk")
        .values("pk", "entry_id", *_COPIED)[:_BATCH]
    ):
        last = rows[-1]["pk"]
        DatasetItem.objects.bulk_create(
            [
                DatasetItem(version=new, **{k: v for k, v in row.items() if k != "pk"})
                for row in rows
            ],
            batch_size=500,
        )  # fmt: skip


@transaction.atomic
def discard(version: DatasetVersion) -> None:
    """Throw a draft away, and its dataset if there is no other version. Raises Refused if frozen."""
    row = lock_draft(version)
    dataset = row.dataset
    row.delete()
    if not dataset.versions.exists():
        dataset.delete()


@transaction.atomic
def from_import(row: Import) -> Dataset:
    """The dataset of an import: named and meant as the import says, its draft filled with all its source's photos.

    Asking again changes nothing; a frozen dataset gets a new draft only when something is different now.
    """
    dataset, _made = Dataset.objects.get_or_create(
        clinic=row.clinic, name=row.name, defaults={"role": row.role, "created_by": row.created_by}
    )
    entries = Entry.objects.filter(clinic=row.clinic, source=row.source).exclude(review=Review.REJECTED)
    last = dataset.versions.order_by("-number").first()
    if last and last.is_frozen:
        there = DatasetItem.objects.filter(version=last, entry=OuterRef("pk"), label=OuterRef("label"))
        if not entries.filter(~Exists(there)).exists():
            return dataset
    draft = new_version(dataset, row.created_by)
    draft.items.exclude(label=F("entry__label")).filter(entry__in=entries.values("pk")).delete()
    add(draft, entries)
    return dataset
