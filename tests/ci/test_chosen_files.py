"""Which files a run of some sets reads."""

import json
from types import SimpleNamespace

import pytest

from tests import chosen_files
from tests.chosen_files import HERE, ChosenFiles

KNOWN = {
    "both.py": [["check", "database", "engine"], ["database"]],
    "check.py": [["check", "r"]],
    "none.py": [[]],
}


def read(folder, expression: str) -> set[str]:
    """Of KNOWN and a new file, those that a run with ``-m expression`` reads."""
    known = folder / "known.json"
    known.write_text(json.dumps(KNOWN))
    config = SimpleNamespace(
        option=SimpleNamespace(markexpr=expression), args_source=pytest.Config.ArgsSource.TESTPATHS
    )
    files = ChosenFiles(config, known)
    return {name for name in (*KNOWN, "new.py") if not files.pytest_ignore_collect(HERE / name)}


def test_a_file_is_left_out_only_if_it_is_known_to_have_no_chosen_test(tmp_path):
    everything = {*KNOWN, "new.py"}
    assert read(tmp_path, "") == everything
    assert read(tmp_path, "check") == {"both.py", "check.py", "new.py"}
    assert read(tmp_path, "not check") == everything - {"check.py"}
    assert read(tmp_path, "database and not (engine or r)") == {"both.py", "new.py"}


def test_what_is_known_holds_until_a_test_or_a_setting_changes(tmp_path, monkeypatch):
    monkeypatch.setattr(chosen_files, "HERE", tmp_path / "tests")
    (tmp_path / "tests" / "folder").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("")
    found = {chosen_files.digest()}
    for path, text in (
        ("tests/conftest.py", "a"), ("tests/conftest.py", "b"), ("tests/folder/test_a.py", "b"),
        ("pyproject.toml", "[tool]"),
    ):  # fmt: skip
        (tmp_path / path).write_text(text)
        found.add(chosen_files.digest())
    assert len(found) == 5
