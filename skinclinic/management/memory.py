"""What a command that ends with its work keeps in memory."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def kept() -> Iterator[Callable[[], None]]:
    """What stands now, and at each call of what is given, stays until the end: Python looks it through for garbage no
    more, which takes a tenth of the time where there are a million small things, nor do processes that are forked."""
    gc.freeze()
    try:
        yield gc.freeze
    finally:
        gc.unfreeze()
