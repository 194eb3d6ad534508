"""How libraries say that there is not enough memory, each in an error of its own kind."""

from collections.abc import Iterator
from contextlib import contextmanager

# C++ (of OpenVINO), PyTorch on a processor, PyTorch on CUDA; a library that is loaded, a thread that is started.
_WORDS = (
    "bad_alloc", "not enough memory", "can't allocate memory", "cannot allocate memory", "failed to allocate memory",
    "out of memory", "failed to map segment", "can't start new thread", "resource temporarily unavailable",
)  # fmt: skip


def is_lacking(error: BaseException) -> bool:
    """Whether a network could not be run for want of memory."""
    return isinstance(error, MemoryError) or any(words in str(error).lower() for words in _WORDS)


@contextmanager
def told() -> Iterator[None]:
    """Within it, whatever a library says of a lack of memory is a MemoryError, after which a job is tried again."""
    try:
        yield
    except (RuntimeError, OSError, ImportError) as error:
        if is_lacking(error):
            raise MemoryError("the network was not given the memory it asked for") from error
        raise
