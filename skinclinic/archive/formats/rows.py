"""What a reader of a format gives: rows, or what is wrong with them."""

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class Row:
    """One photo as a table or folder describes it. ``number``: its row as a spreadsheet shows it (the header
    is row 1); for folders, its place. ``label``: the source's own word for the disease; ``terms``: that word and
    the wider ones it lies in, the narrowest first; ``file``: the name of the photo below the photos' folder.
    Empty text or None: not known (``kind``: not said). ``age_to``: the last year where the age is a range.
    ``columns``: what the table says in columns that are read into no field. ``left_out``: a curator does not want
    it. ``silent``: fields of which the source says nothing at all."""

    number: int
    file: str
    external_id: str
    label: str
    terms: tuple[str, ...] = ()
    patient: str = ""
    lesion: str = ""
    age: int | None = None
    age_to: int | None = None
    sex: str = ""
    skin_type: int | None = None
    ethnicity: str = ""
    site: str = ""
    taken_on: date | None = None
    kind: str = ""
    is_proven: bool = False
    confirmed_by: str = ""
    subtype: str = ""
    icd10: str = ""
    impression: str = ""
    text: str = ""
    # What an export of this product tells besides: keys of tags with blanks or commas between them, the stored file's
    # hash, the side of a split, a drawing.
    tags: str = ""
    sha256: str = ""
    split: str = ""
    is_synthetic: bool = False
    columns: dict[str, str] = field(default_factory=dict)
    left_out: bool = False
    silent: tuple[str, ...] = ()
