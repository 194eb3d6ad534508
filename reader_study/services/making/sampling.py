"""The sample of a study: what there is to draw from, and drawing it.

``Study.recipe`` holds what was asked and what came of it: {seed, proven_only, one_per_patient, practice, model,
per: {dataset version: {disease or tier: n}}, unfilled: [{dataset, group, wanted, found}], left_out: {reason: n},
unknown_training, taken_out: [content hashes]}.
"""

import secrets
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from django.db import transaction
from django.db.models import Q

from classifier.models import ModelVersion
from classifier.services.evaluation import evaluations, leakage
from classifier.services.training.data import TOGETHER
from reader_study import sampling
from reader_study.models import Study, StudyEvent, StudyImage
from reader_study.sampling import Candidate
from reader_study.services import log
from reader_study.services.locking import ChangedMeanwhile, lock_draft, look_draft
from reader_study.services.making import orders
from reader_study.services.results import model_answers
from skinclinic.archive import near_duplicates
from skinclinic.archive.models import DatasetItem, DatasetVersion, DuplicatePair, Review
from skinclinic.archive.services.curating import consent
from skinclinic.archive.services.curating.duplicates import MAX_DISTANCE
from skinclinic.files import store
from skinclinic.models import Clinic
from skinclinic.services.refused import Refused
from skinclinic.vocabulary.diseases import BENIGN, DISEASE_KEYS, DISEASES, MALIGNANT, PREMALIGNANT
from skinclinic.web.counts import gettext as _

TIERS = (MALIGNANT, PREMALIGNANT, BENIGN)
GROUPS = (*DISEASE_KEYS, *TIERS)
MOST_PHOTOS, MOST_PRACTICE, MOST_DATASETS, LARGEST_SEED = 2000, 50, 10, 2**31 - 1
# As the paper did: 25 of each malignant disease, 20 of each other, actinic keratosis among them.
AS_IN_PAPER = {disease.key: 25 if disease.is_malignant else 20 for disease in DISEASES}
_READ = (
    "pk", "version", "entry", "content_sha256", "phash", "label", "is_proven", "person", "lesion", "entry__review",
    "entry__source__is_own", "entry__patient__research_consent", "entry__content_sha256", "entry__photo__picture",
)  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """What to draw. ``per``: {dataset version: {disease or tier: n}}."""

    per: dict[int, dict[str, int]]
    seed: int
    proven_only: bool = True
    one_per_patient: bool = True
    practice: int = 0

    @classmethod
    def of(cls, study: Study) -> "Recipe | None":
        """The recipe the study's sample was drawn by."""
        stored = study.recipe or {}
        if not stored.get("per"):
            return None
        return cls(
            per={int(version): dict(groups) for version, groups in stored["per"].items()},
            seed=stored["seed"],
            proven_only=stored["proven_only"],
            one_per_patient=stored["one_per_patient"],
            practice=stored["practice"],
        )


@dataclass
class Stock:
    """The photos that may be drawn, and how many of which dataset may not, by reason.

    ``unknown``: the model or the starting weights whose training photos nobody knows ("" when known).
    """

    versions: list[DatasetVersion]
    items: dict[Candidate, int] = field(default_factory=dict)
    phashes: dict[str, int] = field(default_factory=dict)
    entries: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    left_out: dict[int, Counter] = field(default_factory=dict)
    unknown: str = ""

    def counts(self) -> dict[tuple[int, str], tuple[int, int]]:
        """{(dataset version, disease or tier): (photos, patients)}; a lesion stands for an unknown patient."""
        photos: Counter = Counter()
        patients: dict[tuple[int, str], set[str]] = defaultdict(set)
        for candidate in self.items:
            for group in sampling.groups_of(candidate.disease):
                key = (int(candidate.dataset), group)
                photos[key] += 1
                patients[key].add(candidate.patient or candidate.lesion or candidate.key)
        return {key: (photos[key], len(patients[key])) for key in photos}

    def left_out_in_all(self) -> dict[str, int]:
        return dict(sum(self.left_out.values(), Counter()))

    def drop(self, keys: set[str], reason: str) -> None:
        """Take photos out and count them under the reason."""
        for candidate in [one for one in self.items if one.key in keys]:
            del self.items[candidate]
            self.left_out[int(candidate.dataset)][reason] += 1

    def alike(self, clinic: Clinic) -> list[tuple[str, str]]:
        """Pairs of photos that look alike or that a curator calls the same, unless one calls them different."""
        keys = sorted(self.phashes)
        hashes = np.array([self.phashes[key] for key in keys], np.int64)
        found = near_duplicates.pairs(hashes, MAX_DISTANCE)[0].tolist() if len(keys) > 1 else []
        by_entry = {entry: key for key, entries in self.entries.items() for entry in entries}
        verdicts = DuplicatePair.objects.filter(clinic=clinic)
        different = self._keys(verdicts.filter(verdict=DuplicatePair.Verdict.DIFFERENT), by_entry)
        together = self._keys(verdicts.filter(verdict__in=TOGETHER), by_entry)
        pairs = {_in_order(keys[first], keys[second]) for first, second in found}
        return sorted((pairs - different) | together)

    @staticmethod
    def _keys(pairs, by_entry: dict[int, str]) -> set[tuple[str, str]]:
        return {
            _in_order(by_entry[first], by_entry[second])
            for first, second in pairs.values_list("first", "second")
            if first in by_entry and second in by_entry and by_entry[first] != by_entry[second]
        }


