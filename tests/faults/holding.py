"""What came of photos that were sent to a clinic, held against its rows and files. Counts, where tests assert."""

from collections import Counter
from dataclasses import dataclass

from tests.faults.uploading import Uploads

# Between the same network's scores of the same photo.
SAME = 1e-4


@dataclass(frozen=True)
class Held:
    """``lost``: accepted, and the row, a whole file, or a job that is done or may yet be is missing; ``unanswered``:
    not accepted, or without an answer in the end; ``doubled``: photos, jobs and analyses more than photos sent;
    ``wrong``: answers that are not those of the undisturbed run, {seed: scores}, which ``scores`` are for others."""

    done: int
    lost: int
    unanswered: int
    doubled: int
    wrong: int
    attempts: Counter
    scores: dict[int, dict[str, float]]
    failed: Counter

    @property
    def is_sound(self) -> bool:
        return not (self.lost or self.unanswered or self.doubled or self.wrong or self.failed)


def held(clinic, uploads: Uploads, undisturbed: dict[int, dict[str, float]]) -> Held:
    """Look at everything of this clinic, which holds these uploads alone."""
    from classifier.models import Analysis
    from skinclinic import imaging
    from skinclinic.files import store
    from skinclinic.models import Job, Photo
    from tests import factories

    photos = {photo.pk: photo for photo in Photo.objects.filter(clinic=clinic)}
    analyses: dict[int, list[Analysis]] = {pk: [] for pk in photos}
    for analysis in Analysis.objects.filter(photo__clinic=clinic).select_related("job"):
        analyses[analysis.photo_id].append(analysis)
    jobs = Job.objects.filter(clinic=clinic, kind="analyse")
    done = lost = wrong = 0
    scores: dict[int, dict[str, float]] = {}
    for seed, pk in uploads.accepted.items():
        photo = photos.get(pk)
        is_there = (
            photo is not None
            and photo.sha256 == imaging.sha256(factories.jpeg_bytes(seed))
            and store.is_whole_jpeg(photo.file_key)
            and store.is_whole_jpeg(photo.thumbnail_key)
            and bool(analyses[pk])
        )
        lost += not is_there
        for analysis in analyses.get(pk, [])[:1]:
            if analysis.job and analysis.job.state == Job.State.DONE and analysis.scores:
                done += 1
                scores[seed] = {**analysis.scores, "": analysis.background or 0.0}
                wrong += _is_wrong(scores[seed], undisturbed.get(seed))
    many = sum(max(0, len(of_one) - 1) for of_one in analyses.values())
    # A photo that was taken, and whose sender was never told, is taken once more by its next try.
    extra = len(photos) - len(uploads.accepted) if len(uploads.accepted) == uploads.count else 0
    return Held(
        done=done,
        lost=lost,
        unanswered=uploads.count - done,
        doubled=max(extra, 0) + many + max(0, jobs.count() - len(photos)),
        wrong=wrong,
        attempts=Counter(jobs.values_list("attempts", flat=True)),
        scores=scores,
        failed=Counter(jobs.filter(state=Job.State.FAILED).values_list("error_code", flat=True)),
    )


def _is_wrong(scores: dict[str, float], undisturbed: dict[str, float] | None) -> bool:
    if abs(sum(scores.values()) - 1) > SAME:
        return True
    return undisturbed is not None and any(
        abs(scores[name] - undisturbed[name]) > SAME for name in undisturbed
    )
