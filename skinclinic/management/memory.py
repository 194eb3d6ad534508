"""What a command that ends with its work keeps in memory."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# So many new things more than are gone again.
_SELDOM = 50_000


@contextmanager
def kept() -> Iterator[Callable[[], None]]:
    """What stands now, and at each call of what is given, stays until the end: Python looks it through for garbage no
    more, which takes a tenth of the time where there are a million small things, nor do processes that are forked. What
    comes later is looked through more seldom."""
    gc.freeze()
    usual = gc.get_threshold()
    gc.set_threshold(_SELDOM, *usual[1:])
    try:
        yield gc.freeze
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()
