"""How views that both scripts and browsers without scripts use answer."""

from typing import Protocol

from django.http import HttpRequest

from skinclinic import imaging
from skinclinic.web.counts import gettext as _
from skinclinic.web.requests import is_from_script


def wants_page(request: HttpRequest) -> bool:
    """Whether a browser is on its way to a page; everybody else gets JSON."""
    return not is_from_script(request) and "text/html" in request.headers.get("Accept", "")


def refusal_words(refused: imaging.PhotoRejected | imaging.BoxRejected | imaging.CoverRejected) -> str:
    """Why a photo, box or cover was refused, in the reader's language."""
    params = {
        name: _(value) if value and isinstance(value, str) else value
        for name, value in refused.params.items()
    }
    return _(imaging.MESSAGES[refused.code]) % params


class HasNotes(Protocol):
    """A photo that was accepted: codes of ``imaging.NOTES``."""

    notes: list[str]


def notes_in_words(photo: HasNotes) -> list[str]:
    """What was changed when the photo was stored, in the reader's language."""
    return [_(imaging.NOTES[code]) for code in photo.notes if code in imaging.NOTES]


def notes_worth_a_look(photo: HasNotes) -> list[str]:
    """The same without what happens to nearly every photo of a phone and changes nothing that is seen."""
    return [
        _(imaging.NOTES[code])
        for code in photo.notes
        if code in imaging.NOTES and code not in imaging.USUAL_NOTES
    ]


def photo_not_stored() -> str:
    """What a full disk means to whoever sent a photo."""
    return _(
        "The server's disk is full, so the photo was not stored. Tell your administrator, then try again."
    )
