"""What is told of how a model's heatmaps change when parts of its network are put at random: its form. It is made by
``classifier.analysing.map_check``. Pure, no torch."""

from typing import Any

from classifier.networks.stated import is_count, is_number

# What is put at random, each beside all before.
LAST_LAYER, LAST_TENTH, ALL = "last_layer", "last_tenth", "all"
STEPS = (LAST_LAYER, LAST_TENTH, ALL)
# Of the rank correlations: mean, least, greatest, and the mean of their sizes without the sign.
FIGURES = ("mean", "least", "most", "size")


def is_sound(said: dict[str, Any]) -> bool:
    """Whether it is {"pictures": how many drawings, "rows": one of each of ``STEPS``}, a row being {"randomised": the
    step, "compared": drawings whose heatmaps could be compared, and ``FIGURES``, all None where there were none}."""
    pictures, rows = said.get("pictures"), said.get("rows")
    return (
        is_count(pictures)
        and isinstance(rows, list)
        and all(isinstance(row, dict) for row in rows)
        and [row.get("randomised") for row in rows] == list(STEPS)
        and all(_is_row(row, pictures) for row in rows)
    )


def is_evaluable(said: dict[str, Any]) -> bool:
    """Whether any heatmaps could be compared."""
    return any(row["mean"] is not None for row in said["rows"])


def _is_row(row: dict[str, Any], pictures: int) -> bool:
    compared, figures = row.get("compared"), [row.get(name) for name in FIGURES]
    if not is_count(compared) or compared > pictures:
        return False
    if compared == 0:
        return figures == [None] * len(FIGURES)
    values = [value for value in figures if is_number(value) and -1 <= value <= 1]
    if len(values) < len(FIGURES):
        return False
    mean, least, most, size = values
    return least <= mean <= most and abs(mean) <= size
