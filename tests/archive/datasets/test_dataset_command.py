"""Datasets from the command line: every step, and what is wrong in words."""

import io
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from skinclinic.archive.models import DatasetVersion, Entry
from skinclinic.files import store
from tests.cases import each

pytestmark = pytest.mark.django_db


def run(*arguments: object) -> str:
    said = io.StringIO()
    call_command("dataset", *map(str, arguments), stdout=said)
    return said.getvalue()


def test_from_a_search_to_a_frozen_version_and_a_comparison(entries, curator, tmp_path):
    assert "Tumours v1: 5 photos" in run(
        "make", "Tumours", "--search", "age:40..44", "--user", curator.username
    )
    draft = DatasetVersion.objects.get()
    assert draft.query == {"q": "age:40..44", "review": "accepted"} and draft.created_by == curator
    assert "train" in run("split", "Tumours", "--method", "patient", "--share", "0.5", "--seed", "3")
    assert "minimum" in run("check", "Tumours", "--minimum", "1")
    assert "SHA-256" in run("freeze", "Tumours")
    draft.refresh_from_db()
    assert draft.is_frozen and draft.split["seed"] == 3

    # The next version is the draft that goes on from it.
    assert "Tumours v2: 6 photos" in run("make", "Tumours", "--review", "any")
    said = run("compare", "Tumours:1", "Tumours")
    assert "added 1" in said and "Tumours v1\tTumours v2" in said
    run("compare", "Tumours:1", "--csv", tmp_path / "t.csv")
    assert "Basal cell carcinoma" in (tmp_path / "t.csv").read_text("utf-8-sig")


def test_many_photos_need_no_worker(entries, monkeypatch):
    from skinclinic.archive.services.datasets import large

    monkeypatch.setattr(large, "MOST_AT_ONCE", 2)
    run("make", "Tumours")
    run("freeze", "Tumours")
    assert DatasetVersion.objects.get().is_frozen


@each(
    "arguments, said",
    [
        (("make", "T", "--search", "age:99"), "No photo fits"),
        (("make", "T", "--search", "("), "word is missing"),
        (("make", "T", "--search", "nosuch:x"), "no field"),
        (("make", "T", "--clinic", "nowhere"), "which clinic"),
        (("make", "T", "--user", "nobody"), "nobody with the name"),
        (("split", "T"), "no draft"),
        (("check", "T"), "no dataset"),
        (("freeze", "T"), "no draft"),
        (("compare", "T:1"), "no dataset"),
    ],
)
def test_what_cannot_be_done_is_said(entries, arguments, said):
    with pytest.raises(CommandError, match=said):
        run(*arguments)
    assert not DatasetVersion.objects.exists()


def test_a_failing_check_names_itself_and_may_be_allowed(entries):
    Entry.objects.filter(pk=entries[0].pk).update(review="pending")
    run("make", "Tumours", "--review", "any")
    with pytest.raises(CommandError, match="1 of .* checks fail: reviewed"):
        run("check", "Tumours")
    assert "allowed reviewed" in run("check", "Tumours", "--allow", "reviewed")
    with pytest.raises(CommandError, match="no check nonsense"):
        run("check", "Tumours", "--allow", "nonsense")
    with pytest.raises(CommandError, match="share between"):
        run("split", "Tumours", "--share", "1.5")


def test_what_stands_against_freezing_is_said(entries):
    run("make", "Tumours")
    store.path_of(entries[0].photo.file_key).write_bytes(b"another photo")
    with pytest.raises(CommandError, match="gone or changed"):
        run("freeze", "Tumours")
    Entry.objects.filter(pk=entries[0].pk).update(review="rejected")
    with pytest.raises(CommandError, match="1 photo was rejected"):
        run("freeze", "Tumours")


def test_the_exit_status_is_1(tmp_path, migrated):
    command = [sys.executable, "manage.py", "dataset", "compare", "Nothing"]
    environment = {"SKINCLINIC_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    migrated(tmp_path)
    done = subprocess.run(command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True)
    assert done.returncode == 1 and "There is no dataset “Nothing”" in done.stderr
