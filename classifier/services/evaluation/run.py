"""Computing an evaluation: leaks, analyses, figures, and the files they are kept in."""

import json
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from django.utils import timezone

from classifier.metrics.curves import threshold_curve
from classifier.metrics.evaluation import Evaluation as Figures
from classifier.metrics.evaluation import GivenThresholds, Wishes, evaluate
from classifier.metrics.operating import Truth
from classifier.metrics.plain import plain
from classifier.metrics.runs import across_runs
from classifier.metrics.subgroups import UNKNOWN, age_band
from classifier.models import Evaluation, ModelVersion, ThresholdSet
from classifier.runtimes import precisions
from classifier.services.analysis import batch_analyses
from classifier.services.evaluation import chosen_on, evaluations, leakage
from skinclinic.archive.models import DatasetItem, DatasetVersion
from skinclinic.archive.services.curating import consent
from skinclinic.archive.services.datasets import against
from skinclinic.engine.jobs import JobError
from skinclinic.files import whole
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from skinclinic.web.counts import gettext as _

REPORT, SCORES, LEAKS = "report.json", "scores.npz", "leaks.json"
SUBGROUPS = ("age", "sex", "skin_type", "site", "source")
CURVE_POINTS = 160
_MOST_ROWS = 1000
# What is read of each photo: 100,000 of them are held in memory.
_READ = (
    "version", "content_sha256", "phash", "label", "is_proven", "person", "lesion", "age", "age_to", "sex", "skin_type",
    "site",
    "source_name", "entry__photo_id", "entry__external_id",
)  # fmt: skip


def run(
    row: Evaluation, say: Callable[[int, int], None] = lambda done, total: None, *, give_way: bool = True
):
    """Compute everything and keep it in the evaluation's folder. Raises JobError, weights.ModelRejected."""
    models = list(row.model_versions.select_related("trained_on_version__dataset").order_by("name", "pk"))
    datasets = list(row.dataset_versions.select_related("dataset").order_by("dataset__name", "number"))
    sets = [EvaluatedPhotos(version) for version in datasets]
    for model in models:
        _look_for_leaks(model, sets)
    found = [one.leaks_json() for one in sets]
    whole.write_whole(row.folder / LEAKS, _json(found))
    if not row.remove_leaks and (leaking := sum(len(one.leaking) for one in sets)):
        raise JobError("leaks", _refusal(sets, leaking))
    for one in sets:
        one.leave_out(one.leaking, "leaks")
    total = len(models) * sum(len(one.items) for one in sets)
    done = 0

    def say_more(now: int) -> None:
        say(done + now, total)

    for one in sets:
        for model in models:
            one.analyse(model, say_more, give_way)
            done += len(one.items)
    for one in sets:
        # Analysing takes long, and a patient may have said no meanwhile.
        one.leave_out_unwilling()
        one.require_some()
    report = _report(row, models, sets, lambda: say(done, total))
    with whole.whole_folder(row.folder, replace=True) as draft:
        (draft / REPORT).write_text(_json(report), encoding="utf-8")
        (draft / LEAKS).write_text(_json(found), encoding="utf-8")
        arrays: dict[str, Any] = {k: v for one in sets for k, v in one.arrays().items()}
        np.savez_compressed(draft / SCORES, **arrays)
    return report


def _look_for_leaks(model: ModelVersion, sets: list["EvaluatedPhotos"]) -> None:
    """Compare all sets with what the model has seen, which may be 100,000 photos: one model at a time."""
    seen = leakage.TrainingSide(model)
    for one in sets:
        one.leaks[model] = seen.leaks(one.items)


