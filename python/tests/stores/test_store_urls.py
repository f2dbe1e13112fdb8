"""Stores that the core opens by URL."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

import pytest

from portier_client import Client, ConfigError, InvalidSession, StoreError, blocking

from .servers import redis_server
from .written import REDIRECT_URI, use

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from portier_client.testing import DevBroker


@pytest.fixture(params=["sqlite", "redis"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A store that several processes can use."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/logins.db"
    else:
        with redis_server() as socket:
            yield f"redis+unix://{socket}"


def test_a_login_started_by_one_client_is_completed_by_another(url: str, broker: DevBroker) -> None:
    asyncio.run(use(url, broker))
    first = Client(REDIRECT_URI, broker=broker.origin, store=url)
    token = broker.mint(asyncio.run(first.authenticate("alice@example.com")))
    second = blocking.Client(REDIRECT_URI, broker=broker.origin, store=url)
    assert second.verify(token) == "alice@example.com"
    with pytest.raises(InvalidSession):
        asyncio.run(first.verify(token))
    with pytest.raises(InvalidSession):
        second.verify(token)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_opens_the_store_again(url: str, broker: DevBroker) -> None:
    client = Client(REDIRECT_URI, broker=broker.origin, store=url)
    tokens = [broker.mint(asyncio.run(client.authenticate("alice@example.com"))) for _ in "12"]
    child = os.fork()
    if child == 0:
        status = 1
        try:
            assert asyncio.run(client.verify(tokens[0])) == "alice@example.com"
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    with pytest.raises(InvalidSession):
        asyncio.run(client.verify(tokens[0]))
    assert asyncio.run(client.verify(tokens[1])) == "alice@example.com"


@pytest.mark.parametrize("kind", [Client, blocking.Client])
def test_no_message_shows_a_store_url(kind: type[Any], tmp_path: Path, broker: DevBroker) -> None:
    for url in (
        "redis://user:secret@localhost:port",
        "redis://user:secret@localhost?nothing=1",
        "sqlite://secret",
        "sqlite:///secret/secret?nothing=1",
        "secret",
    ):
        with pytest.raises(ConfigError) as caught:
            kind(REDIRECT_URI, store=url)
        assert caught.value.code == "invalid_option"
        assert "secret" not in str(caught.value)
    site = blocking.Client(
        REDIRECT_URI, broker=broker.origin, store=f"redis+unix://:secret@{tmp_path}/nobody"
    )
    with pytest.raises(StoreError) as refused:
        site.authenticate("alice@example.com")
    assert refused.value.code == "store_unavailable"
    assert "secret" not in f"{refused.value} {refused.value.__cause__}"
