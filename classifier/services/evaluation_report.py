"""Reading a finished evaluation: its figures and tables, for pages, files and the command line."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from classifier.models import Evaluation
from classifier.plots import figures
from classifier.plots.canvas import to_png, to_svg
from classifier.plots.figures import Figure
from classifier.reference.han2018 import HAN_2018, PublishedTable
from classifier.services.evaluation_run import LEAKS, REPORT, SCORES, SUBGROUPS, UNKNOWN
from skinclinic.archive import labels
from skinclinic.archive.services.export_tables import defused
from skinclinic.archive.zip_stream import Tail
from skinclinic.diseases import BENIGN, DISEASE_KEYS, MALIGNANT
from skinclinic.models import Patient
from skinclinic.sites import ANATOMIC_SITES

FONT_FILE = settings.BASE_DIR / "static/vendor/pretendard-1.3.9/Pretendard-Regular.ttf"
BY_DISEASE = ("roc", "thresholds", "thresholds-log", "calibration", "subgroups", "decision")
CONFUSION = "confusion"
KINDS = (*BY_DISEASE, CONFUSION)


class NoReport(Exception):
    """The report's files are not there (any more), or cannot be read."""


@dataclass(frozen=True)
class MeanSdCell:
    """A figure in words, with the runs' values where it is a mean."""

    text: str
    runs: str = ""
    unstable: bool = False


@dataclass(frozen=True)
class TableRow:
    """A disease's line, or the averages' (``key`` "")."""

    key: str
    name: str
    positives: int | None
    negatives: int | None
    auc: MeanSdCell
    sensitivity: MeanSdCell
    specificity: MeanSdCell
    threshold: MeanSdCell
    optima: int
    among_malignant: MeanSdCell
    among_benign: MeanSdCell
    reference: tuple[tuple[str, str, str, str] | None, ...]


