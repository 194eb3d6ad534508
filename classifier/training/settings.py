"""How to train, in numbers. No torch needed to read it."""

from dataclasses import dataclass

# Large tensors come and go at every step. By default glibc gives them back to the kernel each time, which
# then clears the same pages again; that took a quarter of the time of a training. For the environment of
# a process that trains on a CPU.
KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**34)}
# Threads that wait for each other sleep instead of spinning: beside the workers that analyse photos, two
# spinning threads took four times the processor time of one.
SHARE_CORES = {"OMP_WAIT_POLICY": "PASSIVE"}


@dataclass(frozen=True)
class Settings:
    """How to train. Sizes count pictures, rates are AdamW's."""

    epochs: int = 12
    batch: int = 16
    drawn_in_batch: int = 4
    rate: float = 4e-4
    head_rate: float = 4e-3
    weight_decay: float = 0.02
    label_smoothing: float = 0.1
    mixup: float = 0.2
    mixup_share: float = 0.5
    balance: float = 0.5  # 0: as common as in the data; 1: every label equally often
    average: float = 0.97