class EvaluatedPhotos:
    """The photos of one dataset version that its models are evaluated on, and what they say of each.

    Every model is evaluated on the same photos: one that cannot be used with one of them is left out for all.
    """

    def __init__(self, version: DatasetVersion):
        self.version = version
        rows = evaluations.test_items(version).select_related("entry").only(*_READ)
        self.items: list[DatasetItem] = list(rows.order_by("pk"))
        self.chosen = len(self.items)
        self.left_out: Counter[str] = Counter()
        self.scores: dict[int, dict[int, tuple[list[float], float | None]]] = {}
        self.runtimes: dict[int, list[str]] = {}
        self.leave_out({item.pk for item in self.items if item.is_withdrawn}, "withdrawn")
        self.leave_out({item.pk for item in self.items if item.entry is None}, "deleted")
        self.leave_out_unwilling()
        covered = against.rows(self.version, against.COVERED)
        self.leave_out(set(covered.order_by().values_list("pk", flat=True)), "covered")
        self.leaks: dict[ModelVersion, leakage.Leaks] = {}

    @property
    def leaking(self) -> set[int]:
        """Items that any of the models has seen."""
        return set().union(*(found.items for found in self.leaks.values()))

    def leave_out_unwilling(self) -> None:
        """Leave out the photos of patients who do not consent (any more)."""
        items = evaluations.test_items(self.version).order_by()
        unwilling = items.filter(consent.missing("entry__"))
        self.leave_out(set(unwilling.values_list("pk", flat=True)), "consent")
        withdrawn = items.filter(content_sha256__startswith=DatasetItem.WITHDRAWN)
        self.leave_out(set(withdrawn.values_list("pk", flat=True)), "withdrawn")

    def leave_out(self, items: set[int], reason: str) -> None:
        before = len(self.items)
        self.items = [item for item in self.items if item.pk not in items]
        self.left_out[reason] += before - len(self.items)

    def analyse(self, model: ModelVersion, say: Callable[[int], None], give_way: bool) -> None:
        """Have every photo analysed, and take the scores from the stored analyses."""
        by_photo = {item.kept_entry.photo_id: item.pk for item in self.items}
        batch_analyses.analyse(model, list(by_photo), say=say, give_way=give_way)
        answers = [
            found
            for found in batch_analyses.of_photos(model, list(by_photo))
            if found.precision == precisions.F32
        ]
        self.runtimes[model.pk] = sorted({found.runtime for found in answers})
        self.scores[model.pk] = {
            by_photo[found.photo_id]: ([found.scores[key] for key in DISEASE_KEYS], found.background)
            for found in answers
        }
        self.leave_out({item.pk for item in self.items if item.pk not in self.scores[model.pk]}, "unreadable")
        self.require_some()

    def require_some(self) -> None:
        """Raise JobError where no photo is left."""
        if not self.items:
            raise JobError("nothing_left", _("No photo of %(name)s is left.") % {"name": self.version})

    def matrix(self, model: ModelVersion) -> np.ndarray:
        """Scores float64 [n, 12] in the order of the items."""
        return np.array([self.scores[model.pk][item.pk][0] for item in self.items])

    def truth(self) -> list[str]:
        return [item.label for item in self.items]

    def arrays(self) -> dict[str, np.ndarray]:
        """What is kept of each photo, so that figures can be traced to photos and models compared."""
        pk = self.version.pk
        found = {
            f"d{pk}_items": np.array([item.pk for item in self.items], np.int64),
            f"d{pk}_photos": np.array([item.kept_entry.photo_id for item in self.items], np.int64),
            f"d{pk}_truth": np.array(self.truth(), np.str_),
            f"d{pk}_names": np.array([item.kept_entry.external_id for item in self.items], np.str_),
        }
        for model, rows in self.scores.items():
            found[f"d{pk}_m{model}_scores"] = np.array([rows[item.pk][0] for item in self.items])
            found[f"d{pk}_m{model}_background"] = np.array([rows[item.pk][1] for item in self.items])
        return found

    def patients(self) -> list[str] | None:
        """Who each photo is of, the lesion standing for an unknown patient; None when it is one patient alone."""
        names = [item.person or item.lesion or f"photo {item.pk}" for item in self.items]
        return names if len(set(names)) > 1 else None

    def were_chosen_on(
        self, chosen: ThresholdSet, read: Callable[[DatasetVersion], chosen_on.Calibration]
    ) -> bool:
        """Whether the thresholds were chosen on these photos, or on any of their patients or lesions: versions of a
        dataset share most of theirs. ``read``: gives what a version's photos are known by."""
        if chosen.details.get("dataset_sha256") == self.version.sha256:
            return True
        version = chosen_on.made_from(chosen)
        if version is None:
            return False
        known = read(version)
        return any(known.holds_one(item.content_sha256, item.person, item.lesion) for item in self.items)

    def subgroups(self) -> dict[str, list[str]]:
        return {
            "age": [age_band(item.age, item.age_to) for item in self.items],
            "sex": [item.sex or UNKNOWN for item in self.items],
            "skin_type": [str(item.skin_type or UNKNOWN) for item in self.items],
            "site": [item.site or UNKNOWN for item in self.items],
            "source": [item.source_name or UNKNOWN for item in self.items],
        }

    def leaks_json(self) -> dict:
        """What each model has seen of it, with the photos by name."""
        trained = DatasetItem.objects.filter(
            pk__in={
                leak.train
                for found in self.leaks.values()
                for leak in found.found[:_MOST_ROWS]
                if isinstance(leak.train, int)
            }
        )
        names = {item.pk: item.kept_entry.external_id for item in self.items}
        names |= {
            pk: name or sha256[:12]
            for pk, name, sha256 in trained.values_list("pk", "entry__external_id", "content_sha256")
        }
        return {
            "dataset": self.version.pk,
            "dataset_name": str(self.version),
            "photos": len(self.items),
            # Earlier searches did not compare lesions.
            "lesions": True,
            "models": [
                {
                    "model": model.pk,
                    "name": model.name,
                    "unknown": found.unknown,
                    "by_hash": found.by_hash,
                    "trained_on": found.trained_on,
                    "counts": found.counts,
                    "photos": len(found.items),
                    "rows": [
                        {
                            "kind": leak.kind,
                            "test": names[leak.test],
                            "train": names.get(leak.train, "") if isinstance(leak.train, int) else leak.train,
                            "distance": leak.distance,
                        }
                        for leak in found.found[:_MOST_ROWS]
                    ],
                }
                for model, found in self.leaks.items()
            ],
        }

    def to_json(self) -> dict:
        """What a reader has to know of the photos."""
        version, items = self.version, self.items
        return {
            "pk": version.pk,
            "name": version.dataset.name,
            "number": version.number,
            "title": str(version),
            "sha256": version.sha256,
            "side": "test" if version.split else "all",
            "chosen": self.chosen,
            "photos": len(items),
            "patients": len({item.person for item in items if item.person}),
            "unknown_patient": sum(not item.person for item in items),
            "proven": sum(item.is_proven for item in items),
            "left_out": {reason: count for reason, count in self.left_out.items() if count},
            "labels": dict(Counter(self.truth())),
            "sources": [
                {name: source.get(name, "") for name in ("name", "licence", "synthetic")}
                for source in version.provenance
            ],
        }


