"""Analyses with scores and heatmaps of one's own choosing, stored as the worker would store them."""

from collections.abc import Sequence

import numpy as np

from classifier.analysing.pipeline import Outcome
from classifier.models import Analysis, ModelVersion, ThresholdSet
from classifier.runtimes import Computed
from classifier.services.analysis.analyses import follow_jobs, request_analysis, store_outcome
from skinclinic.imaging.quality import Quality
from skinclinic.models import Job
from skinclinic.vocabulary.diseases import DISEASE_KEYS

# 0.41 + 0.22 + … = 0.91; the rest is background.
SCORES = dict(
    zip(
        DISEASE_KEYS,
        (0.41, 0.09, 0.08, 0.22, 0.03, 0.05, 0.02, 0.003, 0.0005, 0.0002, 0.0009, 0.0054),
        strict=True,
    )
)
BALANCED = dict.fromkeys(DISEASE_KEYS, 0.3)
SCREENING = dict.fromkeys(DISEASE_KEYS, 0.05) | {"df": 0.0003}


def make_version(name: str = "chosen", *, background_classes=("bare skin",), **manifest) -> ModelVersion:
    """A registered model version that no worker could run, with thresholds "balanced" and "screening"."""
    version = ModelVersion.objects.create(
        name=name,
        folder="none",
        architecture="efficientnet_lite0",
        weights_sha256="0" * 64,
        manifest={
            "background_classes": list(background_classes),
            "trained_on": "photos of nobody",
            "validated_on": {
                "text": "by patient",
                "cohorts": [{"name": "Cohort A", "n": 306, "auc": 0.9021}],
            },
            "demo": True,
            **manifest,
        },
    )
    for set_name, values in (("balanced", BALANCED), ("screening", SCREENING)):
        ThresholdSet.objects.create(
            model_version=version,
            name=set_name,
            purpose=f"for {set_name}",
            cohort="Cohort A",
            values=values,
            details={
                "n": 306,
                "date": "2026-01-01",
                "optimistic": set_name == "balanced",
                "basis": {"df": "synthetic"},
            },
        )
    return version


IN_FULL = Computed("OpenVINO 2026.4.1", "f32")
BLACK = Quality(0.0, 0.0, 256, 0.0, ("too_dark", "blurred", "little_skin"))


def finish(
    analysis: Analysis,
    scores=SCORES,
    *,
    warnings=(),
    quality: Quality | None = None,
    seed: int = 0,
    computed: Computed = IN_FULL,
    features: Sequence[float] | None = None,
) -> Analysis:
    """Store ``scores`` and 12 different heatmaps (one bright cell each) as the analysis' outcome."""
    maps = np.random.default_rng(seed).uniform(0, 0.2, (12, 7, 7))
    for place in range(12):
        maps[place, 1 + place // 4, 1 + place % 4] = 1
    outcome = Outcome(
        scores=scores,
        background=1 - sum(scores.values()),
        maps=maps.astype(np.float16),
        quality=quality or Quality(120.0, 30.0, 256, 0.8, tuple(warnings)),
        forward_seconds=0.05,
        computed=computed,
        features=None if features is None else np.array(features, np.float16),
    )
    store_outcome(analysis, outcome)
    Job.objects.filter(pk=analysis.job_id).update(state=Job.State.DONE)
    analysis.job.refresh_from_db()
    follow_jobs([analysis.job])
    return analysis


def finished(photo, user, scores=SCORES, *, version: ModelVersion | None = None, **more) -> Analysis:
    """A finished analysis of the photo's current square."""
    version = version or ModelVersion.objects.first() or make_version()
    return finish(request_analysis(photo, user=user, version=version), scores, **more)
