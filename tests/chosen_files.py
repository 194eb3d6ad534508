"""Files of which a run chooses no test (``-m``) are not even read: each process that tests would read them all.

Whoever has read all files writes down which sets (``tests/sets.py``) their tests belong to; that holds for later runs
as long as nothing below ``tests`` changes. A file that is named on the command line is always read.
"""

import hashlib
import json
from pathlib import Path

import pytest
from _pytest.mark.expression import Expression

HERE = Path(__file__).parent


def digest() -> str:
    """Of all that tells which sets a test belongs to."""
    found = hashlib.sha256((HERE.parent / "pyproject.toml").read_bytes())
    for path in sorted(HERE.rglob("*.py")):
        found.update(f"{path.relative_to(HERE)} {path.stat().st_size} ".encode() + path.read_bytes())
    return found.hexdigest()[:16]


class ChosenFiles:
    def __init__(self, config: pytest.Config, known: Path):
        self._known = known
        is_first = getattr(config, "workerinput", {"workerid": "gw0"})["workerid"] == "gw0"
        self._writes = is_first and config.args_source == pytest.Config.ArgsSource.TESTPATHS
        self._found: dict[str, set[tuple[str, ...]]] = {}
        self._without: set[Path] = set()
        if config.option.markexpr and known.exists():
            chosen = Expression.compile(config.option.markexpr)
            for name, sets in json.loads(known.read_text()).items():
                if not any(chosen.evaluate(lambda mark, names=names, **_: mark in names) for names in sets):
                    self._without.add(HERE / name)

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        return True if collection_path in self._without else None

    @pytest.hookimpl(trylast=True)
    def pytest_itemcollected(self, item: pytest.Item) -> None:
        names = tuple(sorted({mark.name for mark in item.iter_markers()}))
        self._found.setdefault(str(item.path.relative_to(HERE)), set()).add(names)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if self._writes and not session.testsfailed and not self._known.exists():
            for old in self._known.parent.glob("*.json"):
                old.unlink(missing_ok=True)
            half = self._known.with_suffix(".half")
            half.write_text(json.dumps({name: sorted(sets) for name, sets in sorted(self._found.items())}))
            half.rename(self._known)


def pytest_configure(config: pytest.Config) -> None:
    if config.option.dist == "no" or hasattr(config, "workerinput"):
        known = Path(config.cache.mkdir("chosen-files")) / f"{digest()}.json"
        config.pluginmanager.register(ChosenFiles(config, known))
