"""How finely a network is computed: the names of the precisions, and which one a processor is asked for."""

from classifier.runtimes import processor

F32, BF16, F16 = "f32", "bf16", "f16"
# What figures and promises are of: what was computed before precisions were kept, and full precision.
COUNTING = ("", F32)
AUTO = "auto"
# What may be asked for; half precision is what "auto" means on CUDA.
WANTED = (AUTO, F32, BF16)


def on_cpu(wanted: str) -> str:
    """The precision a CPU computes in: bfloat16 only where it is wanted or left open and the processor has it in
    hardware, else full. ValueError for one that is not among ``WANTED``."""
    check(wanted)
    return BF16 if wanted != F32 and processor.has_bfloat16() else F32


def on_cpu_in_torch(wanted: str) -> str:
    """Full, whatever is wanted: PyTorch gains little by less. ValueError as ``on_cpu``."""
    check(wanted)
    return F32


def on_cuda(wanted: str) -> str:
    """The precision a CUDA device computes in: half where it is left open. ValueError as ``on_cpu``."""
    check(wanted)
    return F16 if wanted == AUTO else wanted


def check(wanted: str) -> None:
    """ValueError for a precision that is not among ``WANTED``."""
    if wanted not in WANTED:
        raise ValueError(f"the precision must be one of {', '.join(WANTED)}, not {wanted!r}")
