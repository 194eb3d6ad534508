"""An answer in DICOM: the photo, a heatmap over it for each disease as Secondary Capture, the scores as Structured
Report. In English, so that the same rows make the same objects for every reader.

Heatmaps are pictures that say beside the disease which model drew them and that it does not diagnose. A Parametric Map
would carry their numbers, which are those of 7 × 7 places and no measure of anything in the patient; few viewers show
one, and none with these words.
"""

import io
import zipfile
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from django.utils import timezone, translation

from classifier.metrics.listing import listed
from classifier.models import Analysis
from classifier.presenters import cautions
from classifier.presenters.analysis_files import SET_ASIDE_WORDS, Drawn, heatmap_picture
from classifier.presenters.computed import in_words
from classifier.services.analysis import analyses, assessments
from classifier.services.models.card import validated_on
from skinclinic import imaging, permissions
from skinclinic.dicom.answers import Answer
from skinclinic.dicom.facts import PhotoFacts
from skinclinic.models import Photo, User
from skinclinic.services import codes, dicom_photos, image_archives
from skinclinic.vocabulary.diseases import DISEASE_KEYS, DISEASES

if TYPE_CHECKING:
    from skinclinic.dicom.objects import Made


def of_analysis(found: Analysis) -> "list[Made]":
    """The photo, its report and its heatmaps, the likeliest disease first. Whoever asks has checked that the answer may
    be seen. Raises OSError where the photo's file is gone."""
    # pydicom is loaded where an object is made; most processes make none.
    from skinclinic.dicom import objects

    facts = dicom_photos.facts_of(found.photo)
    photo = objects.photo(facts)
    return [photo, *answer_to(found, facts, photo)]


def told_of(found: Analysis) -> list[object]:
    """All that the objects are made of, without making them."""
    with translation.override("en"):
        facts = replace(dicom_photos.facts_of(found.photo), jpeg=b"")
        return [repr(facts), found.photo.file_key, repr(_answer(found))]


def answer_to(found: Analysis, facts: PhotoFacts, photo: "Made") -> "list[Made]":
    """The report and the heatmaps of an answer to the photo whose object is ``photo``."""
    # Loads highdicom, which most processes never need.
    from skinclinic.dicom import report

    with translation.override("en"):
        answer = _answer(found)
        return [report.report(facts, answer, photo.dataset), *_heatmaps(found, facts, photo, answer)]


def zipped(made: "Iterable[Made]") -> bytes:
    """As a ZIP, whose bytes are the same for the same objects."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for one in made:
            file.writestr(zipfile.ZipInfo(one.name), one.encoded())
    return out.getvalue()


def _heatmaps(found: Analysis, facts: PhotoFacts, photo: "Made", answer: Answer) -> "Iterable[Made]":
    from skinclinic.dicom import objects

    keys = sorted(answer.scores, key=lambda key: (-answer.scores[key], key))
    for number, key in enumerate(keys, start=1):
        picture = heatmap_picture(found, Drawn(key), over_photo=True)
        said = (
            f"Where {answer.model} looked for {answer.names[key]}, over the photo; not where the disease is"
        )
        yield objects.capture(
            facts,
            photo.dataset,
            found.pk * 100 + number,
            imaging.encode_jpeg(picture),
            said,
            f"heatmap-{key}.dcm",
        )


def _answer(found: Analysis) -> Answer:
    version, known = found.model_version, codes.table(found.clinic_id)
    chosen = version.usual_thresholds(found.clinic_id)
    says = [
        *([] if found.set_aside else cautions.of_answer(found)),
        f"Model: {version.name}" + (", a demo model" if version.is_demo else ""),
        f"Architecture: {version.architecture}",
        f"SHA-256 of its weights: {version.weights_sha256}",
        f"Computed with: {in_words(found.runtime, found.precision)}",
        f"Trained on: {version.manifest.get('trained_on') or 'not said'}",
        f"Validated on: {validated_on(version.manifest) or 'not said'}",
    ]
    if chosen:
        says.append(f"Thresholds {chosen.name}: {chosen.purpose}. {chosen.cohort}")
    if found.before_cover:
        says.append("The answer is of the photo before areas of it were covered")
    aside = found.set_aside
    return Answer(
        analysis=found.pk,
        at=timezone.make_naive(found.analysed_at or found.requested_at, timezone.get_default_timezone()),
        scores=found.scores or {},
        names={disease.key: disease.name_en for disease in DISEASES},
        codes={key: code for key in DISEASE_KEYS if (code := dicom_photos.coded(known.disease(key)))},
        square=(found.box_x, found.box_y, found.box_size),
        listed=listed(found.scores or {}, chosen.values) if chosen and not aside else [],
        thresholds=chosen.name if chosen and not aside else "",
        set_aside=str(SET_ASIDE_WORDS[aside]) if aside else "",
        model=version.name,
        version=version.weights_sha256[:12],
        facts=says,
    )


def may_send(user: User, photo: Photo) -> bool:
    """Whether there is an answer to the photo as it is now, and this person may see it."""
    found = _current(photo)
    member = permissions.membership(user, photo.clinic_id)
    return bool(found and member and assessments.may_see_answer(user, member, found))


def to_send(photo: Photo, facts: PhotoFacts, made: "Made") -> "list[Made]":
    """The objects of that answer; none where there is none any more."""
    found = _current(photo)
    return answer_to(found, facts, made) if found else []


def _current(photo: Photo) -> Analysis | None:
    return next((row for row in analyses.all_of(photo) if row.box == photo.box and row.is_done), None)


image_archives.answer_makers.append(image_archives.AnswerMaker(may_send, to_send))
