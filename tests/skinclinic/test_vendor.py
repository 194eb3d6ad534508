"""Third-party front-end files are the pinned ones: manifest and folder agree, nothing else is loaded."""

import hashlib
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static"
FOLDERS = [STATIC / "vendor", ROOT / "tests" / "browser" / "vendor"]
SHA256 = re.compile(r"[0-9a-f]{64}")


def manifest(folder: Path) -> list[dict]:
    return json.loads((folder / "manifest.json").read_text())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_every_file_is_in_the_manifest_with_its_hash(folder):
    listed = {name: digest for package in manifest(folder) for name, digest in package["files"].items()}
    found = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path != folder / "manifest.json"
    }
    assert found == listed


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_every_package_says_its_version_licence_and_source(folder):
    for package in manifest(folder):
        assert package["licence"] and package["source"].startswith("https://")
        assert all(name.startswith(f"{package['name']}-{package['version']}/") for name in package["files"])
        assert any("LICENSE" in name for name in package["files"]), package["name"]
        assert all(SHA256.fullmatch(digest) for digest in package["files"].values())


def test_vendored_files_that_templates_name_exist():
    named = set()
    for template in (ROOT / "templates").rglob("*.html"):
        named |= set(re.findall(r"""(?:{% static |static\()["']([^"']+)["']""", template.read_text()))
    assert any(name.startswith("vendor/") for name in named)
    assert not {name for name in named if not (STATIC / name).is_file()}


def test_pages_load_nothing_from_elsewhere_and_hold_no_inline_script_or_style():
    forbidden = {
        "address of another site": re.compile(r"""(?:src|href)=["'](?:https?:)?//"""),
        "inline style": re.compile(r"<style|\sstyle="),
        "inline handler": re.compile(r"\son[a-z]+="),
        "inline script": re.compile(r"<script(?![^>]*\ssrc=)"),
    }
    for template in (ROOT / "templates").rglob("*.html"):
        text = template.read_text()
        for what, pattern in forbidden.items():
            assert not pattern.search(text), f"{template.relative_to(ROOT)}: {what}"


def test_every_icon_that_templates_name_is_in_the_sprite():
    (sprite,) = (STATIC / "vendor").glob("bootstrap-icons-*/icons.svg")
    symbols = set(re.findall(r'<symbol id="([^"]+)"', sprite.read_text()))
    named = set()
    for template in (ROOT / "templates").rglob("*.html"):
        named |= set(re.findall(r"""(?:{% icon |icon\()["']([^"']+)["']""", template.read_text()))
    assert named
    assert named <= symbols
