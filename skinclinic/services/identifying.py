"""What tells who a patient is, in codes, notes and names of files: the one rule of pages, API, import and capture.

Numbers and addresses that lead to a person are refused; what looks like a name has to be confirmed as none. A file's
name is nobody's to confirm when a hundred are sent: one that looks like a person's is not kept.
"""

from pathlib import PurePosixPath

from django.core.exceptions import ValidationError
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from skinclinic.services import patient_codes
from skinclinic.services.refused import Refused

REFUSED = {
    patient_codes.EMAIL: _("This holds an e-mail address. Use a code that does not tell who the patient is."),
    patient_codes.RESIDENT_NUMBER: _(
        "This looks like a resident registration number, which must not be stored here. Use a code of your own."
    ),
    patient_codes.PHONE: _(
        "This looks like a telephone number, which leads to a person. Use a code of your own."
    ),
    patient_codes.LOST: _(
        "A character of this was lost on the way (�): another code might look the same. Type it, or send it as UTF-8."
    ),
    patient_codes.MARKS: _(
        "This holds characters that cannot be seen or turn the direction of writing. Use one line of plain letters."
    ),
}
DOUBTFUL = {
    patient_codes.NAME: _(
        "This looks like a person's name. If it is only a code, tick the box below and save again."
    )
}
IN_TEXT = {
    patient_codes.EMAIL: _("This holds an e-mail address. Nothing here may tell who the patient is."),
    patient_codes.RESIDENT_NUMBER: _(
        "This holds what looks like a resident registration number, which must not be stored here."
    ),
    patient_codes.PHONE: _("This holds a telephone number. Nothing here may tell who the patient is."),
}
# What stands for a file's name that was not kept.
NAME_REMOVED = "name removed"


def require_usable(code: str) -> None:
    """Raise ValidationError for a code that must not be used at all; its code says why."""
    if reason := patient_codes.refused(code):
        raise ValidationError(REFUSED[reason], code=reason)


def require_no_name(code: str, *, confirmed: bool) -> None:
    """Raise ValidationError for a code that looks like a name, unless a person says that it is none."""
    doubt = patient_codes.doubtful(code)
    if doubt and not confirmed:
        raise ValidationError(DOUBTFUL[doubt], code=doubt)


def nobody_named(text: str) -> None:
    """Raise ValidationError for a note that holds what leads to a person. Of names in sentences nothing is guessed."""
    if reason := patient_codes.leads_to_person(text):
        raise ValidationError(IN_TEXT[reason], code=reason)


def require_nobody_named(field: str, text: str) -> None:
    """The same, as services refuse: raises Refused, naming the field."""
    try:
        nobody_named(text)
    except ValidationError as error:
        raise Refused(field, error.messages[0]) from None


def name_in_source(name: str) -> str:
    """What an archive's photo is called here: as there, or, where that is a person's name, something that tells the
    same photo again when the archive comes again. Long numbers are usual there."""
    path = PurePosixPath(name)
    if not patient_codes.is_of_person(path.stem, numbers=False):
        return name
    same = salted_hmac("skinclinic.name_in_source", name, algorithm="sha256").hexdigest()[:12]
    return f"{NAME_REMOVED} {same}{path.suffix[:12].lower()}"


def kept_file_name(name: str, *, numbers: bool = True) -> str:
    """A file's name as it may be stored: the name, or, where it looks like a person's or (``numbers``, which archives
    have in all their names) holds a date of birth or a long number, that it was removed."""
    path = PurePosixPath(name)
    if not patient_codes.is_of_person(path.stem, numbers=numbers):
        return name
    return f"{NAME_REMOVED}{path.suffix[:12].lower()}"
