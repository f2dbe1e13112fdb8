"""Forked processes."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import multiprocessing
import os
import threading
import time
import warnings
from typing import TYPE_CHECKING

import pytest

from portier_client import Client, InvalidSession, blocking
from portier_client.testing import DevBroker

from ..forks import LIMIT, every_fork, in_child, join
from .conftest import REDIRECT_URI

if TYPE_CHECKING:
    from ..forks import Fork

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here"),
    # Newer Pythons warn about forks with threads, which are tested here.
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:pending logins are in the memory:RuntimeWarning"),
]


async def log_in(client: Client, broker: DevBroker) -> None:
    url = await client.authenticate("alice@example.com")
    assert await client.verify(broker.mint(url)) == "alice@example.com"


def check_child(client: Client, token: str) -> None:
    async def use() -> None:
        # The child fetches the documents again, over its own connections.
        assert client.stats()["keys"]["requests"] == 0
        assert client.stats()["pending"] == 0
        await asyncio.gather(*(client.authenticate("bob@example.com") for _ in range(20)))
        await client.warm()
        assert client.stats()["keys"]["requests"] == 1
        assert client.stats()["pending"] == 20
        # The child does not have the parent's pending logins.
        with pytest.raises(InvalidSession):
            await client.verify(token)

    asyncio.run(use())


@every_fork
def test_a_forked_child_works_and_the_parent_is_not_affected(
    client: Client, broker: DevBroker, fork: Fork
) -> None:
    async def prepare() -> str:
        await log_in(client, broker)
        return broker.mint(await client.authenticate("alice@example.com"))

    token = asyncio.run(prepare())
    for _ in range(5):
        assert in_child(lambda: check_child(client, token), fork) == 0
    assert asyncio.run(client.verify(token)) == "alice@example.com"


def test_a_memory_store_used_after_a_fork_causes_a_warning(client: Client) -> None:
    def use() -> None:
        for text in ("made in another one", None):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                assert client.stats()["pending"] == 0
            # Shown once in a process, for the line that used the client.
            assert [warning.filename for warning in caught] == [__file__] * (text is not None)
            assert text is None or text in str(caught[0].message)

    assert in_child(use) == 0


def test_a_login_of_another_process_is_refused_with_advice(
    client: Client, broker: DevBroker
) -> None:
    token = broker.mint(asyncio.run(client.authenticate("alice@example.com")))

    def verify() -> None:
        with pytest.raises(
            InvalidSession, match="the same secret, or a store they share"
        ) as refused:
            asyncio.run(client.verify(token))
        assert refused.value.code == "session_unknown"

    assert in_child(verify) == 0


@pytest.mark.parametrize(("value", "count"), [("4", 1), ("1", 0), ("", 0), ("many", 0)])
def test_a_memory_store_with_several_workers_causes_a_warning(
    monkeypatch: pytest.MonkeyPatch, value: str, count: int
) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", value)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Client(REDIRECT_URI, store="memory:")
    assert [warning.filename for warning in caught] == [__file__] * count


@every_fork
def test_a_child_of_a_forked_child_works(client: Client, broker: DevBroker, fork: Fork) -> None:
    asyncio.run(log_in(client, broker))
    token = broker.mint(asyncio.run(client.authenticate("alice@example.com")))

    def child() -> None:
        check_child(client, token)
        assert in_child(lambda: check_child(client, token), fork) == 0

    assert in_child(child, fork) == 0


@every_fork
def test_a_fork_while_calls_wait_affects_neither_process(
    client: Client, broker: DevBroker, fork: Fork
) -> None:
    path = "/.well-known/openid-configuration"

    async def fork_while_they_wait() -> int:
        waiting = [asyncio.create_task(client.warm()) for _ in range(50)]
        await asyncio.sleep(0)
        # The child neither completes nor cancels the parent's calls.
        status = in_child(client.stats, fork)
        for task in waiting[::2]:
            task.cancel()
        broker.release(path)
        await asyncio.gather(*waiting, return_exceptions=True)
        await client.warm()
        return status

    broker.hold(path)
    assert asyncio.run(fork_while_they_wait()) == 0


def test_a_child_that_continues_in_the_loop_takes_no_result_of_its_parent(
    client: Client, broker: DevBroker
) -> None:
    path = "/.well-known/openid-configuration"

    async def fork() -> None:
        task = asyncio.create_task(client.warm())
        await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        runs, is_running = os.pipe()
        child = os.fork()
        if child == 0:
            # The process id does not match, so `asyncio.sleep` does not find the loop any more.
            for turn in range(50):
                done = loop.create_future()
                loop.call_later(0.01, done.set_result, None)
                await done
                if turn == 0:
                    os.write(is_running, b"1")
            os._exit(0)
        assert os.read(runs, 1) == b"1"
        broker.release(path)
        # Only the child's copy of the loop runs when the result arrives.
        assert join(child) == 0
        async with asyncio.timeout(LIMIT):
            await task

    broker.hold(path)
    asyncio.run(fork())


def test_a_child_may_cancel_tasks_and_drop_clients_of_its_parent(
    client: Client, broker: DevBroker
) -> None:
    path = "/.well-known/openid-configuration"

    async def fork() -> int:
        task = asyncio.create_task(client.warm())
        await asyncio.sleep(0)

        def child() -> None:
            nonlocal client
            task.cancel()
            client = blocking.Client(REDIRECT_URI)  # type: ignore[assignment]

        status = in_child(child)
        broker.release(path)
        await task
        return status

    broker.hold(path)
    assert asyncio.run(fork()) == 0


def test_forks_succeed_while_other_threads_use_the_client(broker: DevBroker) -> None:
    client = blocking.Client(REDIRECT_URI, broker=broker.origin)
    over = threading.Event()

    def use() -> None:
        while not over.is_set():
            client.authenticate("alice@example.com")
            blocking.Client(REDIRECT_URI, broker=broker.origin).warm()

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    statuses = [in_child(lambda: client.authenticate("alice@example.com")) for _ in range(20)]
    over.set()
    for thread in threads:
        thread.join()
    assert statuses == [0] * 20


def _worker(origin: str) -> str:
    client = blocking.Client(REDIRECT_URI, broker=origin)
    return client.authenticate("alice@example.com").partition("?")[0]


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_clients_work_with_every_start_method_of_multiprocessing(
    method: str, client: Client, broker: DevBroker
) -> None:
    asyncio.run(client.warm())
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(_worker, [broker.origin] * 4) == [f"{broker.origin}/auth"] * 4
        # The processes end by themselves; nobody kills them.
        pool.close()
        pool.join()


def test_a_child_uses_a_client_of_its_parent(client: Client, broker: DevBroker) -> None:
    asyncio.run(client.warm())
    process = multiprocessing.get_context("fork").Process(
        target=lambda: asyncio.run(log_in(client, broker))
    )
    process.start()
    process.join(60)
    assert process.exitcode == 0


@every_fork
def test_a_broker_signs_in_a_child_forked_during_key_generation(fork: Fork) -> None:
    with DevBroker() as broker:
        assert in_child(broker.key_id, fork) == 0


def test_a_fork_by_c_code_succeeds_while_threads_wait_for_the_gil(
    broker: DevBroker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "portier_client")
    held = ctypes.PyDLL(None)

    def use() -> None:
        for _ in range(10):
            assert blocking.Client(REDIRECT_URI, broker=broker.origin).keys()
        time.sleep(0.01)

    for _ in range(10):
        blocking.Client(REDIRECT_URI, broker=broker.origin).keys()
        # Other threads cannot run Python code meanwhile, but they ask for the lock.
        held.usleep(20_000)
        assert in_child(use, held.fork) == 0


def test_a_forked_child_does_not_stop_the_broker_of_its_parent() -> None:
    with DevBroker() as broker:
        assert in_child(broker.stop) == 0
        asyncio.run(Client(REDIRECT_URI, broker=broker.origin).warm())
