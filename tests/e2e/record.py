"""What became of every test, as JSON, for the table of what was tested with the real broker."""

from __future__ import annotations

import json
import re
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

    A file has the results of the last run that ran a test of that folder, and of that run alone.
    """

    def __init__(self) -> None:
        self._suites: dict[str, dict[str, dict[str, str]]] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Function
    ) -> Generator[None, Any, pytest.TestReport]:
        """Notes a result. A setup or teardown that fails, fails the case."""
        report: pytest.TestReport = yield
        if item.get_closest_marker("no_real_broker"):
            return report
        folder = item.path.parent.name
        suite = SUITES.get(folder, f"e2e_{folder}")
        result = {
            "suite": suite,
            "case": in_words(item),
            "subject": parameters(item).get("site_name", "broker"),
            "result": report.outcome,
        }
        results = self._suites.setdefault(suite, {})
        if results.setdefault(item.nodeid, result)["result"] == "passed":
            results[item.nodeid] = result
        return report

    def pytest_sessionfinish(self) -> None:
        """Writes the files, whatever the results."""
        DIRECTORY.mkdir(parents=True, exist_ok=True)
        for suite, results in self._suites.items():
            text = json.dumps(list(results.values()), indent=1, ensure_ascii=False)
            (DIRECTORY / f"{suite}.json").write_text(text + "\n", encoding="utf-8")


def in_words(item: pytest.Function) -> str:
    """A test's name as a sentence."""
    name = item.originalname.removeprefix("test_")
    text = re.sub(r"^(?:[a-z]{3}_\d\d_)+", "", name).replace("_", " ")
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
