import os

import pytest

really_to_the_disk = os.fsync


@pytest.fixture(scope="session")
def networks():
    """The large network and what it is held against; nobody changes them. To make and export them takes seconds."""
    from classifier.analysing import benchmarks

    return benchmarks.Networks()


@pytest.fixture(autouse=True)
def real_disk(monkeypatch):
    monkeypatch.setattr(os, "fsync", really_to_the_disk)
