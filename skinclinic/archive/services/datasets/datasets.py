"""Datasets: made, filled, changed, split and continued in new versions. Frozen versions refuse all change."""

from collections.abc import Callable, Iterable, Mapping

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from skinclinic.archive import labels
from skinclinic.archive.models import (
    LABEL_LENGTH,
    Dataset,
    DatasetItem,
    DatasetVersion,
    DuplicatePair,
    Entry,
)
from skinclinic.archive.services.curating import relabelling, torn_lesions
from skinclinic.archive.services.datasets import against, splits
from skinclinic.archive.services.exporting import pseudonyms
from skinclinic.engine import work
from skinclinic.models import Clinic, User
from skinclinic.services.refused import Refused

FILL_JOB = "dataset-fill"
MOST_AT_ONCE = 2000
_BATCH = 2000
COPIED = [
    field.name for field in DatasetItem._meta.concrete_fields if field.name not in ("id", "version", "entry")
]
_TAKEN = {  # field of the item: where the entry has it
    "content_sha256": "content_sha256",
    "phash": "phash",
    "label": "label",
    "subtype": "subtype",
    "icd10": "icd10",
    "impression": "impression",
    "text": "text",
    "confirmed_by": "confirmed_by",
    "is_proven": "is_proven",
    "taken_on": "taken_on",
    "age": "age",
    "age_to": "age_to",
    "sex": "sex",
    "skin_type": "skin_type",
    "ethnicity": "ethnicity",
    "site": "site",
    "source_name": "source__name",
    "kind": "photo__kind",
    "is_synthetic": "photo__is_synthetic",
    "tags": "tags",
}


@transaction.atomic
def create(
    clinic: Clinic, user: User | None, name: str, role: str = "both", description: str = ""
) -> DatasetVersion:
    """Make a dataset with an empty draft; return the draft. Raises Refused for a name that is taken."""
    # Not asked first: two people may choose the same name at the same moment.
    dataset, made = Dataset.objects.get_or_create(
        clinic=clinic, name=name, defaults={"role": role, "description": description, "created_by": user}
    )
    if not made:
        raise Refused("", _("This clinic already has a dataset with this name."))
    return DatasetVersion.objects.create(clinic=clinic, dataset=dataset, number=1, created_by=user)


def draft_of(dataset: Dataset) -> DatasetVersion | None:
    """The version that can be changed, if there is one."""
    return dataset.versions.filter(state=DatasetVersion.State.DRAFT).first()


def lock_draft(version: DatasetVersion) -> DatasetVersion:
    """The version's row, held until the transaction ends. Raises Refused if it is frozen."""
    row = DatasetVersion.objects.select_for_update().get(pk=version.pk)
    if row.is_frozen:
        raise Refused(
            "",
            _("Version %(number)s is frozen and does not change. Make a new version.")
            % {"number": row.number},
        )
    return row


def entries_of(version: DatasetVersion) -> QuerySet[Entry]:
    """The photos the version's stored search finds now."""
    from skinclinic.archive.services.searching import selection

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
            work.ask(FILL_JOB, row.pk, row.clinic)
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
        forget_split(version)


@transaction.atomic
def add(version: DatasetVersion, entries: QuerySet[Entry]) -> int:
    """Add entries of the version's clinic; return how many were new. Raises Refused."""
    version = lock_draft(version)
    added = _add(version, entries.filter(clinic=version.clinic_id))
    if added:
        forget_split(version)
    return added


@transaction.atomic
def remove(version: DatasetVersion, items: Iterable[int]) -> int:
    """Take items out of a draft; return how many. Raises Refused."""
    version = lock_draft(version)
    removed, _rows = version.items.filter(pk__in=list(items)).delete()
    if removed:
        forget_split(version)
    return removed


@transaction.atomic
def remove_all(version: DatasetVersion, rows: QuerySet[DatasetItem]) -> int:
    """Take all these items of a draft out; return how many. Raises Refused."""
    version = lock_draft(version)
    removed, _rows = version.items.filter(pk__in=rows.order_by().values("pk")).delete()
    if removed:
        forget_split(version)
    return removed


@transaction.atomic
def relabel(version: DatasetVersion, items: Iterable[int], label: str) -> int:
    """Give items another label in this draft only, where what was said of the old one does not hold: subtype, code
    and proof. Returns how many. Raises Refused."""
    version = lock_draft(version)
    label = labels.tidy(label)
    if not label:
        raise Refused("", _("A photo in a dataset needs a label."))
    changing = version.items.filter(pk__in=list(items)).exclude(label=label)
    label = label[:LABEL_LENGTH]
    code = relabelling.icd10_of(version.clinic, label)
    return changing.update(label=label, subtype="", icd10=code, is_proven=False, confirmed_by="")


@transaction.atomic
def state(version: DatasetVersion, *, minimum: int, counts: dict[str, int]) -> None:
    """Note what people say of the version (see ``DatasetVersion.stated``). It may be said of a frozen one, too:
    it changes what is checked, not what is held."""
    DatasetVersion.objects.filter(pk=version.pk).update(stated={"minimum": minimum, "counts": counts})


@transaction.atomic
def refresh(version: DatasetVersion) -> None:
    """Take over what the archive says now of every member: labels given here only are lost. Raises Refused."""
    version = lock_draft(version)
    told = {
        entry: {"split": side}
        for entry, side in version.items.exclude(entry=None).values_list("entry", "split")
    }
    version.items.all().delete()
    add_as_told(version, told)


