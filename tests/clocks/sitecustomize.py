"""Loaded by each Python of tests/clocks: libfaketime refuses the call by which it sleeps, so it waits for nothing."""

import select
import time


def _sleep(seconds: float) -> None:
    select.select([], [], [], seconds)


time.sleep = _sleep
