"""One door to all formats: photos and a table in, rows and problems out."""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from skinclinic.archive.formats import folders, known, one_hot, values
from skinclinic.archive.formats.columns import NEEDED, READERS, Reader, Words
from skinclinic.archive.formats.dicom_photos import DicomPhotos
from skinclinic.archive.formats.layouts import Layout
from skinclinic.archive.formats.photo_sets import PhotoSet
from skinclinic.archive.formats.problems import Problem, TableRefused, _
from skinclinic.archive.formats.rows import Row
from skinclinic.archive.formats.tables import Table

CSV, OWN_EXPORT = "csv", "skinclinic"

# (row number, the row or None, what keeps it out; beside a row what is to be said of it)
Read = tuple[int, Row | None, list[Problem]]


@dataclass
class Source:
    """An archive as it is read: its format and what a curator has said of it. ``words``, ``defaults``: see ``Reader``;
    ``level``: which folder names the disease (``folders``)."""

    format: str
    photos: PhotoSet
    table: Table | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    words: Words = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    level: int = 0

    @cached_property
    def layout(self) -> Layout:
        """How the table is read. Raises TableRefused when a column it needs is not there."""
        if self.table is None:
            return Layout(columns={"label": "", "file": ""}, labels=known.FOLDER_LABELS.get(self.format, {}))
        # In one order: a database may give them in any.
        columns = {
            name: unicodedata.normalize("NFC", self.columns[name])
            for name in READERS
            if self.columns.get(name)
        }
        if (layout := known.LAYOUTS.get(self.format)) is None:
            is_one_hot = columns.get("label") == one_hot.EACH_ITS_OWN
            self.table.require(*(column for column in columns.values() if column != one_hot.EACH_ITS_OWN))
            if missing := [name for name in NEEDED if name not in columns]:
                raise TableRefused(_("Say which column holds: %(fields)s."), fields=", ".join(missing))
            if is_one_hot:
                return self._one_hot(columns)
            return Layout(columns)
        # A mapping may have been made for another table.
        columns = {
            name: column
            for name, column in columns.items()
            if column in self.table.columns and column not in layout.levels.get(name, ())
        }
        if "label" in columns:
            layout = replace(
                layout,
                one_hot=(),
                weighted="",
                levels={k: v for k, v in layout.levels.items() if k != "label"},
            )
        if "file" in columns:
            layout = replace(layout, photos={})
        return replace(layout, columns={**layout.columns, **columns}).of(self.table)

    def _one_hot(self, columns: dict[str, str]) -> Layout:
        """A table of any kind whose diseases have a column each. Raises TableRefused where it has none."""
        assert self.table is not None
        if not (found := one_hot.columns_of(self.table)):
            raise TableRefused(
                _(
                    "There are no columns named by diseases that say 0 or 1. Choose the column of the diagnosis."
                )
            )
        return Layout({name: column for name, column in columns.items() if name != "label"}, one_hot=found)

    @cached_property
    def reader(self) -> Reader:
        """What reads the table, with all the words it has met. Raises TableRefused."""
        return Reader(self.layout, self.words, self.defaults, self._order())

    def _order(self) -> str:
        """Whether the day or the month comes first, where the column can be read in one way only; '' otherwise."""
        column = str(self.layout.columns.get("taken_on", ""))
        left = {values.DAY_FIRST, values.MONTH_FIRST}
        if self.table is None or not column:
            return ""
        for record in self.table.records():
            # A date that no order can read is an error of its own.
            left &= values.orders(record.cells.get(column, "")) or left
        return left.pop() if len(left) == 1 else ""

    @property
    def unread_columns(self) -> list[str]:
        """Columns of the table that are read into no field; all of them when its rows have been read."""
        if self.table is None:
            return []
        layout = self.layout
        used = layout.read_into_fields | {name for names in layout.levels.values() for name in names}
        used |= {name for names in layout.flags.values() for name in names} | {layout.weighted}
        return [name for name in (*self.table.columns, *self.table.more_columns) if name and name not in used]

    def rows(self, reader: Reader | None = None) -> Iterator[Read]:
        """All rows in their order. Raises TableRefused and PhotosRefused for the whole."""
        if self.table is None:
            yield from self._of_folders()
            return
        reader = reader or self.reader
        for record in self.table.records():
            for row, problems in reader.rows(record):
                yield record.number, row, problems

    def again(self) -> Iterator[Row]:
        """The rows that can be read, without counting their words a second time."""
        if self.table is None:
            if isinstance(self.photos, DicomPhotos):
                yield from (row for _number, row, _problems in self._of_dicom(self.photos) if row)
            return
        reader = Reader(self.layout, self.words, self.defaults, self.reader.order)
        for _number, row, _problems in self.rows(reader):
            if row is not None and not row.left_out:
                yield row

    def _of_folders(self) -> Iterator[Read]:
        if isinstance(self.photos, DicomPhotos):
            yield from self._of_dicom(self.photos)
            return
        if self.format == known.DERMOFIT and not self.level:
            found = folders.dermofit_rows(self.photos)
        else:
            found = folders.rows(self.photos, self.level or folders.HOLDS_THE_PHOTO)
        reader = Reader(self.layout, {}, self.defaults)
        for row in found:
            yield row.number, reader.with_defaults(row), []

    def _of_dicom(self, photos: DicomPhotos) -> Iterator[Read]:
        reader = Reader(self.layout, {}, self.defaults)
        for number, row, problems in photos.rows(self.level):
            yield number, row and reader.with_defaults(row), problems
