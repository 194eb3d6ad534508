"""The tables of an evaluation: one like the paper's Table 1 in words, the long one of every number, top-k."""

from dataclasses import dataclass

from classifier.metrics.han2018 import HAN_2018, PublishedTable
from classifier.plots import figures
from classifier.plots.notes import note_words
from classifier.services.evaluation.report import Report
from classifier.services.evaluation.words import label_name
from skinclinic.vocabulary.diseases import BENIGN, MALIGNANT
from skinclinic.web.counts import gettext as _


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


def table(report: Report, dataset: int, model: int) -> list[TableRow]:
    """Table 1 of one model: each disease with DeLong's and Wilson's intervals at its Youden optimum."""
    found = report.figures_of(dataset, model)
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


def runs_table(report: Report, dataset: int, runs: dict) -> list[TableRow]:
    """Table 1 over several runs: mean ± SD, which is no interval."""
    counts = {row["key"]: row for row in report.figures_of(dataset, runs["models"][0])["diseases"]}
    summary = runs["summary"]
    rows = [_runs_row(row, counts[row["key"]]) for row in summary["rows"]]
    return [*rows, _runs_row(summary["average"], None)]


def long_table(report: Report) -> tuple[tuple[str, ...], list[tuple]]:
    """Every number of every run, of the means, and the published ones: one line each."""
    columns = (
        "dataset", "model", "kind", "disease", "photos_with", "photos_without", "auc", "auc_low", "auc_high",
        "auc_sd", "sensitivity", "sensitivity_low", "sensitivity_high", "sensitivity_sd", "specificity",
        "specificity_low", "specificity_high", "specificity_sd", "specificity_among_other_malignant",
        "specificity_among_other_benign", "threshold", "threshold_sd", "youden_optima", "optimistic", "note",
        "source",
    )  # fmt: skip
    rows: list[tuple] = []
    for result in report.content["results"]:
        dataset, model = report.dataset(result["dataset"])["title"], report.model(result["model"])["name"]
        rows += [_long_row(dataset, model, row) for row in result["figures"]["diseases"]]
        averages = result["figures"]["averages"]
        rows.append(
            (dataset, model, "run", "average", "", "", averages["auc"], "", "", "", averages["sensitivity"],
             "", "", "", averages["specificity"], *[""] * 11)
        )  # fmt: skip
    for runs in report.content["runs"]:
        dataset = report.dataset(runs["dataset"])["title"]
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


def top_lines(report: Report, dataset: int, model: int) -> list[dict]:
    """Top-1 to top-5 with Wilson's interval, and class-balanced."""
    return [
        {
            "k": top["k"],
            "share": figures.counted(top["right"]["count"], top["right"]["of"]),
            "balanced": figures.percent(top["class_balanced"]),
            "classes": top["classes"],
            "ties": top["decided_by_order"],
        }
        for top in report.figures_of(dataset, model)["ranking"]["top"]
    ]


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
        own, alternative = groups[name], (other[name] if other else groups[name])
        differs = (alternative["count"], alternative["of"]) != (own["count"], own["of"])
        return MeanSdCell(
            figures.percent(own["value"]), figures.percent(alternative["value"]) if differs else ""
        )

    nothing = MeanSdCell("–")
    return TableRow(
        result["key"],
        label_name(result["key"]),
        result["positives"],
        result["negatives"],
        MeanSdCell(note_words(result["note"]) if result["note"] else figures.auc_text(result["auc"])),
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
        counts["positives"] if counts else None,
        counts["negatives"] if counts else None,
        MeanSdCell(note_words(note)) if note else _mean(row["auc"], lambda value: f"{value:.3f}"),
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
    return (
        f"{row.auc[0]:.2f} ± {row.auc[1]:.2f}",
        f"{100 * row.sensitivity[0]:.1f} ± {100 * row.sensitivity[1]:.1f} %",
        f"{100 * row.specificity[0]:.1f} ± {100 * row.specificity[1]:.1f} %",
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
