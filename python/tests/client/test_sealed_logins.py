"""Pending logins that are in no store: clients and flows with a secret."""

from __future__ import annotations

import asyncio
import json
import sys
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from portier_client import BrowserMismatch, Client, ConfigError, PortierError, blocking
from portier_client.tornado import login_policy
from portier_client.web import LoginFlow

from .conftest import REDIRECT_URI
from .mocked import Mocked, load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portier_client.testing import DevBroker

VECTORS = load("sealed_logins")
NEW, OLD = VECTORS["secrets"]
HERE = "the secret of a browser"


def mocked(case: dict[str, Any], **changes: Any) -> Mocked:
    """The client of a case."""
    mocked = Mocked(
        broker=VECTORS["broker"],
        discovery=VECTORS["discovery"],
        key_set=VECTORS["key_set"],
        redirect_uri=VECTORS["redirect_uri"],
        **{
            "now": VECTORS["now"],
            "secret": VECTORS["secrets"],
            "session_ttl": VECTORS["session_ttl"],
            "flow": case["flow"],
            **changes,
        },
    )
    answer = json.dumps({"id_token": case["token"]}).encode()
    headers = [("content-type", "application/json")]
    mocked.transport.respond(VECTORS["token_endpoint"], answer, headers=headers)
    return mocked


async def outcome(client: Client, case: dict[str, Any]) -> dict[str, Any]:
    """The result of a callback, as the vectors have it."""
    try:
        login = await client.complete(case["params"], case["browser"])
    except BrowserMismatch as error:
        return {"code": error.code, "email": error.email}
    except PortierError as error:
        return {"code": error.code}
    names = ("email", "email_original", "session", "state", "same_browser")
    return {name: getattr(login, name) for name in names}


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["id"])
def test_sealed_logins_are_opened_as_the_vectors_say(case: dict[str, Any]) -> None:
    given = mocked(case)
    assert asyncio.run(outcome(given.client, case)) == case["expect"]
    requests = given.transport.requests(VECTORS["token_endpoint"])
    assert requests == (case["token"] is not None)


def test_logins_are_sealed_as_in_every_other_language() -> None:
    case = VECTORS["cases"][0]
    given = mocked(case, now=VECTORS["now"] - 30, nonces=["A" * 16])
    url = given.client.authenticate(
        "alice@example.com", session="/members", browser=case["browser"]
    )
    assert query_of(asyncio.run(url))["state"] == case["params"]["state"]


def query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


@pytest.mark.parametrize("started", [NEW, NEW.encode(), [NEW], (NEW.encode(), OLD), [OLD]])
def test_another_client_with_the_secret_completes_a_login(started: Any, broker: DevBroker) -> None:
    here = blocking.Client(REDIRECT_URI, broker=broker.origin, flow="code", secret=started)
    there = Client(REDIRECT_URI, broker=broker.origin, flow="code", secret=[NEW, OLD])
    url = here.authenticate("alice@example.com", session="/members", browser=HERE)
    login = asyncio.run(there.complete(broker.sign_in(url), HERE))
    assert (login.email, login.session, login.same_browser) == (
        "alice@example.com",
        "/members",
        True,
    )
    assert here.stats().get("pending") is None


@pytest.mark.parametrize("secret", ["too short", b"short", [], "a" * 40, [NEW, "short"]])
def test_secrets_that_can_be_guessed_are_refused(secret: Any) -> None:
    with pytest.raises(ConfigError) as refused:
        Client(REDIRECT_URI, secret=secret)
    assert refused.value.code == "invalid_option"


@pytest.mark.parametrize("secret", [7, bytearray(32), [None], object()])
def test_secrets_of_another_type_are_refused(secret: Any) -> None:
    with pytest.raises(TypeError, match="secret must be str, bytes or an iterable of these"):
        blocking.Client(REDIRECT_URI, secret=secret)


def test_an_unbound_login_of_the_implicit_flow_needs_a_store_as_well(broker: DevBroker) -> None:
    alone = blocking.Client(REDIRECT_URI, broker=broker.origin, secret=NEW)
    with pytest.raises(ConfigError, match="bound to a browser"):
        alone.authenticate("alice@example.com")


def test_of_many_attempts_in_several_processes_exactly_one_succeeds(broker: DevBroker) -> None:
    client = blocking.Client(REDIRECT_URI, broker=broker.origin, flow="code", secret=NEW)
    form = broker.sign_in(client.authenticate("alice@example.com", browser=HERE))
    program = (
        "import json, sys\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from portier_client import PortierError, blocking\n"
        "broker, secret, browser, form = json.loads(sys.argv[1])\n"
        f"client = blocking.Client({REDIRECT_URI!r}, broker=broker, flow='code', secret=secret)\n"
        "client.warm()\n"
        "def attempt(_):\n"
        "    try:\n"
        "        return client.complete(form, browser).email\n"
        "    except PortierError as error:\n"
        "        return error.code\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
        "with ThreadPoolExecutor(16) as threads:\n"
        "    print(json.dumps(list(threads.map(attempt, range(16)))))\n"
    )
    argument = json.dumps([broker.origin, NEW, HERE, form])
    codes: Counter[str] = Counter()
    for outcomes in in_processes([sys.executable, "-c", program, argument], count=4):
        codes.update(outcomes)
    assert codes["alice@example.com"] == 1
    assert set(codes) <= {"alice@example.com", "session_used", "code_refused"}
    assert codes.total() == 64


def in_processes(command: list[str], count: int) -> list[list[str]]:
    """Runs a program several times at once; each prints its outcomes when all are ready."""
    import subprocess

    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(count)
    ]
    try:
        for process in running:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        with ThreadPoolExecutor(count) as threads:
            ends = threads.map(lambda process: process.communicate("go\n", timeout=60), running)
            return [json.loads(printed) for printed, _ in ends]
    finally:
        for process in running:
            process.kill()
            process.communicate()


@pytest.fixture
def caught(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[warnings.WarningMessage]]:
    """The warnings of a test, in one of several processes of a site."""
    monkeypatch.setenv("WEB_CONCURRENCY", "2")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught


def test_a_secret_causes_no_warning_about_a_memory_store(
    broker: DevBroker, caught: list[warnings.WarningMessage]
) -> None:
    blocking.Client(REDIRECT_URI, secret=NEW)
    client = Client(REDIRECT_URI, broker=broker.origin)
    LoginFlow(client, secret=NEW)
    assert caught == []


def test_the_warning_about_the_default_store_waits_until_a_login_would_use_it(
    broker: DevBroker, caught: list[warnings.WarningMessage]
) -> None:
    client = blocking.Client(REDIRECT_URI, broker=broker.origin)
    assert caught == []
    client.authenticate("alice@example.com")
    client.authenticate("alice@example.com")
    (warning,) = caught
    assert "secret" in str(warning.message)
    assert warning.filename == __file__
    login_policy(Client(REDIRECT_URI, broker=broker.origin))
    assert len(caught) == 1
    LoginFlow(Client(REDIRECT_URI, broker=broker.origin))
    assert len(caught) == 2
    LoginFlow(Client(REDIRECT_URI, store="memory:"), secret=NEW)
    assert len(caught) == 3
