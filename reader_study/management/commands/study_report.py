"""Every figure and table of a reader study, from CSV files. Needs no database."""

from argparse import ArgumentTypeError
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from classifier.metrics.groups import AS_BENIGN
from classifier.plots.notes import note_words
from classifier.services.evaluation.bundle import USUAL
from classifier.services.evaluation.figure_files import DPI, KINDS, PRINT, SCREEN, WIDTHS, Print
from reader_study.management.encoding import add_encoding
from reader_study.services.results import (
    completeness,
    conclusions,
    doubt_texts,
    files_text,
    headlines,
    report_files,
)
from reader_study.statistics import study_exchange
from reader_study.statistics.doubts import against_verdicts
from reader_study.statistics.endpoints import ENDPOINTS
from reader_study.statistics.reading import FileRefused, TablesRefused
from reader_study.statistics.report import POLICIES, report
from reader_study.statistics.tables import StudyTables, read_tables
from reader_study.statistics.thresholds import read_thresholds
from reader_study.statistics.verdicts import FIRST_CHOICE, THRESHOLDS
from skinclinic.archive.management import mapping
from skinclinic.engine import side_by_side
from skinclinic.management.memory import kept

# Of readers and of images on the console.
_NAMED = 10


class Command(BaseCommand):
    help = (
        "Write report.json, tables and figures of a reader study. Columns of images: image, dataset, truth (and sex, "
        "age, skin_type, patient); of scores: image and the 12 diseases, by key or name; of answers: session, reader, "
        "group, image, answer (and second, confidence, seconds, first_answer, reached, management: biopsy, no_biopsy "
        "or other). A row without an answer is a photo that was skipped, or with reached 0 one that the reader never "
        "came to; a photo without a row was never shown to the reader. DIR is written whole or not at all."
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
            "--endpoints",
            type=_keys,
            default=(),
            metavar="KEYS",
            help="primary ones: diseases as bcc,mm; accuracy, malignant (of the model against readers); "
            "sessions_accuracy, sessions_malignant, sessions_management (of a later session minus an earlier one)",
        )
        parser.add_argument(
            "--fixed-before",
            action="store_true",
            help="endpoints, margin and model were fixed in a protocol before the answers; without it nothing is "
            "concluded",
        )
        parser.add_argument(
            "--names-differ",
            action="store_true",
            help="readers, photos, patients, sessions and datasets whose names nearly match, as R1 and r1 or 1 and "
            "001, are known to be two; without it nothing is concluded while there are such",
        )
        parser.add_argument(
            "--whole-images", type=Path, metavar="CSV", help="the test set from which the images were drawn"
        )
        parser.add_argument("--whole-scores", type=Path, metavar="CSV", help="its scores")
        parser.add_argument(
            "--thresholds",
            type=Path,
            metavar="CSV",
            help="the protocol's thresholds, chosen on another cohort: columns disease and threshold. Conclusions "
            "then rest on them, not on the model's first choice",
        )
        parser.add_argument(
            "--map",
            type=Path,
            metavar="JSON",
            help='the files\' own words for diseases, as import_dataset takes them: {"labels": {word: disease, or '
            '"-" to leave its photos out and count its answers as none}}',
        )
        add_encoding(parser)
        parser.add_argument("--no-figures", action="store_true", help="report and tables only")
        parser.add_argument(
            "--formats", type=_formats, default=USUAL, metavar="KINDS",
            help=f"of the figures and their tables, as svg,eps,tiff (default: {','.join(USUAL)}; there "
            f"are {', '.join(KINDS)})",
        )  # fmt: skip
        parser.add_argument(
            "--width",
            type=int,
            choices=WIDTHS,
            default=PRINT.width,
            help="of a figure in millimetres (default: 174)",
        )
        parser.add_argument(
            "--dpi", type=int, choices=DPI, default=SCREEN, help="of PNG and TIFF (default: 150)"
        )
        parser.add_argument(
            "--no-titles", action="store_true", help="figures without title and facts above them"
        )

    def handle(self, **options):
        with kept() as keep:
            self._report(keep, **options)

    def _report(self, keep: Callable[[], None], *, out: Path, ak: str, margin: float | None, **options):
        if margin is not None and not 0 <= margin <= 1:
            raise CommandError(f"--margin {margin:g} must be from 0 to 1.")
        if (options["whole_images"] is None) != (options["whole_scores"] is None):
            raise CommandError("--whole-images and --whole-scores go together.")
        names = ("images", "scores", "answers", "whole_images", "whole_scores")
        try:
            report_files.check_folder(out)
            said = mapping.read(options["map"])
            if unused := [part for part, found in said.items() if part != "labels" and found]:
                raise CommandError(f"{options['map']}: only labels are used here, not {', '.join(unused)}.")
            labels, encoding = said.get("labels", {}), options["encoding"] or ""
            tables = read_tables(*(options[name] for name in names), labels=labels, encodings={"": encoding})
            thresholds = _thresholds(options["thresholds"], tables, labels, encoding)
        except (TablesRefused, FileRefused, report_files.FolderRefused) as refused:
            raise CommandError(str(refused)) from None
        except OSError as error:
            raise CommandError(f"{error.filename} cannot be read: {error.strerror}.") from None
        keep()
        for_others: list[tuple[str, bytes]] = []

        def computed(parts: Sequence[Callable[[], Any]]) -> list[Any]:
            """The parts of the report beside the files for other programs."""
            # Loaded once for all processes.
            import scipy.special  # noqa: F401

            exchange, *found = side_by_side.made([lambda: list(study_exchange.files(tables)), *parts])
            for_others.extend(exchange)
            return found

        found = report(
            tables,
            ak=ak,
            margin=margin,
            endpoints=options["endpoints"],
            is_fixed=options["fixed_before"],
            names_differ=options["names_differ"],
            operating_point=THRESHOLDS if thresholds else FIRST_CHOICE,
            thresholds=thresholds,
            compute=computed,
        )
        keep()
        try:
            content = report_files.files(
                found, tables, kinds=() if options["no_figures"] else options["formats"],
                how=Print(options["width"], options["dpi"]), has_title=not options["no_titles"],
                exchange=for_others,
            )  # fmt: skip
            count = report_files.write_folder(content, out)
        except report_files.FolderRefused as refused:
            raise CommandError(str(refused)) from None
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error.strerror}.") from None
        self._tell(found, options["names_differ"])
        self.stdout.write("\n".join([*_lines(found), f"{count} files written to {out}"]))

    def _tell(self, found: dict[str, Any], names_differ: bool) -> None:
        """What looks like a mistake, and what was made of the files."""
        for doubt in doubt_texts.texts(found):
            self.stderr.write(f"warning: {doubt}")
        if against_verdicts(found["doubts"]) and not names_differ:
            self.stderr.write(
                "warning: nothing is concluded while names nearly match; --names-differ says they are of two"
            )
        for note in files_text.texts(found):
            self.stderr.write(f"note: {note}")


