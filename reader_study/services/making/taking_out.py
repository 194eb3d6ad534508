"""Single photos taken out of a draft's sample, and what comes in their place."""

from dataclasses import dataclass

from django.db import transaction

from reader_study.models import Study, StudyEvent, StudyImage
from reader_study.sampling import Candidate, replacement
from reader_study.services import log
from reader_study.services.locking import ChangedMeanwhile, lock_draft, look_draft
from reader_study.services.making import orders, sampling
from reader_study.services.making.sampling import Recipe
from reader_study.services.results import model_answers
from skinclinic.archive.models import DatasetItem
from skinclinic.services.refused import Refused
from skinclinic.web.counts import gettext as _

# How often a photo to be taken out is looked at anew when others change the sample meanwhile.
_TRIES = 3


def take_out(study: Study, image: StudyImage, user, *, replace: bool = False) -> bool:
    """Take a photo out of a draft's sample for good, and put the next one of its disease and dataset in its place.

    Returns whether a photo is in its place. Raises Refused.
    """
    for _try in range(_TRIES):
        seen = look_draft(study)
        leaving = _Leaving.of(seen, image)
        item = _next(seen, leaving) if replace else None
        try:
            _take_out(seen, leaving, item, user)
        except ChangedMeanwhile:
            # Somebody took out another photo, perhaps for the very one that was found here.
            continue
        return item is not None
    raise ChangedMeanwhile


@dataclass(frozen=True)
class _Leaving:
    """A photo to be taken out, the recipe without it, and the sample it is in. Raises Refused where there is none."""

    image: StudyImage
    recipe: Recipe
    taken_out: list[str]
    sample: list[StudyImage]

    @classmethod
    def of(cls, study: Study, image: StudyImage) -> "_Leaving":
        sample = list(study.images.select_related("dataset_item__version").order_by("pk"))
        row = next((row for row in sample if row.pk == image.pk), None)
        if row is None:
            raise Refused(
                "image", _("This photo is not in the sample any more. The page shows the sample of now.")
            )
        recipe = Recipe.of(study)
        if recipe is None:
            raise Refused("image", _("Draw a sample first."))
        return cls(row, recipe, [*study.recipe.get("taken_out", []), row.content_sha256], sample)


@transaction.atomic
def _take_out(seen: Study, leaving: _Leaving, item: DatasetItem | None, user) -> None:
    """Put ``item`` or nothing in the place of a photo of the study as it was ``seen``. Raises ChangedMeanwhile."""
    study = lock_draft(seen)
    there = list(study.images.order_by("pk").values_list("pk", "content_sha256"))
    if sampling.drawn_upon(study) != sampling.drawn_upon(seen) or there != [
        (row.pk, row.content_sha256) for row in leaving.sample
    ]:
        raise ChangedMeanwhile
    study.recipe = study.recipe | {"taken_out": leaving.taken_out}
    study.save(update_fields=["recipe"])
    image = leaving.image
    image.delete()
    if item:
        (item,) = sampling.items_of([item.pk])
        sampling.image_of(study, image.number, item, image.is_practice).save(force_insert=True)
    else:
        _close_gap(study)
    orders.redraw(study)
    log.note(
        study, StudyEvent.Kind.DRAWN, by=user, taken_out=image.content_sha256, disease=image.truth,
        replaced_by=item.content_sha256 if item else "",
    )  # fmt: skip
    model_answers.request(study)


def _next(study: Study, leaving: _Leaving) -> DatasetItem | None:
    """The photo that comes in the place of one taken out; searching it takes long."""
    image, recipe = leaving.image, leaving.recipe
    if image.dataset_item is None:
        return None
    version = image.dataset_item.version
    found = sampling.stock(
        [version], study.model_version, proven_only=recipe.proven_only, taken_out=leaving.taken_out
    )
    drawn = []
    for row in leaving.sample:
        item = row.dataset_item
        one = Candidate(
            row.content_sha256, str(item.version_id) if item else "", row.truth, item.person if item else "",
            item.lesion if item else "",
        )  # fmt: skip
        drawn.append(one)
        if item and item.phash is not None:
            found.phashes.setdefault(one.key, item.phash)
        if item and item.entry_id:
            found.entries[one.key].add(item.entry_id)
    gone = next(one for one in drawn if one.key == image.content_sha256)
    barred = _barred(study, image)
    alike = found.alike(study.clinic)
    while True:
        candidates = [one for one in found.items if barred.isdisjoint({one.patient, one.lesion})]
        chosen = replacement(
            candidates, drawn, gone, seed=recipe.seed, one_per_patient=recipe.one_per_patient, alike=alike
        )
        if chosen is None:
            return None
        if not sampling.without_file(found, [chosen]):
            return sampling.items_of([found.items[chosen]])[0]
        found.drop(sampling.without_file(found, list(found.items)), "file")


def _barred(study: Study, image: StudyImage) -> set[str]:
    """Patients and lesions whose photos may not take this one's place: practice photos are of others than the
    sample's."""
    others = study.images.exclude(pk=image.pk).exclude(dataset_item=None)
    if not image.is_practice:
        others = others.filter(is_practice=True)
    pairs = others.values_list("dataset_item__person", "dataset_item__lesion")
    return {name for pair in pairs for name in pair if name}


def _close_gap(study: Study) -> None:
    """Number the photos 1, 2, 3 … again, practice photos last."""
    rows = list(study.images.order_by("is_practice", "number"))
    for number, row in enumerate(rows, 1):
        if row.number != number:
            # In their order, so that no number is ever taken twice.
            StudyImage.objects.filter(pk=row.pk).update(number=number, name=f"{number:03d}")
