"""A reader's own result after closing: what was right, beside the group and the model; nothing of any other reader."""

from collections import defaultdict
from dataclasses import dataclass

from reader_study import asked
from reader_study.models import Answer, Reader, Reading, Study, StudyImage, StudySession

# In a smaller group its mean would tell what the others did.
LEAST_IN_GROUP = 3


@dataclass(frozen=True)
class Share:
    """So many right of ``n``; a missing answer counts as wrong."""

    right: int
    n: int

    @property
    def value(self) -> float | None:
        return self.right / self.n if self.n else None


@dataclass(frozen=True)
class OwnResult:
    """Of one session: the reader's own accuracy, all and by disease (key, own, model), the group's mean and its
    size, the model's first choice on the same photos."""

    session: StudySession
    own: Share
    missing: int
    group_mean: float | None
    group_size: int
    model: Share | None
    diseases: tuple[tuple[str, Share, Share | None], ...]


def may_see(reader: Reader) -> bool:
    """Only after closing, if the study allows it, and of a reader who counts."""
    study = reader.study
    return (
        study.is_closed
        and study.shows_own_result
        and study.origin == Study.Origin.RUN
        and not reader.is_preview
        and reader.withdrawn_at is None
    )


def of(reader: Reader) -> list[OwnResult]:
    """One for each session that the reader began, counted like the study's results: what is no diagnosis, or came too
    late, is missing; a patient whom the reader knew counts nowhere."""
    images = {image.number: image for image in StudyImage.objects.counted().filter(study=reader.study_id)}
    colleagues = Reader.objects.counted().filter(study=reader.study_id, group=reader.group_id)
    found = []
    for session in StudySession.objects.filter(study=reader.study_id).order_by("number"):
        readings = Reading.objects.filter(session=session, reader__in=colleagues)
        answers: dict[int, dict[int, str]] = defaultdict(dict)
        known: dict[int, set[int]] = defaultdict(set)
        rows = Answer.objects.given().filter(reading__in=readings)
        for pk, number, choice, timing, knows in rows.values_list(
            "reading", "image__number", "choice", "timing", "knows_patient"
        ):
            if knows:
                known[pk].add(number)
            elif timing != asked.LATE and choice not in asked.NO_DIAGNOSIS:
                answers[pk][number] = choice
        orders = {
            row.pk: (row.reader_id, [n for n in row.order if n in images and n not in known[row.pk]])
            for row in readings
            if answers[row.pk]
        }
        own = next((pk for pk, (one, _order) in orders.items() if one == reader.pk), None)
        if own is None:
            continue
        shares = [_share(answers[pk], images, order).value for pk, (_one, order) in orders.items()]
        mean = sum(value or 0.0 for value in shares) / len(shares)
        found.append(_of_session(reader, session, images, orders[own][1], answers[own], mean, len(shares)))
    return found


def _of_session(
    reader: Reader, session: StudySession, images: dict, order: list[int], given: dict, mean: float, size: int
) -> OwnResult:
    choices = reader.study.choices
    scored = (
        {n: _first_choice(images[n], choices) for n in order}
        if all(images[n].scores for n in order)
        else None
    )
    by_disease = []
    for key in choices:
        if numbers := [n for n in order if images[n].truth == key]:
            model = _share(scored, images, numbers) if scored else None
            by_disease.append((key, _share(given, images, numbers), model))
    return OwnResult(
        session,
        _share(given, images, order),
        sum(n not in given for n in order),
        mean if size >= LEAST_IN_GROUP else None,
        size,
        _share(scored, images, order) if scored else None,
        tuple(by_disease),
    )


def _first_choice(image: StudyImage, choices: list[str]) -> str:
    """The highest score among the choices; of equal ones the first."""
    scores = image.scores or {}
    return max(choices, key=lambda key: scores[key])


def _share(given: dict[int, str], images: dict[int, StudyImage], numbers: list[int]) -> Share:
    return Share(sum(given.get(n) == images[n].truth for n in numbers), len(numbers))