class Report:
    """The report of one evaluation. Raises NoReport."""

    def __init__(self, row: Evaluation):
        self.row = row
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

    def figures_of(self, dataset: int, model: int) -> dict:
        return self._result(dataset, model)["figures"]

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

    # Tables

    def table(self, dataset: int, model: int) -> list[TableRow]:
        """Table 1 of one model: each disease with DeLong's and Wilson's intervals at its Youden optimum."""
        found = self.figures_of(dataset, model)
        rows = [_single_row(result) for result in found["diseases"]]
        averages = found["averages"]
        rows.append(
            TableRow(
                "", _average_name(averages["diseases"]), None, None,
                MeanSdCell(_three(averages["auc"])), MeanSdCell(figures.percent(averages["sensitivity"])),
                MeanSdCell(figures.percent(averages["specificity"])), MeanSdCell(""), 0, MeanSdCell(""), MeanSdCell(""),
                _reference_of(""),
            )
        )  # fmt: skip
        return rows

    def runs_table(self, dataset: int, runs: dict) -> list[TableRow]:
        """Table 1 over several runs: mean ± SD, which is no interval."""
        counts = {row["key"]: row for row in self.figures_of(dataset, runs["models"][0])["diseases"]}
        summary = runs["summary"]
        rows = [_runs_row(row, counts[row["key"]]) for row in summary["rows"]]
        return [*rows, _runs_row(summary["average"], None)]

    def long_table(self) -> tuple[tuple[str, ...], list[tuple]]:
        """Every number of every run, of the means, and the published ones: one line each."""
        columns = (
            "dataset", "model", "kind", "disease", "photos_with", "photos_without", "auc", "auc_low", "auc_high",
            "auc_sd", "sensitivity", "sensitivity_low", "sensitivity_high", "sensitivity_sd", "specificity",
            "specificity_low", "specificity_high", "specificity_sd", "specificity_among_other_malignant",
            "specificity_among_other_benign", "threshold", "threshold_sd", "youden_optima", "optimistic", "note",
            "source",
        )  # fmt: skip
        rows: list[tuple] = []
        for result in self.content["results"]:
            dataset, model = self.dataset(result["dataset"])["title"], self.model(result["model"])["name"]
            rows += [_long_row(dataset, model, row) for row in result["figures"]["diseases"]]
            averages = result["figures"]["averages"]
            rows.append(
                (dataset, model, "run", "average", "", "", averages["auc"], "", "", "", averages["sensitivity"],
                 "", "", "", averages["specificity"], *[""] * 11)
            )  # fmt: skip
        for runs in self.content["runs"]:
            dataset = self.dataset(runs["dataset"])["title"]
            for row in (*runs["summary"]["rows"], runs["summary"]["average"]):
                auc, sens, spec, limit = (
                    row[name] for name in ("auc", "sensitivity", "specificity", "threshold")
                )
                rows.append(
                    (dataset, runs["group"], f"mean of {runs['summary']['runs']} runs", row["key"] or "average",
                     "", "", auc["mean"], "", "", auc["sd"], sens["mean"], "", "", sens["sd"], spec["mean"], "", "",
                     spec["sd"], "", "", limit["mean"], limit["sd"], "", True, "", "")
                )  # fmt: skip
        for table in HAN_2018:
            for row in (*table.rows, table.average):
                rows.append(
                    (table.name, "ResNet-152", "published mean of 3 runs", row.key or "average", "", "",
                     row.auc[0], "", "", row.auc[1], row.sensitivity[0], "", "", row.sensitivity[1],
                     row.specificity[0], "", "", row.specificity[1], "", "", row.threshold[0], row.threshold[1], "",
                     True, "", f"{table.citation}, {table.url}")
                )  # fmt: skip
        return columns, rows

    def top_lines(self, dataset: int, model: int) -> list[dict]:
        """Top-1 to top-5 with Wilson's interval, and class-balanced."""
        return [
            {
                "k": top["k"],
                "share": figures.counted(top["right"]["count"], top["right"]["of"]),
                "balanced": figures.percent(top["class_balanced"]),
                "classes": top["classes"],
                "ties": top["decided_by_order"],
            }
            for top in self.figures_of(dataset, model)["ranking"]["top"]
        ]

    # Figures

    def figure(self, kind: str, dataset: int, model: int, key: str = "", *, small: bool = False) -> Figure:
        """One figure; ``key`` names the disease of those that have one, ``small`` makes a ROC a thumbnail."""
        title = f"{self.model(model)['name']}, {self.dataset(dataset)['title']}"
        if kind == CONFUSION:
            names = {key: label_name(key) for key in self.figures_of(dataset, model)["photos_of"]}
            found = self.figures_of(dataset, model)["confusion"]
            return figures.confusion(kind, _("Confusion matrix: %(of)s") % {"of": title}, found, names)
        name, disease = f"{key}-{kind}", label_name(key)
        result = self.disease(dataset, model, key)
        said = {"disease": disease, "of": title}
        if kind == "roc":
            curve = self.curves_of(dataset, model)[key]
            return figures.roc(
                name, _("ROC, %(disease)s: %(of)s") % said, curve, result["youden"], small=small
            )
        if kind == "calibration":
            words = _("Calibration, %(disease)s: %(of)s") % said
            return figures.calibration(name, words, result["calibration"])
        if kind == "decision":
            words = _("Decision curve, %(disease)s: %(of)s") % said
            return figures.decision(name, words, result["decision_curve"])
        if kind == "subgroups":
            groups = [(division_name(one), self._named_groups(one, result)) for one in SUBGROUPS]
            whole = {
                "label": _("all"), "photos": result["positives"] + result["negatives"],
                "positives": result["positives"], "auc": result["auc"], "note": result["note"],
            }  # fmt: skip
            return figures.forest(name, _("Subgroups, %(disease)s: %(of)s") % said, groups, whole)
        curves = [(one["title"], self.curves_of(one["pk"], model)[key]) for one in self.datasets]
        title = _("Thresholds, %(disease)s: %(model)s") % {
            "disease": disease,
            "model": self.model(model)["name"],
        }
        marks = [(_("Youden"), result["youden"]["threshold"])] if result["youden"] else []
        return figures.thresholds(name, title, curves, log=kind.endswith("log"), marks=marks)

    @staticmethod
    def _named_groups(division: str, result: dict) -> list[dict]:
        rows = result["subgroups"].get(division, ())
        named = [row | {"label": group_name(division, row["label"])} for row in rows]
        order = {row["label"]: row["label"] == group_name(division, UNKNOWN) for row in named}
        return sorted(named, key=lambda row: order[row["label"]])

    def all_figures(self, dataset: int, model: int) -> Iterator[Figure]:
        """Every figure of one model on one dataset that has something to show."""
        yield self.figure(CONFUSION, dataset, model)
        for key in DISEASE_KEYS:
            for kind in BY_DISEASE:
                found = self.figure(kind, dataset, model, key)
                if found.drawing is not None:
                    yield found

    # Files

    def files(self, dataset: int, model: int) -> Iterator[tuple[str, bytes]]:
        """The figures of one model on one dataset as SVG, PNG and CSV."""
        for figure in self.all_figures(dataset, model):
            yield f"{figure.name}.svg", svg(figure)
            yield f"{figure.name}.png", png(figure)
            yield f"{figure.name}.csv", table_csv(figure.columns, figure.rows)

    def table_csv(self) -> bytes:
        return table_csv(*self.long_table())


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


