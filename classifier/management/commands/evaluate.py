"""Evaluate models on frozen datasets, here and now."""

import json
import shutil
from itertools import chain
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.template.loader import render_to_string
from django.utils import timezone

from classifier.jobs import evaluation as jobs_evaluation
from classifier.metrics.han2018 import HAN_2018
from classifier.models import Evaluation, ModelVersion
from classifier.services.evaluation import evaluations
from classifier.services.evaluation import report as evaluation_report
from classifier.services.evaluation import tables as evaluation_tables
from classifier.services.evaluation.run import LEAKS, REPORT
from classifier.services.models import registry
from skinclinic.archive.models import Dataset, DatasetVersion
from skinclinic.engine import jobs
from skinclinic.management import chosen
from skinclinic.models import Clinic
from skinclinic.services.refused import Refused
from skinclinic.web.csv_table import table_csv


class Command(BaseCommand):
    help = (
        "Evaluate model versions on frozen datasets: report.json, table.csv, table.html and every figure as SVG, PNG "
        "and CSV. Photos analysed before are not analysed again; after a kill the same command goes on."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--model", action="append", required=True, nargs="+", metavar="NAME",
            help="a model version, or a training with several runs",
        )  # fmt: skip
        parser.add_argument(
            "--dataset", action="append", required=True, nargs="+", metavar="NAME[:VERSION]",
            help="default version: the newest frozen one",
        )  # fmt: skip
        parser.add_argument("--clinic", metavar="SLUG", help="not needed when there is one")
        parser.add_argument("--user", help="who evaluates")
        parser.add_argument("--out", type=Path, required=True, metavar="DIR")
        parser.add_argument("--name", help="default: the time")
        parser.add_argument("--remove-leaks", action="store_true", help="leave out what a model has seen")
        parser.add_argument(
            "--ak-malignant", action="store_true", help="actinic keratosis counts as malignant"
        )
        parser.add_argument(
            "--bootstrap", type=int, default=0, metavar="REPEATS", help="of AUCs, by photo and patient"
        )
        parser.add_argument("--no-figures", action="store_true", help="report and tables only")
        parser.add_argument("--json", action="store_true", help="write the report to standard output")

    def handle(self, **options):
        clinic = chosen.clinic(options["clinic"])
        out: Path = options["out"]
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error.strerror}.") from None
        try:
            row = evaluations.request(
                clinic, chosen.user(options["user"]),
                name=options["name"] or f"{timezone.localtime():%Y-%m-%d %H:%M:%S}",
                models=_models(clinic, list(chain.from_iterable(options["model"]))),
                datasets=_datasets(clinic, list(chain.from_iterable(options["dataset"]))),
                remove_leaks=options["remove_leaks"],
                premalignant_as="malignant" if options["ak_malignant"] else "benign",
                bootstrap=options["bootstrap"], here=True,
            )  # fmt: skip
        except Refused as refused:
            raise CommandError(f"{refused.field}: {refused}") from None
        self._compute(row, out)
        report = evaluation_report.Report(row)
        self._write(report, out, with_figures=not options["no_figures"])
        if options["json"]:
            self.stdout.write(json.dumps(report.content, ensure_ascii=False))
        else:
            self._say(report, out)

    def _compute(self, row: Evaluation, out: Path) -> None:
        job = evaluations.job_of(row)
        if job is None:
            raise CommandError("The evaluation has no job; ask for it again.")
        try:
            with jobs.held([job]):
                outcome = jobs_evaluation.outcome(job, give_way=False)
            jobs.finish(job, outcome)
        except KeyboardInterrupt:
            jobs.finish(job, jobs.JobError("stopped", "Stopped."))
            evaluations.delete(Evaluation.objects.get(pk=row.pk))
            raise CommandError("Stopped. What was analysed is kept; the same command goes on.") from None
        row.refresh_from_db()
        if row.state == Evaluation.State.DONE:
            return
        error = row.error
        if row.state == Evaluation.State.REFUSED:
            shutil.copy(row.folder / LEAKS, out / LEAKS)
            error += f" The rows are in {out / LEAKS}. Leave these photos out with --remove-leaks."
        evaluations.delete(row)
        raise CommandError(error)

    def _write(self, report: evaluation_report.Report, out: Path, *, with_figures: bool) -> None:
        shutil.copy(report.row.folder / REPORT, out / REPORT)
        shutil.copy(report.row.folder / LEAKS, out / LEAKS)
        (out / "table.csv").write_bytes(table_csv(*evaluation_tables.long_table(report)))
        (out / "table.html").write_text(
            render_to_string("evaluations/table_file.html", table_context(report)), encoding="utf-8"
        )
        if not with_figures:
            return
        for dataset in report.datasets:
            for model in report.models:
                folder = out / f"{_plain(dataset['name'])}-v{dataset['number']}" / _plain(model["name"])
                folder.mkdir(parents=True, exist_ok=True)
                for name, content in report.files(dataset["pk"], model["pk"]):
                    (folder / name).write_bytes(content)

    def _say(self, report: evaluation_report.Report, out: Path) -> None:
        for dataset in report.datasets:
            left = ", ".join(f"{count} {reason}" for reason, count in dataset["left_out"].items())
            self.stdout.write(f"{dataset['title']} ({dataset['side']}): {dataset['photos']} photos"
                              + (f"; left out: {left}" if left else ""))  # fmt: skip
            for model in report.models:
                found = report.figures_of(dataset["pk"], model["pk"])["averages"]
                auc = "not evaluable" if found["auc"] is None else f"{found['auc']:.4f}"
                seen = "" if model["leaks_checked"] else "; nobody knows which photos it was trained on"
                self.stdout.write(
                    f"  {model['name']}: macro AUC {auc} over {found['diseases']} diseases{seen}"
                )
            for runs in report.runs_of(dataset["pk"]):
                auc = runs["summary"]["average"]["auc"]
                if auc["sd"] is not None:
                    self.stdout.write(
                        f"  {runs['group']}: macro AUC {auc['mean']:.4f} ± {auc['sd']:.4f} over "
                        f"{runs['summary']['runs']} runs"
                    )
        self.stdout.write(f"written to {out}")


