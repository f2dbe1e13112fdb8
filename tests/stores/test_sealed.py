"""Logins that are sealed, in processes of both languages that share nothing but a secret."""

from __future__ import annotations

import itertools
import json
import secrets
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest

from .servers import NODE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from portier_client.testing import DevBroker

HERE = Path(__file__).parent
REDIRECT_URI = "https://example.com/verify"
ADDRESS = "alice@example.com"
LANGUAGES = {
    "python": [sys.executable, str(HERE / "sealed.py")],
    "node": [NODE, str(HERE / "sealed.mjs")],
}
FLOWS = ["code", "implicit"]


class Process:
    """A process of a site."""

    def __init__(self, language: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [*LANGUAGES[language], REDIRECT_URI, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill()

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def start(self) -> str:
        """Starts a login, and returns its URL at the broker."""
        self.send("Alice@example.com")
        url: str = self.answer()
        return url

    def complete(self, form: dict[str, str]) -> str:
        self.send([form])
        (outcome,) = self.answer()
        return str(outcome)

    def send(self, asked: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{json.dumps(asked)}\n")
        self._process.stdin.flush()

    def answer(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


@pytest.fixture
def open_process(broker: DevBroker) -> Iterator[Callable[..., Process]]:
    """Starts processes with one secret, which end with the test."""
    secret = secrets.token_urlsafe(32)
    with ExitStack() as stack:

        def start(language: str, flow: str = "code", *store: str) -> Process:
            process = Process(language, broker.origin, flow, secret, *store)
            return stack.enter_context(process)

        yield start


@pytest.mark.parametrize("flow", FLOWS)
def test_a_sealed_login_started_in_one_language_is_completed_in_another(
    flow: str, broker: DevBroker, open_process: Callable[..., Process]
) -> None:
    processes = {language: open_process(language, flow) for language in LANGUAGES}
    for one, other in itertools.product(LANGUAGES, repeat=2):
        form = broker.sign_in(processes[one].start())
        assert processes[other].complete(form) == ADDRESS, (one, other)
        assert processes[other].complete(form) == "session_used", (one, other)


@pytest.mark.parametrize("flow", FLOWS)
def test_a_sealed_login_survives_the_process_that_started_it(
    flow: str, broker: DevBroker, open_process: Callable[..., Process]
) -> None:
    for one, other in itertools.permutations(LANGUAGES):
        first = open_process(one, flow)
        form = broker.sign_in(first.start())
        first.kill()
        assert open_process(other, flow).complete(form) == ADDRESS


def attempts_at_once(processes: list[Process], form: dict[str, str]) -> Counter[str]:
    """The outcomes of 64 attempts at once in all processes."""
    shares = [[form] * len(range(at, 64, len(processes))) for at in range(len(processes))]
    for process, share in zip(processes, shares, strict=True):
        process.send(share)
    return Counter(outcome for process in processes for outcome in process.answer())


def seven(open_process: Callable[..., Process], *options: str) -> list[Process]:
    return [open_process(language, *options) for language in ["python"] * 4 + ["node"] * 3]


def test_of_64_attempts_in_seven_processes_exactly_one_redeems_the_code(
    broker: DevBroker, open_process: Callable[..., Process]
) -> None:
    processes = seven(open_process)
    for _ in range(5):
        form = broker.sign_in(processes[0].start())
        outcomes = attempts_at_once(processes, form)
        assert outcomes.pop(ADDRESS) == 1
        assert set(outcomes) <= {"session_used", "code_refused"}
        assert outcomes.total() == 63


def test_of_64_attempts_with_a_store_exactly_one_uses_the_token(
    broker: DevBroker, store: str, open_process: Callable[..., Process]
) -> None:
    processes = seven(open_process, "implicit", store)
    for _ in range(5):
        form = broker.sign_in(processes[0].start())
        assert attempts_at_once(processes, form) == {ADDRESS: 1, "session_used": 63}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_process_that_is_killed_leaves_at_most_one_login(
    language: str, broker: DevBroker, open_process: Callable[..., Process]
) -> None:
    survivor = open_process("python")
    # While the broker has the code and has not answered.
    form = broker.sign_in(survivor.start())
    killed = open_process(language)
    asked = broker.requests().get("/token", 0)
    broker.hold("/token")
    killed.send([form])
    deadline = time.monotonic() + 60
    while broker.requests().get("/token", 0) == asked:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    killed.kill()
    broker.release("/token")
    outcomes = [survivor.complete(form) for _ in range(3)]
    assert outcomes.count(ADDRESS) <= 1
    assert set(outcomes) <= {ADDRESS, "session_used", "code_refused"}
    # After it has completed the login.
    form = broker.sign_in(survivor.start())
    killed = open_process(language)
    assert killed.complete(form) == ADDRESS
    killed.kill()
    assert survivor.complete(form) == "code_refused"
