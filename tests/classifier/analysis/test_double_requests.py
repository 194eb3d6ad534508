"""Asking twice, at once and from many threads, makes one analysis."""

import threading

import pytest
from django.db import connection

from classifier.models import Analysis
from classifier.services.analysis.analyses import request_analysis
from skinclinic.models import Job


@pytest.mark.django_db(transaction=True)
def test_ten_threads_ask_for_the_same_analysis(photo, clinician, model_version):
    barrier, errors = threading.Barrier(10), []

    def ask():
        barrier.wait()
        try:
            request_analysis(photo, user=clinician)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert Analysis.objects.count() == Job.objects.count() == 1
