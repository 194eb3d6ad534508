"""The product's settings with a stopwatch round every request, for benchmarks."""

from skinclinic.settings import *  # noqa: F403

MIDDLEWARE = ["tests.stopwatch.Stopwatch", *MIDDLEWARE]  # noqa: F405
