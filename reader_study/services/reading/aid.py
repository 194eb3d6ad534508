"""The model's answer to a photo of an aided session, shown after the reader's own first answer."""

from django.utils import timezone

from classifier.models import Analysis, ThresholdSet
from classifier.services.analysis import batch_analyses
from reader_study.models import Answer, Reading, StudyImage
from reader_study.services.making import operating
from reader_study.services.reading import reading as readings
from reader_study.services.reading.refusals import Refused


def analysis_at(reading: Reading, position: int) -> Analysis | None:
    """The compared model's analysis of the photo at ``position``; None when there is none.

    Raises Refused before the reader's first answer, NoSuchPhoto. The time it was first shown is stored.
    """
    readings.require_begun(reading)
    if not reading.session.is_aided:
        raise Refused("not_aided", reading)
    number = readings.number_at(reading.order, position)
    answer = (
        Answer.objects.filter(reading=reading, image__study=reading.reader.study_id, image__number=number)
        .exclude(first_choice="")
        .select_related("image__dataset_item__entry__patient", "image__dataset_item__entry__source")
        .first()
    )
    if answer is None:
        raise Refused("first_needed", reading)
    if answer.choice and not reading.reader.study.may_go_back:
        raise Refused("no_going_back", reading)
    readings.require_consent_of(answer.image, reading)
    analysis = _of_photo(reading, answer.image.photo_id)
    if analysis and answer.model_shown_at is None:
        Answer.objects.filter(pk=answer.pk, model_shown_at=None).update(model_shown_at=timezone.now())
    return analysis


def thresholds_of(reading: Reading) -> ThresholdSet | None:
    """What the model's scores are held against: only what opening fixed."""
    return operating.shown(reading.reader.study)


def practice_analysis_at(reading: Reading, position: int) -> Analysis | None:
    """The same for a practice photo, of which no answer is stored."""
    readings.require_prepared(reading)
    if not reading.session.is_aided:
        raise Refused("not_aided", reading)
    number = readings.number_at(reading.practice_order, position)
    image = StudyImage.objects.filter(study=reading.reader.study_id, number=number).first()
    if image:
        readings.require_consent_of(image, reading)
    return _of_photo(reading, image.photo_id if image else None)


def _of_photo(reading: Reading, photo_id: int | None) -> Analysis | None:
    version = reading.reader.study.model_version
    if version is None or photo_id is None:
        return None
    return next(batch_analyses.of_photos(version, [photo_id]), None)
