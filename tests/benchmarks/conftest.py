import os

import pytest

really_to_the_disk = os.fsync


@pytest.fixture(autouse=True)
def real_disk(monkeypatch):
    monkeypatch.setattr(os, "fsync", really_to_the_disk)
