"""What the app needs of WSGI and of ASGI."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from asgiref.sync import AsyncToSync, SyncToAsync, async_to_sync
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.test import override_settings

from .conftest import AsyncVisitor, Visitor

if TYPE_CHECKING:
    from collections.abc import Callable

    from portier_client.testing import DevBroker


def refuse(*_: object, **__: object) -> None:
    raise AssertionError("an event loop was started")


def test_wsgi_needs_no_event_loop(broker: DevBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor = Visitor(broker)
    monkeypatch.setattr(AsyncToSync, "__call__", refuse)
    monkeypatch.setattr(asyncio, "new_event_loop", refuse)
    assert visitor.log_in().status_code == 303
    assert visitor.user == "alice@example.com"
    assert visitor.post("/accounts/logout/", {}).status_code == 303


def test_asgi_needs_no_thread_to_start_a_login(
    broker: DevBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    hops: list[object] = []
    call = SyncToAsync.__call__

    async def counted(self: Any, *arguments: Any, **options: Any) -> Any:
        hops.append(self.func)
        return await call(self, *arguments, **options)

    # The middleware of Django needs threads itself.
    with override_settings(MIDDLEWARE=[]):
        visitor = AsyncVisitor(broker)
        visitor.start()
        monkeypatch.setattr(SyncToAsync, "__call__", counted)
        callback = visitor.start()
        refused = visitor.get(callback.replace("code=", "code=x") + "&portier_again=1")
    assert refused.status_code == 400
    assert [hop for hop in hops if "portier" in getattr(hop, "__module__", "")] == []


def test_a_slow_broker_keeps_nobody_else_waiting_under_asgi(broker: DevBroker) -> None:
    slow, other = AsyncVisitor(broker), AsyncVisitor(broker)
    callback = slow.start()

    async def meanwhile() -> None:
        before = broker.requests().get("/token", 0)
        broker.hold("/token")
        try:
            waiting = asyncio.create_task(slow.arequest("GET", callback, b""))
            async with asyncio.timeout(20):
                # The broker runs in a thread, which sets no event of this loop.
                while broker.requests().get("/token", 0) == before:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
                page = await other.arequest("GET", "/accounts/login/", b"")
            assert page.status_code == 200
            assert not waiting.done()
        finally:
            broker.release("/token")
        assert (await waiting).status_code == 303

    async_to_sync(meanwhile)()


def test_a_login_may_go_on_under_the_other_handler(broker: DevBroker) -> None:
    under_wsgi, under_asgi = Visitor(broker), AsyncVisitor(broker)
    callback = under_wsgi.start()
    under_asgi.client.cookies = under_wsgi.client.cookies
    assert under_asgi.get(callback).status_code == 303
    assert under_asgi.user == "alice@example.com"


@pytest.mark.parametrize("kind", [Visitor, AsyncVisitor])
def test_plain_and_async_hooks_may_use_the_database(
    kind: type[Visitor], broker: DevBroker, set_portier: Callable[..., None]
) -> None:
    def plain(request: Any, login: Any) -> None:
        User.objects.filter(email=login.email).update(last_name="plain")

    async def later(request: Any, login: Any) -> None:
        await User.objects.filter(email=login.email).aupdate(last_name="async")

    def calls_later(request: Any, login: Any) -> Any:
        return later(request, login)

    class Later:
        async def __call__(self, request: Any, login: Any) -> None:
            await later(request, login)

    for hook, name in [
        (plain, "plain"),
        (later, "async"),
        (Later(), "async"),
        (calls_later, "async"),
    ]:
        User.objects.all().delete()
        set_portier(on_login=hook)
        assert kind(broker).log_in().status_code == 303
        assert User.objects.get().last_name == name


@pytest.mark.parametrize("kind", [Visitor, AsyncVisitor])
def test_a_hook_that_returns_something_else_signs_nobody_in(
    kind: type[Visitor], broker: DevBroker, set_portier: Callable[..., None]
) -> None:
    set_portier(on_login=lambda request, login: "a page")
    visitor = kind(broker)
    with pytest.raises(TypeError, match="hooks return None or HttpResponse, not str"):
        visitor.log_in()
    assert visitor.user is None


@pytest.mark.parametrize("kind", [Visitor, AsyncVisitor])
def test_a_receiver_of_the_signal_that_forbids_the_login_signs_nobody_in(
    kind: type[Visitor], broker: DevBroker
) -> None:
    from django.contrib.auth.signals import user_logged_in

    def forbid(**_: object) -> None:
        raise PermissionDenied

    user_logged_in.connect(forbid)
    try:
        visitor = kind(broker)
        assert visitor.log_in().status_code == 403
        assert visitor.user is None
    finally:
        user_logged_in.disconnect(forbid)
