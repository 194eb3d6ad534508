"""A version in numbers, like the paper's Table 2: counted by the database, whatever its size."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db.models import Count, F, Q, Sum

from skinclinic.archive import labels
from skinclinic.archive.models import DatasetItem, DatasetVersion
from skinclinic.archive.services.datasets import large
from skinclinic.vocabulary import tags
from skinclinic.vocabulary.diseases import DISEASE_KEYS

PROVEN = Q(is_proven=True)


@dataclass(frozen=True)
class Numbers:
    """One column, or its biopsy-proven part. Age is by photo, its SD with ddof=1; ``None``: not known."""

    images: int
    patients: int
    unknown_patient: int
    age_mean: float | None
    age_sd: float | None
    age_unknown: int
    age_range: int
    male_percent: float | None
    sex_unknown: int


@dataclass(frozen=True)
class Summary:
    """All that the table shows of a version: counts are (all, biopsy-proven)."""

    version: DatasetVersion
    all: Numbers
    proven: Numbers
    classes: dict[str, tuple[int, int]]
    others: dict[str, tuple[int, int]]
    ethnicity: dict[str, int] = field(default_factory=dict)
    skin_type: dict[int | None, int] = field(default_factory=dict)
    split: dict[str, int] = field(default_factory=dict)
    # {label or "others": (photos with any tag, {tag: photos})}
    tags: dict[str, tuple[int, dict[str, int]]] = field(default_factory=dict)

    @property
    def others_total(self) -> tuple[int, int]:
        return sum(n for n, _proven in self.others.values()), sum(
            proven for _n, proven in self.others.values()
        )


def mean_and_sd(n: int, total: int, squares: int) -> tuple[float | None, float | None]:
    """Mean and SD (ddof=1) from sums of whole numbers; one value has no SD."""
    if not n:
        return None, None
    sd = math.sqrt((n * squares - total * total) / (n * (n - 1))) if n > 1 else None
    return total / n, sd


def of(version: DatasetVersion) -> Summary:
    """Count a version: five queries."""
    items = version.items.order_by()
    row = items.aggregate(**_aggregates("all", Q()), **_aggregates("proven", PROVEN))
    rows = list(items.values_list("label", "tags").annotate(n=Count("id"), proven=Count("id", filter=PROVEN)))
    counts: dict[str, tuple[int, int]] = {}
    for label, _text, n, proven in rows:
        before = counts.get(label, (0, 0))
        counts[label] = (before[0] + n, before[1] + proven)
    return Summary(
        version=version,
        all=_numbers(row, "all"),
        proven=_numbers(row, "proven"),
        classes={key: counts.get(key, (0, 0)) for key in DISEASE_KEYS},
        others={key: counts[key] for key in sorted(counts, key=labels.order) if not labels.is_disease(key)},
        ethnicity=dict(sorted(items.values_list("ethnicity").annotate(n=Count("id")), key=_largest)),
        skin_type=dict(
            sorted(items.values_list("skin_type").annotate(n=Count("id")), key=lambda pair: pair[0] or 99)
        ),
        split=dict(items.values_list("split").annotate(n=Count("id"))),
        tags=_tags(rows),
    )


def to_json(found: Summary) -> dict[str, Any]:
    """Its numbers as plain values, which can be kept: what has an order as pairs, for PostgreSQL sorts names."""
    return {
        "all": asdict(found.all),
        "proven": asdict(found.proven),
        "classes": list(found.classes.items()),
        "others": list(found.others.items()),
        "ethnicity": list(found.ethnicity.items()),
        "skin_type": list(found.skin_type.items()),
        "split": list(found.split.items()),
        "tags": [(group, count, list(of_tag.items())) for group, (count, of_tag) in found.tags.items()],
    }


def from_json(version: DatasetVersion, values: dict[str, Any]) -> Summary:
    """The other way."""
    return Summary(
        version=version,
        all=Numbers(**values["all"]),
        proven=Numbers(**values["proven"]),
        classes={key: (n, proven) for key, (n, proven) in values["classes"]},
        others={key: (n, proven) for key, (n, proven) in values["others"]},
        ethnicity=dict(values["ethnicity"]),
        skin_type=dict(values["skin_type"]),
        split=dict(values["split"]),
        tags={group: (count, dict(of_tag)) for group, count, of_tag in values["tags"]},
    )


def _tags(rows: list[tuple]) -> dict[str, tuple[int, dict[str, int]]]:
    any_tag: Counter[str] = Counter()
    of_tag: dict[str, Counter[str]] = {}
    for label, text, count, _proven in rows:
        if not text:
            continue
        group = labels.group(label)
        any_tag[group] += count
        of_tag.setdefault(group, Counter()).update(dict.fromkeys(tags.split(text), count))
    return {group: (count, dict(of_tag[group].most_common())) for group, count in any_tag.items()}


def photos_of(versions: Sequence[DatasetVersion]) -> dict[int, int]:
    """How many photos each version holds: of large ones as it is kept with them, the others counted in one query."""
    kept = {version.pk: version.photos for version in versions if (version.photos or 0) > large.MOST_AT_ONCE}
    few = [version.pk for version in versions if version.pk not in kept]
    items = DatasetItem.objects.filter(version__in=few).order_by()
    return {**kept, **dict(items.values_list("version").annotate(n=Count("id")))}


def _largest(pair):
    return (not pair[0], -pair[1], pair[0])


def _aggregates(part: str, where: Q) -> dict:
    # A range has no mean.
    known_age = where & Q(age__isnull=False, age_to=None)
    return {
        f"{part}_images": Count("id", filter=where),
        f"{part}_patients": Count("person", filter=where & ~Q(person=""), distinct=True),
        f"{part}_unknown": Count("id", filter=where & Q(person="")),
        f"{part}_ages": Count("id", filter=known_age),
        f"{part}_age_ranges": Count("id", filter=where & Q(age_to__isnull=False)),
        f"{part}_age_sum": Sum("age", filter=known_age),
        f"{part}_age_squares": Sum(F("age") * F("age"), filter=known_age),
        f"{part}_male": Count("id", filter=where & Q(sex="male")),
        f"{part}_sexes": Count("id", filter=where & ~Q(sex="")),
    }


def _numbers(row: dict, part: str) -> Numbers:
    def get(name):
        return row[f"{part}_{name}"] or 0

    mean, sd = mean_and_sd(get("ages"), get("age_sum"), get("age_squares"))
    return Numbers(
        images=get("images"),
        patients=get("patients"),
        unknown_patient=get("unknown"),
        age_mean=mean,
        age_sd=sd,
        age_unknown=get("images") - get("ages") - get("age_ranges"),
        age_range=get("age_ranges"),
        male_percent=100 * get("male") / get("sexes") if get("sexes") else None,
        sex_unknown=get("images") - get("sexes"),
    )
