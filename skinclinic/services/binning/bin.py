"""Putting a photo, a lesion or a patient into the bin, with all that is theirs.

The rows leave their tables (``rows.py``), so they are gone from everything at once; what other apps hold of the photos
follows as when a consent is taken back (``places.py``). Files stay until the bin is emptied.
"""

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from skinclinic.engine import clock
from skinclinic.models import (
    BinItem,
    Biopsy,
    Comment,
    Diagnosis,
    Document,
    FollowUp,
    Lesion,
    Member,
    Note,
    Patient,
    PatientSize,
    Photo,
    PhotoDecision,
    PhotoSize,
    SecondOpinion,
    Symptoms,
    User,
)  # fmt: skip
from skinclinic.permissions import CURATE, EDIT, may, require
from skinclinic.services import audit, belongings, cases, kept_counts, letters, second_opinions
from skinclinic.services.binning import places, rows
from skinclinic.services.binning.items import KEPT_FOR, Gone
from skinclinic.services.consent import Effect
from skinclinic.services.lesions import refresh_summary

Binnable = Photo | Lesion | Patient
KINDS: dict[type[Binnable], str] = {
    Photo: BinItem.Kind.PHOTO,
    Lesion: BinItem.Kind.LESION,
    Patient: BinItem.Kind.PATIENT,
}


class MoreThanSeen(Exception):
    """Since the person looked, more or less hangs on it; nothing was deleted."""


@dataclass(frozen=True)
class Contents:
    """What goes with something: {what: how many}, and what follows elsewhere."""

    counts: dict[str, int]
    effects: list[Effect]

    @property
    def seen(self) -> str:
        """The same in a word, by which a later look is compared."""
        told = {**self.counts, **{f"{effect.key}!": effect.count for effect in self.effects}}
        return ",".join(f"{name}={count}" for name, count in sorted(told.items()) if count)


def foreseen(row: Binnable, user: User) -> Contents:
    """What would go with it now."""
    gathered = rows.gather(_wanted(row))
    return Contents(counts(gathered), places.effects(set(gathered.of(Photo)), user, act=False))


def require_right(row: Binnable, member: Member | None) -> None:
    """Raise PermissionDenied where the member may not delete it: the archive's photos are its curators'."""
    of = row.lesion if isinstance(row, Photo) else row
    require(member, CURATE if of.is_archived else EDIT)
    if may(member, CURATE) or not places.are_curated(set(rows.gather(_wanted(row)).of(Photo))):
        return
    message = _(
        "A photo of this is in the archive or in a dataset. Only a curator or an admin of this clinic may delete it."
    )
    raise PermissionDenied(message)


@transaction.atomic
def put(row: Binnable, user: User, *, reason: str, words: str = "", seen: str | None = None) -> BinItem:
    """Move it to the bin. ``seen``: ``Contents.seen`` of what the person was shown. Raises Gone and MoreThanSeen."""
    row = _hold(row)
    if seen is not None and foreseen(row, user).seen != seen:
        raise MoreThanSeen
    _send_home(row)
    gathered = rows.gather(_wanted(row))
    item = BinItem(
        clinic_id=row.clinic_id, kind=KINDS[type(row)], key=row.pk, told=_told(row), reason=reason, words=words,
        by=user, until=clock.now() + KEPT_FOR, counts=counts(gathered), **_where(row, gathered),
    )  # fmt: skip
    item.effects = [effect.to_json() for effect in places.effects(set(gathered.of(Photo)), user, act=True)]
    # Looked at once more: what the places did may have changed rows that go along.
    gathered = rows.gather(_wanted(row))
    item.effects += [effect.to_json() for effect in _end_links(gathered, reason)]
    item.cut = gathered.cut
    item.save()
    audit.record(
        f"{item.kind}.delete", row, by=user, reason=reason, facts={"bin": item.pk, "counts": item.counts}
    )
    rows.keep(item, gathered)
    # Photos first: what was decided at them protects the diagnoses.
    for model in (Photo, Diagnosis, Lesion, Patient):
        model._base_manager.filter(pk__in=gathered.of(model)).delete()
    kept_counts.changed(item.clinic_id, [kept_counts.PHOTOS], gathered.of(Photo), -1)
    if isinstance(row, Photo) and row.lesion_id not in gathered.of(Lesion):
        refresh_summary(row.lesion)
    return item


def _hold(row: Binnable) -> Binnable:
    """Lock it and all that may change with it, lesions first, and read it anew. Raises Gone."""
    found: Binnable | None
    if isinstance(row, Photo):
        if cases.hold_lesion_of(row, to_remove=True) is None:
            raise Gone
        found = _lock(Photo.objects.filter(pk=row.pk)).get(row.pk)
    elif isinstance(row, Lesion):
        found = cases.hold(Lesion.objects.filter(pk=row.pk), to_remove=True).first()
        _lock(Photo.objects.filter(lesion=row.pk))
    else:
        found = hold_patients([row.pk]).get(row.pk)
    if found is None:
        raise Gone
    return found


