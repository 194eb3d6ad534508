"""How the files of a study were read, in words: for the console, the pages and the methods."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from reader_study.plots.study import disease_name
from reader_study.statistics.read_as import Note


def note_text(kept: Mapping[str, Any]) -> str:
    """A note, as a report keeps it, in the current language."""
    note = Note.from_json(kept)
    params = dict(note.params)
    if "disease" in params:
        params["disease"] = disease_name(params["disease"])
    return Note(note.message, params).text(_)


def texts(report: Mapping[str, Any]) -> list[str]:
    """What was made of the files that is no mistake of theirs."""
    return [note_text(one) for one in report.get("read_as", [])]


def sentences(report: Mapping[str, Any]) -> Iterator[str]:
    """The same for the methods."""
    if said := texts(report):
        yield _("How the files were read: %(said)s.") % {"said": "; ".join(said)}
