"""Compare tests read by several readers in any design, from a table of ratings. Needs no database."""

import json
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from classifier.plots.notes import note_words
from reader_study.management.encoding import add_encoding
from reader_study.mrmc import METHODS
from reader_study.services.results import doubt_texts
from reader_study.services.results.designs import pattern_words
from reader_study.statistics.exchange import NotWritten, as_file
from reader_study.statistics.rated import compared
from reader_study.statistics.ratings import read_ratings
from reader_study.statistics.reading import FileRefused, TablesRefused
from skinclinic.files.whole import write_whole


class Command(BaseCommand):
    help = (
        "Compare the AUCs of tests that readers rated on cases, whichever of them rated which: by Obuchowski and "
        "Rockette where each reader has an AUC in each test, and by U-statistics as iMRMC gives them. Columns: test, "
        "reader, case, truth (0 or 1, -1 or 1, benign or malignant, no or yes), rating; or a file of iMRMC. A test "
        "named AI with one reader beside one other test is compared with the readers of that test; beside several, "
        "with those of each, and these with each other."
    )
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--ratings", type=Path, required=True, metavar="FILE", help="CSV or .imrmc")
        parser.add_argument(
            "--out",
            type=Path,
            metavar="FILE",
            help="write the ratings as .imrmc, or as .csv with these columns",
        )
        parser.add_argument(
            "--method", choices=sorted(METHODS), default="jackknife", help="of the covariance"
        )
        parser.add_argument(
            "--margin",
            type=float,
            metavar="D",
            help="non-inferiority of the AI, or of the first of two tests, 0 to 1",
        )
        add_encoding(parser)
        parser.add_argument("--json", action="store_true", help="write JSON instead of a table")

    def handle(self, *, ratings: Path, method: str, margin: float | None, out: Path | None, **options):
        if margin is not None and not 0 <= margin <= 1:
            raise CommandError(f"--margin {margin:g} must be from 0 to 1.")
        try:
            read = read_ratings(ratings, encoding=options["encoding"] or "")
        except (TablesRefused, FileRefused) as refused:
            raise CommandError(str(refused)) from None
        except OSError as error:
            raise CommandError(f"{ratings} cannot be read: {error.strerror}.") from None
        found = compared(read, method, margin)
        if out is not None:
            try:
                write_whole(out, as_file(read, out.suffix))
            except NotWritten as refused:
                raise CommandError(f"{out}: {refused}") from None
            except OSError as error:
                raise CommandError(f"{out} cannot be written: {error.strerror}.") from None
        for doubt in doubt_texts.texts(found):
            self.stderr.write(f"warning: {doubt}")
        if options["json"]:
            self.stdout.write(json.dumps(found, ensure_ascii=False, allow_nan=False))
        else:
            self.stdout.write("\n".join(_lines(found)))


def _lines(found: dict) -> list[str]:
    if "against" in found:
        lines = []
        for test, one in found["against"].items():
            lines += [f"AI against the readers of {test}", *(f"  {line}" for line in _lines(one))]
        return [
            *lines,
            "the other tests with each other",
            *(f"  {line}" for line in _lines(found["between"])),
        ]
    readers = "1 reader" if found["n_readers"] == 1 else f"{found['n_readers']} readers"
    lines = [
        f"AUC, covariance by {found['method']}; {readers}, {found['n_pos']} cases with and "
        f"{found['n_neg']} without",
        *_design(found["design"]),
    ]
    for name, test in found["tests"].items():
        lines.append(f"  {name}: {_auc(test['auc_mean'])}{_interval(test['ci'])}{_note(test)}")
        lines += [f"    {reader}: {_auc(auc)}" for reader, auc in test["readers"].items()]
    if "ai" in found:
        lines.append(f"AI - readers: {_difference(found['difference'])}{_interval(found['ci'])}")
        lines.append(
            f"  t {_number(found['t'])}, df {_number(found['df'])}, p {_number(found['p'])}{_note(found)}"
        )
        lines += _margin(found)
    alone = found | {"tests": list(found["tests"])}
    for pair in found.get("pairs", [alone] if found.get("rrrc") and "ai" not in found else []):
        lines.append(f"{pair['tests'][0]} - {pair['tests'][1]}: {_difference(pair['difference'])}")
        lines += _analyses(pair)
        lines += _margin(pair)
    if "pairs" in found:
        lines += ["all tests", *_analyses(found)]
    if found["components"] is None:
        lines.append(f"Obuchowski and Rockette's components{_note({'note': found['components_note']})}")
    else:
        lines.append(f"components{_note({'note': found['components_note']})}")
        lines += [f"  {name}: {_number(value)}" for name, value in found["components"].items()]
    return [*lines, *_u_statistics(found["u_statistics"])]


