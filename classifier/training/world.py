"""The processes that train together: one, or one a GPU under torchrun."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import numpy as np
import torch
from torch import distributed, nn

from classifier.training.errors import TrainingRefused

T = TypeVar("T")

# How long processes wait for each other. The first one reads every photo before it joins the others, which for a
# large archive takes longer than the ten minutes NCCL would wait.
LONGEST_WAIT = timedelta(hours=6)


@dataclass(frozen=True)
class World:
    """This process's number among ``size`` and its device. ``half``: the type of mixed precision, or None."""

    rank: int
    size: int
    device: torch.device
    half: torch.dtype | None

    @property
    def is_first(self) -> bool:
        """The process that writes and reports."""
        return self.rank == 0

    def loaders(self) -> int:
        """Processes that read photos for this one. On a CPU the network needs the cores itself."""
        return 0 if self.device.type == "cpu" else max(1, (os.cpu_count() or 1) // self.size)

    def share(self, batch: int) -> slice:
        """Which examples of a batch this process takes. Raises TrainingRefused for a batch that leaves a rest."""
        if batch % self.size:
            raise TrainingRefused(
                "batch_not_shared_out",
                f"A batch of {batch} photos cannot be shared out evenly among {self.size} processes.",
            )
        return slice(self.rank, None, self.size)

    def wrap(self, network: nn.Module, *, learns_normalisation: bool) -> nn.Module:
        """The network with gradients, and on GPUs learnt normalisation, averaged over all processes."""
        if self.size == 1:
            return network
        if self.device.type == "cuda" and learns_normalisation:
            network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
        return nn.parallel.DistributedDataParallel(
            network, device_ids=[self.device.index] if self.device.type == "cuda" else None
        )

    def any(self, flag: bool) -> bool:
        """Whether it is so in any process."""
        return any(self.gather(flag)) if self.size > 1 else flag

    def gather(self, value: T) -> list[T]:
        """Each process's value, everywhere."""
        if self.size == 1:
            return [value]
        values = [value] * self.size
        distributed.all_gather_object(values, value)
        return values

    def wait(self) -> None:
        """Until all processes are here."""
        if self.size > 1:
            distributed.barrier()

    def interleave(self, part: np.ndarray, count: int) -> np.ndarray:
        """Put together [count, …] from the parts ``rank::size`` of all processes."""
        parts = self.gather(part)
        whole = np.zeros((count, *parts[0].shape[1:]), parts[0].dtype)
        for rank, values in enumerate(parts):
            whole[rank :: self.size] = values
        return whole


@contextmanager
def joined() -> Iterator[World]:
    """Join the processes that torchrun started, or be alone. Raises TrainingRefused for too few GPUs.

    Inside, algorithms are deterministic: on a CPU all, on a GPU those that can be.
    """
    _check_gpus()
    # Read by cuBLAS when it starts; without it matrix products differ from run to run.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before = torch.are_deterministic_algorithms_enabled()
    # Where a GPU has no deterministic way, a warning in the log is better than no training.
    torch.use_deterministic_algorithms(True, warn_only=torch.cuda.is_available())
    # It would overwrite every fresh tensor, which took a third of the time; nothing here reads one unwritten.
    torch.utils.deterministic.fill_uninitialized_memory = False
    torch.backends.cudnn.benchmark = False
    size = int(os.environ.get("WORLD_SIZE", "1"))
    rank = int(os.environ.get("RANK", "0"))
    device = torch.device("cpu")
    if torch.cuda.is_available():
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    if size > 1:
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=LONGEST_WAIT)
    try:
        yield World(rank, size, device, _half(device))
    finally:
        if size > 1:
            distributed.destroy_process_group()
        torch.use_deterministic_algorithms(before)


def _check_gpus() -> None:
    if not torch.cuda.is_available():
        return
    wanted, found = int(os.environ.get("LOCAL_WORLD_SIZE", "1")), torch.cuda.device_count()
    if wanted > found:
        raise TrainingRefused(
            "too_few_gpus",
            f"{wanted} processes need a GPU each, but this machine has {found}. Ask for fewer.",
        )


def _half(device: torch.device) -> torch.dtype | None:
    if device.type != "cuda":
        return None
    # Cards before Ampere only imitate bfloat16, slower than full precision; they have half precision.
    return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
