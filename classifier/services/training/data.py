"""What a frozen dataset version gives a training, and what it lacks."""

from dataclasses import dataclass
from pathlib import Path

from django.db.models import QuerySet
from django.utils.translation import get_language

from classifier.training.plan import Sample
from skinclinic.archive import labels
from skinclinic.archive.models import DatasetItem, DatasetRole, DatasetVersion, DuplicatePair
from skinclinic.archive.services.datasets import against, counted, large, sides, splits, summary
from skinclinic.files import store
from skinclinic.models import Clinic
from skinclinic.vocabulary.diseases import DISEASE_KEYS, DISEASES
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext

TOGETHER = (DuplicatePair.Verdict.SAME_PHOTO, DuplicatePair.Verdict.SAME_LESION)


class Unfit(Exception):
    """The version cannot be trained on; the message says why and what to do."""


@dataclass(frozen=True)
class Offer:
    """A version in numbers. ``problem``: why it cannot be trained on; ``lacks``: what a model will not know."""

    version: DatasetVersion
    photos: int
    patients: int
    kept_for_test: int
    background: list[str]
    lacks: list[str]
    problem: str


def training_items(version: DatasetVersion) -> QuerySet[DatasetItem]:
    """The items of the training side; all of them where nothing was divided."""
    return version.items.filter(split=DatasetItem.Split.TRAIN) if version.split else version.items.all()


def offers(clinic: Clinic, limit: int = 50) -> list[Offer]:
    """The clinic's frozen versions, newest first."""
    versions = (
        DatasetVersion.objects.filter(clinic=clinic, state=DatasetVersion.State.FROZEN)
        .select_related("dataset")
        .order_by("-frozen_at")[:limit]
    )
    return _offers(list(versions))


def offer(version: DatasetVersion, *, now: bool = False) -> Offer:
    """What a version gives; ``now``: counted now, however many photos it has."""
    (found,) = _offers([version], now=now)
    return found


def _offers(versions: list[DatasetVersion], *, now: bool = False) -> list[Offer]:
    """What versions give: of large ones as it was counted once, of the others in two queries for any number of them."""
    held = summary.photos_of(versions)
    many = [] if now else [version for version in versions if held.get(version.pk, 0) > large.MOST_AT_ONCE]
    kept = counted.kept(many)
    few = sides.to_learn_from([version for version in versions if version not in many])
    found = []
    for version in versions:
        there = kept.get(version.pk)
        given = there.values["learn"] if there and there.is_current else few.get(version.pk)
        if given:
            found.append(_offer(version, given["labels"], given["whole"], held.get(version.pk, 0)))
        else:
            counted.ask(version)
            problem = _("Its photos are being counted. Look again in a moment.")
            found.append(Offer(version, held[version.pk], 0, 0, [], [], problem))
    return found


def _offer(version: DatasetVersion, by_label: dict, whole: dict, members: int) -> Offer:
    photos = sum(count for count, _patients in by_label.values())
    return Offer(
        version=version,
        photos=photos,
        patients=whole["persons"],
        kept_for_test=members - photos,
        background=background_of(by_label),
        lacks=_lacks(version, by_label, whole["unknown"]),
        problem=_problem(version, by_label, whole),
    )


def background_of(labels_found) -> list[str]:
    """The background diseases among these labels, in the order of their names."""
    return sorted(label for label in labels_found if not labels.is_disease(label))


