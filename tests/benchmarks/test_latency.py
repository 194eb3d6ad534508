"""From an accepted upload to the stored result, without the forward pass: what the engine itself takes.

Printed, not asserted in seconds (machines differ); asserted is that the engine answers by the wake-up and not
by the reconciler, which does not run here. On PostgreSQL and Redis: python -m tests.servers python -m pytest …
"""

import statistics
import time
from functools import partial

from django.core.files.uploadedfile import SimpleUploadedFile

from classifier.models import Analysis
from skinclinic.engine import jobs
from tests import factories
from tests.engine import wait_until

UPLOADS = 15


def test_upload_to_result(engine, client_for, clinician, model_version, record_property):
    engine.start_worker()
    wait_until(jobs.engine_online, 240, "the worker is there")
    client, waits = client_for(clinician), []
    for seed in range(UPLOADS + 1):
        file = SimpleUploadedFile("lesion.jpg", factories.jpeg_bytes(seed), "image/jpeg")
        sent = client.post("/photos/", {"file": file}, HTTP_X_REQUESTED_WITH="XMLHttpRequest")
        accepted = time.time()
        assert sent.status_code == 201
        photo = sent.json()["id"]
        wait_until(partial(_done, photo), 240, "the photo is analysed")
        row = Analysis.objects.get(photo=photo)
        waits.append(row.job.finished_at.timestamp() - accepted - row.forward_seconds)
    waits = waits[1:]  # the first photo also loads the network
    median = statistics.median(waits)
    record_property("upload accepted to result stored, less the forward pass, seconds", round(median, 3))
    print(f"\nmedian {median * 1000:.0f} ms, largest {max(waits) * 1000:.0f} ms of {UPLOADS}")
    assert Analysis.objects.exclude(scores=None).count() == UPLOADS + 1


def _done(photo: int) -> bool:
    return Analysis.objects.filter(photo=photo).exclude(scores=None).exists()
