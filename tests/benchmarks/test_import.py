"""What importing photos costs beside a plain decode and encode of the same files by Pillow, how its memory grows, and
what the disk takes. Ratios inside one run; ``SKINCLINIC_BENCHMARK_PHOTOS=20000`` makes it large."""

import csv
import os
import posix
import time
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from skinclinic.archive.models import Entry
from skinclinic.archive.services.importing import imports
from skinclinic.archive.services.importing import write as import_write
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests import memory

COUNT = int(os.environ.get("SKINCLINIC_BENCHMARK_PHOTOS", "1000"))
SIDE = 300
GROUPED = 160
MOST_GROWTH_MB = 64


def plainly(paths: list[Path]) -> float:
    """Processor seconds that decoding these files and encoding them and their thumbnails takes Pillow alone."""
    started = time.process_time()
    for path in paths:
        with Image.open(path) as image:
            picture = image.convert("RGB")
            picture.save(BytesIO(), "JPEG", quality=95)
            picture.thumbnail((320, 320))
            picture.save(BytesIO(), "JPEG")
    return time.process_time() - started


class Run:
    """An import checked and written, with the processor seconds of both and the peak memory on the way."""

    def __init__(self, row, early: int):
        self.early, self.peaks = early, {}
        memory.begin()
        started, wall = time.process_time(), time.perf_counter()
        imports.request_check(row)
        imports.run_check(row, lambda done, total: self._note("check", done))
        self.peaks["check", "end"] = memory.peak_mb()
        self.checking = time.process_time() - started
        assert row.state == "ready", row.report
        imports.request_write(row)
        imports.run_write(row, lambda done: self._note("write", done))
        self.peaks["write", "end"] = memory.peak_mb()
        self.both, self.wall = time.process_time() - started, time.perf_counter() - wall
        self.row = row
        assert row.state == "done" and row.written == row.total

    def _note(self, step: str, done: int) -> None:
        if done >= self.early:
            self.peaks.setdefault((step, "early"), memory.peak_mb())

    def growth(self, step: str) -> float:
        return self.peaks[step, "end"] - self.peaks[step, "early"]

    def said(self, count: int, plain: float) -> str:
        return (
            f"\n{count:,} photos: plain {count / plain:.0f} a second, check {count / self.checking:.0f}, check "
            f"and write {count / self.both:.0f}: {self.both / plain:.1f} times the plain work "
            f"({count / self.wall:.0f} a second by the clock); peak memory grew by {self.growth('check'):.0f} "
            f"MB in the check and {self.growth('write'):.0f} MB in the writing after the first {self.early:,}"
        )


@pytest.mark.processor_time
@pytest.mark.django_db
def test_importing_real_photos_beside_plain_decoding(real_photos, clinic, curator):
    paths = sorted((real_photos / "images").rglob("*.jpg"))
    plain = plainly(paths)
    row = imports.begin(
        clinic=clinic, user=curator, name="PAD", format="pad-ufes-20", role="both",
        photos=str(real_photos / "images"), metadata=str(real_photos / "metadata.csv"),
    )  # fmt: skip
    run = Run(row, early=50)
    print(run.said(len(paths), plain))
    assert run.row.written >= len(paths) - 1
    assert run.both < 10 * plain


@pytest.mark.processor_time
@pytest.mark.django_db
@pytest.mark.timeout(3600)
def test_importing_many_photos_beside_plain_decoding(tmp_path, clinic, curator):
    table, paths = many_photos(tmp_path, COUNT)
    plain = plainly(paths)
    row = imports.begin(
        clinic=clinic, user=curator, name="Many", format="csv", role="both", photos=str(tmp_path / "photos"),
        metadata=str(table), columns={name: name for name in ("file", "label", "patient", "age")},
    )  # fmt: skip
    run = Run(row, early=COUNT // 10)
    print(run.said(COUNT, plain))
    assert Entry.objects.filter(clinic=clinic).count() == COUNT
    assert run.growth("check") < MOST_GROWTH_MB and run.growth("write") < MOST_GROWTH_MB
    assert run.both < 30 * plain


@pytest.mark.django_db
@pytest.mark.timeout(3600)
def test_groups_of_photos_share_what_the_disk_takes(tmp_path, clinic, curator, monkeypatch):
    """The same photos written one by one and in groups, each brought to the disk for good."""
    # Tests do without it; the system's own has another name.
    monkeypatch.setattr(os, "fsync", posix.fsync)
    seconds = {}
    for at_once in (1, import_write.AT_ONCE):
        monkeypatch.setattr(import_write, "AT_ONCE", at_once)
        folder = tmp_path / str(at_once)
        folder.mkdir()
        table, _paths = many_photos(folder, GROUPED, seed=at_once)
        row = imports.begin(
            clinic=clinic, user=curator, name=f"In groups of {at_once}", format="csv", role="both",
            photos=str(folder / "photos"), metadata=str(table), columns={"file": "file", "label": "label"},
        )  # fmt: skip
        imports.request_check(row)
        imports.run_check(row)
        imports.request_write(row)
        started = time.perf_counter()
        imports.run_write(row)
        seconds[at_once] = time.perf_counter() - started
        assert row.state == "done"
    alone, together = seconds.values()
    print(f"\n{GROUPED} photos: {alone:.1f} s one by one, {together:.1f} s in groups: {together / alone:.2f}")
    assert together < 1.1 * alone


def many_photos(folder: Path, count: int, seed: int = 0) -> tuple[Path, list[Path]]:
    """Small smooth pictures, all different, in a folder, and the table that describes them."""
    random, paths = np.random.default_rng(seed), []
    (folder / "photos").mkdir()
    with (folder / "table.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "label", "patient", "age"])
        for number in range(count):
            path = folder / "photos" / f"{number:06d}.jpg"
            pixels = random.integers(0, 255, (9, 9, 3), dtype=np.uint8)
            Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(path, quality=85)
            writer.writerow(
                [path.name, DISEASE_KEYS[number % 12], f"patient {number // 3}", 20 + number % 70]
            )
            paths.append(path)
    return folder / "table.csv", paths
