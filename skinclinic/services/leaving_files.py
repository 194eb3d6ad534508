"""What a file that leaves may not hold: the codes of its patients, names of people and of files, an address or a number
that leads to a person, and of a picture anything but the picture. Looked for in the bytes, whoever wrote them.
"""

import csv
import html
import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from PIL import Image

from skinclinic import imaging
from skinclinic.services.patient_codes import leads_to_person

# Shorter ones stand in many words and numbers.
SHORTEST = 5
# In bytes that are no text as they stand, chance writes short ones.
SHORTEST_IN_BYTES = 8
# Of TIFF: Exif, GPS, IPTC, XMP, Photoshop, who made it, on which machine, with what, when.
_NOT_OF_TIFF = frozenset((34665, 34853, 33723, 700, 34377, 315, 316, 271, 272, 306, 33432))
_HASH = re.compile(r"[0-9a-f]{32,128}")
_NUMBER = re.compile(r"[-+0-9.eE]*")


class Watched:
    """Words that may not leave, each with what it is: {"PAT-0042": "a patient's code"}."""

    def __init__(self, words: Mapping[str, str]):
        self.words = {word: what for word, what in words.items() if len(word) >= SHORTEST}

    def found_in(self, name: str, content: bytes) -> str:
        """What of it stands in a file or its name, in words for whoever reads English logs; "" for nothing."""
        folded = name.casefold()
        for word, what in self.words.items():
            if word.casefold() in folded:
                return what
        suffix = PurePosixPath(name).suffix.lower()
        if suffix in (".jpg", ".jpeg"):
            return imaging.beside_picture(content)
        if suffix == ".png":
            return imaging.beside_png(content) or self._in_bytes(content)
        if suffix in (".tif", ".tiff"):
            return _beside_tiff(content) or self._in_bytes(content)
        if suffix in (".xlsx", ".zip"):
            return self._in_zip(content)
        if suffix in (".pdf", ".eps", ".npz"):
            return self._in_bytes(content)
        return self._in_texts(_texts(suffix, content.decode("utf-8-sig", "replace")))

    def _in_texts(self, texts: Iterable[str]) -> str:
        together = []
        for text in texts:
            if _NUMBER.fullmatch(text) or _HASH.fullmatch(text):
                continue
            # Of whole documents only words that are known are looked for.
            if len(text) < 2000 and (reason := leads_to_person(text)):
                return reason
            together.append(text)
        whole = "\n".join(together)
        for word, what in self.words.items():
            if word in whole and re.search(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])", whole):
                return what
        return ""

    def _in_bytes(self, content: bytes) -> str:
        for word, what in self.words.items():
            if len(word) >= SHORTEST_IN_BYTES and word.encode() in content:
                return what
        return ""

    def _in_zip(self, content: bytes) -> str:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            found = (self.found_in(info.filename, archive.read(info)) for info in archive.infolist())
            return next(filter(None, found), "")


def _texts(suffix: str, text: str) -> Iterator[str]:
    if suffix == ".csv":
        for row in csv.reader(io.StringIO(text)):
            yield from row
    elif suffix == ".json":
        yield from _strings(json.loads(text))
    elif suffix in (".svg", ".xml", ".html", ".rels"):
        yield html.unescape(re.sub(r"<[^>]*>", "\n", text))
        # What attributes say.
        yield html.unescape(text)
    else:
        yield text


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def _beside_tiff(content: bytes) -> str:
    with Image.open(io.BytesIO(content)) as picture:
        tags = set(getattr(picture, "tag_v2", ()))
    return f"tags {sorted(tags & _NOT_OF_TIFF)}" if tags & _NOT_OF_TIFF else ""
