"""The clients under test, a broker for them, and a record of what came of it."""

from __future__ import annotations

import json
import re
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
    if whole and not config.option.keyword and not config.option.markexpr:
        config.pluginmanager.register(Record(RESULTS / "protocol.json"))


class Record:
    """What became of every case, for `scripts/conformance_table.py`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cases: dict[str, dict[str, str]] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Function, call: pytest.CallInfo[None]
    ) -> Iterator[Any]:
        """Notes a result. A setup or teardown that fails, fails the case."""
        report: pytest.TestReport = yield
        case = {
            "suite": item.module.SUITE,
            "case": in_words(item),
            "subject": str(item.callspec.params["language"]),
            "result": report.outcome,
        }
        if self.cases.setdefault(item.nodeid, case)["result"] == "passed":
            self.cases[item.nodeid] = case
        return report

    def pytest_sessionfinish(self) -> None:
        """Writes the record."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(list(self.cases.values()), indent=1, ensure_ascii=False)
        self.path.write_text(text + "\n", encoding="utf-8")


def in_words(item: pytest.Function) -> str:
    """A test's name as a sentence."""
    name = item.originalname.removeprefix("test_")
    text = re.sub(r"^(?:[a-z]{3}_\d\d_)+", "", name).replace("_", " ")
    given = item.callspec.params
    text += "".join(f": {given[key] or 'nothing'}" for key in ("claim", "case") if key in given)
    return text
