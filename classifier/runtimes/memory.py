"""How libraries say that there is not enough memory, each in an error of its own kind."""

# C++ (of OpenVINO and ONNX Runtime), PyTorch on a processor, PyTorch on CUDA.
_WORDS = (
    "bad_alloc", "not enough memory", "can't allocate memory", "cannot allocate memory", "failed to allocate memory",
    "out of memory",
)  # fmt: skip


def is_lacking(error: BaseException) -> bool:
    """Whether a network could not be run for want of memory."""
    return isinstance(error, MemoryError) or any(words in str(error).lower() for words in _WORDS)
