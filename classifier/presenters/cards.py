"""The card of an uploaded photo: where it is on its way to a result, and the result in three lines."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from classifier.models import Analysis
from classifier.presenters.result import answer_view, chosen_thresholds
from classifier.services.analysis.analyses import JOB
from classifier.services.analysis.assessments import hidden_photo_ids
from classifier.services.analysis.summaries import state_of
from skinclinic import jinja
from skinclinic.engine import jobs
from skinclinic.models import Job, Photo
from skinclinic.services.photo_answers import UNLIKE
from skinclinic.web.requests import SignedInRequest

NO_MODEL = "no_model"
UNFINISHED = (Job.State.QUEUED, Job.State.RUNNING)
LISTED_ON_A_CARD = 3

FILE_LOST = _(
    "The stored file of this photo is missing or damaged. Send the same file again: it is stored anew and analysed."
)
# Why an analysis failed, by the job's error code, for a clinician.
FAILURES = {
    "photo_unreadable": FILE_LOST,
    "scores_not_finite": _(
        "The model gave no usable numbers for this photo. Try again or choose another crop."
    ),
    "out_of_memory": _("The engine had not enough memory for this photo. Try again later."),
    "storage_full": _("The engine's disk is full. The photos are safe; tell your administrator."),
    "worker_died": _("The engine stopped three times at this photo. Try again, or tell your administrator."),
}
FAILED = _("The engine could not analyse this photo. Try again, or tell your administrator.")

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True)
class Card:
    """``state``: queued, running, done, failed or no_model. ``position`` is the place in the queue, 1 = next.

    ``listed`` are the first diseases above their thresholds; ``hidden``: the own impression comes first.
    """

    photo: Photo
    state: str
    may_edit: bool
    engine_online: bool = True
    position: int | None = None
    failure: "StrOrPromise" = ""
    hidden: bool = False
    listed: tuple = ()
    more_listed: int = 0
    verdict: str = ""
    warnings: tuple[str, ...] = ()
    background_is_large: bool = False
    is_unlike: bool = False
    set_aside: str = ""

    @property
    def is_finished(self) -> bool:
        return self.state not in UNFINISHED

    @property
    def seen(self) -> str:
        """Changes whenever the card would look different."""
        parts = [self.state, self.position or "", "" if self.engine_online else "offline"]
        box, lesion = self.photo.box, self.photo.lesion
        filed = f"p{lesion.patient_id}.{lesion.pk}.{lesion.site}" if lesion.patient_id else ""
        return "-".join(
            str(part)
            for part in (*parts, box.x, box.y, box.size, "h" if self.hidden else "", self.photo.kind, filed)
        )


def cards_of(request: SignedInRequest, photos: Iterable[Photo]) -> list[Card]:
    """The cards of these photos, in their order, in a constant number of queries."""
    photos = list(photos)
    analyses = _current(photos)
    members = {member.clinic_id: member for member in request.memberships}
    by_clinic = defaultdict(list)
    for photo in photos:
        by_clinic[photo.clinic_id].append(photo)
    hidden = {
        pk
        for clinic, rows in by_clinic.items()
        for pk in hidden_photo_ids(request.user, members[clinic], rows)
    }
    positions = _positions(analyses.values())
    online = jobs.engine_online() if any(not analysis.is_done for analysis in analyses.values()) else True
    cards = []
    for photo in photos:
        analysis, may_edit = analyses.get(photo.pk), members[photo.clinic_id].can_edit
        if analysis is None:
            cards.append(Card(photo, NO_MODEL, may_edit))
        elif analysis.is_done:
            cards.append(_finished(request, photo, analysis, may_edit, photo.pk in hidden))
        else:
            cards.append(_waiting(photo, analysis, may_edit, positions, online))
    return cards


def card_json(request: HttpRequest, card: Card) -> dict:
    """A card for scripts: its facts and its HTML."""
    return {
        "id": card.photo.pk,
        "name": card.photo.original_name,
        "url": reverse("photo", args=[card.photo.pk]),
        "thumbnail": reverse("photo-thumbnail", args=[card.photo.pk]),
        "state": card.state,
        "position": card.position,
        "engine_online": card.engine_online,
        "finished": card.is_finished,
        "patient": card.photo.lesion.patient.code if card.photo.lesion.patient else "",
        "seen": card.seen,
        "html": jinja.draw("upload/card.html", {"card": card, "csrf_token": get_token(request)}),
    }


def _current(photos: list[Photo]) -> dict[int, Analysis]:
    """The newest analysis of each photo's current square, by photo."""
    rows = (
        Analysis.objects.asked_for()
        .filter(photo__in=photos)
        .defer("maps")
        .select_related("job", "model_version")
        .prefetch_related("model_version__threshold_sets")
        .order_by("id")
    )
    by_id = {photo.pk: photo for photo in photos}
    current = {row.photo_id: row for row in rows if row.box == by_id[row.photo_id].box}
    for pk, row in current.items():
        row.photo = by_id[pk]
    return current


def _positions(analyses: Iterable[Analysis]) -> dict[int, int]:
    """Place in the queue of each queued job, by job."""
    queued = [row.job.pk for row in analyses if row.job.state == Job.State.QUEUED]
    if not queued:
        return {}
    waiting = Job.objects.filter(kind=JOB, state=Job.State.QUEUED, id__lte=max(queued))
    line = list(waiting.order_by("id").values_list("id", flat=True))
    return {pk: bisect_left(line, pk) + 1 for pk in queued}


def _waiting(
    photo: Photo, analysis: Analysis, may_edit: bool, positions: dict[int, int], online: bool
) -> Card:
    return Card(
        photo,
        analysis.job.state,
        may_edit,
        engine_online=online,
        position=positions.get(analysis.job.pk),
        failure=FAILURES.get(analysis.job.error_code, FAILED),
    )


def _finished(
    request: SignedInRequest, photo: Photo, analysis: Analysis, may_edit: bool, hidden: bool
) -> Card:
    warnings = tuple((analysis.quality or {}).get("warnings", ()))
    if hidden:
        return Card(photo, Job.State.DONE, may_edit, hidden=True, warnings=warnings)
    sets = analysis.model_version.thresholds_for(analysis.clinic_id)
    view = answer_view(analysis, chosen_thresholds(request, sets))
    return Card(
        photo,
        Job.State.DONE,
        may_edit,
        listed=view.listed[:LISTED_ON_A_CARD],
        more_listed=max(0, len(view.listed) - LISTED_ON_A_CARD),
        verdict=view.verdict,
        warnings=warnings,
        background_is_large=view.background_is_large,
        is_unlike=state_of(analysis.unlike) == UNLIKE,
        set_aside=view.set_aside,
    )
