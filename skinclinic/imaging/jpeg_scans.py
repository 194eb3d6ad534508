"""What the scans of a JPEG tell (ITU-T T.81, annexes B and G): every component, and to the last bit?"""

from collections.abc import Iterable

_PROGRESSIVE = {0xC2, 0xCA}
_COEFFICIENTS = 64


def tell_all(marker: int, frame: bytes, scans: Iterable[bytes]) -> bool:
    """Whether these scans are all that a picture needs; its frame and their headers are given by their bodies.

    A sequential picture tells each component in one scan. A progressive one tells the coefficients of each in
    several, and only at the last of them to their last bit; each before it would show the whole picture, coarser.
    """
    components = frame[6 : 6 + 3 * frame[5] : 3]
    missing = {component: set(range(_COEFFICIENTS)) for component in components}
    for scan in scans:
        count = scan[0] if scan else 0
        if len(scan) < 4 + 2 * count:
            return False
        first, last, precision = scan[1 + 2 * count : 4 + 2 * count]
        told = range(_COEFFICIENTS)
        if marker in _PROGRESSIVE:
            told = range(first, last + 1) if precision & 15 == 0 else range(0)
        for component in scan[1 : 1 + 2 * count : 2]:
            missing.get(component, set()).difference_update(told)
    return not any(missing.values())