def add_as_told(version: DatasetVersion, told: Mapping[int, dict]) -> int:
    """Add entries by their keys to a draft the caller holds; what ``told`` says of an entry (fields of an
    item, such as label and split) goes before what the archive says. Returns how many were new."""
    keys, added = sorted(told), 0
    for start in range(0, len(keys), 500):
        wanted = Entry.objects.filter(clinic=version.clinic_id, pk__in=keys[start : start + 500])
        added += _add(version, wanted, told=told)
    return added


def _add(
    version: DatasetVersion,
    entries: QuerySet[Entry],
    say: Callable[[int], None] = lambda done: None,
    told: Mapping[int, dict] | None = None,
) -> int:
    entries, added, last = entries.order_by("pk"), 0, 0
    lesions = torn_lesions.whole(version.clinic_id)
    while True:
        # Who is there already is asked for a range of keys: a plan that no statistics can mislead.
        found = list(
            entries.filter(pk__gt=last).values(
                "pk", "clinic_id", "patient_id", "photo__lesion_id", *_TAKEN.values()
            )[:_BATCH]
        )
        if not found:
            return added
        between = version.items.filter(entry__gt=last, entry__lte=found[-1]["pk"]).order_by()
        there = set(between.values_list("entry", flat=True))
        rows = [row for row in found if row["pk"] not in there]
        items = [
            DatasetItem(version=version, **_snapshot(row, lesions) | (told or {}).get(row["pk"], {}))
            for row in rows
        ]
        DatasetItem.objects.bulk_create(items, batch_size=500)
        added += len(rows)
        last = found[-1]["pk"]
        say(added)


def _snapshot(row: dict, lesions: Mapping[int, int]) -> dict:
    """The fields of an item from an entry's values; ``lesions`` are those of photos whose lesion is in pieces."""
    taken = {name: row[path] for name, path in _TAKEN.items()}
    return taken | {
        "entry_id": row["pk"],
        "person": pseudonyms.person(row["clinic_id"], row["patient_id"]),
        "lesion": pseudonyms.lesion(row["clinic_id"], lesions.get(row["pk"], row["photo__lesion_id"])),
    }


def forget_split(version: DatasetVersion) -> None:
    """Take the division back: with other members it says nothing any more."""
    if version.split:
        version.items.exclude(split="").update(split="")
        version.split = {}
        version.save(update_fields=["split"])


def restore_split(version: DatasetVersion, split_before: dict) -> None:
    """Divide a draft without sides as it was once, if it has all its photos of then again: the same photos are divided
    in the same way. Where it comes out otherwise, it stays without."""
    version = lock_draft(version)
    said = split_before.get("said", {})
    if version.split or split_before.get("method") not in splits.METHODS:
        return
    if version.items.count() != said.get("train", 0) + said.get("test", 0):
        return
    try:
        again = split(version, *(split_before[name] for name in ("method", "share", "seed")))
    except Refused:
        return
    if again != said:
        forget_split(DatasetVersion.objects.get(pk=version.pk))


@transaction.atomic
def split(version: DatasetVersion, method: str, share: float, seed: int = 0) -> dict:
    """Divide the draft into training and test; return what was done. Raises Refused."""
    version = lock_draft(version)
    fields = ("pk", "content_sha256", "person", "taken_on", "lesion", "label")
    rows = list(version.items.values_list("entry_id", *fields))
    item_of = {entry: pk for entry, pk, *_rest in rows if entry}
    together = DuplicatePair.objects.filter(
        clinic=version.clinic_id,
        verdict__in=(DuplicatePair.Verdict.SAME_PHOTO, DuplicatePair.Verdict.SAME_LESION),
    ).values_list("first_id", "second_id")
    joined = [(item_of[a], item_of[b]) for a, b in together if a in item_of and b in item_of]
    joined += against.pieces_together(version.clinic_id, item_of)
    members = [splits.Member(*values) for _entry, *values in rows]
    try:
        sides, said = splits.split(members, method, share, seed, joined)
    except splits.CannotSplit:
        raise Refused(
            "",
            _(
                "A split needs photos of at least two patients or lesions, a method, and a share between 0 and 100 %."
            ),
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
    """A draft that begins as a copy of the newest version, without photos that were deleted or whose patients do not
    consent any more; the draft there is, if there is one."""
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
        _as_stored_now(version)
    return version


def left_out(draft: DatasetVersion) -> int:
    """How many photos of the version before it did not take over."""
    before = (
        DatasetVersion.objects.filter(dataset=draft.dataset_id, number__lt=draft.number)
        .order_by("-number")
        .first()
    )
    if before is None:
        return 0
    gone = before.items.filter(entry=None).count()
    return gone + against.rows(before, against.CONSENT).count()


def _copy(old: DatasetVersion, new: DatasetVersion) -> None:
    last = 0
    while rows := list(
        old.items.filter(pk__gt=last, entry__isnull=False)
        .exclude(pk__in=against.rows(old, against.CONSENT).values("pk"))
        .order_by("pk")
        .values("pk", "entry_id", *COPIED)[:_BATCH]
    ):
        last = rows[-1]["pk"]
        DatasetItem.objects.bulk_create(
            [
                DatasetItem(version=new, **{k: v for k, v in row.items() if k != "pk"})
                for row in rows
            ],
            batch_size=500,
        )  # fmt: skip


def _as_stored_now(version: DatasetVersion) -> None:
    """Photos that were covered since they were taken up are held as they are now."""
    for item in against.rows(version, against.COVERED).select_related("entry"):
        entry = item.kept_entry
        version.items.filter(pk=item.pk).update(content_sha256=entry.content_sha256, phash=entry.phash)


@transaction.atomic
def discard(version: DatasetVersion) -> None:
    """Throw a draft away, and its dataset if there is no other version. Raises Refused if frozen."""
    row = lock_draft(version)
    dataset = row.dataset
    row.delete()
    if not dataset.versions.exists():
        dataset.delete()
