"""Datasets from the command line: made, split, checked, frozen, compared, without a browser or a worker."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from skinclinic.archive.forms.datasets import METHODS
from skinclinic.archive.management.chosen import draft_of, version_named
from skinclinic.archive.models import Dataset, DatasetRole, DatasetVersion, Review
from skinclinic.archive.presenters import summary_table
from skinclinic.archive.presenters.label_names import known_label
from skinclinic.archive.services.datasets import checks, datasets, differences, dividing, freezing, summary
from skinclinic.archive.services.searching import search
from skinclinic.archive.services.searching.query_text import QueryError
from skinclinic.archive.services.searching.selection import Selection, entries
from skinclinic.management import chosen
from skinclinic.management.terminal import Tells
from skinclinic.services.refused import Refused
from skinclinic.web.csv_table import table_csv

ANY = "any"


class Command(Tells, BaseCommand):
    help = "Make datasets of searches, split, check, freeze and compare them."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(
            dest="action", required=True, metavar="make|split|check|freeze|compare"
        )
        make = actions.add_parser(
            "make", help="a dataset of what a search finds, or the photos of its draft anew"
        )
        make.add_argument("name")
        make.add_argument("--search", default="", help="as in the archive's search box; default: all photos")
        make.add_argument("--label", default="", help='a disease, "malignant" or "others"')
        make.add_argument(
            "--review",
            choices=(*Review.values, ANY),
            default=Review.ACCEPTED,
            help="default: accepted photos only",
        )
        make.add_argument("--role", choices=DatasetRole.values, default=DatasetRole.BOTH)
        make.add_argument("--description", default="")
        split = actions.add_parser("split", help="divide the draft into training and test")
        split.add_argument("name")
        split.add_argument("--method", choices=[key for key, _name in METHODS], default="patient")
        split.add_argument(
            "--share", type=float, default=0.8, help="of training, between 0 and 1 (default: 0.8)"
        )
        split.add_argument("--seed", type=int, default=0)
        check = actions.add_parser("check", help="make every check; exit status 1 if one fails")
        check.add_argument("name", metavar="NAME[:VERSION]")
        check.add_argument("--minimum", type=int, help="photos each class must have")
        check.add_argument("--allow", action="append", default=[], metavar="CHECK", help="one that may fail")
        freeze = actions.add_parser("freeze", help="read every file of the draft, then freeze it")
        freeze.add_argument("name")
        compare = actions.add_parser(
            "compare", help="versions side by side, and what changed between two of one"
        )
        compare.add_argument("names", nargs="+", metavar="NAME[:VERSION]")
        compare.add_argument("--csv", type=Path, metavar="FILE", help="write the table to a file")
        for one in (make, split, check, freeze, compare):
            one.add_argument("--clinic", help="the clinic's short name; not needed when there is one")
            one.add_argument("--user", help="who does it")

    def handle(self, *, action: str, **options) -> None:
        try:
            getattr(self, f"_{action}")(**options)
        except Refused as refused:
            raise CommandError(str(refused)) from None

    def _make(self, *, name, search: str, label, review, role, description, clinic, user, **_options) -> None:
        clinic, user = chosen.clinic(clinic), chosen.user(user)
        wanted = Selection.read(
            {
                "q": search,
                "label": known_label(label) if label else "",
                "review": "" if review == ANY else review,
            }
        )
        found = _found(clinic, wanted)
        count = found.count()
        if not count:
            raise CommandError(
                f"No photo fits: {wanted.in_words(clinic)}. Review some first, or say --review {ANY}."
            )
        dataset = Dataset.objects.filter(clinic=clinic, name=name).first()
        with transaction.atomic():
            if dataset is None:
                version = datasets.create(clinic, user, name, role, description)
            else:
                version = datasets.new_version(dataset, user)
            DatasetVersion.objects.filter(pk=version.pk).update(query=wanted.to_json())
            datasets.set_members(version, found)
        self.stdout.write(f"{version}: {count} photos, {wanted.in_words(clinic)}")

    def _split(self, *, name, method, share, seed, clinic, **_options) -> None:
        version = draft_of(name, clinic)
        said = dividing.split(version, method, share, seed)
        self.stdout.write(
            f"{version}: {said['train']} photos train, {said['test']} photos test "
            f"({said['train_groups']} and {said['test_groups']} groups that stay together)"
        )

    def _check(self, *, name, minimum, allow, clinic, **_options) -> None:
        version = version_named(name, clinic)
        if minimum is not None:
            datasets.state(version, minimum=minimum, counts=version.stated.get("counts", {}))
            version.refresh_from_db()
        made = checks.of(version)
        if strange := set(allow) - {one.key for one in made}:
            known = ", ".join(one.key for one in made)
            raise CommandError(f"There is no check {', '.join(sorted(strange))}. Checks: {known}.")
        for one in made:
            state = "pass" if one.passed else "allowed" if one.key in allow else "FAIL"
            beside = "; ".join(filter(None, [f"{one.count} photos" if one.items else "", one.said]))
            self.stdout.write(f"{state:8}{one.key}: {one.title}{f' ({beside})' if beside else ''}")
        failed = [one.key for one in made if not one.passed and one.key not in allow]
        if failed:
            raise CommandError(f"{version}: {len(failed)} of {len(made)} checks fail: {', '.join(failed)}")
        self.stdout.write(f"{version}: every check passes that was not allowed to fail")

    def _freeze(self, *, name, clinic, user, **_options) -> None:
        version = draft_of(name, clinic)
        who = chosen.user(user)
        if reasons := freezing.problems(version):
            raise CommandError(" ".join(reasons))
        count = version.items.count()
        looked = freezing.look(
            version, verify=True, say=lambda done: self.say_in_place(f"reading {done} of {count}")
        )
        frozen = freezing.fix(version, who, looked)
        self.stdout.write(f"{frozen}: {count} photos, frozen, SHA-256 {frozen.sha256}")

    def _compare(self, *, names, csv: Path | None, clinic, **_options) -> None:
        versions = [version_named(name, clinic) for name in names]
        table = summary_table.table([summary.of(version) for version in versions], str)
        rows = [[line.name, *line.cells] for line in table.lines]
        if csv:
            try:
                csv.write_bytes(table_csv(["", *table.heads], rows))
            except OSError as error:
                raise CommandError(f"{csv} cannot be written: {error.strerror}.") from None
        else:
            for row in [["", *table.heads], *rows]:
                self.stdout.write("\t".join(row))
        if len(versions) == 2 and versions[0].dataset_id == versions[1].dataset_id:
            changes = differences.between(versions[0], versions[1])
            self.stdout.write("; ".join(f"{what} {change.count}" for what, change in changes.items()))


def _found(clinic, wanted: Selection):
    try:
        return entries(clinic, wanted)
    except QueryError as error:
        raise CommandError(search.explain(error)) from None
