"""Processes for trainings side by side, one thread each: on few cores faster than one with many threads."""

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

import cv2
import torch

# Large tensors come and go at every step. By default glibc gives them back to the kernel each time, which
# then clears the same pages again; that took a quarter of the time of a training.
_KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**34)}


@contextmanager
def worker_pool(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Give an executor of ``jobs`` fresh processes for training."""
    spawn = multiprocessing.get_context("spawn")
    before = dict(os.environ)
    os.environ.update(_KEEP_MEMORY)  # inherited by the processes, which start when there is work
    try:
        with ProcessPoolExecutor(jobs, spawn, initializer=_one_thread) as pool:
            yield pool
    finally:
        for name in _KEEP_MEMORY:
            if name in before:
                os.environ[name] = before[name]
            else:
                os.environ.pop(name)


def _one_thread() -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
