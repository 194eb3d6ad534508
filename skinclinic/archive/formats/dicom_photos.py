"""Photos in DICOM: what each file says of itself is its row. Pure; the files themselves are read by whoever opens them
here, in a process with limits.

Ids of the other system are kept as codes made of them, by which the same patient, lesion or photo is known again; what
names a person is not taken over, and told by the names of the attributes.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from skinclinic.archive.formats.folders import folder_of
from skinclinic.archive.formats.photo_sets import PhotoSet, Unreadable
from skinclinic.archive.formats.problems import Problem, _
from skinclinic.archive.formats.rows import Row
from skinclinic.imaging.sniff import kind_of

# The picture of an object may be stored as it is, three bytes a pixel.
MOST_BYTES = 160 << 20
KIND = kind_of(bytes(128) + b"DICM")
NO_DIAGNOSIS = "no diagnosis in the file"
NO_PHOTO = _("a DICOM object that is no photo (such as a report)")
BURNT_IN = _(
    "a DICOM photo that says that text is burnt into its picture; cover that and import it as a photo"
)
FRAMES = _("a DICOM object with several pictures; have each sent as a photo")
AGAIN = _("a DICOM object that is there already under another name")
_PASSED_OVER = {"no_photo": NO_PHOTO, "frames": FRAMES}
_REFUSED = {
    "damaged": _("cannot be read as DICOM (%(why)s); have it sent again"),
    "letters": _(
        "the patient’s ID or the diagnosis is not written in the character set that it names (%(name)s): patients"
        " might be taken for each other; have it sent again"
    ),
    "syntax": _(
        "its picture is packed in a way that is not read (%(name)s); have it sent as JPEG or unpacked"
    ),
    "no_picture": _("holds no picture"),
    "pixels": _("its picture has %(width)s × %(height)s pixels; at most %(most)s million are read"),
    "bits": _("its picture has %(count)s bits a colour; only 8 are read"),
}
_LETTERS = str.maketrans("0123456789", "ghkmnpqrst")
_NOT_TAKEN = _("not taken over, as it may lead to a person")

# f(bytes, with the picture?) -> (what the file says, the picture); see ``dicom.reading.read``.
Look = Callable[[bytes, bool], tuple[dict[str, Any], bytes]]
Read = tuple[int, Row | None, list[Problem]]


class DicomPhotos(PhotoSet):
    """The DICOM photos of a folder or ZIP; ``read`` gives their pictures. ``secret``: what codes are made with;
    ``sites``: {(code, scheme): site} as a clinic's own table has them."""

    def __init__(
        self, inner: PhotoSet, look: Look, secret: str, sites: Mapping[tuple[str, str], str] | None = None
    ):
        self.inner, self._look, self._secret, self._sites = inner, look, secret, sites or {}
        self._rows: list[Read] | None = None
        # Before the names are gone through: what lies there besides is told, too.
        others = {kind: names for kind, names in inner.passed_over.items() if kind != KIND}
        super().__init__((name, "") for name in inner.passed_over.get(KIND, []))
        if inner.names:
            others[_("a photo that is no DICOM file")] = list(inner.names)
        self.passed_over |= others

    def read(self, name: str, most: int) -> bytes:
        said, picture = self._look(self.inner.read(name, max(most, MOST_BYTES)), True)
        if said["problem"]:
            raise Unreadable(_REFUSED.get(said["problem"], "%(problem)s") % ({**said, **said["said"]}))
        return picture

    def close(self) -> None:
        self.inner.close()

    def rows(self, level: int = 0) -> Iterator[Read]:
        """A row for each photo; each file is looked at once. ``level``: which folder names the disease (``folders``);
        0: none, as folders of DICOM are often called by persons."""
        if self._rows is None:
            self._rows = list(self._read_rows())
        for number, row, problems in self._rows:
            said = folder_of(row.file, level) if row and level else ""
            yield number, replace(row, label=said) if row and said else row, problems

    def _read_rows(self) -> Iterator[Read]:
        seen: set[str] = set()
        for number, name in enumerate(list(self.names), start=1):
            try:
                said, _picture = self._look(self.inner.read(name, MOST_BYTES), False)
            except (Unreadable, ValueError) as error:
                text = _("cannot be read (%(error)s)")
                yield number, None, [Problem("", text, name, {"error": str(error)})]
                continue
            if why := self._why_passed_over(said, seen):
                self.passed_over.setdefault(why, []).append(name)
                self.names.remove(name)
            elif said["problem"]:
                yield number, None, [Problem("", _REFUSED[said["problem"]], name, said["said"])]
            else:
                yield number, self._row(number, name, said), list(_notes(said))

    def _why_passed_over(self, said: dict[str, Any], seen: set[str]) -> str:
        if said["problem"]:
            return _PASSED_OVER.get(said["problem"], "")
        if said["burnt_in"]:
            return BURNT_IN
        if said["object"] and said["object"] in seen:
            return AGAIN
        seen.add(said["object"])
        return ""

    def _row(self, number: int, name: str, said: dict[str, Any]) -> Row:
        own = (self._sites.get((value, scheme), "") for value, scheme in said["regions"])
        said["site"] = next(filter(None, own), said["site"])
        beside = {
            "laterality": said["laterality"], "procedure": said["procedure"], "object": said["class"],
            "device": said["device"], "anatomic region": said["site_words"],
        }  # fmt: skip
        return Row(
            number=number, file=name, external_id=self._code("photo", said["object"] or name),
            label=said["label"] or NO_DIAGNOSIS, patient=self._code("P", said["patient"]),
            lesion=self._code("L", said["lesion"]), age=said["age"], sex=said["sex"], site=said["site"],
            kind=said["kind"], taken_on=_date(said["day"]),
            columns={column: text for column, text in beside.items() if text.strip()},
        )  # fmt: skip

    def _code(self, kind: str, theirs: str) -> str:
        """A code that says nothing of the id it is made of; "" of none."""
        made = hashlib.sha256(f"{self._secret}/{kind}/{theirs}".encode()).hexdigest()[:16]
        # Letters alone: a row of digits might be somebody's number.
        return f"{kind}-{made.translate(_LETTERS)}" if theirs else ""


def _notes(said: dict[str, Any]) -> Iterator[Problem]:
    for keyword in said["identifying"]:
        yield Problem(keyword, _NOT_TAKEN)
    if said["day"] and _date(said["day"]) is None:
        yield Problem(
            "", _("names a day that there is not, or that has not come yet; none is taken"), said["day"]
        )
    if said["site_words"] and not said["site"]:
        yield Problem(
            "", _("no body site that is known; the text stays beside the photo"), said["site_words"]
        )


def _date(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if date(1900, 1, 1) <= found <= date.today() else None  # noqa: DTZ011 - a day, wherever it is
