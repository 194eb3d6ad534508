"""Writes docs/figures.md: what every benchmark and measuring script of this repository measures, on which machine, when
and of which commit.

    python -m tests.figures [--only NAME …] [--list] [--out FILE]

Run it on a machine that does nothing else, from a clean checkout. The page is written anew after each section, so that
a run that was stopped has kept what it measured; ``--only`` measures some and leaves the others as they stand, each
with the machine and the day of its own. Scripts that need real photos take them from SKINCLINIC_TEST_PHOTOS, or from
SKINCLINIC_UNSEEN_PHOTOS where the model must not know them; SKINCLINIC_MEASURED_DEMO is the folder of a demo.
"""

import argparse
import ast
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "figures.md"
NOT_YET = "Not measured yet."
# Share of the processors that others may take before a section.
BUSY = 0.1
LISTENED = 3.0
HEAD = """# Measured figures

This page is written by `.venv/bin/python -m tests.figures`; whoever edits it by hand loses that with the next run.
Figures are of the machine, the day and the commit that stand with them, and say nothing of other machines; those of
machines that did other work meanwhile are marked as such.
"""


@dataclass(frozen=True)
class Section:
    """``command`` is what is run in the repository; one of pytest tells its figures by tests, any other by its lines.
    ``needs``: a variable without which it cannot run."""

    name: str
    about: str
    command: tuple[str, ...]
    needs: str = ""

    @property
    def is_pytest(self) -> bool:
        return "pytest" in self.command


