"""What a format is: which column holds which field, and the words its owner uses."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from skinclinic.archive.formats.tables import Table
from skinclinic.archive.formats.words.folding import fold

NEEDED = ("file", "label")


@dataclass(frozen=True)
class Layout:
    """Which column holds which field, and what the source's own words mean.

    ``columns``: the columns that may hold a field, the first that the table has is read. ``levels``: columns from the
    widest term to the narrowest, the narrowest that is known counts. ``one_hot``: columns of which one says 1, the
    name of that is the label. ``flags``: {field: {column: value}} of columns that say yes. ``photos``: several photos
    a row, {column of the file: its kind, or the column that says it}. ``weighted``: a column such as
    {'Eczema': 0.7, 'Psoriasis': 0.3}, of which the heaviest is the label.

    ``labels``: words for diseases that are of the 12 without anybody's decision, folded; ``words``: {field: {word
    folded: what we call it}}; ``fixed``: {field: what we call it} of what the source says of all its photos;
    ``says``: what the owner explains of a word that somebody has to decide on. ``joined_by``: the column by which a
    second table belongs to this one.
    """

    columns: Mapping[str, tuple[str, ...] | str]
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    one_hot: tuple[str, ...] = ()
    flags: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    photos: Mapping[str, str] = field(default_factory=dict)
    weighted: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    fixed: Mapping[str, str] = field(default_factory=dict)
    says: Mapping[str, str] = field(default_factory=dict)
    joined_by: str = ""

    def of(self, table: Table) -> "Layout":
        """The layout with the columns this table has. Raises TableRefused when one it needs is not there."""
        columns: dict[str, str] = {}
        for name, names in self.columns.items():
            names = (names,) if isinstance(names, str) else names
            if found := _there(table, names):
                columns[name] = found[0]
            elif name in NEEDED and not (name == "label" and self._labels_otherwise(table)):
                table.require(" / ".join(names))
        levels = {name: _there(table, names) for name, names in self.levels.items()}
        found_photos = {
            column: table.called(kind) or kind
            for name, kind in self.photos.items()
            if (column := table.called(name))
        }
        if self.photos and not found_photos:
            table.require(next(iter(self.photos)))
        if "label" not in columns and not self._labels_otherwise(table):
            table.require(self.weighted or (self.one_hot or self.levels["label"])[0])
        return replace(
            self,
            columns=columns,
            levels={name: names for name, names in levels.items() if names},
            one_hot=_there(table, self.one_hot),
            flags={
                name: {column: value for one, value in columns.items() if (column := table.called(one))}
                for name, columns in self.flags.items()
            },
            photos=found_photos,
            weighted=table.called(self.weighted) or "",
        )

    def _labels_otherwise(self, table: Table) -> bool:
        names = (*self.one_hot, *self.levels.get("label", ()), *([self.weighted] if self.weighted else []))
        return bool(_there(table, names))

    @property
    def label_column(self) -> str:
        """The column that errors of the label are named by."""
        narrowest = self.levels.get("label", ())[-1:]
        return str(self.columns.get("label") or self.weighted or " ".join(narrowest or self.one_hot[:1]))

    @property
    def read_into_fields(self) -> set[str]:
        """Columns of which nothing is lost: what they say is in a field."""
        used = {str(column) for column in self.columns.values()} | set(self.one_hot) | set(self.photos)
        return used | {kind for kind in self.photos.values()}


def _there(table: Table, names: Iterable[str]) -> tuple[str, ...]:
    """Those of the columns that a table has, as it spells them."""
    return tuple(column for name in names if (column := table.called(name)))


def words(**fields: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """{field: {word folded: what we call it}}."""
    return {name: {fold(word): ours for word, ours in found.items()} for name, found in fields.items()}


def labels(**diseases: str) -> dict[str, str]:
    """{word folded: disease key} from disease="word|word"."""
    return {fold(word): key for key, found in diseases.items() for word in found.split("|")}
