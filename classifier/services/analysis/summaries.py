"""What a lesion says of itself on lists: brought up to date whenever an analysis or a photo of it changes.

The rules are ``metrics.counting``; here are the rows.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from classifier.metrics.counting import EMPTY, UNFIT, PhotoAnswer, summary
from classifier.metrics.familiarity import is_unlike
from classifier.models import Analysis
from classifier.services.analysis.assessments import hidden_photo_ids
from skinclinic.imaging import Box
from skinclinic.kept_queries import kept
from skinclinic.models import Lesion, Member, Photo, User
from skinclinic.services import visits
from skinclinic.services.lesions import on_photos_changed
from skinclinic.services.photo_answers import LIKE, NOT_EVALUABLE, UNLIKE, Familiarity, PhotoTold

FIELDS = ("state", "answer_photo_id", "top_disease", "top_score", "malignant_sum", "set_aside")


@on_photos_changed
@transaction.atomic
def summarise(lesion_ids: Iterable[int]) -> None:
    """Bring these lesions up to date. Two answers that come at the same moment wait for one another here, so that
    the later one sees both. (They may hold the lesion for a photo of it already, which a lock for its key would
    wait for.)"""
    rows = Lesion.objects.select_for_update(no_key=True).filter(pk__in=set(lesion_ids)).order_by("pk")
    _write(list(rows.only("pk", "cover_id", *FIELDS)))


def told(user: User, member: Member, photos: Sequence[Photo]) -> dict[int, PhotoTold]:
    """The answer to each of a lesion's photos, as this member may see it."""
    hidden = hidden_photo_ids(user, member, photos)
    found = _answers(sorted({photo.lesion_id for photo in photos}))
    shown = {}
    for one in (one for answers in found.values() for one in answers if one.state != EMPTY):
        if one.scores is None or one.photo in hidden:
            shown[one.photo] = PhotoTold(one.state, is_hidden=one.scores is not None)
            continue
        top = max(one.scores, key=one.scores.__getitem__)
        shown[one.photo] = PhotoTold(
            one.state,
            False,
            one.set_aside,
            one.is_doubtful,
            top,
            one.scores[top],
            one.malignant,
            one.model,
            one.scores,
            state_of(one.unlike) == UNLIKE,
        )
    return shown


def familiarity(photos: Sequence[Photo]) -> dict[int, Familiarity]:
    """Whether photos are like the training photos of the model of their last answer, to their present square, by key.
    One query."""
    boxes = {photo.pk: photo.box for photo in photos}
    return {
        photo: Familiarity(state_of(far), far)
        for photo, x, y, size, far in _distances(sorted(boxes))
        if boxes[photo] == Box(x, y, size)
    }


def state_of(unlike: float | None) -> str:
    """One of ``photo_answers.STATES``, of an answer's ``unlike``."""
    if unlike is None:
        return NOT_EVALUABLE
    return UNLIKE if is_unlike(unlike) else LIKE


@kept
def _distances(photos: list[int]) -> QuerySet[Analysis, tuple[int, int, int, int, float | None]]:
    """Of each answer, the last one last."""
    rows = Analysis.objects.filter(photo__in=photos, job__isnull=False, scores__isnull=False).order_by("pk")
    return rows.values_list("photo_id", "box_x", "box_y", "box_size", "unlike")


def is_unfit(photo: Photo) -> bool:
    """Whether an analysis found nothing to judge on the photo's square."""
    answers = _answers([photo.lesion_id])[photo.lesion_id]
    return any(one.set_aside == UNFIT for one in answers if one.photo == photo.pk)


def _write(lesions: list[Lesion]) -> None:
    """Write the summaries that are not as they should be."""
    answers = _answers([row.pk for row in lesions])
    changed = []
    for row in lesions:
        values = summary(answers[row.pk], row.cover_id)
        if any(getattr(row, name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(row, name, value)
            changed.append(row)
    if changed:
        names = ["answer_photo" if name == "answer_photo_id" else name for name in FIELDS]
        Lesion.objects.bulk_update(changed, names)


def _answers(lesion_ids: list[int]) -> dict[int, list[PhotoAnswer]]:
    """Every photo of the lesions with its answer, by lesion."""
    photos = Photo.objects.filter(lesion__in=lesion_ids).only(
        "lesion", "kind", "captured_at", "created_at", "width", "height", "box_x", "box_y", "box_size"
    )
    boxes = {photo.pk: photo.box for photo in photos}
    rows: Any = Analysis.objects.filter(photo__lesion__in=lesion_ids, job__isnull=False).order_by("pk")
    newest: dict[int, dict[str, Any]] = {}
    for row in rows.values(
        "photo_id", "box_x", "box_y", "box_size", "scores", "quality", "job__state", "model_version__name",
        "unlike",
    ):  # fmt: skip
        if boxes.get(row["photo_id"]) != Box(row["box_x"], row["box_y"], row["box_size"]):
            continue
        # While it is analysed again the last answer stands.
        before = newest.get(row["photo_id"], {})
        kept = (
            {name: before.get(name) for name in ("scores", "quality", "model_version__name", "unlike")}
            if row["scores"] is None
            else {}
        )
        newest[row["photo_id"]] = row | kept | {"state": "done" if row["scores"] else row["job__state"]}
    answers = defaultdict(list)
    for photo in photos:
        row = newest.get(photo.pk, {})
        day = visits.day_of(photo.captured_at, photo.created_at)
        answers[photo.lesion_id].append(
            PhotoAnswer(
                photo.pk,
                day,
                photo.kind,
                row.get("state", EMPTY),
                row.get("scores"),
                row.get("quality"),
                row.get("model_version__name") or "",
                row.get("unlike"),
            )
        )
    return answers
