"""What small files cost that are made to cost much, and what reading a photo in a process of its own adds."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings

from skinclinic import imaging
from skinclinic.imaging import decoder, limited
from tests import hostile_photos
from tests import photo_bytes as make

pytestmark = pytest.mark.processor_time
# The dearest of each format. A camera may write the like, so they are accepted; limits are for what is dearer still.
DEAREST = (
    "PNG, RGBA of 16 bits in HDR", "JPEG, progressive", "WebP, lossless with alpha", "HEIC, 10 bits in HDR", "AVIF",
)  # fmt: skip
MOST_MB = 720
ROUNDS = 5


@contextmanager
def warm_process() -> Iterator[tuple[limited.Decoders, int]]:
    """One as the product has it, which has read a photo; and its number."""
    limits = limited.Limits(settings.PHOTO_MEMORY_MB, settings.PHOTO_CPU_SECONDS, 120)
    decoders = limited.Decoders(limits, most=1, waiting=0, patience=1)
    decoders.ask("accept", make.encoded(make.lesion(), "JPEG"))
    yield decoders, decoders.pids()[0]
    decoders.close()


def test_no_small_file_takes_much_memory(record_property):
    for name in DEAREST:
        data = hostile_photos.FILES[name]()
        with warm_process() as (decoders, process):
            before, started = peak_mb(process), processor_seconds(process)
            assert decoder.accepted(*decoders.ask("accept", data)).width == hostile_photos.WIDE, name
            taken, seconds = peak_mb(process) - before, processor_seconds(process) - started
        record_property(f"{name}, {len(data) / 1000:.0f} kB: MB, seconds", (round(taken), round(seconds, 1)))
        assert taken < MOST_MB < settings.PHOTO_MEMORY_MB, name


def test_reading_elsewhere_costs_hardly_more_than_here(record_property):
    """Processor time of both processes ÷ of one that reads the photo itself."""
    data = make.encoded(make.lesion(4000, 3000), "JPEG", quality=92)
    here, there = [], []
    with warm_process() as (decoders, process):
        for _round in range(ROUNDS):
            started = time.process_time()
            imaging.accept(data)
            here.append(time.process_time() - started)
            started = time.process_time() + processor_seconds(process)
            decoders.ask("accept", data)
            there.append(time.process_time() + processor_seconds(process) - started)
    ratio = min(there) / min(here)
    record_property("a photo of 12 megapixels, elsewhere ÷ here", round(ratio, 2))
    assert ratio <= 1.4


def processor_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mb(process: int) -> float:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) / 1024
