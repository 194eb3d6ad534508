"""Whether the packages that the images install are known to have faults: asks the Python Packaging Advisory Database.

Only what is locked is looked at (every package, by version), and one that could not be looked up is no sound one. The
auditor has an environment of its own and installs nothing that it looks at.
"""

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("docker/requirements-web.lock", "docker/requirements-worker.lock")
AUDITOR = "pip-audit==2.10.1"


def told(report: dict) -> list[str]:
    """What a report of pip-audit finds, a line each; [] where every package was looked up and is sound."""
    lines = []
    for package in report["dependencies"]:
        if why := package.get("skip_reason"):
            lines.append(f"{package['name']}: {why}")
        for fault in package.get("vulns", []):
            mended = ", ".join(fault["fix_versions"]) or "no version yet"
            lines.append(f"{package['name']} {package['version']}: {fault['id']}, mended in {mended}")
    return lines


def main() -> int:
    found = []
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        bin_of = Path(folder) / "bin"
        pip = [bin_of / "python", "-m", "pip", "--disable-pip-version-check", "--quiet"]
        subprocess.run([*pip, "install", AUDITOR], check=True)
        for lock in LOCKS:
            asked = [
                bin_of / "pip-audit",
                "--require-hashes",
                "--disable-pip",
                "--format",
                "json",
                "-r",
                ROOT / lock,
            ]
            # It ends with 1 for a package with a fault, as for a database that does not answer.
            answer = subprocess.run(asked, capture_output=True, text=True)
            try:
                found += [f"{lock}: {line}" for line in told(json.loads(answer.stdout))]
            except (ValueError, KeyError):
                print(answer.stderr[-2000:] or "pip-audit said nothing.", file=sys.stderr)
                return 2
    print("\n".join(found) or "Every locked package was looked up; none is known to have a fault.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
