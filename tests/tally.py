"""How many cases ran, and in CI no skipped one: everything the tests need is there.

A case is a subtest, or a test that has none.
"""

import os
from collections import Counter

import pytest
from _pytest.subtests import SubtestReport

from tests.cases import cases_of


class Tally:
    def __init__(self):
        self.ran: set[str] = set()
        self.subtests: Counter[str] = Counter()
        self.skipped = 0

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if session.config.option.collectonly:
            for item in session.items:
                self.ran.add(item.nodeid)
                self.subtests[item.nodeid] = len(cases_of(getattr(item, "function", None)))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.skipped += report.skipped and not hasattr(report, "wasxfail")
        if isinstance(report, SubtestReport):
            self.subtests[report.nodeid] += 1
        elif report.when == "call":
            self.ran.add(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self.skipped += report.skipped

    @property
    def cases(self) -> int:
        return sum(self.subtests[test] or 1 for test in self.ran)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if os.environ.get("CI") and self.skipped:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter) -> None:
        if self.ran:
            terminalreporter.write_line(f"{self.cases} cases in {len(self.ran)} tests")
        if os.environ.get("CI") and self.skipped:
            terminalreporter.write_line("CI: tests were skipped, which counts as a failure", red=True)


def pytest_configure(config: pytest.Config) -> None:
    # With several processes the first one hears of all tests.
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Tally())
