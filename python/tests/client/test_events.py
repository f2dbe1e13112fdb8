"""Events in the logger ``portier_client``."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from portier_client import Client, SessionUsed, blocking
from portier_client.testing import flush_events

from .conftest import REDIRECT_URI
from .mocked import Mocked
from .test_exit import ends
from .test_fork import in_child

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from portier_client.testing import DevBroker

LOGGER = logging.getLogger("portier_client")

DISCOVERY = "/.well-known/openid-configuration"

STARTED = ("DEBUG", "login started")
FETCHED = ("DEBUG", "document fetched")
LOGIN = [FETCHED, FETCHED, STARTED, ("DEBUG", "login completed"), ("INFO", "login refused")]


class Told(logging.Handler):
    """Keeps the records, and may call a function for each."""

    def __init__(self, at_each: Callable[[logging.LogRecord], object] | None = None) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        self.at_each = at_each
        self.changed = threading.Condition()

    def emit(self, record: logging.LogRecord) -> None:
        if self.at_each is not None:
            self.at_each(record)
        with self.changed:
            self.records.append(record)
            self.changed.notify_all()

    def wait_for(self, predicate: Callable[[], bool]) -> None:
        """Waits for records of another thread."""
        with self.changed:
            assert self.changed.wait_for(predicate, 30), self.events

    @property
    def events(self) -> list[tuple[str, str]]:
        return [(record.levelname, fields(record)["event"]) for record in self.records]


def fields(record: logging.LogRecord) -> dict[str, Any]:
    return record.__dict__


@pytest.fixture(autouse=True)
def all_levels() -> None:
    # Records of an earlier test belong to that test.
    flush_events()
    LOGGER.setLevel(logging.DEBUG)


@pytest.fixture
def told() -> Told:
    told = Told()
    LOGGER.addHandler(told)
    return told


async def log_in_twice(client: Client, broker: DevBroker) -> None:
    token = broker.mint(await client.authenticate("alice@example.com"))
    await client.verify(token)
    with pytest.raises(SessionUsed):
        await client.verify(token)


def test_a_login_is_logged_by_level_name_and_fields(
    client: Client, broker: DevBroker, told: Told
) -> None:
    asyncio.run(client.warm())
    flush_events()
    asyncio.run(log_in_twice(client, broker))
    assert sorted(told.events) == sorted(LOGIN)
    fetched, _, started, completed, refused = told.records
    assert fields(started)["fields"] == {}
    assert fields(fetched)["fields"] == {
        "document": "discovery",
        "unchanged": False,
        "lifetime_seconds": 86400,
        "failures": 0,
    }
    assert fields(completed)["fields"] == {"same_browser": False}
    assert refused.getMessage() == (
        "login refused operation=complete code=session_used error=the login was completed before"
    )
    # Error trackers group events by this text, so it is the same for each kind.
    assert refused.msg == "login refused operation=%(operation)s code=%(code)s error=%(error)s"
    assert refused.name == "portier_client"


def test_a_failed_fetch_is_a_warning_with_the_backoff(told: Told) -> None:
    mocked = Mocked()
    mocked.transport.fail("https://broker.example/.well-known/openid-configuration")
    with pytest.raises(Exception, match="the test said so"):
        asyncio.run(mocked.client.warm())
    flush_events()
    (record,) = told.records
    assert (record.levelno, fields(record)["event"]) == (logging.WARNING, "document not fetched")
    assert 0.5 <= fields(record)["fields"]["pause_seconds"] <= 1.0
    assert fields(record)["fields"]["has_document"] is False


def test_a_flush_waits_for_background_events(broker: DevBroker) -> None:
    told = Told(lambda record: time.sleep(0.1))
    LOGGER.addHandler(told)
    asyncio.run(Client(REDIRECT_URI, broker=broker.origin).warm())
    flush_events()
    assert told.events == [FETCHED, FETCHED]


def test_a_flush_stops_at_its_timeout(broker: DevBroker) -> None:
    go_on = threading.Event()
    LOGGER.addHandler(Told(lambda record: go_on.wait(30)))
    asyncio.run(Client(REDIRECT_URI, broker=broker.origin).warm())
    with pytest.raises(TimeoutError):
        flush_events(timeout=0)
    go_on.set()
    flush_events(timeout=timedelta(seconds=30))


def test_a_handler_cannot_flush_events(broker: DevBroker) -> None:
    raised: list[type[Exception]] = []

    def flush(record: logging.LogRecord) -> None:
        try:
            flush_events(timeout=30)
        except TimeoutError as error:
            raised.append(type(error))

    LOGGER.addHandler(Told(flush))
    asyncio.run(Client(REDIRECT_URI, broker=broker.origin).warm())
    flush_events()
    assert raised == [TimeoutError, TimeoutError]


@pytest.mark.parametrize("level", ["INFO", "WARNING"])
def test_a_changed_log_level_takes_effect_at_once(
    client: Client, broker: DevBroker, told: Told, level: str
) -> None:
    LOGGER.setLevel(level)
    asyncio.run(client.warm())
    asyncio.run(log_in_twice(client, broker))
    assert told.events == [("INFO", "login refused")] * (level == "INFO")
    LOGGER.setLevel("DEBUG")
    asyncio.run(client.authenticate("alice@example.com"))
    assert told.events[-1] == STARTED
    logging.disable(logging.CRITICAL)
    try:
        asyncio.run(client.authenticate("alice@example.com"))
    finally:
        logging.disable(logging.NOTSET)
    assert told.events[-1] == STARTED
    assert len(told.events) == 1 + (level == "INFO")


def test_background_events_are_logged_in_their_own_thread(
    tmp_path: Path, broker: DevBroker, told: Told
) -> None:
    store = f"sqlite:///{tmp_path / 'logins.db'}?documents=off"
    for number in range(1, 20):
        client = Client(REDIRECT_URI, broker=broker.origin, store=store)
        asyncio.run(continued_by_other_threads(1, client, broker))
        told.wait_for(lambda number=number: told.events.count(STARTED) == number)
    threads = {record.thread for record in told.records}
    assert threading.get_ident() not in threads


async def continued_by_other_threads(calls: int, client: Client, broker: DevBroker) -> None:
    """Starts logins that have to wait, so that the calling thread does not log their events."""
    broker.hold(DISCOVERY)
    logins = asyncio.gather(*(client.authenticate(None) for _ in range(calls)))
    await asyncio.sleep(0)
    broker.release(DISCOVERY)
    await logins


QUIET = """
import asyncio, sys
from portier_client import Client, BrokerUnavailable
for _ in range(3):
    try:
        asyncio.run(Client("https://example.com/", broker="http://127.0.0.1:1").warm())
    except BrokerUnavailable:
        pass
