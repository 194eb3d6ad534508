"""Files of a study, looked at byte for byte before they leave: what no table, text or figure of it may tell."""

import logging
from collections.abc import Iterable, Iterator

from django.utils.translation import gettext as _

from reader_study.models import Study
from skinclinic.services.leaving_files import Watched
from skinclinic.services.patient_codes import is_of_person
from skinclinic.services.refused import Refused

log = logging.getLogger(__name__)
CODE, FILE, READER = "a patient's code", "a photo's file name", "a reader's name or address"


def watched(study: Study) -> Watched:
    """Of its photos the patients' codes and the files' names; of its readers names and addresses. A code that is
    spelt as the study's own pseudonyms or names of photos are cannot be told from those."""
    photos = study.images.values_list(
        "name", "patient", "photo__lesion__patient__code", "photo__original_name"
    )
    words: dict[str, str] = {}
    own: set[str] = set()
    for name, pseudonym, code, file in photos:
        own |= {name, pseudonym}
        words |= {code or "": CODE, file or "": FILE}
    own |= {f"P{number:04d}" for number in range(1, len(photos) + 1)}
    for name, email in study.readers.values_list("name", "email"):
        words[email] = READER
        # "Reader 3" names nobody.
        if is_of_person(name, numbers=False):
            words[name] = READER
    return Watched({word: what for word, what in words.items() if word not in own})


def checked(study: Study, files: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """The files as they are. Raises Refused, naming the first that tells what it may not."""
    known = watched(study)
    for name, content in files:
        if found := known.found_in(name, content):
            log.error("%s of study %d does not leave: it holds %s", name, study.pk, found)
            raise Refused("", refusal(name, found))
        yield name, content


def refusal(name: str, found: str) -> str:
    message = _(
        "The file %(name)s holds what may not leave (%(what)s), so nothing was sent. Look for it in the names and "
        "texts of the study."
    )
    return message % {"name": name, "what": found}
