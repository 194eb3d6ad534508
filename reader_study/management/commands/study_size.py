"""How many readers and cases a study needs: from stated variances, a table of ratings, or a finished study."""

import csv
import io
import json
from argparse import ArgumentTypeError
from collections.abc import Iterable
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from classifier.plots.notes import note_words
from reader_study.management.encoding import add_encoding
from reader_study.models import Study
from reader_study.services.making import sizes
from reader_study.services.results import doubt_texts
from reader_study.statistics import doubts, pilot, sizing
from reader_study.statistics.pilot import AUC, NoPilot, Question
from reader_study.statistics.ratings import arranged, read_ratings
from reader_study.statistics.reading import FileRefused, TablesRefused
from reader_study.statistics.tables import read_tables
from skinclinic.services.refused import Refused
from skinclinic.vocabulary.diseases import DISEASE_KEYS

_STATED = ("var_error", "rho1", "rho2", "rho3", "var_readers")


class Command(BaseCommand):
    help = (
        "Power and number of cases of a study in which every reader reads every case, by Obuchowski and Rockette "
        "(Hillis, Obuchowski & Berbaum 2011). Where the variances come from, one of: --study, a finished study of this "
        "installation; --images, --answers and, for the model, --scores, the files of study_report; --ratings, the "
        "file of mrmc (AUC); or --var-error, --rho1, --rho2, --rho3, --var-readers and --error-cases."
    )
    requires_system_checks = []

    def add_arguments(self, parser):
        known = parser.add_argument_group("where the variances come from")
        known.add_argument(
            "--study", type=int, metavar="NUMBER", help="a finished study, by its number in its address"
        )
        for name in ("images", "answers", "scores", "ratings"):
            known.add_argument(f"--{name}", type=Path, metavar="CSV")
        add_encoding(known)
        known.add_argument(
            "--var-error", type=float, metavar="V", help="error variance of one reader in one test"
        )
        known.add_argument(
            "--rho1", type=float, metavar="R", help="correlation of errors: same reader, other test"
        )
        known.add_argument("--rho2", type=float, metavar="R", help="other reader, same test")
        known.add_argument("--rho3", type=float, metavar="R", help="other reader, other test")
        known.add_argument(
            "--var-readers", type=float, metavar="V",
            help="variance of tests within readers (TR); with --compare model, of readers (R)",
        )  # fmt: skip
        known.add_argument("--error-cases", type=int, metavar="N", help="the cases that --var-error is for")
        asked = parser.add_argument_group("what is compared")
        asked.add_argument(
            "--compare", choices=sizing.DESIGNS, default=sizing.SESSIONS,
            help="two sessions, or the model with its readers (default: sessions)",
        )  # fmt: skip
        asked.add_argument("--measure", choices=pilot.MEASURES, default=pilot.ACCURACY)
        asked.add_argument("--disease", type=_key, metavar="KEY", help="of every measure but accuracy")
        asked.add_argument(
            "--dataset", default="", metavar="NAME", help="one of the pilot's (default: all together)"
        )
        asked.add_argument(
            "--sessions", type=lambda text: tuple(text.split(",")), default=(), metavar="NAMES",
            help="of the pilot, as unaided,aided (default: its first)",
        )  # fmt: skip
        sized = parser.add_argument_group("what is to be shown")
        sized.add_argument(
            "--difference", type=float, metavar="D",
            help="the true one, later - earlier or model - readers (default: the pilot's; 0 with --margin)",
        )  # fmt: skip
        sized.add_argument(
            "--margin", type=float, metavar="D", help="of non-inferiority, instead of a difference"
        )
        sized.add_argument(
            "--alpha", type=float, default=sizing.ALPHA, metavar="A", help="two-sided (default: 0.05)"
        )
        sized.add_argument("--power", type=float, default=sizing.POWER, metavar="P", help="(default: 0.8)")
        sized.add_argument(
            "--readers", default="3-12", metavar="NUMBERS", help="5, 3,5,8 or 3-12 (the default)"
        )
        sized.add_argument("--cases", type=int, metavar="N", help="give the power with so many cases as well")
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--json", action="store_true", help="write JSON instead of a table")
        how.add_argument("--csv", action="store_true", help="write CSV instead of a table")

    def handle(self, **options):
        if options["cases"] is not None and options["cases"] < sizing.LEAST_CASES:
            raise CommandError(f"--cases {options['cases']} must be {sizing.LEAST_CASES} or more.")
        if options["measure"] != pilot.ACCURACY and not options["disease"] and not _is_bare(options):
            raise CommandError(f"--measure {options['measure']} needs --disease.")
        try:
            found, spread = self._known(options)
            wanted = sizes.Wanted(
                options["difference"], options["margin"], options["alpha"], options["power"],
                sizes.reader_numbers(options["readers"]), options["cases"],
            )  # fmt: skip
            plan = sizes.plan(spread, wanted, found)
        except (Refused, sizing.CannotSize, FileRefused, TablesRefused) as refused:
            raise CommandError(str(refused)) from None
        except NoPilot as refused:
            raise CommandError(sizes.no_pilot(refused)) from None
        except OSError as error:
            raise CommandError(f"{error.filename} cannot be read: {error.strerror}.") from None
        measure = AUC if options["ratings"] else "" if _is_bare(options) else options["measure"]
        said = list(sizes.assumptions(plan, measure))
        plan |= {"measure": measure, "disease": options["disease"] or "", "assumptions": said}
        if options["json"]:
            self.stdout.write(json.dumps(plan, ensure_ascii=False, allow_nan=False))
        elif options["csv"]:
            written = io.StringIO()
            csv.writer(written, lineterminator="\n").writerows(sizes.table(plan))
            self.stdout.write(written.getvalue(), ending="")
        else:
            self.stdout.write("\n".join(_lines(plan)))

    def _doubt(self, found: Iterable[doubts.Doubt]) -> None:
        """Say what looks like a mistake in the pilot's files."""
        for said in doubt_texts.texts({"doubts": list(found)}):
            self.stderr.write(f"warning: {said}")

    def _known(self, options: dict) -> tuple[pilot.Pilot | None, sizing.Spread]:
        """What is known of the variances, and the pilot they come from."""
        given = [name for name in ("study", "answers", "ratings", "var_error") if options[name] is not None]
        if len(given) != 1:
            raise CommandError(
                "Say where the variances come from, in one way: --study, --images and --answers, --ratings, or "
                "--var-error and the correlations."
            )
        (way,) = given
        question = Question(
            options["compare"],
            options["measure"],
            options["disease"] or "",
            options["dataset"],
            options["sessions"],
        )
        if way == "var_error":
            lacking = [name for name in (*_STATED, "error_cases") if options[name] is None]
            if lacking:
                raise CommandError(
                    "--var-error needs " + ", ".join(f"--{name.replace('_', '-')}" for name in lacking) + "."
                )
            stated = {name: options[name] for name in _STATED}
            return None, sizing.stated(options["compare"], **stated, cases=options["error_cases"])
        encoding = options["encoding"] or ""
        if way == "ratings":
            ratings = read_ratings(options["ratings"], encoding=encoding)
            self._doubt(doubts.of_ratings(ratings))
            found = pilot.of_ratings(arranged(ratings), options["compare"])
        elif way == "answers":
            if options["images"] is None:
                raise CommandError("--answers needs --images.")
            files = (options[name] for name in ("images", "scores", "answers"))
            tables = read_tables(*files, encodings={"": encoding})
            self._doubt(doubts.of_tables(tables))
            found = pilot.of_study(tables, question)
        else:
            study = Study.objects.filter(pk=options["study"]).first()
            if study is None:
                raise CommandError(f"There is no study {options['study']}.")
            found = sizes.pilot_of(study, question)
        return found, found.spread