def hold_patients(keys: list[int]) -> dict[int, Patient]:
    """Lock patients with their lesions and their photos, so that nothing is added to them; by key."""
    while True:
        before = transaction.savepoint()
        lesions = Lesion.objects.filter(patient__in=keys).order_by("pk")
        now = [lesion.pk for lesion in cases.hold(lesions, to_remove=True)]
        _lock(Photo.objects.filter(lesion__in=now))
        found = Patient.objects.select_for_update(of=("self",)).filter(pk__in=keys).order_by("pk")
        patients = {patient.pk: patient for patient in found}
        if list(lesions.values_list("pk", flat=True)) == now:
            transaction.savepoint_commit(before)
            return patients
        # A lesion came while this waited.
        transaction.savepoint_rollback(before)


def _lock(photos: QuerySet[Photo]) -> dict[int, Photo]:
    return {photo.pk: photo for photo in photos.select_for_update(of=("self",)).order_by("pk")}


def _wanted(row: Binnable) -> dict[type, list[int]]:
    """Where gathering begins."""
    if isinstance(row, Photo):
        if _takes_its_lesion(row):
            return {Lesion: [row.lesion_id]}
        return {Photo: [row.pk], Diagnosis: sorted(_made_only_at(row))}
    return {type(row): [row.pk]}


def _takes_its_lesion(photo: Photo) -> bool:
    """Whether the lesion was only opened by this photo, and nothing is kept there besides."""
    lesion = photo.lesion
    if not lesion.is_of_photo or lesion.photos.exclude(pk=photo.pk).exists() or belongings.any_here(lesion):
        return False
    return set(lesion.diagnoses.values_list("pk", flat=True)) <= _made_only_at(photo)


def _made_only_at(photo: Photo) -> set[int]:
    """Diagnoses that people made looking at this photo: they go with it. Pathology is the lesion's."""
    made = {use.diagnosis for use in places.uses(photos=[photo.pk])}
    made -= {use.diagnosis for use in places.uses(diagnoses=made) if use.photo != photo.pk}
    return set(
        Diagnosis.objects.filter(pk__in=made, lesion=photo.lesion_id)
        .exclude(kind=Diagnosis.Kind.PATHOLOGY)
        .values_list("pk", flat=True)
    )


def _send_home(row: Binnable) -> None:
    """Diagnoses of the lesions that go, made at a photo that lies elsewhere since and stays, go to its lesion."""
    if isinstance(row, Photo):
        return
    lesions = [row.pk] if isinstance(row, Lesion) else list(row.lesions.values_list("pk", flat=True))
    theirs = Diagnosis.objects.filter(lesion__in=lesions).values_list("pk", flat=True)
    for use in places.uses(diagnoses=list(theirs)):
        if use.lesion not in lesions:
            Diagnosis.objects.filter(pk=use.diagnosis).update(lesion=use.lesion)


def _end_links(gathered: rows.Gathered, reason: str) -> list[Effect]:
    """Mails with a link that were not sent never will be; where the patient asks for it, the links end for good."""
    count = 0
    for opinion in gathered.of(SecondOpinion).values():
        assert isinstance(opinion, SecondOpinion)
        letters.withdraw(opinion.letter)
        if reason == BinItem.Reason.WITHDRAWN and opinion.colleague_id is None and opinion.is_open:
            opinion.withdrawn_at = timezone.now()
            count += 1
    return second_opinions.links_end("links", count)


def counts(gathered: rows.Gathered) -> dict[str, int]:
    standing = [row for row in gathered.of(Diagnosis).values() if getattr(row, "withdrawn_at", None) is None]
    proofs = [row for row in standing if getattr(row, "kind", "") == Diagnosis.Kind.PATHOLOGY]
    steps = [*gathered.of(FollowUp).values(), *gathered.of(Biopsy).values()]
    found = {
        "lesions": gathered.count(Lesion),
        "photos": gathered.count(Photo),
        "decisions": gathered.count(PhotoDecision),
        "impressions": len(standing) - len(proofs),
        "pathologies": len(proofs),
        "plans": len([step for step in steps if getattr(step, "ended_at", None) is None]),
        "notes": gathered.count(Note) + gathered.count(Symptoms),
        "sizes": gathered.count(PatientSize) + gathered.count(PhotoSize),
        "comments": gathered.count(Comment),
        "opinions": gathered.count(SecondOpinion),
        "documents": gathered.count(Document),
    }
    return {name: count for name, count in found.items() if count}


def _where(row: Binnable, gathered: rows.Gathered) -> dict[str, int | None]:
    """Keys of what it belongs to and stays."""
    if isinstance(row, Photo):
        stays = row.lesion_id not in gathered.of(Lesion)
        return {"lesion_key": row.lesion_id if stays else None, "patient_key": row.lesion.patient_id}
    return {"patient_key": row.patient_id} if isinstance(row, Lesion) else {}


def _told(row: Binnable) -> dict[str, str]:
    if isinstance(row, Patient):
        return {"code": row.code}
    lesion = row.lesion if isinstance(row, Photo) else row
    told = {"code": lesion.patient.code if lesion.patient else "", "site": lesion.site}
    return told | ({"name": row.original_name} if isinstance(row, Photo) else {})
