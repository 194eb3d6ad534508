"""What follows in the archive and its datasets when a patient's consent is taken back."""

from collections.abc import Iterator

from django.db.models import QuerySet

from skinclinic.archive.models import DatasetItem, DatasetVersion, RejectReason, Review
from skinclinic.archive.services.curating.own_facts import consent_withdrawn, entries_of, own_of
from skinclinic.archive.services.datasets import datasets, large
from skinclinic.models import Patient, User
from skinclinic.services import consent
from skinclinic.services.consent import Effect
from skinclinic.web.counts import ngettext

MOST_NAMED = 10


def items_of(patient: Patient) -> QuerySet[DatasetItem]:
    """The patient's photos in datasets, as far as they need the consent."""
    return DatasetItem.objects.filter(entry__in=entries_of(patient).values("pk")).order_by()


def frozen_with(patient: Patient) -> QuerySet[DatasetVersion]:
    """The frozen versions that hold photos of the patient."""
    held = DatasetVersion.objects.filter(
        state=DatasetVersion.State.FROZEN, pk__in=items_of(patient).values("version")
    )
    return held.select_related("dataset").order_by("dataset__name", "number")


def named(rows) -> str:
    """The first of the rows by name."""
    names = [str(row) for row in rows]
    more = [] if len(names) <= MOST_NAMED else ["…"]
    return ", ".join([*names[:MOST_NAMED], *more])


@consent.on_withdrawal
def in_archive(patient: Patient, user: User | None, act: bool) -> Iterator[Effect]:
    """Entries are rejected, drafts lose the photos; frozen versions cannot change and are told about."""
    standing = own_of(patient).exclude(review=Review.REJECTED)
    if n := consent_withdrawn(patient, user) if act else standing.count():
        text = ngettext(
            "%(n)d photo is rejected in the archive.", "%(n)d photos are rejected in the archive.", n
        )
        yield Effect("entries", n, text % {"n": n})
    yield from from_drafts(items_of(patient), act)
    if act:
        large.fall_behind(items_of(patient))
    if frozen := list(frozen_with(patient)):
        text = ngettext(
            "%(n)d frozen dataset holds such photos and can no longer be exported, trained on or drawn from whole: "
            "%(names)s. Make a new version of it; that leaves them out.",
            "%(n)d frozen datasets hold such photos and can no longer be exported, trained on or drawn from whole: "
            "%(names)s. Make new versions of them; these leave them out.",
            len(frozen),
        )
        yield Effect("frozen", len(frozen), text % {"n": len(frozen), "names": named(frozen)})


@consent.on_return
def still_rejected(patient: Patient) -> Iterator[Effect]:
    """Photos that were rejected because the consent was missing: a curator decides about them anew."""
    if n := own_of(patient).filter(reject_reason=RejectReason.NO_CONSENT, review=Review.REJECTED).count():
        text = ngettext(
            "%(n)d photo that was rejected for want of consent stays rejected until a curator accepts it again.",
            "%(n)d photos that were rejected for want of consent stay rejected until a curator accepts them again.",
            n,
        )
        yield Effect("rejected", n, text % {"n": n})


def from_drafts(items: QuerySet[DatasetItem], act: bool) -> Iterator[Effect]:
    """These leave the datasets that are not frozen yet."""
    items = items.filter(version__state=DatasetVersion.State.DRAFT)
    held = DatasetVersion.objects.filter(pk__in=items.values("version")).order_by("pk")
    drafts = list((held.select_for_update(of=("self",)) if act else held).select_related("dataset"))
    if not drafts:
        return
    n = (
        sum(datasets.remove_all(draft, items.filter(version=draft)) for draft in drafts)
        if act
        else items.count()
    )
    text = ngettext(
        "%(n)d photo leaves the draft of: %(names)s.", "%(n)d photos leave the drafts of: %(names)s.", n
    )
    yield Effect("drafts", n, text % {"n": n, "names": named(drafts)})
