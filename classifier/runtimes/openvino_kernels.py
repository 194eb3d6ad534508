"""Where OpenVINO is told which of its kernels to take, because its own choice is slower."""

from typing import Any

from classifier.runtimes import processor

# OpenVINO's word for such a wish; it is heeded in a network that is read from what was exported.
WISH = "PrimitivesPriority"
# Of 2026.4; on processors with AVX2 and nothing wider. See docs/runtimes.md for what it gains.
POINTWISE = "cpu:jit_avx2_1x1"


def choose(model: Any) -> None:
    """In an OpenVINO model mark the convolutions for which another kernel is faster on this processor."""
    abilities = processor.facts()[1]
    if "avx2" not in abilities or "avx512f" in abilities:
        return
    for one in model.get_ops():
        if _is_pointwise(one):
            one.get_rt_info()[WISH] = POINTWISE


def _is_pointwise(operation: Any) -> bool:
    return operation.get_type_name() == "Convolution" and set(operation.get_input_shape(1)[2:]) == {1}
