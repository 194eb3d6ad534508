"""Which thresholds of the compared model readers are shown, and at which point it is compared with them.

A draft chooses a threshold set; opening copies its values. From then on nothing but the copy counts: threshold sets
that are made later change nothing in the study.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from classifier.models import ModelVersion, ThresholdSet
from classifier.services.evaluation import evaluations, leakage
from reader_study.models import Study
from skinclinic.archive.models import DatasetItem, DatasetVersion
from skinclinic.services.refused import Refused
from skinclinic.vocabulary import spoken
from skinclinic.vocabulary.diseases import BY_KEY, DISEASE_KEYS, MALIGNANT
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext

FIRST_CHOICE, THRESHOLDS = Study.OperatingPoint.FIRST_CHOICE, Study.OperatingPoint.THRESHOLDS


@dataclass(frozen=True)
class Overlap:
    """How many photos of the sample the thresholds were chosen on: the very photo, or another of its lesion or
    patient. ``is_known``: false where nobody can tell which photos the thresholds were chosen on."""

    is_known: bool
    photos: int = 0
    same_photo: int = 0


def sets_for(study: Study, model: ModelVersion | None) -> list[ThresholdSet]:
    """What may be chosen with this model."""
    return model.thresholds_for(study.clinic_id) if model else []


def default_for(study: Study, model: ModelVersion | None) -> ThresholdSet | None:
    """The one by which answers are shown where nobody has chosen another."""
    return model.usual_thresholds(study.clinic_id) if model else None


def check(study: Study) -> None:
    """Raise Refused for thresholds of another model, and for an operating point without thresholds."""
    chosen = study.threshold_set
    if chosen and chosen not in sets_for(study, study.model_version):
        raise Refused(
            "threshold_set",
            _(
                "The thresholds “%(name)s” belong to the model %(model)s. Choose thresholds of the compared model."
            )
            % {"name": chosen.name, "model": chosen.model_version},
        )
    if study.operating_point == THRESHOLDS and not chosen:
        raise Refused(
            "operating_point", _("Choose the thresholds at which the model is compared, or its first choice.")
        )


def always_malignant(study: Study) -> str:
    """That the operating point calls every photo malignant, which says nothing of it; "" where it does not."""
    chosen = study.threshold_set
    if study.operating_point != THRESHOLDS or not chosen:
        return ""
    always = [key for key in DISEASE_KEYS if BY_KEY[key].tier == MALIGNANT and chosen.values.get(key, 1) < 0]
    if not always:
        return ""
    return _(
        "The thresholds “%(name)s” list %(diseases)s with every photo, so the model calls every photo malignant."
    ) % {"name": chosen.name, "diseases": spoken.diseases(always)}


def shown(study: Study) -> ThresholdSet | None:
    """What readers are shown: of a draft, for its preview, the set as it is chosen now; else what opening copied."""
    if study.is_draft:
        return study.threshold_set
    kept = study.thresholds
    if not kept or not kept["name"]:
        return None
    said = {name: kept[name] for name in ("name", "purpose", "cohort", "values", "details")}
    return ThresholdSet(model_version=study.model_version, clinic_id=study.clinic_id, **said)


def values(study: Study) -> dict[str, float] | None:
    """The thresholds the protocol holds, by disease; None where it holds none."""
    kept = study.thresholds
    return kept["values"] if kept and kept["name"] else None


def copy(study: Study, overlap: Overlap | None) -> dict | None:
    """What opening keeps of the chosen set; None without a model."""
    if study.model_version is None:
        return None
    chosen = study.threshold_set
    if chosen is None:
        return {"name": "", "values": {}}
    return {
        "name": chosen.name,
        "purpose": chosen.purpose,
        "cohort": chosen.cohort,
        "values": chosen.values,
        "details": chosen.details,
        "overlap": None if overlap is None else asdict(overlap),
    }


def overlap(study: Study) -> Overlap | None:
    """Look whether the thresholds were chosen on photos of the sample; None without thresholds."""
    chosen = study.threshold_set
    if chosen is None or study.model_version is None:
        return None
    sample = list(
        DatasetItem.objects.filter(pk__in=study.images.values("dataset_item")).only(*leakage.NEEDED)
    )
    said = chosen.details.get("dataset_sha256")
    if said:
        version = DatasetVersion.objects.filter(clinic=study.clinic_id, sha256=said).first()
        return _held_against(sample, version) if version else Overlap(False)
    # It came with the model: chosen on what the model was trained and validated on.
    found = leakage.find(study.model_version, sample)
    same = found.counts[leakage.PHOTO]
    return Overlap(not found.unknown, len(found.items), same)


def _held_against(sample: list[DatasetItem], version: DatasetVersion) -> Overlap:
    known = set(evaluations.test_items(version).values_list("content_sha256", "person", "lesion"))
    contents, persons, lesions = ({value for value in column if value} for column in _columns(known))
    same = {item.pk for item in sample if item.content_sha256 in contents}
    alike = {item.pk for item in sample if item.person in persons or item.lesion in lesions}
    return Overlap(True, len(same | alike), len(same))


def _columns(rows: set[tuple[str, str, str]]) -> list[tuple[str, ...]]:
    return list(zip(*rows, strict=True)) if rows else [(), (), ()]


def in_words(kept: Mapping | None) -> str:
    """What the protocol says of where the thresholds come from, as a sentence; "" where there is nothing to say."""
    if not kept or not kept.get("overlap"):
        return ""
    return said_of(Overlap(**kept["overlap"]))


def said_of(found: Overlap | None) -> str:
    """Whether the thresholds were chosen on the sample's own photos, as a sentence; "" where they were not."""
    if found is None:
        return ""
    if not found.is_known:
        return _("Whether these thresholds were chosen on photos of the sample could not be checked.")
    if not found.photos:
        return ""
    return ngettext(
        "These thresholds were chosen on %(n)d photo of the sample, or on another of its lesion or patient: they are "
        "optimistic here.",
        "These thresholds were chosen on %(n)d photos of the sample, or on others of their lesions or patients: they "
        "are optimistic here.",
        found.photos,
    ) % {"n": found.photos}
