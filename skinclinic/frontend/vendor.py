"""Fetch the pinned third-party front-end files from npm anew.

    python -m skinclinic.frontend.vendor

The manifests are the list: ``keep`` are patterns of the files kept of each package. To update one, change its
version there, run this, which writes the hashes, and look at the difference. The folder of a package carries its
version, so ``templates/base.html`` names the new one too; then ``skinclinic.frontend.trim`` makes the sheet of
Bootstrap that pages load. Needs Node's ``npm``; the product does not.
"""

import hashlib
import json
import re
import shutil
import subprocess
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (ROOT / "static" / "vendor", ROOT / "tests" / "browser" / "vendor")
# The icons that become one sprite.
ICONS = Path(__file__).with_name("icons.txt")
# The comment names a file that is not kept, which hashed static file names refuse.
SOURCE_MAP_COMMENT = re.compile(rb"\n?(//# sourceMappingURL=\S+|/\*# sourceMappingURL=\S+ \*/)\s*$")


def fetch(package: dict, into: Path) -> dict[str, str]:
    """Replace the kept files of a package and return the SHA-256 of each. A pattern without a file is an error."""
    folder = into / f"{package['name']}-{package['version']}"
    shutil.rmtree(folder, ignore_errors=True)
    with TemporaryDirectory() as scratch:
        wanted = f"{package['name']}@{package['version']}"
        subprocess.run(
            ["npm", "pack", "--silent", wanted], cwd=scratch, check=True, stdout=subprocess.DEVNULL
        )
        (archive,) = Path(scratch).glob("*.tgz")
        with tarfile.open(archive) as tar:
            tar.extractall(scratch, filter="data")
        for pattern in package["keep"]:
            found = [path for path in Path(scratch, "package").glob(pattern) if path.is_file()]
            if not found:
                raise FileNotFoundError(f"{wanted}: nothing matches {pattern}")
            for path in found:
                # Flat, but for the folder that the style sheet of the font names.
                target = folder / (path.parent.name if path.suffix == ".woff2" else "") / path.name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(SOURCE_MAP_COMMENT.sub(b"\n", path.read_bytes()))
    if package["name"] == "bootstrap-icons":
        join_icons(folder)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(into)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def join_icons(folder: Path) -> None:
    """Make one SVG of the symbols in use, each with its name as id, drawn in the text colour."""
    symbols = []
    for name in ICONS.read_text().split():
        text = (folder / f"{name}.svg").read_text()
        match = re.search(r'<svg[^>]*viewBox="([^"]+)"[^>]*>(.*)</svg>', text, re.S)
        assert match, f"{name}.svg is no SVG with a viewBox"
        inner = re.sub(r"\s*\n\s*", "", match[2])
        symbols.append(f'<symbol id="{name}" viewBox="{match[1]}" fill="currentColor">{inner}</symbol>\n')
    for path in folder.glob("*.svg"):
        path.unlink()
    (folder / "icons.svg").write_text(f'<svg xmlns="http://www.w3.org/2000/svg">\n{"".join(symbols)}</svg>\n')


def main() -> None:
    for folder in FOLDERS:
        manifest = folder / "manifest.json"
        packages = json.loads(manifest.read_text())
        for left in folder.iterdir():
            if left.is_dir():
                shutil.rmtree(left)
        for package in packages:
            package["files"] = fetch(package, folder)
        manifest.write_text(json.dumps(packages, indent=1) + "\n")


if __name__ == "__main__":
    main()
