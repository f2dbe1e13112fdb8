"""The result of every test, as JSON, for the tables in `docs/conformance.md`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from .broker import ROOT

if TYPE_CHECKING:
    from collections.abc import Generator

DIRECTORY = ROOT / "target" / "conformance"


# A folder called `http` would hide the module of that name.
SUITES = {"http_flows": "e2e_http"}


class Record:
    """Writes a file for each folder of tests: `browser` to `e2e_browser.json`.

    A run replaces the files of the folders whose tests it runs, and leaves the other files.
    """

    def __init__(self) -> None:
        self._results: dict[str, dict[str, str]] = {}
        self._order: list[str] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Keeps the order of the tests."""
        self._order = [item.nodeid for item in session.items]

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Keeps the order of the tests; several processes run them in another order."""
        self._order = ids

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Function
    ) -> Generator[None, Any, pytest.TestReport]:
        """Adds the result to the report, in the process that runs the test."""
        report: pytest.TestReport = yield
        if not item.get_closest_marker("no_real_broker"):
            folder = item.path.parent.name
            result = {
                "suite": SUITES.get(folder, f"e2e_{folder}"),
                "case": in_words(item),
                "subject": parameters(item).get("site_name", "broker"),
                "result": report.outcome,
            }
            report.user_properties.append(("record", result))
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collects the results. A failed setup or teardown counts as a failed case."""
        for result in (value for name, value in report.user_properties if name == "record"):
            before = self._results.setdefault(report.nodeid, result)
            if before["result"] == "passed":
                self._results[report.nodeid] = result

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Writes the files, whatever the results."""
        if hasattr(session.config, "workerinput"):
            return
        suites: dict[str, list[dict[str, str]]] = {}
        for result in (self._results[test] for test in self._order if test in self._results):
            suites.setdefault(result["suite"], []).append(result)
        DIRECTORY.mkdir(parents=True, exist_ok=True)
        for suite, results in suites.items():
            text = json.dumps(results, indent=1, ensure_ascii=False)
            (DIRECTORY / f"{suite}.json").write_text(text + "\n", encoding="utf-8")


def in_words(item: pytest.Function) -> str:
    """The name of a test as a sentence."""
    text = item.originalname.removeprefix("test_").replace("_", " ")
    others = [
        value
        for key, value in parameters(item).items()
        if key != "site_name" and isinstance(value, str)
    ]
    if others:
        text += f": {', '.join(others)}"
    return text


def parameters(item: pytest.Function) -> dict[str, Any]:
    """What the test was given by `parametrize` or by a fixture's parameters."""
    return item.callspec.params if hasattr(item, "callspec") else {}
