"""What the product says once it says nowhere else, nothing stands in it that nothing uses, and what its comments name
is there."""

import re
from collections import Counter
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APPS = ("skinclinic", "classifier", "reader_study")


@cache
def texts() -> dict[str, str]:
    """What the product is made of, by path: its Python without migrations, templates and scripts."""
    wanted = [(app, "*.py") for app in APPS] + [("templates", "*.*"), ("static/js", "*.js")]
    return {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for folder, names in wanted
        for path in sorted((ROOT / folder).rglob(names))
        if "migrations" not in path.parts
    }


# A score against anything but a number, written out or a constant.
_SCORE = r"\bscores?(?:\[[^\]]*\])*"
_HELD_AGAINST = re.compile(
    rf"{_SCORE}\s*[<>]=?(?!=|\s*[\dA-Z])|(?<![\w.])[a-z][\w.\[\]]*\s*[<>]=?\s*[\w.]*{_SCORE}"
)


def test_which_diseases_are_listed_is_decided_in_one_place():
    """``listing.is_listed``: greater than the threshold. Ranks hold scores against each other."""
    may = {"classifier/metrics/listing.py", "classifier/metrics/ranking.py"}
    for spelt in ("part.scores[:, place] > limit", "row.scores[key] > chosen.values[key]", "limits < scores"):
        assert _HELD_AGAINST.search(spelt)
    wrong = [
        f"{name}: {line.strip()}"
        for name, text in texts().items()
        if name.endswith(".py") and name not in may
        for line in text.splitlines()
        if _HELD_AGAINST.search(line)
    ]
    assert wrong == []


def test_which_thresholds_are_the_usual_ones_is_decided_in_one_place():
    """``manifest.usual_thresholds``, and ``ModelVersion.usual_thresholds`` of rows."""
    named = {name for name, text in texts().items() if re.search(r"""=\s*["']balanced["']""", text)}
    assert named == {"classifier/networks/manifest.py"}


# What Django finds by itself; of the API's client the text is taken.
_FOUND_BY_OTHERS = re.compile(
    r"/settings/|/dates/|/apps\.py$|/templatetags/|/api/client/|^skinclinic/(urls|wsgi|celery)\.py$"
)
# Of several modules alike one is taken and asked for it.
_ASKED_OF_ANY = {
    "any_of", "hand_over", "places", "put_back",  # what goes with photos that are filed elsewhere
    "decode", "inspect", "subsampling",  # formats of photos
    "build", "split_imagenet",  # families of networks
    "Command", "TokenScheme", "urlpatterns",
}  # fmt: skip
# What tests hold others against, or need of a process that goes on.
_FOR_TESTS = {"unpaired_test", "CODES", "LEFT", "forget", "reset"}
_DEFINED = re.compile(r"^(?:def |class )(\w+)|^([A-Za-z_]\w*)(?:: [^=\n]+)? = ", re.MULTILINE)
_IMPORTED = re.compile(r"^\s*from ([\w.]+) import (?:\(([^)]*)\)|(.*))", re.MULTILINE)


def _used() -> set[tuple[str, str]]:
    """(module's last name, name) of whatever any file imports, or asks of a module."""
    found = set()
    migrations = [
        path.read_text(encoding="utf-8") for app in APPS for path in (ROOT / app).rglob("migrations/*.py")
    ]
    for text in (*texts().values(), *migrations):
        asked = set(re.findall(r"(?=\b(\w+)\.(\w+))", text))
        found |= asked
        for module, new in re.findall(r"(\w+) as (\w+)", text):
            found |= {(module, name) for known, name in asked if known == new}
        for module, several, one in _IMPORTED.findall(text):
            names = re.sub(r"#.*|\bas \w+", "", several or one)
            found |= {(module.rpartition(".")[2], name) for name in re.findall(r"\w+", names)}
    return found


def test_nothing_is_defined_that_nothing_uses():
    """At the top of a module, used neither there nor elsewhere in the product. What a decorator registers is."""
    used, count, unused = _used(), 0, []
    for name, text in texts().items():
        if not name.endswith(".py") or _FOUND_BY_OTHERS.search(name):
            continue
        words = Counter(re.findall(r"\w+", text))
        module = Path(name).parent.name if name.endswith("__init__.py") else Path(name).stem
        for found in _DEFINED.finditer(text):
            count += 1
            word = found[1] or found[2]
            is_decorated = text[: found.start()].rstrip("\n").rpartition("\n")[2].startswith(("@", ")", "]"))
            is_known = is_decorated or word in _ASKED_OF_ANY | _FOR_TESTS or word.startswith("__")
            if words[word] == 1 and not is_known and (module, word) not in used:
                unused.append(f"{name}: {word}")
    assert count > 5000
    assert unused == []


def test_files_that_comments_and_documentation_name_are_there():
    """``services/photos.py``, in the table of CONTRIBUTING also ``photos.py`` behind it, is the end of a path."""
    folders = (*APPS, "tests", "docs", "docker", "static", "templates", "locale", ".ci")
    there = [f"/{path.relative_to(ROOT)}" for folder in folders for path in (ROOT / folder).rglob("*.*")]
    ends = {path[at:] for path in there for at, sign in enumerate(path) if sign == "/"}
    named = {
        (name, found)
        for name, text in texts().items()
        for found in re.findall(r"(?<![\w/.{}:-])((?:[a-z_]+/)+[a-z_]+\.(?:py|md))\b", text)
    }
    for path in (ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        found = re.findall(r"`([\w./-]+\.(?:py|js))`", path.read_text(encoding="utf-8"))
        named |= {(path.name, one) for one in found}
    assert len(named) > 500
    beside = {f"/{path.name}" for path in ROOT.iterdir()}
    assert {(name, found) for name, found in named if f"/{found}" not in ends | beside} == set()