def _refusal(sets: list[EvaluatedPhotos], leaking: int) -> str:
    parts = []
    for one in sets:
        for model, found in one.leaks.items():
            if found.found:
                counts = found.counts
                parts.append(
                    _(
                        "%(model)s has seen %(n)d of the %(all)d photos of %(dataset)s (the same photo %(photo)d, "
                        "one that looks alike %(near)d, the same lesion %(lesion)d, the same patient %(patient)d)."
                    )
                    % {
                        "model": model,
                        "n": len(found.items),
                        "all": len(one.items),
                        "dataset": one.version,
                        **counts,
                    }
                )
    return " ".join(parts)


def _report(
    row: Evaluation, models: list[ModelVersion], sets: list[EvaluatedPhotos], still_here: Callable[[], None]
) -> dict:
    results, figures = [], {}
    # Many sets are made from one version, which may be large.
    read = cache(chosen_on.Calibration.of_version)
    for one in sets:
        truth, labels = one.truth(), one.subgroups()
        shown = Truth.of(truth, DISEASE_KEYS)
        for model in models:
            still_here()
            scores = one.matrix(model)
            given = [
                GivenThresholds(chosen.name, chosen.values, one.were_chosen_on(chosen, read))
                for chosen in model.thresholds_for(row.clinic_id)
            ]
            found = evaluate(
                scores,
                truth,
                thresholds=given,
                subgroups=labels,
                patients=one.patients(),
                wishes=Wishes(policy=row.premalignant_as, ks=(1, 2, 3, 4, 5), repeats=row.bootstrap),
            )
            figures[one.version.pk, model.pk] = found
            results.append(
                {
                    "dataset": one.version.pk,
                    "model": model.pk,
                    "computed": {"precision": precisions.F32, "runtimes": one.runtimes[model.pk]},
                    "figures": plain(found),
                    "curves": _curves(scores, shown, found, row.premalignant_as, given),
                }
            )
    return {
        "name": row.name,
        "made_at": timezone.now().isoformat(),
        "made_on": timezone.localdate().isoformat(),
        "made_by": str(row.created_by or ""),
        "premalignant_as": row.premalignant_as,
        "remove_leaks": row.remove_leaks,
        "bootstrap": row.bootstrap,
        "models": [_model_json(model, sets[0].leaks[model]) for model in models],
        "datasets": [one.to_json() for one in sets],
        "results": results,
        "runs": _runs(models, sets, figures),
    }


