"""Measure how fast scores and heatmaps come on this machine."""

import contextlib
import json as json_format
import sys

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = (
        "Measure ResNet-152 with 12 heatmaps against the bare network and against pytorch-grad-cam, as ratios "
        "in one run, about two minutes. Exit status 1 if a ratio misses its limit. Needs no database."
    )
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--json", action="store_true", help="write JSON instead of text")
        parser.add_argument("--threads", type=int, default=0, help="default: one for each core")

    def handle(self, *, json, threads, **options):
        # Imported here, so that `manage.py help` stays quick.
        from classifier.analysing import benchmarks

        with contextlib.redirect_stdout(sys.stderr):
            found = benchmarks.measure(threads)
        if json:
            self.stdout.write(json_format.dumps(found, indent=2))
        else:
            self._write_text(found)
        ratios = [entry for entry in found.values() if isinstance(entry, dict) and "ratio" in entry]
        if not all(_is_met(entry) for entry in ratios):
            sys.exit(1)

    def _write_text(self, found: dict) -> None:
        bare, cam = found["scores_and_maps_over_bare_forward"], found["grad_cam_over_ours"]
        around = found["pipeline"]["seconds"]["around"]
        self.stdout.write(f"ResNet-152, one photo, {found['threads']} threads, medians of runs in turns")
        self._line("scores and 12 heatmaps / bare forward", bare, "at most", bare["at_most"])
        self._line("pytorch-grad-cam / ours, 12 heatmaps", cam, "at least", cam["at_least"])
        self.stdout.write(f"  around the network (crop to outcome): {around * 1000:.1f} ms")
        for size, entry in found.get("gpu", {}).items():
            self.stdout.write(
                f"  GPU, batch {size}: {entry['photos_a_second']:.0f} photos a second, "
                f"{entry['share_of_bare']:.2f} of the bare forward"
            )

    def _line(self, name: str, entry: dict, word: str, limit: float) -> None:
        times = ", ".join(f"{key} {value * 1000:.0f} ms" for key, value in entry["seconds"].items())
        self.stdout.write(f"  {name}: {entry['ratio']:.3f} ({word} {limit}; {times})")


def _is_met(entry: dict) -> bool:
    return entry["ratio"] <= entry["at_most"] if "at_most" in entry else entry["ratio"] >= entry["at_least"]
