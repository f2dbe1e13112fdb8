"""Logins that are bound to the browser that started them."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING

import pytest

from portier_client import BrowserMismatch, Client, SessionUsed
from portier_client.blocking import Client as BlockingClient

from .conftest import REDIRECT_URI

if TYPE_CHECKING:
    from portier_client.testing import DevBroker

HERE, THERE = "the secret of a browser", "the secret of another"


async def token(client: Client, broker: DevBroker, browser: str | None) -> dict[str, str]:
    """Start a login in a browser; return the form of its callback."""
    return {
        "id_token": broker.mint(await client.authenticate("Alice@example.com", browser=browser))
    }


async def mismatch(client: Client, form: dict[str, str], browser: str | None) -> BrowserMismatch:
    """The error of a browser that did not start the login."""
    with pytest.raises(BrowserMismatch) as caught:
        await client.complete(form, browser)
    return caught.value


@pytest.mark.asyncio
async def test_a_bound_login_completes_in_its_own_browser(
    client: Client, broker: DevBroker
) -> None:
    login = await client.complete(await token(client, broker, HERE), HERE)
    assert login.same_browser


@pytest.mark.asyncio
async def test_an_unbound_login_is_refused_in_a_browser(client: Client, broker: DevBroker) -> None:
    form = await token(client, broker, None)
    await mismatch(client, form, HERE)
    assert not (await client.complete(form)).same_browser


@pytest.mark.asyncio
async def test_another_browser_leaves_the_login_pending(client: Client, broker: DevBroker) -> None:
    form = await token(client, broker, HERE)
    for browser in (THERE, None):
        error = await mismatch(client, form, browser)
        assert (error.code, error.email) == ("session_browser", "alice@example.com")
        assert (error.confirmation is None) is (browser is None)
    with pytest.raises(BrowserMismatch):
        await client.verify(form["id_token"])
    assert (await client.complete(form, HERE)).same_browser


@pytest.mark.asyncio
async def test_a_confirmed_login_completes_in_another_browser(
    client: Client, broker: DevBroker
) -> None:
    form = await token(client, broker, HERE)
    confirmation = (await mismatch(client, form, THERE)).confirmation
    with pytest.raises(BrowserMismatch):
        await client.complete(form, "a third browser", confirmation=confirmation)
    login = await client.complete(form, THERE, confirmation=confirmation)
    assert (login.email, login.same_browser) == ("alice@example.com", False)


@pytest.mark.asyncio
async def test_a_used_login_is_refused_in_every_browser(client: Client, broker: DevBroker) -> None:
    form = await token(client, broker, HERE)
    await client.complete(form, HERE)
    for browser, same in ((HERE, True), (THERE, False), (None, False)):
        with pytest.raises(SessionUsed) as caught:
            await client.complete(form, browser)
        assert caught.value.same_browser is same


def test_the_blocking_client_accepts_a_confirmation(broker: DevBroker) -> None:
    with BlockingClient(REDIRECT_URI, broker=broker.origin) as client:
        form = {"id_token": broker.mint(client.authenticate("alice@example.com", browser=HERE))}
        with pytest.raises(BrowserMismatch) as caught:
            client.complete(form, THERE)
        login = client.complete(form, THERE, confirmation=caught.value.confirmation)
        assert login.email == "alice@example.com"


@pytest.mark.asyncio
async def test_a_browser_mismatch_shows_no_secret(client: Client, broker: DevBroker) -> None:
    error = await mismatch(client, await token(client, broker, HERE), THERE)
    for shown in (str(error), repr(error)):
        assert "alice" not in shown
        assert str(error.confirmation) not in shown


def test_attributes_of_an_error_survive_pickling() -> None:
    error = BrowserMismatch("a", code="session_browser", email="b", confirmation="c")
    used = SessionUsed("a", code="session_used", same_browser=True)
    for duplicate in (lambda e: pickle.loads(pickle.dumps(e)), copy.deepcopy):
        twin = duplicate(error)
        assert (twin.email, twin.confirmation, twin.args) == ("b", "c", ("a", "session_browser"))
        assert duplicate(used).same_browser is True