def _thresholds(
    path: Path | None, tables: StudyTables, labels: dict[str, str], encoding: str
) -> dict[str, float] | None:
    if path is None:
        return None
    found = read_thresholds(path, labels=labels, encoding=encoding)
    highest = 1 if tables.scores is None else float(tables.scores.max())
    if highest <= 1 and (above := [f"{key} {value:g}" for key, value in found.items() if value > 1]):
        raise CommandError(
            f"{path.name}: {', '.join(above)}: the scores are shares from 0 to 1; write thresholds so, or with %."
        )
    return found


def _keys(text: str) -> tuple[str, ...]:
    keys = tuple(key.strip().casefold() for key in text.split(",") if key.strip())
    if unknown := [key for key in keys if key not in ENDPOINTS]:
        raise ArgumentTypeError(f"{', '.join(unknown)}: is none of {', '.join(ENDPOINTS)}")
    return keys


def _formats(text: str) -> tuple[str, ...]:
    kinds = tuple(kind.strip().casefold() for kind in text.split(",") if kind.strip())
    if not kinds or (unknown := [kind for kind in kinds if kind not in KINDS]):
        raise ArgumentTypeError(
            f"{', '.join(unknown) if kinds else 'nothing'}: is none of {', '.join(KINDS)}"
        )
    return kinds


