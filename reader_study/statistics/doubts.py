"""What in a study's tables is allowed but looks like a mistake, said in one line each."""

from collections.abc import Iterable, Iterator
from typing import Any

from classifier.metrics import notes
from reader_study.statistics.tables import StudyTables
from skinclinic.archive.formats.words.folding import bare


def doubts(tables: StudyTables, report: dict[str, Any]) -> Iterator[str]:
    """Names that differ by no more than case, form or leading zeros; scores that are constant, turned round or of two
    scales; what the files say that could not be read."""
    yield from tables.notes
    if tables.scores is not None and (shares := (tables.scores <= 1).all(1)).any() and not shares.all():
        percent = tables.scores[~shares]
        if percent.min() >= 0 and percent.max() <= 100:
            yield (
                f"the scores of {len(percent)} of {len(tables.images)} images look like percent, the others like "
                "shares; they are taken as they are, and no figure of the model can be trusted"
            )
    named = {
        "readers": (answer.reader for answer in tables.answers),
        "sessions": (answer.session for answer in tables.answers),
        "groups": (answer.group for answer in tables.answers),
        "datasets": (image.dataset for image in tables.images),
        "images": (image.name for image in tables.images),
    }
    for kind, names in named.items():
        for alike in _alike(names):
            yield f"{kind} {', '.join(map(repr, alike))} are taken as different; are they the same?"
    for name, found in report["datasets"].items():
        constant = [key for key, one in found["diseases"].items() if one["auc_note"] == notes.CONSTANT_SCORES]
        if constant:
            yield f"{name}: the scores of {', '.join(constant)} are the same for every image"
        areas = [
            one["auc"]
            for one in found["diseases"].values()
            if one["auc"] is not None and one["youden"] is not None
        ]
        if areas and sum(areas) / len(areas) < 0.4:
            yield (
                f"{name}: the mean AUC is {sum(areas) / len(areas):.3f}, below chance; are the scores turned round, or "
                "beside other images?"
            )


def _alike(names: Iterable[str]) -> list[list[str]]:
    together: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        together.setdefault(bare(name), []).append(name)
    return [alike for alike in together.values() if len(alike) > 1]
