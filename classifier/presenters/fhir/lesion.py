"""All that is told of one lesion, in one Bundle."""

from django.utils import timezone

from classifier.presenters.fhir import answers, people, photos, proof, rows
from classifier.presenters.fhir.teller import Teller
from skinclinic.fhir.parts import Json, bundle, entry, issue, outcome
from skinclinic.files import store
from skinclinic.models import Lesion
from skinclinic.web.counts import ngettext

# Of photos in one file; what is more is told and fetched by its address.
MOST_BYTES = 50 * 1024 * 1024


def everything(lesion: Lesion, teller: Teller) -> tuple[list[Json], list[Json]]:
    """(resources, outcomes): patient, lesion, photos, pathology and, as far as the person may see them, answers with
    their models and provenance. An outcome tells what was kept back."""
    found = [people.patient(row, teller) for row in rows.patients().filter(lesions=lesion)]
    found += [people.body_structure(row, teller) for row in rows.lesions().filter(pk=lesion.pk)]
    found += [photos.media(row, teller) for row in rows.photos().filter(lesion=lesion)]
    found += [proof.pathology(row, teller) for row in rows.pathologies().filter(lesion=lesion)]
    analyses = list(rows.analyses().filter(photo__lesion=lesion))
    hidden = teller.hidden(analyses)
    shown = [row for row in analyses if row.photo_id not in hidden]
    models = {row.model_version_id: row.model_version for row in shown}
    found += [answers.device(version, teller) for version in models.values()]
    for row in shown:
        found += [answers.report(row, teller), *answers.scores(row, teller)]
        if row.is_done:
            found.append(answers.provenance(row, teller))
    return found, kept_back(len(analyses) - len(shown))


def kept_back(count: int) -> list[Json]:
    """What is said where answers are left out until the own impression; nothing of none."""
    if not count:
        return []
    text = ngettext(
        "%(count)d answer is left out: your own impression comes first.",
        "%(count)d answers are left out: your own impression comes first.",
        count,
    )
    return [outcome(issue("suppressed", text % {"count": count}, severity="information"))]


def as_bundle(lesion: Lesion, teller: Teller, *, with_files: bool) -> Json:
    """For the API a search set whose files are fetched by their addresses; ``with_files``: a collection that stands
    alone, with the photos themselves."""
    found, outcomes = everything(lesion, teller)
    kind, modes = ("collection", ("", "")) if with_files else ("searchset", ("match", "outcome"))
    if with_files:
        files, left = _files(lesion)
        found, outcomes = found + files, outcomes + left
    entries = [entry(teller.base, one, modes[0]) for one in found]
    return bundle(kind, entries + [entry(teller.base, one, modes[1]) for one in outcomes], at=timezone.now())


def _files(lesion: Lesion) -> tuple[list[Json], list[Json]]:
    """The photos as resources, and what is said of those that are too many or cannot be read."""
    files: list[Json] = []
    size = left = 0
    for photo in rows.photos().filter(lesion=lesion):
        try:
            content = store.read(photo.file_key) if size < MOST_BYTES else b""
        except OSError:
            content = b""
        size += len(content)
        if content:
            files.append(photos.binary(f"photo-{photo.pk}", "image/jpeg", content, lesion))
        else:
            left += 1
    if not left:
        return files, []
    text = ngettext(
        "%(count)d photo is not in this file: too large, or it cannot be read. Fetch it by its address.",
        "%(count)d photos are not in this file: too large, or they cannot be read. Fetch them by their addresses.",
        left,
    )
    return files, [outcome(issue("incomplete", text % {"count": left}, severity="warning"))]
