"""The bill of materials names what is pinned, in the version that is installed, and what browsers get."""

import json
import re
from pathlib import Path

from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[2]
PIN = re.compile(r"([\w.-]+)(?:\[\w+\])?==([\w.]+)")


def test_everything_that_is_pinned_is_in_it(tmp_path):
    call_command("sbom", out=tmp_path / "sbom.json")
    bill = json.loads((tmp_path / "sbom.json").read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    found = {component["purl"]: component for component in bill["components"]}
    pinned = "".join(
        (ROOT / name).read_text() for name in ("requirements.txt", "docker/requirements-web.txt")
    )
    # One for processors alone is 2.13.0+cpu.
    public = {purl.partition("%2B")[0] for purl in found}
    for name, version in PIN.findall(pinned):
        assert f"pkg:pypi/{name.lower().replace('_', '-')}@{version}" in public, name
    for package in json.loads((ROOT / "static/vendor/manifest.json").read_text()):
        component = found[
            f"pkg:npm/{package['name']}@{package['version']}".replace("@", "%40", package["name"].count("@"))
        ]
        hashes = {file["name"]: file["hashes"][0]["content"] for file in component["components"]}
        assert hashes == package["files"]
    assert len(found) == len(bill["components"]) > 60
    assert found["pkg:npm/bootstrap@5.3.9"]["licenses"] == [{"license": {"name": "MIT"}}]
