"""How precise the sensitivities of a study will be: expected intervals by disease, of a recipe or of a sample drawn."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reader_study.models import Study
from reader_study.services.making.sampling import MOST_PHOTOS, TIERS
from reader_study.services.making.sizes import widths
from reader_study.statistics import sizing
from skinclinic.archive.models import DatasetVersion
from skinclinic.services.refused import Refused
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from skinclinic.web.counts import gettext as _

# Of which the interval is widest.
HALF = 0.5


@dataclass(frozen=True)
class Row:
    """The photos of a disease, or of a tier, and how wide its interval is expected to be: ``cells`` by dataset, and in
    all. ``widest``: whatever the true sensitivity is, about the most."""

    group: str
    cells: tuple[tuple[int, float | None], ...]
    photos: int
    width: float | None
    widest: float | None


@dataclass(frozen=True)
class Widths:
    """``is_drawn``: of photos drawn, else of numbers typed."""

    datasets: tuple[str, ...]
    rows: tuple[Row, ...]
    is_drawn: bool
    by_tier: bool = False

    @property
    def least(self) -> Row | None:
        """The row known least precisely."""
        return max(self.rows, key=lambda row: row.width or 0.0, default=None)


def of_recipe(study: Study, numbers: Mapping[tuple[int, str], int], share: float) -> Widths:
    """``numbers`` of photos by version and disease or tier. Raises Refused."""
    if sum(numbers.values()) > MOST_PHOTOS:
        raise Refused("per", _("Ask for 1 to %(most)d photos in all.") % {"most": MOST_PHOTOS})
    found = DatasetVersion.objects.filter(
        clinic=study.clinic, pk__in={version for version, _group in numbers}
    ).select_related("dataset")
    names = {version.pk: str(version) for version in found}
    counts = Counter({(group, names[pk]): n for (pk, group), n in numbers.items() if n and pk in names})
    return _widths(counts, share, is_drawn=False)


def of_sample(study: Study, share: float) -> Widths:
    """Of the photos that count. Raises Refused."""
    counted = study.images.filter(is_practice=False).values_list("truth", "dataset")
    return _widths(Counter(counted), share, is_drawn=True)


def _widths(counts: Counter[tuple[str, str]], share: float, *, is_drawn: bool) -> Widths:
    datasets = tuple(sorted({dataset for _group, dataset in counts}))
    groups = [group for group in (*DISEASE_KEYS, *TIERS) if any(counts[group, one] for one in datasets)]
    try:
        rows = tuple(_row(group, [counts[group, one] for one in datasets], share) for group in groups)
    except sizing.CannotSize as refused:
        raise Refused("share", str(refused)) from None
    return Widths(datasets, rows, is_drawn, any(group in TIERS for group in groups))


def _row(group: str, counts: Iterable[int], share: float) -> Row:
    counts = list(counts)
    named = [("", n) for n in (*counts, sum(counts))]
    *cells, (_key, photos, width) = widths(named, share)
    ((_key, _n, widest),) = widths(named[-1:], HALF)
    return Row(group, tuple((n, one) for _key, n, one in cells), photos, width, widest)
