"""An answer to send and to fetch."""

import pytest

from skinclinic.engine import jobs
from tests import factories


@pytest.fixture
def done(analysis, clinic):
    lesion = analysis.photo.lesion
    lesion.patient = factories.make_patient(clinic, "P-0017")
    lesion.site, lesion.site_x, lesion.site_y = "cheek", 136 / 770, 223 / 500
    lesion.save()
    jobs.run_waiting("analyse")
    analysis.refresh_from_db()
    return analysis
