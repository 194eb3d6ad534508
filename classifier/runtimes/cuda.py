"""Is there a CUDA device? Answered without importing torch where there is not even a driver."""

import ctypes
import functools


@functools.cache
def is_available() -> bool:
    """Whether PyTorch can use a CUDA device in this process."""
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    import torch

    return bool(torch.cuda.is_available())
