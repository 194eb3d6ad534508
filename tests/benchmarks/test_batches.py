"""Analyses in batches, stored with their heatmaps, keep the network busy: hardly slower than the network alone.

A ratio within one run, both sides in turns. SKINCLINIC_BENCHMARK_PHOTOS=480 measures with as many photos.
"""

import os
import time

import numpy as np
import pytest

from classifier.analysing import benchmarks
from classifier.models import Analysis
from classifier.networks import weights
from classifier.networks.preprocess import to_array
from classifier.services.analysis import batch_analyses
from classifier.services.models import registry
from skinclinic.models import Photo
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(3600)]

# 0.95 is aimed at; docs/runtimes.md says what was measured.
LEAST_RATIO = 0.8
PHOTOS = int(os.environ.get("SKINCLINIC_BENCHMARK_PHOTOS", "24"))
IN_TURN = 24
MOST_TRIES = 3


@pytest.fixture
def version(networks, settings):
    folder = settings.MODELS_DIR / "benchmark"
    weights.save(folder, networks.manifest, networks.ours.state_dict())
    return registry.register(folder)


def measure(networks, version, photos: list[Photo]) -> dict:
    """Photos a second: read, cropped, analysed and stored; and ready tensors through the bare network."""
    crops = [batch_analyses._open_crop(photo) for photo in photos]
    tensors = np.stack([to_array(crop, networks.manifest.preprocessing) for crop in crops])
    batch = benchmarks.BARE_BATCH
    Analysis.objects.all().delete()
    batch_analyses.analyse(version, [photos[0].pk])  # loads the network
    networks.bare_session.run(["logits"], {"images": tensors[:batch]})
    Analysis.objects.all().delete()
    ours = bare = 0.0
    for start in range(0, len(photos), IN_TURN):
        part = slice(start, start + IN_TURN)
        begun = time.perf_counter()
        batch_analyses.analyse(version, [photo.pk for photo in photos[part]])
        ours += time.perf_counter() - begun
        ready = tensors[part]
        begun = time.perf_counter()
        for first in range(0, len(ready), batch):
            networks.bare_session.run(["logits"], {"images": ready[first : first + batch]})
        bare += time.perf_counter() - begun
    assert Analysis.objects.count() == len(photos)
    return {"ratio": bare / ours, "photos_a_second": len(photos) / ours, "bare": len(photos) / bare}


def test_a_batch_is_hardly_slower_than_the_bare_network(networks, version, clinic, curator):
    photos = [factories.make_photo(clinic, curator, seed=n) for n in range(PHOTOS)]
    for _ in range(MOST_TRIES):
        found = measure(networks, version, photos)
        print(found)
        if found["ratio"] >= LEAST_RATIO:
            break
    assert found["ratio"] >= LEAST_RATIO, found