def _lines(found: dict) -> list[str]:
    said = {(one.dataset, one.session): one for one in completeness.of_all(found)}
    lines = []
    for name, dataset in found["datasets"].items():
        asked: list[headlines.Headline] = []
        lines.append(f"{name}: {dataset['n']} images; {_model(found, dataset)}")
        for session, one in dataset["sessions"].items():
            wrong, read = one["mean_accuracy"], one["as_read"]["mean_accuracy"]
            text = "not evaluable" if wrong is None else f"{wrong:.4f}"
            if read is not None and read != wrong:
                text += f" with missing answers as wrong, {read:.4f} as read"
            readers = "1 reader" if one["n_readers"] == 1 else f"{one['n_readers']} readers"
            lines.append(f"  {session}: {readers}, mean accuracy {text}")
            lines += _completeness(said[name, session])
            lines += _conclusions(found, name, session)
            asked = headlines.of_dataset(found, name, session, {})
            lines += _headlines(one for one in asked if not one.pair)
        lines += _headlines(one for one in asked if one.pair)
    if found["pooled"]:
        lines.append(headlines.strata_text(found))
        for place, session in enumerate(found["sessions"]):
            asked = headlines.of_all(found, session, {})
            lines += _headlines(one for one in asked if not (one.pair and place))
    return lines


def _headlines(asked: Iterable[headlines.Headline]) -> list[str]:
    lines = []
    for one in asked:
        if one.is_main:
            figures = [one.values, one.difference, f"as read {one.as_read}" if one.as_read else "", one.n]
            said = "; ".join(part for part in (*figures, f"p {one.p}" if one.p else "") if part)
            lines.append(f"    {one.question} ({one.merit}), {one.comparison}: {said}. {one.text}")
    return lines


def _model(found: dict, dataset: dict) -> str:
    evaluable = [one["auc"] for one in dataset["diseases"].values() if one["evaluable"]]
    if evaluable:
        return f"model: macro AUC {sum(evaluable) / len(evaluable):.4f} over {len(evaluable)} diseases"
    if not found["settings"]["has_model"]:
        return "no model: no scores were given"
    why = Counter(note_words(one["note"]) for one in dataset["diseases"].values())
    return f"model: no disease is evaluable ({'; '.join(f'{n} × {said}' for said, n in why.items())})"


def _completeness(found: completeness.Completeness) -> list[str]:
    lines = [f"    answers: {found.counts}"]
    if found.why:
        lines.append(f"    NOTHING IS CONCLUDED: {found.why}")
    if found.design and found.is_read:
        lines.append(f"    design: {found.design}; compared by U-statistics")
    for kind, lacking in (("reader", found.readers), ("image", found.images)):
        lines += [f"      {kind} {name}: {counts}" for name, counts in lacking[:_NAMED]]
        if len(lacking) > _NAMED:
            lines.append(f"      and {len(lacking) - _NAMED} more {kind}s; all are in design.csv")
    return lines


def _conclusions(found: dict, dataset: str, session: str) -> list[str]:
    if not found["settings"]["has_model"]:
        return []
    primary = [one for one in conclusions.of_report(found, dataset, session) if one.is_primary]
    point = "model at its fixed threshold" if found["settings"]["thresholds"] else "model's first choice"
    if not primary:
        if found["settings"]["primary"]:
            return []
        return ["    model against readers: no primary endpoint (--endpoints), so nothing is concluded"]
    return [
        f"    {point} - readers, {one.key}: {one.difference or 'not evaluable'} with missing answers as "
        f"wrong, {one.as_read or 'not evaluable'} as read. {one.text} {one.multiplicity}".rstrip()
        for one in primary
    ]
