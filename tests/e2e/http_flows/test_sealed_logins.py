"""Logins that are sealed, with the real broker and processes that share nothing but a secret."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from e2e.broker import ROOT
from portier_client.blocking import Client
from tests.web.visitor import Visitor

from .flow import type_code

if TYPE_CHECKING:
    from e2e.broker import Broker

REDIRECT_URI = "http://localhost:9/verify"
SECRET = secrets.token_urlsafe(32)
BROWSER = "the secret of a browser"
FLOWS = ["code", "implicit"]
LANGUAGES = {
    "python": [sys.executable, str(ROOT / "tests/stores/sealed.py")],
    "node": [os.environ.get("NODE", "node"), str(ROOT / "tests/stores/sealed.mjs")],
}


def in_process(language: str, broker: Broker, flow: str, asked: object) -> Any:
    """The answer of a process of the site, which ends then."""
    command = [*LANGUAGES[language], REDIRECT_URI, broker.origin, flow, SECRET]
    process = subprocess.run(
        command,
        input=f"{json.dumps(asked)}\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    ready, answer = process.stdout.splitlines()
    assert ready == "ready"
    return json.loads(answer)


def sign_in(broker: Broker, url: str, email: str) -> dict[str, str]:
    """What the browser brings back from the broker."""
    visitor = Visitor()
    waiting = visitor.get(url)
    code = broker.mailbox.take(email).code
    if "response_type=code" not in url:
        return dict(type_code(visitor, waiting, code).form().fields)
    redirect = visitor.submit(waiting, "/confirm", code=code, follow=False)
    location = str(redirect.headers["Location"])
    assert location.startswith(f"{REDIRECT_URI}?")
    return dict(parse_qsl(urlsplit(location).query, strict_parsing=True))


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize(("one", "other"), [("python", "node"), ("node", "python")])
def test_a_sealed_login_is_started_in_one_language_and_completed_in_another(
    broker: Broker, email: str, flow: str, one: str, other: str
) -> None:
    form = sign_in(broker, in_process(one, broker, flow, email), email)
    outcomes = in_process(other, broker, flow, [form, form])
    outcomes.remove(email)
    assert outcomes[0] in {"session_used", "code_refused"}


@pytest.mark.parametrize("flow", FLOWS)
def test_the_longest_sealed_login_passes_through_the_broker(broker: Broker, flow: str) -> None:
    client = Client(REDIRECT_URI, broker=broker.origin, flow=flow, secret=SECRET)
    email = f"{'a' * 64}@example.com"
    text = "é" * 256
    state = text if flow == "code" else "s" * 4096
    url = client.authenticate(email, session=text, state=state, browser=BROWSER)
    visitor = Visitor()
    waiting = visitor.get(url)
    assert waiting.status == 200, waiting.text
    code = broker.mailbox.take(email).code
    if flow == "code":
        redirect = visitor.submit(waiting, "/confirm", code=code, follow=False)
        form = dict(parse_qsl(urlsplit(str(redirect.headers["Location"])).query))
    else:
        form = dict(type_code(visitor, waiting, code).form().fields)
    login = client.complete(form, BROWSER)
    assert (login.email, login.session, login.state) == (email, text, state)


@pytest.mark.parametrize("name", ["state", "nonce"])
def test_the_broker_accepts_a_state_and_a_nonce_of_some_kibibytes(
    broker: Broker, name: str
) -> None:
    client = Client(REDIRECT_URI, broker=broker.origin, flow="code", secret=SECRET)
    largest = 0
    for length in (2048, 4096, 8192, 16_384, 32_768, 60_000):
        url = client.authenticate(f"{name}-{length}@example.com")
        if Visitor().get(replaced(url, name, "A" * length)).status != 200:
            break
        largest = length
    print(f"{name}: {largest} characters")
    # A sealed login has 2048 characters at most.
    assert largest >= 8192


def replaced(url: str, name: str, value: str) -> str:
    """The URL with another value of a parameter."""
    before, after = url.split(f"&{name}=")
    _, _, rest = after.partition("&")
    return f"{before}&{name}={value}&{rest}".rstrip("&")
