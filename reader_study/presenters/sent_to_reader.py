"""What a reader's browser may receive of a session: the reader's own answers by position and, of each photo, age, sex
and site where the study tells them; nothing else. The bytes of a photo pass through ``blinding.py``, the model's answer
through ``services/reading/aid.py``.
"""

from statistics import median

from django.utils.translation import gettext as _

from reader_study.models import Answer, Reading, StudyImage
from reader_study.services.reading.reading import taken_out
from skinclinic.templatetags.ui import site_name
from skinclinic.vocabulary import ages

# The last answers whose time says how long the rest will take.
PACE_OF = 20


def state_of(reading: Reading, *, practice: bool) -> dict:
    """The state of a session as JSON; of practice photos nothing is known and nothing kept."""
    order = reading.practice_order if practice else reading.order
    study = reading.reader.study
    answers = {} if practice else _answers(reading)
    gone = taken_out(study.pk)
    return {
        "total": len(order),
        "answers": {position: answer_json(answer) for position, answer in answers.items()},
        "facts": _facts(study, order) if study.shown_facts else {},
        "pace": _pace(list(answers.values())),
        "after": study.choices_after,
        "limit": study.time_limit,
        "gone": [place for place, number in enumerate(order, start=1) if number in gone],
    }


def answer_json(answer: Answer | None) -> dict | None:
    """An answer as its reader knows it."""
    if answer is None:
        return None
    besides = {name: getattr(answer, name) for name in ("management", "quality", "knows_patient", "comment")}
    return {
        "number": answer.number,
        "choice": answer.choice,
        "second": answer.second,
        "confidence": answer.confidence,
        "first": answer.first_choice,
        # What was not asked has no place in it.
        **{name: value for name, value in besides.items() if value},
    }


def _answers(reading: Reading) -> dict[int, Answer]:
    places = {number: place for place, number in enumerate(reading.order, start=1)}
    rows = Answer.objects.filter(reading=reading).select_related("image")
    by_place = {places[row.image.number]: row for row in rows if row.image.number in places}
    return dict(sorted(by_place.items()))


def _facts(study, order: list[int]) -> dict[int, str]:
    rows = StudyImage.with_repeats.filter(study=study, number__in=order).select_related("dataset_item")
    images = {image.number: image for image in rows}
    found = {
        place: _fact(study, images[number]) for place, number in enumerate(order, start=1) if number in images
    }
    return {place: text for place, text in found.items() if text}


def _fact(study, image: StudyImage) -> str:
    """Age, sex and site in words, as far as the study tells them and they are known."""
    sexes = {"female": _("Female"), "male": _("Male")}
    told = {
        "age": ages.name(*image.age_range),
        "sex": sexes.get(image.sex, ""),
        "site": site_name(image.site) if image.site else "",
    }
    return " · ".join(
        told[name] for name in ("age", "sex", "site") if name in study.shown_facts and told[name]
    )


def _pace(answers: list[Answer]) -> float | None:
    """Median seconds of the last answers; None before there are three."""
    seconds = [answer.seconds for answer in answers if answer.choice and answer.seconds is not None]
    return round(median(seconds[-PACE_OF:]), 1) if len(seconds) >= 3 else None
