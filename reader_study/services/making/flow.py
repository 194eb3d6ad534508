"""How many photos and readers went which way: counts alone, which tell nothing of any answer."""

from dataclasses import dataclass

from classifier.services.evaluation.evaluations import test_items
from reader_study.models import Answer, Study, StudyResult
from reader_study.services.making import progress
from reader_study.services.results.model_answers import whole_set


@dataclass(frozen=True)
class Flow:
    """Photos: of the datasets' test sides (None: not recorded), left out by reason, drawn, for practice, read by
    anybody, analysed. Readers: invited, withdrawn, started, finished, analysed. None before results are computed."""

    found: int | None
    left_out: dict[str, int]
    drawn: int
    practice: int
    read: int
    photos_analysed: int | None
    invited: int
    withdrawn: int
    started: int
    finished: int
    readers_analysed: int | None

    @property
    def not_needed(self) -> int | None:
        """Eligible photos that the recipe did not ask for."""
        if self.found is None:
            return None
        return max(self.found - sum(self.left_out.values()) - self.drawn - self.practice, 0)


def of(study: Study) -> Flow:
    """A few queries."""
    versions = whole_set(study)
    lines = progress.of(study)
    counting = [line for line in lines if line.reader.withdrawn_at is None]
    images = study.images.values_list("is_practice", flat=True)
    read = Answer.objects.filter(
        reading__reader__study=study, reading__reader__is_preview=False, reading__reader__withdrawn_at=None,
        image__is_practice=False, image__repeat_of=None,
    ).exclude(choice="")  # fmt: skip
    result = StudyResult.objects.filter(study=study).first()
    facts = result.facts if result and study.is_unblinded else {}
    return Flow(
        found=sum(test_items(version).count() for version in versions) if versions else None,
        left_out=dict((study.recipe or {}).get("left_out", {})),
        drawn=list(images).count(False),
        practice=list(images).count(True),
        read=read.order_by().values("image").distinct().count(),
        photos_analysed=facts.get("photos"),
        invited=len(lines),
        withdrawn=len(lines) - len(counting),
        started=sum(any(stage.started_at or stage.done for stage in line.stages) for line in counting),
        finished=sum(bool(line.stages) and line.is_finished for line in counting),
        readers_analysed=facts.get("readers"),
    )
