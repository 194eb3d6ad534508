"""Fetch the pinned third-party front-end files from npm and write their manifests.

    python -m skinclinic.frontend.vendor

``PACKAGES`` is the list: to update one, change its version here, run this, and look at the difference.
The folder of a package carries its version, so ``templates/base.html`` names the new one too. Needs
Node's ``npm``; nothing of npm is needed to run the product.
"""

import hashlib
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STATIC_VENDOR = ROOT / "static" / "vendor"
TEST_VENDOR = ROOT / "tests" / "browser" / "vendor"
# The comment names a file that is not kept, which hashed static file names refuse.
SOURCE_MAP_COMMENT = re.compile(rb"\n?(//# sourceMappingURL=\S+|/\*# sourceMappingURL=\S+ \*/)\s*$")

ICONS = Path(__file__).with_name("icons.txt").read_text().split()


@dataclass(frozen=True)
class Package:
    """One npm package: ``files`` and ``licence_files`` are glob patterns inside its archive."""

    name: str
    version: str
    licence: str
    source: str
    licence_files: tuple[str, ...]
    files: tuple[str, ...]
    into: Path = STATIC_VENDOR
    note: str = ""

    @property
    def folder(self) -> Path:
        return self.into / f"{self.name}-{self.version}"


PACKAGES = (
    Package(
        "htmx.org",
        "2.0.11",
        "0BSD",
        "https://github.com/bigskysoftware/htmx",
        ("LICENSE",),
        ("dist/htmx.min.js",),
    ),
    Package(
        "bootstrap",
        "5.3.9",
        "MIT",
        "https://github.com/twbs/bootstrap",
        ("LICENSE",),
        ("dist/css/bootstrap.min.css", "dist/js/bootstrap.bundle.min.js"),
        note="Source map comments removed. The bundle contains @popperjs/core (MIT).",
    ),
    Package(
        "bootstrap-icons",
        "1.13.2",
        "MIT",
        "https://github.com/twbs/icons",
        ("LICENSE",),
        tuple(f"icons/{name}.svg" for name in ICONS),
        note="Kept as one sprite, icons.svg, of the symbols named in skinclinic/frontend/icons.txt.",
    ),
    Package(
        "pretendard",
        "1.3.9",
        "OFL-1.1",
        "https://github.com/orioncactus/pretendard",
        ("dist/LICENSE.txt",),
        (
            "dist/web/variable/pretendardvariable-dynamic-subset.css",
            "dist/web/variable/woff2-dynamic-subset/*.woff2",
            "dist/public/static/alternative/Pretendard-Regular.ttf",
        ),
        note="The variable font for pages, split by character range; one TrueType face for PDF files.",
    ),
    Package(
        "axe-core",
        "4.14.1",
        "MPL-2.0",
        "https://github.com/dequelabs/axe-core",
        ("LICENSE", "LICENSE-3RD-PARTY.txt"),
        ("axe.min.js",),
        into=TEST_VENDOR,
        note="Used by tests only; not served.",
    ),
)


def unpack(package: Package, folder: Path) -> Path:
    """Download the archive of ``package`` into ``folder`` and return the unpacked package folder."""
    subprocess.run(
        ["npm", "pack", "--silent", f"{package.name}@{package.version}"],
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    (archive,) = folder.glob("*.tgz")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder / "package"


def matches(source: Path, patterns: tuple[str, ...]) -> list[Path]:
    """Return the files under ``source`` that ``patterns`` name; a pattern without a file is an error."""
    found = []
    for pattern in patterns:
        files = sorted(path for path in source.glob(pattern) if path.is_file())
        if not files:
            raise FileNotFoundError(f"{source.parent.name}: nothing matches {pattern}")
        found += files
    return found


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text, re.S)
    if match is None:
        raise ValueError(f"there is no {pattern} in it")
    return match[1]


def sprite(icons: list[Path]) -> bytes:
    """Return one SVG of symbols, each with the name of its file as id, drawn in the text colour."""
    symbols = []
    for path in icons:
        text = path.read_text()
        view_box = _found(r'viewBox="([^"]+)"', text)
        inner = _found(r"<svg[^>]*>(.*)</svg>", text)
        inner = re.sub(r"\s*\n\s*", "", inner)
        symbols.append(f'<symbol id="{path.stem}" viewBox="{view_box}" fill="currentColor">{inner}</symbol>')
    return ('<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n").encode()


def copy(package: Package, source: Path) -> None:
    """Write the kept files of ``package`` into its folder, flat but for sub-folders the CSS names."""
    shutil.rmtree(package.folder, ignore_errors=True)
    package.folder.mkdir(parents=True)
    for path in matches(source, package.licence_files):
        shutil.copyfile(path, package.folder / path.name)
    files = matches(source, package.files)
    if package.name == "bootstrap-icons":
        (package.folder / "icons.svg").write_bytes(sprite(files))
        return
    for path in files:
        target = package.folder / (
            Path(path.parent.name) / path.name if path.suffix == ".woff2" else Path(path.name)
        )
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(SOURCE_MAP_COMMENT.sub(b"\n", path.read_bytes()))


def entry(package: Package) -> dict:
    """Return the manifest entry of ``package``, with the SHA-256 of each file as it lies here."""
    files = sorted(path for path in package.folder.rglob("*") if path.is_file())
    return {
        "name": package.name,
        "version": package.version,
        "licence": package.licence,
        "source": package.source,
        "note": package.note,
        "files": {
            path.relative_to(package.into).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
        },
    }


def main() -> None:
    for package in PACKAGES:
        with tempfile.TemporaryDirectory() as folder:
            copy(package, unpack(package, Path(folder)))
    for into in (STATIC_VENDOR, TEST_VENDOR):
        kept = [package for package in PACKAGES if package.into == into]
        for path in into.iterdir():
            if path.is_dir() and path not in [package.folder for package in kept]:
                shutil.rmtree(path)
        manifest = [entry(package) for package in kept]
        (into / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    main()
