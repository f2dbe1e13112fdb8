"""The clients under test, a broker for them, and a record of what came of it."""

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
    """Every case is for every language."""
    return str(request.param)


@pytest.fixture
def broker() -> Iterator[Broker]:
    """A broker that nobody has asked anything."""
    with Broker() as broker:
        yield broker


@pytest.fixture
def client(language: str, broker: Broker) -> Iterator[Subject]:
    """A client that has not asked the broker anything."""
    with Subject(language, broker.origin) as client:
        yield client


@pytest.fixture
def make_client(language: str, broker: Broker) -> Iterator[Callable[..., Subject]]:
    """Makes clients with other settings."""
    with ExitStack() as clients:
        yield lambda **settings: clients.enter_context(Subject(language, broker.origin, **settings))


def pytest_configure(config: pytest.Config) -> None:
    """Keeps the record of a whole run; a part of it would pass for a whole one."""
    whole = config.args_source is not pytest.Config.ArgsSource.ARGS
    # One of several processes is told what it runs; it writes nothing.
    is_told = hasattr(config, "workerinput")
    if is_told or (whole and not config.option.keyword and not config.option.markexpr):
        config.pluginmanager.register(Record(RESULTS / "protocol.json"))


class Record:
    """What became of every case, for `scripts/conformance_table.py`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cases: dict[str, dict[str, str]] = {}
        self.order: list[str] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Keeps the order of the cases."""
        self.order = [item.nodeid for item in session.items]

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Keeps the order of the cases, which is not that in which several processes run them."""
        self.order = ids

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Function) -> Iterator[Any]:
        """Notes a result, in the process that runs the case."""
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
        """Collects the results. A setup or teardown that fails, fails the case."""
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
    """A test's name as a sentence."""
    text = item.originalname.removeprefix("test_").replace("_", " ")
    given = item.callspec.params
    text += "".join(f": {given[key] or 'nothing'}" for key in ("claim", "case") if key in given)
    return text
