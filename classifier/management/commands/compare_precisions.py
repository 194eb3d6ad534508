"""What computing in bfloat16 changes in the answers to photos, against full precision."""

import json as json_format
import sys
from collections.abc import Iterator
from dataclasses import asdict

from django.core.management.base import BaseCommand, CommandError

from classifier.management.model_named import add_model_arguments, folder_of
from classifier.networks import weights
from classifier.services.models import running
from skinclinic.management.terminal import printable

# Of a differential by the model's own thresholds.
MOST_DIFFERING = 0.005


class Command(BaseCommand):
    help = (
        "Analyse photos (files, or folders with photos) in full precision and in bfloat16, and tell how many get "
        "another differential and how far scores are apart. Exit status 1 if by any threshold set more than 0.5 % of "
        "the photos do. Needs no database."
    )
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("paths", nargs="+", metavar="PATH", help="photo or folder of photos")
        add_model_arguments(parser)
        parser.add_argument("--json", action="store_true", help="write JSON instead of text")

    def handle(self, *, paths, model, clinic, json, **options):
        from classifier.analysing import photo_files, precision_check

        try:
            folder = folder_of(model, clinic)
            full, coarse = running.in_full(folder), running.in_bfloat16(folder)
        except weights.ModelRejected as error:
            raise CommandError(error.message) from error
        if coarse.computed == full.computed:
            raise CommandError(
                f"{full.computed.runtime} computes in {full.computed.precision} only on this processor, which has no "
                "bfloat16. There is nothing to compare."
            )
        limits = {name: one["values"] for name, one in full.manifest.thresholds.items()}
        unreadable: list[str] = []

        def crops() -> Iterator:
            for item in photo_files.find(paths):
                made = photo_files.read(item)
                if made.crop is None:
                    unreadable.append(f"{made.path}: {(made.error or {}).get('message', '')}")
                else:
                    yield made.path, made.crop

        found = precision_check.compare(full, coarse, crops(), limits)
        for line in unreadable:
            self.stderr.write(printable(f"Left out, {line}"))
        if not found.photos:
            raise CommandError("There is no photo that can be read.")
        shares = {name: found.share(name) for name in limits}
        if json:
            computed = [asdict(runtime.computed) for runtime in (full, coarse)]
            self.stdout.write(
                json_format.dumps({"computed": computed, "shares": shares} | asdict(found), indent=2)
            )
        else:
            self._write_text(full, coarse, found, shares)
        if any(share > MOST_DIFFERING for share in shares.values()):
            sys.exit(1)

    def _write_text(self, full, coarse, found, shares: dict[str, float]) -> None:
        self.stdout.write(
            f"{full.manifest.name}: {found.photos} photos, {full.computed.runtime} in {full.computed.precision} and "
            f"{coarse.computed.runtime} in {coarse.computed.precision}"
        )
        for name, share in shares.items():
            one = found.differing[name]
            self.stdout.write(
                f"  another differential by “{name}”: {100 * share:.2f} % of the photos ({len(one.diseases)} list "
                f"other diseases, {len(one.order)} the same in another order; at most {100 * MOST_DIFFERING:.1f} %)"
            )
            for path in one.diseases + one.order:
                self.stdout.write(printable(f"    {path}"))
        self.stdout.write(
            printable(f"  largest difference of a score: {found.largest:.4f} ({found.largest_of})")
        )
