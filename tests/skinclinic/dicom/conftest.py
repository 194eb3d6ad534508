"""An answer to send and to fetch, and time for whoever is asked by DICOM."""

import pytest

from skinclinic.dicom import network
from skinclinic.engine import jobs
from tests import factories


@pytest.fixture(autouse=True)
def patience(monkeypatch) -> None:
    """On a machine with other work to do an archive may answer late, which is not what is tried here."""
    monkeypatch.setattr(network, "SECONDS", 120)


@pytest.fixture
def done(analysis, clinic):
    lesion = analysis.photo.lesion
    lesion.patient = factories.make_patient(clinic, "P-0017")
    lesion.site, lesion.site_x, lesion.site_y = "cheek", 136 / 770, 223 / 500
    lesion.save()
    jobs.run_waiting("analyse")
    analysis.refresh_from_db()
    return analysis
