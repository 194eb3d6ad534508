"""Datasets: made, filled, changed and continued in new versions. Frozen versions refuse all change.

What a page asks for is done at once with few photos, and by a job with many (``large``).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from django.db import connection, transaction
from django.db.models import BigIntegerField, Exists, OuterRef, QuerySet, Value
from django.utils.translation import gettext as _

from skinclinic.archive import labels
from skinclinic.archive.formats import isic_fields
from skinclinic.archive.models import (
    LABEL_LENGTH,
    Dataset,
    DatasetItem,
    DatasetVersion,
    Entry,
)
from skinclinic.archive.services.curating import relabelling, torn_lesions
from skinclinic.archive.services.datasets import against, dividing, large
from skinclinic.archive.services.datasets.large import lock_draft
from skinclinic.archive.services.exporting import pseudonyms
from skinclinic.engine import work
from skinclinic.models import Clinic, User
from skinclinic.services.refused import Refused

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
# What else of an entry an item is made of.
_OF_ENTRY = ("clinic_id", "patient_id", "photo__lesion_id", "columns", *_TAKEN.values())


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
    return DatasetVersion.objects.create(clinic=clinic, dataset=dataset, number=1, photos=0, created_by=user)


def draft_of(dataset: Dataset) -> DatasetVersion | None:
    """The version that can be changed, if there is one."""
    return dataset.versions.filter(state=DatasetVersion.State.DRAFT).first()


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
            large.require_idle(row)
            row.query = query
            row.save(update_fields=["query"])
            most = large.MOST_AT_ONCE
            if large.is_large(row) or entries.order_by()[: most + 1].count() > most:
                work.ask(large.FILL_JOB, row.pk, row.clinic)
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
    removed, _rows = _others(version, wanted).delete()
    large.changed(version, -removed)
    added = _add(version, wanted, say)
    if removed or added:
        dividing.forget_split(version, here=True)


def set_members_in_parts(version: DatasetVersion, entries: QuerySet[Entry], say: large.Say) -> None:
    """The same for many, in a transaction for each part."""
    wanted = entries.order_by().filter(clinic=version.clinic_id)
    removed = _remove_in_parts(version, _others(version, wanted), lambda share: say(share / 4))
    total = max(wanted.count(), 1)
    added = _add(version, wanted, lambda seen: say(0.25 + 0.7 * min(seen / total, 1)), in_parts=True)
    if removed or added:
        with large.held(version) as row:
            dividing.forget_split(row, here=True)


def _others(version: DatasetVersion, wanted: QuerySet[Entry]) -> QuerySet[DatasetItem]:
    return version.items.filter(~Exists(wanted.filter(pk=OuterRef("entry"))))


@transaction.atomic
def add(version: DatasetVersion, entries: QuerySet[Entry]) -> int:
    """Add entries of the version's clinic; return how many were new. Raises Refused."""
    version = lock_draft(version)
    added = _add(version, entries.filter(clinic=version.clinic_id))
    if added:
        dividing.forget_split(version)
    return added


@transaction.atomic
def remove(version: DatasetVersion, items: Iterable[int]) -> int:
    """Take items out of a draft; return how many. Raises Refused."""
    return _remove(lock_draft(version), version.items.filter(pk__in=list(items)))


@transaction.atomic
def remove_all(version: DatasetVersion, rows: QuerySet[DatasetItem]) -> int:
    """Take all these items of a draft out; return how many. Raises Refused."""
    return _remove(lock_draft(version), version.items.filter(pk__in=rows.order_by().values("pk")))


def _remove(version: DatasetVersion, rows: QuerySet[DatasetItem]) -> int:
    removed, _rows = rows.delete()
    if removed:
        large.changed(version, -removed)
        dividing.forget_split(version)
    return removed


def take_out(version: DatasetVersion, chosen: dict[str, str]) -> int | None:
    """Take out what is ``chosen`` (see ``against.chosen``); how many, or None where a job does it. Raises Refused."""
    with transaction.atomic():
        row = lock_draft(version)
        large.require_idle(row)
        if large.is_large(row):
            large.ask(large.TAKE_OUT_JOB, row, chosen)
            return None
        return remove_all(row, against.chosen(row, chosen))


def take_out_in_parts(version: DatasetVersion, say: large.Say) -> None:
    """What was asked for by ``take_out``."""
    chosen = (version.asked or {}).get(large.TAKE_OUT_JOB)
    if chosen and _remove_in_parts(version, against.chosen(version, chosen), say):
        with large.held(version) as row:
            dividing.forget_split(row, here=True)


