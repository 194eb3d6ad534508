"""How libraries say that there is not enough memory, each in an error of its own kind."""

# C++ (of OpenVINO), PyTorch on a processor, PyTorch on CUDA; a library that is loaded, a thread that is started.
_WORDS = (
    "bad_alloc", "not enough memory", "can't allocate memory", "cannot allocate memory", "failed to allocate memory",
    "out of memory", "failed to map segment", "can't start new thread", "resource temporarily unavailable",
)  # fmt: skip


def is_lacking(error: BaseException) -> bool:
    """Whether a network could not be run for want of memory."""
    return isinstance(error, MemoryError) or any(words in str(error).lower() for words in _WORDS)
