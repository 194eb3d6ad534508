"""Checking an import as a whole before anything is written.

The result is a plan: a file with one JSON line for each row to write, and a report for people.
"""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from skinclinic import imaging
from skinclinic.archive import labels
from skinclinic.archive.formats import reading
from skinclinic.archive.formats.photo_sets import Ambiguous, FileTooLarge, PhotoSet, Unreadable, open_photos
from skinclinic.archive.formats.problems import PhotosRefused, Problem, TableRefused, _
from skinclinic.archive.formats.rows import Row
from skinclinic.archive.formats.tables import Table
from skinclinic.archive.models import LABEL_LENGTH, BackgroundDisease, Entry, Import
from skinclinic.archive.services.curating import vocabulary
from skinclinic.archive.services.curating.entries import which_known
from skinclinic.archive.services.importing.row_errors import Problems, refusal
from skinclinic.vocabulary.diseases import BY_KEY, DISEASES
from skinclinic.web.inputs import storable

LEAVE_OUT = "-"
MOST_FILES_NAMED = 200
MOST_LABELS = 10_000
MOST_LABELS_NAMED = 1000
_EVERY = 20
_AT_ONCE = 200

_NAMES = {
    spelling.casefold(): disease.key
    for disease in DISEASES
    for spelling in (disease.key, *disease.names.values(), disease.isic)
}


def check(row: Import, plan: Path, say: Callable[[int, int], None]) -> dict:
    """Read and decode everything; write the plan and return the report.

    ``say(done, total)`` is called now and then. The report: ``refused`` (a reason for the whole) and ``errors``
    (both as ``row_errors`` writes them), ``unknown_labels`` {word: rows} (the most frequent of
    ``unknown_label_count``), ``files_without_row``, ``new``, ``unchanged``, ``changed``, ``known`` (files that
    another source holds already), ``doubled`` (the same file twice), ``left_out``, ``labels``.
    """
    try:
        photos = open_photos(Path(row.photos))
    except PhotosRefused as refused:
        return {"refused": refusal(refused)}
    try:
        table = None if row.format in reading.WITHOUT_TABLE else Table(Path(row.metadata))
        return _Check(row, photos, say).run(table, plan)
    except (PhotosRefused, TableRefused) as refused:
        return {"refused": refusal(refused)}
    except FileNotFoundError:
        return {"refused": refusal(TableRefused(_("The table is no longer there.")))}
    finally:
        photos.close()


