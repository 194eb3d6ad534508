"""Reading a finished evaluation: its figures, for pages, files and the command line."""

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from classifier.metrics.subgroups import UNKNOWN
from classifier.models import Evaluation
from classifier.plots import figures, thumbnails
from classifier.plots.figures import Figure, framed
from classifier.plots.frame import WIDE, Form
from classifier.services.evaluation import bundle
from classifier.services.evaluation.figure_files import QUICK, Print
from classifier.services.evaluation.run import LEAKS, REPORT, SCORES, SUBGROUPS
from classifier.services.evaluation.words import division_name, group_name, label_name
from skinclinic.archive.services.datasets import large
from skinclinic.vocabulary.diseases import BENIGN, DISEASE_KEYS, MALIGNANT
from skinclinic.web.counts import gettext as _

BY_DISEASE = ("roc", "thresholds", "thresholds-log", "calibration", "subgroups", "decision")
CONFUSION = "confusion"


class NoReport(Exception):
    """The report's files are not there (any more), or cannot be read."""


class NotYet(Exception):
    """What is asked of the evaluation ``row`` needs a look through more photos than a request may go through; a job
    has yet to take it (``looking.py``)."""

    def __init__(self, row: Evaluation):
        super().__init__(row)
        self.row = row


class Report:
    """The report of one evaluation. Raises NoReport. ``at_work``: a job reads it, which may go through all photos."""

    def __init__(self, row: Evaluation, *, at_work: bool = False):
        self.row, self.at_work = row, at_work
        self.content = _read(row.folder / REPORT)

    @property
    def models(self) -> list[dict]:
        return self.content["models"]

    @property
    def datasets(self) -> list[dict]:
        return self.content["datasets"]

    def model(self, pk: int) -> dict:
        return next(model for model in self.models if model["pk"] == pk)

    def dataset(self, pk: int) -> dict:
        return next(dataset for dataset in self.datasets if dataset["pk"] == pk)

    def look_through(self, photos: int) -> None:
        """To be asked before so many photos are gone through. Raises NotYet; NoReport where no job could either."""
        if not self.at_work and photos > large.MOST_AT_ONCE:
            if not (self.row.folder / SCORES).is_file():
                raise NoReport(f"{SCORES} is gone")
            raise NotYet(self.row)

    def figures_of(self, dataset: int, model: int) -> dict:
        return self._result(dataset, model)["figures"]

    def computed(self, dataset: int, model: int) -> dict:
        """{"precision", "runtimes"}; of reports from before that was kept, nothing."""
        return self._result(dataset, model).get("computed", {})

    def curves_of(self, dataset: int, model: int) -> dict:
        return self._result(dataset, model)["curves"]

    def _result(self, dataset: int, model: int) -> dict:
        return next(
            result
            for result in self.content["results"]
            if (result["dataset"], result["model"]) == (dataset, model)
        )

    def disease(self, dataset: int, model: int, key: str) -> dict:
        return next(row for row in self.figures_of(dataset, model)["diseases"] if row["key"] == key)

    def runs_of(self, dataset: int) -> list[dict]:
        """Groups of runs that were evaluated together."""
        return [runs for runs in self.content["runs"] if runs["dataset"] == dataset]

    def scores(self, dataset: int, model: int) -> dict[str, np.ndarray]:
        """items, photos, truth, names [n], scores [n, 12], background [n]."""
        try:
            with np.load(self.row.folder / SCORES, allow_pickle=False) as kept:
                found = {name: kept[f"d{dataset}_{name}"] for name in ("items", "photos", "truth", "names")}
                for name in ("scores", "background"):
                    found[name] = kept[f"d{dataset}_m{model}_{name}"]
        except (OSError, KeyError, ValueError) as error:
            raise NoReport(str(error)) from error
        return found

    def items(self, dataset: int) -> np.ndarray:
        """Keys of the photos that the models were evaluated on, rising: int64 [n]."""
        try:
            with np.load(self.row.folder / SCORES, allow_pickle=False) as kept:
                return np.sort(kept[f"d{dataset}_items"])
        except (OSError, KeyError, ValueError) as error:
            raise NoReport(str(error)) from error

    # Figures

    def figure(
        self, kind: str, dataset: int, model: int, key: str = "", form: Form = WIDE, *, small: bool = False
    ) -> Figure:
        """One figure; ``key`` names the disease of those that have one, ``small`` makes a ROC a thumbnail."""
        found = self._bare(kind, dataset, model, key, form, small=small)
        if small or found.drawing is None:
            return found
        photos = self.dataset(dataset)["photos"]
        facts = [
            _("Dataset: %(dataset)s, %(n)d photos") % {"dataset": self.dataset(dataset)["title"], "n": photos}
        ]
        if kind != CONFUSION:
            facts.append(
                _("photos of the disease: %(n)d") % {"n": self.disease(dataset, model, key)["positives"]}
            )
        found = framed(found, form, ["; ".join(facts)])
        if found.drawing is not None:
            found.drawing.origin, found.drawing.made = found.title, self.row.finished_at
        return found

    def _bare(self, kind: str, dataset: int, model: int, key: str, form: Form, *, small: bool) -> Figure:
        title = f"{self.model(model)['name']}, {self.dataset(dataset)['title']}"
        if kind == CONFUSION:
            names = {key: label_name(key) for key in self.figures_of(dataset, model)["photos_of"]}
            found = self.figures_of(dataset, model)["confusion"]
            return figures.confusion(
                kind, _("Confusion matrix: %(of)s") % {"of": title}, found, names, form=form
            )
        name, disease = f"{key}-{kind}", label_name(key)
        result = self.disease(dataset, model, key)
        said = {"disease": disease, "of": title}
        if kind == "roc":
            curve, words = self.curves_of(dataset, model)[key], _("ROC, %(disease)s: %(of)s") % said
            if small:
                return thumbnails.roc(name, words, curve, result["youden"])
            return figures.roc(
                name,
                words,
                curve,
                result["youden"],
                # Older reports have no areas among one tier.
                (result["auc"], *(result.get("auc_among", {}).get(tier) for tier in (MALIGNANT, BENIGN))),
                form,
            )
        if kind == "calibration":
            words = _("Calibration, %(disease)s: %(of)s") % said
            return figures.calibration(name, words, result["calibration"], form)
        if kind == "decision":
            words = _("Decision curve, %(disease)s: %(of)s") % said
            return figures.decision(name, words, result["decision_curve"], form)
        if kind == "subgroups":
            groups = [(division_name(one), self._named_groups(one, result)) for one in SUBGROUPS]
            whole = {
                "label": _("all"), "photos": result["positives"] + result["negatives"],
                "positives": result["positives"], "auc": result["auc"], "note": result["note"],
            }  # fmt: skip
            return figures.forest(name, _("Subgroups, %(disease)s: %(of)s") % said, groups, whole, form)
        curves = [(one["title"], self.curves_of(one["pk"], model)[key]) for one in self.datasets]
        title = _("Thresholds, %(disease)s: %(model)s") % {
            "disease": disease,
            "model": self.model(model)["name"],
        }
        marks = [(_("Youden"), result["youden"]["threshold"])] if result["youden"] else []
        return figures.thresholds(name, title, curves, log=kind.endswith("log"), marks=marks, form=form)

    @staticmethod
    def _named_groups(division: str, result: dict) -> list[dict]:
        rows = result["subgroups"].get(division, ())
        named = [row | {"label": group_name(division, row["label"])} for row in rows]
        order = {row["label"]: row["label"] == group_name(division, UNKNOWN) for row in named}
        return sorted(named, key=lambda row: order[row["label"]])

    # Files

    def files(
        self,
        dataset: int,
        model: int,
        kinds: Sequence[str] = bundle.USUAL,
        how: Print = QUICK,
        form: Form = WIDE,
        said: bundle.Said | None = None,
    ) -> Iterator[tuple[str, bytes]]:
        """Every figure of one model on one dataset that has something to show, as each of ``kinds``; what each shows
        is added to ``said``."""
        makers = [("", partial(self.figure, CONFUSION, dataset, model, form=form))]
        makers += [
            ("", partial(self.figure, kind, dataset, model, key, form))
            for key in DISEASE_KEYS
            for kind in BY_DISEASE
        ]
        return bundle.files(makers, kinds, how, [] if said is None else said)


def leaks(row: Evaluation) -> list[dict]:
    """What the models have seen of the datasets; [] when it was not looked at yet."""
    try:
        return _read(row.folder / LEAKS)
    except NoReport:
        return []


def _read(path: Path):
    try:
        return _parsed(path, path.stat().st_mtime_ns)
    except (OSError, ValueError) as error:
        raise NoReport(str(error)) from error


@lru_cache(maxsize=8)
def _parsed(path: Path, changed: int):
    return json.loads(path.read_bytes())
