"""Labels that would cover one another, moved apart as little as that takes. Pure."""

from collections.abc import Sequence


def apart(places: Sequence[float], least: float, low: float, high: float) -> list[float]:
    """A place for each label in the order of ``places``, at least so far from the next, within low and high.

    The sum of the squared ways is the least possible: labels in each other's way share it, up and down.
    """
    order = sorted(range(len(places)), key=lambda number: places[number])
    # With the distances taken off, places have only to rise: neighbours that do not are set to their mean.
    blocks: list[tuple[float, int]] = []
    for rank, number in enumerate(order):
        mean, count = places[number] - rank * least, 1
        while blocks and blocks[-1][0] > mean:
            before, many = blocks.pop()
            mean, count = (mean * count + before * many) / (count + many), count + many
        blocks.append((mean, count))
    bottom = high - least * (len(places) - 1)
    found, rank = [0.0] * len(places), 0
    for mean, count in blocks:
        for _one in range(count):
            found[order[rank]] = max(low, min(mean, bottom)) + rank * least
            rank += 1
    return found
