"""Whether the compared model had seen the photos of a study: looked at when results are computed, told with them.

Where it had, or nobody can say, its figures may be memory: nothing is tested against it and nothing concluded.
"""

from copy import deepcopy
from typing import Any

from classifier.services.evaluation import leakage
from reader_study.models import Study
from reader_study.statistics.verdicts import MODEL_SEEN, opened
from skinclinic.archive.models import DatasetItem
from skinclinic.web.counts import gettext as _

_OF_THE_MODEL = ("ai_vs_readers", "ai_vs_groups", "mcnemar")
# The tests, and what a p could be worked out from.
_STATISTICS = {
    "p", "p_holm", "t", "df", "non_inferiority", "exact_p", "exact_p_holm", "corrected_p", "corrected_p_holm",
}  # fmt: skip


def look(study: Study) -> dict[str, Any] | None:
    """What the search for leaks finds now; None where there is no model, or only its scores from files."""
    if study.model_version is None or study.origin == Study.Origin.REPLAY:
        return None
    counted = study.images.filter(is_practice=False)
    items = DatasetItem.objects.filter(pk__in=counted.values("dataset_item")).only(*leakage.NEEDED)
    found = leakage.find(study.model_version, list(items))
    return {"unknown": found.unknown, "seen": len(found.items), "photos": counted.count()}


def doubt(study: Study, about: dict[str, Any]) -> str:
    """Why nothing is concluded about the model, as a sentence; "" where nothing speaks against it.

    ``about``: what a report says of itself. Results from before the search was kept with them are in doubt.
    """
    if study.model_version is None or study.origin == Study.Origin.REPLAY:
        return ""
    found = about.get("model_seen")
    if found is None:
        return _(
            "Whether the model has seen these photos, or their lesions and patients, was not looked at when the "
            "results were computed. Compute them again."
        )
    if found["seen"]:
        return _(
            "The model has seen %(seen)d of the %(photos)d photos in training, or photos of their lesions or "
            "patients. What it gets right may be memory."
        ) % {"seen": found["seen"], "photos": found["photos"]}
    if found["unknown"]:
        return _(
            "Nobody knows which photos “%(name)s” was trained on, so whether the model has seen these could not be "
            "checked."
        ) % {"name": found["unknown"]}
    return ""


def without_tests(report: dict[str, Any]) -> dict[str, Any]:
    """The report without any test of the model against readers; estimates and intervals stay."""
    report = deepcopy(report)
    for found in report["datasets"].values():
        for name in _OF_THE_MODEL:
            _clear(found[name])
        for name in ("verdicts", "question_verdicts"):
            found[name] = {session: opened(one, MODEL_SEEN) for session, one in found[name].items()}
    for found in filter(None, (*report["datasets"].values(), report["pooled"])):
        for question in found["questions"].values():
            _clear(question["ai_vs_readers"])
            if question["alternative"]:
                _clear(question["alternative"]["ai_vs_readers"])
    return report


def _clear(found: dict[str, Any]) -> None:
    for name, value in found.items():
        if isinstance(value, dict) and name != "non_inferiority":
            # Diseases, groups and readers by name.
            _clear(value)
        elif name in _STATISTICS:
            found[name] = None