def svg(figure: Figure) -> bytes:
    """The figure as a file of its own."""
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + to_svg(figure.drawing, alone=True).encode()


def png(figure: Figure) -> bytes:
    return to_png(figure.drawing, FONT_FILE)


def table_csv(columns: Sequence[str], rows: Sequence[Sequence]) -> bytes:
    """A table as UTF-8 with a mark, formulas defused."""
    text = io.StringIO()
    text.write("\ufeff")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([defused(name) for name in columns])
    writer.writerows([[_cell(value) for value in row] for row in rows])
    return text.getvalue().encode()


def _cell(value):
    is_number = isinstance(value, int | float) or value == "-inf"
    return value if is_number else defused(value)


def zip_stream(files: Iterator[tuple[str, bytes]]) -> Iterator[bytes]:
    """A ZIP of these files, a file at a time."""
    out = Tail()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
            yield out.take()
    yield out.take()


# Words


def label_name(key: str) -> str:
    return labels.name(key, get_language() or "en")


def division_name(name: str) -> str:
    return {
        "age": _("Age"),
        "sex": _("Sex"),
        "skin_type": _("Fitzpatrick skin type"),
        "site": _("Anatomic site"),
        "source": _("Source"),
    }[name]


def group_name(division: str, label: str) -> str:
    """A subgroup's label for people."""
    if label == UNKNOWN:
        return _("not known")
    if division == "age":
        return {"70 and over": _("70 and over")}.get(label, label)
    if division == "sex":
        return str(dict(Patient.Sex.choices).get(label, label))
    if division == "skin_type":
        return str(dict((str(value), name) for value, name in Patient.SkinType.choices).get(label, label))
    if division == "site":
        return str(dict(ANATOMIC_SITES).get(label, label))
    return label


def _average_name(diseases: int) -> str:
    return _("Average of %(n)d") % {"n": diseases}


def _three(value: float | None) -> str:
    return _("not evaluable") if value is None else f"{value:.3f}"


