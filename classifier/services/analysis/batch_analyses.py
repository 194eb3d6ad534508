"""Analyses of many photos by one model version: once a photo and model, in batches, taken up again after a kill.

They do not pass through the queue of the clinic's own photos, and they give way to it.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from classifier.models import Analysis, ModelVersion
from classifier.runtimes import memory, precisions
from classifier.services.analysis import analyses, features
from classifier.services.models import running
from skinclinic import imaging
from skinclinic.files import store
from skinclinic.models import Job, Photo

if TYPE_CHECKING:
    from classifier.analysing.pipeline import Outcome

# So many photos are looked up at a time, and so many are stored together: what a kill loses is a few seconds.
CHUNK = 96
_STORED_TOGETHER = 24
_LONGEST_WAIT = 5.0


@dataclass(frozen=True)
class Unreadable:
    """A photo that gave no analysis, and why."""

    photo: int
    reason: str


@memory.told()
def analyse(
    version: ModelVersion,
    photo_ids: Iterable[int],
    *,
    say: Callable[[int], None] = lambda done: None,
    give_way: bool = True,
    with_features: bool = False,
) -> list[Unreadable]:
    """Make sure that every photo's current square has its analysis by this version, in full precision, so that figures
    are the same on another machine; say how many are through.

    What is stored already is not computed again, so a run that was killed goes on where it was. Photos whose
    file cannot be read are returned. ``with_features``: a photo whose answer is from before features were kept
    is computed again for them; its answer stays. With ``give_way`` it pauses after each batch, five seconds at
    most, while photos of the clinics wait for their answer. Raises weights.ModelRejected for a model that cannot
    be run.
    """
    from classifier.analysing.batches import analyse_all

    runtime, unreadable, done = None, [], 0
    for ids in _chunks(photo_ids, CHUNK):
        missing = _without_analysis(version, ids, with_features)
        done += len(ids) - len(missing)
        say(done)
        if not missing:
            continue
        runtime = runtime or running.in_full(version.path, many=True)
        batches = analyse_all(runtime, missing, _open_crop)
        for results in _together(batches, wait_for_photos if give_way else None):
            unreadable += _store(version, results)
            done += len(results)
            say(done)
    return unreadable


def _together(batches: Iterator[list], after_each: Callable[[], None] | None) -> Iterator[list]:
    """Join batches to lists worth a transaction."""
    held: list = []
    for batch in batches:
        held += batch
        if len(held) >= _STORED_TOGETHER:
            yield held
            held = []
        if after_each:
            after_each()
    if held:
        yield held


def of_photos(
    version: ModelVersion | int, photo_ids: Iterable[int], *, maps: bool = False
) -> Iterator[Analysis]:
    """The finished analyses of these photos' current squares in full precision, one a photo, in no order; without
    ``maps`` they carry no heatmaps.

    Of a photo that has none, one from before precisions were kept; never one in another precision.
    """
    for ids in _chunks(photo_ids, 500):
        rows = (
            Analysis.objects.filter(
                model_version=version, photo__in=ids, scores__isnull=False, before_cover=False,
                precision__in=precisions.COUNTING,
            )
            .select_related("photo", "model_version")
            .order_by("pk")
        )  # fmt: skip
        if not maps:
            rows = rows.defer("maps")
        current = [row for row in rows if row.box == row.photo.box]
        # The last of the precisions is taken first.
        current.sort(key=lambda row: precisions.COUNTING.index(row.precision))
        chosen = {row.photo_id: row for row in current}
        yield from chosen.values()


def _chunks(ids: Iterable[int], size: int) -> Iterator[list[int]]:
    chunk: list[int] = []
    for pk in ids:
        chunk.append(pk)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _without_analysis(version: ModelVersion, ids: list[int], with_features: bool) -> list[Photo]:
    made = {row.photo_id for row in of_photos(version, ids) if row.precision == precisions.F32}
    if with_features:
        made -= features.lacking(version, Photo.objects.filter(pk__in=ids))
    return list(Photo.objects.filter(pk__in=[pk for pk in ids if pk not in made]).order_by("pk"))


def _open_crop(photo: Photo):
    return imaging.crop(imaging.open_rgb(store.read(photo.file_key)), photo.box)


def _store(version: ModelVersion, batch: "list[tuple[Photo, Outcome | Exception]]") -> list[Unreadable]:
    """Store what came of a batch. One that was asked for meanwhile keeps its row and its job."""
    unreadable, new, vectors = [], [], {}
    for photo, outcome in batch:
        if isinstance(outcome, Exception):
            unreadable.append(Unreadable(photo.pk, str(outcome)))
            continue
        box = photo.box
        row = Analysis(
            clinic_id=photo.clinic_id, photo=photo, model_version=version,
            box_x=box.x, box_y=box.y, box_size=box.size,
        )  # fmt: skip
        analyses.fill_in(row, outcome)
        new.append(row)
        vectors[photo.pk] = outcome.features
    with transaction.atomic():
        rows = Photo.objects.select_for_update(of=("self",), no_key=True).order_by("pk")
        alive = dict(rows.filter(pk__in=[row.photo_id for row in new]).values_list("pk", "file_key"))
        # One that was covered meanwhile was seen as it is no more.
        unreadable += [
            Unreadable(row.photo_id, "It was covered while it was analysed.")
            for row in new if alive.get(row.photo_id, row.photo.file_key) != row.photo.file_key
        ]  # fmt: skip
        new = [row for row in new if alive.get(row.photo_id) == row.photo.file_key]
        waiting = {
            (row.photo_id, row.box): row
            for row in Analysis.objects.filter(
                model_version=version, photo__in=alive, scores__isnull=True, before_cover=False
            )
        }
        for row in new:
            if asked := waiting.get((row.photo_id, row.box)):
                for name in analyses.COMPUTED:
                    setattr(asked, name, getattr(row, name))
                asked.save(update_fields=analyses.COMPUTED)
        # One that was computed again for its features has its answer.
        answered = {row.photo_id for row in of_photos(version, alive) if row.precision == precisions.F32}
        unasked = [
            row for row in new
            if (row.photo_id, row.box) not in waiting and row.photo_id not in answered
        ]  # fmt: skip
        Analysis.objects.bulk_create(unasked, ignore_conflicts=True)
        features.keep([(row, vectors[row.photo_id]) for row in new])
    return unreadable


def wait_for_photos() -> None:
    """Wait while photos of a clinic are queued or being analysed: a person is looking at the screen."""
    deadline = time.monotonic() + _LONGEST_WAIT
    while time.monotonic() < deadline:
        if not Job.objects.filter(
            kind=analyses.JOB, state__in=(Job.State.QUEUED, Job.State.RUNNING)
        ).exists():
            return
        time.sleep(0.2)
