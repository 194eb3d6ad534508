"""Drawing a stratified random sample of photos. Pure: nothing here knows Django.

What is drawn depends on the photos and the seed alone, never on the order in which they are given: every
photo and patient has its place in line from a hash of the seed. At most one photo is taken of a *unit*: photos
that look alike or show one lesion and, if so wished, all photos of a patient. Which unit serves which stratum is
matched, so that a stratum stays short only where no choice of photos could fill it. The order in which a reader then
sees them is drawn in ``services/making/orders.py``.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from skinclinic.vocabulary.diseases import BY_KEY

Stratum = tuple[str, str]


@dataclass(frozen=True)
class Candidate:
    """A photo that may be drawn. ``key``: the hash of its content; ``patient``, ``lesion``: "" where nobody knows."""

    key: str
    dataset: str
    disease: str
    patient: str = ""
    lesion: str = ""


@dataclass(frozen=True)
class Unfilled:
    """A stratum with fewer photos than wanted; ``group`` is a disease key or a tier."""

    dataset: str
    group: str
    wanted: int
    found: int


@dataclass(frozen=True)
class Sample:
    """The photos in the random order in which they are numbered, the practice photos, and what is short."""

    photos: tuple[Candidate, ...]
    practice: tuple[Candidate, ...]
    unfilled: tuple[Unfilled, ...]


def draw(
    candidates: Iterable[Candidate],
    wanted: Mapping[Stratum, int],
    *,
    seed: int,
    practice: int = 0,
    one_per_patient: bool = True,
    alike: Iterable[tuple[str, str]] = (),
) -> Sample:
    """Draw ``wanted`` photos of each (dataset, disease or tier), then ``practice`` more of other patients.

    ``alike``: pairs of keys of which only one may be drawn. A disease and its own tier in one dataset are two
    strata; a photo serves only one of them.
    """
    pool = _Pool(candidates, seed, one_per_patient, alike)
    photos = pool.fill(wanted)
    found: dict[Stratum, int] = defaultdict(int)
    for stratum, _photo in photos:
        found[stratum] += 1
    chosen = [photo for _stratum, photo in photos]
    used, keys = pool.touched(chosen), pool.keys(chosen)
    rest = [photo for photo in pool.photos if photo.key not in keys and used.isdisjoint(pool.people(photo))]
    return Sample(
        photos=tuple(sorted(chosen, key=lambda photo: pool.place("number", photo.key))),
        practice=tuple(pool.practice(rest, practice)),
        unfilled=tuple(
            Unfilled(dataset, group, number, found[dataset, group])
            for (dataset, group), number in sorted(wanted.items())
            if found[dataset, group] < number
        ),
    )


def replacement(
    candidates: Iterable[Candidate],
    drawn: Sequence[Candidate],
    gone: Candidate,
    *,
    seed: int,
    one_per_patient: bool = True,
    alike: Iterable[tuple[str, str]] = (),
) -> Candidate | None:
    """The next photo in line of the same dataset and disease that fits beside those drawn; None: there is none."""
    pool = _Pool([*candidates, *drawn], seed, one_per_patient, alike)
    kept = [photo for photo in drawn if photo.key != gone.key]
    used, keys = {pool.unit(photo) for photo in kept}, pool.keys([*kept, gone])
    fitting = (
        photo
        for photo in pool.photos
        if (photo.dataset, photo.disease) == (gone.dataset, gone.disease)
        and photo.key not in keys
        and pool.unit(photo) not in used
    )
    return min(fitting, key=lambda photo: pool.place("photo", photo.key), default=None)


def groups_of(disease: str) -> tuple[str, str]:
    """What a stratum may be called that a photo of this disease belongs to: the disease and its tier."""
    return disease, BY_KEY[disease].tier


class _Pool:
    """Candidates, the units they belong to, and their places in line."""

    def __init__(
        self,
        candidates: Iterable[Candidate],
        seed: int,
        one_per_patient: bool,
        alike: Iterable[tuple[str, str]],
    ):
        # Given in any order, also twice, they are the same candidates.
        self.photos = sorted(set(candidates), key=lambda photo: (photo.key, photo.dataset, photo.disease))
        self.seed = seed
        joined = _Joined()
        for first, second in alike:
            joined.join(f"photo {first}", f"photo {second}")
        for photo in self.photos:
            if photo.lesion:
                # A name behind those of photos and patients: it names no unit, and so no place in line.
                joined.join(f"photo {photo.key}", f"photos of lesion {photo.lesion}")
            if photo.patient and one_per_patient:
                joined.join(f"photo {photo.key}", f"patient {photo.patient}")
        self._unit = {photo.key: joined.root(f"photo {photo.key}") for photo in self.photos}

    def unit(self, photo: Candidate) -> str:
        return self._unit[photo.key]

    def people(self, photo: Candidate) -> set[str]:
        """What must not be shared by the sample and the practice photos: the unit (so the lesion) and the patient."""
        return {self.unit(photo), f"patient {photo.patient}"} if photo.patient else {self.unit(photo)}

    def touched(self, photos: Iterable[Candidate]) -> set[str]:
        return set().union(*(self.people(photo) for photo in photos))

    @staticmethod
    def keys(photos: Iterable[Candidate]) -> set[str]:
        return {photo.key for photo in photos}

    def place(self, what: str, name: str) -> bytes:
        """A place in line that only the seed and the name decide."""
        return hashlib.sha256(f"{self.seed}\n{what}\n{name}".encode()).digest()

    def fill(self, wanted: Mapping[Stratum, int]) -> list[tuple[Stratum, Candidate]]:
        """One photo for each place of each stratum, as many as can be had at once."""
        lines: dict[Stratum, dict[str, Candidate]] = {stratum: {} for stratum in wanted}
        for photo in sorted(self.photos, key=lambda photo: self.place("photo", photo.key)):
            for group in groups_of(photo.disease):
                if (line := lines.get((photo.dataset, group))) is not None:
                    line.setdefault(self.unit(photo), photo)
        # Every unit has the same chance, however many photos it holds.
        order = {
            stratum: sorted(line, key=lambda unit: self.place("unit", f"{stratum}{unit}"))
            for stratum, line in lines.items()
        }
        holder: dict[str, Stratum] = {}
        for stratum in sorted(wanted, key=lambda one: (len(lines[one]), one)):
            for _ in range(wanted[stratum]):
                if not _place(stratum, order, holder):
                    break
        return [(stratum, lines[stratum][unit]) for unit, stratum in sorted(holder.items())]

    def practice(self, photos: Sequence[Candidate], number: int) -> list[Candidate]:
        """So many photos of as many patients, of different diseases as long as there are any."""
        lines: dict[str, list[Candidate]] = defaultdict(list)
        for photo in sorted(photos, key=lambda photo: self.place("practice", photo.key), reverse=True):
            lines[photo.disease].append(photo)
        found: list[Candidate] = []
        met: set[str] = set()
        counts: dict[str, int] = dict.fromkeys(lines, 0)
        while len(found) < number and lines:
            # The disease that was drawn least, and of those the one whose next photo stands first in line.
            disease = min(lines, key=lambda key: (counts[key], self.place("practice", lines[key][-1].key)))
            photo = lines[disease].pop()
            if not lines[disease]:
                del lines[disease]
            if met.isdisjoint(self.people(photo)):
                found.append(photo)
                counts[disease] += 1
                met |= self.people(photo)
        return found


def _place(stratum: Stratum, order: Mapping[Stratum, Sequence[str]], holder: dict[str, Stratum]) -> bool:
    """Give one more unit to a stratum, if need be by moving others on (an augmenting path, breadth first)."""
    came_from: dict[str, tuple[str | None, Stratum]] = {}
    waiting: list[tuple[Stratum, str | None]] = [(stratum, None)]
    asked = {stratum}
    for asking, through in waiting:
        for unit in order[asking]:
            if unit in came_from or holder.get(unit) == asking:
                continue
            came_from[unit] = (through, asking)
            held_by = holder.get(unit)
            if held_by is None:
                step: str | None = unit
                while step is not None:
                    step_before, taker = came_from[step]
                    holder[step] = taker
                    step = step_before
                return True
            if held_by not in asked:
                asked.add(held_by)
                waiting.append((held_by, unit))
    return False


class _Joined:
    """Names that belong together; each set is known by its smallest name, whatever the order of joining."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def root(self, name: str) -> str:
        while (parent := self._parent.get(name, name)) != name:
            self._parent[name] = self._parent.get(parent, parent)
            name = parent
        return name

    def join(self, first: str, second: str) -> None:
        low, high = sorted((self.root(first), self.root(second)))
        self._parent[high] = low
