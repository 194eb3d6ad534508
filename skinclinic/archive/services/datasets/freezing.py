"""Freezing a version: members, labels, sides and hashes are fixed and get one fingerprint."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from skinclinic import imaging
from skinclinic.archive.models import PROVENANCE, DatasetVersion, Source
from skinclinic.archive.services.datasets import against, large
from skinclinic.archive.services.datasets.large import FREEZE_JOB, lock_draft
from skinclinic.engine import work
from skinclinic.files import store
from skinclinic.models import User
from skinclinic.services import audit
from skinclinic.services.refused import Refused
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext

_SAY_EVERY = 50


def fingerprint(members: Iterable[tuple[str, str, str]]) -> str:
    """SHA-256 over the sorted lines "content hash, label, split", parted by tabs."""
    digest = hashlib.sha256()
    for line in sorted(f"{sha256}\t{label}\t{split}\n" for sha256, label, split in members):
        digest.update(line.encode())
    return digest.hexdigest()


def fingerprint_of(version: DatasetVersion) -> str:
    """The fingerprint of the members as they are stored now."""
    return fingerprint(version.items.order_by().values_list("content_sha256", "label", "split").iterator())


def provenance(version: DatasetVersion) -> list[dict]:
    """Where the members come from: each source with its number of photos; what is not known is empty."""
    from django.db.models import Count

    counts = dict(
        version.items.exclude(entry=None).order_by().values_list("entry__source").annotate(n=Count("id"))
    )
    return [
        {
            "name": source.name,
            "count": counts[source.pk],
            "synthetic": source.is_synthetic,
            **{name: getattr(source, name) for name in PROVENANCE},
        }
        for source in Source.objects.filter(pk__in=counts).order_by("name")
    ]


@dataclass(frozen=True)
class Looked:
    """What the files of a version say against freezing it, and (``members``: the fingerprint) of which members."""

    members: str
    problems: list[str]


def look(
    version: DatasetVersion, *, verify: bool = False, say: Callable[[int], None] = lambda done: None
) -> Looked:
    """Look at every file (``verify``: read it), which takes long and needs no lock.

    ``say(done)`` is called now and then.
    """
    return Looked(fingerprint_of(version), _file_problems(version, verify, say))


def request(version: DatasetVersion, user: User) -> bool:
    """Freeze a draft after reading every file: now, or as a job when there are many (True). Raises Refused."""
    with transaction.atomic():
        row = lock_draft(version)
        if large.is_large(row):
            # The job makes the checks again, all of them.
            if why := large.not_now(row):
                raise Refused("", why)
            row.frozen_by = user
            row.save(update_fields=["frozen_by"])
            work.ask(FREEZE_JOB, row.pk, row.clinic)
            return True
        if reasons := problems(row):
            raise Refused("", " ".join(reasons))
    freeze(version, user, verify=True)
    return False


def freeze(version: DatasetVersion, user: User, *, verify: bool = False) -> DatasetVersion:
    """Freeze a draft. Raises Refused with every reason that stands against it.

    ``verify`` reads every stored file and compares its hash; otherwise only its presence is checked.
    """
    return fix(version, user, look(version, verify=verify))


@transaction.atomic
def fix(version: DatasetVersion, user: User | None, looked: Looked) -> DatasetVersion:
    """Freeze a draft whose files were looked at. Raises Refused, also when it was changed since."""
    version = lock_draft(version)
    if reasons := problems(version) or looked.problems:
        raise Refused("", " ".join(reasons))
    version.sha256 = fingerprint_of(version)
    if version.sha256 != looked.members:
        raise Refused("", _("The version was changed while its files were read. Freeze it again."))
    version.provenance = provenance(version)
    version.state = DatasetVersion.State.FROZEN
    version.frozen_at, version.frozen_by = timezone.now(), user
    version.save(update_fields=["sha256", "provenance", "state", "frozen_at", "frozen_by"])
    audit.record("dataset.freeze", version, by=user, after={"sha256": version.sha256})
    return version


def problems(version: DatasetVersion, *, at_work: bool = False) -> list[str]:
    """What the rows say against freezing, in words: a few queries, whatever the number of photos. ``at_work``: it is
    the job that freezes it who asks."""
    if not at_work and (why := large.not_now(version)):
        return [why]
    if not version.items.exists():
        return [_("There is no photo in this version yet.")]
    counts = {reason: against.rows(version, reason).count() for reason in against.BARRING}
    return said_against(counts, version.items.filter(content_sha256="").count())


def said_against(counts: Mapping[str, int], no_hash: int) -> list[str]:
    """The same of photos that were counted by reason."""
    found = []
    if n := counts[against.DELETED]:
        found.append(ngettext("%d photo was deleted.", "%d photos were deleted.", n) % n)
    if n := counts[against.REJECTED]:
        found.append(ngettext("%d photo was rejected.", "%d photos were rejected.", n) % n)
    if n := counts[against.CONSENT]:
        found.append(
            ngettext(
                "For %d photo the patient's consent is missing or withdrawn.",
                "For %d photos the patient's consent is missing or withdrawn.",
                n,
            )
            % n
        )
    if n := no_hash:
        found.append(ngettext("%d photo has no hash.", "%d photos have no hash.", n) % n)
    return _with_advice(found)


def _file_problems(version: DatasetVersion, verify: bool, say: Callable[[int], None]) -> list[str]:
    found = []
    if n := _bad_files(version, verify, say):
        found.append(
            ngettext("The file of %d photo is gone or changed.", "The files of %d photos are gone or changed.", n)
            % n
        )  # fmt: skip
    return _with_advice(found)


def _with_advice(found: list[str]) -> list[str]:
    return [*found, _("Take these photos out and freeze again.")] if found else []


def _is_bad(data: bytes, sha256: str) -> bool:
    return imaging.sha256(data) != sha256 or bool(imaging.beside_picture(data))


def _bad_files(version: DatasetVersion, verify: bool, say: Callable[[int], None]) -> int:
    """How many members' stored files are gone, or (``verify``, slow) are not what their hash says."""
    rows = version.items.exclude(entry=None).values_list("content_sha256", "entry__photo__file_key")
    if not verify:
        keys = [key for _sha256, key in rows.order_by().iterator(2000)]
        gone = store.missing(keys)
        return sum(key in gone for key in keys)
    bad = 0
    for done, (sha256, key) in enumerate(rows.order_by("pk").iterator(2000)):
        if done % _SAY_EVERY == 0:
            say(done)
        try:
            bad += _is_bad(store.read(key), sha256)
        except OSError:
            bad += 1
    return bad