def table_context(report: evaluation_report.Report) -> dict:
    """Every table of a report, dataset by dataset: the means of runs first, then each model."""
    tables = []
    for dataset in report.datasets:
        pk = dataset["pk"]
        found = [
            (runs["group"], evaluation_tables.runs_table(report, pk, runs), True)
            for runs in report.runs_of(pk)
        ]
        found += [
            (model["name"], evaluation_tables.table(report, pk, model["pk"]), False)
            for model in report.models
        ]
        tables += [
            {"dataset": dataset, "name": name, "rows": rows, "is_mean": is_mean}
            for name, rows, is_mean in found
        ]
    return {"report": report.content, "references": HAN_2018, "tables": tables}


def _plain(name: str) -> str:
    """A name as a folder's."""
    return (
        "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name).strip(".") or "_"
    )


def _models(clinic: Clinic, names: list[str]) -> list[ModelVersion]:
    # A clinic's own before one of this name for all, as in `classify --clinic`.
    available = sorted(
        registry.available(clinic).select_related("trained_on_version"), key=lambda one: one.clinic_id is None
    )
    chosen: list[ModelVersion] = []
    for name in names:
        found = [version for version in available if version.name == name][:1] or [
            version for version in available if (version.manifest.get("training") or {}).get("group") == name
        ]
        if not found:
            known = ", ".join(sorted(version.name for version in available)) or "none"
            raise CommandError(f"There is no model or training {name!r}; there are: {known}.")
        chosen += [version for version in found if version not in chosen]
    return chosen


def _datasets(clinic: Clinic, names: list[str]) -> list[DatasetVersion]:
    chosen: list[DatasetVersion] = []
    for text in names:
        known = Dataset.objects.filter(clinic=clinic)
        name, number = text, ""
        if not known.filter(name=text).exists() and ":" in text:
            name, number = text.rsplit(":", 1)
        versions = DatasetVersion.objects.filter(dataset__clinic=clinic, dataset__name=name).order_by(
            "-number"
        )
        if number:
            versions = versions.filter(number=int(number)) if number.isdecimal() else versions.none()
        else:
            versions = versions.filter(state=DatasetVersion.State.FROZEN)
        found = versions.select_related("dataset").first()
        if found is None:
            there = ", ".join(known.values_list("name", flat=True)) or "none"
            raise CommandError(f"There is no frozen dataset version {text!r}; datasets are: {there}.")
        chosen += [found] if found not in chosen else []
    return chosen
