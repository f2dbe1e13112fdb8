"""The clients under test, a broker for them, and a record of the results."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from broker import Broker
from subject import COMMANDS, ROOT, Subject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

RESULTS = ROOT / "target/conformance"


@pytest.fixture(scope="session", params=COMMANDS)
def language(request: pytest.FixtureRequest) -> str:
    """Runs every case for every language."""
    return str(request.param)


@pytest.fixture
def broker() -> Iterator[Broker]:
    """A broker without requests so far."""
    with Broker() as broker:
        yield broker


@pytest.fixture
def client(language: str, broker: Broker) -> Iterator[Subject]:
    """A client that has sent no request to the broker so far."""
    with Subject(language, broker.origin) as client:
        yield client


@pytest.fixture
def make_client(language: str, broker: Broker) -> Iterator[Callable[..., Subject]]:
    """Makes clients with other settings."""
    with ExitStack() as clients:
        yield lambda **settings: clients.enter_context(Subject(language, broker.origin, **settings))


def pytest_configure(config: pytest.Config) -> None:
    """Records a complete run only: the record of a part would look complete."""
    whole = config.args_source is not pytest.Config.ArgsSource.ARGS
    # A worker process of pytest-xdist writes nothing.
    is_told = hasattr(config, "workerinput")
    if is_told or (whole and not config.option.keyword and not config.option.markexpr):
        config.pluginmanager.register(Record(RESULTS / "protocol.json"))


class Record:
    """The result of every case, for `scripts/conformance_table.py`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cases: dict[str, dict[str, str]] = {}
        self.order: list[str] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Keeps the order of the cases."""
        self.order = [item.nodeid for item in session.items]

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Keeps the order of the cases; several processes run them in another order."""
        self.order = ids

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Function) -> Iterator[Any]:
        """Adds the result to the report, in the process that runs the case."""
        report: pytest.TestReport = yield
        case = {
            "suite": item.module.SUITE,
            "case": in_words(item),
            "subject": str(item.callspec.params["language"]),
            "result": report.outcome,
        }
        report.user_properties.append(("case", case))
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collects the results. A failed setup or teardown counts as a failed case."""
        for case in (value for name, value in report.user_properties if name == "case"):
            before = self.cases.setdefault(report.nodeid, case)
            if before["result"] == "passed":
                self.cases[report.nodeid] = case

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Writes the record."""
        if hasattr(session.config, "workerinput"):
            return
        cases = [self.cases[case] for case in self.order if case in self.cases]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(cases, indent=1, ensure_ascii=False)
        self.path.write_text(text + "\n", encoding="utf-8")


def in_words(item: pytest.Function) -> str:
    """The name of a test as a sentence."""
    text = item.originalname.removeprefix("test_").replace("_", " ")
    given = item.callspec.params
    text += "".join(f": {given[key] or 'nothing'}" for key in ("claim", "case") if key in given)
    return text
