"""Processes look for no garbage while they load, and do once they are loaded."""

import gc
import runpy
import sys

import pytest

from skinclinic import celery
from tests.figures import ROOT


@pytest.fixture
def usual():
    threshold, interval = gc.get_threshold(), sys.getswitchinterval()
    yield
    sys.setswitchinterval(interval)
    gc.set_threshold(*threshold)
    gc.enable()


def test_a_web_process_looks_for_garbage_once_it_is_loaded(usual, monkeypatch, tmp_path):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    gunicorn = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    gunicorn["post_fork"](None, None)
    assert not gc.isenabled()
    gunicorn["post_worker_init"](None)
    assert gc.isenabled() and sys.getswitchinterval() == pytest.approx(0.02)


def test_a_worker_looks_for_garbage_once_it_is_loaded(usual, monkeypatch):
    monkeypatch.setattr("skinclinic.files.private.begin", lambda: None)
    celery._begin_worker()
    assert not gc.isenabled()
    celery._loaded()
    assert gc.isenabled()