def _remove_in_parts(version: DatasetVersion, rows: QuerySet[DatasetItem], say: large.Say) -> int:
    removed = 0
    for part in large.parts(list(rows.order_by().values_list("pk", flat=True)), say):
        with large.held(version) as row:
            n, _rows = row.items.filter(pk__in=part).delete()
            large.changed(row, -n)
        removed += n
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
    relabelled = changing.update(label=label, subtype="", icd10=code, is_proven=False, confirmed_by="")
    large.changed(version)
    return relabelled


@transaction.atomic
def state(version: DatasetVersion, *, minimum: int, counts: dict[str, int]) -> None:
    """Note what people say of the version (see ``DatasetVersion.stated``). It may be said of a frozen one, too:
    it changes what is checked, not what is held."""
    DatasetVersion.objects.filter(pk=version.pk).update(stated={"minimum": minimum, "counts": counts})


def request_refresh(version: DatasetVersion) -> bool:
    """``refresh``: now, or as a job when there are many photos (True). Raises Refused."""
    with transaction.atomic():
        row = lock_draft(version)
        large.require_idle(row)
        if large.is_large(row):
            large.ask(large.REFRESH_JOB, row)
            return True
        refresh(row)
    return False


def refresh(version: DatasetVersion, say: large.Say = lambda share: None) -> None:
    """Take over what the archive says now of every member: labels given here only are lost, and lines whose photos were
    deleted. In parts, of which only what differs is written. Raises Refused."""
    with large.held(version) as row:
        gone, _rows = row.items.filter(entry=None).delete()
        large.changed(row, -gone)
    lesions = torn_lesions.whole(version.clinic_id)
    keys = list(version.items.order_by("pk").values_list("pk", flat=True))
    for part in large.parts(keys, say):
        with large.held(version) as row:
            _refresh(row, part, lesions)
            large.changed(row)


def _refresh(version: DatasetVersion, keys: Sequence[int], lesions: Mapping[int, int]) -> None:
    paths = ("pk", *_OF_ENTRY)
    names = (*_TAKEN, "person", "lesion", "isic")
    rows = version.items.filter(pk__in=keys, entry__isnull=False).order_by("pk")
    held = rows.values("pk", *names, *(f"entry__{path}" for path in paths))
    items, differing = [], set()
    for row in held:
        now = _snapshot({path: row[f"entry__{path}"] for path in paths}, lesions)
        if changes := {name for name in names if now[name] != row[name]}:
            items.append(DatasetItem(pk=row["pk"], **{name: now[name] for name in names}))
            differing |= changes
    if items:
        DatasetItem.objects.bulk_update(items, sorted(differing), batch_size=200)


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
    *,
    in_parts: bool = False,
) -> int:
    """Add entries; return how many were new. ``say`` hears how many were looked at. ``in_parts``: each part holds the
    version by itself, otherwise the caller does."""
    entries, added, seen, last = entries.order_by("pk"), 0, 0, 0
    lesions = torn_lesions.whole(version.clinic_id)
    while True:
        # Who is there already is asked for a range of keys: a plan that no statistics can mislead.
        found = list(entries.filter(pk__gt=last).values("pk", *_OF_ENTRY)[:_BATCH])
        if not found:
            return added
        with transaction.atomic():
            if in_parts:
                lock_draft(version)
            between = version.items.filter(entry__gt=last, entry__lte=found[-1]["pk"]).order_by()
            there = set(between.values_list("entry", flat=True))
            rows = [row for row in found if row["pk"] not in there]
            items = [
                DatasetItem(version=version, **_snapshot(row, lesions) | (told or {}).get(row["pk"], {}))
                for row in rows
            ]
            DatasetItem.objects.bulk_create(items, batch_size=500)
            if rows:
                large.changed(version, len(rows))
        added += len(rows)
        seen += len(found)
        last = found[-1]["pk"]
        say(seen)


def _snapshot(row: dict, lesions: Mapping[int, int]) -> dict:
    """The fields of an item from an entry's values; ``lesions`` are those of photos whose lesion is in pieces."""
    taken = {name: row[path] for name, path in _TAKEN.items()}
    return taken | {
        "entry_id": row["pk"],
        "person": pseudonyms.person(row["clinic_id"], row["patient_id"]),
        "lesion": pseudonyms.lesion(row["clinic_id"], lesions.get(row["pk"], row["photo__lesion_id"])),
        "isic": isic_fields.kept(row["columns"]) or None,
    }


