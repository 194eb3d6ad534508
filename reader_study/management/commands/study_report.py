"""Every figure and table of a reader study, from CSV files. Needs no database."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from classifier.metrics.groups import AS_BENIGN
from reader_study.services.results import report_files
from reader_study.statistics.reading import FileRefused, TablesRefused
from reader_study.statistics.report import POLICIES, report
from reader_study.statistics.tables import read_tables


class Command(BaseCommand):
    help = (
        "Write report.json, tables and figures of a reader study. Columns of images: image, dataset, truth (and sex, "
        "age, skin_type); of scores: image and the 12 disease keys; of answers: session, reader, group, image, answer "
        "(and second, confidence, seconds, first_answer). DIR is written whole or not at all."
    )
    requires_system_checks = []

    def add_arguments(self, parser):
        for name in ("images", "scores", "answers"):
            parser.add_argument(f"--{name}", type=Path, required=name != "scores", metavar="CSV")
        parser.add_argument("--out", type=Path, required=True, metavar="DIR")
        parser.add_argument(
            "--ak",
            choices=POLICIES,
            default=AS_BENIGN,
            help="where actinic keratosis counts (default: benign)",
        )
        parser.add_argument(
            "--margin", type=float, metavar="D", help="non-inferiority of balanced accuracy, 0 to 1"
        )
        parser.add_argument(
            "--whole-images", type=Path, metavar="CSV", help="the test set from which the images were drawn"
        )
        parser.add_argument("--whole-scores", type=Path, metavar="CSV", help="its scores")
        parser.add_argument("--no-figures", action="store_true", help="report and tables only")

    def handle(self, *, out: Path, ak: str, margin: float | None, **options):
        if margin is not None and not 0 <= margin <= 1:
            raise CommandError(f"--margin {margin:g} must be from 0 to 1.")
        if (options["whole_images"] is None) != (options["whole_scores"] is None):
            raise CommandError("--whole-images and --whole-scores go together.")
        names = ("images", "scores", "answers", "whole_images", "whole_scores")
        try:
            report_files.check_folder(out)
            tables = read_tables(*(options[name] for name in names))
        except (TablesRefused, FileRefused, report_files.FolderRefused) as refused:
            raise CommandError(str(refused)) from None
        except OSError as error:
            raise CommandError(f"{error.filename} cannot be read: {error.strerror}.") from None
        found = report(tables, ak=ak, margin=margin)
        try:
            content = report_files.files(found, tables, with_figures=not options["no_figures"])
            count = report_files.write_folder(content, out)
        except report_files.FolderRefused as refused:
            raise CommandError(str(refused)) from None
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error.strerror}.") from None
        self.stdout.write("\n".join([*_lines(found), f"{count} files written to {out}"]))


def _lines(found: dict) -> list[str]:
    lines = []
    for name, dataset in found["datasets"].items():
        evaluable = [one["auc"] for one in dataset["diseases"].values() if one["evaluable"]]
        model = (
            f"macro AUC {sum(evaluable) / len(evaluable):.4f} over {len(evaluable)} diseases"
            if evaluable
            else ""
        )
        lines.append(f"{name}: {dataset['n']} images" + (f"; model: {model}" if model else "; no model"))
        for session, one in dataset["sessions"].items():
            mean = one["mean_accuracy"]
            accuracy = "not evaluable" if mean is None else f"{mean:.4f}"
            lines.append(f"  {session}: {one['n_readers']} readers, mean accuracy {accuracy}")
    return lines