def _design(design: dict) -> list[str]:
    lines = [f"design: {pattern_words(design['pattern'])}"]
    if design["n_missing"]:
        lines.append(
            f"  {design['n_missing']} of {design['n_crossed']} ratings of a crossed design are missing"
        )
        lines += [
            f"    missing: test {test}, reader {reader}, case {case}"
            for test, reader, case in design["missing"] or ()
        ]
    if design["missing"] is None:
        lines += [
            f"    {test}, {reader}: {count} rated"
            for test, of in design["n_read"].items()
            for reader, count in of.items()
        ]
    return lines


def _u_statistics(found: dict) -> list[str]:
    lines = ["U-statistics (iMRMC), each pair of ratings counted the same, readers and cases random"]
    for name, test in found.get("tests", {}).items():
        said = "-" if test is None else f"{_auc(test['mean'])}{_interval(test['ci'])}{_note(test)}"
        lines.append(f"  {name}: {said}")
    for pair in found["pairs"]:
        lines.append(
            f"  {pair['tests'][0]} - {pair['tests'][1]}: {_difference(pair['difference'])}{_interval(pair['ci'])}, "
            f"t {_number(pair['t'])}, df {_number(pair['df'])}, p {_number(pair['p'])}{_note(pair)}"
        )
        lines += [f"  {line}" for line in _margin(pair)]
    return lines


def _auc(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _analyses(found: dict) -> list[str]:
    fixed = found["frrc"]
    if fixed is None:
        return [f"  readers and cases random: {_f(found['rrrc'])}"]
    statistic = (
        f"z {_number(fixed['z'])}"
        if "z" in fixed
        else f"chi-squared {_number(fixed['chi2'])}, df {fixed['df']}"
    )
    return [
        f"  readers and cases random: {_f(found['rrrc'])}",
        f"  readers fixed: {statistic}, p {_number(fixed['p'])}{_interval(fixed.get('ci'))}{_note(fixed)}",
        f"  cases fixed: {_f(found['rrfc'])}",
    ]


def _f(test: dict) -> str:
    return (
        f"F {_number(test['f'])}, df {test['df1']} and {_number(test['df2'])}, p {_number(test['p'])}"
        f"{_interval(test['ci'])}{_note(test)}"
    )


def _margin(found: dict) -> list[str]:
    test = found["non_inferiority"]
    if test is None:
        return []
    said = f"t {_number(test['t'])}, df {_number(test['df'])}, one-sided p {_number(test['p'])}"
    return [f"  non-inferiority with margin {test['margin']:g}, readers and cases random: {said}"]


def _difference(value: float | None) -> str:
    """With its sign; what rounds to zero has none."""
    if value is None:
        return "-"
    text = f"{value:+.4f}"
    return text if float(text) else text[1:]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:z.6g}"


def _interval(ci: list[float] | None) -> str:
    return f" (95 % CI {ci[0]:z.4f} to {ci[1]:z.4f})" if ci else ""


def _note(found: dict) -> str:
    return f" [{note_words(found['note'])}]" if found["note"] else ""
