"""A pytest plugin: counts how the tests ended and leaves the counts in the file that the
environment variable PANDO_SUMMARY names. What goes wrong outside a test (collecting, set-up,
tear-down) is a failure."""

import json
import os

VARIABLE = "PANDO_SUMMARY"
_RANK = {"passed": 0, "skipped": 1, "failed": 2}


class Summary:
    """The worst outcome of each item's phases, by the item's id."""

    def __init__(self):
        self._outcomes = {}

    def pytest_runtest_logreport(self, report):
        if report.when == "call" or report.outcome != "passed":
            self._note(report)

    def pytest_collectreport(self, report):
        if report.outcome != "passed":
            self._note(report)

    def pytest_sessionfinish(self):
        counts = {outcome: 0 for outcome in _RANK}
        for outcome in self._outcomes.values():
            counts[outcome] += 1
        with open(os.environ[VARIABLE], "w", encoding="utf-8") as file:
            json.dump(counts, file)

    def _note(self, report):
        known = self._outcomes.get(report.nodeid, "passed")
        self._outcomes[report.nodeid] = max(known, report.outcome, key=_RANK.get)


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes more than a few seconds; left out by --quick")
    if os.environ.get(VARIABLE):
        config.pluginmanager.register(Summary())
