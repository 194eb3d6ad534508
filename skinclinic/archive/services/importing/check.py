"""Checking an import as a whole before anything is written.

The result is a plan: a file with one JSON line for each row to write; a list of what the source changed; and a report
for people.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

from skinclinic import imaging
from skinclinic.archive import labels
from skinclinic.archive.formats.columns import LEAVE_OUT, LEAVE_OUT_ROW
from skinclinic.archive.formats.encodings import NotCertain
from skinclinic.archive.formats.joined import Joined
from skinclinic.archive.formats.photo_sets import Ambiguous, FileTooLarge, PhotoSet, Unreadable
from skinclinic.archive.formats.problems import PhotosRefused, Problem, TableRefused, _
from skinclinic.archive.formats.reading import Source as Reading
from skinclinic.archive.formats.rows import Row
from skinclinic.archive.models import Entry, Import
from skinclinic.archive.services.curating import vocabulary
from skinclinic.archive.services.curating.entries import labels_known
from skinclinic.archive.services.exporting import read_back
from skinclinic.archive.services.exporting.tables import SQUARE
from skinclinic.archive.services.importing import described, tables
from skinclinic.archive.services.importing.comparing import Comparing
from skinclinic.archive.services.importing.facts import Facts
from skinclinic.archive.services.importing.labelling import Labels
from skinclinic.archive.services.importing.names import Names
from skinclinic.archive.services.importing.photos import photos_of
from skinclinic.archive.services.importing.row_errors import Problems, refusal
from skinclinic.archive.services.importing.word_report import words_of
from skinclinic.services import decoding, identifying, patient_codes, scanning
from skinclinic.services.binning.taken import hashes_in_bin
from skinclinic.vocabulary import tags
from skinclinic.web.inputs import storable

MOST_FILES_NAMED = 200
MOST_LABELS_NAMED = 1000
_EVERY = 20
# What two rows of the same file may say differently.
_TELLING = ("patient", "lesion", "age", "sex", "skin_type", "site", "taken_on", "kind", "is_proven")
_AT_ONCE = 200


def check(row: Import, plan: Path, changes: Path, say: Callable[[int, int], None]) -> dict:
    """Read and decode everything; write the plan and the changes and return the report.

    ``say(done, total)`` is called now and then. The report: ``refused`` (a reason for the whole; with ``encodings``
    where a person has to say how the table is read) and ``errors`` (both as ``row_errors`` writes them),
    ``notes`` (written as errors are, of what keeps no row out), ``unknown_labels`` {word: rows} (the most
    frequent of ``unknown_label_count``; ``unknown_label_rows`` names some of their rows), ``words`` of
    other fields, ``unread_columns``, ``new_names`` (diseases new to the clinic), ``passed_over`` {kind of
    file: {count, names}}, ``not_taken`` {what of a description: names}, ``contradictions``,
    ``photo_notes`` {code of ``imaging.NOTES``: {count, names}},
    ``files_without_row``, ``kept_out`` (photos of rows that cannot be read), ``new``, ``unchanged``,
    ``changed``, ``kept``, ``changes`` {field: counts}, ``known`` (files that another source holds already),
    ``doubled`` (the same file twice), ``left_out``, ``labels``.
    """
    try:
        photos = photos_of(row)
    except PhotosRefused as refused:
        return {"refused": refusal(refused)}
    read: set[str] = set(read_back.FILES) if row.format == Import.Format.EXPORT else set()
    files, not_taken = described.told(plan.parent)
    read |= files
    try:
        table = tables.of(row, photos, plan.parent)
        source = Reading(row.format, photos, table, row.columns, row.words, row.defaults, row.level)
        read |= tables.names_of(row, photos, plan.parent)
        report = _Check(row, source, say).run(plan, changes)
        return report | {"not_taken": not_taken} | _passed_over(photos, read)
    except NotCertain as refused:
        return {"refused": refusal(refused), "encodings": refused.to_json(), **_passed_over(photos, read)}
    except (PhotosRefused, TableRefused) as refused:
        return {"refused": refusal(refused), **_passed_over(photos, read)}
    except FileNotFoundError:
        return {"refused": refusal(TableRefused(_("The table is no longer there.")))}
    finally:
        photos.close()


def _passed_over(photos: PhotoSet, read: set[str]) -> dict:
    """Files that are no photos, by what they are. Tables are among them; those that are ``read`` are not."""
    found = {}
    for kind, names in sorted(photos.passed_over.items()):
        if left := sorted(set(names) - read):
            found[kind] = {"count": len(left), "names": left[:MOST_FILES_NAMED]}
    return {"passed_over": found}


class _Check:
    def __init__(self, row: Import, source: Reading, say: Callable[[int, int], None]):
        self.row, self.source, self.photos, self.say = row, source, source.photos, say
        self.problems, self.notes = Problems(), Problems()
        self.names = Names(source.layout)
        self.counts: Counter = Counter()
        self.by_label: Counter = Counter()
        self.ids: set[str] = set()
        # Names that files of several folders have: those are told apart by their paths.
        self.in_several_folders: set[str] = set()
        self.used: set[str] = set()
        # SHA-256: the row that has it first, its label and what else it says (``_TELLING``)
        self.hashes: dict[str, tuple[int, str, tuple]] = {}
        self.labels = Labels(row, dict(source.layout.labels))
        self.facts = Facts()
        self.subtypes = vocabulary.subtype_spellings(row.clinic)
        self.doubled: list[list[int]] = []
        self.photo_notes: dict[str, dict] = {}
        # Photos that the source has here already: a table alone may speak of them.
        self.there = {}
        if not row.photos and row.source_id:
            there = Entry.objects.filter(source=row.source_id).order_by()
            self.there = dict(there.values_list("external_id", "photo__sha256"))
        # Rows that are fine, until a few are looked up in the archive together.
        self.to_compare: list[tuple[Row, str, str]] = []

    def run(self, plan: Path, changes: Path) -> dict:
        total = len(self.photos.names)
        self.facts.gather(self._named(self.source.again()))
        with plan.open("w", encoding="utf-8") as file, changes.open("w", encoding="utf-8") as listed:
            self.comparing = Comparing(self.row, listed)
            for done, (number, row, problems) in enumerate(self.source.rows()):
                if done % _EVERY == 0:
                    self.say(done, total)
                for problem in problems:
                    if row is None or not row.left_out:
                        (self.notes if row else self.problems).add(number, problem)
                if row and (line := self._line(self.facts.complete(row))):
                    file.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")
            self._compare()
        if not self.ids and not self.problems.total:
            raise TableRefused(_("There is no row to import."))
        kept_out = self._kept_out()
        named = self.used | kept_out
        without = [name for name in self.photos.names if name not in named]
        unknown = self.labels.unknown
        return {
            "errors": self.problems.to_json(),
            "notes": self.notes.to_json(),
            "new_names": [name for name in self.by_label if self.labels.is_new(name)][:MOST_LABELS_NAMED],
            "unknown_labels": dict(unknown.most_common(MOST_LABELS_NAMED)),
            "unknown_label_count": len(unknown),
            "unknown_label_rows": {
                word: self.labels.rows[word] for word, _n in unknown.most_common(MOST_LABELS_NAMED)
            },
            "label_words": self._label_words(),
            "words": words_of(self.source),
            "unread_columns": self.source.unread_columns[:MOST_FILES_NAMED],
            "second_without_row": self._second(),
            **self.facts.report(),
            "files_without_row": without[:MOST_FILES_NAMED],
            "files_without_row_count": len(without),
            "kept_out": len(kept_out - self.used),
            "doubled": self.doubled,
            "photo_notes": dict(sorted(self.photo_notes.items())),
            "labels": dict(sorted(self.by_label.items(), key=lambda item: labels.order(item[0]))),
            **{
                name: self.counts[name]
                for name in ("new", "unchanged", "changed", "known", "doubled_count", "left_out")
            },
            **self.comparing.report(),
        }

    def _named(self, rows: Iterator[Row]) -> Iterator[Row]:
        """The rows as they are; notes on the way which names stand for files of several folders."""
        files: dict[str, str] = {}
        for row in rows:
            if files.setdefault(row.external_id, row.file) != row.file and row.file.endswith(row.external_id):
                self.in_several_folders.add(row.external_id)
            yield row

    def _told_apart(self, row: Row) -> Row:
        """The row, called by the path of its file where the name alone is that of several; by no person's name."""
        if row.external_id in self.in_several_folders and len(row.file) > len(row.external_id):
            row = replace(row, external_id=row.file.replace("\\", "/")[-200:])
        return replace(row, external_id=identifying.name_in_source(row.external_id))

    def _look_at_code(self, row: Row) -> None:
        """What the source calls the patient must not lead to a person; what looks like a name is shown before anything
        is imported."""
        column = str(self.source.layout.columns.get("patient", ""))
        reason = patient_codes.refused(row.patient)
        if reason in (patient_codes.MARKS, patient_codes.LOST):
            message = _(
                "the patient's code holds a character that cannot be seen or was lost (�); have it sent as UTF-8"
            )
            self._problem(row, message, column=column)
        elif reason:
            message = _(
                "the patient is called by an e-mail address, a telephone or a resident number; use a code"
            )
            self._problem(row, message, column=column)
        elif patient_codes.doubtful(row.patient):
            message = _("looks like a person's name; import it only if it names nobody")
            self._note([Problem(column, message)], row)

    def _label_words(self) -> list[dict]:
        """Words for diseases that are understood, with what they mean; and what the owner says of the others."""
        says = self.source.layout.says
        known = [{"word": w, "count": n, "means": label} for w, (label, n) in self.labels.read.items()]
        asked = [{"word": word, "says": says[word]} for word in self.labels.unknown if word in says]
        return [*known, *asked]

    def _kept_out(self) -> set[str]:
        """Photos whose rows hold a cell that cannot be read: they have a row, and wait for its correction."""
        wanted = filter(None, self.source.reader.kept_out if self.source.table else ())
        return set(filter(None, map(self._found, wanted)))

    def _second(self) -> list[str]:
        table = self.source.table
        return table.unmatched[:MOST_FILES_NAMED] if isinstance(table, Joined) else []

    def _line(self, row: Row) -> dict | None:
        """What to write for a row; None when it has an error, is left out or is a copy."""
        before = self.problems.total
        texts = [value for value in asdict(row).values() if isinstance(value, str)]
        if not all(storable(text) for text in (*texts, *row.columns, *row.columns.values())):
            self._problem(row, _("holds characters that cannot be stored"))
            return None
        row = self._told_apart(row)
        self._look_at_code(row)
        if self._is_further_lesion(row):
            return None
        label = None if row.left_out else self.labels.of(row)
        is_left_out = row.left_out or (label is not None and label[0] == LEAVE_OUT)
        if label is None and not row.left_out and not row.label:
            self._no_label(row)
        for tag in set(tags.parts(row.tags)) - set(tags.TAG_KEYS):
            self._problem(row, _("no tag; there are: %(tags)s"), tag, tags=", ".join(tags.TAG_KEYS))
        # A row that is not wanted may name a photo that is not there.
        name = self._name(row, is_wanted=not is_left_out)
        if name:
            self.used.add(name)
        if is_left_out:
            self.counts["left_out"] += 1
            return None
        sha256 = self._readable(row, name) if name else self.there.get(row.external_id, "")
        if label is None or not sha256 or self.problems.total > before:
            return None
        if sha256 in self.hashes:
            self._copy(row, label[0], *self.hashes[sha256])
            return None
        self._note(self.names.of(row), row)
        subtype = labels.tidy(label[1])
        row = replace(row, terms=(), subtype=self.subtypes.get((label[0], subtype.casefold()), subtype))
        self.hashes[sha256] = (row.number, label[0], tuple(getattr(row, name) for name in _TELLING))
        self.by_label[label[0]] += 1
        self.to_compare.append((row, label[0], sha256))
        if len(self.to_compare) >= _AT_ONCE:
            self._compare()
        told = {"of_patient": self.facts.of_patient(row), "of_lesion": self.facts.of_lesion(row)}
        return {**asdict(row), "label": label[0], "file": name, "upload_sha256": sha256, **told}

    def _is_further_lesion(self, row: Row) -> bool:
        """Whether an earlier row has the photo, of which this one is another square; that is said. Another row of the
        same name is an error."""
        is_known = row.external_id in self.ids
        self.ids.add(row.external_id)
        if is_known and row.columns.get(SQUARE):
            message = _(
                "a further lesion of a photo that an earlier row has; a photo is imported once, this is left out"
            )
            self._note([Problem(SQUARE, message, row.file)], row)
            self.counts["left_out"] += 1
            return True
        if is_known:
            self._problem(row, _("an earlier row has a photo of this name"), row.external_id)
        return False

    def _problem(
        self, row: Row, message: str, value: str = "", *, column: str = "", **params: object
    ) -> None:
        self.problems.add(row.number, Problem(column, message, value, params))

    def _note(self, notes: list[Problem], row: Row) -> None:
        for note in notes:
            self.notes.add(row.number, note)

    def _name(self, row: Row, *, is_wanted: bool) -> str | None:
        if not self.row.photos and row.external_id in self.there:
            return None
        try:
            if name := self.photos.find(row.file):
                return name
            message = _("this photo is not there")
        except Ambiguous:
            message = _("several photos have this name; write the folder too")
        if is_wanted and self.row.defaults.get("missing") == LEAVE_OUT_ROW:
            self._note([Problem("", _("this photo is not there; the row is left out"), row.file)], row)
            self.counts["left_out"] += 1
        elif is_wanted:
            self._problem(row, message, row.file)
        return None

    def _no_label(self, row: Row) -> None:
        if self.source.layout.one_hot:
            self._problem(row, _("none of the columns of diseases says 1"))
            return
        weighted = self.source.layout.weighted
        message = _("names no disease, or several that weigh the same") if weighted else _("is empty")
        self._problem(row, message, column=self.source.layout.label_column)

    def _found(self, file: str) -> str | None:
        try:
            return self.photos.find(file)
        except Ambiguous:
            return None

    def _copy(self, row: Row, label: str, first: int, first_label: str, told: tuple) -> None:
        """The same file again: passed over, unless the two rows give it different labels. What else they say
        differently is told."""
        if label != first_label:
            message = _("an earlier row gives the same photo another label")
            self._problem(row, message, f"{row.file} ↔ {first}")
            return
        for name, before in zip(_TELLING, told, strict=True):
            if (value := getattr(row, name)) != before:
                column = str(self.source.layout.columns.get(name, name))
                message = _("the same file as row %(row)s, which says otherwise; that row holds")
                self.notes.add(
                    row.number, Problem(column, message, f"{before or '–'} ↔ {value or '–'}", {"row": first})
                )
        self.counts["doubled_count"] += 1
        if len(self.doubled) < MOST_FILES_NAMED:
            self.doubled.append([first, row.number])

    def _readable(self, row: Row, name: str) -> str:
        """The file's SHA-256, or "" and a problem."""
        try:
            data = self.photos.read(name, imaging.MAX_BYTES)
            scanning.check([data], name, clinic=self.row.clinic)
            notes = decoding.check(data)
        except FileTooLarge:
            self._problem(row, _("larger than %(most)s MB"), name, most=imaging.MAX_BYTES >> 20)
        except imaging.PhotoRejected as rejected:
            self.problems.add(row.number, Problem("", imaging.MESSAGES[rejected.code], name, rejected.params))
        except Unreadable as error:
            self._problem(row, _("cannot be read (%(error)s)"), name, error=str(error))
        else:
            sha256 = imaging.sha256(data)
            if not row.sha256 or row.sha256.casefold() == sha256:
                self._note_photo(name, notes)
                return sha256
            self._problem(row, _("not the file that the table describes"), name, column="sha256")
        return ""

    def _note_photo(self, name: str, notes: Iterable[str]) -> None:
        """A photo will not be stored as it came, in a way that a person should know."""
        for code in set(notes) - imaging.USUAL_NOTES:
            found = self.photo_notes.setdefault(code, {"count": 0, "names": []})
            found["count"] += 1
            if len(found["names"]) < MOST_FILES_NAMED:
                found["names"].append(name)

    def _compare(self) -> None:
        """Count what the rows that wait would change in the archive."""
        rows, self.to_compare = self.to_compare, []
        entries = self.comparing.entries([row.external_id for row, _label, _sha256 in rows])
        hashes = [sha256 for _row, _label, sha256 in rows]
        known, binned = labels_known(self.row.clinic_id, hashes), hashes_in_bin(self.row.clinic_id, hashes)
        there = [
            (entries[row.external_id], row, label) for row, label, _sha in rows if row.external_id in entries
        ]
        changed = self.comparing.compare(there)
        self.counts["changed"] += changed
        self.counts["unchanged"] += len(there) - changed
        for row, label, sha256 in rows:
            if entry := entries.get(row.external_id):
                if sha256 not in (entry.photo.sha256, entry.content_sha256):
                    message = _(
                        "another file than the one the archive has under this name; the archive keeps its own"
                    )
                    self.notes.add(row.number, Problem("", message, row.file))
                continue
            self.counts["known" if sha256 in known else "new"] += 1
            if sha256 in binned:
                self.notes.add(
                    row.number, Problem("", _("this file lies in the bin; restore it there"), row.file)
                )
            elif sha256 in known:
                self._known_already(row, label, known[sha256])

    def _known_already(self, row: Row, label: str, there: str) -> None:
        """A file that the archive has from elsewhere: nothing that its row says is taken over there."""
        if there in ("", label):
            message = _("the archive has this file already; what the row says changes nothing there")
            self.notes.add(row.number, Problem("", message, row.file))
        else:
            message = _("the archive has this file already, under another label, which stays there")
            self.notes.add(row.number, Problem("", message, f"{row.file}: {label} ↔ {there}"))
