"""The product's settings with a network that gives each photo the same answer at once: all that is not the network is
as it is. For workers of benchmarks."""

import numpy as np

from classifier.analysing import pipeline
from classifier.runtimes.base import Computed
from skinclinic.imaging.quality import assess
from skinclinic.settings import *  # noqa: F403
from skinclinic.vocabulary.diseases import DISEASE_KEYS


def _answer(runtime, crops) -> list[pipeline.Outcome]:
    scores = dict.fromkeys(DISEASE_KEYS, 1 / len(DISEASE_KEYS))
    maps = np.zeros((len(DISEASE_KEYS), 7, 7), np.float16)
    return [
        pipeline.Outcome(scores, 0.0, maps, assess(crop), 0.0, Computed("stubbed", "f32")) for crop in crops
    ]


# The worker asks for it by this name.
pipeline.analyse = _answer
