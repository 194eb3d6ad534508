"""What a model says of itself, ready to show. A manifest is somebody's upload: only known kinds of values pass."""

from dataclasses import dataclass

from classifier.models import ModelVersion
from classifier.networks.numbers import read_header
from classifier.networks.stated import is_count, is_number
from classifier.networks.weights import WEIGHTS_FILE
from classifier.services.models import registry
from classifier.services.models.manifest_words import in_words
from skinclinic.models import Clinic
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from skinclinic.web.counts import grouped

PRECISIONS = {"F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64"}
AUC_WORDS = ("auc", "macro_auc")


@dataclass(frozen=True)
class Cohort:
    name: str
    n: int | None
    auc: float | None


@dataclass(frozen=True)
class Card:
    """A model's manifest for people. ``thresholds``: rows of (disease key, one value a set). ``weights_kind``: in which
    precision kernels are stored, "" where it cannot be read. ``maps``: how heatmaps come about, "" where as usual."""

    trained_on: str
    trained_at: str
    validated_on: str
    cohorts: list[Cohort]
    intended_use: str
    limits: str
    licence: str
    outputs: int
    background_classes: list[str]
    input_size: int | None
    weights_bytes: int | None
    weights_kind: str
    maps: str
    threshold_sets: list
    thresholds: list[tuple[str, list[float | None]]]


def card(version: ModelVersion, clinic: Clinic) -> Card:
    """Build the card of a registered version, with the threshold sets this clinic has."""
    manifest = version.manifest
    validated = _dict(manifest.get("validated_on"))
    background = [str(name) for name in _list(manifest.get("background_classes"))]
    sets = version.thresholds_for(clinic.pk)
    return Card(
        trained_on=_text(manifest.get("trained_on")),
        trained_at=_text(manifest.get("trained_at")),
        validated_on=_text(validated.get("text")),
        cohorts=[_cohort(entry) for entry in _list(validated.get("cohorts")) if isinstance(entry, dict)],
        intended_use=_text(manifest.get("intended_use")),
        limits=_text(manifest.get("limits")),
        licence=_text(manifest.get("licence")),
        outputs=len(DISEASE_KEYS) + len(background),
        background_classes=background,
        input_size=_whole(_dict(manifest.get("preprocessing")).get("input_size")),
        weights_bytes=_size(version),
        weights_kind=_precision(version),
        maps=_text(manifest.get("maps")),
        threshold_sets=sets,
        thresholds=[(key, [_number(entry.values.get(key)) for entry in sets]) for key in DISEASE_KEYS],
    )


def _cohort(entry: dict) -> Cohort:
    auc = next((entry[word] for word in AUC_WORDS if word in entry), None)
    return Cohort(_text(entry.get("name")), _whole(entry.get("n")), _number(auc))


def _size(version: ModelVersion) -> int | None:
    try:
        return (version.path / WEIGHTS_FILE).stat().st_size
    except OSError:
        return None


def _precision(version: ModelVersion) -> str:
    try:
        with (version.path / WEIGHTS_FILE).open("rb") as file:
            header = read_header(file)
    except OSError:
        return ""
    entries = header.values() if isinstance(header, dict) else ()
    kinds = {
        entry["dtype"]
        for entry in entries
        if isinstance(entry, dict) and len(entry.get("shape", ())) > 1 and entry.get("dtype") in PRECISIONS
    }
    return ", ".join(sorted(PRECISIONS[kind] for kind in kinds))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _whole(value: object) -> int | None:
    return value if is_count(value) else None


def _number(value: object) -> float | None:
    return float(value) if is_number(value) else None


def _dict(value: object) -> dict:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list:
    return value if isinstance(value, list) else []


def validated_on(manifest: dict) -> str:
    """The cohorts a model was validated on, with their n and AUC, in one line, as ``in_words`` tells them."""
    validated = _dict(manifest.get("validated_on"))
    cohorts = [_cohort(entry) for entry in _list(validated.get("cohorts")) if isinstance(entry, dict)]
    return " · ".join(part for part in (in_words(validated.get("text")), *map(_in_words, cohorts)) if part)


def _in_words(cohort: Cohort) -> str:
    facts = [f"n = {grouped(cohort.n)}"] if cohort.n else []
    if cohort.auc is not None:
        facts.append(f"AUC {cohort.auc:.3f}")
    name = in_words(cohort.name)
    return f"{name} ({', '.join(facts)})" if facts else name


def in_use(clinic: Clinic | None) -> dict:
    """What a page says of the model that the clinic's photos are analysed with now; {} without one."""
    return notice(registry.published(clinic) if clinic else None)


def notice(version: ModelVersion | None) -> dict:
    """What ``in_use`` says, of a version that is at hand."""
    if version is None:
        return {}
    return {
        "name": version.name,
        "demo": version.is_demo,
        "trained_on": _text(version.manifest.get("trained_on")),
        "validated_on": validated_on(version.manifest),
    }
