"""Which lesions count for the model in use: those with pathology, with the answer that the lesion carried before it.

What is photographed after the biopsy is a wound or a scar, and no longer what the pathology is of.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from django.db.models import QuerySet
from django.utils import timezone

from classifier.metrics.counting import DONE, PhotoAnswer, carried
from classifier.metrics.subgroups import UNKNOWN, age_band
from classifier.models import Analysis, Monitor
from classifier.runtimes import precisions
from skinclinic.models import Diagnosis, Lesion
from skinclinic.services.visits import day_of, last_before_treatment
from skinclinic.vocabulary.diseases import DISEASE_KEYS

# What cases are told by, as on the page of a threshold set that covers the truth.
DIVISIONS = ("age", "sex", "skin_type", "site")


def unit_of(lesion: int, patient: int | None) -> tuple[str, int]:
    """Who counts once: the patient, or where that is not known the lesion."""
    return ("patient", patient) if patient is not None else ("lesion", lesion)


class Told(NamedTuple):
    """What a lesion of ``unit`` says of an endpoint. ``source``: key of its first pathology, or of the photo where the
    endpoint is of photos. ``share``: what it is held against, None: what all are."""

    lesion: int
    unit: tuple[str, int]
    hit: bool
    source: int
    share: float | None = None


@dataclass(frozen=True)
class Case:
    """A proven lesion: ``truth`` is one of the 12, told ``at``; ``scores`` are those that the lesion carried then.

    ``lesion``, ``patient`` (None: not known) and ``proof`` (its first pathology) are keys. ``told``: the answers to all
    its photos before that. ``groups``: by division of ``DIVISIONS`` what it is of, UNKNOWN where nobody said.
    ``precision``: in which the answer that it carried was computed, "" where that was not kept yet.
    """

    lesion: int
    patient: int | None
    truth: str
    at: datetime
    scores: dict[str, float]
    proof: int
    told: tuple[PhotoAnswer, ...] = ()
    groups: Mapping[str, str] = field(default_factory=dict)
    precision: str = ""

    @property
    def is_in_full(self) -> bool:
        """Whether the answer was computed in the precision of which something is promised."""
        return self.precision in precisions.COUNTING

    @property
    def unit(self) -> tuple[str, int]:
        """Who counts once."""
        return unit_of(self.lesion, self.patient)


@dataclass
class Found:
    """``cases`` in the order in which they were told. ``late``: proven lesions that the model answered only after the
    pathology; ``treated``: before it, but only on photos taken after the biopsy; ``set_aside``: whose every answer
    before it counts for nothing; ``other``: proven to be none of the 12. ``confirmed``: the cases by how they were."""

    cases: list[Case] = field(default_factory=list)
    late: int = 0
    treated: int = 0
    set_aside: int = 0
    other: int = 0
    confirmed: Counter[str] = field(default_factory=Counter)


def answers(row: Monitor) -> QuerySet[Analysis]:
    """What the clinic asked the model since it is followed, of its own patients' photos."""
    return (
        Analysis.objects.asked_for()
        .filter(
            clinic=row.clinic_id, model_version=row.model_version_id, requested_at__gte=row.followed_since,
            photo__lesion__is_archived=False,
        )
        .order_by()
    )  # fmt: skip


def proofs_changed_since(clinic: int, moment: datetime | None) -> bool:
    """Whether a pathology of the clinic (its key) was recorded or withdrawn since; None: never computed, so yes."""
    if moment is None:
        return True
    proofs = Diagnosis.objects.filter(clinic=clinic, kind=Diagnosis.Kind.PATHOLOGY)
    return any(proofs.filter(**{f"{what}__gte": moment}).exists() for what in ("created_at", "withdrawn_at"))


