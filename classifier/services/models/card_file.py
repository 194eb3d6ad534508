"""A model's card as a file for programs, after Mitchell et al. (2019, doi:10.1145/3287560.3287596): what its
description states, what this clinic's evaluations counted. What nobody has stated is null.

``schema`` names the form of the file, which ``docs/datasets.md`` describes; it changes when something of it goes or
means something else.
"""

import json
from typing import Any

from classifier.models import ModelVersion
from classifier.services.models import card as model_card
from classifier.services.models import evidence, map_checks
from skinclinic.models import Clinic
from skinclinic.vocabulary.diseases import DISEASES

SCHEMA = "skinclinic-model-card/1"


def of(version: ModelVersion, clinic: Clinic) -> dict[str, Any]:
    """The card of a version as a clinic knows it: with its thresholds, and its evaluations there."""
    told = model_card.card(version, clinic)
    return {
        "schema": SCHEMA,
        "model": {
            "name": version.name,
            "architecture": version.architecture,
            "weights_sha256": version.weights_sha256,
            "weights_bytes": told.weights_bytes,
            "weights_precision": told.weights_kind or None,
            "input_size": told.input_size,
            "outputs": told.outputs,
            "diseases": [{"key": one.key, "name": one.name_en} for one in DISEASES],
            "other_classes": told.background_classes,
            "heatmaps": told.maps or None,
            "licence": told.licence or None,
            "is_demo": version.is_demo,
            "registered": version.registered_at.date().isoformat(),
        },
        "intended_use": told.intended_use or None,
        "limits": told.limits or None,
        "training_data": {
            "stated": told.trained_on or None,
            "trained": told.trained_at or None,
            "dataset": _trained_on(version, clinic),
        },
        "evaluation_data": {
            "stated": told.validated_on or None,
            "cohorts": [{"name": one.name, "n": one.n, "auc": one.auc} for one in told.cohorts],
        },
        "evaluations_here": [_evaluation(one) for one in evidence.cohorts(version, clinic)],
        "threshold_sets": [
            {
                "name": one.name,
                "purpose": one.purpose or None,
                "cohort": one.cohort or None,
                "values": {disease.key: one.values.get(disease.key) for disease in DISEASES},
            }
            for one in told.threshold_sets
        ],
        # How far heatmaps stay as they were when parts of the network are put at random: rank correlations.
        "heatmap_check": _heatmap_check(version),
        "unlike_training_photos": version.manifest.get("familiarity") or None,
        "ethical_considerations": None,
    }


def as_json(version: ModelVersion, clinic: Clinic) -> bytes:
    """The file."""
    return json.dumps(of(version, clinic), ensure_ascii=False, indent=1).encode()


def _trained_on(version: ModelVersion, clinic: Clinic) -> dict[str, Any] | None:
    """The dataset of this clinic that it was trained on."""
    dataset = version.trained_on_version
    if dataset is None or dataset.clinic_id != clinic.pk:
        return None
    return {"name": dataset.dataset.name, "version": dataset.number, "sha256": dataset.sha256}


def _heatmap_check(version: ModelVersion) -> dict[str, Any] | None:
    found = map_checks.figures(version)
    return {**found, "computed_here": bool(map_checks.computed(version))} if found else None


def _evaluation(one: evidence.Cohort) -> dict[str, Any]:
    return {
        "dataset": one.dataset["title"],
        "side": one.dataset["side"] or None,
        "photos": one.dataset["photos"],
        "patients": one.dataset["patients"],
        "mean_auc": one.auc,
        "diseases_in_mean": one.diseases,
        "diseases_left_out": list(one.left_out),
        "top_1": one.top_1,
        "top_1_class_balanced": one.balanced,
        "photos_it_has_seen_are_known": one.leaks_checked,
        "subgroups": {
            str(division): [
                {
                    "group": str(group.name),
                    "photos": group.photos,
                    "mean_auc": group.auc,
                    "diseases": group.diseases,
                }
                for group in groups
            ]
            for division, groups in one.groups
        },
    }