def _problem(version: DatasetVersion, by_label: dict, whole: dict) -> str:
    if not version.is_frozen:
        return _("The version is a draft. Freeze it first.")
    if version.dataset.role == DatasetRole.TEST:
        return _("The dataset is for testing only.")
    if n := whole["withdrawn"]:
        text = ngettext(
            "%(n)d photo of this version was withdrawn. Freeze a new version without it.",
            "%(n)d photos of this version were withdrawn. Freeze a new version without them.",
            n,
        )
        return text % {"n": n}
    if whole["gone"]:
        return _("Photos of this version were deleted. Freeze a new version without them.")
    if n := whole["unwilling"]:
        text = ngettext(
            "The patient of %(n)d photo does not consent any more. Freeze a new version without it.",
            "The patients of %(n)d photos do not consent any more. Freeze a new version without them.",
            n,
        )
        return text % {"n": n}
    if whole["covered"]:
        return _(
            "Photos of this version were covered for good since. Freeze a new version, which holds them so."
        )
    if len(by_label) < 2:
        return _("There is nothing to tell apart: training needs photos of at least two diseases.")
    if whole["persons"] + whole["lesions"] + whole["alone"] < 2:
        return _("Training needs photos of at least two patients or lesions: some are left out to validate.")
    return ""


def _lacks(version: DatasetVersion, by_label: dict, unknown: int) -> list[str]:
    found = []
    if missing := [disease.name(_language()) for disease in DISEASES if disease.key not in by_label]:
        names = ", ".join(missing)
        found.append(_("No photo of: %(names)s. The model will not know them.") % {"names": names})
    few = [
        labels.name(key, _language())
        for key in DISEASE_KEYS
        if key in by_label and sum(by_label[key]) and by_label[key][1] < 5 and by_label[key][0] < 5
    ]
    if few:
        found.append(
            _("Fewer than five photos and patients of: %(names)s. Their figures will mean little.")
            % {"names": ", ".join(few)}
        )
    if not version.split:
        found.append(_("It is not divided: all photos train and none is left to test with."))
    if not background_of(by_label):
        found.append(_("No background disease: the model cannot say that a photo shows none of the 12."))
    if unknown:
        found.append(
            ngettext(
                "The patient of %d photo is not known; it stays with its lesion's photos.",
                "The patients of %d photos are not known; each stays with its lesion's photos.",
                unknown,
            )
            % unknown
        )
    return found


def _language() -> str:
    return get_language() or "en"


def samples(version: DatasetVersion, copies: Path | None = None) -> tuple[list[Sample], list[str]]:
    """The photos of the training side in the order of their hashes, and the background classes.

    Those that are no plain files of this machine (``store.as_path``) get a copy in the folder ``copies``, which is the
    caller's to remove; without one there must be none such.
    Photos of one patient or of one lesion, the same photo twice, and photos that a curator found to show one lesion
    share a group.
    Raises Unfit.
    """
    found = offer(version)
    if found.problem:
        raise Unfit(found.problem)
    items = list(training_items(version).select_related("entry__photo"))
    groups = _groups(version, items)
    numbers = {label: n for n, label in enumerate((*DISEASE_KEYS, *found.background))}
    rows = [
        Sample(
            path=str(store.as_path(item.kept_entry.photo.file_key, copies)),
            sha256=item.content_sha256,
            box=item.kept_entry.photo.box,
            label=numbers[item.label],
            group=groups[item.pk],
        )
        for item in items
    ]
    return sorted(rows, key=lambda sample: (sample.sha256, sample.label)), found.background


def fetch_again(version: DatasetVersion, copies: Path) -> None:
    """Make the same copies again, for a training that goes on. Raises OSError, StorageAway."""
    for item in training_items(version).exclude(entry=None).select_related("entry__photo"):
        store.as_path(item.kept_entry.photo.file_key, copies)


def _groups(version: DatasetVersion, items: list[DatasetItem]) -> dict[int, str]:
    item_of = {item.entry_id: item.pk for item in items if item.entry_id}
    pairs = DuplicatePair.objects.filter(clinic=version.clinic_id, verdict__in=TOGETHER)
    joined = [
        (item_of[first], item_of[second])
        for first, second in pairs.values_list("first_id", "second_id")
        if first in item_of and second in item_of
    ]
    joined += against.pieces_together(version.clinic_id, item_of)
    members = [splits.Member(item.pk, item.content_sha256, item.person, lesion=item.lesion) for item in items]
    # A group's name must not depend on the order of rows: the first hash in it names it.
    return {member.pk: group[0].sha256 for group in splits.together(members, joined) for member in group}
