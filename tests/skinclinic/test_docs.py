"""The documentation names files, tests, commands and options that there are."""

import argparse
import csv
import io
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import load_command_class

from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests.cases import each

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
OURS = (
    "skinclinic",
    "classifier",
    "reader_study",
    "docs",
    "docker",
    "tests",
    "templates",
    "static",
    "locale",
)
COMMANDS = {
    path.stem: ".".join(path.relative_to(ROOT).parts[:-3])
    for app in ("skinclinic", "classifier", "reader_study")
    for path in (ROOT / app).glob("**/management/commands/*.py")
}
# What is Django's own.
COMMANDS |= dict.fromkeys(("makemessages", "compilemessages", "check", "migrate", "shell"), "django.core")
# What somebody makes who follows the page.
MADE_LATER = re.compile("LANGUAGE|^docker/(\\.env|tls|secrets|images.env)")


@each("path", PAGES)
def test_files_that_pages_name_are_there(path):
    text = path.read_text(encoding="utf-8")
    named = re.findall(rf"`((?:{'|'.join(OURS)})/[\w./-]*[\w/])`", text)
    missing = [name for name in named if not (ROOT / name).exists() and not MADE_LATER.search(name)]
    linked = re.findall(r"\]\(([\w./-]+)\)", text)
    if "docs/help" not in str(path):
        missing += [name for name in linked if not (path.parent / name).exists()]
    assert missing == []


def test_the_index_of_the_documentation_names_every_page():
    text = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\]\(([\w./-]+)\)", text)) | {"README.md"}
    assert {path.name for path in (ROOT / "docs").iterdir() if path.suffix in (".md", ".py", ".sh")} <= named


def parsed(line: str) -> None:
    """Fail unless the command takes these options, as far as a parser can tell."""
    words = shlex.split(line.partition("|")[0].replace("$HAN", "/han"), comments=True)
    command = load_command_class(COMMANDS[words[2]], words[2])
    parser = command.create_parser("manage.py", words[2])
    parser.exit_on_error = False
    try:
        parser.parse_args(words[3:])
    except (SystemExit, argparse.ArgumentError, Exception) as error:
        pytest.fail(f"{line}: {error}")


@each("path", PAGES)
def test_commands_of_pages_can_be_typed(path):
    """Those that are written out; what has brackets or leaves something open is only held to be a command."""
    text = path.read_text(encoding="utf-8")
    for line in re.findall(r"^    (python manage\.py .+)$", text, re.MULTILINE):
        if not re.search(r"\[|…|NAME:", line):
            parsed(line)
    for name in re.findall(r"manage\.py (\w+)", text):
        assert name in COMMANDS, name


def test_the_script_of_scores_makes_the_table_that_studies_read():
    scores = dict.fromkeys(DISEASE_KEYS, 0.05)
    entries = [
        {"path": "a/one.jpg", "scores": scores | {"bcc": 0.45}},
        {"path": "a/bad.jpg", "scores": {}},
    ]
    done = subprocess.run(
        [sys.executable, "docs/scores.py"],
        input=json.dumps(entries),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 1 and "a/bad.jpg" in done.stderr
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    assert row["image"] == "one.jpg" and float(row["bcc"]) == 0.45 and set(row) == {"image", *DISEASE_KEYS}
