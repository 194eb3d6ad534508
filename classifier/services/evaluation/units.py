"""The photos of an evaluation as patients: whose photos they are, so that what is said counts patients."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from classifier.metrics.subgroups import UNKNOWN, age_band
from classifier.services.evaluation.report import Report
from skinclinic.archive.models import DatasetItem
from skinclinic.archive.services.curating import consent

PATIENT, LESION, PHOTO = "patient", "lesion", "photo"
_READ = (
    "pk", "content_sha256", "person", "lesion", "age", "age_to", "sex", "skin_type", "site", "source_name",
)  # fmt: skip


@dataclass(frozen=True)
class Photos:
    """Photos of one dataset with the scores [n, 12] of one model. ``truth`` [n] are labels, ``units`` [n] are numbers
    that tell patients apart, lesions and at last photos standing for those that are not known, and ``kinds`` [n] say
    which it is.

    ``contents``, ``persons`` and ``lesions`` [n] are what a photo is known by elsewhere. ``groups`` are labels [n] by
    division. ``gone``: how many photos of the evaluation may be used no more: they were withdrawn or deleted since, or
    their patient does not consent; they are none of these.
    """

    scores: np.ndarray
    truth: np.ndarray
    units: np.ndarray
    kinds: np.ndarray
    contents: np.ndarray
    persons: np.ndarray
    lesions: np.ndarray
    gone: int
    groups: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.scores)

    def only(self, chosen: np.ndarray) -> "Photos":
        """Those where ``chosen`` [n] is true."""
        return Photos(
            self.scores[chosen], self.truth[chosen], self.units[chosen], self.kinds[chosen], self.contents[chosen],
            self.persons[chosen], self.lesions[chosen], self.gone,
            {name: labels[chosen] for name, labels in self.groups.items()},
        )  # fmt: skip

    def units_by_kind(self, chosen: np.ndarray | None = None) -> dict[str, int]:
        """How many units there are (among the ``chosen`` photos) that are patients, lesions and photos."""
        at = np.ones(len(self), bool) if chosen is None else chosen
        _units, first = np.unique(self.units[at], return_index=True)
        counts = Counter(self.kinds[at][first].tolist())
        return {kind: counts[kind] for kind in (PATIENT, LESION, PHOTO)}


def read(report: Report, dataset: int, model: int) -> Photos:
    """The photos of a dataset version of the evaluation that may still be used. Raises NoReport, NotYet."""
    report.look_through(report.dataset(dataset)["photos"])
    kept = report.scores(dataset, model)
    rows = DatasetItem.objects.filter(version=dataset, entry__isnull=False)
    rows = rows.exclude(content_sha256__startswith=DatasetItem.WITHDRAWN).exclude(consent.missing("entry__"))
    items = {row[0]: row for row in rows.values_list(*_READ)}
    there = np.array([int(pk) in items for pk in kept["items"]], bool)
    found = [items[int(pk)] for pk in kept["items"][there]]
    named = [_unit(pk, person, lesion) for pk, _content, person, lesion, *_more in found]
    return Photos(
        scores=kept["scores"][there],
        truth=kept["truth"][there],
        units=np.unique(_texts(unit for unit, _kind in named), return_inverse=True)[1],
        kinds=_texts(kind for _unit, kind in named),
        contents=_texts(row[1] for row in found),
        persons=_texts(row[2] for row in found),
        lesions=_texts(row[3] for row in found),
        gone=int((~there).sum()),
        groups={
            "age": _texts(age_band(row[4], row[5]) for row in found),
            "sex": _texts(row[6] or UNKNOWN for row in found),
            "skin_type": _texts(str(row[7] or UNKNOWN) for row in found),
            "site": _texts(row[8] or UNKNOWN for row in found),
            "source": _texts(row[9] or UNKNOWN for row in found),
        },
    )


def whose(dataset: int, items: Sequence[int]) -> np.ndarray:
    """Of photos of a dataset version labels [n] that tell their patients apart, as ``Photos.units``; of those that are
    there no more each is a unit of its own."""
    rows = DatasetItem.objects.filter(version=dataset).order_by().values_list("pk", "person", "lesion")
    known = {pk: _unit(pk, person, lesion)[0] for pk, person, lesion in rows}
    return _texts(known.get(pk) or _unit(pk, "", "")[0] for pk in items)


def _unit(pk: int, person: str, lesion: str) -> tuple[str, str]:
    if person:
        return person, PATIENT
    # Unlike the keys of persons, which are hex.
    return (f"lesion {lesion}", LESION) if lesion else (f"photo {pk}", PHOTO)


def _texts(values) -> np.ndarray:
    return np.array(list(values), np.str_)
