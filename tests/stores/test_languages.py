"""A login that is started in one language is completed in another, through a shared store.

Each half runs in its own process. Only the very first process sends requests to the broker.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .servers import NODE

if TYPE_CHECKING:
    from portier_client.testing import DevBroker

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LANGUAGES = {
    "rust": [str(ROOT / "target/debug/examples/half_a_login")],
    "python": [sys.executable, str(HERE / "half_a_login.py")],
    "node": [NODE, str(HERE / "half_a_login.cjs")],
}


def half(language: str, broker: str, store: str, token: str | None = None) -> dict[str, Any]:
    """Runs one half of a login in another process."""
    words = [] if token is None else ["complete"]
    process = subprocess.run(
        [*LANGUAGES[language], broker, store, *words],
        check=False,
        input=f"{token}\n",
        capture_output=True,
        text=True,
        timeout=60,
        # With its own certificate authorities, Node would share no documents with the others.
        env={name: value for name, value in os.environ.items() if name != "NODE_EXTRA_CA_CERTS"},
    )
    assert process.returncode == 0, process.stderr
    answer: dict[str, Any] = json.loads(process.stdout)
    return answer


def test_a_login_started_in_one_language_is_completed_in_another(
    broker: DevBroker, store: str
) -> None:
    # The first process fetches the documents for all others.
    first = half("rust", broker.origin, store)
    assert half("rust", broker.origin, store, broker.mint(first["result"]))["requests"] == 1
    for one, other in itertools.product(LANGUAGES, repeat=2):
        started = half(one, broker.origin, store)
        token = broker.mint(started["result"])
        completed = half(other, broker.origin, store, token)
        again = half(one, broker.origin, store, token)
        assert completed["result"] == "alice@example.com", (one, other)
        assert again["result"] == "session_used", (one, other)
        requests = started["requests"] + completed["requests"] + again["requests"]
        assert requests == 0, (one, other)


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_shared_documents_each_process_fetches_its_own(
    language: str, broker: DevBroker, store: str
) -> None:
    url = f"{store}{'&' if '?' in store else '?'}documents=off"
    for _ in range(2):
        started = half(language, broker.origin, url)
        completed = half(language, broker.origin, url, broker.mint(started["result"]))
        assert completed["result"] == "alice@example.com"
        assert (started["requests"], completed["requests"]) == (1, 2)
