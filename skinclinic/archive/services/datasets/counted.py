"""What the page of a version shows of it: of few photos counted when it is asked for; of many counted by a job, once
for every revision, and kept.

Changes of the members, photos that were withdrawn, covered or deleted, and consents make what is kept fall behind
(``large.changed``, ``large.fall_behind``), so that it is counted anew. What the archive says otherwise (labels,
reviews, pairs) does not: of that the page says when it was counted, and counts again when asked to.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, Max, OuterRef
from django.utils import timezone

from skinclinic.archive.models import (
    DatasetFigures,
    DatasetFound,
    DatasetItem,
    DatasetMarked,
    DatasetVersion,
    Entry,
)
from skinclinic.archive.services.datasets import (
    against,
    checks,
    differences,
    found,
    freezing,
    large,
    sides,
    summary,
)
from skinclinic.engine import work
from skinclinic.models import Job

JOB = "dataset-count"
# Photos of the archive that a version does not hold, by the keys of their entries, where they are at most so many.
OUTSIDE, MOST_OUTSIDE = "outside", 5000
# What ``against`` calls alike is all of these.
_ALIKE = ("undecided", "near", "twice")


@dataclass(frozen=True)
class Counted:
    """``values`` of a version as plain values; ``at``: when a job has counted them, None: just now; ``is_current``:
    nothing has changed since that is known of."""

    version: DatasetVersion
    values: dict[str, Any]
    at: datetime | None = None
    is_current: bool = True

    @property
    def summary(self) -> summary.Summary:
        return summary.from_json(self.version, self.values["summary"])

    @property
    def checks(self) -> list[checks.Check]:
        return checks.of(self.version, self.values["checks"])

    @property
    def sides(self) -> list[sides.Line]:
        """Nothing of a version that is not divided."""
        return sides.from_json(self.values["sides"])

    @property
    def sources(self) -> list[dict]:
        return self.version.provenance if self.version.is_frozen else self.values["sources"]

    @property
    def stands_against(self) -> list[str]:
        """What keeps it from being frozen, in words."""
        if not sum(self.values["checks"]["sides"].values()):
            return freezing.problems(self.version)
        if why := large.not_now(self.version):
            return [why]
        rows = self.values["checks"]["rows"]
        counts = {reason: rows[reason]["count"] for reason in against.BARRING}
        return freezing.said_against(counts, self.values["checks"]["no_hash"])

    def changes_since(self, earlier: DatasetVersion) -> dict[str, differences.Change] | None:
        """What is different from a version before it; None where another one was compared."""
        if self.values["since"] != earlier.pk:
            return None
        return differences.between(earlier, self.version, self.values["changes"])


@dataclass(frozen=True)
class Marked:
    """The keys of items, lowest first, and when they were counted: some may be there no more, or have another label."""

    keys: Sequence[int]
    at: datetime


def of(version: DatasetVersion) -> Counted | None:
    """The figures of a version; None of a large one that was not counted yet, which ``ask`` has done."""
    if not large.is_large(version):
        return Counted(version, count(version))
    return kept([version]).get(version.pk)


def kept(versions: Sequence[DatasetVersion]) -> dict[int, Counted]:
    """{version: what a job has counted}, also if it is behind: one query."""
    by_key = {version.pk: version for version in versions}
    return {
        row.version_id: Counted(
            by_key[row.version_id],
            row.values,
            row.counted_at,
            row.revision == by_key[row.version_id].revision,
        )
        for row in DatasetFigures.objects.filter(version__in=by_key)
    }


def ask(version: DatasetVersion) -> None:
    """Have it counted, unless that is on its way, or has failed and waits for a person. While another job changes the
    version it is not: that would count what is no more."""
    last = work.last((JOB,), version.pk)
    if (last is None or last.state == Job.State.DONE) and not large.is_worked_on(version):
        work.ask(JOB, version.pk, version.clinic)


def earlier_than(version: DatasetVersion) -> DatasetVersion | None:
    """The version before it."""
    before = DatasetVersion.objects.filter(dataset=version.dataset_id, number__lt=version.number)
    return before.order_by("-number").first()


def count(
    version: DatasetVersion,
    say: large.Say = lambda share: None,
    marked: dict[str, list[int]] | None = None,
) -> dict[str, Any]:
    """All figures, counted now. ``say`` hears the share that is done; ``marked`` gets the keys of the photos behind
    each check and of each kind of difference."""
    earlier = earlier_than(version)
    learn = sides.to_learn_from([version])[version.pk]
    say(0.1)
    entries = Entry.objects.filter(clinic=version.clinic_id).order_by()
    newest = entries.aggregate(last=Max("pk"))["last"] or 0
    outside: list[int] = []
    if marked is not None:
        inside = DatasetItem.objects.filter(version=version, entry=OuterRef("pk"))
        outside = list(entries.filter(~Exists(inside), pk__lte=newest).values_list("pk", flat=True))
        if len(outside) <= MOST_OUTSIDE:
            marked[OUTSIDE] = sorted(outside)
    return {
        "newest_entry": newest,
        "outside": len(outside),
        "summary": summary.to_json(summary.of(version)),
        "sides": sides.to_json(sides.table(version)) if version.split else [],
        "sources": [] if version.is_frozen else freezing.provenance(version),
        "learn": learn,
        "checks": checks.counted(version, lambda share: say(0.2 + 0.5 * share), marked),
        "since": earlier.pk if earlier else None,
        "changes": differences.counted(earlier, version, lambda share: say(0.7 + 0.3 * share), marked)
        if earlier
        else {},
    }


def in_parts(version: DatasetVersion, marked: dict[str, list[int]]) -> list[DatasetFound]:
    """The keys that ``count`` has given, as ``keep`` takes them."""
    kinds = {kind: keys for kind, keys in marked.items() if kind != OUTSIDE}
    kinds["alike"] = sorted({key for kind in _ALIKE for key in marked[kind]})
    return [part for kind, keys in kinds.items() for part in found.parts(version, kind, keys)]


@transaction.atomic
def keep(
    version: DatasetVersion, values: dict[str, Any], outside: list[int] | None, parts: list[DatasetFound]
) -> None:
    """Keep what was counted of a version as it was read before (``version.revision``). ``outside``: keys of the photos
    that it does not hold, unless they are too many; ``parts``: of those that something was found of."""
    DatasetFigures.objects.update_or_create(
        version=version,
        defaults={"revision": version.revision, "values": values, "counted_at": timezone.now()},
    )
    version.marked.all().delete()
    if outside is not None:
        DatasetMarked.objects.create(version=version, kind=OUTSIDE, keys=outside)
    version.found.all().delete()
    DatasetFound.objects.bulk_create(parts, batch_size=100)
    # Of the same revision the number of photos is certain, whatever was added up.
    DatasetVersion.objects.filter(pk=version.pk, revision=version.revision).update(
        photos=sum(values["checks"]["sides"].values())
    )


@dataclass(frozen=True)
class Outside:
    """The ``keys`` of entries that a version did not hold; what is newer than ``up_to`` was not looked at."""

    keys: list[int]
    up_to: int


def outside(version: DatasetVersion) -> Outside | None:
    """Photos of the archive that a large version does not hold, as a job has found them; None where it has not, or has
    for members of before: then it is asked to."""
    of_now = DatasetFigures.objects.filter(version=version, revision=version.revision)
    up_to, many = of_now.values_list("values__newest_entry", "values__outside").first() or (None, None)
    row = DatasetMarked.objects.filter(version=version, kind=OUTSIDE).first()
    if up_to is not None and row is not None:
        return Outside(row.keys, up_to)
    if many is None or many <= MOST_OUTSIDE:
        ask(version)
    return None


def forget_outside(clinics: Iterable[int]) -> None:
    """Entries of these clinics have come back under their old keys."""
    DatasetMarked.objects.filter(version__clinic__in=list(clinics), kind=OUTSIDE).delete()


class NotCounted(Exception):
    """A large version whose photos a job has yet to count; it was asked to."""


def changes(old: DatasetVersion, new: DatasetVersion) -> dict[str, int] | None:
    """How many photos differ, by kind, as a job has counted them; None where they are to be looked for, as with
    ``marked``. Raises NotCounted."""
    if not large.is_large(new) or earlier_than(new) != old:
        return None
    if (there := kept([new]).get(new.pk)) is None:
        ask(new)
        raise NotCounted
    return {kind: there.values["changes"][kind]["count"] for kind in differences.KINDS}


def marked(
    version: DatasetVersion,
    kind: str,
    since: DatasetVersion | None = None,
    to: Mapping[str, str] | None = None,
) -> Marked | None:
    """All photos that a check or (``since``) a kind of difference finds, as a job has counted them, or those ``to`` a
    label, a side or both; None where they are to be looked for: among few photos, and since another version than the
    one before. Raises NotCounted."""
    if not large.is_large(version) or (since and earlier_than(version) != since):
        return None
    there = kept([version]).get(version.pk)
    keys = found.kept(version, kind, to)
    if there is None or keys is None or not there.is_current:
        ask(version)
    if there is None or there.at is None or keys is None:
        raise NotCounted
    return Marked(keys, there.at)