def _curves(scores, shown: Truth, found: Figures, policy: str, given: list[GivenThresholds]) -> dict:
    curves = {}
    for place, key in enumerate(DISEASE_KEYS):
        keep = [chosen.values[key] for chosen in given]
        if youden := found.disease(key).youden:
            keep.append(youden.threshold)
        curve = threshold_curve(
            scores[:, place],
            shown,
            key,
            policy=policy,
            points=CURVE_POINTS,
            keep=[v for v in keep if np.isfinite(v)],
        )
        curves[key] = plain(curve)
    return curves


def _model_json(model: ModelVersion, leaks: leakage.Leaks) -> dict:
    training = model.manifest.get("training") or {}
    return {
        "pk": model.pk,
        "name": model.name,
        "architecture": model.architecture,
        "weights_sha256": model.weights_sha256,
        "trained_on": model.manifest.get("trained_on", ""),
        "demo": model.is_demo,
        "licence": model.manifest.get("licence", ""),
        "group": training.get("group", ""),
        "run": training.get("run"),
        "leaks_checked": not leaks.unknown,
        "training_dataset": str(model.trained_on_version or ""),
    }


def _runs(models: list[ModelVersion], sets: list[EvaluatedPhotos], figures: dict) -> list[dict]:
    """Mean and SD over the runs of each training of which there are several."""
    groups: dict[tuple[str, int | None], list[ModelVersion]] = {}
    for model in models:
        if group := (model.manifest.get("training") or {}).get("group"):
            groups.setdefault((group, model.trained_on_version_id), []).append(model)
    return [
        {
            "dataset": one.version.pk,
            "group": name,
            "models": [model.pk for model in members],
            "summary": plain(across_runs([figures[one.version.pk, model.pk] for model in members])),
        }
        for one in sets
        for (name, _trained_on), members in groups.items()
        if len(members) > 1
    ]


def _json(value) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def facts(report: dict) -> dict:
    """What lists show of a report: the macro AUC of each model on each dataset."""
    return {
        "results": [
            {
                "dataset": result["dataset"],
                "model": result["model"],
                "auc": result["figures"]["averages"]["auc"],
                "diseases": result["figures"]["averages"]["diseases"],
                "photos": result["figures"]["photos"],
            }
            for result in report["results"]
        ]
    }


def finish(row: Evaluation, report: dict) -> None:
    """Keep what lists show of it; that it is done, the row hears from its job."""
    Evaluation.objects.filter(pk=row.pk).update(facts=facts(report))