def sections() -> list[Section]:
    """All that is measured: the benchmarks by their files, then the scripts."""
    found = []
    for path in sorted((ROOT / "tests" / "benchmarks").glob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        about = " ".join((ast.get_docstring(ast.parse(text)) or "").split("\n\n")[0].split())
        run = ("python", "-m", "pytest", f"tests/benchmarks/{path.name}", "-q", "-n", "0")
        name = path.stem.removeprefix("test_").replace("_", " ")
        found.append(Section(name, about, run))
        if "tests.servers python" in text:
            found.append(Section(f"{name}, PostgreSQL", about, ("python", "-m", "tests.servers", *run)))
    return [*found, *_SCRIPTS]


_SCRIPTS = (
    Section(
        "runtimes", "Analyses a second of the product's runtimes, see runtimes.md",
        ("python", "manage.py", "benchmark"),
    ),
    Section(
        "similar photos, the whole service", "A search among 200,000 proven photos, freshness and rights included",
        ("python", "-m", "tests.classifier.analysis.measure_similar"),
    ),
    Section(
        "photos over each other", "How often photos are laid over each other rightly and wrongly, on real photos",
        ("python", "-m", "tests.skinclinic.imaging.measure_alignment"), needs="SKINCLINIC_TEST_PHOTOS",
    ),
    Section(
        "photos in a bucket", "What a photo costs that is written to or read from disk or bucket, plain and sealed",
        ("python", "-m", "tests.skinclinic.files.measure_bucket"), needs="SKINCLINIC_TEST_PHOTOS",
    ),
    Section(
        "squares suggested by the network", "Where the lesion is, against the middle square, see squares.md",
        ("python", "-m", "tests.classifier.analysis.measure_squares"), needs="SKINCLINIC_UNSEEN_PHOTOS",
    ),
    Section(
        "pages of a demo", "What they cost, and a first visit, see page-costs.md",
        ("python", "-m", "tests.benchmarks.measure_pages"), needs="SKINCLINIC_MEASURED_DEMO",
    ),
    Section(
        "200,000 photos", "Pages and lists of a clinic as large as a university's, on PostgreSQL, see scaling.md",
        ("python", "-m", "tests.servers", "python", "-m", "tests.benchmarks.measure_large"),
    ),
    Section(
        "what one machine takes", "Photos and worklists a second on PostgreSQL and Redis, see scaling.md",
        ("python", "-m", "tests.servers", "python", "-m", "tests.benchmarks.measure_load"),
    ),
    Section(
        "faults, SQLite", "What came of each photo while parts of a site broke, on the embedded default, see faults.md",
        ("python", "-m", "tests.faults.measure_faults"),
    ),
    Section(
        "faults, PostgreSQL", "The same on PostgreSQL and Redis",
        ("python", "-m", "tests.faults.measure_faults", "--engine", "servers"),
    ),
    Section(
        "verdicts of studies", "How often verdicts and intervals are wrong, by simulation",
        ("python", "-m", "tests.reader_study.statistics.simulate_verdicts"),
    ),
)  # fmt: skip


def machine() -> str:
    """The machine in a line; what it does not tell is left out."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    parts = [
        _processor(),
        f"{cores} cores",
        _memory(),
        _gpu(),
        platform.platform(),
        f"Python {platform.python_version()}",
    ]
    return "; ".join(part for part in parts if part)


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor()
    match = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return match[1].strip() if match else platform.processor()


def _memory() -> str:
    try:
        text = Path("/proc/meminfo").read_text(encoding="utf-8")
    except OSError:
        return ""
    match = re.search(r"^MemTotal:\s*(\d+) kB", text, re.MULTILINE)
    return f"{int(match[1]) / (1 << 20):.0f} GiB of memory" if match else ""


def _gpu() -> str:
    if not shutil.which("nvidia-smi"):
        return ""
    asked = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    return subprocess.run(asked, capture_output=True, text=True).stdout.strip().replace("\n", ", ")


def commit() -> str:
    """The commit, and whether the checkout differs from it."""

    def git(*asked: str) -> str:
        return subprocess.run(["git", *asked], cwd=ROOT, capture_output=True, text=True).stdout.strip()

    # The page itself changes with each section.
    differs = git("status", "--porcelain", "--untracked-files=no", "--", ".", f":!{PAGE.relative_to(ROOT)}")
    changed = " with changes that are not committed" if differs else ""
    return (git("rev-parse", "--short=12", "HEAD") or "not known") + changed


def share_in_use(seconds: float = LISTENED) -> float:
    """What is used of all processors, 0 to 1, while this listens; where the system does not tell, its load of the last
    minute, which knows the section before, too."""

    def spent() -> tuple[int, int]:
        """Of all, idle (waiting for the disk counts as idle)."""
        ticks = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
        return sum(ticks), ticks[3] + ticks[4]

    try:
        before = spent()
        time.sleep(seconds)
        total, idle = (after - earlier for after, earlier in zip(spent(), before, strict=True))
    except (OSError, ValueError):
        return min(os.getloadavg()[0] / (os.cpu_count() or 1), 1)
    return 1 - idle / total if total else 0.0


def run(section: Section) -> list[str]:
    """The figures, a line each; of what failed or was skipped, that."""
    if section.needs and not os.environ.get(section.needs):
        return [f"Not measured: {section.needs} is not set."]
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "told.xml"
        command = [sys.executable if part == "python" else part for part in section.command]
        if section.is_pytest:
            command += [f"--junitxml={told}", "-o", "junit_logging=system-out", "-o", "addopts="]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if section.is_pytest and told.exists():
            return list(of_tests(told.read_text(encoding="utf-8")))
    lines = [line.rstrip() for line in done.stdout.splitlines() if line.strip()]
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["without a word"])[-1]
        lines.append(f"It ended with status {done.returncode}: {last}")
    return lines or ["It printed nothing."]


def of_tests(xml: str) -> Iterator[str]:
    """What pytest's report tells of each test: what it printed; how it ended, where it did not pass."""
    for case in ElementTree.fromstring(xml).iter("testcase"):
        name = case.get("name", "").removeprefix("test_").replace("_", " ")
        printed = "\n".join(one.text or "" for one in case.iter("system-out"))
        lines = [line.strip() for line in printed.splitlines() if line.strip() and not line.startswith("---")]
        yield f"{name}: {_ended(case)}"
        yield from (f"  {line}" for line in lines)


def _ended(case: ElementTree.Element) -> str:
    seconds = f"{float(case.get('time') or 0):.0f} s"
    for kind, word in (("failure", "FAILED"), ("error", "BROKE"), ("skipped", "skipped")):
        if (found := case.find(kind)) is not None:
            why = (found.get("message") or "").strip().splitlines() or [""]
            return f"{word} after {seconds}: {why[0][:200]}"
    return f"held, {seconds}"


def written(section: Section, lines: list[str], in_use: float, at: datetime) -> str:
    """A section of the page. ``in_use``: of the processors when it began, 0 to 1."""
    shown = shlex.join(part if part != "python" else ".venv/bin/python" for part in section.command)
    busy = " **The machine was busy: not a figure to quote.**" if in_use > BUSY else ""
    return "\n".join(
        [
            f"## {section.name}", "", section.about, "",
            f"{at:%Y-%m-%d %H:%M} UTC, commit {commit()};"
            f" others used {in_use:.0%} of the processors when it began.{busy}",
            f"Machine: {machine()}.", "", "```", f"$ {shown}", *lines, "```", "",
        ]
    )  # fmt: skip


def kept(page: str) -> dict[str, str]:
    """{name: section} of a page that is there."""
    parts = re.split(r"^(?=## )", page, flags=re.MULTILINE)[1:]
    return {part.splitlines()[0].removeprefix("## "): part.rstrip() + "\n" for part in parts}


def page(of: list[Section], texts: Mapping[str, str]) -> str:
    """The whole page, in the order of the sections."""
    empty = {one.name: f"## {one.name}\n\n{one.about}\n\n{NOT_YET}\n" for one in of}
    return "\n".join([HEAD, *(texts.get(one.name, empty[one.name]) for one in of)])


def measure(
    chosen: list[Section],
    of: list[Section],
    out: Path,
    measured: Callable[[Section], list[str]] = run,
    in_use: Callable[[], float] = share_in_use,
) -> None:
    """Measure the chosen and write the page after each."""
    texts = kept(out.read_text(encoding="utf-8")) if out.exists() else {}
    for section in chosen:
        others, at = in_use(), datetime.now(UTC)
        texts[section.name] = written(section, measured(section), others, at)
        out.write_text(page(of, texts), encoding="utf-8")
    out.write_text(page(of, texts), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help="as --list writes them")
    parser.add_argument("--list", action="store_true", help="what there is, without measuring")
    parser.add_argument("--none", action="store_true", help="measure nothing: write what is not measured yet")
    parser.add_argument("--out", type=Path, default=PAGE)
    asked = parser.parse_args()
    of = sections()
    if unknown := set(asked.only) - {one.name for one in of}:
        parser.error(f"there is no {', '.join(sorted(unknown))}; see --list")
    chosen = [one for one in of if not asked.only or one.name in asked.only]
    if asked.list:
        print("\n".join(one.name for one in of))
        return
    measure([] if asked.none else chosen, of, asked.out)


if __name__ == "__main__":
    main()