def _in_order(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one <= other else (other, one)


def stock(
    versions: Sequence[DatasetVersion],
    model: ModelVersion | None,
    *,
    proven_only: bool = True,
    taken_out: Sequence[str] = (),
) -> Stock:
    """What may be drawn from the test sides of frozen versions, and how much may not."""
    found = Stock(list(versions))
    gone = set(taken_out)
    for version in versions:
        left_out = found.left_out[version.pk] = Counter()
        rows = evaluations.test_items(version).order_by("pk")
        seen, found.unknown = _seen(model, rows) if model else (set(), "")
        for row in rows.values(*_READ).iterator(2000):
            if reason := _why_not(row, seen, gone, proven_only):
                left_out[reason] += 1
                continue
            key = row["content_sha256"]
            candidate = Candidate(key, str(version.pk), row["label"], row["person"], row["lesion"])
            found.items[candidate] = row["pk"]
            found.entries[key].add(row["entry"])
            if row["phash"] is not None:
                found.phashes[key] = row["phash"]
    return found


def _seen(model: ModelVersion, rows) -> tuple[set[int], str]:
    found = leakage.find(model, list(rows.only(*leakage.NEEDED)))
    return found.items, found.unknown


def _why_not(row: dict, seen: set[int], taken_out: set[str], proven_only: bool) -> str:
    if row["label"] not in DISEASE_KEYS:
        return "other_disease"
    if row["entry"] is None:
        return "deleted"
    if row["entry__review"] == Review.REJECTED:
        return "rejected"
    if consent.is_missing(row["entry__patient__research_consent"], row["entry__source__is_own"]):
        return "consent"
    if row["content_sha256"] != row["entry__content_sha256"]:
        return "covered"
    if row["entry__photo__picture"]:
        return "several"
    if row["pk"] in seen:
        return "seen"
    if proven_only and not row["is_proven"]:
        return "unproven"
    return "taken_out" if row["content_sha256"] in taken_out else ""


def new_seed() -> int:
    """A seed nobody has chosen."""
    return secrets.randbelow(LARGEST_SEED)


def as_in_paper(found: Stock) -> dict[int, dict[str, int]]:
    """The paper's numbers for every disease that a dataset has any photo of."""
    counts = found.counts()
    return {
        version.pk: {key: n for key, n in AS_IN_PAPER.items() if counts.get((version.pk, key), (0, 0))[0]}
        for version in found.versions
    }


def versions_of(clinic: Clinic, pks) -> list[DatasetVersion]:
    """Frozen versions of the clinic that may be drawn from, in the order of their names. Raises Refused."""
    versions = list(
        DatasetVersion.objects.filter(clinic=clinic, pk__in=list(pks))
        .select_related("dataset")
        .order_by("dataset__name", "number")
    )
    if not 1 <= len(versions) <= MOST_DATASETS:
        raise Refused("datasets", _("Choose from 1 to %(most)d datasets.") % {"most": MOST_DATASETS})
    for version in versions:
        if problem := evaluations.dataset_offer(version).problem:
            raise Refused("datasets", f"{version}: {problem}")
    return versions


def draw(study: Study, user, recipe: Recipe, *, again: Sequence[str] = ()) -> Study:
    """Draw the sample anew, with new orders for every reader and new answers of the model. Raises Refused.

    ``again``: content hashes of photos taken out earlier that may be drawn after all.
    """
    _check(recipe)
    seen = look_draft(study)
    versions = versions_of(seen.clinic, recipe.per)
    taken_out = [key for key in seen.recipe.get("taken_out", []) if key not in again]
    found = stock(versions, seen.model_version, proven_only=recipe.proven_only, taken_out=taken_out)
    drawn = _draw(seen, found, recipe)
    if not drawn.photos:
        raise Refused("per", _("No photo could be drawn: none of these datasets has one that may be used."))
    return _keep(seen, user, recipe, taken_out, found, drawn)


@transaction.atomic
def _keep(
    seen: Study, user, recipe: Recipe, taken_out: list[str], found: Stock, drawn: sampling.Sample
) -> Study:
    """Store what was drawn for the study as it was ``seen``. Raises ChangedMeanwhile."""
    study = lock_draft(seen)
    if drawn_upon(study) != drawn_upon(seen):
        raise ChangedMeanwhile
    if study.panel_votes.exists():
        raise Refused(
            "state",
            _("The panel has voted on this sample. Throw its votes away before another one is drawn."),
        )
    names = {str(version.pk): str(version) for version in found.versions}
    study.recipe = {
        "seed": recipe.seed,
        "proven_only": recipe.proven_only,
        "one_per_patient": recipe.one_per_patient,
        "practice": recipe.practice,
        "model": study.model_version_id,
        "per": {str(version): groups for version, groups in recipe.per.items()},
        "datasets": names,
        "unfilled": _unfilled(recipe, drawn, names),
        "left_out": found.left_out_in_all(),
        "unknown_training": found.unknown,
        "taken_out": taken_out,
    }
    study.is_synthetic = _store(study, found, drawn)
    study.save(update_fields=["recipe", "is_synthetic"])
    orders.redraw(study)
    log.note(
        study, StudyEvent.Kind.DRAWN, by=user, seed=recipe.seed, photos=len(drawn.photos),
        practice=len(drawn.practice), unfilled=study.recipe["unfilled"],
    )  # fmt: skip
    model_answers.request(study)
    return study


def drawn_upon(study: Study) -> tuple:
    """What of a study a drawing looks at beside the recipe asked for."""
    return study.model_version_id, study.recipe.get("taken_out", [])


def _check(recipe: Recipe) -> None:
    if not 0 <= recipe.seed <= LARGEST_SEED:
        raise Refused("seed", _("The seed is a whole number from 0 to %(most)d.") % {"most": LARGEST_SEED})
    if not 0 <= recipe.practice <= MOST_PRACTICE:
        raise Refused("practice", _("Choose from 0 to %(most)d practice photos.") % {"most": MOST_PRACTICE})
    if not 1 <= len(recipe.per) <= MOST_DATASETS:
        raise Refused("datasets", _("Choose from 1 to %(most)d datasets.") % {"most": MOST_DATASETS})
    numbers = [n for groups in recipe.per.values() for n in groups.values()]
    if any(group not in GROUPS for groups in recipe.per.values() for group in groups):
        raise Refused("per", _("Photos are counted by disease, or by malignant, premalignant and benign."))
    if any(n < 0 for n in numbers) or not 0 < sum(numbers) <= MOST_PHOTOS:
        raise Refused("per", _("Ask for 1 to %(most)d photos in all.") % {"most": MOST_PHOTOS})


def _draw(study: Study, found: Stock, recipe: Recipe) -> sampling.Sample:
    """Draw, and once more without photos whose file is gone if the first drawing met any."""
    wanted = {
        (str(version), group): n for version, groups in recipe.per.items() for group, n in groups.items() if n
    }
    alike = found.alike(study.clinic)

    def draw_once() -> sampling.Sample:
        return sampling.draw(
            found.items, wanted, seed=recipe.seed, practice=recipe.practice,
            one_per_patient=recipe.one_per_patient, alike=alike,
        )  # fmt: skip

    drawn = draw_once()
    if without_file(found, [*drawn.photos, *drawn.practice]):
        # Some are gone: now every file is looked for, once.
        found.drop(without_file(found, list(found.items)), "file")
        drawn = draw_once()
    return drawn


def without_file(found: Stock, photos: Sequence[Candidate]) -> set[str]:
    """Content hashes of those whose file is gone."""
    keys: dict[int, str] = {}
    pks = [found.items[photo] for photo in photos]
    for start in range(0, len(pks), 1000):
        rows = DatasetItem.objects.filter(pk__in=pks[start : start + 1000])
        keys |= dict(rows.values_list("pk", "entry__photo__file_key"))
    gone = store.missing(keys.values())
    return {photo.key for photo in photos if keys[found.items[photo]] in gone}


def _unfilled(recipe: Recipe, drawn: sampling.Sample, names: dict[str, str]) -> list[dict]:
    rows = [
        {"dataset": names[one.dataset], "group": one.group, "wanted": one.wanted, "found": one.found}
        for one in drawn.unfilled
    ]
    if len(drawn.practice) < recipe.practice:
        rows.append(
            {"dataset": "", "group": "practice", "wanted": recipe.practice, "found": len(drawn.practice)}
        )
    return rows


def _store(study: Study, found: Stock, drawn: sampling.Sample) -> bool:
    """Put the sample in the place of an earlier one; return whether any photo was drawn by a program."""
    study.images.all().delete()
    photos = [*drawn.photos, *drawn.practice]
    items = items_of([found.items[photo] for photo in photos])
    StudyImage.objects.bulk_create(
        image_of(study, number, item, number > len(drawn.photos)) for number, item in enumerate(items, 1)
    )
    return any(item.is_synthetic for item in items)


def items_of(pks: Sequence[int]) -> list[DatasetItem]:
    """Items in this order, with what ``image_of`` reads. Raises ChangedMeanwhile where one has left its archive."""
    rows = DatasetItem.objects.select_related("entry", "version__dataset").in_bulk(pks)
    if any(pk not in rows or rows[pk].entry is None for pk in pks):
        raise ChangedMeanwhile
    return [rows[pk] for pk in pks]


def image_of(study: Study, number: int, item: DatasetItem, is_practice: bool) -> StudyImage:
    """A row for this place of the sample, not yet stored."""
    return StudyImage(
        study=study, number=number, name=f"{number:03d}", dataset=str(item.version), dataset_item=item,
        photo_id=item.kept_entry.photo_id, content_sha256=item.content_sha256, truth=item.label, sex=item.sex,
        # Of a range no year is guessed: it is told as it is, from the dataset's item.
        age=item.age if item.age_to is None else None, skin_type=item.skin_type, site=item.site,
        is_practice=is_practice,
    )  # fmt: skip


def problems_of_photos(study: Study) -> dict[str, int]:
    """Photos of the sample that may not be used (any more), by reason: a few queries."""
    rows = study.images.filter(~Q(photo=None)).values_list(
        "dataset_item__entry__review", "photo__lesion__patient__research_consent",
        "dataset_item__entry__source__is_own", "content_sha256", "dataset_item__entry__content_sha256",
    )  # fmt: skip
    found: Counter = Counter()
    found["deleted"] = study.images.filter(photo=None).count()
    for review, answer, is_own, drawn, stored in rows:
        found["rejected"] += review == Review.REJECTED
        found["consent"] += consent.is_missing(answer, is_own)
        found["covered"] += bool(drawn and stored and drawn != stored)
    return {reason: n for reason, n in found.items() if n}


def missing_files(study: Study) -> int:
    """How many photos of the sample have no file any more."""
    keys = list(study.images.filter(~Q(photo=None)).values_list("photo__file_key", flat=True))
    gone = store.missing(keys)
    return sum(key in gone for key in keys)


def seen_by_model(study: Study) -> int:
    """How many photos of the sample the compared model has seen."""
    if study.model_version is None:
        return 0
    items = DatasetItem.objects.filter(pk__in=study.images.values("dataset_item"))
    return len(leakage.find(study.model_version, list(items.only(*leakage.NEEDED))).items)
