"""The bill of materials (CycloneDX 1.6) of this installation: what is really there, not what was asked for."""

import json
import re
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

VENDORED = settings.BASE_DIR / "static" / "vendor" / "manifest.json"


class Command(BaseCommand):
    help = (
        "Write every third-party package of this installation, Python's and the browser's, as CycloneDX JSON."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser):
        parser.add_argument("--out", type=Path, help="file to write; else it is printed")

    def handle(self, *args, out: Path | None, **options):
        text = json.dumps(bill(), indent=1, ensure_ascii=False) + "\n"
        if out:
            out.write_text(text, encoding="utf-8")
        else:
            self.stdout.write(text, ending="")


def bill() -> dict[str, Any]:
    found = [*map(_of_python, distributions()), *map(_of_the_browser, json.loads(VENDORED.read_text()))]
    components = {component["bom-ref"]: component for component in found}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": timezone.now().isoformat(timespec="seconds"),
            "component": {
                "type": "application",
                "name": "skinclinic",
                "version": settings.SPECTACULAR_SETTINGS["VERSION"],
            },
        },
        "components": [components[key] for key in sorted(components)],
    }


def _of_python(found: Distribution) -> dict[str, Any]:
    name = re.sub(r"[-_.]+", "-", found.metadata["Name"]).lower()
    component = _component(
        f"pkg:pypi/{quote(name)}@{quote(found.version)}", found.metadata["Name"], found.version
    )
    if expressions := found.metadata.get_all("License-Expression"):
        component["licenses"] = [{"expression": expressions[0]}]
    elif licence := _licence_of(found):
        component["licenses"] = [{"license": {"name": licence}}]
    return component


def _licence_of(found: Distribution) -> str:
    """As the package says it, in one line."""
    said = [
        line.rpartition(" :: ")[2]
        for line in found.metadata.get_all("Classifier") or []
        if line.startswith("License :: ")
    ]
    return ", ".join(said) or "".join(found.metadata.get_all("License") or []).partition("\n")[0][:100]


def _of_the_browser(package: dict[str, Any]) -> dict[str, Any]:
    purl = f"pkg:npm/{quote(package['name'], safe='/')}@{quote(package['version'])}"
    return _component(purl, package["name"], package["version"]) | {
        "licenses": [{"license": {"name": package["licence"]}}],
        "externalReferences": [{"type": "vcs", "url": package["source"]}],
        "components": [
            {"type": "file", "name": name, "hashes": [{"alg": "SHA-256", "content": digest}]}
            for name, digest in sorted(package["files"].items())
        ],
    }


def _component(purl: str, name: str, version: str) -> dict[str, Any]:
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