def find(row: Monitor) -> Found:
    """The proven lesions among those that the model answered."""
    found = Found()
    proofs = _proofs(row)
    told, late, treated = _told_before(row, proofs)
    for lesion, proof in proofs.items():
        if lesion not in told:
            found.treated += lesion in treated
            found.late += lesion in late and lesion not in treated
            continue
        shown = carried(list(told[lesion].values()))
        if shown is None or shown.scores is None:
            found.set_aside += 1
        elif proof.disease not in DISEASE_KEYS:
            found.other += 1
        else:
            found.confirmed[proof.how] += 1
            found.cases.append(
                Case(
                    lesion, proof.patient, proof.disease, proof.at, dict(shown.scores), proof.key,
                    tuple(told[lesion].values()), proof.groups, shown.precision,
                )
            )  # fmt: skip
    found.cases.sort(key=lambda case: (case.at, case.lesion))
    return found


class _Proof(NamedTuple):
    """``at``: when the lesion's first pathology, ``key``, was recorded, be it corrected since; ``how`` it was
    confirmed. ``last_day``: the last on which the lesion was photographed as it was, None where nobody said: that of
    its first biopsy, or of its pathology where that is earlier."""

    key: int
    patient: int | None
    disease: str
    at: datetime
    how: str
    last_day: date | None
    groups: Mapping[str, str]


def _proofs(row: Monitor) -> dict[int, _Proof]:
    """By lesion."""
    rows = Diagnosis.objects.filter(
        clinic=row.clinic_id, kind=Diagnosis.Kind.PATHOLOGY, lesion__is_archived=False, lesion__is_proven=True
    )
    first: dict[int, tuple[datetime, int]] = {}
    found: dict[int, _Proof] = {}
    last_days = last_before_treatment(Lesion.objects.filter(clinic=row.clinic_id, is_proven=True))
    for key, lesion, patient, disease, at, how, withdrawn, born, *facts in rows.order_by(
        "created_at", "id"
    ).values_list(
        "pk", "lesion", "lesion__patient", "disease", "created_at", "confirmed_by", "withdrawn_at",
        "lesion__patient__birth_year", "lesion__patient__sex", "lesion__patient__skin_type", "lesion__site",
    ):  # fmt: skip
        told, earliest = first.setdefault(lesion, (at, key))
        if withdrawn is None and told >= row.followed_since:
            groups = _groups(told, born, *facts)
            found[lesion] = _Proof(earliest, patient, disease, told, how, last_days.get(lesion), groups)
    return found


def _groups(at: datetime, born: int | None, *facts: int | str | None) -> dict[str, str]:
    """``facts``: sex, skin type and site."""
    age = max(timezone.localdate(at).year - born, 0) if born else None
    told = (age_band(age), *(str(one or UNKNOWN) for one in facts))
    return dict(zip(DIVISIONS, told, strict=True))


def _told_before(
    row: Monitor, proofs: Mapping[int, _Proof]
) -> tuple[dict[int, dict[int, PhotoAnswer]], set[int], set[int]]:
    """By lesion its photos, taken before it was treated, with their last answer before the pathology; lesions with a
    later answer (computed or asked for later), and with one to a photo of later than the biopsy."""
    rows = answers(row).filter(photo__lesion__is_proven=True, scores__isnull=False).order_by("pk")
    told: dict[int, dict[int, PhotoAnswer]] = defaultdict(dict)
    late: set[int] = set()
    treated: set[int] = set()
    for lesion, photo, kind, captured, stored, quality, scores, precision, analysed, asked in rows.values_list(
        "photo__lesion", "photo", "photo__kind", "photo__captured_at", "photo__created_at", "quality", "scores",
        "precision", "analysed_at", "requested_at",
    ).iterator(chunk_size=2000):  # fmt: skip
        if lesion not in proofs:
            continue
        if analysed is None or max(analysed, asked) >= proofs[lesion].at:
            late.add(lesion)
            continue
        day, last = day_of(captured, stored), proofs[lesion].last_day
        if last is not None and day > last:
            treated.add(lesion)
            continue
        told[lesion][photo] = PhotoAnswer(photo, day, kind, DONE, scores, quality, precision=precision)
    return told, late, treated


def first_of_each(cases: Iterable[Case]) -> list[Case]:
    """One case a patient: the one told first."""
    found: dict[tuple[str, int], Case] = {}
    for case in cases:
        found.setdefault(case.unit, case)
    return list(found.values())