class _Check:
    def __init__(self, row: Import, photos: PhotoSet, say: Callable[[int, int], None]):
        self.row, self.photos, self.say = row, photos, say
        self.problems = Problems()
        self.unknown: Counter = Counter()
        self.counts: Counter = Counter()
        self.by_label: Counter = Counter()
        self.ids: set[str] = set()
        self.used: set[str] = set()
        # SHA-256: the row that has it first, and its label
        self.hashes: dict[str, tuple[int, str]] = {}
        self.own = reading.own_labels(row.format)
        self.mapped = {word.casefold(): label for word, label in row.labels.items()}
        background = BackgroundDisease.objects.filter(clinic=row.clinic_id).values_list("name", flat=True)
        self.background = {name.casefold(): name for name in background}
        self.subtypes = vocabulary.subtype_spellings(row.clinic)
        self.doubled: list[list[int]] = []
        # Rows that are fine, until a few are looked up in the archive together.
        self.to_compare: list[tuple[Row, str, str]] = []
        for word, label in row.labels.items():
            if len(label) > LABEL_LENGTH or not storable(label):
                raise TableRefused(
                    _("The name that “%(word)s” is mapped to is no text of at most %(most)s characters."),
                    word=word[:80],
                    most=LABEL_LENGTH,
                )

    def run(self, table: Table | None, plan: Path) -> dict:
        total = len(self.photos.names)
        with plan.open("w", encoding="utf-8") as file:
            rows = reading.rows(self.row.format, self.photos, table, self.row.columns)
            for done, (number, row, problems) in enumerate(rows):
                if done % _EVERY == 0:
                    self.say(done, total)
                for problem in problems:
                    self.problems.add(number, problem)
                if row and (line := self._line(row)):
                    file.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")
        self._compare()
        if not self.ids and not self.problems.total:
            raise TableRefused(_("There is no row to import."))
        without = [name for name in self.photos.names if name not in self.used]
        return {
            "errors": self.problems.to_json(),
            "unknown_labels": dict(self.unknown.most_common(MOST_LABELS_NAMED)),
            "unknown_label_count": len(self.unknown),
            "files_without_row": without[:MOST_FILES_NAMED],
            "files_without_row_count": len(without),
            "doubled": self.doubled,
            "labels": dict(sorted(self.by_label.items(), key=lambda item: labels.order(item[0]))),
            **{
                name: self.counts[name]
                for name in ("new", "unchanged", "changed", "known", "doubled_count", "left_out")
            },
        }

    def _line(self, row: Row) -> dict | None:
        """What to write for a row; None when it has an error, is left out or is a copy."""
        before = self.problems.total
        if not all(storable(value) for value in asdict(row).values() if isinstance(value, str)):
            self._problem(row, _("holds characters that cannot be stored"))
            return None
        if row.external_id in self.ids:
            self._problem(row, _("an earlier row has a photo of this name"), row.external_id)
        self.ids.add(row.external_id)
        label = self._label(row)
        name = self._name(row)
        if name:
            self.used.add(name)
        if label == LEAVE_OUT:
            self.counts["left_out"] += 1
            return None
        sha256 = self._readable(row, name) if name else ""
        if label is None or self.problems.total > before:
            return None
        if sha256 in self.hashes:
            self._copy(row, label, *self.hashes[sha256])
            return None
        subtype = labels.tidy(row.subtype)
        row = replace(row, subtype=self.subtypes.get((label, subtype.casefold()), subtype))
        self.hashes[sha256] = (row.number, label)
        self.by_label[label] += 1
        self.to_compare.append((row, label, sha256))
        if len(self.to_compare) >= _AT_ONCE:
            self._compare()
        return {**asdict(row), "label": label, "file": name, "upload_sha256": sha256}

    def _problem(
        self, row: Row, message: str, value: str = "", *, column: str = "", **params: object
    ) -> None:
        self.problems.add(row.number, Problem(column, message, value, params))

    def _name(self, row: Row) -> str | None:
        try:
            if name := self.photos.find(row.file):
                return name
            self._problem(row, _("this photo is not there"), row.file)
        except Ambiguous:
            self._problem(row, _("several photos have this name; write the folder too"), row.file)
        return None

    def _copy(self, row: Row, label: str, first: int, first_label: str) -> None:
        """The same file again: passed over, unless the two rows contradict each other."""
        if label != first_label:
            message = _("an earlier row gives the same photo another label")
            self._problem(row, message, f"{row.file} ↔ {first}")
            return
        self.counts["doubled_count"] += 1
        if len(self.doubled) < MOST_FILES_NAMED:
            self.doubled.append([first, row.number])

    def _label(self, row: Row) -> str | None:
        """A disease key, a background disease's name or LEAVE_OUT; None (and counted) when nobody said."""
        word = row.label.casefold()
        if word in self.mapped:
            label = self.mapped[word]
            return self.background.get(label.casefold(), label) or None
        if word in self.own:
            return self.own[word]
        if word in _NAMES and self.row.format not in (Import.Format.PAD_UFES_20,):
            return _NAMES[word]
        if word in self.background:
            return self.background[word]
        if self.row.format == Import.Format.EXPORT:
            # A curator decided on these names where the photos come from.
            return labels.tidy(row.label)
        self.unknown[row.label] += 1
        if len(self.unknown) > MOST_LABELS:
            raise TableRefused(
                _("There are more than %(most)s different labels. Is it the column of the diagnosis?"),
                most=f"{MOST_LABELS:,}",
            )
        return None

    def _readable(self, row: Row, name: str) -> str:
        """The file's SHA-256, or "" and a problem."""
        try:
            data = self.photos.read(name, imaging.MAX_BYTES)
            imaging.check(data)
        except FileTooLarge:
            self._problem(row, _("larger than %(most)s MB"), name, most=imaging.MAX_BYTES >> 20)
        except imaging.PhotoRejected as rejected:
            self.problems.add(row.number, Problem("", imaging.MESSAGES[rejected.code], name, rejected.params))
        except Unreadable as error:
            self._problem(row, _("cannot be read (%(error)s)"), name, error=str(error))
        else:
            sha256 = imaging.sha256(data)
            if not row.sha256 or row.sha256.casefold() == sha256:
                return sha256
            self._problem(row, _("not the file that the table describes"), name, column="sha256")
        return ""

    def _compare(self) -> None:
        """Count what the rows that wait would change in the archive."""
        rows, self.to_compare = self.to_compare, []
        entries = {}
        if self.row.source_id:
            names = [row.external_id for row, _label, _sha256 in rows]
            there = Entry.objects.filter(source=self.row.source_id, external_id__in=names)
            entries = {entry.external_id: entry for entry in there}
        known = which_known(self.row.clinic_id, [sha256 for _row, _label, sha256 in rows])
        for row, label, sha256 in rows:
            entry = entries.get(row.external_id)
            if entry:
                self.counts["unchanged" if is_same(entry, row, label) else "changed"] += 1
            else:
                self.counts["known" if sha256 in known else "new"] += 1


def is_same(entry: Entry, row: Row, label: str) -> bool:
    """Whether an entry says what the row says."""
    return all(getattr(entry, name) == value for name, value in fields_of(row, label).items())


def fields_of(row: Row, label: str) -> dict:
    """The fields of an entry that a row sets."""
    return {
        "label": label,
        "age": row.age,
        "sex": row.sex,
        "skin_type": row.skin_type,
        "ethnicity": row.ethnicity,
        "site": row.site,
        "is_proven": row.is_proven,
        "confirmed_by": row.confirmed_by,
        "subtype": row.subtype,
        "icd10": row.icd10 or (BY_KEY[label].icd10 if label in BY_KEY else ""),
        "impression": row.impression,
        "text": row.text,
    }
