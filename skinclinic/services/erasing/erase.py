"""Erasing a patient at once and for good, also one who lies in the bin.

Rows go in one transaction, with a tombstone in their place; a job then removes files and looks through what holds texts
(``afterwards.py``). It is asked for in the same transaction, so that a crash loses nothing.
"""

from datetime import timedelta

from django.db import transaction
from django.db.models import Q

from skinclinic.engine import clock, jobs
from skinclinic.engine.housekeeping import broom
from skinclinic.models import (
    BinItem,
    CasesChange,
    Diagnosis,
    Document,
    Erasure,
    Job,
    Lesion,
    Letter,
    Patient,
    Photo,
    RecordChange,
    SecondOpinion,
    User,
)
from skinclinic.services import audit, kept_counts, second_opinions
from skinclinic.services.binning import items
from skinclinic.services.binning.bin import Contents, MoreThanSeen, hold_patients
from skinclinic.services.binning.bin import counts as counts_of
from skinclinic.services.binning.items import Gone
from skinclinic.services.consent import Effect
from skinclinic.services.erasing import places, taken
from skinclinic.services.erasing.taken import Taken
from skinclinic.services.erasing.trace import Trace
from skinclinic.web.counts import ngettext

JOB = "erase"
AGAIN_AFTER = timedelta(minutes=10)
Subject = Patient | BinItem


def key_of(subject: Subject) -> int:
    """The patient's key."""
    return subject.pk if isinstance(subject, Patient) else subject.key


def code_of(subject: Subject) -> str:
    """What has to be typed."""
    return subject.code if isinstance(subject, Patient) else subject.told.get("code", "")


def foreseen(subject: Subject) -> Contents:
    """What would go now."""
    found = taken.look(subject.clinic_id, [key_of(subject)])
    return Contents(_counts(found), [*_effects_here(found), *places.effects(found, None, act=False)])


def erase(
    subject: Subject, user: User | None, *, reason: str, seen: str | None = None
) -> tuple[Erasure, list[Effect]]:
    """Erase the patient. ``seen``: ``Contents.seen`` of what the person was shown. Raises Gone and MoreThanSeen."""
    with transaction.atomic():
        key = key_of(subject)
        if isinstance(subject, BinItem):
            held = BinItem.objects.select_for_update().filter(pk=subject.pk, ended_at=None)
            if not held.exists():
                raise Gone
        elif not hold_patients([key]):
            raise Gone
        if seen is not None and foreseen(subject).seen != seen:
            raise MoreThanSeen
        found = taken.look(subject.clinic_id, [key])
        erasure = Erasure(clinic_id=subject.clinic_id, reason=reason, by=user, counts=_counts(found))
        told = remove(found, erasure, user)
        audit.record(
            "patient.erase",
            erasure,
            clinic=subject.clinic_id,
            by=user,
            patient=key,
            reason=reason,
            facts=erasure.counts,
        )
        return erasure, told


def remove(found: Taken, erasure: Erasure, user: User | None) -> list[Effect]:
    """Take all of it out of the database and have a job do the rest; in the caller's transaction."""
    told = [*_effects_here(found), *places.effects(found, user, act=True)]
    # Looked at once more: what the places did may have changed rows that go along.
    patients, lesions, photos = found.patients, found.lesions, found.photos
    elsewhere = found.trace
    found = taken.look(found.clinic_id, patients, lesions, photos)
    erasure.trace = (Trace.of_json(erasure.trace) | elsewhere | found.trace).to_json()
    erasure.done_at = None
    _delete(found, user)
    erasure.save()
    ask_for_the_rest(erasure)
    return told


def ask_for_the_rest(erasure: Erasure) -> None:
    """Have a job remove files and whatever must be read to be found."""
    times = Job.objects.filter(kind=JOB, subject=erasure.pk).count()
    jobs.enqueue(JOB, f"{erasure.pk}:{times + 1}", subject=erasure.pk, clinic=erasure.clinic)


@broom
def ask_again() -> None:
    """Try anew what was given up a while ago, as on a disk that took no writing."""
    for erasure in Erasure.objects.filter(done_at=None):
        last = Job.objects.filter(kind=JOB, subject=erasure.pk).order_by("-pk").first()
        if last is None:
            ask_for_the_rest(erasure)
        elif last.finished_at and last.finished_at < clock.now() - AGAIN_AFTER:
            jobs.retry(last)


def _delete(found: Taken, user: User | None) -> None:
    letters = {key for (key,) in found.values(SecondOpinion, "letter") if key}
    old_jobs = taken.jobs_of(found)
    old_jobs |= set(Letter.objects.filter(pk__in=letters).values_list("job", flat=True))
    _forget_moves(found)
    for item in found.items:
        items.end(item, BinItem.Ended.EMPTIED, user)
    # Photos first: what was decided at them protects the diagnoses.
    for model in (Photo, Diagnosis, Document, Lesion, Patient):
        model._base_manager.filter(pk__in=found.gathered.of(model)).delete()
    kept_counts.changed(found.clinic_id, [kept_counts.PHOTOS], found.gathered.of(Photo), -1)
    Letter.objects.filter(pk__in=letters).delete()
    Job.objects.filter(pk__in=old_jobs).delete()


def _forget_moves(found: Taken) -> None:
    """Where lesions of others were this patient's, or the patient's were another's; and what was done to many cases."""
    keys = list(found.patients)
    moved = Q(fields__patient__0__in=keys) | Q(fields__patient__1__in=keys)
    for change in RecordChange.objects.filter(moved, clinic=found.clinic_id):
        change.fields["patient"] = [
            None if key in found.patients else key for key in change.fields["patient"]
        ]
        change.save(update_fields=["fields"])
    for act in CasesChange.objects.filter(clinic=found.clinic_id).iterator():
        before = act.receipt.get("before", {})
        left = {key: value for key, value in before.items() if int(key) not in found.lesions}
        if len(left) < len(before):
            act.receipt["before"] = left
            act.save(update_fields=["receipt"])


def _counts(found: Taken) -> dict[str, int]:
    """As the bin counts, with what lies in it already."""
    counts = {"patients": len(found.patients), **counts_of(found.gathered)}
    for model, what in ((Lesion, "lesions"), (Photo, "photos")):
        counts[what] = len(found.keys(model))
    counts["binned"] = len(found.items)
    return {name: count for name, count in counts.items() if count}


def _effects_here(found: Taken) -> list[Effect]:
    opinions = [row for row in found.gathered.of(SecondOpinion).values() if isinstance(row, SecondOpinion)]
    open_links = sum(row.colleague_id is None and row.is_open for row in opinions)
    told = second_opinions.links_end("links", open_links)
    waiting = Letter.objects.filter(pk__in=[row.letter_id for row in opinions if row.letter_id]).exclude(
        text=""
    )
    if n := waiting.count():
        text = ngettext("%(n)d mail that waits is not sent.", "%(n)d mails that wait are not sent.", n)
        told.append(Effect("letters", n, text % {"n": n}))
    return told