"""


def test_nothing_is_printed_without_configured_logging() -> None:
    command = [sys.executable, "-W", "error", "-c", QUIET]
    done = subprocess.run(command, capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_log_handler_may_use_the_client(tmp_path: Path, broker: DevBroker) -> None:
    """A handler runs in the thread of a call, or in the logging thread."""
    store = f"sqlite:///{tmp_path / 'logins.db'}"
    used: list[str] = []

    def use(record: logging.LogRecord) -> None:
        other = blocking.Client(REDIRECT_URI, broker=broker.origin)
        used.append(other.authenticate("bob@example.com"))

    async def go() -> None:
        for kind in ("memory:", store):
            client = Client(REDIRECT_URI, broker=broker.origin, store=kind)
            await log_in_twice(client, broker)

    told = Told(use)
    LOGGER.addHandler(told)
    asyncio.run(asyncio.wait_for(go(), 30))
    # The handler gets no events of its own calls, which would never end.
    told.wait_for(lambda: len(told.records) == 2 * len(LOGIN))
    told.wait_for(lambda: len(used) == 2 * len(LOGIN))
    assert all(url.startswith(f"{broker.origin}/auth") for url in used)


def test_a_call_does_not_wait_for_a_lock_of_logging(client: Client) -> None:
    """A handler holds its lock and waits for an answer, while an event waits for that lock."""

    def wait(record: logging.LogRecord) -> None:
        if record.msg == "a text":
            asyncio.run(client.warm())

    LOGGER.addHandler(Told(wait))
    elsewhere = threading.Thread(target=LOGGER.warning, args=["a text"], daemon=True)
    elsewhere.start()
    elsewhere.join(30)
    assert not elsewhere.is_alive()


@pytest.mark.parametrize("broken", [ValueError, KeyboardInterrupt])
def test_an_exception_in_a_log_filter_loses_no_answer(
    client: Client, broker: DevBroker, broken: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    unraisable: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda hook: unraisable.append(hook.exc_type))
    asyncio.run(client.warm())

    def check(record: logging.LogRecord) -> bool:
        raise broken

    LOGGER.addFilter(check)
    try:
        if broken is KeyboardInterrupt:
            with pytest.raises(KeyboardInterrupt):
                asyncio.run(client.authenticate("alice@example.com"))
        else:
            asyncio.run(client.authenticate("alice@example.com"))
            assert unraisable == [ValueError]
    finally:
        LOGGER.removeFilter(check)
    asyncio.run(log_in_twice(client, broker))


def test_events_beyond_a_limit_are_dropped_and_counted(tmp_path: Path, broker: DevBroker) -> None:
    calls = 1_500
    go_on = threading.Event()
    told = Told(lambda record: go_on.wait(30))
    store = f"sqlite:///{tmp_path / 'logins.db'}?documents=off"
    client = Client(REDIRECT_URI, broker=broker.origin, store=store)

    def dropped() -> int:
        counts = [fields(record)["fields"].get("count", 0) for record in told.records]
        return sum(counts)

    async def go() -> None:
        LOGGER.addHandler(told)
        # The calls are answered meanwhile.
        await continued_by_other_threads(calls, client, broker)
        assert told.records == []
        go_on.set()

    asyncio.run(asyncio.wait_for(go(), 30))
    told.wait_for(lambda: told.events.count(STARTED) + dropped() == calls)
    assert dropped() > 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:pending logins are in the memory:RuntimeWarning")
def test_a_forked_child_logs_its_own_events(client: Client, broker: DevBroker, told: Told) -> None:
    asyncio.run(log_in_twice(client, broker))
    told.wait_for(lambda: len(told.records) == len(LOGIN))

    def child() -> None:
        asyncio.run(client.warm())
        told.wait_for(lambda: told.events[len(LOGIN) :] == [FETCHED, FETCHED])

    assert in_child(child) == 0
    assert len(told.records) == len(LOGIN)
    asyncio.run(client.authenticate("alice@example.com"))
    assert told.events[-1] == STARTED


# Without address space for its stack, no thread can start.
NO_ROOM = """
import asyncio, logging, resource, sys, threading
from pathlib import Path
from portier_client import Client
logger = logging.getLogger("portier_client")
def warm():
    asyncio.run(Client("https://example.com/", broker=sys.argv[1]).warm())
warm()
logged = threading.Event()
class Told(logging.Handler):
    def emit(self, record):
        print(record.getMessage())
        if record.event == "events dropped":
            logged.set()
logger.addHandler(Told())
logger.setLevel(logging.DEBUG)
before = resource.getrlimit(resource.RLIMIT_AS)
pages = int(Path("/proc/self/statm").read_text().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (1 << 20), before[1]))
warm()
resource.setrlimit(resource.RLIMIT_AS, before)
warm()
logged.wait(30)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted in /proc")
def test_a_logging_thread_that_could_not_start_is_started_later(
    tmp_path: Path, broker: DevBroker
) -> None:
    (output,) = ends([NO_ROOM], tmp_path, broker)
    assert b"events dropped count=2" in output.splitlines()
