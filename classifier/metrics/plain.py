"""Results as what JSON can hold."""

import dataclasses
import math
from typing import Any, overload

import numpy as np

_AS_IS = {str, int, bool, type(None)}


@overload
def plain(value: dict[str, Any]) -> dict[str, Any]: ...


@overload
def plain(value: object) -> Any: ...


def plain(value: Any) -> Any:
    """``value`` (dataclasses, mappings, sequences, arrays, numbers) as dicts, lists and numbers.

    Infinite thresholds become "inf" and "-inf", which ``float`` reads. NaN is refused: ValueError.
    """
    # Most of a result first: it has a hundred thousand parts.
    kind = type(value)
    if kind in _AS_IS:
        return value
    if kind is float:
        return value if math.isfinite(value) else _endless(value)
    if kind is dict:
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, dict | float):
        return plain(dict(value) if isinstance(value, dict) else float(value))
    return value


def _endless(value: float) -> str:
    if math.isnan(value):
        raise ValueError("a result must not be NaN: what cannot be computed is None")
    return "inf" if value > 0 else "-inf"