def _single_row(result: dict) -> TableRow:
    at = result["youden"]
    groups = at["groups"] if at else None

    def shown(share: dict) -> MeanSdCell:
        low, high = 100 * share["low"], 100 * share["high"]
        return MeanSdCell(f"{figures.percent(share['value'])} ({low:.1f}–{high:.1f})")

    def among(name: str) -> MeanSdCell:
        """With what it would be if actinic keratosis counted to the other group."""
        if not groups:
            return MeanSdCell("–")
        other = next((one for one in at["other_policies"] if one["policy"] in (BENIGN, MALIGNANT)), None)
        own, alternative = groups[name], other and other[name]
        differs = alternative and (alternative["count"], alternative["of"]) != (own["count"], own["of"])
        return MeanSdCell(
            figures.percent(own["value"]), figures.percent(alternative["value"]) if differs else ""
        )

    nothing = MeanSdCell("–")
    return TableRow(
        result["key"],
        label_name(result["key"]),
        result["positives"],
        result["negatives"],
        MeanSdCell(figures.note_words(result["note"]) if result["note"] else figures.auc_text(result["auc"])),
        shown(at["sensitivity"]) if at else nothing,
        shown(at["specificity"]) if at else nothing,
        MeanSdCell(figures.threshold_text(at["threshold"])) if at else nothing,
        len(result["youden_thresholds"]),
        among("specificity_among_other_malignant"),
        among("specificity_among_other_benign"),
        _reference_of(result["key"]),
    )


def _runs_row(row: dict, counts: dict | None) -> TableRow:
    note = counts["note"] if counts else ""
    return TableRow(
        row["key"],
        label_name(row["key"]) if row["key"] else _average_name(row["diseases"]),
        counts and counts["positives"],
        counts and counts["negatives"],
        MeanSdCell(figures.note_words(note)) if note else _mean(row["auc"], lambda value: f"{value:.3f}"),
        _mean(row["sensitivity"], figures.percent),
        _mean(row["specificity"], figures.percent),
        _mean(row["threshold"], figures.threshold_text) if row["key"] else MeanSdCell(""),
        0,
        MeanSdCell(""),
        MeanSdCell(""),
        _reference_of(row["key"]),
    )


def _mean(found: dict, words) -> MeanSdCell:
    """Mean ± SD, and each run's value."""
    values = [value for value in found["values"] if value is not None]
    runs = ", ".join(words(value) for value in values)
    if found["mean"] is None:
        return MeanSdCell("–", runs)
    text = words(found["mean"])
    if found["sd"] is not None:
        text = f"{text.removesuffix(' %')} ± {words(found['sd'])}"
    return MeanSdCell(text, runs, found["unstable"])


def _reference_of(key: str) -> tuple[tuple[str, str, str, str] | None, ...]:
    return tuple(_published(table, key) for table in HAN_2018)


def _published(table: PublishedTable, key: str) -> tuple[str, str, str, str] | None:
    row = table.row(key) if key else table.average
    if row is None:
        return None
    shares = [f"{100 * mean:.1f} ± {100 * sd:.1f} %" for mean, sd in (row.sensitivity, row.specificity)]
    return (
        f"{row.auc[0]:.2f} ± {row.auc[1]:.2f}",
        *shares,
        f"{row.threshold[0]:.4f} ± {row.threshold[1]:.4f}",
    )


def _long_row(dataset: str, model: str, row: dict) -> tuple:
    auc, at = row["auc"] or {}, row["youden"]
    sens, spec = (at["sensitivity"], at["specificity"]) if at else ({}, {})
    groups = at["groups"] if at else {}

    def among(name: str):
        return groups[name]["value"] if groups else ""

    return (
        dataset, model, "run", row["key"], row["positives"], row["negatives"], auc.get("auc", ""),
        auc.get("low", ""), auc.get("high", ""), "", sens.get("value", ""), sens.get("low", ""), sens.get("high", ""),
        "", spec.get("value", ""), spec.get("low", ""), spec.get("high", ""), "",
        among("specificity_among_other_malignant"), among("specificity_among_other_benign"),
        at["threshold"] if at else "", "", " ".join(map(str, row["youden_thresholds"])),
        at["optimistic"] if at else "", row["note"] or auc.get("note", ""), "",
    )  # fmt: skip