@transaction.atomic
def new_version(dataset: Dataset, user: User | None, note: str = "") -> DatasetVersion:
    """A draft that begins as a copy of the newest version, without photos that were deleted or whose patients do not
    consent any more; the draft there is, if there is one."""
    version, is_new = _begin(dataset, user, note)
    if is_new:
        copy(version)
    return DatasetVersion.objects.get(pk=version.pk)


@transaction.atomic
def request_new_version(dataset: Dataset, user: User | None, note: str = "") -> DatasetVersion:
    """``new_version``, which a job fills where there are many photos."""
    version, is_new = _begin(dataset, user, note)
    if is_new and large.is_large(_before(version)):
        work.ask(large.CONTINUE_JOB, version.pk, version.clinic)
    elif is_new:
        copy(version)
    return DatasetVersion.objects.get(pk=version.pk)


def _begin(dataset: Dataset, user: User | None, note: str) -> tuple[DatasetVersion, bool]:
    """The draft and whether it is to be filled now."""
    dataset = Dataset.objects.select_for_update().get(pk=dataset.pk)
    if draft := draft_of(dataset):
        return draft, False
    last = dataset.versions.order_by("-number").first()
    version = DatasetVersion.objects.create(
        clinic_id=dataset.clinic_id, dataset=dataset, number=(last.number if last else 0) + 1, note=note, photos=0,
        query=last.query if last else {}, split=last.split if last else {}, created_by=user,
        asked={large.CONTINUE_JOB: last.pk} if last else None,
    )  # fmt: skip
    return version, last is not None


def _before(draft: DatasetVersion) -> DatasetVersion:
    """The version it is copied from."""
    return DatasetVersion.objects.get(pk=(draft.asked or {})[large.CONTINUE_JOB])


def copy(version: DatasetVersion, say: large.Say = lambda share: None) -> None:
    """Fill a new draft from the version before it, in parts; those that are there are passed over."""
    version.refresh_from_db(fields=["asked"])
    if large.CONTINUE_JOB not in (version.asked or {}):
        return
    old = _before(version)
    taken = old.items.filter(entry__isnull=False).exclude(
        pk__in=against.rows(old, against.CONSENT).values("pk")
    )
    for part in large.parts(list(taken.order_by("pk").values_list("pk", flat=True)), say):
        with large.held(version) as row:
            large.changed(row, _copy(DatasetItem.objects.filter(pk__in=part), row))
    with large.held(version) as row:
        _as_stored_now(row)
        large.done(large.CONTINUE_JOB, row)


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


def _copy(rows: QuerySet[DatasetItem], version: DatasetVersion) -> int:
    """Copy items into a version by one statement, in their order; return how many were not there."""
    meta, quote = DatasetItem._meta, connection.ops.quote_name
    names = (*COPIED, "entry")
    # Of another version the same columns, and this one's key.
    chosen = rows.order_by("pk").values_list(*names, Value(version.pk, BigIntegerField()))
    sql, params = chosen.query.sql_with_params()
    named = {field.name: str(field.column) for field in meta.concrete_fields}
    columns = ", ".join(quote(named[name]) for name in (*names, "version"))
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {quote(meta.db_table)} ({columns}) {sql} ON CONFLICT DO NOTHING", params)
        return cursor.rowcount


def _as_stored_now(version: DatasetVersion) -> None:
    """Photos that were covered since they were taken up are held as they are now."""
    for item in against.rows(version, against.COVERED).select_related("entry"):
        entry = item.kept_entry
        version.items.filter(pk=item.pk).update(content_sha256=entry.content_sha256, phash=entry.phash)


def request_discard(version: DatasetVersion) -> bool:
    """``discard``: now, or as a job when there are many photos (True). Raises Refused."""
    with transaction.atomic():
        row = lock_draft(version)
        if large.is_worked_on(row):
            raise Refused("", large.not_now(row))
        if large.is_large(row):
            large.ask(large.DISCARD_JOB, row)
            return True
        discard(row)
    return False


def discard_in_parts(version: DatasetVersion, say: large.Say) -> None:
    """The same for many photos, in a transaction for each part."""
    _remove_in_parts(version, version.items.all(), say)
    discard(version)


@transaction.atomic
def discard(version: DatasetVersion) -> None:
    """Throw a draft away, and its dataset if there is no other version. Raises Refused if frozen."""
    row = lock_draft(version)
    dataset = row.dataset
    row.delete()
    if not dataset.versions.exists():
        dataset.delete()
