"""The dataset of an import: named and meant as the import says, with the labels and sides of its table."""

from collections.abc import Iterable, Iterator
from itertools import islice

from django.db import transaction
from django.db.models import Q

from skinclinic.archive.models import Dataset, DatasetVersion, Entry, Import, Review
from skinclinic.archive.services.datasets import datasets, dividing, large

STATED = "stated"
_PART = 400


@transaction.atomic
def fill(row: Import, told: dict[int, dict]) -> Dataset:
    """Put what the import's plan names (see ``told_by``) into the draft of its dataset, made if there is none.

    A photo that another source holds already is a member, too, under this table's label. Rejected photos are
    not. Asking again changes nothing; a frozen dataset gets a new draft only when something is different now.
    """
    dataset, _made = Dataset.objects.get_or_create(
        clinic=row.clinic, name=row.name, defaults={"role": row.role, "created_by": row.created_by}
    )
    newest = dataset.versions.order_by("-number").first()
    if newest and not _wanted(newest, told):
        return dataset
    draft = large.lock_draft(datasets.new_version(dataset, row.created_by))
    wanted, before = _wanted(draft, told), draft.items.count()
    for keys in _parts(wanted):
        removed, _rows = draft.items.filter(entry__in=keys).delete()
        large.changed(draft, -removed)
    datasets.add_as_told(draft, wanted)
    if any(fields["split"] for fields in told.values()):
        _note_sides(draft)
    elif draft.items.count() > before:
        dividing.forget_split(draft, here=True)
    return dataset


def _parts(rows: Iterable) -> Iterator[list]:
    rows = iter(rows)
    while part := list(islice(rows, _PART)):
        yield part


def told_by(row: Import, lines: Iterable[dict]) -> Iterator[tuple[int, dict]]:
    """(key of the entry, what the table says of it) of the lines of a plan whose photo is in the archive."""
    there = Entry.objects.filter(clinic=row.clinic).exclude(review=Review.REJECTED)
    for part in _parts(lines):
        names = [line["external_id"] for line in part]
        found = there.filter(source=row.source, external_id__in=names)
        own: dict[str, int] = {}
        decided: dict[str, str] = {}
        for name, key, label, said in found.values_list("external_id", "pk", "label", "said"):
            own[name] = key
            if "label" in said:
                # A person's decision stays.
                decided[name] = label
        hashes = [line["upload_sha256"] for line in part if line["external_id"] not in own]
        same = there.filter(Q(content_sha256__in=hashes) | Q(photo__sha256__in=hashes))
        elsewhere: dict[str, int] = {}
        for key, content, upload in same.values_list("pk", "content_sha256", "photo__sha256"):
            elsewhere |= {content: key, upload: key}
        for line in part:
            if pk := own.get(line["external_id"]) or elsewhere.get(line["upload_sha256"]):
                label = decided.get(line["external_id"], line["label"])
                yield pk, {"label": label, "split": line.get("split", "")}


def _wanted(version: DatasetVersion, told: dict[int, dict]) -> dict[int, dict]:
    """The entries that the version lacks or holds otherwise, as they should be there.

    A table that says nothing of sides leaves those of a split made here.
    """
    members = version.items.exclude(entry=None).values_list("entry", "label", "split")
    held = {entry: {"label": label, "split": side} for entry, label, side in members}
    wanted = {
        pk: held.get(pk, {"split": ""}) | {name: value for name, value in fields.items() if value}
        for pk, fields in told.items()
    }
    return {pk: fields for pk, fields in wanted.items() if fields != held.get(pk)}


def _note_sides(version: DatasetVersion) -> None:
    counts = {side: version.items.filter(split=side).count() for side in ("train", "test")}
    version.split = {"method": STATED, "said": {"method": STATED, **counts}}
    version.save(update_fields=["split"])
