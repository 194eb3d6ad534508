"""What the demo model says of itself."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from classifier.networks.manifest import Manifest
from classifier.networks.manifest_words import INTENDED_USE, LIMITS
from classifier.training.crossval import OutOfFold, fold_macro_aucs, one_vs_rest
from classifier.training.demo import BACKGROUND, Recipe, Trained
from classifier.training.examples import Examples
from classifier.training.thresholds import Chosen, choose
from classifier.training.today import today
from skinclinic.vocabulary.diseases import DISEASE_KEYS

NAME = "skinclinic-demo"
SOURCE = "PAD-UFES-20 (Pacheco et al., Data in Brief 32 (2020) 106221, doi:10.17632/zr7vgbcyr2.1, CC BY 4.0)"
LICENCE = (
    "Apache-2.0. Derived from EfficientNet-Lite ImageNet weights (Apache-2.0) and photos of "
    "PAD-UFES-20 (CC BY 4.0): Pacheco AGC, Lima GR, Salomao AS, et al. PAD-UFES-20: A skin lesion dataset "
    "composed of patient data and clinical images collected from smartphones. Data in Brief 32 (2020) 106221; "
    "doi:10.17632/zr7vgbcyr2.1. Changed: cropped, resized, varied at random."
)


def _(text: str) -> str:
    """Marks what pages show in their own language; the manifest itself is in English."""
    return text


PURPOSES = {
    _("balanced"): _("Balanced: the greatest sum of sensitivity and specificity (Youden) for each disease"),
    _("screening"): _(
        # xgettext:no-python-format
        "Screening: at least 95 % sensitivity for each disease with photos, at the cost of more listed"
    ),
}


def write_manifest(recipe: Recipe, photos: Examples, trained: Trained, init: str, seed: int) -> Manifest:
    """Return the manifest of a trained demo model; figures and thresholds only if it was cross-validated."""
    out = trained.out_of_fold
    return Manifest(
        name=NAME,
        architecture=recipe.architecture,
        background_classes=BACKGROUND,
        preprocessing=recipe.preprocessing,
        trained_on=_trained_on(recipe, photos),
        trained_at=today(),
        validated_on=_validated_on(out, photos) if out else {"text": "Not validated.", "cohorts": []},
        metrics={
            "seed": seed,
            "starting_weights": init,
            "held_out_drawings": {
                "n": len(trained.drawn_labels),
                "top1": float((trained.drawn_scores.argmax(1) == trained.drawn_labels).mean()),
            },
        },
        thresholds=_thresholds(out, photos, trained) if out else {},
        licence=LICENCE,
        intended_use=INTENDED_USE,
        limits=LIMITS,
        demo=True,
    )


def summary(manifest: Manifest) -> str:
    """The figures of a manifest as lines of text."""
    lines = [manifest.validated_on["text"]]
    for cohort in manifest.validated_on["cohorts"]:
        lines.append(f"{cohort['name']}: n = {cohort['n']}, macro AUC {cohort['auc']:.4f}")
        lines += [
            f"  {key}: n = {cohort['positives'][key]}, AUC {auc:.4f}"
            for key, auc in cohort["auc_by_disease"].items()
        ]
        lines.append(f"  mean of folds {cohort['fold_mean']:.4f}, SD {cohort['fold_sd']:.4f}")
    for name, entry in manifest.thresholds.items():
        lines.append(f"{name}: " + ", ".join(f"{key} {value:.4f}" for key, value in entry["values"].items()))
    drawn = manifest.metrics["held_out_drawings"]
    lines.append(f"held-out drawings: n = {drawn['n']}, top-1 {drawn['top1']:.3f}")
    return "\n".join(lines)


def _trained_on(recipe: Recipe, photos: Examples) -> str:
    counts = ", ".join(
        f"{DISEASE_KEYS[label]} {count}" for label, count in enumerate(np.bincount(photos.labels)) if count
    )
    return (
        f"{len(photos)} smartphone photos of {len(set(photos.patients))} patients from {SOURCE}: {counts}; and "
        f"{recipe.drawn_each} computer drawings of each of the 12 diseases and {recipe.drawn_others} drawings of "
        "bare skin and surfaces. Before that, ImageNet."
    )


def _validated_on(out: OutOfFold, photos: Examples) -> dict[str, Any]:
    by_fold = fold_macro_aucs(out, photos.labels)
    aucs = {DISEASE_KEYS[label]: auc for label, auc in one_vs_rest(out.photos, photos.labels).items()}
    positives = {key: int((photos.labels == DISEASE_KEYS.index(key)).sum()) for key in aucs}
    return {
        "text": (
            f"{len(by_fold)}-fold cross-validation on the photos alone, patients kept together: each photo was "
            "scored by a network trained by the same recipe without its patient. Mean of the one-vs-rest AUCs of "
            "the six diseases, on scores that are shared out among all 12, pooled over the folds. Not an "
            "independent test: the recipe was settled on the "
            "same photos."
        ),
        "cohorts": [
            {
                "name": "PAD-UFES-20 photos, out of fold, six diseases",
                "n": len(photos),
                "auc": float(np.mean(list(aucs.values()))),
                "auc_by_disease": aucs,
                "positives": positives,
                "auc_by_fold": by_fold,
                "fold_mean": float(np.mean(by_fold)),
                "fold_sd": float(np.std(by_fold, ddof=1)),
            }
        ],
    }


def _thresholds(out: OutOfFold, photos: Examples, trained: Trained) -> dict[str, dict[str, Any]]:
    sets = {}
    for name, purpose in PURPOSES.items():
        chosen = choose(
            out, photos.labels, trained.drawn_labels, len(DISEASE_KEYS), screening=name == "screening"
        )
        sets[name] = {
            "purpose": purpose,
            "cohort": _cohort(chosen, photos),
            "n": len(photos),
            "date": today(),
            "optimistic": True,
            "note": "Optimistic: chosen on the same out-of-fold scores it is judged by.",
            "values": {key: c.threshold for key, c in zip(DISEASE_KEYS, chosen, strict=True)},
            "basis": {key: c.basis for key, c in zip(DISEASE_KEYS, chosen, strict=True)},
            "sensitivity": {key: c.sensitivity for key, c in zip(DISEASE_KEYS, chosen, strict=True)},
            "specificity": {key: c.specificity for key, c in zip(DISEASE_KEYS, chosen, strict=True)},
            "photos_listed": {key: c.photos_listed for key, c in zip(DISEASE_KEYS, chosen, strict=True)},
        }
    return sets


def _cohort(chosen: Sequence[Chosen], photos: Examples) -> str:
    drawn = [key for key, c in zip(DISEASE_KEYS, chosen, strict=True) if c.basis == "synthetic"]
    return (
        f"Out-of-fold scores of {len(photos)} PAD-UFES-20 photos. For {', '.join(drawn)}, of which there are no "
        "photos, computer drawings instead, and at least 95 % of those photos must not be listed; their "
        "thresholds say nothing about patients."
    )