def _is_bare(options: dict) -> bool:
    """Whether the measure is that of the values given."""
    return options["ratings"] is not None or options["var_error"] is not None


def _key(text: str) -> str:
    if (key := text.strip().casefold()) not in DISEASE_KEYS:
        raise ArgumentTypeError(f"{text}: is none of {', '.join(DISEASE_KEYS)}")
    return key


def _lines(plan: dict) -> list[str]:
    what = " of ".join(filter(None, (plan["measure"].replace("_", " "), plan["disease"])))
    compared = "two sessions" if plan["design"] == sizing.SESSIONS else "model against readers"
    lines = [f"{what + ', ' if what else ''}{compared}"]
    if found := plan["pilot"]:
        lines.append(
            f"pilot: {' and '.join(found['sessions'])}, {found['readers']} readers, {found['cases']} cases, "
            f"difference {found['difference']:+.4f}"
        )
    spread = plan["spread"]
    lines.append(
        f"variances: readers {spread['readers']:.6g}, error of a reader's difference {spread['own']:.6g}, shared by "
        f"readers {spread['shared']:.6g}, for {spread['cases']} cases"
    )
    lines += [f"- {sentence}" for sentence in plan["assumptions"]]
    lines += [f"Fewest cases for a power of {plan['power']:g} (the power they reach)", _header()]
    lines += [_row(row, _size) for row in plan["rows"]]
    if plan["cases"]:
        lines += [f"Power with {plan['cases']} cases", _header()]
        lines += [_row(row, _power) for row in plan["rows"]]
    return [*lines, f"Source: {plan['source']}"]


def _header() -> str:
    return f"{'readers':>7}  {'readers and cases random':>26}  {'readers fixed':>26}  {'cases fixed':>26}"


def _row(row: dict, shown) -> str:
    return f"{row['readers']:>7}  " + "  ".join(f"{shown(row[analysis]):>26}" for analysis in sizing.ANALYSES)


def _size(one: dict) -> str:
    if one["cases"]:
        return f"{one['cases']} ({one['power']:.3f})"
    if one["most_power"] is not None:
        return f"never (at most {one['most_power']:.3f})"
    return note_words(one["note"])


def _power(one: dict) -> str:
    return note_words(one["note"]) if one["power_with_cases"] is None else f"{one['power_with_cases']:.3f}"
