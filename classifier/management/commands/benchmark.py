"""Measure how fast scores and heatmaps come on this machine."""

import contextlib
import json as json_format
import sys

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = (
        "Measure ResNet-152 with 12 heatmaps against the bare network and against pytorch-grad-cam, as ratios "
        "in one run, about five minutes; needs the packages of tests/requirements.txt. Exit status 1 if a ratio misses "
        "its limit. Needs no database."
    )
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--json", action="store_true", help="write JSON instead of text")
        parser.add_argument("--threads", type=int, default=0, help="default: one for each core")
        parser.add_argument("--photos", type=int, default=480, help="in an evaluation (default: 480)")

    def handle(self, *, json, threads, photos, **options):
        # Imported here, so that `manage.py help` stays quick.
        try:
            from classifier.analysing import benchmarks
        except ImportError as error:
            raise CommandError(
                f"What the networks are compared with is not installed ({error.name}): "
                "pip install -r tests/requirements.txt"
            ) from error
        with contextlib.redirect_stdout(sys.stderr):
            found = benchmarks.measure(threads, photos)
        if json:
            self.stdout.write(json_format.dumps(found, indent=2))
        else:
            self._write_text(found)
        ratios = [entry for entry in found.values() if isinstance(entry, dict) and "ratio" in entry]
        if not all(_is_met(entry) for entry in ratios):
            sys.exit(1)

    def _write_text(self, found: dict) -> None:
        self.stdout.write(
            f"ResNet-152, {found['runtime']} against ONNX Runtime {found['onnxruntime']} in f32, {found['threads']} "
            f"threads of {found['processor']} ({', '.join(found['bfloat16']) or 'no bfloat16'}); runs in turns"
        )
        for name, said in (
            ("scores_and_maps_over_bare_forward", "scores and 12 heatmaps / bare forward"),
            ("grad_cam_over_ours", "pytorch-grad-cam / ours, 12 heatmaps"),
            ("evaluation_over_bare_loop", "evaluation / bare loop, photos a second"),
        ):
            for key, entry in found.items():
                if key.startswith(name):
                    self._line(said, entry)
        cold = found["cold_start"]["seconds"]
        told = ", ".join(f"{value:.1f} s {name}" for name, value in cold.items())
        self.stdout.write(f"  from the start of a process to its first answer: {told}")
        around = found["pipeline"]["seconds"]["around"]
        self.stdout.write(f"  around the network (crop to outcome): {around * 1000:.1f} ms")
        for size, entry in found.get("gpu", {}).items():
            self.stdout.write(
                f"  GPU, batch {size}: {entry['photos_a_second']:.0f} photos a second, "
                f"{entry['share_of_bare']:.2f} of the bare forward"
            )

    def _line(self, name: str, entry: dict) -> None:
        times = ", ".join(f"{key} {value * 1000:.0f} ms" for key, value in entry["seconds"].items())
        limit = f"at most {entry['at_most']}" if "at_most" in entry else f"at least {entry['at_least']}"
        of = f", {entry['precision']}" if "precision" in entry else ""
        self.stdout.write(f"  {name}{of}: {entry['ratio']:.3f} ({limit}; {times})")


def _is_met(entry: dict) -> bool:
    return entry["ratio"] <= entry["at_most"] if "at_most" in entry else entry["ratio"] >= entry["at_least"]
