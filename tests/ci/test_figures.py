"""The page of measured figures: every benchmark is on it, and a section is never lost to another one's run."""

import os
from concurrent.futures import ThreadPoolExecutor

from tests import figures

XML = """<testsuites><testsuite>
<testcase name="test_a_page" time="3.2"><system-out>
---- Captured Out ----
worklist: 7.9 times one row
</system-out></testcase>
<testcase name="test_b" time="1.0"><failure message="assert 3 &lt; 2&#10;more">x</failure></testcase>
<testcase name="test_c" time="0.0"><skipped message="no GPU"/></testcase>
</testsuite></testsuites>"""


def test_every_benchmark_and_every_measuring_script_is_a_section_of_the_page():
    there = {part.removeprefix("tests/benchmarks/") for one in figures.sections() for part in one.command}
    assert {path.name for path in (figures.ROOT / "tests" / "benchmarks").glob("test_*.py")} <= there
    named = (figures.ROOT / "tests").rglob("*.py")
    scripts = {path for path in named if path.name.startswith(("measure_", "simulate_"))}
    modules = {".".join(path.relative_to(figures.ROOT).with_suffix("").parts) for path in scripts}
    assert modules <= there
    names = [one.name for one in figures.sections()]
    assert len(names) == len(set(names)), "a section would be lost to another of its name"
    assert set(figures.kept(figures.PAGE.read_text())) == set(names)


def test_what_tests_print_is_told_and_how_they_ended():
    assert list(figures.of_tests(XML)) == [
        "a page: held, 3 s", "  worklist: 7.9 times one row", "b: FAILED after 1 s: assert 3 < 2",
        "c: skipped after 0 s: no GPU",
    ]  # fmt: skip


def test_a_run_of_some_keeps_the_others_and_says_what_was_never_measured(tmp_path):
    of = [figures.Section(name, f"About {name}", ("python", "-m", name)) for name in ("one", "two", "three")]
    out = tmp_path / "figures.md"
    figures.measure(of[:1], of, out, lambda section: ["12 ms"], lambda: 0.04)
    first = figures.kept(out.read_text())["one"]
    assert "$ .venv/bin/python -m one\n12 ms\n" in first and "commit" in first and "Machine:" in first
    figures.measure(of[1:2], of, out, lambda section: ["7 s"], lambda: 0.31)
    page = figures.kept(out.read_text())
    assert "others used 4% of" in first and "busy" not in first
    assert "others used 31% of" in page["two"] and "The machine was busy" in page["two"]
    assert page["one"] == first and "7 s" in page["two"] and figures.NOT_YET in page["three"]
    figures.measure(of[:1], of, out, lambda section: ["11 ms"], lambda: 0)
    page = out.read_text()
    assert "12 ms" not in page and "11 ms" in page and page.count("## ") == 3


def test_a_script_without_what_it_needs_says_so(monkeypatch):
    monkeypatch.delenv("SKINCLINIC_TEST_PHOTOS", raising=False)
    section = figures.Section("x", "", ("python", "-c", "print(1)"), needs="SKINCLINIC_TEST_PHOTOS")
    assert figures.run(section) == ["Not measured: SKINCLINIC_TEST_PHOTOS is not set."]
    broken = figures.Section("x", "", ("python", "-c", "print(4.5); raise SystemExit('out of photos')"))
    assert figures.run(broken) == ["4.5", "It ended with status 1: out of photos"]


def test_what_others_use_of_the_processors_is_listened_for():
    with ThreadPoolExecutor() as threads:
        heard = threads.submit(figures.share_in_use, 0.3)
        while not heard.done():
            pass
    assert 0.3 / (os.cpu_count() or 1) < heard.result() <= 1
