"""What changes while the files of a version are read, before the lock, is seen: nothing is frozen that was not read."""

import pytest

from skinclinic.archive.services.datasets import datasets, freezing
from skinclinic.files import store as files
from skinclinic.services.refused import Refused

pytestmark = pytest.mark.django_db


def while_files_are_read(monkeypatch, change) -> None:
    """Do something once, at the first file that is read."""
    read, done = files.read, []

    def reading(key):
        if not done:
            done.append(True)
            change()
        return read(key)

    monkeypatch.setattr(files, "read", reading)


def test_a_member_that_is_taken_out_meanwhile(draft, curator, monkeypatch):
    item = draft.items.first()
    while_files_are_read(monkeypatch, lambda: datasets.remove(draft, [item.pk]))
    with pytest.raises(Refused, match="changed while its files were read"):
        freezing.request(draft, curator)
    draft.refresh_from_db()
    assert not draft.is_frozen
    assert not freezing.request(draft, curator)
    draft.refresh_from_db()
    assert draft.is_frozen and draft.sha256 == freezing.fingerprint_of(draft)


def test_a_label_that_is_changed_meanwhile(draft, curator, monkeypatch):
    item = draft.items.get(label="sk")
    while_files_are_read(monkeypatch, lambda: datasets.relabel(draft, [item.pk], "wart"))
    with pytest.raises(Refused, match="changed while"):
        freezing.freeze(draft, curator, verify=True)


def test_somebody_else_freezes_it_meanwhile(draft, curator, monkeypatch):
    while_files_are_read(monkeypatch, lambda: freezing.freeze(draft, curator))
    with pytest.raises(Refused, match="is frozen"):
        freezing.freeze(draft, curator, verify=True)
