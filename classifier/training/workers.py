"""Processes for trainings side by side, one thread each: on few cores faster than one with many threads."""

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

import cv2
import torch

from classifier.training.settings import KEEP_MEMORY


@contextmanager
def worker_pool(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Give an executor of ``jobs`` fresh processes for training."""
    spawn = multiprocessing.get_context("spawn")
    before = dict(os.environ)
    os.environ.update(KEEP_MEMORY)  # inherited by the processes, which start when there is work
    try:
        with ProcessPoolExecutor(jobs, spawn, initializer=_one_thread) as pool:
            yield pool
    finally:
        for name in KEEP_MEMORY:
            if name in before:
                os.environ[name] = before[name]
            else:
                os.environ.pop(name)


def _one_thread() -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
