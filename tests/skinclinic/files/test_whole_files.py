"""Files and folders are there whole or not at all, at whatever moment the process that writes them is killed."""

import ctypes
import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from skinclinic.files import whole

OLD, NEW = {"one": "old", "two": "old"}, {"one": "new", "deep/three": "new"}
# Writes what it is asked for and is killed before the step of this number that touches the disk.
KILLED = """
import os, signal, sys
sys.path.insert(0, os.path.dirname(sys.argv[1]))
import whole
from pathlib import Path
what, target, last = sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])
if what.endswith("elsewhere"):
    whole.ctypes.CDLL = lambda *args, **kwargs: None  # a system that cannot exchange two names
steps = 0
def step(event, args):
    global steps
    if event.split(".")[0] in ("open", "os", "shutil") and event not in ("os.listdir", "os.scandir"):
        steps += 1
        if steps == last:
            os.kill(os.getpid(), signal.SIGKILL)
real = os.fsync
def fsync(descriptor):
    step("os.fsync", ())
    real(descriptor)
os.fsync = fsync
sys.addaudithook(step)
if what == "file":
    with whole.whole_file(target) as file:
        file.write(b"n")
        file.flush()
        step("os.write", ())
        file.write(b"ew")
else:
    with whole.whole_folder(target, replace=True) as draft:
        (draft / "one").write_text("new")
        (draft / "deep").mkdir()
        (draft / "deep/three").write_text("new")
last = 0
"""


def content(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def fill(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def is_killed(what: str, target: Path, step: int) -> bool:
    command = [sys.executable, "-I", "-S", "-c", KILLED, whole.__file__, what, str(target), str(step)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0


def kills(what: str, tmp_path: Path):
    """The places after a kill at each step, and one after none."""
    for step in range(1, 100):
        target = tmp_path / str(step) / "target"
        if what == "file":
            fill(target.parent, {"target": "old"})
        else:
            fill(target, OLD)
        killed = is_killed(what, target, step)
        yield target
        if not killed:
            assert step > 4
            return
    raise AssertionError("it never came to its end")


def test_a_file_killed_at_any_step_is_the_old_or_the_new_one(tmp_path):
    found = [target.read_text() for target in kills("file", tmp_path)]
    assert found[0] == "old" and found[-1] == "new"
    assert found == sorted(found, reverse=True), "old until it is new"


def test_a_folder_killed_at_any_step_is_the_old_or_the_new_one(tmp_path):
    found = [content(target) for target in kills("folder", tmp_path)]
    changed = found.index(NEW)
    assert changed > 4
    assert found == [OLD] * changed + [NEW] * (len(found) - changed)
    assert list((tmp_path / str(len(found))).iterdir()) == [tmp_path / str(len(found)) / "target"]


def test_without_an_exchange_the_old_folder_lies_beside_for_one_step(tmp_path):
    states = []
    for target in kills("folder-elsewhere", tmp_path):
        if target.exists():
            states.append(content(target))
        else:
            (aside,) = target.parent.glob(f"{whole.DRAFT}*-old")
            assert content(aside) == OLD
            states.append({})
    changed = states.index({})
    assert changed > 4
    assert states == [OLD] * changed + [{}] + [NEW] * (len(states) - changed - 1)


def test_what_a_kill_left_is_swept_the_next_day_when_the_folder_is_written_again(tmp_path):
    old, young, other = (tmp_path / f".draft-target-{end}" for end in ("00000001", "00000002", "other-one"))
    for draft in (old, young, other):
        fill(draft, {"x": "half"})
    for draft in (old, other):
        os.utime(draft, (time.time() - 2 * 86_400,) * 2)
    with whole.whole_folder(tmp_path / "target"):
        pass
    assert not old.exists()
    assert young.exists() and other.exists(), "somebody may still write it; it is another one's"
    whole.sweep(whole.drafts(tmp_path / "target"), after=0)
    assert not young.exists() and other.exists()


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, OSError])
def test_what_fails_leaves_nothing(tmp_path, failure):
    fill(tmp_path, {"file": "old", "folder/one": "old"})
    before = content(tmp_path)
    with pytest.raises(failure), whole.whole_file(tmp_path / "file") as file:
        file.write(b"half")
        raise failure
    with pytest.raises(failure), whole.whole_folder(tmp_path / "folder", replace=True) as draft:
        fill(draft, {"one": "half"})
        raise failure
    assert content(tmp_path) == before


@pytest.mark.parametrize("step", ["fsync", "rename"])
def test_a_disk_that_refuses_leaves_what_was_there(tmp_path, monkeypatch, step):
    fill(tmp_path, {"file": "old"})

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, step, full)
    with pytest.raises(OSError):
        whole.write_whole(tmp_path / "file", "new")
    with pytest.raises(OSError), whole.whole_folder(tmp_path / "folder") as draft:
        fill(draft, {"one": "new"})
    monkeypatch.undo()
    assert content(tmp_path) == {"file": "old"}


def test_an_exchange_that_is_refused_keeps_the_old_folder(tmp_path, monkeypatch):
    fill(tmp_path / "folder", OLD)

    class Refusing:
        def renameat2(self, *args):
            ctypes.set_errno(errno.EACCES)
            return -1

    monkeypatch.setattr(ctypes, "CDLL", lambda *args, **kwargs: Refusing())
    with pytest.raises(PermissionError), whole.whole_folder(tmp_path / "folder", replace=True) as draft:
        fill(draft, NEW)
    assert content(tmp_path) == {f"folder/{name}": text for name, text in OLD.items()}


def test_a_folder_that_is_there_is_only_replaced_when_asked(tmp_path):
    fill(tmp_path / "folder", OLD)
    with pytest.raises(OSError), whole.whole_folder(tmp_path / "folder") as draft:
        fill(draft, NEW)
    assert content(tmp_path / "folder") == OLD
    with whole.whole_folder(tmp_path / "folder", replace=True) as draft:
        fill(draft, NEW)
    assert content(tmp_path / "folder") == NEW
    assert not list(tmp_path.glob(f"{whole.DRAFT}*"))


def test_everything_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    flushed, real = [], os.fsync

    def fsync(descriptor):
        flushed.append(Path(f"/proc/self/fd/{descriptor}").resolve().name)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with whole.whole_folder(tmp_path / "folder") as draft:
        fill(draft, NEW)
        name = draft.name
    assert sorted(flushed[:-1]) == sorted(["one", "three", "deep", name])
    assert flushed[-1] == tmp_path.name, "the name itself comes last"


def test_texts_are_utf_8_and_folders_on_the_way_are_made(tmp_path):
    whole.write_whole(tmp_path / "a/b/c", "흑색종")
    assert (tmp_path / "a/b/c").read_bytes().decode() == "흑색종"
    assert list((tmp_path / "a/b").iterdir()) == [tmp_path / "a/b/c"]
